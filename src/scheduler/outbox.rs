//! Where the results for one environment collect, and the one way to wake it.
//!
//! Protocol: a sender first puts the message in, then rings. [`Bell::ring`] does nothing while the
//! environment has been rung and has not answered; the answer clears that *before* it empties the
//! outbox, so a message is either seen by the running drain or rings again.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use super::lane::Lane;
use super::task::Outcome;
use super::worker::WorkerId;

/// Why an environment is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Ring {
    /// There is something in its outbox.
    Outbox = 1,
    /// Its idle worker is to look for tasks.
    Lane = 2,
    /// A task that it runs was given up; its flag says which.
    Cancel = 4,
}

/// Wakes a thread or an event loop from any thread.
pub trait Bell: Send + Sync + std::fmt::Debug {
    /// Wakes it. Cheap when it has been woken already; never blocks; nothing once it is gone.
    fn ring(&self, why: Ring);

    /// Tells the task of this generation in this slot of the worker that nobody waits for it any more.
    fn cancel(&self, slot: u32, generation: u32);
}

/// What the owner's thread has to do that only it can.
#[derive(Debug)]
pub enum Control {
    /// Start an isolate for this worker.
    Start(WorkerId),
    /// End the isolate of this worker: its task was abandoned and did not stop by itself.
    Terminate(WorkerId),
    /// A lane of a closed pool has no worker left.
    LaneEnded(Lane),
}

/// A message for the owner.
#[derive(Debug)]
pub enum Message {
    /// A task ended.
    Settled {
        /// Which.
        ticket: u32,
        /// How.
        outcome: Outcome,
    },
    /// An observed task has been taken by a worker.
    Started {
        /// Which: tickets are used again, so the generation says it too.
        ticket: u32,
        /// Its generation.
        generation: u32,
        /// Who took it.
        worker: WorkerId,
        /// Nanoseconds that it waited.
        waited: u64,
    },
    /// Something to do for a pool.
    Control {
        /// The owner's name for the pool.
        pool: u32,
        /// What.
        control: Control,
    },
}

/// The results and requests that wait for one environment. Many senders, one receiver.
#[derive(Debug)]
pub struct Outbox {
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    bell: OnceLock<Arc<dyn Bell>>,
    /// Bytes of inputs that wait in the pools of the environment.
    queued: AtomicIsize,
}

impl Default for Outbox {
    fn default() -> Self {
        let (sender, receiver) = unbounded();
        Self {
            sender,
            receiver,
            bell: OnceLock::new(),
            queued: AtomicIsize::new(0),
        }
    }
}

impl Outbox {
    /// Sets what wakes the receiver. Once.
    pub fn attach(&self, bell: Arc<dyn Bell>) {
        let first = self.bell.set(bell).is_ok();
        debug_assert!(first, "an outbox has one bell");
    }

    /// Puts a message in and wakes the receiver.
    pub fn send(&self, message: Message) {
        // Cannot fail: this outbox holds a receiver.
        let _ = self.sender.send(message);
        if let Some(bell) = self.bell.get() {
            bell.ring(Ring::Outbox);
        }
    }

    /// Takes the oldest message out.
    #[must_use]
    pub fn receive(&self) -> Option<Message> {
        self.receiver.try_recv().ok()
    }

    /// So many more bytes of inputs wait in a pool.
    pub(super) fn count_queued(&self, bytes: isize) {
        self.queued.fetch_add(bytes, Relaxed);
    }

    /// Bytes of inputs that wait in the pools of the environment, or did a moment ago.
    #[must_use]
    pub fn queued_bytes(&self) -> isize {
        self.queued.load(Relaxed)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }
}
