//! The clock by which entries end: the monotonic one, in microseconds.
//!
//! Steps of the wall clock change nothing. It is the clock that JavaScript has too (`performance.now`), which compares
//! the times of the entries that it keeps. While a machine sleeps it stands still: what was to last for a minute lasts
//! for a minute in which the machine was awake. The clock that goes on in that time is not to be had in JavaScript.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

/// [`now`], up to a tick of the system late, and in a fraction of the time.
#[cfg(target_os = "linux")]
fn late() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

#[cfg(not(target_os = "linux"))]
fn late() -> u64 {
    now()
}

/// A time in microseconds; nothing for one that is too long for that, which is as good as for ever.
pub fn micros(time: Duration) -> Option<u64> {
    u64::try_from(time.as_micros()).ok()
}

/// No tick of a system is longer, in microseconds.
const TICK: u64 = 20_000;

/// Whether a time has come; 0 never comes. Exact, but for most times that takes no exact look at the clock.
#[inline]
pub(super) fn is_over(end: u64) -> bool {
    end != 0 && late().saturating_add(TICK) >= end && now() >= end
}
