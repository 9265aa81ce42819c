//! Sleeps until a process ends, the bell rings, or the time is over, whichever comes first.
//!
//! Linux tells of an ended process through its pidfd, so the sleeper hears of a death at once. On other systems it
//! looks when its time is over.

use std::sync::Arc;
use std::time::Duration;

use super::handle::ProcessHandle;

#[cfg(target_os = "linux")]
pub use linux::Wake;
#[cfg(not(target_os = "linux"))]
pub use other::Wake;

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use std::io;
    use std::os::fd::OwnedFd;

    /// The bell beside the bed.
    #[derive(Debug)]
    pub struct Wake {
        bell: OwnedFd,
    }

    impl Wake {
        /// A bell that has not been rung.
        pub fn new() -> io::Result<Wake> {
            let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok(Wake { bell })
        }

        /// Ends the sleep, or the next one if no thread sleeps.
        pub fn ring(&self) {
            // If the counter is full, it has been rung often enough.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }

        /// Sleeps for `limit` at most, and only while all `processes` live and the bell is not rung.
        pub fn sleep(&self, processes: &[Arc<ProcessHandle>], limit: Duration) {
            let timeout = Timespec {
                tv_sec: limit.as_secs() as _,
                tv_nsec: limit.subsec_nanos() as _,
            };
            let mut watched: Vec<PollFd<'_>> =
                std::iter::once(PollFd::new(&self.bell, PollFlags::IN))
                    .chain(processes.iter().filter_map(|process| {
                        let descriptor = process.descriptor()?;
                        Some(PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
                    }))
                    .collect();
            // An interruption only ends the sleep early.
            let _ = poll(&mut watched, Some(&timeout));
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.bell, &mut count);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::*;
    use parking_lot::{Condvar, Mutex};
    use std::io;

    /// The bell beside the bed.
    #[derive(Debug)]
    pub struct Wake {
        rung: Mutex<bool>,
        bell: Condvar,
    }

    impl Wake {
        /// A bell that has not been rung.
        pub fn new() -> io::Result<Wake> {
            Ok(Wake {
                rung: Mutex::new(false),
                bell: Condvar::new(),
            })
        }

        /// Ends the sleep, or the next one if no thread sleeps.
        pub fn ring(&self) {
            *self.rung.lock() = true;
            self.bell.notify_one();
        }

        /// Sleeps for `limit` at most, and only while the bell is not rung.
        pub fn sleep(&self, _: &[Arc<ProcessHandle>], limit: Duration) {
            let mut rung = self.rung.lock();
            self.bell.wait_while_for(&mut rung, |rung| !*rung, limit);
            *rung = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_ends_the_sleep_and_one_sleep_only() {
        let wake = Wake::new().unwrap();
        let start = Instant::now();
        wake.ring();
        wake.sleep(&[], LONG);
        assert!(start.elapsed() < LONG);
        wake.sleep(&[], Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_death_ends_the_sleep() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Arc::new(ProcessHandle::open(child.id()).unwrap());
        let start = Instant::now();
        process.kill().unwrap();
        Wake::new().unwrap().sleep(&[process], LONG);
        assert!(start.elapsed() < LONG);
        child.wait().unwrap();
    }
}
