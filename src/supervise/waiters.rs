//! How those sleep that want a token of the CPU budget, and how they are woken.
//!
//! A sleeper announces itself *before* it looks once more for a free token, and a releaser looks for sleepers
//! *after* it freed one. Each has a fence in between, so one of them sees the other. Between its look and its
//! sleep a turn may have come: the sleep ends at once if the turn is not the one that was seen before the look.

use crate::sync::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
    fence,
};

/// What they share, in memory of several processes.
pub(super) trait Shared {
    /// How many sleep, or are about to.
    fn sleepers(&self) -> &AtomicU32;
    /// Counts the wake-ups.
    fn turn(&self) -> &AtomicU32;
    /// Whether any token is free.
    fn has_free(&self) -> bool;
    /// Sleeps until somebody wakes, unless the turn is not `seen` any more. May end early.
    fn sleep(&self, seen: u32);
    /// Ends the sleep of all.
    fn wake_all(&self);
}

/// Sleeps until a token is free, or was a moment ago.
pub(super) fn wait_for_token(shared: &impl Shared) {
    shared.sleepers().fetch_add(1, SeqCst);
    // Pairs with the fence in `wake`.
    fence(SeqCst);
    loop {
        let seen = shared.turn().load(SeqCst);
        if shared.has_free() {
            break;
        }
        shared.sleep(seen);
    }
    shared.sleepers().fetch_sub(1, SeqCst);
}

/// Wakes those that sleep, if there are any. After a token was freed. A process that was killed in its sleep is
/// counted for ever, which costs a system call and nothing else.
pub(super) fn wake(shared: &impl Shared) {
    // Pairs with the fence in `wait_for_token`: whoever is not seen here has yet to look, and finds the token.
    fence(SeqCst);
    if shared.sleepers().load(Relaxed) > 0 {
        take_turn(shared);
    }
}

/// Whether anybody sleeps, or is about to. A hint: who asks gives a token back sooner than it has to.
pub(super) fn has_sleepers(shared: &impl Shared) -> bool {
    shared.sleepers().load(Relaxed) > 0
}

/// Wakes those that sleep, whether they are counted or not.
pub(super) fn take_turn(shared: &impl Shared) {
    shared.turn().fetch_add(1, SeqCst);
    shared.wake_all();
}
