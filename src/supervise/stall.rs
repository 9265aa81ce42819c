//! The rule that decides when an event loop is stalled, apart from clocks and processes.
//!
//! The loop of a watched process raises a number, its beat. A beat that stays the same for `limit`
//! is a stall, except while
//!
//! * the process is stopped or traced, or an inspector is open in it: the count starts again afterwards;
//! * the watcher itself did not run (a suspended machine, a stopped primary): the count starts again, too;
//! * the process is runnable but gets little of the CPU (a throttled group, a busy machine): then it has three more
//!   limits, because it may be slow and not stuck.

use std::time::Duration;

/// What one look sees of the process.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The watcher's clock, in milliseconds.
    pub now: u64,
    /// The beat.
    pub beat: i64,
    /// An inspector is open in the process.
    pub debugged: bool,
    /// State letter and CPU milliseconds, if they could be read.
    pub usage: Option<(char, u64)>,
}

/// The result of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The loop turns, or there is an excuse.
    Fine,
    /// The loop has not turned for this many milliseconds, which is more than the limit.
    Stalled(u64),
}

/// The memory of the looks at one watched loop.
#[derive(Clone, Debug)]
pub struct Judge {
    limit: u64,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    beat: i64,
    /// When the beat was first seen, or when the last excuse was.
    since: u64,
    looked: u64,
    cpu_ms: Option<u64>,
}

/// A watcher that was away for longer must not judge.
const AWAY: u64 = 1500;
const PATIENCE: u64 = 4;
/// A runnable process that got less than this part of a core is starved.
const STARVED: u64 = 5;

impl Judge {
    /// A judge for a loop that may be silent for `limit`.
    pub fn new(limit: Duration) -> Judge {
        Judge {
            limit: limit.as_millis() as u64,
            seen: None,
        }
    }

    /// As [`new`](Self::new), for a loop that is known to be silent since `since`, with this beat.
    pub fn silent_since(since: u64, beat: i64, limit: Duration) -> Judge {
        let seen = Seen {
            beat,
            since,
            looked: since,
            cpu_ms: None,
        };
        Judge {
            seen: Some(seen),
            ..Judge::new(limit)
        }
    }

    /// From now on the loop may only be silent for this long.
    pub fn limit_to(&mut self, limit: Duration) {
        self.limit = limit.as_millis() as u64;
    }

    /// Whether the next look needs [`Look::usage`]. Reading it for each look would be a waste.
    pub fn wants_usage(&self, now: u64, beat: i64) -> bool {
        self.seen
            .is_none_or(|seen| beat != seen.beat || now - seen.since >= self.limit / 4)
    }

    /// Judges one look.
    #[must_use]
    pub fn look(&mut self, look: Look) -> Verdict {
        let cpu_ms = look.usage.map(|(_, cpu)| cpu);
        let excused = look.debugged || matches!(look.usage, Some(('T' | 't', _)));
        let fresh = Seen {
            beat: look.beat,
            since: look.now,
            looked: look.now,
            cpu_ms,
        };
        let seen = match &mut self.seen {
            Some(seen) if seen.beat == look.beat && !excused && look.now - seen.looked <= AWAY => {
                seen
            }
            _ => {
                self.seen = Some(fresh);
                return Verdict::Fine;
            }
        };
        seen.looked = look.now;
        seen.cpu_ms = seen.cpu_ms.or(cpu_ms);
        let silent = look.now - seen.since;
        if silent < self.limit {
            return Verdict::Fine;
        }
        let starved = match (look.usage, seen.cpu_ms) {
            (Some(('R', now)), Some(then)) => now.saturating_sub(then) < silent / STARVED,
            _ => false,
        };
        if starved && silent < self.limit.saturating_mul(PATIENCE) {
            return Verdict::Fine;
        }
        Verdict::Stalled(silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 250 ms from `from` up to `to`. Returns the time of the first stall.
    fn run(judge: &mut Judge, from: u64, to: u64, look: impl Fn(u64) -> Look) -> Option<u64> {
        (from..=to)
            .step_by(250)
            .find(|&now| judge.look(look(now)) != Verdict::Fine)
    }

    fn busy(now: u64) -> Look {
        Look {
            now,
            beat: 1,
            debugged: false,
            usage: Some(('R', now)),
        }
    }

    #[test]
    fn a_silent_loop_is_stalled_after_the_limit() {
        let mut judge = Judge::new(Duration::from_secs(2));
        assert_eq!(run(&mut judge, 0, 60_000, busy), Some(2000));
    }

    #[test]
    fn a_loop_that_sleeps_in_a_call_is_stalled() {
        let mut judge = Judge::new(Duration::from_secs(2));
        let asleep = |now| Look {
            usage: Some(('S', 5)),
            ..busy(now)
        };
        assert_eq!(run(&mut judge, 0, 60_000, asleep), Some(2000));
    }

    #[test]
    fn a_loop_that_was_known_to_be_silent_is_judged_from_then_on() {
        let mut judge = Judge::silent_since(1_000, 1, Duration::from_secs(2));
        assert_eq!(run(&mut judge, 1_250, 60_000, busy), Some(3_000));
        let mut judge = Judge::silent_since(1_000, 1, Duration::from_secs(20));
        assert_eq!(run(&mut judge, 1_250, 3_000, busy), None);
        judge.limit_to(Duration::from_secs(3));
        assert_eq!(run(&mut judge, 3_250, 60_000, busy), Some(4_000));
    }

    #[test]
    fn a_beat_starts_the_count_again() {
        let mut judge = Judge::new(Duration::from_secs(2));
        let beating = |now: u64| Look {
            beat: (now / 1900) as i64,
            ..busy(now)
        };
        assert_eq!(run(&mut judge, 0, 60_000, beating), None);
    }

    #[test]
    fn a_stopped_or_debugged_process_is_never_stalled_and_starts_afresh() {
        let mut judge = Judge::new(Duration::from_secs(2));
        let stopped = |now| Look {
            usage: Some(('T', 0)),
            ..busy(now)
        };
        assert_eq!(run(&mut judge, 0, 60_000, stopped), None);
        let debugged = |now| Look {
            debugged: true,
            ..busy(now)
        };
        assert_eq!(run(&mut judge, 60_250, 90_000, debugged), None);
        assert_eq!(run(&mut judge, 90_250, 120_000, busy), Some(92_000));
    }

    #[test]
    fn a_watcher_that_was_away_does_not_judge() {
        let mut judge = Judge::new(Duration::from_secs(2));
        assert_eq!(judge.look(busy(0)), Verdict::Fine);
        assert_eq!(judge.look(busy(3_600_000)), Verdict::Fine);
        assert_eq!(run(&mut judge, 3_600_250, 3_700_000, busy), Some(3_602_000));
    }

    #[test]
    fn a_starved_process_has_four_limits() {
        let mut judge = Judge::new(Duration::from_secs(2));
        let starved = |now| Look {
            usage: Some(('R', now / 10)),
            ..busy(now)
        };
        assert_eq!(run(&mut judge, 0, 60_000, starved), Some(8000));
    }
}
