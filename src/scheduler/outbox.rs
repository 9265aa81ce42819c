//! Collects the results for one environment, and is the one way to wake it.
//!
//! A sender first puts the message in, then rings. [`Bell::ring`] does nothing while the environment has been rung and
//! has not answered. The answer clears that *before* it empties the outbox, so a message is either seen by the running
//! drain, or its ring wakes the environment again.
//!
//! An environment may also [`wait`](Outbox::wait) with its event loop blocked. It says so first, so that a sender with
//! a message beside the outbox (in a port) sends a [`Control::Look`] too.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};

use super::bell::{Bell, Ring};
use super::blocked::Blocked;
use super::ids::WorkerId;
use super::lane::Lane;
use super::latest::Latest;
use super::payload::Payload;
use super::spin;
use super::task::Outcome;
use crate::wire::{ending, reminder};

/// How long a blocked environment spins.
const ACTIVE: Duration = Duration::from_micros(50);

/// Something that only the owner's thread can do.
#[derive(Debug)]
pub enum Control {
    /// Start an isolate for this worker.
    Start(WorkerId),
    /// The isolate of this worker has started. This comes ahead of everything that the worker does.
    Ready(WorkerId),
    /// End the isolate of this worker.
    Terminate(WorkerId, Ending),
    /// A lane of a closed pool has no worker left.
    LaneEnded(Lane),
    /// The isolate of this worker no longer runs. Its `exit` event comes when the owner's loop turns.
    Gone(WorkerId),
    /// There is a message in the port of this worker's isolate, and the owner's loop is blocked.
    Look(WorkerId),
    /// The isolate of this worker has not started in the allowed time.
    StartedTooLate(WorkerId),
    /// The code of this worker's isolate does not run yet. If the owner's loop is blocked, it cannot see why.
    NotBegun(WorkerId),
    /// This worker was rung long ago, runs no task and does not come. The owner ends it, unless there is an excuse that
    /// only the owner knows.
    Stalled(WorkerId),
    /// A time for which the owner waits is over.
    Remind(Reminder),
}

/// Why an isolate has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Ending {
    /// Its task was abandoned, and did not stop by itself.
    GivenUp = ending::GIVEN_UP,
    /// It was told to end, and does not.
    LeavesLate = ending::LEAVES_LATE,
    /// The pool has closed, and it does not end.
    ClosedLate = ending::CLOSED_LATE,
}

/// What the owner waits for with a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reminder {
    /// The pool should have closed.
    Close = reminder::CLOSE,
    /// The output of the isolates should have arrived.
    Output = reminder::OUTPUT,
    /// Isolates may be started again, after one could not be.
    Retry = reminder::RETRY,
}

impl Reminder {
    pub(super) const ALL: [Self; 3] = [Self::Close, Self::Output, Self::Retry];
}

/// A message for the owner.
#[derive(Debug)]
pub enum Message {
    /// A task ended.
    Settled {
        /// The call.
        ticket: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// A native task reports how far it is.
    Progress {
        /// The call. Tickets are used again, so the generation belongs to it.
        ticket: u32,
        /// Its generation.
        generation: u32,
        /// The last value.
        latest: Arc<Latest>,
    },
    /// A chunk of a native stream.
    Chunk {
        /// The call. Tickets are used again, so the generation belongs to it.
        ticket: u32,
        /// Its generation.
        generation: u32,
        /// The chunk.
        payload: Payload,
    },
    /// A worker has taken an observed task.
    Started {
        /// The call. Tickets are used again, so the generation belongs to it.
        ticket: u32,
        /// Its generation.
        generation: u32,
        /// The worker that took it.
        worker: WorkerId,
        /// Nanoseconds that it waited.
        waited: u64,
    },
    /// A worker has taken a task whose input comes through its port: the owner sends it now.
    Wanted {
        /// The owner's name for the pool.
        pool: u32,
        /// The worker that took it.
        worker: WorkerId,
        /// The task's slot there.
        slot: u32,
        /// The call. Tickets are used again, so the generation belongs to it.
        ticket: u32,
        /// Its generation.
        generation: u32,
        /// The function that it calls.
        target: u32,
    },
    /// Something that the owner does for a pool.
    Control {
        /// The owner's name for the pool.
        pool: u32,
        /// What it does.
        control: Control,
    },
}

/// The results and requests that wait for one environment. Many senders, one receiver.
#[derive(Debug, Default)]
pub struct Outbox {
    /// In the order in which they came. Senders write here all the time; the receiver takes all at once.
    messages: CachePadded<Mutex<VecDeque<Message>>>,
    /// Wakes a receiver that sleeps in [`wait`](Self::wait).
    arrived: Condvar,
    bell: OnceLock<Arc<dyn Bell>>,
    blocked: Blocked,
    /// Bytes of inputs that wait in the pools of the environment.
    queued: AtomicIsize,
}

/// Messages for which the queue keeps room.
const KEPT: usize = 1024;

impl Outbox {
    /// Sets what wakes the receiver. To be called once.
    pub fn attach(&self, bell: Arc<dyn Bell>) {
        let first = self.bell.set(bell).is_ok();
        debug_assert!(first, "an outbox has one bell");
    }

    /// Puts a message in and wakes the receiver.
    pub fn send(&self, message: Message) {
        self.messages.lock().push_back(message);
        self.arrived.notify_one();
        if let Some(bell) = self.bell.get() {
            bell.ring(Ring::Outbox);
        }
    }

    /// Wakes the receiver without a message: a task that nobody waits for has ended, and its resources are free.
    pub(super) fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell.ring(Ring::Outbox);
        }
    }

    /// Takes the oldest message out.
    #[must_use]
    pub fn receive(&self) -> Option<Message> {
        self.messages.lock().pop_front()
    }

    /// Takes all messages out, into an empty queue. If they were many, their room is given back.
    pub fn take(&self, into: &mut VecDeque<Message>) {
        debug_assert!(into.is_empty(), "what was taken before has been read");
        if into.capacity() > KEPT {
            *into = VecDeque::new();
        }
        std::mem::swap(&mut *self.messages.lock(), into);
    }

    /// Says that the receiver's event loop is blocked from now on, or no longer.
    pub fn block(&self, blocked: bool) {
        self.blocked.set(blocked);
    }

    /// Whether the receiver's event loop is blocked. To be asked after a message was put beside the outbox.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked.is_set()
    }

    /// Blocks until a message waits, but for `most` at most. If a core is spare it spins first: an answer often comes
    /// sooner than a thread is woken.
    pub fn wait(&self, most: Duration) {
        let start = Instant::now();
        while spin::core_is_spare() && start.elapsed() < ACTIVE.min(most) {
            for _ in 0..8 {
                if !self.is_empty() {
                    return;
                }
                std::hint::spin_loop();
            }
            std::thread::yield_now();
        }
        let mut messages = self.messages.lock();
        if messages.is_empty() {
            // The caller looks whether a message has come or the time is over.
            self.arrived.wait_for(&mut messages, most);
        }
    }

    /// Counts more bytes of inputs (or fewer) that wait in a pool.
    pub(super) fn count_queued(&self, bytes: isize) {
        self.queued.fetch_add(bytes, Relaxed);
    }

    /// Bytes of inputs that wait in the pools of the environment, up to date or slightly behind.
    #[must_use]
    pub fn queued_bytes(&self) -> isize {
        self.queued.load(Relaxed)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.lock().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::Control {
            pool: 0,
            control: Control::Gone(WorkerId(0)),
        }
    }

    #[test]
    fn waiting_ends_when_something_comes_and_takes_nothing() {
        let outbox = Outbox::default();
        outbox.send(message());
        outbox.wait(Duration::MAX);
        assert!(outbox.receive().is_some());
        std::thread::scope(|scope| {
            scope.spawn(|| outbox.send(message()));
            outbox.wait(Duration::from_secs(60));
            assert!(outbox.receive().is_some());
        });
        outbox.wait(Duration::ZERO);
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_is_taken_comes_in_order_and_is_no_longer_there() {
        let outbox = Outbox::default();
        let mut taken = VecDeque::new();
        for many in [2, 3 * KEPT, 0, 1] {
            for pool in 0..many {
                outbox.send(Message::Control {
                    pool: u32::try_from(pool).unwrap(),
                    control: Control::Gone(WorkerId(0)),
                });
            }
            outbox.take(&mut taken);
            assert!(outbox.is_empty());
            let pools = taken.drain(..).map(|message| match message {
                Message::Control { pool, .. } => pool as usize,
                _ => unreachable!("only these were sent"),
            });
            assert!(pools.eq(0..many));
        }
        outbox.take(&mut taken);
        assert!(taken.capacity() <= KEPT, "what was much is not kept");
    }

    #[test]
    fn is_blocked_until_the_outermost_call_is_over() {
        let outbox = Outbox::default();
        outbox.block(true);
        outbox.block(true);
        outbox.block(false);
        assert!(outbox.is_blocked());
        outbox.block(false);
        assert!(!outbox.is_blocked());
    }
}
