//! Native tasks that wait for the readers of their streams.
//!
//! A task that has no room for its next chunk leaves its place to others, and so its token of the CPU budget. Its thread
//! sleeps; it counts for nothing meanwhile, so the lane may have one thread more. Once the reader has taken chunks, the
//! task *returns*: it waits for a place, as a task that has not begun does, and has the same rank among those as when it
//! was one of them. A task that was given up has its place again at once, since it only has to end.

use std::sync::Arc;

use super::wake::Wakes;
use super::{Phase, State};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::task::{Stage, Task};
use crate::scheduler::worker::WorkerState;

/// The state of a stream, for its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheduler) enum Reading {
    /// There is room for a chunk.
    HasRoom,
    /// There is none, or no place to go on: the producer waits.
    Waits,
    /// Nobody reads any more.
    GivenUp,
}

impl State {
    fn task_in(&self, id: WorkerId, slot: u32) -> Option<&Task> {
        let slots = &self.workers.get(id.0)?.slots;
        let index = (*slots.get(slot as usize)?)?;
        Some(&self.tasks[index])
    }

    /// The task of a native worker has found no room for a chunk. If there still is none, it leaves its place.
    pub(in crate::scheduler) fn wait_for_reader(
        &mut self,
        id: WorkerId,
        slot: u32,
        now: u64,
    ) -> Reading {
        let Some(task) = self.task_in(id, slot) else {
            return Reading::GivenUp;
        };
        match task.flow() {
            Some(flow) if task.stage == Stage::Running => {
                if flow.has_room() {
                    return Reading::HasRoom;
                }
            }
            _ => return Reading::GivenUp,
        }
        self.set_waits(id, slot, true, now);
        self.workers[id.0].idle_since = now;
        self.enter(id.0, WorkerState::Blocked);
        Reading::Waits
    }

    /// Whether a task that waited for its reader has its place again.
    pub(in crate::scheduler) fn reading(&self, id: WorkerId, slot: u32) -> Reading {
        match self.task_in(id, slot) {
            Some(task) if task.suspended => Reading::Waits,
            Some(task) if task.stage == Stage::Running => Reading::HasRoom,
            _ => Reading::GivenUp,
        }
    }

    /// The reader of a stream has taken this many chunks.
    pub(in crate::scheduler) fn has_read(&mut self, key: Key, chunks: usize) {
        let Some(task) = self.find(key) else {
            return;
        };
        let goes_on = task.flow().is_some_and(|flow| flow.taken(chunks));
        let (id, suspended) = (task.worker, task.suspended);
        if goes_on && suspended && !self.returning.contains(&id) {
            self.returning.push(id);
        }
    }

    /// The tasks that would go on now if there was a place for them.
    fn returning_tasks(&self) -> impl Iterator<Item = u32> {
        let tasks = self.returning.iter().filter_map(|id| {
            let mut slots = self.workers[id.0].slots.iter().flatten();
            slots.find(|&&index| self.tasks[index].suspended).copied()
        });
        tasks.filter(|&index| self.waiting.may_run(&self.tasks[index]))
    }

    /// The number of tasks that would go on now if there was a place for them.
    pub(super) fn returning_count(&self) -> usize {
        self.returning_tasks().count()
    }

    /// Whether a task that returns will have the place that a waiting task could take.
    pub(super) fn yields_to_returning(&self, own: u32) -> bool {
        !self.returning.is_empty()
            && self
                .next_returning(true)
                .is_some_and(|index| !self.waiting.precedes(&self.tasks, own, index))
    }

    /// The task that should go on next. If `in_order`, none while a waiting task should have the place before it.
    fn next_returning(&self, in_order: bool) -> Option<u32> {
        let precedes = |a, b| self.waiting.precedes(&self.tasks, a, b);
        let first = self
            .returning_tasks()
            .reduce(|best, next| if precedes(next, best) { next } else { best })?;
        if !in_order || self.paused || self.phase == Phase::Closed {
            return Some(first);
        }
        let native = self.waiting.head(&self.tasks, Lane::Native);
        let rivals = native.into_iter().chain(self.rival(Lane::Native));
        let behind = rivals.into_iter().any(|rival| precedes(rival, first));
        (!behind).then_some(first)
    }

    /// Lets tasks go on for which there is a place. Returns the bells of their workers.
    pub(in crate::scheduler) fn go_on(&mut self, in_order: bool, now: u64) -> Vec<Arc<dyn Bell>> {
        let mut bells = Vec::new();
        while let Some(index) = self.next_returning(in_order) {
            let busy = self.busy();
            if busy >= self.limits.max_threads || !self.share.afford(busy) {
                break;
            }
            let (id, slot) = (self.tasks[index].worker, self.tasks[index].slot);
            self.set_waits(id, slot, false, now);
            bells.extend(self.workers[id.0].bell.clone());
        }
        bells
    }

    pub(super) fn let_go_on(&mut self, now: u64, wakes: &mut Wakes) {
        let bells = self.go_on(true, now);
        if !bells.is_empty() {
            wakes.back = Some(Box::new(bells));
        }
    }

    /// How many threads or isolates a lane may have. A thread whose task waits for its reader is not counted.
    pub(super) fn most_workers(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Native => self.limits.max_threads + self.lanes[lane].waiting,
            Lane::Script => self.limits.max_threads,
        }
    }

    #[cfg(any(test, debug_assertions))]
    pub(super) fn check_returning(&self) {
        for id in self.workers.keys() {
            let worker = &self.workers[id];
            let blocked = worker.lane == Lane::Native && worker.waiting > 0;
            assert_eq!(worker.state == WorkerState::Blocked, blocked, "blocked");
        }
        for (at, id) in self.returning.iter().enumerate() {
            let worker = self.workers.get(id.0);
            assert!(
                worker.is_some_and(|worker| worker.state == WorkerState::Blocked),
                "who returns has waited"
            );
            assert!(!self.returning[..at].contains(id), "it returns once");
        }
    }
}
