//! The clock for the ends of entries: the monotonic one, in microseconds.
//!
//! Steps of the wall clock change nothing. JavaScript has the same clock (`performance.now`), and compares the times of
//! the entries that it keeps. The clock stands still while a machine sleeps. So an entry that lasts for a minute lasts
//! for a minute in which the machine was awake. JavaScript has no clock that goes on in that time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

/// As [`now`], but up to a tick of the system late, and in a fraction of the time.
#[cfg(target_os = "linux")]
fn late() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    (now.tv_sec as u64) * 1_000_000 + (now.tv_nsec as u64) / 1000
}

#[cfg(not(target_os = "linux"))]
fn late() -> u64 {
    now()
}

/// A time in microseconds. Nothing for a time that is too long for that, which is as good as for ever.
pub fn micros(time: Duration) -> Option<u64> {
    u64::try_from(time.as_micros()).ok()
}

/// A number of milliseconds as a time. Nothing for a number that is not finite, or too large.
pub fn milliseconds(ms: f64) -> Option<Duration> {
    ms.is_finite()
        .then(|| Duration::try_from_secs_f64(ms / 1000.0).ok())
        .flatten()
}

/// In microseconds. No tick of a system is longer.
const TICK: u64 = 20_000;

/// Whether a time has come; 0 never comes. Exact, though for most times it does not read the exact clock.
#[inline]
pub(super) fn is_over(end: u64) -> bool {
    end != 0 && late().saturating_add(TICK) >= end && now() >= end
}
