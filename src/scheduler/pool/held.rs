//! The state of a pool while its lock is held.
//!
//! However the lock is taken and given back, three things hold: a panic in between ends the process, the hints that
//! others read without the lock are [published](super::published), and the pool's clock is set to its next alarm.

use std::ops::{Deref, DerefMut};

use parking_lot::MutexGuard;

use super::Scheduler;
use crate::scheduler::state::State;
use crate::trust::Trust;

pub(super) struct Held<'a> {
    /// The first field, so that nobody gets the lock before the process has ended.
    trust: Trust,
    /// Set until it is dropped.
    state: Option<MutexGuard<'a, State>>,
    pool: &'a Scheduler,
}

impl Scheduler {
    pub(super) fn lock(&self) -> Held<'_> {
        Held {
            trust: Trust::new("deciding on the tasks of a pool"),
            state: Some(self.state.lock()),
            pool: self,
        }
    }
}

#[cfg(test)]
impl Scheduler {
    /// A decision that fails half-way.
    pub(in crate::scheduler) fn break_for_test(&self) {
        let _state = self.lock();
        panic!("half way");
    }
}

impl Deref for Held<'_> {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.state.as_ref().expect("it is held")
    }
}

impl DerefMut for Held<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("it is held")
    }
}

impl<'a> Held<'a> {
    /// Gives the lock back. The pool's clock is set when the result is dropped, after workers were rung: setting it may
    /// wake the timer's thread, which would come before the worker, and on its core.
    #[inline]
    pub(super) fn release(mut self) -> Unset<'a> {
        self.give_back()
    }

    #[inline]
    fn give_back(&mut self) -> Unset<'a> {
        let pool = self.pool;
        if self.state.is_none() || self.trust.is_lost() {
            return Unset { tick: None, pool };
        }
        #[cfg(debug_assertions)]
        self.check_if_small();
        pool.published.update(self);
        let tick = self.untold_alarm();
        self.state = None;
        Unset { tick, pool }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The next alarm of a pool, to which its clock is not set yet.
pub(super) struct Unset<'a> {
    tick: Option<u64>,
    pool: &'a Scheduler,
}

impl Drop for Unset<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tick) = self.tick {
            self.pool.clock.set(tick);
        }
    }
}
