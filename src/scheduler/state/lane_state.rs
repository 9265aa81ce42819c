//! Counts what a lane's workers are doing.

use crate::scheduler::spin::Gaps;

/// Tasks that run for less than this many nanoseconds are short: a woken worker would cost more, in its wake-up and in
/// turns at the lock, than it takes off the busy ones.
const SHORT_RUN: u64 = 10_000;
/// Nanoseconds of short tasks that may wait per busy worker before another worker is woken.
const BACKLOG: u64 = 250_000;
/// The assumed run time of a task in nanoseconds, until one has run.
const UNKNOWN_RUN: u64 = 10_000_000;

#[derive(Debug)]
pub(super) struct LaneState {
    /// Idle workers, the warmest last.
    pub(super) idle: Vec<u32>,
    /// Workers that run a task and could take more.
    pub(super) spare: Vec<u32>,
    /// All workers, the starting ones too.
    pub(super) workers: u32,
    pub(super) starting: u32,
    /// Those that are about to end.
    pub(super) retiring: u32,
    /// Those that were rung and have not come.
    pub(super) silent: u32,
    /// The silent workers that are not counted on, and have not been told to end.
    pub(super) counted_out: u32,
    /// Starting workers that have all the tasks they may run.
    pub(super) promised: u32,
    /// Workers that spin or were rung, and will look for tasks.
    pub(super) searching: u32,
    /// Workers that run a task which does not wait for others, or help with one.
    pub(super) busy: u32,
    /// Tasks that workers have.
    pub(super) running: u32,
    /// The tasks among them that wait for others.
    pub(super) waiting: u32,
    /// There is something for the spinning worker in particular.
    pub(super) nudged: bool,
    /// No worker is started, because the last start failed.
    pub(super) held: bool,
    /// Starts that failed in a row.
    pub(super) failures: u32,
    pub(super) gaps: Gaps,
    /// How long tasks have lately run: a moving average, in nanoseconds.
    pub(super) typical_run: u64,
}

impl Default for LaneState {
    fn default() -> Self {
        Self {
            idle: Vec::new(),
            spare: Vec::new(),
            workers: 0,
            starting: 0,
            retiring: 0,
            silent: 0,
            counted_out: 0,
            promised: 0,
            searching: 0,
            busy: 0,
            running: 0,
            waiting: 0,
            nudged: false,
            held: false,
            failures: 0,
            gaps: Gaps::default(),
            typical_run: UNKNOWN_RUN,
        }
    }
}

impl LaneState {
    pub(super) fn ran(&mut self, ns: u64) {
        self.typical_run = (self.typical_run * 7 + ns.min(1 << 40)) / 8;
    }

    /// The workers that are counted on and not about to end. A retired isolate takes its time, so it is not counted.
    pub(super) fn staying(&self) -> u32 {
        self.workers - self.retiring - self.counted_out
    }

    /// Whether the busy workers will have taken the waiting tasks before a woken worker could.
    pub(super) fn keeps_up(&self, waiting: usize) -> bool {
        self.busy > 0
            && self.typical_run < SHORT_RUN
            && waiting as u64 * self.typical_run < BACKLOG * u64::from(self.busy)
    }
}
