//! Tasks that are for one worker. All tasks with the same key go to the same worker, as long as it lives; those of a
//! broadcast are pinned to their workers.
//!
//! A key is one of 65,534, so the table of keys and workers takes bounded memory. Two keys of the user that become the
//! same key share a worker.

use super::{Phase, State};
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::task::{PINNED, Stage};
use crate::scheduler::worker::WorkerState;

impl State {
    /// Decides for which worker a new task waits.
    pub(super) fn assign(&mut self, index: u32, now: u64) {
        let task = &self.tasks[index];
        match task.key {
            0 => return,
            PINNED => {}
            key => self.tasks[index].worker = self.worker_for(key, Some(now)),
        }
        self.nudge(index);
    }

    /// Nudges a spinning worker, which otherwise looks into the shared queue only.
    pub(super) fn nudge(&mut self, index: u32) {
        let worker = self.workers.get(self.tasks[index].worker.0);
        if let Some(worker) = worker.filter(|worker| worker.state == WorkerState::Spinning) {
            self.lanes[worker.lane].nudged = true;
        }
    }

    /// The worker for a key. `now` is given if a worker may be started for it.
    pub(super) fn worker_for(&mut self, key: u16, now: Option<u64>) -> WorkerId {
        if let Some(&(id, serial)) = self.bindings.get(&key) {
            let bound = self.workers.get(id.0);
            if bound.is_some_and(|worker| worker.serial == serial && worker.stays()) {
                return id;
            }
        }
        let chosen = self.choose_worker(now);
        self.bind(key, chosen);
        chosen
    }

    /// From now on, tasks with this key are for this worker.
    pub(super) fn bind(&mut self, key: u16, id: WorkerId) {
        if let Some(worker) = self.workers.get(id.0) {
            self.bindings.insert(key, (id, worker.serial));
        }
    }

    /// An isolate for a new key: one without a task, a new one, or the one with the least to do.
    fn choose_worker(&mut self, now: Option<u64>) -> WorkerId {
        let lane = &self.lanes[Lane::Script];
        let spinning = self.workers.keys().filter(|&id| {
            let worker = &self.workers[id];
            worker.state == WorkerState::Spinning && worker.lane == Lane::Script
        });
        let idle = lane.idle.iter().rev().copied();
        let unused = spinning
            .chain(idle)
            .map(WorkerId)
            .find(|&id| self.waiting.own_len(id) == 0);
        if let Some(id) = unused {
            return id;
        }
        let may_start = !lane.held && lane.staying() < self.limits.max_threads;
        if let Some(now) = now
            && may_start
            && self.requested.is_none()
            && self.phase == Phase::Open
        {
            let id = self.add_worker(Lane::Script, now);
            self.requested = Some(id);
            return id;
        }
        let staying = self.workers.keys().filter(|&id| {
            let worker = &self.workers[id];
            worker.lane == Lane::Script && worker.stays()
        });
        let load = |&id: &u32| {
            let own = self.waiting.own_len(WorkerId(id));
            self.workers[id].running as usize + own
        };
        staying.min_by_key(load).map_or(WorkerId::NONE, WorkerId)
    }

    /// The worker has to end. The tasks that wait for it go elsewhere, except those that no other worker may run.
    pub(super) fn set_retiring(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id.0];
        let counted_out = worker.is_counted_out();
        if !std::mem::replace(&mut worker.retiring, true) {
            self.worn -= u32::from(worker.worn);
            let lane = &mut self.lanes[worker.lane];
            lane.retiring += 1;
            lane.counted_out -= u32::from(counted_out);
        }
        self.move_own_tasks(id);
    }

    /// A task whose worker died waits again.
    pub(super) fn start_over(&mut self, index: u32, ran: u64, now: u64) {
        let task = &mut self.tasks[index];
        task.stage = Stage::Waiting;
        task.started = now;
        task.worker = WorkerId::NONE;
        self.queued_bytes += task.payload.heap_bytes();
        self.assign(index, now);
        // In this order, because a group with nothing waiting or running would be forgotten.
        self.waiting.push(&mut self.tasks, index);
        self.waiting.end(&self.tasks[index], ran);
        self.tasks[index].suspended = false;
        self.time_task(index);
    }
}
