//! Wakes a thread or an event loop from any other thread.
//!
//! A sender first puts its message down, then rings. Only the first ring wakes the owner of a [`Ringer`], until the
//! owner answers; and the owner answers *before* it looks for messages. So a message is either seen by the look that is
//! under way, or its ring wakes the owner again.

use crate::sync::{AtomicU32, Ordering::SeqCst};
use crate::wire::ring;

/// Why a thread or an event loop is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Ring {
    /// There is a message in its outbox.
    Outbox = ring::OUTBOX,
    /// Its idle worker should look for tasks.
    Lane = ring::LANE,
    /// A task that it runs was given up; the flag of the slot says which.
    Cancel = ring::CANCEL,
    /// It asked itself for a turn of its event loop.
    Turn = ring::TURN,
    /// There are messages of the cluster.
    Messages = ring::MESSAGES,
    /// Some connections have their first bytes.
    FirstBytes = ring::FIRST_BYTES,
    /// A lock of the cluster may have come free.
    Locks = ring::LOCKS,
    /// Something may have changed in a shared map that it waits for.
    Map = ring::MAP,
}

/// Wakes a thread or an event loop from any thread.
pub trait Bell: Send + Sync + std::fmt::Debug {
    /// Wakes it. Cheap if it has been woken already; never blocks; does nothing once the receiver is gone.
    fn ring(&self, why: Ring);

    /// Tells the worker that nobody waits any more for the task of this generation in this slot.
    fn cancel(&self, slot: u32, generation: u32);

    /// How far the running task is, if that is known.
    fn progress(&self) -> Option<Progress> {
        None
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of its input that it has worked through.
    pub bytes: u64,
    /// Elements, rows or steps that it has worked through.
    pub rows: u64,
}

/// The reasons of all rings since the last answer.
#[derive(Debug, Default)]
pub struct Ringer {
    rung: AtomicU32,
}

impl Ringer {
    /// Notes the reason, and calls `wake` if nobody has rung since the last answer.
    #[inline]
    pub fn ring(&self, why: Ring, wake: impl FnOnce()) {
        // SeqCst pairs with `answer`.
        if self.rung.fetch_or(why as u32, SeqCst) == 0 {
            wake();
        }
    }

    /// The reasons of the rings, as bits of [`Ring`]. The next ring wakes again.
    pub fn answer(&self) -> u32 {
        // SeqCst pairs with `ring`: a message that was put down before a ring which this clears is seen by a look after
        // this.
        self.rung.swap(0, SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_reasons_of_all_rings_and_the_next_ring_wakes_again() {
        let ringer = Ringer::default();
        for _ in 0..2 {
            let mut woken = 0;
            for why in [Ring::Lane, Ring::Cancel, Ring::Lane, Ring::Outbox] {
                ringer.ring(why, || woken += 1);
            }
            assert_eq!(woken, 1, "the rings until the answer wake once");
            assert_eq!(ringer.answer(), ring::OUTBOX | ring::LANE | ring::CANCEL);
            assert_eq!(ringer.answer(), 0);
        }
    }
}
