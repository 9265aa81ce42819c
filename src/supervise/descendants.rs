//! The processes below this one: finds them in `/proc`, and ends them together with this one if nobody else will.
//!
//! A child that was started with a session of its own (`setsid`, "detached") is meant to live on, and so are the
//! processes below it. They are left alone.

use std::fs;
use std::process;

use super::handle::ProcessHandle;
use super::reading::session;

/// Kills every process below this one that shares its session. Other systems than Linux have no list of them, so none
/// is killed there.
pub fn kill() {
    // Through a handle, the kill cannot hit another process that took the number after the listing.
    for process in below(process::id()) {
        let _ = process.kill();
    }
}

fn below(root: u32) -> Vec<ProcessHandle> {
    let own = session(process::id());
    let mut parents = vec![root];
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        for pid in children_of(parent) {
            let Ok(handle) = ProcessHandle::open(pid) else {
                continue;
            };
            if own.is_some() && session(pid) == own {
                parents.push(pid);
                found.push(handle);
            }
        }
    }
    found
}

/// The children that any thread of `parent` started.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        let list = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    children
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[test]
    fn grandchildren_are_found_and_those_with_a_session_of_their_own_are_not() {
        // In a process that leads no group, `setsid` makes the session without forking.
        let script = "sleep 61 & echo $!; setsid sleep 62 & echo $!; wait";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap().parse::<u32>().unwrap();
        let [plain, detached] = [next(), next()];
        let plain = ProcessHandle::open(plain).unwrap();
        while session(detached) != Some(detached) {
            std::thread::yield_now();
        }
        assert!(children_of(process::id()).contains(&shell.id()));
        let found = below(shell.id());
        assert_eq!(found.len(), 1);
        found[0].kill().unwrap();
        assert!(plain.wait(Duration::from_secs(10)));
        let detached = ProcessHandle::open(detached).unwrap();
        assert!(!detached.wait(Duration::ZERO));
        detached.kill().unwrap();
        shell.wait().unwrap();
    }
}
