//! A pool: its queue, tickets, limits, idle workers and statistics. There is no Node-API in here.
//!
//! A [`Scheduler`] is one pool. Callers [`submit`](Scheduler::submit); workers of either lane pull
//! with [`exchange`](Scheduler::exchange), which hands over the result of one task and takes the
//! next; results go to the owner's [`Outbox`]. All decisions are taken under one short lock (`state`), and
//! everything that may be slow (ringing, starting a thread) happens after it is released (`pool`).

mod bell;
mod blocked;
mod called;
mod clock;
#[cfg(test)]
mod driver;
mod flow;
mod groups;
mod ids;
mod job;
mod lane;
mod latest;
mod limits;
mod measures;
mod outbox;
mod payload;
mod pool;
mod queue;
mod rest;
mod share;
mod silence;
mod slab;
mod spin;
mod state;
mod stats;
mod targets;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod timer;
mod waiting;
mod wheel;
mod worker;

pub use bell::{Bell, Progress, Ring, Ringer};
pub use clock::now;
pub use flow::Flow;
pub use groups::GroupLimits;
pub use ids::{Key, WorkerId};
pub use job::{Chunk, Ended};
pub use lane::Lane;
pub use latest::Latest;
pub use limits::{PoolLimits, Refusal};
pub use measures::{BOUNDS, Buckets, Measure, Name};
pub use outbox::{Control, Ending, Message, Outbox, Reminder};
pub use payload::{Body, Payload};
pub use pool::{Launch, Producer, Scheduler, Step, Submitted};
pub use queue::PRIORITIES;
pub use state::Help;
pub use stats::{
    Counts, Distribution, Failure, Measured, Percentiles, Snapshot, TaskSnapshot, WorkerSnapshot,
};
pub use task::{Attachments, Finished, NO_DEADLINE, NewTask, Outcome, PANICKED, Placement, Taken};
