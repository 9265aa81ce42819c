//! What a pool has done, and how long it took: counts, and histograms of waiting and running.

use hdrhistogram::Histogram;

use super::lane::Lane;
use super::worker::WorkerId;

/// An hour, in the histograms' nanoseconds: longer times are counted as this.
const LONGEST: u64 = 3_600_000_000_000;

/// A pool's figures so far.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) started_at: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) busy_ns: u64,
    wait: Histogram<u64>,
    run: Histogram<u64>,
}

impl Stats {
    pub(super) fn new(now: u64) -> Self {
        let histogram = || Histogram::new_with_bounds(1, LONGEST, 2).expect("the bounds are valid");
        Self {
            started_at: now,
            completed: 0,
            failed: 0,
            busy_ns: 0,
            wait: histogram(),
            run: histogram(),
        }
    }

    pub(super) fn waited(&mut self, ns: u64) {
        self.wait.saturating_record(ns);
    }

    pub(super) fn ran(&mut self, ns: u64) {
        self.run.saturating_record(ns);
        self.busy_ns += ns;
    }

    pub(super) fn wait(&self) -> Percentiles {
        Percentiles::of(&self.wait)
    }

    pub(super) fn run(&self) -> Percentiles {
        Percentiles::of(&self.run)
    }
}

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// Half took at most this.
    pub p50: f64,
    /// 90 % took at most this.
    pub p90: f64,
    /// 99 % took at most this.
    pub p99: f64,
    /// 99.9 % took at most this.
    pub p999: f64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let ms = |ns: u64| ns as f64 / 1e6;
        let at = |quantile: f64| ms(histogram.value_at_quantile(quantile).min(histogram.max()));
        Self {
            count: histogram.len(),
            min: ms(histogram.min()),
            max: ms(histogram.max()),
            mean: histogram.mean() / 1e6,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
        }
    }
}

/// A pool at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The workers of both lanes.
    pub workers: Vec<WorkerSnapshot>,
    /// Tasks that wait.
    pub queued: usize,
    /// Tasks with a worker.
    pub running: usize,
    /// Tasks that returned.
    pub completed: u64,
    /// Tasks that ended otherwise.
    pub failed: u64,
    /// Times from submission to start.
    pub wait: Percentiles,
    /// Times from start to end.
    pub run: Percentiles,
    /// Share of the workers' allowed time that was spent running tasks, 0 to 1.
    pub utilization: f64,
    /// Bytes of inputs that wait.
    pub queued_bytes: usize,
}

/// A worker at one moment.
#[derive(Debug)]
pub struct WorkerSnapshot {
    /// Which.
    pub id: WorkerId,
    /// Of which lane.
    pub lane: Lane,
    /// `starting`, `busy` or `idle`.
    pub state: &'static str,
    /// Tasks that it runs now.
    pub running: u32,
    /// Tasks that it has finished.
    pub completed: u64,
    /// Milliseconds since it was started.
    pub age: f64,
    /// Milliseconds that its finished tasks ran, added up.
    pub busy: f64,
}
