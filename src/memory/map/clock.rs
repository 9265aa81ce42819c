//! The clock by which entries end: the monotonic one, in microseconds.
//!
//! Steps of the wall clock change nothing. It is the clock that JavaScript has too (`performance.now`), which compares
//! the times of the entries that it keeps. While a machine sleeps it stands still: what was to last for a minute lasts
//! for a minute in which the machine was awake. The clock that goes on in that time is not to be had in JavaScript.

use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

/// The same, up to a tick of the system late, and in a fraction of the time.
#[cfg(target_os = "linux")]
fn late() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

#[cfg(not(target_os = "linux"))]
fn late() -> u64 {
    now()
}

/// No tick of a system is longer, in microseconds.
const TICK: u64 = 20_000;

/// Whether a time has come; 0 never comes. Exact, but for most times that takes no exact look at the clock.
#[inline]
pub(super) fn is_over(end: u64) -> bool {
    end != 0 && late().saturating_add(TICK) >= end && now() >= end
}
