//! Tasks that are given up: by their caller, or because a time limit is over.
//!
//! 1. Under the lock one that waits is taken out, and one that runs becomes abandoned: who did that tells its
//!    caller, and what its worker reports is dropped.
//! 2. The worker of an abandoned task is told, once it has a bell.
//! 3. An isolate that has not ended it after the grace time is ended itself, by the owner.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::Scheduler;
use super::alarms::ns;
use crate::scheduler::clock::now;
use crate::scheduler::ids::Key;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::{Control, Message};
use crate::scheduler::state::{Cancel, Given, State};
use crate::scheduler::task::{Outcome, Stage};
use crate::scheduler::timer::Alarm;

impl Scheduler {
    /// Gives a task up. True when it had not ended: its outcome is now the caller's to tell.
    pub fn cancel(self: &Arc<Self>, key: Key) -> bool {
        let given = self.give_up(self.state.lock(), key, &Outcome::Cancelled);
        !matches!(given, Given::Ended)
    }

    /// Gives a task up whose time is over, and tells the owner. With a `stage`, only if it is at that one.
    pub(super) fn expire(self: &Arc<Self>, key: Key, stage: Option<Stage>, outcome: Outcome) {
        let state = self.state.lock();
        let due = state.find(key).filter(|task| match stage {
            Some(stage) => task.stage == stage,
            None => task.stage != Stage::Abandoned,
        });
        let Some(ticket) = due.map(|task| task.ticket) else {
            return;
        };
        self.give_up(state, key, &outcome);
        self.owner.send(Message::Settled { ticket, outcome });
    }

    /// Gives a task up, and releases the lock. If it runs, its worker is told.
    fn give_up(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        key: Key,
        why: &Outcome,
    ) -> Given {
        let given = state.give_up(key, why);
        self.publish(&state);
        drop(state);
        if let Given::Running(Some(cancel)) = &given {
            self.cancel_running(key, cancel);
        }
        given
    }

    /// Tells the worker of an abandoned task, and limits how long an isolate may ignore it.
    pub(super) fn cancel_running(self: &Arc<Self>, key: Key, cancel: &Cancel) {
        cancel.tell();
        let lane = self.state.lock().find(key).map(|task| task.lane);
        if lane == Some(Lane::Script) {
            let grace = ns(self.abort_grace);
            self.arm(now().saturating_add(grace), Alarm::Grace(key));
        }
    }

    /// Has the isolate ended that still runs an abandoned task.
    pub(super) fn end_grace(&self, key: Key) {
        let condemned = self.state.lock().condemn(key);
        if let Some(worker) = condemned {
            self.control(Control::Terminate(worker));
        }
    }
}
