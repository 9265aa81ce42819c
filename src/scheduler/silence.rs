//! What is known of a worker that was rung and does not come.

use std::time::Duration;

use super::wheel::EntryId;
use crate::supervise::stall::{Judge, Look, Verdict};

const MS: u64 = 1_000_000;

/// Nanoseconds after the ring until it is first looked at: most of those that are late have come by then.
const FIRST_LOOK: u64 = 20 * MS;
/// Nanoseconds between two looks. The judge must not be away for longer than it may.
const LOOK_EVERY: u64 = 250 * MS;
/// Nanoseconds after the ring from which a worker is not counted on any more.
pub(super) const UNRESPONSIVE: u64 = 1_000 * MS;

/// The letter of the thread's state and its CPU milliseconds, where the system tells.
pub(super) type Usage = Option<(char, u64)>;

/// One time that a worker was rung for, until it comes.
#[derive(Debug)]
pub(super) struct Silence {
    /// When it was rung.
    pub(super) since: u64,
    pub(super) alarm: EntryId,
    /// Others are rung and started in its place.
    pub(super) counted_out: bool,
    /// The owner knows that it is to be ended.
    pub(super) told: bool,
    judge: Judge,
    /// When it is to be ended, as far as that is known.
    limit: u64,
}

impl Silence {
    /// It may be silent for `limit` nanoseconds; `u64::MAX` is for ever.
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

    /// It has been silent for so long that it is not counted on.
    pub(super) fn is_unresponsive(&self, now: u64) -> bool {
        now.saturating_sub(self.since) >= UNRESPONSIVE
    }

    /// It is to be ended `grace` nanoseconds from now at the latest.
    pub(super) fn hasten(&mut self, grace: u64, now: u64) {
        let limit = now.saturating_add(grace);
        if limit < self.limit {
            self.limit = limit;
            self.judge
                .limit_to(Duration::from_nanos(limit - self.since));
        }
    }

    /// Whether it is stalled, by what its thread did since it was rung.
    pub(super) fn look(&mut self, usage: Usage, now: u64) -> bool {
        let look = Look {
            now: now / MS,
            beat: 0,
            debugged: false,
            usage,
        };
        self.judge.look(look) != Verdict::Fine
    }

    /// There is an excuse: the count starts again.
    pub(super) fn excuse(&mut self, limit: u64, now: u64) {
        let (since, alarm, counted_out) = (self.since, self.alarm, self.counted_out);
        *self = Self {
            since,
            alarm,
            counted_out,
            ..Self::new(now, limit)
        };
    }

    /// When it is looked at again.
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
