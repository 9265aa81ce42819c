//! The thread that tells pools that a time has come. There is one per process, started with the first pool.
//!
//! Each pool has a [`Clock`] here, set to the next of its alarms. The alarms themselves belong to the pool
//! (`state::alarms`). So arming one for a task takes no lock but the pool's own, and involves no other thread unless
//! this alarm is the next one. A pool without alarms wakes nobody.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::called::Called;
use super::clock::now;
use super::slab::Slab;
use super::wheel::{EntryId, Wheel};
use crate::trust::Trust;

/// Nanoseconds per tick. An alarm is late by at most this.
pub(super) const TICK_NS: u64 = 1_000_000;
const STACK: usize = 256 * 1024;

/// Set once the timer runs.
static TIMER: Mutex<Option<Arc<Timer>>> = Mutex::new(None);

#[derive(Debug)]
struct Timer {
    clocks: Mutex<Clocks>,
    changed: Condvar,
}

struct Clocks {
    wheel: Wheel<u32>,
    entries: Slab<Entry, 16>,
    /// The tick until which the thread sleeps.
    sleeping_until: u64,
}

impl std::fmt::Debug for Clocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clocks").finish_non_exhaustive()
    }
}

struct Entry {
    called: Weak<dyn Called>,
    /// Its entry in the wheel, while it is set.
    set: EntryId,
}

/// Calls a pool when a time has come.
#[derive(Debug)]
pub(super) struct Clock {
    timer: Arc<Timer>,
    index: u32,
}

/// A timer whose thread runs.
#[derive(Clone, Debug)]
pub(super) struct Running(Arc<Timer>);

/// The timer of the process. Starts its thread, unless that runs already.
///
/// # Errors
/// If the system gives no thread. The next call tries again.
pub(super) fn start() -> io::Result<Running> {
    start_in(&TIMER, |timer| {
        let builder = std::thread::Builder::new()
            .name("rspool-timer".into())
            .stack_size(STACK);
        builder.spawn(move || timer.run()).map(drop)
    })
}

fn start_in(
    place: &Mutex<Option<Arc<Timer>>>,
    spawn: impl FnOnce(Arc<Timer>) -> io::Result<()>,
) -> io::Result<Running> {
    let mut place = place.lock();
    if let Some(timer) = &*place {
        return Ok(Running(Arc::clone(timer)));
    }
    let timer = Arc::new(Timer {
        clocks: Mutex::new(Clocks {
            wheel: Wheel::new(now() / TICK_NS),
            entries: Slab::default(),
            sleeping_until: u64::MAX,
        }),
        changed: Condvar::new(),
    });
    spawn(Arc::clone(&timer))?;
    Ok(Running(Arc::clone(place.insert(timer))))
}

impl Running {
    /// A clock that is not set.
    pub(super) fn clock(self, called: Weak<dyn Called>) -> Clock {
        let entry = Entry {
            called,
            set: EntryId::NONE,
        };
        let index = self.0.clocks.lock().entries.insert(entry);
        Clock {
            timer: self.0,
            index,
        }
    }
}

impl Clock {
    /// Calls [`Called::alarm`], once, at this tick or soon after. If the clock is set to an earlier tick, that one
    /// stays.
    pub(super) fn set(&self, tick: u64) {
        let clocks = &mut *self.timer.clocks.lock();
        let set = &mut clocks.entries[self.index].set;
        if *set != EntryId::NONE {
            if clocks.wheel.tick_of(*set) <= tick {
                return;
            }
            clocks.wheel.remove(*set);
        }
        *set = clocks.wheel.insert(tick, self.index);
        if tick < clocks.sleeping_until {
            clocks.sleeping_until = tick;
            self.timer.changed.notify_one();
        }
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let mut clocks = self.timer.clocks.lock();
        let Entry { set, called } = clocks.entries.remove(self.index);
        if set != EntryId::NONE {
            clocks.wheel.remove(set);
        }
        // May free the memory of the pool.
        drop(clocks);
        drop(called);
    }
}

impl Timer {
    fn run(&self) {
        let _trust = Trust::new("keeping the time of all pools");
        let mut clocks = self.clocks.lock();
        loop {
            let tick = now() / TICK_NS;
            while let Some(index) = clocks.wheel.pop(tick) {
                let entry = &mut clocks.entries[index];
                entry.set = EntryId::NONE;
                let called = entry.called.upgrade();
                MutexGuard::unlocked(&mut clocks, || {
                    if let Some(called) = called {
                        called.alarm();
                    }
                });
            }
            match clocks.wheel.next() {
                None => {
                    clocks.sleeping_until = u64::MAX;
                    self.changed.wait(&mut clocks);
                }
                Some(tick) => {
                    clocks.sleeping_until = tick;
                    let ns = (tick * TICK_NS).saturating_sub(now());
                    self.changed.wait_for(&mut clocks, Duration::from_nanos(ns));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    struct Caller(Mutex<Sender<u64>>);

    impl Called for Caller {
        fn alarm(&self) {
            let _ = self.0.lock().send(now() / TICK_NS);
        }
        fn look_again(&self) {}
    }

    fn caller() -> (Arc<dyn Called>, Receiver<u64>) {
        let (sender, receiver) = channel();
        (Arc::new(Caller(Mutex::new(sender))), receiver)
    }

    #[test]
    fn a_timer_that_gets_no_thread_is_an_error_and_tried_again() {
        let place = Mutex::new(None);
        let refused = || io::Error::from(io::ErrorKind::WouldBlock);
        assert!(start_in(&place, |_| Err(refused())).is_err());
        assert!(place.lock().is_none(), "nothing is half made");
        assert!(start_in(&place, |_| Ok(())).is_ok());
        assert!(
            start_in(&place, |_| Err(refused())).is_ok(),
            "it runs already"
        );
    }

    #[test]
    fn a_clock_calls_once_at_the_earliest_of_the_times_it_was_set_to() {
        let (called, calls) = caller();
        let clock = start().unwrap().clock(Arc::downgrade(&called));
        let tick = now() / TICK_NS + 30;
        clock.set(tick + 100_000);
        clock.set(tick);
        clock.set(tick + 50_000);
        assert!(calls.recv().unwrap() >= tick);
        clock.set(tick);
        assert!(
            calls.recv().unwrap() > tick,
            "once more, though that time is over"
        );
        assert!(calls.try_recv().is_err());
    }

    #[test]
    fn a_clock_that_is_dropped_or_whose_pool_is_gone_calls_nobody() {
        let timer = start().unwrap();
        let (called, calls) = caller();
        let (dropped, gone) = (caller(), caller());
        let tick = now() / TICK_NS + 20;
        let clocks = [&dropped.0, &gone.0, &called]
            .map(|called| timer.clone().clock(Arc::downgrade(called)));
        for clock in &clocks {
            clock.set(tick);
        }
        let [first, _second, _third] = clocks;
        drop(first);
        drop(gone.0);
        assert!(calls.recv().is_ok());
        assert!(dropped.1.try_recv().is_err() && gone.1.try_recv().is_err());
    }
}
