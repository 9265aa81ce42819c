//! The part of a pool's state that others read without its lock.
//!
//! The thread that has changed the state writes it under the lock. All access is relaxed, for both values are hints:
//! the spinning worker takes the lock to see what there is for it, and the owner tells the bytes to the JavaScript
//! engine, whose collector needs no more than a rough idea.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crossbeam_utils::CachePadded;

use crate::scheduler::lane::{Lane, PerLane};
use crate::scheduler::outbox::Outbox;
use crate::scheduler::state::State;

/// Differences in the bytes of queued inputs below this are not told.
const TOLD_STEP: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Published {
    /// Whether there is something for the spinning worker, which reads this all the time.
    hints: PerLane<CachePadded<AtomicBool>>,
    /// The number of waiting bytes that the owner has been told. It is taken back when the pool is dropped.
    queued_bytes: AtomicUsize,
    owner: Arc<Outbox>,
}

impl Published {
    pub(super) fn new(owner: Arc<Outbox>) -> Self {
        Self {
            hints: PerLane::default(),
            queued_bytes: AtomicUsize::new(0),
            owner,
        }
    }

    /// To be called under the lock.
    pub(super) fn update(&self, state: &State) {
        let (queued, told) = (state.queued_bytes(), self.queued_bytes.load(Relaxed));
        // Coarse steps, because otherwise all threads would write to one place.
        if queued.abs_diff(told) >= TOLD_STEP {
            self.queued_bytes.store(queued, Relaxed);
            self.owner
                .count_queued(queued.cast_signed() - told.cast_signed());
        }
        for lane in Lane::ALL {
            let (hint, new) = (&self.hints[lane], state.hint(lane));
            // The cache line stays with the spinning worker unless there is news.
            if hint.load(Relaxed) != new {
                hint.store(new, Relaxed);
            }
        }
    }

    /// Whether there may be something for the spinning worker of a lane.
    pub(super) fn waits(&self, lane: Lane) -> bool {
        self.hints[lane].load(Relaxed)
    }
}

impl Drop for Published {
    /// Takes back the bytes that the owner was told, which would otherwise be counted for ever.
    fn drop(&mut self) {
        let told = *self.queued_bytes.get_mut();
        self.owner.count_queued(-told.cast_signed());
    }
}
