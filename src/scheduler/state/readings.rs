//! Readings of a pool at one moment.

use std::sync::Arc;

use super::State;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::measures::Measure;
use crate::scheduler::stats::{
    Distribution, Failure, Measured, Snapshot, TaskSnapshot, WorkerSnapshot,
};
use crate::scheduler::task::Task;
use crate::scheduler::worker::{Worker, WorkerState};

impl State {
    /// The number of waiting tasks, and of running tasks.
    pub(in crate::scheduler) fn load(&self) -> (usize, usize) {
        (self.waiting.len(), self.running() as usize)
    }

    /// The workers of a lane that are ready and will stay.
    pub(in crate::scheduler) fn ready_ids(&self, lane: Lane) -> Vec<WorkerId> {
        let ready = |&id: &u32| {
            let worker = &self.workers[id];
            worker.lane == lane && worker.stays() && worker.state != WorkerState::Starting
        };
        self.workers.keys().filter(ready).map(WorkerId).collect()
    }

    pub(in crate::scheduler) fn count_failure(&mut self, failure: Failure) {
        self.stats.failed(failure);
    }

    pub(in crate::scheduler) fn times(&mut self, what: Measured) -> Distribution {
        self.stats.times(what)
    }

    pub(in crate::scheduler) fn reset_times(&mut self, what: Measured) {
        self.stats.reset(what);
    }

    pub(in crate::scheduler) fn snapshot(&self, now: u64) -> Snapshot {
        let (queued, running) = self.load();
        let workers: Vec<_> = self
            .workers
            .keys()
            .map(|id| self.worker_snapshot(WorkerId(id), now))
            .collect();
        let begun = self.workers.keys().flat_map(|id| self.begun_tasks(id));
        let running_ns: u64 = begun.map(|task| now.saturating_sub(task.started)).sum();
        let age = |since: u64| ms(now.saturating_sub(since));
        let allowed = now.saturating_sub(self.stats.started_at).max(1) as f64
            * f64::from(self.limits.max_threads);
        Snapshot {
            queued,
            running,
            counts: self.stats.counts(),
            oldest_queued: self.oldest_queued().map(age),
            oldest_running: workers
                .iter()
                .flat_map(|worker| &worker.tasks)
                .map(|task| task.running)
                .reduce(f64::max),
            workers,
            wait: self.stats.wait(),
            run: self.stats.run(),
            utilization: ((self.stats.busy_ns + running_ns) as f64 / allowed).min(1.0),
            queued_bytes: self.queued_bytes,
        }
    }

    fn worker_snapshot(&self, id: WorkerId, now: u64) -> WorkerSnapshot {
        let worker = &self.workers[id.0];
        let silent = worker.silence.as_ref();
        let state = match worker.state {
            WorkerState::Starting => "starting",
            _ if silent.is_some_and(|silence| silence.is_unresponsive(now)) => "unresponsive",
            _ if worker.is_busy() => "busy",
            _ => "idle",
        };
        let since = |task: &Task| now.saturating_sub(task.started);
        WorkerSnapshot {
            id,
            lane: worker.lane,
            state,
            running: worker.running,
            tasks: self
                .begun_tasks(id.0)
                .map(|task| TaskSnapshot {
                    ticket: task.ticket,
                    target: task.target,
                    name: match task.lane {
                        Lane::Native => None,
                        Lane::Script => self.name_of(task.target),
                    },
                    running: ms(since(task)),
                    progress: worker.bell.as_ref().and_then(|bell| bell.progress()),
                })
                .collect(),
            completed: worker.completed,
            age: ms(now.saturating_sub(worker.since)),
            busy: ms(worker.busy_ns + self.begun_tasks(id.0).map(since).sum::<u64>()),
            thread: worker.thread,
        }
    }

    fn name_of(&self, target: u32) -> Option<Arc<str>> {
        let function = self.targets.get(target);
        function.map(|function| Arc::clone(&function.name))
    }

    /// The times of tasks, by the names of the tasks.
    pub(in crate::scheduler) fn measures(&self) -> Vec<Measure> {
        self.measures.told()
    }

    /// The tasks that a worker runs. A worker that is still starting may have tasks, but runs none.
    fn begun_tasks(&self, id: u32) -> impl Iterator<Item = &Task> {
        let worker = &self.workers[id];
        let begun = worker.state != WorkerState::Starting;
        let tasks = worker.slots.iter().flatten().filter(move |_| begun);
        tasks.map(|&index| &self.tasks[index])
    }

    /// When the oldest waiting task came, including tasks whose worker is still starting.
    fn oldest_queued(&self) -> Option<u64> {
        let starting = |worker: &&Worker| worker.state == WorkerState::Starting;
        let workers = self.workers.keys().map(|id| &self.workers[id]);
        let given = workers
            .filter(starting)
            .flat_map(|worker| worker.slots.iter().flatten())
            .map(|&index| self.tasks[index].started);
        given.chain(self.waiting.oldest(&self.tasks)).min()
    }
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}
