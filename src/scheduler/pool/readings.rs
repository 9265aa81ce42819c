//! What is told of a pool: its load, its workers, and the times of its tasks.

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::measures::Measure;
use crate::scheduler::stats::{Distribution, Failure, Measured, Snapshot};

impl Scheduler {
    /// Tasks that wait, and tasks that run.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.lock().load()
    }

    /// The workers of a lane that are ready and are to stay.
    #[must_use]
    pub fn ready_ids(&self, lane: Lane) -> Vec<WorkerId> {
        self.lock().ready_ids(lane)
    }

    /// The pool at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.lock().snapshot(now())
    }

    /// A call has failed that was never submitted.
    pub fn count_failure(&self, failure: Failure) {
        self.lock().count_failure(failure);
    }

    /// The times of tasks since the pool was made, by what those are called.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        self.lock().measures()
    }

    /// The times since they were last reset.
    #[must_use]
    pub fn times(&self, what: Measured) -> Distribution {
        self.lock().times(what)
    }

    /// Begins to measure anew.
    pub fn reset_times(&self, what: Measured) {
        self.lock().reset_times(what);
    }
}
