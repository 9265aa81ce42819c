//! Tasks that their caller gives up.
//!
//! 1. Under the lock, a waiting task is taken out, and a running one becomes abandoned. The code that did so tells the
//!    caller; what the worker reports later is dropped.
//! 2. The worker of an abandoned task is told, once it has a bell.
//! 3. If the isolate has not ended the task after the grace time, the owner ends the isolate.
//!
//! Time limits do the same (`state::alarms`).

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::ids::Key;
use crate::scheduler::state::Given;
use crate::scheduler::task::Outcome;

impl Scheduler {
    /// Gives a task up. Returns true if it had not ended: then the caller has to tell its outcome.
    pub fn cancel(&self, key: Key) -> bool {
        let now = now();
        let mut state = self.lock();
        let given = state.give_up(key, &Outcome::Cancelled, now);
        if let Given::Running(cancel) = &given {
            // The task may have its place again.
            self.follow_up(state, now, None);
            if let Some(cancel) = cancel {
                cancel.tell();
            }
        }
        !matches!(given, Given::Ended)
    }
}
