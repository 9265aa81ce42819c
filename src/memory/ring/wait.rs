//! How readers sleep until a message comes, and how they are woken.
//!
//! A sleeper announces itself *before* it looks once more, and a publisher looks for sleepers *after* its record is
//! whole. Each has a fence in between, so one of them sees the other. A turn may come between the sleeper's look and
//! its sleep: the sleep ends at once if the turn is not the one that was read before the look.

use std::borrow::Borrow;
use std::time::Duration;

use super::head::{Head, Relation, State};
use super::read::Reader;
use super::slots::MessageRing;
use crate::memory::futex;
use crate::memory::region::Region;
use crate::sync::{Ordering, fence};

/// How long readers wait at a record that is being written.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);
/// A sleeper looks by itself after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl<R: Borrow<Region>> MessageRing<R> {
    /// Sleeps until there is a record for the reader, or until `stopped` returns true after a turn.
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
            let limit = if written { PATIENCE } else { LOOK_AGAIN };
            let woken = futex::sleep(self.turn(), seen, limit);
            // Its publisher has not finished in all that time. It hears of this when it does.
            if written && !woken && self.change(at, word, State::Skipped) {
                break;
            }
        }
        self.sleepers().fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes the sleepers, if there are any. To be called after a record has become whole. A process that was killed in
    /// its sleep is counted for ever, which costs a system call and nothing else.
    pub(super) fn wake(&self) {
        // Pairs with the fence in `wait`: a sleeper that is not seen here has yet to look, and finds the record.
        fence(Ordering::SeqCst);
        if self.sleepers().load(Ordering::Relaxed) > 0 {
            self.take_turn();
        }
    }

    /// Wakes the sleepers, whether they are counted or not.
    pub fn take_turn(&self) {
        self.turn().fetch_add(1, Ordering::SeqCst);
        futex::wake_all(self.turn());
    }
}
