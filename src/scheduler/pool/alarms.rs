//! What comes with time: alarms are armed here, and come back on the timer's thread.
//!
//! None is taken back. Each names what it is for, a task by its key, so one that comes too late finds nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::task::{NO_LIMIT, Outcome, Stage};
use crate::scheduler::timer::{self, Alarm};

/// No time, and no length of time.
const NEVER: u64 = u64::MAX;

/// Nanoseconds until it is checked whether a worker that was rung has come, and whether the busy ones
/// have kept up.
const WAKE_PATIENCE: u64 = 2_000_000;

/// Nanoseconds of a limit in milliseconds; without a limit, [`NEVER`].
#[inline]
pub(super) fn ns(ms: u32) -> u64 {
    match ms {
        NO_LIMIT => NEVER,
        ms => u64::from(ms) * 1_000_000,
    }
}

impl Scheduler {
    /// Has [`alarm`](Self::alarm) called at this time, unless that is [`NEVER`].
    #[inline]
    pub(super) fn arm(self: &Arc<Self>, at: u64, alarm: Alarm) {
        if at != NEVER {
            timer::arm(at, Arc::downgrade(self), alarm);
        }
    }

    /// In a while somebody looks whether what waits has been taken.
    pub(super) fn expect_wakers(self: &Arc<Self>) {
        if !self.doubting.swap(true, Relaxed) {
            self.arm(now() + WAKE_PATIENCE, Alarm::Wakers);
        }
    }

    /// Whether an alarm may still find what it is for.
    pub(in crate::scheduler) fn expects(&self, alarm: Alarm) -> bool {
        match alarm {
            Alarm::QueueTimeout(key)
            | Alarm::TaskTimeout(key)
            | Alarm::Deadline(key)
            | Alarm::Grace(key) => self.state.lock().find(key).is_some(),
            Alarm::Wakers | Alarm::Age(..) => true,
        }
    }

    /// Does what an alarm is for.
    pub(in crate::scheduler) fn alarm(self: &Arc<Self>, alarm: Alarm) {
        match alarm {
            Alarm::QueueTimeout(key) => {
                self.expire(key, Some(Stage::Waiting), Outcome::QueueTimeout);
            }
            Alarm::TaskTimeout(key) => self.expire(key, Some(Stage::Running), Outcome::TaskTimeout),
            Alarm::Deadline(key) => self.expire(key, None, Outcome::Deadline),
            Alarm::Grace(key) => self.end_grace(key),
            Alarm::Age(id, serial) => self.change(|state, _| state.grow_old(id, serial)),
            Alarm::Wakers => self.look_for_wakers(),
        }
    }

    /// Wakes others for what waits, if those that were to take it have not come.
    fn look_for_wakers(self: &Arc<Self>) {
        self.doubting.store(false, Relaxed);
        let now = now();
        let mut state = self.state.lock();
        let expected = state.doubt_wakers(WAKE_PATIENCE, now);
        let wakes = state.wakes(false, now);
        drop(state);
        self.ring_and_request(wakes);
        if expected {
            self.expect_wakers();
        }
    }
}
