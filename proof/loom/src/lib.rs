//! Models of the protocols between rspool's threads: loom runs each with every order of the steps of its threads.
//! What is modelled are the files of the package itself, over loom's atomics and locks instead of real ones.

#![cfg(test)]
#![allow(dead_code)]

#[path = "../../../src/wire.rs"]
mod wire;

mod sync;

/// What the files below know of the rest of the scheduler.
mod scheduler {
    #[path = "../../../../src/scheduler/bell.rs"]
    mod bell;
    #[path = "../../../../src/scheduler/blocked.rs"]
    mod blocked;

    #[path = "../../../../src/scheduler/job.rs"]
    mod job;

    mod models;

    pub use bell::{Bell, Progress, Ring, Ringer};
}

mod native {
    pub(super) mod context {
        //! How far a task is orders nothing, so it is left out.
        use crate::scheduler::Progress;

        #[derive(Debug, Default)]
        pub(in crate::native) struct Tally;

        impl Tally {
            pub(in crate::native) fn begin(&self) {}

            pub(in crate::native) fn read(&self) -> Progress {
                Progress::default()
            }
        }
    }

    #[path = "../../../../src/native/parker.rs"]
    mod parker;

    mod models;
}

mod memory {
    #[path = "../../../../src/memory/locks/claim.rs"]
    mod claim;

    mod models;
}

mod supervise {
    #[path = "../../../../src/supervise/waiters.rs"]
    mod waiters;

    mod models;
}
