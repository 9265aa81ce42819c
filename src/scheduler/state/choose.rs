//! Which task a worker gets, and whether it gets one.
//!
//! The CPU limit: at most `max_threads` workers over both lanes run tasks. Where the last free place
//! is wanted by both lanes, the better priority has it, then whoever has waited longer. But a worker
//! that was woken keeps its place for a `TURN` against equal priorities: under a backlog every task
//! has waited long, and mixed small tasks would pay a switch of lanes each.

use std::sync::Arc;

use super::{Phase, State};
use crate::scheduler::outbox::{Bell, Message};
use crate::scheduler::spin;
use crate::scheduler::task::{Key, NewTask, Outcome, Stage, Taken};
use crate::scheduler::worker::{WorkerId, WorkerState};

/// Nanoseconds for which a worker that was woken does not give its place to the other lane.
pub(super) const TURN: u64 = 2_000_000;

/// What a worker that asked for a task does next.
#[derive(Debug)]
pub(in crate::scheduler) enum Next {
    Run(Taken),
    /// Wait actively for so many nanoseconds, then ask again.
    Spin(u64),
    Idle,
    Retire,
}

impl State {
    /// A worker hands over the outcome of the task in `slot`. Nothing to tell if it was abandoned.
    pub(in crate::scheduler) fn finish(
        &mut self,
        id: WorkerId,
        slot: u32,
        outcome: Outcome,
        now: u64,
    ) -> Option<Message> {
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        let (was_busy, waited) = (worker.is_busy(), worker.waiting);
        worker.vacate(slot);
        let task = self.tasks.remove(index);
        let ran = now.saturating_sub(task.started);
        worker.busy_ns += ran;
        let lane = &mut self.lanes[worker.lane];
        lane.running -= 1;
        lane.waiting -= waited - worker.waiting;
        lane.busy -= u32::from(was_busy && !worker.is_busy());
        lane.ran(ran);
        self.stats.ran(ran);
        if task.stage == Stage::Abandoned {
            return None;
        }
        match outcome {
            Outcome::Returned(_) => self.stats.completed += 1,
            _ => self.stats.failed += 1,
        }
        Some(Message::Settled {
            ticket: task.ticket,
            outcome,
        })
    }

    /// A worker that is awake asks what to do.
    pub(in crate::scheduler) fn next(&mut self, id: WorkerId, may_spin: bool, now: u64) -> Next {
        let Some(worker) = self.workers.get(id.0) else {
            return Next::Retire;
        };
        let (lane, spun) = (worker.lane, worker.state == WorkerState::Spinning);
        let came_back = worker.state != WorkerState::Active;
        if came_back {
            self.enter(id.0, WorkerState::Active);
            self.workers[id.0].turn_since = now;
        }
        if self.workers[id.0].running == 0 && self.is_over_size(lane) {
            self.workers[id.0].retiring = true;
        }
        let worker = &self.workers[id.0];
        if worker.retiring && worker.running == 0 {
            return Next::Retire;
        }
        if let Some(taken) = self.take(id, now) {
            if came_back {
                let gap = now.saturating_sub(self.workers[id.0].idle_since);
                self.lanes[lane].gaps.ended(gap);
            }
            return Next::Run(taken);
        }
        let (busy, has_room) = (self.workers[id.0].is_busy(), self.workers[id.0].has_room());
        if !busy && !came_back {
            self.workers[id.0].idle_since = now;
        }
        if !busy
            && !spun
            && may_spin
            && self.queues[lane].is_empty()
            && self.lanes[lane].searching == 0
            && spin::core_is_spare()
            && let Some(budget) = self.lanes[lane].gaps.budget()
        {
            self.enter(id.0, WorkerState::Spinning);
            return Next::Spin(budget);
        }
        if !busy {
            self.enter(id.0, WorkerState::Idle);
        } else if has_room && !self.workers[id.0].retiring {
            self.enter(id.0, WorkerState::Spare);
        }
        Next::Idle
    }

    pub(super) fn take(&mut self, id: WorkerId, now: u64) -> Option<Taken> {
        let worker = &self.workers[id.0];
        let lane = worker.lane;
        if !worker.has_room() || worker.retiring || self.paused {
            return None;
        }
        let index = self.queues[lane].head(&self.tasks)?;
        if !worker.is_busy() {
            let busy = self.busy();
            let refused = busy >= self.limits.max_threads || self.yields(id, index, now);
            if refused || !self.share.afford(busy) {
                return None;
            }
        }
        self.dequeue(index);
        let slot = self.workers[id.0].occupy(index);
        let first = self.workers[id.0].active() == 1;
        let state = &mut self.lanes[lane];
        state.running += 1;
        state.busy += u32::from(first);
        let task = &mut self.tasks[index];
        self.stats.waited(now.saturating_sub(task.started));
        (task.stage, task.worker, task.slot, task.started) = (Stage::Running, id, slot, now);
        task.attempts = task.attempts.saturating_add(1);
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
        })
    }

    /// Whether the last free place is for the other lane's next task rather than for `own`.
    pub(super) fn yields(&self, id: WorkerId, own: u32, now: u64) -> bool {
        let worker = &self.workers[id.0];
        let other = worker.lane.other();
        let Some(rival) = self.queues[other].head(&self.tasks) else {
            return false;
        };
        if self.busy() + 1 < self.limits.max_threads || self.lanes[other].idle.is_empty() {
            return false;
        }
        let (own, rival) = (&self.tasks[own], &self.tasks[rival]);
        let turn_over = now.saturating_sub(worker.turn_since) > TURN;
        rival.due() < own.due() && (turn_over || rival.priority < own.priority)
    }

    /// Queues a task and gives it at once to an idle worker, if there is one and nothing is ahead.
    pub(in crate::scheduler) fn enqueue_direct(
        &mut self,
        new: NewTask,
        now: u64,
    ) -> Option<(WorkerId, Taken)> {
        let lane = new.lane;
        let place_free = self.busy() + self.searching() < self.limits.max_threads;
        if self.phase == Phase::Closed
            || self.paused
            || !place_free
            || !self.queues[lane].is_empty()
        {
            return None;
        }
        let id = WorkerId(*self.lanes[lane].idle.last()?);
        self.enter(id.0, WorkerState::Active);
        self.workers[id.0].turn_since = now;
        self.enqueue(new, now);
        let taken = self
            .take(id, now)
            .expect("an idle worker with a free place takes the only task");
        Some((id, taken))
    }

    /// The task in a slot waits for others, and leaves its place to them, or goes on, and has it again at
    /// once. While all tasks of a worker wait, it is idle.
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
        let was_busy = worker.is_busy();
        if !worker.set_waits(slot, waits) {
            return;
        }
        let (lane, is_busy) = (&mut self.lanes[worker.lane], worker.is_busy());
        if waits {
            lane.waiting += 1;
            lane.busy -= u32::from(!is_busy);
        } else {
            lane.waiting -= 1;
            lane.busy += u32::from(!was_busy);
            if worker.state == WorkerState::Idle {
                worker.turn_since = now;
                self.enter(id.0, WorkerState::Active);
            }
        }
    }

    /// Takes a direct submission back. The worker is to ask for another task.
    pub(in crate::scheduler) fn undo(
        &mut self,
        id: WorkerId,
        slot: u32,
        now: u64,
    ) -> Option<Arc<dyn Bell>> {
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        worker.vacate(slot);
        worker.completed -= 1;
        let lane = &mut self.lanes[worker.lane];
        lane.running -= 1;
        lane.busy -= u32::from(!worker.is_busy());
        self.tasks.remove(index);
        self.wake(id.0, now)
    }
}
