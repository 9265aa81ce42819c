//! A thread of a process that waits for locks. It sleeps on the processes that are right before this one in a line. So
//! it hears from the kernel itself when one of them ends, and no other process has to pass that on.
//!
//! A thread of the primary, [`deaths`](super::deaths), hears of each death, too, and does the same. This thread is
//! faster, because the news need not come from there, and it needs no running primary. A process that leaves a line
//! only tells the one that is then the first. So this thread may sleep on a process that has left, and looks again now
//! and then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::handle::ProcessHandle;
use super::wake::Wake;
use crate::manner;
use crate::memory::locks;
use crate::memory::region::Region;

/// How often the thread looks while the process waits for a lock.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const FOR_LONG: Duration = Duration::from_secs(3600);

/// A running thread. Dropping this ends the thread soon, without waiting for it.
#[derive(Debug)]
pub struct Succession {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    region: Region,
    seat: u32,
    wake: Wake,
    ended: AtomicBool,
}

impl Succession {
    /// Starts the thread, which calls `on_death` after it has removed the claims of an ended process.
    pub fn start(
        region: Region,
        seat: u32,
        on_death: impl Fn() + Send + 'static,
    ) -> io::Result<Succession> {
        let shared = Arc::new(Shared {
            region,
            seat,
            wake: Wake::new()?,
            ended: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-succession".into())
            .stack_size(128 * 1024)
            .spawn(move || run(&theirs, on_death))?;
        Ok(Succession { shared })
    }

    /// The process now waits for a lock.
    pub fn look(&self) {
        self.shared.wake.ring();
    }
}

impl Drop for Succession {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.shared.wake.ring();
    }
}

fn run(shared: &Shared, on_death: impl Fn()) {
    manner::hurry();
    while !shared.ended.load(Ordering::Acquire) {
        let Some(before) = locks::before(&shared.region, shared.seat) else {
            shared.wake.sleep(&[], FOR_LONG);
            continue;
        };
        // Opened first and looked at afterwards: a process that ends in between ends the sleep.
        let before: Vec<_> = before
            .into_iter()
            .filter_map(|pid| ProcessHandle::open(pid).ok().map(Arc::new))
            .collect();
        if locks::recover_dead(&shared.region, ProcessHandle::has_ended) > 0 {
            on_death();
        } else {
            shared.wake.sleep(&before, LOOK_AGAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::locks::Locks;
    use crate::memory::region::Spec;
    use std::process::Command;
    use std::sync::mpsc;

    #[test]
    fn whoever_waits_hears_of_each_death_before_it_and_holds_the_lock_after_the_last() {
        let spec = Spec {
            seats: 3,
            claims: 4,
            ..Spec::default()
        };
        let region = Region::create(spec, "").unwrap();
        let (send, heard) = mpsc::channel();
        let succession = Succession::start(region.remap().unwrap(), 2, move || {
            let _ = send.send(());
        })
        .unwrap();
        let mut dying: Vec<_> = (0..2)
            .map(|seat| {
                let child = Command::new("sleep").arg("600").spawn().unwrap();
                let mut locks = Locks::new(region.remap().unwrap(), seat, child.id());
                locks.enter("a").unwrap();
                (child, locks)
            })
            .collect();
        let mut waiting = Locks::new(region.remap().unwrap(), 2, std::process::id());
        let ticket = waiting.enter("a").unwrap();
        succession.look();
        while let Some((mut child, _)) = dying.pop() {
            assert!(waiting.look().is_empty());
            child.kill().unwrap();
            heard.recv().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(waiting.look(), [ticket]);
    }
}
