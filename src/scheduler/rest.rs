//! Gives memory back that was kept for payloads, when it has not been wanted for a while.

use std::sync::{Arc, OnceLock};

use super::called::Called;
use super::clock::now;
use super::timer::{Clock, Running, TICK_NS};
use crate::memory::bytes;

/// Nanoseconds in which a block has to be wanted, or goes.
const A_WHILE: u64 = 1_000_000_000;

static REST: OnceLock<Arc<Rest>> = OnceLock::new();

#[derive(Debug, Default)]
struct Rest {
    clock: OnceLock<Clock>,
}

impl Called for Rest {
    fn alarm(&self) {
        if bytes::give_back() {
            self.set();
        }
    }

    fn look_again(&self) {}
}

impl Rest {
    fn set(&self) {
        if let Some(clock) = self.clock.get() {
            clock.set((now() + A_WHILE) / TICK_NS);
        }
    }
}

/// Has the memory given back from now on, by the timer.
pub(super) fn watch(timer: Running) {
    REST.get_or_init(|| {
        let rest = Arc::new(Rest::default());
        let called: std::sync::Weak<Rest> = Arc::downgrade(&rest);
        let _ = rest.clock.set(timer.clock(called));
        rest
    });
    bytes::give_back_by(|| {
        if let Some(rest) = REST.get() {
            rest.set();
        }
    });
}
