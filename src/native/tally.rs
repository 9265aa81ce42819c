//! The progress of the task that runs on a thread, for observers from outside.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rspool_task::{BYTES, ROWS};

use crate::scheduler::Progress;

/// The counts of the task that runs on a thread, whether or not its caller gave counters. They order nothing: it does
/// not matter whether an observer sees them a little earlier or later.
#[derive(Debug, Default)]
pub(super) struct Tally {
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Tally {
    /// Another task begins.
    pub(super) fn begin(&self) {
        self.bytes.store(0, Relaxed);
        self.rows.store(0, Relaxed);
    }

    /// The counts so far.
    pub(super) fn read(&self) -> Progress {
        Progress {
            bytes: self.bytes.load(Relaxed),
            rows: self.rows.load(Relaxed),
        }
    }

    /// The task adds to a counter.
    pub(super) fn count(&self, counter: &str, n: i64) {
        let cell = match counter {
            BYTES => &self.bytes,
            ROWS => &self.rows,
            _ => return,
        };
        cell.fetch_add(n.unsigned_abs(), Relaxed);
    }
}
