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
    pub(super) mod tally {
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

    mod futex;
    mod region;

    /// The messages by topic, in a very small region.
    mod ring {
        #[path = "../../../../../src/memory/ring/head.rs"]
        mod head;
        #[path = "../../../../../src/memory/ring/message.rs"]
        mod message;
        #[path = "../../../../../src/memory/ring/publish.rs"]
        mod publish;
        #[path = "../../../../../src/memory/ring/read.rs"]
        mod read;
        #[path = "../../../../../src/memory/ring/slots.rs"]
        mod slots;
        #[path = "../../../../../src/memory/ring/wait.rs"]
        mod wait;

        mod models;
    }

    /// The steps of shared maps that others see, over the words of a very small map.
    mod map {
        #[path = "../../../../../src/memory/map/blocks.rs"]
        mod blocks;
        mod cells;
        #[path = "../../../../../src/memory/map/entry.rs"]
        mod entry;
        #[path = "../../../../../src/memory/map/find.rs"]
        mod find;
        mod key;
        mod kill;
        #[path = "../../../../../src/memory/map/layout.rs"]
        mod layout;
        #[path = "../../../../../src/memory/map/lock.rs"]
        mod lock;
        #[path = "../../../../../src/memory/map/publish.rs"]
        mod publish;
        #[path = "../../../../../src/memory/map/recover.rs"]
        mod recover;
        #[path = "../../../../../src/memory/map/words.rs"]
        mod words;

        mod models;

        /// Why a layout cannot be.
        #[derive(Debug, PartialEq, Eq)]
        pub enum MapError {
            Size(usize),
            Mismatch(String),
        }
    }
}

mod supervise {
    #[path = "../../../../src/supervise/waiters.rs"]
    mod waiters;

    mod models;
}
