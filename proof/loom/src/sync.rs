//! As `src/sync.rs`, of loom, with the face of parking_lot.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// Empty only while its condition is waited for.
#[derive(Debug)]
pub(crate) struct Guard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        Guard(Some(self.0.lock().unwrap()))
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

/// Whether a wait ended by its limit. In a model there is no time: it never does.
pub(crate) struct TimedOut;

impl TimedOut {
    pub(crate) fn timed_out(&self) -> bool {
        false
    }
}

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut Guard<'_, T>) {
        guard.0 = Some(self.0.wait(guard.0.take().unwrap()).unwrap());
    }

    pub(crate) fn wait_for<T>(&self, guard: &mut Guard<'_, T>, _: Duration) -> TimedOut {
        self.wait(guard);
        TimedOut
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A channel or a port: putting in and taking out each hold its lock, and nothing else is under that.
#[derive(Debug)]
pub(crate) struct Post<T>(loom::sync::Mutex<Vec<T>>);

impl<T> Default for Post<T> {
    fn default() -> Self {
        Self(loom::sync::Mutex::new(Vec::new()))
    }
}

impl<T> Post<T> {
    pub(crate) fn put(&self, message: T) {
        self.0.lock().unwrap().push(message);
    }

    pub(crate) fn take_all(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
