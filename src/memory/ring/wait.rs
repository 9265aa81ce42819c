//! How readers sleep until something comes, and how they are woken.
//!
//! A sleeper announces itself *before* it looks once more, and a publisher looks for sleepers *after* its record is
//! whole. Each has a fence in between, so one of them sees the other. Between its look and its sleep a turn may have
//! come: the sleep ends at once if the turn is not the one that was seen before the look.

use std::borrow::Borrow;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use super::head::{Head, Relation, State};
use super::{MessageRing, Reader};
use crate::memory::region::Region;

/// So long readers wait at a record that is being written.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

impl<R: Borrow<Region>> MessageRing<R> {
    /// Sleeps until there is something for the reader, or `stopped` says so after a turn was taken.
    pub fn wait(&self, reader: Reader, stopped: impl Fn() -> bool) {
        let at = reader.position();
        self.sleepers().fetch_add(1, Ordering::SeqCst);
        // Pairs with the fence in `wake`.
        fence(Ordering::SeqCst);
        loop {
            let seen = self.turn().load(Ordering::SeqCst);
            let word = self.slot(at).load(Ordering::SeqCst);
            let head = Head::of(word);
            let relation = head.relation(at);
            let written = relation == Relation::Same && head.state == State::Claimed;
            if stopped() || (relation != Relation::Before && !written) {
                break;
            }
            let woken = self.sleep(seen, written.then_some(PATIENCE));
            // Its publisher has not come so far in all that time; it hears of this when it does.
            if written && !woken && self.change(at, word, State::Skipped) {
                break;
            }
        }
        self.sleepers().fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes those that sleep, if there are any. After a record has become whole. A process that was killed in its sleep
    /// is counted for ever, which costs a system call and nothing else.
    pub(super) fn wake(&self) {
        // Pairs with the fence in `wait`: whoever is not seen here has yet to look, and finds the record.
        fence(Ordering::SeqCst);
        if self.sleepers().load(Ordering::Relaxed) > 0 {
            self.take_turn();
        }
    }

    /// Wakes those that sleep, whether they are counted or not.
    pub fn take_turn(&self) {
        self.turn().fetch_add(1, Ordering::SeqCst);
        // Not private: the sleepers are other processes.
        #[cfg(target_os = "linux")]
        let _ = rustix::thread::futex::wake(
            self.turn(),
            rustix::thread::futex::Flags::empty(),
            i32::MAX as u32,
        );
    }

    /// Sleeps while the turn is the one that was seen; false when the time was over.
    #[cfg(target_os = "linux")]
    fn sleep(&self, seen: u32, limit: Option<Duration>) -> bool {
        use rustix::thread::futex;
        let limit = limit.map(|limit| futex::Timespec {
            tv_sec: limit.as_secs() as _,
            tv_nsec: limit.subsec_nanos().into(),
        });
        // Any other error is another turn, or a signal: both mean "look again".
        futex::wait(self.turn(), futex::Flags::empty(), seen, limit.as_ref())
            != Err(rustix::io::Errno::TIMEDOUT)
    }

    /// Without a futex that works across processes the sleepers look every millisecond.
    #[cfg(not(target_os = "linux"))]
    fn sleep(&self, seen: u32, limit: Option<Duration>) -> bool {
        let start = std::time::Instant::now();
        while self.turn().load(Ordering::SeqCst) == seen {
            if limit.is_some_and(|limit| start.elapsed() >= limit) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}
