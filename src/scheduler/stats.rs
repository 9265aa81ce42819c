//! What a pool has done and how long it took: counts, and histograms of wait and run times.

use std::sync::Arc;

use hdrhistogram::Histogram;

use super::bell::Progress;
use super::ids::WorkerId;
use super::lane::Lane;
use super::task::{Outcome, PANICKED};

/// An hour in nanoseconds. The histograms count longer times as this.
const LONGEST: u64 = 3_600_000_000_000;

/// A pool's figures so far.
#[derive(Debug)]
pub(super) struct Stats {
    pub(super) started_at: u64,
    pub(super) busy_ns: u64,
    completed: u64,
    failures: [u64; Failure::NAMES.len()],
    wait: Histogram<u64>,
    run: Histogram<u64>,
}

impl Stats {
    pub(super) fn new(now: u64) -> Self {
        Self {
            started_at: now,
            busy_ns: 0,
            completed: 0,
            failures: [0; Failure::NAMES.len()],
            wait: histogram(),
            run: histogram(),
        }
    }

    pub(super) fn waited(&mut self, ns: u64) {
        record(&mut self.wait, ns);
    }

    pub(super) fn ran(&mut self, ns: u64) {
        record(&mut self.run, ns);
        self.busy_ns += ns;
    }

    /// Counts nanoseconds for which workers have helped with a task.
    pub(super) fn helped(&mut self, ns: u64) {
        self.busy_ns += ns;
    }

    /// Counts a task that has ended with this outcome.
    pub(super) fn ended(&mut self, outcome: &Outcome) {
        match Failure::of(outcome) {
            None => self.completed += 1,
            Some(failure) => self.failed(failure),
        }
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        self.failures[failure as usize] += 1;
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            completed: self.completed,
            failures: self.failures,
        }
    }

    pub(super) fn wait(&self) -> Percentiles {
        Percentiles::of(&self.wait)
    }

    pub(super) fn run(&self) -> Percentiles {
        Percentiles::of(&self.run)
    }

    /// The times since they were last reset.
    pub(super) fn times(&mut self, what: Measured) -> Distribution {
        Distribution(self.histogram(what).clone())
    }

    /// Starts to measure anew.
    pub(super) fn reset(&mut self, what: Measured) {
        self.histogram(what).reset();
    }

    fn histogram(&mut self, what: Measured) -> &mut Histogram<u64> {
        match what {
            Measured::Wait => &mut self.wait,
            Measured::Run => &mut self.run,
        }
    }
}

/// Why a call gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Its function threw, or a native task gave an error.
    Thrown,
    /// It ran longer than its `timeout`.
    Timeout,
    /// It waited longer than its `queueTimeout`.
    QueueTimeout,
    /// It had not ended at its `deadline`.
    Deadline,
    /// Its caller gave it up.
    Aborted,
    /// Its input or its result could not be cloned.
    Clone,
    /// Its worker ended.
    WorkerExit,
    /// No worker could be started for it.
    WorkerStart,
    /// A native task panicked.
    Panic,
    /// The pool was destroyed.
    Closed,
    /// It never became a task: the queue was full, the input too large, or the pool closed.
    Refused,
}

impl Failure {
    /// The name of each variant, in their order.
    pub const NAMES: [&str; 11] = [
        "thrown",
        "timeout",
        "queueTimeout",
        "deadline",
        "aborted",
        "clone",
        "workerExit",
        "workerStart",
        "panic",
        "closed",
        "refused",
    ];

    /// The failure of an outcome; none if the task returned.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        Some(match outcome {
            Outcome::Returned(_) => return None,
            Outcome::Failed { code, .. } if *code == PANICKED => Self::Panic,
            Outcome::Threw(_) | Outcome::Failed { .. } => Self::Thrown,
            Outcome::NotCloned(_) => Self::Clone,
            Outcome::TaskTimeout => Self::Timeout,
            Outcome::QueueTimeout => Self::QueueTimeout,
            Outcome::Deadline => Self::Deadline,
            Outcome::Cancelled => Self::Aborted,
            Outcome::PoolClosed => Self::Closed,
            Outcome::WorkerGone { .. } => Self::WorkerExit,
            Outcome::WorkerStart => Self::WorkerStart,
            Outcome::Timed { outcome, .. } => return Self::of(outcome),
        })
    }
}

/// How the calls of a pool have ended so far.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Tasks that returned.
    pub completed: u64,
    failures: [u64; Failure::NAMES.len()],
}

impl Counts {
    /// Tasks that ended otherwise. Refused calls are not counted: they were no tasks.
    #[must_use]
    pub fn failed(&self) -> u64 {
        let all: u64 = self.failures.iter().sum();
        all - self.failures[Failure::Refused as usize]
    }

    /// Why calls gave no result, and how many for each reason.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Failure::NAMES.into_iter().zip(self.failures)
    }
}

/// One of the two times that a pool measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// From submission to start.
    Wait,
    /// From start to end.
    Run,
}

/// A histogram grows with the times that it records: up to 36 kB, but for most tasks a quarter of that.
fn histogram() -> Histogram<u64> {
    let mut times = Histogram::new_with_max(2, 2).expect("the bounds are valid");
    times.auto(true);
    times
}

fn record(times: &mut Histogram<u64>, ns: u64) {
    times.record(ns.min(LONGEST)).expect("it grows");
}

/// All times of one kind, as they are at one moment.
#[derive(Clone, Debug)]
pub struct Distribution(Histogram<u64>);

impl Distribution {
    /// The mean and the standard deviation in milliseconds.
    #[must_use]
    pub fn moments(&self) -> (f64, f64) {
        (self.0.mean() / 1e6, self.0.stdev() / 1e6)
    }

    /// The times in milliseconds, shortest first, each with the number of tasks that took it.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let longest = self.0.max();
        self.0.iter_recorded().map(move |step| {
            let ns = step.value_iterated_to().min(longest);
            (ns as f64 / 1e6, step.count_since_last_iteration())
        })
    }

    /// The shortest time in milliseconds.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.0.min() as f64 / 1e6
    }
}

/// A distribution of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Percentiles {
    /// The number of times that were measured.
    pub count: u64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// Half of the times are at most this.
    pub p50: f64,
    /// 90 % of the times are at most this.
    pub p90: f64,
    /// 99 % of the times are at most this.
    pub p99: f64,
    /// 99.9 % of the times are at most this.
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
    /// How calls have ended.
    pub counts: Counts,
    /// Milliseconds for which the oldest waiting task has waited.
    pub oldest_queued: Option<f64>,
    /// Milliseconds for which the oldest running task has run.
    pub oldest_running: Option<f64>,
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
    /// Its id.
    pub id: WorkerId,
    /// Its lane.
    pub lane: Lane,
    /// `starting`, `busy`, `idle` or `unresponsive`.
    pub state: &'static str,
    /// Tasks that it has now, including those that it was given while it still starts.
    pub running: u32,
    /// The tasks that it runs.
    pub tasks: Vec<TaskSnapshot>,
    /// Tasks that it has finished.
    pub completed: u64,
    /// Milliseconds since it was started.
    pub age: f64,
    /// Milliseconds that its tasks have run, added up.
    pub busy: f64,
    /// The system's number of its thread, if the system tells.
    pub thread: Option<u32>,
}

/// A running task at one moment.
#[derive(Clone, Debug)]
pub struct TaskSnapshot {
    /// The owner's name for the call.
    pub ticket: u32,
    /// The function that it calls.
    pub target: u32,
    /// The name of that function, in the script lane.
    pub name: Option<Arc<str>>,
    /// Milliseconds that it has run.
    pub running: f64,
    /// How far it is, if that is known.
    pub progress: Option<Progress>,
}
