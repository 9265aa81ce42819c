//! What is told of a pool at one moment.

use super::State;
use crate::scheduler::lane::Lane;
use crate::scheduler::stats::{Snapshot, WorkerSnapshot};
use crate::scheduler::worker::{WorkerId, WorkerState};

impl State {
    /// Tasks that wait, and tasks that run.
    pub(in crate::scheduler) fn load(&self) -> (usize, usize) {
        let lanes = Lane::ALL.into_iter();
        lanes.fold((0, 0), |(queued, running), lane| {
            let state = &self.lanes[lane];
            (
                queued + self.queues[lane].len(),
                running + state.running as usize,
            )
        })
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
