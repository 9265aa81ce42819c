//! Where an idle thread of the native lane sleeps, and how a running one is told to stop.
//!
//! A ring that comes before the sleep ends that sleep at once. A task that was given up before it began, or while
//! it runs, finds its flag set; one that was given up too late leaves the next task alone.

use std::time::Duration;

use super::tally::Tally;
use crate::scheduler::{Bell, Progress, Ring};
use crate::sync::{AtomicU32, Condvar, Mutex, Ordering::Relaxed};

/// The bell of one native worker.
#[derive(Debug, Default)]
pub(super) struct Parker {
    state: Mutex<Parked>,
    changed: Condvar,
    /// Not 0 once the task that runs was given up.
    pub(super) cancelled: AtomicU32,
    /// How far that task is.
    pub(super) tally: Tally,
}

#[derive(Debug, Default)]
struct Parked {
    rung: bool,
    /// The task that runs, so that a late cancel does not hit the next one.
    running: u32,
    /// The task that was last given up, so that an early cancel is not lost.
    given_up: u32,
}

impl Parker {
    /// Sleeps until rung. False if the time is over first.
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

    /// The task of this generation runs from here on.
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
        }
    }

    fn progress(&self) -> Option<Progress> {
        Some(self.tally.read())
    }
}
