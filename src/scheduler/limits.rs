//! The limits of a pool, and why it refuses a task.

use crate::manner::Manner;

/// The limits of a pool.
#[derive(Clone, Debug)]
pub struct PoolLimits {
    /// Workers that are kept per lane.
    pub min_threads: u32,
    /// The most workers per lane, and the most busy workers over both lanes.
    pub max_threads: u32,
    /// Tasks that may wait beyond those that the workers can take; `usize::MAX` is no limit.
    pub max_queue: usize,
    /// Tasks that an isolate may run at once.
    pub concurrency: u32,
    /// Milliseconds for which an isolate that was rung and runs no task may stay away; `u32::MAX` is for ever.
    pub stall_timeout: u32,
    /// Milliseconds that an abandoned script task gets to end by itself; `u32::MAX` is for ever.
    pub abort_grace: u32,
    /// Milliseconds that an isolate gets to start; `u32::MAX` is for ever.
    pub start_timeout: u32,
    /// Milliseconds after which an idle worker ends; `u32::MAX` is never.
    pub idle_timeout: u32,
    /// How the threads of the workers are run.
    pub manner: Manner,
    /// The name of the pool, for people. The names of its threads contain it.
    pub label: String,
}

/// Why a task was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The queue is full.
    Full,
    /// The pool is closed.
    Closed,
}
