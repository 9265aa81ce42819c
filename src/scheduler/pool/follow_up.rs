//! Carries out what follows from a decision.
//!
//! 1. Under the lock, the state decides which workers are woken.
//! 2. The lock is released: see [`Held`].
//! 3. The owner is told of outcomes, workers are rung, and a native worker is started. An isolate is started on the
//!    owner's thread: by the caller, or on request.

use std::sync::Arc;

use super::Scheduler;
use super::held::Held;
use crate::scheduler::bell::{Bell, Ring};
use crate::scheduler::clock::now;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::{Control, Message};
use crate::scheduler::share;
use crate::scheduler::state::{State, Wakes};
use crate::scheduler::task::Taken;

impl Scheduler {
    /// Changes the state, and carries out what follows.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, u64) -> T) -> T {
        let now = now();
        let mut state = self.lock();
        let result = change(&mut state, now);
        self.follow_up(state, now, None);
        result
    }

    /// Lets the state reject tasks, and tells the owner. Returns their number.
    pub(super) fn reject(&self, reject: impl FnOnce(&mut State) -> Vec<Message>) -> usize {
        let messages = reject(&mut self.lock());
        let rejected = messages.len();
        self.send_all(messages);
        rejected
    }

    /// Releases the lock after a change, and carries out what follows. The owner is told `messages`.
    #[inline]
    pub(super) fn follow_up(
        &self,
        mut state: Held<'_>,
        now: u64,
        messages: impl IntoIterator<Item = Message>,
    ) {
        let wakes = state.wakes(true, now);
        let _clock = state.release();
        self.send_all(messages);
        self.ring_and_request(wakes);
    }

    /// Rings workers, and starts native ones. The caller has to start the returned isolate.
    pub(super) fn ring_and_launch(&self, wakes: Wakes) -> Option<WorkerId> {
        for bell in wakes.rings.0.iter().flatten() {
            bell.ring(Ring::Lane);
        }
        if let Some(bells) = &wakes.bound {
            ring_all(bells);
        }
        if let Some(bells) = &wakes.back {
            ring_all(bells);
        }
        if wakes.starved && !share::wait_for_token(self.this.clone()) {
            self.lock().look_later(now());
        }
        if let Some(id) = wakes.starts[Lane::Native]
            && !self.launch(id)
        {
            self.launch_failed(id);
        }
        wakes.starts[Lane::Script]
    }

    /// The system gave no thread. Tasks that go on need none, so they do not stand behind tasks that do.
    fn launch_failed(&self, id: WorkerId) {
        let now = now();
        let mut state = self.lock();
        let messages = state.launch_failed(id, now);
        let bells = state.go_on(false, now);
        drop(state);
        self.send_all(messages);
        ring_all(&bells);
    }

    /// As [`ring_and_launch`](Self::ring_and_launch), off the owner's thread: the owner is asked to start isolates.
    pub(super) fn ring_and_request(&self, wakes: Wakes) {
        if let Some(id) = self.ring_and_launch(wakes) {
            self.control(Control::Start(id));
        }
    }

    /// A worker has a task from now on. If the task is observed, the owner is told.
    #[inline]
    pub(super) fn started(&self, worker: WorkerId, taken: &Taken) {
        if let Some(waited) = taken.observed {
            self.owner.send(Message::Started {
                ticket: taken.ticket,
                generation: taken.key.generation,
                worker,
                waited,
            });
        }
    }

    /// Asks the owner to send the input that only a port can carry to the worker that has the task.
    #[inline]
    pub(super) fn want(&self, worker: WorkerId, taken: &Taken) {
        if taken.payload.is_elsewhere() {
            self.owner.send(Message::Wanted {
                pool: self.id,
                worker,
                slot: taken.slot,
                ticket: taken.ticket,
                generation: taken.key.generation,
                target: taken.target,
            });
        }
    }

    /// Asks the owner for something that only its thread can do.
    pub(super) fn control(&self, control: Control) {
        self.owner.send(Message::Control {
            pool: self.id,
            control,
        });
    }

    pub(super) fn send_all(&self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.owner.send(message);
        }
    }
}

pub(super) fn ring_all(bells: &[Arc<dyn Bell>]) {
    for bell in bells {
        bell.ring(Ring::Lane);
    }
}
