//! When a worker without a task may wait actively, and for how long.
//!
//! Spinning for a few microseconds saves the sleep and wake of an idle worker (tens of
//! microseconds) when tasks come one at a time. It must never take a core from work: at most one
//! worker of a lane spins (the scheduler counts searchers), only while a core is spare, and a run
//! of misses turns it off but for a probe now and then.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Nanoseconds that a worker spins before it goes idle.
pub(super) const SPIN_NS: u64 = 20_000;
/// Misses in a row after which only every `PROBE`th wait spins.
const MISSES: u32 = 16;
const PROBE: u32 = 32;

/// Workers of all pools of the process that run or look for a task.
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

/// Whether a worker that is awake leaves a core to the thread that submits.
pub(super) fn core_is_spare() -> bool {
    AWAKE.load(Relaxed) < cores()
}

/// How a pool's spins have gone lately.
#[derive(Debug, Default)]
pub(super) struct Luck {
    misses: u32,
}

impl Luck {
    pub(super) fn worth_a_try(&mut self) -> bool {
        if self.misses < MISSES {
            return true;
        }
        self.misses += 1;
        self.misses.is_multiple_of(PROBE)
    }

    pub(super) fn hit(&mut self) {
        self.misses = 0;
    }

    pub(super) fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }
}
