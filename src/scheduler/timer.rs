//! Alarms for time limits: one thread for the process, started by the first alarm.
//!
//! A hashed wheel of one-millisecond ticks: arming is a push, whatever else is armed. An alarm that comes
//! for a task that has ended finds another generation and does nothing. (Varghese & Lauck 1987, scheme 6.)
//!
//! No alarm is taken out when its task ends: most tasks end soon, and would pay for the search. Instead the
//! thread sweeps the wheel when it has twice as many alarms as were wanted at the last sweep. So there are
//! at most about twice as many as tasks, however long their limits are, and a sweep costs each that was armed
//! since the last one a constant.

use std::sync::{OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::clock::now;
use super::ids::{Key, WorkerId};
use super::pool::Scheduler;

const SLOTS: usize = 4096;
const TICK_NS: u64 = 1_000_000;
/// Fewer alarms than this are not swept.
const FEW: usize = 1 << 16;

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
    /// Entries in all slots.
    len: usize,
    /// So many entries are swept.
    sweep_at: usize,
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
            len: 0,
            sweep_at: FEW,
            fired: now() / TICK_NS,
            sleeping_until: u64::MAX,
        }
    }

    /// A tick that has fired comes with the next.
    fn insert(&mut self, mut entry: Entry) {
        entry.tick = entry.tick.max(self.fired + 1);
        self.len += 1;
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
        self.len -= due.len();
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

impl Timer {
    /// Takes the alarms out that nobody wants any more. A slot at a time, with the wheel free in the meantime:
    /// `wanted` takes the locks of pools.
    fn sweep<'a>(
        &'a self,
        mut wheel: MutexGuard<'a, Wheel>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> MutexGuard<'a, Wheel> {
        for slot in 0..SLOTS {
            let mut entries = std::mem::take(&mut wheel.slots[slot]);
            if entries.is_empty() {
                continue;
            }
            wheel.len -= entries.len();
            wheel.filled[slot / 64] &= !(1 << (slot % 64));
            MutexGuard::unlocked(&mut wheel, || entries.retain(&wanted));
            for entry in entries {
                wheel.insert(entry);
            }
        }
        wheel.sweep_at = FEW.max(wheel.len * 2);
        wheel
    }
}

/// Calls [`Scheduler::alarm`] at `deadline` (of [`now`]) or up to a tick later, if the pool still is.
pub(super) fn arm(deadline: u64, pool: Weak<Scheduler>, alarm: Alarm) {
    let timer = timer();
    let mut wheel = timer.wheel.lock();
    // Rounded up: never early.
    let tick = deadline.div_ceil(TICK_NS);
    wheel.insert(Entry { tick, pool, alarm });
    if tick < wheel.sleeping_until || wheel.len == wheel.sweep_at {
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
            MutexGuard::unlocked(&mut wheel, || {
                for entry in due {
                    if let Some(pool) = entry.pool.upgrade() {
                        pool.alarm(entry.alarm);
                    }
                }
            });
            continue;
        }
        if wheel.len >= wheel.sweep_at {
            wheel = timer.sweep(wheel, |entry| {
                let pool = entry.pool.upgrade();
                pool.is_some_and(|pool| pool.expects(entry.alarm))
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

    #[test]
    fn a_sweep_leaves_what_is_wanted_and_says_when_the_next_is_due() {
        let timer = Timer {
            wheel: Mutex::new(Wheel::new()),
            changed: Condvar::new(),
        };
        let mut wheel = timer.wheel.lock();
        wheel.fired = 0;
        for tick in 1..=3 * FEW as u64 {
            wheel.insert(entry(tick));
        }
        let wheel = timer.sweep(wheel, |entry| entry.tick % 2 == 0);
        assert_eq!((wheel.len, wheel.sweep_at), (3 * FEW / 2, 3 * FEW));
        assert_eq!(wheel.next(), Some(2));
        let mut wheel = timer.sweep(wheel, |entry| entry.tick == 7 * SLOTS as u64);
        assert_eq!((wheel.len, wheel.sweep_at), (1, FEW));
        assert_eq!(
            wheel
                .filled
                .iter()
                .map(|bits| bits.count_ones())
                .sum::<u32>(),
            1
        );
        assert_eq!(wheel.due(8 * SLOTS as u64).len(), 1);
        assert_eq!(wheel.len, 0);
    }
}
