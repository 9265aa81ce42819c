//! Replaces isolates though nothing is wrong with them: after a number of tasks, at an age, when one says that it has
//! grown too large, or each after its first task.
//!
//! A worn isolate goes on working until another is ready in its place, so there are never fewer, and for that moment
//! there is one more. One is replaced at a time. The limits differ by up to a tenth from worker to worker, so that
//! workers that started together do not end together.
//!
//! If each isolate has one task, the next isolate is started while that task runs: as many as there are waiting tasks,
//! up to the limit of busy workers, and at least one while any task runs.

use std::sync::Arc;

use super::{Phase, State, Wakes};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::worker::{Worker, WorkerState};

/// An idle worker beyond the minimum is not replaced but ends after this many nanoseconds.
const UNUSED: u64 = 1_000_000_000;

/// When isolates are replaced.
#[derive(Clone, Copy, Debug)]
pub(in crate::scheduler) struct Wear {
    /// After this many tasks; `u32::MAX` is never.
    pub(in crate::scheduler) tasks: u32,
    /// This many nanoseconds after they are ready; `u64::MAX` is never.
    pub(in crate::scheduler) age: u64,
    /// Each has one task only.
    pub(in crate::scheduler) one_task: bool,
}

impl Default for Wear {
    fn default() -> Self {
        Self {
            tasks: u32::MAX,
            age: u64::MAX,
            one_task: false,
        }
    }
}

impl Wear {
    pub(super) fn is_worn_by(&self, worker: &Worker) -> bool {
        self.tasks != u32::MAX
            && worker.lane == Lane::Script
            && worker.completed >= jittered(u64::from(self.tasks), worker.serial)
    }

    /// Nanoseconds after which this worker is too old, if there is a limit.
    pub(super) fn age_of(&self, worker: &Worker) -> Option<u64> {
        let ages = self.age != u64::MAX && worker.lane == Lane::Script;
        ages.then(|| jittered(self.age, worker.serial))
    }
}

/// A number up to a tenth away from `limit`; for the same worker always the same.
fn jittered(limit: u64, serial: u32) -> u64 {
    // Neighbours get numbers far apart (Knuth's multiplicative hash).
    let spread = f64::from(serial.wrapping_mul(0x9e37_79b1)) / f64::from(u32::MAX);
    ((limit as f64 * (0.9 + 0.2 * spread)).round() as u64).max(1)
}

impl State {
    pub(in crate::scheduler) fn set_wear(&mut self, wear: Wear) {
        self.wear = wear;
    }

    /// Marks a worker that should be replaced.
    pub(in crate::scheduler) fn wear_out(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(id.0) else {
            return;
        };
        if !worker.retiring && !std::mem::replace(&mut worker.worn, true) {
            self.worn += 1;
        }
    }

    /// Replaces every isolate. If each has one task only, the isolates without a task end now, and others are started
    /// as tasks need them. Returns the bells to ring.
    pub(in crate::scheduler) fn wear_all_out(&mut self, now: u64) -> Vec<Arc<dyn Bell>> {
        let isolates: Vec<u32> = self
            .workers
            .keys()
            .filter(|&id| self.workers[id].lane == Lane::Script && !self.workers[id].retiring)
            .collect();
        if self.wear.one_task {
            return isolates
                .into_iter()
                .filter_map(|id| self.retire(id, now))
                .collect();
        }
        for id in isolates {
            self.wear_out(WorkerId(id));
        }
        Vec::new()
    }

    /// The workers of a lane that stay, not counting one that is to replace another.
    pub(super) fn settled(&self, lane: Lane) -> u32 {
        // A worker that has been told to end is not counted anyway.
        let stays = |id: WorkerId| self.workers[id.0].stays();
        let extra = lane == Lane::Script && self.replacement.is_some_and(stays);
        self.lanes[lane].staying() - u32::from(extra)
    }

    /// Starts the next isolate that will replace another.
    pub(super) fn renew(&mut self, now: u64, wakes: &mut Wakes) {
        let lane = &self.lanes[Lane::Script];
        if self.phase == Phase::Closed || lane.held || wakes.starts[Lane::Script].is_some() {
            return;
        }
        if self.wear.one_task {
            let waiting = self.waiting.runnable(Lane::Script) + self.waiting.bound();
            let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
            let least = u32::from(lane.running > 0 || waiting > 0).max(self.limits.min_threads);
            let needed = waiting.min(self.limits.max_threads).max(least);
            if lane.staying() < needed && lane.workers < 2 * self.limits.max_threads + lane.waiting
            {
                wakes.starts[Lane::Script] = Some(self.add_worker(Lane::Script, now));
            }
            return;
        }
        if self.replacement.is_some() {
            return;
        }
        if let Some(id) = self.worn_worker_but(None)
            && self.workers[id.0].state == WorkerState::Idle
            && now.saturating_sub(self.workers[id.0].idle_since) >= UNUSED
            && self.settled(Lane::Script) > self.limits.min_threads
        {
            // No task needs it.
            wakes
                .bound
                .get_or_insert_default()
                .extend(self.retire(id.0, now));
            return;
        }
        let id = self.add_worker(Lane::Script, now);
        self.replacement = Some(id);
        wakes.starts[Lane::Script] = Some(id);
    }

    /// A worn worker: an idle one, or the oldest.
    fn worn_worker_but(&self, other: Option<WorkerId>) -> Option<WorkerId> {
        self.workers
            .keys()
            .filter(|&id| self.workers[id].worn && !self.workers[id].retiring)
            .filter(|&id| other != Some(WorkerId(id)))
            .min_by_key(|&id| {
                let worker = &self.workers[id];
                (worker.state != WorkerState::Idle, worker.since)
            })
            .map(WorkerId)
    }

    /// If this worker was started in place of a worn one, that one ends now. Returns the bell to ring.
    pub(super) fn relieve(&mut self, id: WorkerId, now: u64) -> Option<Arc<dyn Bell>> {
        self.replacement.take_if(|other| *other == id)?;
        // The new worker may be worn itself by now. Then it works until another is ready.
        let worn = self.worn_worker_but(Some(id))?;
        self.retire(worn.0, now)
    }
}
