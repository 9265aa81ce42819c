//! When a worker without a task may wait actively, and for how long.
//!
//! Spinning for some microseconds saves the sleep and wake of an idle worker (tens of microseconds) when tasks come one
//! at a time. It must never take a core from work. So at most one worker per lane spins (the scheduler counts the
//! searchers), only while a core is spare, and only if tasks have lately come soon enough. The time between tasks is
//! measured even if no worker spins. So a caller that waits for one task after the other gets from the slow pace, where
//! both sides sleep and are woken, to the fast one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Nanoseconds for which a worker spins at least, and at most, before it goes idle.
const SHORTEST: u64 = 20_000;
const LONGEST: u64 = 100_000;
/// A longer time without a task counts as this much, so that a faster pace shows soon.
const CAP: u64 = 4 * LONGEST;
/// Where tasks come too seldom, one wait in this many spins all the same.
const PROBE: u32 = 32;

/// Workers of all pools of the process that run a task or look for one.
static AWAKE: AtomicU32 = AtomicU32::new(0);

fn cores() -> u32 {
    static CORES: OnceLock<u32> = OnceLock::new();
    *CORES.get_or_init(|| u32::try_from(num_cpus::get()).unwrap_or(u32::MAX))
}

/// A worker began to run or look for tasks.
pub(super) fn woke() {
    AWAKE.fetch_add(1, Relaxed);
}

/// A worker went idle or ended.
pub(super) fn slept() {
    AWAKE.fetch_sub(1, Relaxed);
}

/// Whether a worker that is awake leaves a core for the thread that submits.
pub(super) fn core_is_spare() -> bool {
    AWAKE.load(Relaxed) < cores()
}

/// How long the workers of a lane have lately been without a task: a moving average.
#[derive(Debug)]
pub(super) struct Gaps {
    typical: u64,
    refused: u32,
}

impl Default for Gaps {
    fn default() -> Self {
        Self {
            typical: SHORTEST,
            refused: 0,
        }
    }
}

impl Gaps {
    /// How long a worker should spin now, if at all.
    pub(super) fn budget(&mut self) -> Option<u64> {
        if self.typical <= LONGEST {
            return Some((2 * self.typical).clamp(SHORTEST, LONGEST));
        }
        self.refused = self.refused.wrapping_add(1);
        self.refused.is_multiple_of(PROBE).then_some(SHORTEST)
    }

    /// A worker got a task after `ns` nanoseconds without one.
    pub(super) fn ended(&mut self, ns: u64) {
        self.typical = (3 * self.typical + ns.min(CAP)) / 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spins_for_as_long_as_the_next_task_lately_took() {
        let mut gaps = Gaps::default();
        for _ in 0..20 {
            gaps.ended(40_000);
        }
        assert!(
            gaps.budget()
                .is_some_and(|ns| (70_000..=90_000).contains(&ns))
        );
        for _ in 0..20 {
            gaps.ended(1_000);
        }
        assert_eq!(gaps.budget(), Some(SHORTEST));
    }

    #[test]
    fn seldom_tasks_turn_it_off_but_for_a_probe_and_soon_ones_turn_it_on_again() {
        let mut gaps = Gaps::default();
        for _ in 0..20 {
            gaps.ended(1_000_000_000);
        }
        let spins = (0..10 * PROBE).filter(|_| gaps.budget().is_some()).count();
        assert_eq!(spins, 10);
        for _ in 0..6 {
            gaps.ended(10_000);
        }
        assert!(gaps.budget().is_some());
    }
}
