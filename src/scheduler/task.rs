//! One call: what the caller gave, what state the task is in, and how it ended.

use std::borrow::Cow;
use std::sync::Arc;

use super::flow::Flow;
use super::ids::{GroupId, Key, PLAIN, WorkerId};
use super::lane::Lane;
use super::measures::Place;
use super::payload::Payload;
use super::slab::NIL;
use super::wheel::EntryId;
use crate::memory::counters::CounterSet;

/// Fields that only native tasks have, and few of them.
#[derive(Clone, Debug, Default)]
pub struct Attachments {
    /// The task's parameters as JSON text.
    pub params: Option<Box<str>>,
    /// The counters of the task.
    pub counters: Option<Arc<CounterSet>>,
    /// Whether the owner hears of its progress.
    pub progress: bool,
    /// Its chunks, if it is a stream.
    pub flow: Option<Arc<Flow>>,
}

/// Which worker of its lane should run a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// Any worker.
    #[default]
    Any,
    /// The worker that has had the other tasks with this key, while it lives. Not 0, and below [`Placement::KEYS`].
    Key(u16),
    /// Only this worker: without it the task does not run.
    Worker(WorkerId),
}

impl Placement {
    /// Keys are below this.
    pub const KEYS: u16 = PINNED;
}

/// The `key` of a task that is for one worker only.
pub(super) const PINNED: u16 = u16::MAX;

/// A call as the caller makes it.
#[derive(Debug)]
pub struct NewTask {
    /// The owner's number for the call, which comes back with the outcome.
    pub ticket: u32,
    /// The function to call. The owner and the lane agree on the meaning.
    pub target: u32,
    /// The lane that runs it.
    pub lane: Lane,
    /// −20 (first) to 19 (last).
    pub priority: i8,
    /// Milliseconds for which it may run; `u32::MAX` is no limit.
    pub timeout: u32,
    /// Milliseconds for which it may wait; `u32::MAX` is no limit.
    pub queue_timeout: u32,
    /// When it must have ended, on the scheduler's clock; `u64::MAX` is never.
    pub deadline: u64,
    /// How often it may start again after its worker has died.
    pub retries: u8,
    /// The worker that should run it.
    pub placement: Placement,
    /// The name of its group, if it has one.
    pub group: Option<Box<str>>,
    /// The encoded input.
    pub payload: Payload,
    /// Rarely used fields of native tasks.
    pub attachments: Option<Box<Attachments>>,
    /// Whether the owner is told when it starts, and how long it has run.
    pub observed: bool,
    /// Whether other workers must not help with it.
    pub alone: bool,
}

/// No deadline.
pub const NO_DEADLINE: u64 = u64::MAX;
/// No time limit.
pub(super) const NO_LIMIT: u32 = u32::MAX;

/// A task as a worker receives it.
#[derive(Debug)]
pub struct Taken {
    /// Comes back with the outcome.
    pub key: Key,
    /// The slot of the worker that it occupies. Cancellation is signalled there.
    pub slot: u32,
    /// The owner's number for the call.
    pub ticket: u32,
    /// The function to run.
    pub target: u32,
    /// Milliseconds for which it may run; `u32::MAX` is no limit.
    pub timeout: u32,
    /// The encoded input.
    pub payload: Payload,
    /// Rarely used fields of native tasks.
    pub attachments: Option<Box<Attachments>>,
    /// Whether other workers must not help with it.
    pub alone: bool,
    /// Nanoseconds for which it waited, if the owner has to be told that it starts now.
    pub observed: Option<u64>,
}

/// How a task of a worker ended.
#[derive(Debug)]
pub struct Finished {
    /// The slot of the worker that it occupied.
    pub slot: u32,
    /// The generation of the task, because a slot is used again.
    pub generation: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// The nanoseconds of waiting that outweigh one level of priority.
pub(super) const LEVEL: i64 = 500_000_000;
/// The most nanoseconds of waiting that a deadline can be worth: as much as the levels from 0 to the best.
pub(super) const URGENCY: i64 = 20 * LEVEL;

/// The code of a native task's failure that was a panic.
pub const PANICKED: &str = "ERR_RSPOOL_TASK_PANIC";

/// How a task ended. Each task of the pool gets exactly one.
#[derive(Debug)]
pub enum Outcome {
    /// It returned this.
    Returned(Payload),
    /// It threw this.
    Threw(Payload),
    /// Its result could not be cloned. This is the reason.
    NotCloned(Payload),
    /// A native task failed: a stable code and a message.
    Failed {
        /// Capitals, as `ERR_RSPOOL_*`.
        code: Cow<'static, str>,
        /// For people.
        message: Box<str>,
    },
    /// It ran longer than its `timeout`.
    TaskTimeout,
    /// It waited longer than its `queue_timeout`.
    QueueTimeout,
    /// It had not ended at its `deadline`.
    Deadline,
    /// The owner had it taken out of the queue.
    Cancelled,
    /// The pool was destroyed.
    PoolClosed,
    /// Its worker ended; the owner knows why.
    WorkerGone {
        /// The worker.
        worker: WorkerId,
        /// How often the task was started.
        attempts: u8,
    },
    /// No worker of the lane could be started; the owner knows why.
    WorkerStart,
    /// How an observed task ended, and how long a worker has run it.
    Timed {
        /// Nanoseconds that it ran.
        ran: u64,
        /// How it ended.
        outcome: Box<Outcome>,
    },
}

/// The stage of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In a queue.
    Waiting,
    /// With a worker.
    Running,
    /// With a worker, but its outcome has been told. What the worker reports is dropped.
    Abandoned,
}

/// A task in the pool's store.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) ticket: u32,
    pub(super) target: u32,
    pub(super) generation: u32,
    pub(super) next: u32,
    pub(super) prev: u32,
    /// While the task waits, the worker that it waits for, if there is a particular one; later the worker that has it.
    pub(super) worker: WorkerId,
    pub(super) slot: u32,
    pub(super) group: GroupId,
    /// Nanoseconds that its group was charged for it when it started.
    pub(super) charged: u32,
    pub(super) timeout: u32,
    pub(super) queue_timeout: u32,
    /// The alarm of its stage, if that has a limit.
    pub(super) alarm: EntryId,
    /// 0, the key of tasks that should have the same worker, or [`PINNED`].
    pub(super) key: u16,
    pub(super) priority: i8,
    pub(super) retries: u8,
    pub(super) attempts: u8,
    /// Where its times are counted.
    pub(super) measure: Place,
    pub(super) lane: Lane,
    pub(super) stage: Stage,
    pub(super) observed: bool,
    pub(super) alone: bool,
    /// It runs, but waits for other tasks.
    pub(super) suspended: bool,
    /// When it came, as far as the order is concerned: earlier than in fact if it is urgent.
    pub(super) since: i64,
    /// Whether it is in a list of its queue.
    pub(super) listed: bool,
    /// When it started; until then, when it was submitted.
    pub(super) started: u64,
    pub(super) deadline: u64,
    pub(super) payload: Payload,
    pub(super) attachments: Option<Box<Attachments>>,
}

impl Task {
    pub(super) fn new(new: NewTask, generation: u32, since: i64, now: u64) -> Self {
        Self {
            ticket: new.ticket,
            target: new.target,
            generation,
            next: NIL,
            prev: NIL,
            worker: match new.placement {
                Placement::Worker(id) => id,
                _ => WorkerId::NONE,
            },
            slot: 0,
            group: PLAIN,
            charged: 0,
            key: match new.placement {
                Placement::Any => 0,
                Placement::Key(key) => key,
                Placement::Worker(_) => PINNED,
            },
            timeout: new.timeout,
            queue_timeout: new.queue_timeout,
            alarm: EntryId::NONE,
            priority: new.priority,
            retries: new.retries,
            attempts: 0,
            measure: 0,
            lane: new.lane,
            stage: Stage::Waiting,
            observed: new.observed,
            alone: new.alone,
            suspended: false,
            since,
            listed: false,
            started: now,
            deadline: new.deadline,
            payload: new.payload,
            attachments: new.attachments,
        }
    }

    /// Gives the input to the worker. A task that may start again keeps a copy.
    pub(super) fn take_payload(&mut self) -> Payload {
        if self.retries > 0 {
            return self.payload.clone();
        }
        std::mem::replace(&mut self.payload, Payload::number(0, 0.0))
    }

    /// The chunks of a stream.
    pub(super) fn flow(&self) -> Option<&Flow> {
        self.attachments.as_ref()?.flow.as_deref()
    }

    /// As [`take_payload`](Self::take_payload). A stream keeps a copy, too.
    pub(super) fn take_attachments(&mut self) -> Option<Box<Attachments>> {
        if self.retries > 0 || self.flow().is_some() {
            return self.attachments.clone();
        }
        self.attachments.take()
    }

    /// The place of the task in the order of all tasks of a pool, as a time. A level of priority is worth a certain
    /// wait, so that no task waits for ever behind more urgent ones.
    pub(super) fn due(&self) -> i64 {
        self.since + i64::from(self.priority) * LEVEL
    }

    #[cfg(test)]
    pub(super) fn for_test(ticket: u32, priority: i8) -> Self {
        let payload = Payload::number(0, 0.0);
        let new = NewTask {
            ticket,
            target: 0,
            lane: Lane::Native,
            priority,
            timeout: NO_LIMIT,
            queue_timeout: NO_LIMIT,
            deadline: NO_DEADLINE,
            retries: 0,
            placement: Placement::Any,
            group: None,
            payload,
            attachments: None,
            observed: false,
            alone: false,
        };
        Self::new(new, 0, 0, 0)
    }
}

// Queued tasks must be cheap in number: the store adds one word to this, the queue nothing.
const _: () = assert!(size_of::<Task>() <= 144);
