//! Sleeps on a word in memory that several processes map, until a process changes it and wakes the sleepers.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while `word` is `seen`, until woken, or for `limit`; then returns false. May end early: look again.
#[cfg(target_os = "linux")]
pub(crate) fn sleep(word: &AtomicU32, seen: u32, limit: Duration) -> bool {
    use rustix::thread::futex;
    let limit = futex::Timespec {
        tv_sec: limit.as_secs() as _,
        tv_nsec: limit.subsec_nanos().into(),
    };
    // Any other error means another value or a signal: "look again".
    futex::wait(word, futex::Flags::empty(), seen, Some(&limit)) != Err(rustix::io::Errno::TIMEDOUT)
}

/// Without a futex that works across processes, the sleepers look every millisecond.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sleep(word: &AtomicU32, seen: u32, limit: Duration) -> bool {
    let end = std::time::Instant::now() + limit;
    while word.load(std::sync::atomic::Ordering::SeqCst) == seen {
        if std::time::Instant::now() >= end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Ends the sleep of all. The futex is not private, because the sleepers are in other processes.
pub(crate) fn wake_all(word: &AtomicU32) {
    #[cfg(target_os = "linux")]
    let _ =
        rustix::thread::futex::wake(word, rustix::thread::futex::Flags::empty(), i32::MAX as u32);
    #[cfg(not(target_os = "linux"))]
    let _ = word;
}
