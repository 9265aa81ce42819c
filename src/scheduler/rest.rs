//! Gives back memory that is kept for payloads, after nobody has wanted it for a while.

use std::sync::{Arc, OnceLock};

use super::called::Called;
use super::clock::now;
use super::timer::{Clock, Running, TICK_NS};
use crate::memory::bytes;

/// Nanoseconds within which a block has to be wanted, or it is given back.
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

/// Lets the timer give the memory back from now on.
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
