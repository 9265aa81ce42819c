//! The pool's clock rings on the timer's thread. The state decides under the lock what is due; the effects follow after
//! it.

use super::Scheduler;
use super::follow_up::ring_all;
use crate::scheduler::called::Called;
use crate::scheduler::clock::now;
use crate::scheduler::state::Quiet;
use crate::supervise::reading;

/// The most alarms that are handled while the lock is held once.
const AT_ONCE: usize = 64;

impl Scheduler {
    /// Reads what the thread of a silent worker does, and lets the state judge it.
    fn look_at(&self, quiet: Quiet) {
        let usage = quiet.thread.and_then(reading::thread_usage);
        let now = now();
        let mut state = self.lock();
        let stalled = state.looked_at(quiet, usage, now);
        let wakes = state.wakes(false, now);
        drop(state);
        if let Some(control) = stalled {
            self.control(control);
        }
        self.ring_and_request(wakes);
    }
}

impl Called for Scheduler {
    fn alarm(&self) {
        let now = now();
        let mut state = self.lock();
        let effects = state.ring_alarms(AT_ONCE, now);
        let wakes = state.wakes(!effects.doubtful, now);
        drop(state);
        self.send_all(effects.messages);
        for cancel in &effects.cancels {
            cancel.tell();
        }
        ring_all(&effects.bells);
        for control in effects.controls {
            self.control(control);
        }
        self.ring_and_request(wakes);
        for quiet in effects.quiet {
            self.look_at(quiet);
        }
    }

    fn look_again(&self) {
        let wakes = self.lock().wakes(false, now());
        self.ring_and_request(wakes);
    }
}
