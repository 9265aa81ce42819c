//! The pool's clock rings, on the timer's thread: what is due is decided under the lock, and follows after it.

use super::Scheduler;
use super::follow_up::ring_all;
use crate::scheduler::called::Called;
use crate::scheduler::clock::now;

/// Alarms that are done while the lock is held once.
const AT_ONCE: usize = 64;

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
    }

    fn look_again(&self) {
        let wakes = self.lock().wakes(false, now());
        self.ring_and_request(wakes);
    }
}
