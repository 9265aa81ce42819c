//! Readings of a pool: its load, its workers, and the times of its tasks.

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::measures::Measure;
use crate::scheduler::stats::{Distribution, Failure, Measured, Snapshot};

impl Scheduler {
    /// The number of waiting tasks, and of running tasks.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.lock().load()
    }

    /// The workers of a lane that are ready and will stay.
    #[must_use]
    pub fn ready_ids(&self, lane: Lane) -> Vec<WorkerId> {
        self.lock().ready_ids(lane)
    }

    /// The pool at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.lock().snapshot(now())
    }

    /// Counts a failed call that was never submitted.
    pub fn count_failure(&self, failure: Failure) {
        self.lock().count_failure(failure);
    }

    /// The times of tasks since the pool was made, by the names of the tasks.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        self.lock().measures()
    }

    /// The times since they were last reset.
    #[must_use]
    pub fn times(&self, what: Measured) -> Distribution {
        self.lock().times(what)
    }

    /// Starts to measure anew.
    pub fn reset_times(&self, what: Measured) {
        self.lock().reset_times(what);
    }
}
