//! How a thread or an event loop is woken from any other thread.
//!
//! A sender first puts its message down, then rings. A [`Ringer`] wakes for the first ring only,
//! until its owner answers; and its owner answers *before* it looks for what has come. So each thing is either
//! seen by a look that is under way, or wakes again.

use crate::sync::{AtomicU32, Ordering::SeqCst};
use crate::wire::ring;

/// Why somebody is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Ring {
    /// There is something in its outbox.
    Outbox = ring::OUTBOX,
    /// Its idle worker is to look for tasks.
    Lane = ring::LANE,
    /// A task that it runs was given up; its flag says which.
    Cancel = ring::CANCEL,
    /// It has asked for a turn of its event loop itself.
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
    /// Wakes it. Cheap when it has been woken already; never blocks; nothing once it is gone.
    fn ring(&self, why: Ring);

    /// Tells the task of this generation in this slot of the worker that nobody waits for it any more.
    fn cancel(&self, slot: u32, generation: u32);

    /// How far the task is that runs there, where that is known.
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

/// What has been rung for since the last answer.
#[derive(Debug, Default)]
pub struct Ringer {
    rung: AtomicU32,
}

impl Ringer {
    /// Notes why, and calls `wake` if nobody has rung since the last answer.
    #[inline]
    pub fn ring(&self, why: Ring, wake: impl FnOnce()) {
        // SeqCst pairs with `answer`.
        if self.rung.fetch_or(why as u32, SeqCst) == 0 {
            wake();
        }
    }

    /// Why it was rung, as bits of [`Ring`]. The next ring wakes again.
    pub fn answer(&self) -> u32 {
        // SeqCst pairs with `ring`: what was put down before a ring that this clears is seen by a look after
        // this.
        self.rung.swap(0, SeqCst)
    }
}
