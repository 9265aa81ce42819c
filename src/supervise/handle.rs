//! A process that cannot be mistaken for another: by a pidfd if the kernel has them, otherwise by its id.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// One process, alive or not.
#[derive(Debug)]
pub struct ProcessHandle {
    pid: Pid,
    #[cfg(target_os = "linux")]
    descriptor: Option<std::os::fd::OwnedFd>,
}

impl ProcessHandle {
    /// A handle to `pid`. Fails if there is no such process.
    pub fn open(pid: u32) -> io::Result<ProcessHandle> {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(io::ErrorKind::InvalidInput)?;
        #[cfg(target_os = "linux")]
        {
            use rustix::io::Errno;
            use rustix::process::{PidfdFlags, pidfd_open};
            let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(descriptor) => Some(descriptor),
                Err(Errno::NOSYS | Errno::PERM) => None,
                Err(errno) => return Err(errno.into()),
            };
            Ok(ProcessHandle { pid, descriptor })
        }
        #[cfg(not(target_os = "linux"))]
        {
            rustix::process::test_kill_process(pid)?;
            Ok(ProcessHandle { pid })
        }
    }

    /// Whether there is no process `pid`, or only a zombie. A process that took the number of an ended one counts as
    /// that one, alive.
    pub fn has_ended(pid: u32) -> bool {
        match ProcessHandle::open(pid) {
            Ok(handle) => handle.wait(Duration::ZERO),
            Err(error) => error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()),
        }
    }

    /// The descriptor that becomes readable when the process ends.
    #[cfg(target_os = "linux")]
    pub(super) fn descriptor(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        self.descriptor.as_ref().map(AsFd::as_fd)
    }

    /// Ends the process at once. An error means that it had ended already.
    pub fn kill(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(descriptor) = &self.descriptor {
            return Ok(rustix::process::pidfd_send_signal(
                descriptor,
                Signal::KILL,
            )?);
        }
        Ok(kill_process(self.pid, Signal::KILL)?)
    }

    /// Waits until the process has ended, but for `limit` at most. Returns whether it has ended.
    pub fn wait(&self, limit: Duration) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(descriptor) = &self.descriptor {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let timeout = Timespec {
                tv_sec: limit.as_secs() as _,
                tv_nsec: limit.subsec_nanos() as _,
            };
            let mut ready = [PollFd::new(descriptor, PollFlags::IN)];
            return matches!(poll(&mut ready, Some(&timeout)), Ok(1));
        }
        // Without a descriptor, the only thing to wait for is time.
        std::thread::sleep(limit.min(Duration::from_millis(100)));
        rustix::process::test_kill_process(self.pid).is_err()
    }
}

/// Whether the process `pid` that began at `started` is alive; for the time see
/// [`reading::started`](super::reading::started). A process that cannot be looked at counts as alive, a stopped one is
/// alive, and an ended one is not, whether or not its parent has waited for it.
pub fn is_alive(pid: u32, started: Option<u64>) -> bool {
    let is_another = || {
        started.is_some_and(|started| {
            super::reading::started(pid).is_some_and(|found| found != started)
        })
    };
    match ProcessHandle::open(pid) {
        Ok(handle) => !handle.wait(Duration::ZERO) && !is_another(),
        Err(error) => {
            let no_such = rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::SRCH);
            !no_such && error.kind() != io::ErrorKind::InvalidInput && !is_another()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn kill_ends_the_process_and_wait_sees_it() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let handle = ProcessHandle::open(child.id()).unwrap();
        assert!(!handle.wait(Duration::ZERO));
        handle.kill().unwrap();
        assert!(handle.wait(Duration::from_secs(10)));
        // Its zombie can still be waited for.
        assert!(ProcessHandle::has_ended(child.id()));
        child.wait().unwrap();
        assert!(ProcessHandle::has_ended(child.id()));
        assert!(!ProcessHandle::has_ended(std::process::id()));
        assert!(handle.kill().is_err());
    }

    #[test]
    fn a_process_lives_until_it_has_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let started = super::super::reading::started(child.id());
        assert!(is_alive(child.id(), started));
        // Another process with the same number.
        #[cfg(target_os = "linux")]
        assert!(!is_alive(child.id(), started.map(|at| at + 1)));
        ProcessHandle::open(child.id()).unwrap().kill().unwrap();
        // Its parent has not waited for it.
        while is_alive(child.id(), started) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!is_alive(child.id(), started));
        assert!(!is_alive(0, None));
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(ProcessHandle::open(0).is_err());
        assert!(ProcessHandle::open(i32::MAX as u32).is_err());
    }
}
