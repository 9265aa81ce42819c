//! The callers' side: tasks come in, on the owner's thread.
//!
//! A task usually waits until a worker [exchanges](Scheduler::exchange) for it. If its input goes through a JavaScript
//! port, the task is given to a worker at once, so that the caller knows the port.

use super::Scheduler;
use crate::scheduler::bell::Ring;
use crate::scheduler::clock::now;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::limits::Refusal;
use crate::scheduler::task::{NewTask, Taken};

/// A task that the pool has taken.
#[derive(Clone, Copy, Debug)]
pub struct Submitted {
    /// Its name for [`Scheduler::cancel`].
    pub key: Key,
    /// An isolate that the caller, on the owner's thread, has to start now.
    pub start: Option<WorkerId>,
}

impl Scheduler {
    /// Queues a task. To be called on the owner's thread.
    ///
    /// # Errors
    /// [`Refusal`] if the queue is full or the pool is closed. The task is dropped.
    pub fn submit(&self, new: NewTask) -> Result<Submitted, Refusal> {
        self.submit_for(new, None, false)
    }

    /// As [`submit`](Self::submit). A task that a running one (`outer`) may wait for is taken however many tasks wait.
    /// It counts as having waited as long as `outer`, and goes before all tasks of its priority. A task for which room
    /// was [`reserved`](Self::reserve) is taken, too, and uses that room up whatever becomes of it.
    ///
    /// # Errors
    /// [`Refusal`] if the pool is closed, or if the queue is full and `outer` does not exist (any more).
    pub fn submit_for(
        &self,
        new: NewTask,
        outer: Option<Key>,
        reserved: bool,
    ) -> Result<Submitted, Refusal> {
        let now = now();
        let mut state = self.lock();
        let key = state.admit(new, outer, reserved, now)?;
        let wakes = state.wakes(true, now);
        let _clock = state.release();
        let start = self.ring_and_launch(wakes);
        Ok(Submitted { key, start })
    }

    /// If nothing waits, gives a task at once to an idle worker of its lane or, if all workers are still starting, to
    /// one of them. Then the caller sends the input. Otherwise the task is dropped, and the caller submits it as usual.
    pub fn submit_direct(&self, new: NewTask) -> Option<(WorkerId, Taken)> {
        let (id, taken) = self.lock().enqueue_direct(new, now())?;
        self.started(id, &taken);
        Some((id, taken))
    }

    /// Reserves room for one task, before its input is taken from the caller.
    ///
    /// # Errors
    /// [`Refusal`] if the queue is full or the pool is closed.
    pub fn reserve(&self, lane: Lane) -> Result<(), Refusal> {
        self.lock().reserve(lane)
    }

    /// The task for which room was reserved does not come.
    pub fn unreserve(&self) {
        self.lock().unreserve();
    }

    /// Takes back a direct submission whose input could not be sent. Returns false if it has ended meanwhile.
    pub fn undo(&self, id: WorkerId, slot: u32, generation: u32) -> bool {
        let mut state = self.lock();
        if !state.runs(id, slot, generation) {
            return false;
        }
        let bell = state.undo(id, slot, now());
        drop(state);
        if let Some(bell) = bell {
            bell.ring(Ring::Lane);
        }
        true
    }

    /// Adds the workers that a lane has fewer than the minimum, or than `least`. The caller starts them.
    #[must_use]
    pub fn reserve_minimum(&self, lane: Lane, least: u32) -> Vec<WorkerId> {
        self.lock().reserve_minimum(lane, least, now())
    }
}
