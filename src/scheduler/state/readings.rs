//! What is told of a pool at one moment.

use super::State;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::stats::{Measured, Snapshot, Times, WorkerSnapshot};
use crate::scheduler::worker::WorkerState;

impl State {
    /// Tasks that wait, and tasks that run.
    pub(in crate::scheduler) fn load(&self) -> (usize, usize) {
        (self.waiting.len(), self.running() as usize)
    }

    /// The workers of a lane that are ready and are to stay.
    pub(in crate::scheduler) fn ready_ids(&self, lane: Lane) -> Vec<WorkerId> {
        let ready = |&id: &u32| {
            let worker = &self.workers[id];
            worker.lane == lane && !worker.retiring && worker.state != WorkerState::Starting
        };
        self.workers.keys().filter(ready).map(WorkerId).collect()
    }

    pub(in crate::scheduler) fn times(&mut self, what: Measured) -> &mut Times {
        self.stats.times(what)
    }

    pub(in crate::scheduler) fn snapshot(&self, now: u64) -> Snapshot {
        let (queued, running) = self.load();
        let ms = |ns: u64| ns as f64 / 1e6;
        let worker = |id: u32| {
            let worker = &self.workers[id];
            let state = match worker.state {
                WorkerState::Starting => "starting",
                _ if worker.is_busy() => "busy",
                _ => "idle",
            };
            WorkerSnapshot {
                id: WorkerId(id),
                lane: worker.lane,
                state,
                running: worker.running,
                completed: worker.completed,
                age: ms(now.saturating_sub(worker.since)),
                busy: ms(worker.busy_ns),
                thread: worker.thread,
            }
        };
        let allowed = now.saturating_sub(self.stats.started_at).max(1) as f64
            * f64::from(self.limits.max_threads);
        Snapshot {
            workers: self.workers.keys().map(worker).collect(),
            queued,
            running,
            completed: self.stats.completed,
            failed: self.stats.failed,
            wait: self.stats.wait(),
            run: self.stats.run(),
            utilization: (self.stats.busy_ns as f64 / allowed).min(1.0),
            queued_bytes: self.queued_bytes,
        }
    }
}
