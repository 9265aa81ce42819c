//! How workers come and go: they are added, join, are told to retire, and are gone.

use std::sync::Arc;

use super::give_up::Cancel;
use super::{Phase, State};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::Message;
use crate::scheduler::spin;
use crate::scheduler::task::{Outcome, Stage};
use crate::scheduler::worker::{Worker, WorkerState};

/// The effects of a worker's joining.
#[derive(Debug, Default)]
pub(in crate::scheduler) struct Joined {
    /// Whether it is an isolate that has started. The owner is told so, ahead of everything else about it.
    pub(in crate::scheduler) is_ready: bool,
    /// The bell of the worker that it replaces.
    pub(in crate::scheduler) relieved: Option<Arc<dyn Bell>>,
    /// Messages to the owner: tasks that the worker was given before it joined begin now.
    pub(in crate::scheduler) begun: Vec<Message>,
    /// The tasks among them that were given up since. The worker is told.
    pub(in crate::scheduler) cancels: Vec<Cancel>,
}

impl State {
    /// Moves a worker to another state. This is the only place that counts searching and awake workers.
    pub(super) fn enter(&mut self, id: u32, state: WorkerState) {
        let worker = &mut self.workers[id];
        let old = std::mem::replace(&mut worker.state, state);
        let lane = &mut self.lanes[worker.lane];
        match (old.searches(), state.searches()) {
            (true, false) => lane.searching -= 1,
            (false, true) => lane.searching += 1,
            _ => {}
        }
        match (old.awake(), state.awake()) {
            (true, false) => spin::slept(),
            (false, true) => spin::woke(),
            _ => {}
        }
        match old {
            WorkerState::Spinning => lane.nudged = false,
            WorkerState::Starting => {
                lane.starting -= 1;
                lane.promised -= u32::from(!worker.has_room());
            }
            WorkerState::Idle => lane.idle.retain(|&other| other != id),
            WorkerState::Spare => lane.spare.retain(|&other| other != id),
            _ => {}
        }
        match state {
            WorkerState::Idle => lane.idle.push(id),
            WorkerState::Spare => lane.spare.push(id),
            _ => {}
        }
    }

    /// Adds a worker, which the caller has to get started.
    pub(in crate::scheduler) fn add_worker(&mut self, lane: Lane, now: u64) -> WorkerId {
        let slots = self.slots_of(lane);
        self.serial = self.serial.wrapping_add(1);
        let worker = Worker::new(lane, slots, self.serial, now);
        let id = self.workers.insert(worker);
        self.lanes[lane].workers += 1;
        self.lanes[lane].starting += 1;
        WorkerId(id)
    }

    /// Adds the workers that a lane has fewer than the minimum, or than `least`.
    pub(in crate::scheduler) fn reserve_minimum(
        &mut self,
        lane: Lane,
        least: u32,
        now: u64,
    ) -> Vec<WorkerId> {
        let mut started = Vec::new();
        // While starts fail, one is only tried if `least` workers are waited for.
        let tries = self.lanes[lane].failures == 0 || least > 0;
        while tries
            && self.phase == Phase::Open
            && !self.lanes[lane].held
            && self.lanes[lane].staying() < self.limits.min_threads.max(least)
        {
            started.push(self.add_worker(lane, now));
        }
        started
    }

    /// The worker runs and will ask for tasks. Returns none if it is not known (any more).
    pub(in crate::scheduler) fn join(
        &mut self,
        id: WorkerId,
        bell: Arc<dyn Bell>,
        now: u64,
    ) -> Option<Joined> {
        let worker = self.workers.get_mut(id.0)?;
        worker.bell = Some(bell);
        if self.phase == Phase::Closed {
            self.set_retiring(id);
        }
        let mut joined = Joined::default();
        if self.workers[id.0].state == WorkerState::Starting {
            self.enter(id.0, WorkerState::Active);
            self.time_age(id, now);
            let worker = &self.workers[id.0];
            if worker.lane == Lane::Script {
                self.lanes[Lane::Script].failures = 0;
                joined.is_ready = true;
            }
            let given: Vec<u32> = worker.slots.iter().flatten().copied().collect();
            for index in given {
                self.begin_given(index, now, &mut joined);
            }
        }
        joined.relieved = self.relieve(id, now);
        Some(joined)
    }

    /// A task begins that was given to a worker before the worker had started, unless it was given up since.
    fn begin_given(&mut self, index: u32, now: u64, joined: &mut Joined) {
        let task = &mut self.tasks[index];
        let waited = now.saturating_sub(task.started);
        task.started = now;
        let (ticket, generation, worker) = (task.ticket, task.generation, task.worker);
        let (observed, measure) = (task.observed, task.measure);
        self.stats.waited(waited);
        self.measures.waited(measure, waited);
        if self.tasks[index].stage == Stage::Abandoned {
            joined.cancels.extend(self.abandon(index, now));
            return;
        }
        self.time_task(index);
        if observed {
            joined.begun.push(Message::Started {
                ticket,
                generation,
                worker,
                waited,
            });
        }
    }

    /// Notes the thread of a worker.
    pub(in crate::scheduler) fn set_thread(&mut self, id: WorkerId, thread: Option<u32>) {
        if let Some(worker) = self.workers.get_mut(id.0) {
            worker.thread = thread;
        }
    }

    /// The worker is gone, whatever it was doing. Returns the messages for the tasks that it had.
    pub(in crate::scheduler) fn remove_worker(&mut self, id: WorkerId, now: u64) -> Vec<Message> {
        if self.workers.get(id.0).is_none() {
            return Vec::new();
        }
        let started = self.workers[id.0].state != WorkerState::Starting;
        let failed = !started && !self.workers[id.0].retiring && self.phase == Phase::Open;
        // First it leaves every list and count.
        self.set_retiring(id);
        self.replacement.take_if(|other| *other == id);
        self.enter(id.0, WorkerState::Active);
        spin::slept();
        self.end_silence(id);
        self.alarms.clear(&mut self.workers[id.0].alarm);
        let worker = self.workers.remove(id.0);
        let lane = &mut self.lanes[worker.lane];
        lane.workers -= 1;
        lane.retiring -= 1;
        lane.running -= worker.running;
        lane.waiting -= worker.waiting;
        lane.busy -= u32::from(worker.is_busy());
        self.helpers -= u32::from(worker.helping.is_some());
        self.withdraw_offers_of(id);
        self.returning.retain(|&other| other != id);
        let mut messages = Vec::new();
        for index in self.waiting.own_tasks(&self.tasks, id) {
            let ticket = self.withdraw(index).ticket;
            let outcome = Outcome::WorkerGone {
                worker: id,
                attempts: 0,
            };
            messages.push(self.ended(ticket, outcome));
        }
        for &index in worker.slots.iter().flatten() {
            let task = &mut self.tasks[index];
            let ran = now.saturating_sub(task.started);
            if task.stage == Stage::Running && task.retries > 0 && self.phase == Phase::Open {
                task.retries -= 1;
                self.start_over(index, ran, now);
                continue;
            }
            let task = self.remove_task(index);
            self.waiting.end(&task, ran);
            if task.stage == Stage::Running {
                let gone = Outcome::WorkerGone {
                    worker: id,
                    attempts: task.attempts,
                };
                let outcome = if started { gone } else { Outcome::WorkerStart };
                messages.push(self.ended(task.ticket, outcome));
            }
        }
        if worker.lane == Lane::Script {
            if failed {
                self.start_failed(now);
            }
            if self.lanes[Lane::Script].failures > 0
                && self.phase == Phase::Open
                && !self.is_ready(Lane::Script)
            {
                messages.extend(self.fail_waiting(Lane::Script, || Outcome::WorkerStart));
            }
        }
        messages
    }

    /// Whether a lane has a worker that has started and will stay.
    fn is_ready(&self, lane: Lane) -> bool {
        self.workers.keys().any(|id| {
            let worker = &self.workers[id];
            worker.lane == lane && !worker.retiring && worker.state != WorkerState::Starting
        })
    }

    /// Closes the pool: every worker ends once it runs nothing. Returns the bells of workers to wake for that.
    pub(in crate::scheduler) fn close(&mut self, now: u64) -> Vec<Arc<dyn Bell>> {
        if std::mem::replace(&mut self.phase, Phase::Closed) == Phase::Open {
            self.time_close(now);
        }
        self.workers
            .keys()
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|id| self.retire(id, now))
            .collect()
    }

    /// Changes how many workers there may be. Returns the bells of surplus idle workers, which end now; busy ones
    /// retire when they have ended their tasks.
    pub(in crate::scheduler) fn resize(
        &mut self,
        min_threads: u32,
        max_threads: u32,
        now: u64,
    ) -> Vec<Arc<dyn Bell>> {
        self.limits.min_threads = min_threads;
        self.limits.max_threads = max_threads;
        let mut bells = Vec::new();
        for lane in Lane::ALL {
            let most = self.most_workers(lane);
            let surplus = self.settled(lane).saturating_sub(most) as usize;
            let idle: Vec<u32> = self.without_tasks(lane).take(surplus).collect();
            bells.extend(idle.into_iter().filter_map(|id| self.retire(id, now)));
        }
        self.expect_idle();
        bells
    }

    /// The idle workers without a task that waits for others, the coldest first.
    pub(super) fn without_tasks(&self, lane: Lane) -> impl Iterator<Item = u32> {
        let idle = self.lanes[lane].idle.iter().copied();
        idle.filter(|&id| self.workers[id].running == 0)
    }

    /// Whether a lane has more workers than it may, not counting those that retire.
    pub(super) fn is_over_size(&self, lane: Lane) -> bool {
        self.settled(lane) > self.most_workers(lane)
    }

    /// Retires workers of a lane that have been idle for `idle_ns`, down to the minimum.
    pub(in crate::scheduler) fn reap(
        &mut self,
        lane: Lane,
        idle_ns: u64,
        now: u64,
    ) -> Vec<Arc<dyn Bell>> {
        let surplus = self.settled(lane).saturating_sub(self.limits.min_threads) as usize;
        let long_idle = |id: &u32| now.saturating_sub(self.workers[*id].idle_since) >= idle_ns;
        let due: Vec<u32> = self
            .without_tasks(lane)
            .filter(long_idle)
            .take(surplus)
            .collect();
        due.into_iter()
            .filter_map(|id| self.retire(id, now))
            .collect()
    }

    /// Retires one idle worker, unless the minimum needs it. The worker itself asks for this, so nobody rings it.
    pub(in crate::scheduler) fn expire_idle(&mut self, id: WorkerId, now: u64) {
        let Some(worker) = self.workers.get(id.0) else {
            return;
        };
        let surplus = self.settled(worker.lane) > self.limits.min_threads;
        if surplus && worker.state == WorkerState::Idle {
            let _ = self.retire(id.0, now);
        }
    }

    /// The worker ends once it runs nothing. Returns the bell to ring for that, if any.
    pub(super) fn retire(&mut self, id: u32, now: u64) -> Option<Arc<dyn Bell>> {
        self.set_retiring(WorkerId(id));
        if self.workers[id].state == WorkerState::Idle {
            self.begin_silence(WorkerId(id), now);
        }
        if matches!(
            self.workers[id].state,
            WorkerState::Idle | WorkerState::Spare
        ) {
            self.enter(id, WorkerState::Active);
            return self.workers[id].bell.clone();
        }
        None
    }
}
