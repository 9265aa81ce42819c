//! Lets an idle thread of the native lane sleep, and tells a running one to stop.
//!
//! A ring that comes before the sleep ends that sleep at once. A task that is given up before it began, or while it
//! runs, finds its flag set. If it is given up too late, the next task is left alone.

use std::time::Duration;

use super::tally::Tally;
use crate::scheduler::{Bell, Progress, Ring};
use crate::sync::{AtomicU32, Condvar, Mutex, Ordering::Relaxed};

/// The bell of one native worker.
#[derive(Debug, Default)]
pub(super) struct Parker {
    state: Mutex<Parked>,
    changed: Condvar,
    /// Not 0 once the running task was given up.
    pub(super) cancelled: AtomicU32,
    /// How far the running task is.
    pub(super) tally: Tally,
}

#[derive(Debug, Default)]
struct Parked {
    rung: bool,
    /// The generation of the running task, so that a late cancel does not hit the next one.
    running: u32,
    /// The generation of the task that was last given up, so that an early cancel is not lost.
    given_up: u32,
}

impl Parker {
    /// Sleeps until rung. Returns false if the time is over first.
    pub(super) fn wait(&self, limit: Option<Duration>) -> bool {
        let mut state = self.state.lock();
        while !state.rung {
            match limit {
                None => self.changed.wait(&mut state),
                Some(limit) => {
                    if self.changed.wait_for(&mut state, limit).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut state.rung)
    }

    /// The task of this generation runs from now on.
    pub(super) fn begin(&self, generation: u32) {
        self.tally.begin();
        let mut state = self.state.lock();
        state.running = generation;
        self.cancelled
            .store(u32::from(state.given_up == generation), Relaxed);
    }
}

impl Bell for Parker {
    fn ring(&self, _why: Ring) {
        self.state.lock().rung = true;
        self.changed.notify_one();
    }

    fn cancel(&self, _slot: u32, generation: u32) {
        let mut state = self.state.lock();
        state.given_up = generation;
        if state.running == generation {
            self.cancelled.store(1, Relaxed);
            // The task may wait for its reader.
            state.rung = true;
            self.changed.notify_one();
        }
    }

    fn progress(&self) -> Option<Progress> {
        Some(self.tally.read())
    }
}
