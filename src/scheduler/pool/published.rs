//! What is seen of a pool without its lock.
//!
//! Written under the lock by the thread that has changed the state. All access is relaxed, for both are hints: the
//! worker that spins takes the lock to see what there is for it, and the owner tells the bytes to the engine,
//! whose collector needs no more than a rough idea.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crossbeam_utils::CachePadded;

use crate::scheduler::lane::{Lane, PerLane};
use crate::scheduler::outbox::Outbox;
use crate::scheduler::state::State;

/// Bytes of queued inputs that are not worth telling.
const TOLD_STEP: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Published {
    /// Whether there is something for the worker that spins. It reads that all the time.
    hints: PerLane<CachePadded<AtomicBool>>,
    /// What the owner has been told of the bytes that wait. It is given back as the pool is dropped.
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
        // In coarse steps: all threads would write to one place otherwise.
        if queued.abs_diff(told) >= TOLD_STEP {
            self.queued_bytes.store(queued, Relaxed);
            self.owner
                .count_queued(queued.cast_signed() - told.cast_signed());
        }
        for lane in Lane::ALL {
            let (hint, new) = (&self.hints[lane], state.hint(lane));
            // The worker that spins keeps the line unless there is news.
            if hint.load(Relaxed) != new {
                hint.store(new, Relaxed);
            }
        }
    }

    /// Whether there may be something for the worker that spins in a lane.
    pub(super) fn waits(&self, lane: Lane) -> bool {
        self.hints[lane].load(Relaxed)
    }
}

impl Drop for Published {
    /// What was not worth telling would be told for ever.
    fn drop(&mut self) {
        let told = *self.queued_bytes.get_mut();
        self.owner.count_queued(-told.cast_signed());
    }
}
