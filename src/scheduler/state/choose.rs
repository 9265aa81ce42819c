//! Chooses which task a worker gets, and whether it gets one.
//!
//! The CPU limit: at most `max_threads` workers over both lanes run tasks. If both lanes want the last free place, the
//! task of better priority gets it, then the one that has waited longer. But a worker that was woken keeps its place
//! for a `TURN` against tasks of equal priority: under a backlog every task has waited long, and mixed small tasks
//! would otherwise each pay for a switch of lanes.

use super::State;
use super::help::Help;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::Message;
use crate::scheduler::spin;
use crate::scheduler::task::{Finished, Outcome, PINNED, Stage, Taken};
use crate::scheduler::worker::WorkerState;

/// Nanoseconds for which a woken worker does not give its place to the other lane.
pub(super) const TURN: u64 = 2_000_000;

/// What a worker does next, after it asked for a task.
#[derive(Debug)]
pub(in crate::scheduler) enum Next {
    Run(Taken),
    /// Help with the task of another worker.
    Help(Help),
    /// Spin for this many nanoseconds, then ask again.
    Spin(u64),
    Idle,
    Retire,
}

impl State {
    /// A worker hands over the outcome of a task. Returns no message if the task was abandoned, or is not the one in
    /// that slot (any more).
    pub(in crate::scheduler) fn finish(
        &mut self,
        id: WorkerId,
        finished: Finished,
        now: u64,
    ) -> Option<Message> {
        let Finished {
            slot,
            generation,
            outcome,
        } = finished;
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        // Read in place: to move the task out would copy it.
        let task = &self.tasks[index];
        if task.generation != generation {
            return None;
        }
        let (was_busy, waited) = (worker.is_busy(), worker.waiting);
        worker.vacate(slot);
        let away = std::mem::take(&mut worker.away_ns);
        let ran = now.saturating_sub(task.started).saturating_sub(away);
        let (ticket, observed, stage) = (task.ticket, task.observed, task.stage);
        self.waiting.end(task, ran);
        self.measures.ran(task.measure, ran);
        worker.busy_ns += ran;
        let lane = &mut self.lanes[worker.lane];
        lane.running -= 1;
        lane.waiting -= waited - worker.waiting;
        lane.busy -= u32::from(was_busy && !worker.is_busy());
        lane.ran(ran);
        let is_worn = self.wear.is_worn_by(worker);
        self.drop_task(index);
        if is_worn {
            self.wear_out(id);
        }
        self.stats.ran(ran);
        if stage == Stage::Abandoned {
            return None;
        }
        self.stats.ended(&outcome);
        let outcome = if observed {
            Outcome::Timed {
                ran,
                outcome: Box::new(outcome),
            }
        } else {
            outcome
        };
        Some(Message::Settled { ticket, outcome })
    }

    /// A worker that is awake asks for its next step.
    pub(in crate::scheduler) fn next(&mut self, id: WorkerId, may_spin: bool, now: u64) -> Next {
        let Some(worker) = self.workers.get(id.0) else {
            return Next::Retire;
        };
        let (lane, spun) = (worker.lane, worker.state == WorkerState::Spinning);
        let came_back = worker.state != WorkerState::Active;
        if worker.silence.is_some() {
            self.end_silence(id);
        }
        if came_back {
            self.enter(id.0, WorkerState::Active);
            self.workers[id.0].turn_since = now;
        }
        if self.workers[id.0].running == 0 && self.is_over_size(lane) {
            self.set_retiring(id);
        }
        let worker = &self.workers[id.0];
        if worker.retiring && worker.running == 0 && self.waiting.own_len(id) == 0 {
            self.time_leave(id, now);
            return Next::Retire;
        }
        if let Some(taken) = self.take(id, now) {
            if came_back {
                let gap = now.saturating_sub(self.workers[id.0].idle_since);
                self.lanes[lane].gaps.ended(gap);
            }
            return Next::Run(taken);
        }
        if self.workers[id.0].running == 0
            && let Some(help) = self.help(id, now)
        {
            return Next::Help(help);
        }
        let (busy, has_room) = (self.workers[id.0].is_busy(), self.workers[id.0].has_room());
        if !busy && !came_back {
            self.workers[id.0].idle_since = now;
        }
        if !busy
            && !spun
            && may_spin
            && self.waiting.runnable(lane) == 0
            && self.waiting.own_len(id) == 0
            && self.lanes[lane].searching == 0
            && self.offers.is_empty()
            && spin::core_is_spare()
            && let Some(budget) = self.lanes[lane].gaps.budget()
        {
            self.enter(id.0, WorkerState::Spinning);
            return Next::Spin(budget);
        }
        if !busy {
            self.enter(id.0, WorkerState::Idle);
            if lane == Lane::Script {
                self.expect_idle();
            }
        } else if has_room && !self.workers[id.0].retiring {
            self.enter(id.0, WorkerState::Spare);
        }
        Next::Idle
    }

    /// The task that a worker should run next, if it may take one.
    fn pick(&self, id: WorkerId) -> Option<u32> {
        let worker = &self.workers[id.0];
        if !worker.has_room() || self.paused {
            return None;
        }
        let own = self.waiting.own_head(&self.tasks, id);
        if worker.retiring {
            return own;
        }
        match (own, self.waiting.head(&self.tasks, worker.lane)) {
            (Some(own), Some(shared)) if self.waiting.precedes(&self.tasks, shared, own) => {
                Some(shared)
            }
            (own, shared) => own.or(shared),
        }
    }

    pub(super) fn take(&mut self, id: WorkerId, now: u64) -> Option<Taken> {
        let worker = &self.workers[id.0];
        let (lane, was_free) = (worker.lane, !worker.is_busy());
        let index = self.pick(id)?;
        if was_free {
            let busy = self.busy();
            let refused = busy >= self.limits.max_threads
                || self.yields(id, index, now)
                || self.yields_to_returning(index);
            if refused || !self.share.afford(busy) {
                return None;
            }
        }
        self.queued_bytes -= self.tasks[index].payload.heap_bytes();
        self.waiting.start(&mut self.tasks, index);
        let worker = &mut self.workers[id.0];
        let slot = worker.occupy(index);
        let starting = worker.state == WorkerState::Starting;
        let state = &mut self.lanes[lane];
        state.running += 1;
        state.busy += u32::from(worker.active() == 1);
        state.promised += u32::from(starting && !worker.has_room());
        let task = &mut self.tasks[index];
        let waited = now.saturating_sub(task.started);
        (task.stage, task.worker, task.slot, task.started) = (Stage::Running, id, slot, now);
        task.attempts = task.attempts.saturating_add(1);
        self.time_task(index);
        let task = &self.tasks[index];
        if task.key != 0 && task.key != PINNED {
            let key = task.key;
            self.bind(key, id);
        }
        if self.wear.one_task && lane == Lane::Script {
            self.set_retiring(id);
        }
        if !starting {
            self.stats.waited(waited);
            self.measures.waited(self.tasks[index].measure, waited);
        }
        let task = &mut self.tasks[index];
        Some(Taken {
            key: Key {
                index,
                generation: task.generation,
            },
            slot,
            ticket: task.ticket,
            target: task.target,
            timeout: task.timeout,
            payload: task.take_payload(),
            attachments: task.take_attachments(),
            alone: task.alone,
            // A task that waits for its worker to start has not begun.
            observed: (task.observed && !starting).then_some(waited),
        })
    }

    /// Whether the last free place should go to the other lane's next task rather than to `own`.
    pub(super) fn yields(&self, id: WorkerId, own: u32, now: u64) -> bool {
        if self.busy() + 1 < self.limits.max_threads {
            return false;
        }
        let worker = &self.workers[id.0];
        let Some(rival) = self.rival(worker.lane) else {
            return false;
        };
        if !self.waiting.precedes(&self.tasks, rival, own) {
            return false;
        }
        let turn_over = now.saturating_sub(worker.turn_since) > TURN;
        let (own, rival) = (&self.tasks[own], &self.tasks[rival]);
        turn_over || (own.group == rival.group && rival.priority < own.priority)
    }

    /// The next of the tasks that only idle workers can take, as seen from a busy worker of this lane.
    pub(super) fn rival(&self, lane: Lane) -> Option<u32> {
        let other = lane.other();
        let shared = match self.lanes[other].idle.is_empty() {
            true => None,
            false => self.waiting.head(&self.tasks, other),
        };
        if self.waiting.bound() == 0 {
            return shared;
        }
        let idle = self.lanes[Lane::Script].idle.iter();
        let own = idle.filter_map(|&id| self.waiting.own_head(&self.tasks, WorkerId(id)));
        own.chain(shared).reduce(|best, next| {
            match self.waiting.precedes(&self.tasks, next, best) {
                true => next,
                false => best,
            }
        })
    }

    /// The task in a slot starts to wait for others and leaves them its place, or it goes on and has the place again at
    /// once. While all tasks of a worker wait, the worker is idle. A task that was given up no longer leaves its place.
    pub(in crate::scheduler) fn set_waits(
        &mut self,
        id: WorkerId,
        slot: u32,
        waits: bool,
        now: u64,
    ) {
        let Some(worker) = self.workers.get_mut(id.0) else {
            return;
        };
        let Some(&Some(task)) = worker.slots.get(slot as usize) else {
            return;
        };
        if waits && self.tasks[task].stage == Stage::Abandoned {
            return;
        }
        let was_busy = worker.is_busy();
        if !worker.set_waits(slot, waits) {
            return;
        }
        self.waiting.suspend(&mut self.tasks[task], waits);
        let (lane, is_busy) = (&mut self.lanes[worker.lane], worker.is_busy());
        if waits {
            lane.waiting += 1;
            lane.busy -= u32::from(!is_busy);
        } else {
            lane.waiting -= 1;
            lane.busy += u32::from(!was_busy);
            if worker.state == WorkerState::Blocked {
                worker.away_ns += now.saturating_sub(worker.idle_since);
                self.returning.retain(|&other| other != id);
            }
            if matches!(worker.state, WorkerState::Idle | WorkerState::Blocked) {
                worker.turn_since = now;
                self.enter(id.0, WorkerState::Active);
            }
        }
    }
}
