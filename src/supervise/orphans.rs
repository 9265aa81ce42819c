//! The remains of processes that have become children of this one without its doing.
//!
//! Process 1 of a pid namespace, and a process that asked to be a "subreaper", become the parent of every process below
//! them whose own parent has ended. When such an orphan ends, its remains (a zombie) stay until the new parent waits
//! for it. libuv only waits for children that it started itself.
//!
//! 1. [`zombies`] lists the children of the main thread that have ended. Orphans are given to that
//!    thread; the children that other threads started are not listed.
//! 2. The caller knows for which children libuv will not wait, and removes those by [`reap`].

use std::fs;
use std::process;

use rustix::process::{Pid, WaitOptions, waitpid};

use super::reading;

/// Whether this process becomes the parent of orphans.
pub fn adopts() -> bool {
    process::id() == 1 || is_subreaper()
}

#[cfg(target_os = "linux")]
fn is_subreaper() -> bool {
    rustix::process::child_subreaper().is_ok_and(|subreaper| subreaper.is_some())
}

#[cfg(not(target_os = "linux"))]
fn is_subreaper() -> bool {
    false
}

/// The children of the main thread that have ended and were not waited for.
pub fn zombies() -> Vec<u32> {
    let main = process::id();
    fs::read_to_string(format!("/proc/self/task/{main}/children"))
        .unwrap_or_default()
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter(|&pid| reading::usage(pid).is_some_and(|usage| usage.state == 'Z'))
        .collect()
}

/// Waits for a child that has ended. Returns false if no child has that id, or if it lives.
pub fn reap(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_ended_is_reaped() {
        assert!(!reap(0));
        let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(!reap(child.id()));
        child.kill().unwrap();
        while !reap(child.id()) {
            std::thread::yield_now();
        }
        assert!(!reap(child.id()));
        assert!(child.wait().is_err(), "nothing was left to wait for");
    }
}
