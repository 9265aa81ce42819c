//! The state of a worker that was rung and does not come.

use std::time::Duration;

use super::wheel::EntryId;
use crate::supervise::stall::{Judge, Look, Verdict};

const MS: u64 = 1_000_000;

/// Nanoseconds from the ring to the first look: most late workers have come by then.
const FIRST_LOOK: u64 = 20 * MS;
/// Nanoseconds between two looks: few enough that the judge is never away for too long to judge.
const LOOK_EVERY: u64 = 250 * MS;
/// Nanoseconds after the ring from which a worker is no longer counted on.
pub(super) const UNRESPONSIVE: u64 = 1_000 * MS;

/// The letter of the thread's state and its CPU milliseconds, if the system tells.
pub(super) type Usage = Option<(char, u64)>;

/// The silence of a worker: from the ring until it comes.
#[derive(Debug)]
pub(super) struct Silence {
    /// When it was rung.
    pub(super) since: u64,
    pub(super) alarm: EntryId,
    /// Others are rung and started in place of the worker.
    pub(super) counted_out: bool,
    /// The owner has been told to end the worker.
    pub(super) told: bool,
    judge: Judge,
    /// When the owner should end the worker, as far as that is known.
    limit: u64,
}

impl Silence {
    /// The worker may be silent for `limit` nanoseconds; `u64::MAX` is for ever.
    pub(super) fn new(since: u64, limit: u64) -> Self {
        Self {
            since,
            alarm: EntryId::NONE,
            counted_out: false,
            told: false,
            judge: Judge::silent_since(since / MS, 0, Duration::from_nanos(limit)),
            limit: since.saturating_add(limit),
        }
    }

    pub(super) fn first_look(&self) -> u64 {
        self.since + FIRST_LOOK
    }

    /// Whether the worker has been silent for too long to be counted on.
    pub(super) fn is_unresponsive(&self, now: u64) -> bool {
        now.saturating_sub(self.since) >= UNRESPONSIVE
    }

    /// Brings the end of the worker forward: at most `grace` nanoseconds from now.
    pub(super) fn hasten(&mut self, grace: u64, now: u64) {
        let limit = now.saturating_add(grace);
        if limit < self.limit {
            self.limit = limit;
            self.judge
                .limit_to(Duration::from_nanos(limit - self.since));
        }
    }

    /// Whether the worker is stalled, judged by what its thread did since the ring.
    pub(super) fn look(&mut self, usage: Usage, now: u64) -> bool {
        let look = Look {
            now: now / MS,
            beat: 0,
            debugged: false,
            usage,
        };
        self.judge.look(look) != Verdict::Fine
    }

    /// There is an excuse: the judge starts to count again.
    pub(super) fn excuse(&mut self, limit: u64, now: u64) {
        let (since, alarm, counted_out) = (self.since, self.alarm, self.counted_out);
        *self = Self {
            since,
            alarm,
            counted_out,
            ..Self::new(now, limit)
        };
    }

    /// When to look at the worker again.
    pub(super) fn next_look(&self, now: u64) -> u64 {
        let mut next = now + LOOK_EVERY;
        for milestone in [self.since + UNRESPONSIVE, self.limit] {
            if milestone > now {
                next = next.min(milestone);
            }
        }
        next
    }
}
