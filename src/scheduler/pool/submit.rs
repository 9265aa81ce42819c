//! The callers' side: tasks come in, on the owner's thread.
//!
//! A task either waits until a worker [exchanges](Scheduler::exchange) for it, or, if its input goes through
//! a port of JavaScript's, is given to a worker at once, so that the caller knows into which port.

use super::Scheduler;
use crate::scheduler::bell::Ring;
use crate::scheduler::clock::now;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::limits::Refusal;
use crate::scheduler::task::{NewTask, Taken};

/// A task was taken.
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
    /// [`Refusal`] when the queue is full or the pool is closed; the task is dropped.
    pub fn submit(&self, new: NewTask) -> Result<Submitted, Refusal> {
        self.submit_for(new, None, false)
    }

    /// As [`submit`](Self::submit). One that a running one (`outer`) may wait for is taken however many wait, counts
    /// as having waited as long as that one, and goes before all of its priority. One for which room was
    /// [`reserved`](Self::reserve) is taken, too, and uses that up whatever becomes of it.
    ///
    /// # Errors
    /// [`Refusal`] when the pool is closed, or the queue full and that one not there (any more).
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
        drop(state);
        let start = self.ring_and_launch(wakes);
        Ok(Submitted { key, start })
    }

    /// Gives a task to an idle worker of its lane at once, or, where all are still starting, to one of
    /// those, if nothing waits: the caller sends the input. Otherwise the task is dropped, and is to be
    /// submitted as usual.
    pub fn submit_direct(&self, new: NewTask) -> Option<(WorkerId, Taken)> {
        let (id, taken) = self.lock().enqueue_direct(new, now())?;
        self.started(id, &taken);
        Some((id, taken))
    }

    /// Makes sure of room for one task, before its input is taken from the caller.
    ///
    /// # Errors
    /// [`Refusal`] when the queue is full or the pool is closed.
    pub fn reserve(&self, lane: Lane) -> Result<(), Refusal> {
        self.lock().reserve(lane)
    }

    /// The task that room was reserved for does not come.
    pub fn unreserve(&self) {
        self.lock().unreserve();
    }

    /// Takes a direct submission back whose input could not be sent. False when it has ended meanwhile.
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

    /// Makes room for the workers of a lane that the minimum, or `least`, lacks; the caller starts them.
    #[must_use]
    pub fn reserve_minimum(&self, lane: Lane, least: u32) -> Vec<WorkerId> {
        self.lock().reserve_minimum(lane, least, now())
    }
}
