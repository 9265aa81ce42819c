//! Monotonic nanoseconds. They are read three times per task, so they come as directly as the system gives them.

/// Nanoseconds on a clock that never goes back.
#[cfg(target_os = "linux")]
#[must_use]
pub fn now() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Monotonic);
    // The clock counts from the start of the system, so neither number is negative or as large as centuries.
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// Nanoseconds on a clock that never goes back; 0 is the first call in the process.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn now() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
