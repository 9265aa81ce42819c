//! Whether the event loop of an environment is blocked.
//!
//! A sender that has something beside the outbox, in a port, first puts it there and then asks. The environment first says
//! that it is blocked and then looks. So either the one finds the message, or the other hears that it has to send a
//! [`Control::Look`](super::Control::Look).

use crate::sync::{AtomicU32, Ordering::SeqCst};

/// How many calls block an event loop, one in another.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    calls: AtomicU32,
}

impl Blocked {
    /// One call more blocks it, or one fewer.
    pub(super) fn set(&self, blocked: bool) {
        // SeqCst pairs with `is_set`: whoever does not see it has put its message where the environment looks
        // after this.
        if blocked {
            self.calls.fetch_add(1, SeqCst);
        } else {
            self.calls.fetch_sub(1, SeqCst);
        }
    }

    /// Whether any call blocks it. To be asked after something was put beside the outbox.
    #[must_use]
    pub(super) fn is_set(&self) -> bool {
        // SeqCst pairs with `set`.
        self.calls.load(SeqCst) > 0
    }
}
