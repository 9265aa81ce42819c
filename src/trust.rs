//! Decisions that must not be interrupted half-way.
//!
//! A panic while a decision is taken leaves counts and lists that contradict each other: tasks would never settle, or
//! settle with the result of another. There is no way to go on, so the process ends, as it does in rayon
//! (`unwind::AbortIfPanic`). A panic inside a task is caught before it gets here.

use std::thread;

/// Ends the process if a panic unwinds through the scope that has it.
#[derive(Debug)]
pub(crate) struct Trust {
    doing: &'static str,
    /// Whether it was made in the clean-up after a panic, which is not its own.
    unwinding: bool,
}

impl Trust {
    /// `doing` completes the sentence "rspool failed while …".
    pub(crate) fn new(doing: &'static str) -> Self {
        let unwinding = thread::panicking();
        Self { doing, unwinding }
    }

    /// Whether a panic unwinds: then the process ends when this is dropped.
    pub(crate) fn is_lost(&self) -> bool {
        thread::panicking() && !self.unwinding
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        if self.is_lost() {
            eprintln!(
                "rspool failed while {}, and ends the process: what it would do next could not be trusted. \
                 This is a mistake of rspool's; the panic above says where.",
                self.doing
            );
            std::process::abort();
        }
    }
}
