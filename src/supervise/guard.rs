//! The parent-death guard: a process of a cluster does not outlive its primary.
//!
//! 1. A thread waits for the end of the parent.
//! 2. The event loop, if it turns, hears of that too (its channel closes), and drains.
//! 3. After `grace` the thread ends the process and its children, whatever its event loop does.
//!
//! A stopped process runs no thread. On Linux the system continues it when its parent ends.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::process::getppid;

use super::descendants;
use super::handle::ProcessHandle;

/// Starts the guard for the parent process `parent`. If that is no longer the parent, it counts as ended.
pub fn start(parent: u32, grace: Duration) -> io::Result<()> {
    let handle = ProcessHandle::open(parent).ok();
    continue_without_parent();
    thread::Builder::new()
        .name("rspool-guard".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            while is_parent(parent) {
                match &handle {
                    Some(handle) if handle.wait(Duration::from_secs(3600)) => break,
                    Some(_) => {}
                    None => thread::sleep(Duration::from_millis(100)),
                }
            }
            thread::sleep(grace);
            descendants::kill();
            // No exit handlers: they may wait for the loop that hangs.
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .ok();
        })?;
    Ok(())
}

/// A running process ignores this signal, unless it listens to it; only a stopped one is continued. The signal comes
/// when the parent's thread that started this process ends: its main thread.
#[cfg(target_os = "linux")]
fn continue_without_parent() {
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::CONT));
}

#[cfg(not(target_os = "linux"))]
fn continue_without_parent() {}

fn is_parent(parent: u32) -> bool {
    getppid().is_some_and(|pid| pid.as_raw_nonzero().get() as u32 == parent)
}
