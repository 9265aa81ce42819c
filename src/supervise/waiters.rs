//! How threads that want a token of the CPU budget sleep, and how they are woken.
//!
//! A sleeper announces itself *before* it looks once more for a free token, and a releaser looks for sleepers *after*
//! it freed a token. Each has a fence in between, so one of them sees the other. A turn may come between the sleeper's
//! look and its sleep: the sleep ends at once if the turn is not the one that was read before the look.

use crate::sync::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
    fence,
};

/// The data that they share, in memory of several processes.
pub(super) trait Shared {
    /// How many threads sleep, or are about to.
    fn sleepers(&self) -> &AtomicU32;
    /// Counts the wake-ups.
    fn turn(&self) -> &AtomicU32;
    /// Whether any token is free.
    fn has_free(&self) -> bool;
    /// Sleeps until woken, unless the turn is no longer `seen`. May end early.
    fn sleep(&self, seen: u32);
    /// Wakes all sleepers.
    fn wake_all(&self);
}

/// Sleeps until a token is free, or was free a moment ago.
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

/// Wakes the sleepers, if there are any. To be called after a token was freed. A process that was killed in its sleep
/// is counted for ever, which costs a system call and nothing else.
pub(super) fn wake(shared: &impl Shared) {
    // Pairs with the fence in `wait_for_token`: a sleeper that is not seen here has yet to look, and finds the token.
    fence(SeqCst);
    if shared.sleepers().load(Relaxed) > 0 {
        take_turn(shared);
    }
}

/// Whether any thread sleeps, or is about to. A hint, for a caller that would give a token back sooner than it has to.
pub(super) fn has_sleepers(shared: &impl Shared) -> bool {
    shared.sleepers().load(Relaxed) > 0
}

/// Wakes the sleepers, whether they are counted or not.
pub(super) fn take_turn(shared: &impl Shared) {
    shared.turn().fetch_add(1, SeqCst);
    shared.wake_all();
}
