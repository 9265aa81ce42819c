//! Tasks that are given up: by their caller.
//!
//! 1. Under the lock one that waits is taken out, and one that runs becomes abandoned: who did that tells its
//!    caller, and what its worker reports is dropped.
//! 2. The worker of an abandoned task is told, once it has a bell.
//! 3. An isolate that has not ended it after the grace time is ended itself, by the owner.
//!
//! Time limits do the same (`state::alarms`).

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::ids::Key;
use crate::scheduler::state::Given;
use crate::scheduler::task::Outcome;

impl Scheduler {
    /// Gives a task up. True when it had not ended: its outcome is now the caller's to tell.
    pub fn cancel(&self, key: Key) -> bool {
        let now = now();
        let mut state = self.lock();
        let given = state.give_up(key, &Outcome::Cancelled, now);
        if let Given::Running(cancel) = &given {
            // It may have a place again.
            self.follow_up(state, now, None);
            if let Some(cancel) = cancel {
                cancel.tell();
            }
        }
        !matches!(given, Given::Ended)
    }
}
