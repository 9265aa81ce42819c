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

/// Whether a time has come; 0 never comes.
pub(super) fn is_over(end: u64) -> bool {
    end != 0 && now() >= end
}
