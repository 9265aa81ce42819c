//! Alarms for time limits: one thread for the process, started by the first alarm.
//!
//! A hashed wheel of one-millisecond ticks: arming is a push, whatever else is armed, and nothing
//! is ever removed early. An alarm that comes for a task that has ended finds another generation
//! and does nothing. (Varghese & Lauck 1987, scheme 6.)

use std::sync::{OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::clock::now;
use super::pool::Scheduler;
use super::task::Key;
use super::worker::WorkerId;

const SLOTS: usize = 4096;
const TICK_NS: u64 = 1_000_000;

/// What is to be done when the time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Reject the task if it still waits.
    QueueTimeout(Key),
    /// Reject the task if it still runs.
    TaskTimeout(Key),
    /// Reject the task if it has not ended.
    Deadline(Key),
    /// See whether the workers that were rung have come, and the busy ones kept up.
    Wakers,
    /// Replace this worker, with what tells it from others of its id.
    Age(WorkerId, u32),
    /// End the isolate if the abandoned task still runs.
    Grace(Key),
}

#[derive(Debug)]
struct Entry {
    tick: u64,
    pool: Weak<Scheduler>,
    alarm: Alarm,
}

#[derive(Debug)]
struct Wheel {
    slots: Box<[Vec<Entry>]>,
    /// Bit s is set while slot s has entries.
    filled: [u64; SLOTS / 64],
    /// All ticks up to this one have fired.
    fired: u64,
    /// The tick that the thread sleeps until.
    sleeping_until: u64,
}

impl Wheel {
    fn new() -> Self {
        let slots = (0..SLOTS).map(|_| Vec::new()).collect();
        Self {
            slots,
            filled: [0; SLOTS / 64],
            fired: now() / TICK_NS,
            sleeping_until: u64::MAX,
        }
    }

    fn insert(&mut self, entry: Entry) {
        let slot = (entry.tick as usize) % SLOTS;
        self.slots[slot].push(entry);
        self.filled[slot / 64] |= 1 << (slot % 64);
    }

    /// Takes out what is due up to and with `tick`.
    fn due(&mut self, tick: u64) -> Vec<Entry> {
        let mut due = Vec::new();
        let ticks = tick.saturating_sub(self.fired).min(SLOTS as u64);
        for at in tick + 1 - ticks..=tick {
            let slot = (at as usize) % SLOTS;
            if self.filled[slot / 64] & (1 << (slot % 64)) == 0 {
                continue;
            }
            due.extend(self.slots[slot].extract_if(.., |entry| entry.tick <= tick));
            if self.slots[slot].is_empty() {
                self.filled[slot / 64] &= !(1 << (slot % 64));
            }
        }
        self.fired = self.fired.max(tick);
        due
    }

    /// The next tick at which a slot with entries comes round, if there are any.
    fn next(&self) -> Option<u64> {
        (1..=SLOTS as u64)
            .map(|ahead| self.fired + ahead)
            .find(|&tick| {
                let slot = (tick as usize) % SLOTS;
                self.filled[slot / 64] & (1 << (slot % 64)) != 0
            })
    }
}

struct Timer {
    wheel: Mutex<Wheel>,
    changed: Condvar,
}

/// Calls [`Scheduler::alarm`] at `deadline` (of [`now`]) or up to a tick later, if the pool still is.
pub(super) fn arm(deadline: u64, pool: Weak<Scheduler>, alarm: Alarm) {
    let timer = timer();
    let mut wheel = timer.wheel.lock();
    // Rounded up: never early. A tick that has fired comes with the next.
    let tick = deadline.div_ceil(TICK_NS).max(wheel.fired + 1);
    wheel.insert(Entry { tick, pool, alarm });
    if tick < wheel.sleeping_until {
        wheel.sleeping_until = tick;
        timer.changed.notify_one();
    }
}

fn timer() -> &'static Timer {
    static TIMER: OnceLock<&'static Timer> = OnceLock::new();
    TIMER.get_or_init(|| {
        let timer: &'static Timer = Box::leak(Box::new(Timer {
            wheel: Mutex::new(Wheel::new()),
            changed: Condvar::new(),
        }));
        std::thread::Builder::new()
            .name("rspool-timer".into())
            .stack_size(256 * 1024)
            .spawn(move || run(timer))
            .expect("the timer thread starts");
        timer
    })
}

fn run(timer: &'static Timer) {
    let mut wheel = timer.wheel.lock();
    loop {
        let due = wheel.due(now() / TICK_NS);
        if !due.is_empty() {
            parking_lot::MutexGuard::unlocked(&mut wheel, || {
                for entry in due {
                    if let Some(pool) = entry.pool.upgrade() {
                        pool.alarm(entry.alarm);
                    }
                }
            });
            continue;
        }
        match wheel.next() {
            None => {
                wheel.sleeping_until = u64::MAX;
                timer.changed.wait(&mut wheel);
            }
            Some(tick) => {
                wheel.sleeping_until = tick;
                let ns = (tick * TICK_NS).saturating_sub(now());
                timer.changed.wait_for(&mut wheel, Duration::from_nanos(ns));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tick: u64) -> Entry {
        Entry {
            tick,
            pool: Weak::new(),
            alarm: Alarm::QueueTimeout(Key {
                index: tick as u32,
                generation: 0,
            }),
        }
    }

    #[test]
    fn alarms_fire_at_their_tick_and_not_a_turn_of_the_wheel_early() {
        let mut wheel = Wheel::new();
        wheel.fired = 0;
        for tick in [1, 5, 5 + SLOTS as u64, 4095, 4096, 9000] {
            wheel.insert(entry(tick));
        }
        let mut fired = Vec::new();
        for tick in 1..=10_000 {
            fired.extend(wheel.due(tick).into_iter().map(|entry| (entry.tick, tick)));
        }
        assert!(fired.iter().all(|(due, at)| due == at), "{fired:?}");
        assert_eq!(fired.len(), 6);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn a_late_thread_fires_all_that_it_missed() {
        let mut wheel = Wheel::new();
        wheel.fired = 0;
        for tick in [1, 100, 5000, 20_000] {
            wheel.insert(entry(tick));
        }
        let mut missed: Vec<u64> = wheel
            .due(15_000)
            .into_iter()
            .map(|entry| entry.tick)
            .collect();
        missed.sort_unstable();
        assert_eq!(missed, [1, 100, 5000]);
        assert_eq!(
            wheel.next().map(|tick| tick % SLOTS as u64),
            Some(20_000 % SLOTS as u64)
        );
    }
}
