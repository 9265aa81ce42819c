//! Tasks that are given to a worker as they come, because their input goes through a JavaScript port: the sender has to
//! know which port.

use std::sync::Arc;

use super::{Phase, State};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::task::{NO_LIMIT, NewTask, Placement, Taken};
use crate::scheduler::worker::WorkerState;

impl State {
    /// If nothing is ahead of the task, queues it and gives it at once to an idle worker or, if all workers are still
    /// starting, to one of them.
    pub(in crate::scheduler) fn enqueue_direct(
        &mut self,
        new: NewTask,
        now: u64,
    ) -> Option<(WorkerId, Taken)> {
        let lane = new.lane;
        if self.phase == Phase::Closed || self.paused || self.waiting.runnable(lane) > 0 {
            return None;
        }
        let idle = self.lanes[lane].idle.last().copied();
        let id = WorkerId(match idle {
            Some(id) => id,
            None => self.starting_for(&new)?,
        });
        let busy = self.busy();
        let place_free = busy + self.searching() < self.limits.max_threads;
        let needs_place = !self.workers[id.0].is_busy();
        if self.waiting.own_len(id) > 0
            || needs_place && !(place_free && self.share.could_afford(busy))
        {
            return None;
        }
        if idle.is_some() {
            self.enter(id.0, WorkerState::Active);
            self.workers[id.0].turn_since = now;
        }
        let key = self.enqueue(new, now);
        let taken = self.take(id, now);
        if taken.is_none() {
            // Another process was faster to take the last token, or the lane of the task yields.
            self.withdraw(key.index);
            if idle.is_some() {
                self.enter(id.0, WorkerState::Idle);
            }
        }
        if taken.is_some() && idle.is_some() {
            let worker = &mut self.workers[id.0];
            worker.unseen += 1;
            worker.rung_at = now;
            self.expect_wakers(now);
        }
        taken.map(|taken| (id, taken))
    }

    /// A task that was sent to a worker has arrived.
    pub(in crate::scheduler) fn has_seen(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(id.0) {
            worker.unseen = worker.unseen.saturating_sub(1);
            self.end_silence(id);
        }
    }

    /// A starting worker with room, which can be given a task already. None if other workers have started and would
    /// come sooner, if the task's placement chooses the worker, or if a time limit could not tell the start of the
    /// worker from the run of the task.
    fn starting_for(&self, new: &NewTask) -> Option<u32> {
        let lane = &self.lanes[new.lane];
        let may = new.timeout == NO_LIMIT
            && new.queue_timeout == NO_LIMIT
            && new.placement == Placement::Any
            && lane.starting == lane.workers;
        if !may {
            return None;
        }
        let with_room = self.workers.keys().filter(|&id| {
            let worker = &self.workers[id];
            worker.lane == new.lane && worker.has_room() && !worker.retiring
        });
        with_room.min_by_key(|&id| self.workers[id].running)
    }

    /// Takes a direct submission back. The worker should ask for another task.
    pub(in crate::scheduler) fn undo(
        &mut self,
        id: WorkerId,
        slot: u32,
        now: u64,
    ) -> Option<Arc<dyn Bell>> {
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        let starting = worker.state == WorkerState::Starting;
        let lane = &mut self.lanes[worker.lane];
        lane.promised -= u32::from(starting && !worker.has_room());
        worker.vacate(slot);
        worker.completed -= 1;
        worker.unseen = worker.unseen.saturating_sub(1);
        lane.running -= 1;
        lane.busy -= u32::from(!worker.is_busy());
        let task = self.remove_task(index);
        self.waiting.undo(&task);
        if starting {
            return None;
        }
        self.wake(id.0, now)
    }
}
