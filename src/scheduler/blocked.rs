//! Whether the event loop of an environment is blocked.
//!
//! A sender that has a message beside the outbox, in a port, first puts it there and then asks. The environment first
//! says that it is blocked and then looks. So either the environment finds the message, or the sender sees that it has
//! to send a [`Control::Look`](super::Control::Look).

use crate::sync::{AtomicU32, Ordering::SeqCst};

/// The number of nested calls that block an event loop.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    calls: AtomicU32,
}

impl Blocked {
    /// One more call blocks it, or one fewer.
    pub(super) fn set(&self, blocked: bool) {
        // SeqCst pairs with `is_set`: a sender that does not see this has put its message where the environment looks
        // after this.
        if blocked {
            self.calls.fetch_add(1, SeqCst);
        } else {
            self.calls.fetch_sub(1, SeqCst);
        }
    }

    /// Whether any call blocks it. To be asked after a message was put beside the outbox.
    #[must_use]
    pub(super) fn is_set(&self) -> bool {
        // SeqCst pairs with `set`.
        self.calls.load(SeqCst) > 0
    }
}
