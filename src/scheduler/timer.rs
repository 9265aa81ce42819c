//! The thread that tells pools that a time has come: one for the process, started where the first pool is made.
//!
//! Each pool has a [`Clock`] here, which is set to the next of its alarms. The alarms themselves are the pool's
//! (`state::alarms`), so that arming one for a task takes no lock but the pool's own, and no other thread unless
//! it is the next one. A pool without alarms wakes nobody.

use std::io;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::called::Called;
use super::clock::now;
use super::slab::Slab;
use super::wheel::{EntryId, Wheel};
use crate::trust::Trust;

/// Nanoseconds of a tick: alarms come so much too late at most.
pub(super) const TICK_NS: u64 = 1_000_000;
const STACK: usize = 256 * 1024;

static TIMER: OnceLock<&'static Timer> = OnceLock::new();

#[derive(Debug)]
struct Timer {
    clocks: Mutex<Clocks>,
    changed: Condvar,
}

struct Clocks {
    wheel: Wheel<u32>,
    entries: Slab<Entry, 16>,
    /// The tick that the thread sleeps until.
    sleeping_until: u64,
}

impl std::fmt::Debug for Clocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clocks").finish_non_exhaustive()
    }
}

struct Entry {
    called: Weak<dyn Called>,
    /// In the wheel, while it is set.
    set: EntryId,
}

/// Has a pool called when a time has come.
#[derive(Debug)]
pub(super) struct Clock {
    timer: &'static Timer,
    index: u32,
}

/// The running timer of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running(&'static Timer);

/// Starts the timer's thread, unless it runs.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn start() -> io::Result<Running> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock();
    if let Some(timer) = TIMER.get() {
        return Ok(Running(timer));
    }
    let timer: &'static Timer = Box::leak(Box::new(Timer {
        clocks: Mutex::new(Clocks {
            wheel: Wheel::new(now() / TICK_NS),
            entries: Slab::default(),
            sleeping_until: u64::MAX,
        }),
        changed: Condvar::new(),
    }));
    std::thread::Builder::new()
        .name("rspool-timer".into())
        .stack_size(STACK)
        .spawn(move || timer.run())?;
    Ok(Running(TIMER.get_or_init(|| timer)))
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
    /// Calls [`Called::alarm`], once, at this tick or soon after. If it is set to an earlier one, that stays.
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
        // Frees the memory of the pool, perhaps.
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
