//! Every decision of a pool: which worker takes which task, which worker is woken, which is started. This is plain data
//! under the scheduler's lock; nothing in here rings, waits or starts anything.
//!
//! This file has the state of the pool, and what goes in and out of its queues. `choose` gives workers their tasks,
//! `direct` gives a task to a worker as it comes, and `bind` keeps tasks with a worker. `wake` decides which workers
//! are rung or started, `help` which ones help with a running task. `life` is how workers come and go, `wear` when they
//! are replaced, `give_up` how tasks end without a result. `alarms` is what happens at a time, `silence` is about
//! workers that do not come when they are rung, `reader` is about native tasks that wait for the readers of their streams,
//! `lane_state` counts the workers of a lane, and `readings` reports on
//! the pool.

mod alarms;
mod bind;
#[cfg(any(test, debug_assertions))]
mod check;
mod choose;
mod direct;
mod give_up;
mod help;
mod lane_state;
mod life;
mod reader;
mod readings;
mod silence;
#[cfg(test)]
mod tests;
mod wake;
mod wear;

use std::collections::HashMap;
use std::sync::Arc;

use super::groups::GroupLimits;
use super::ids::{Key, WorkerId};
use super::lane::{Lane, PerLane};
use super::limits::{PoolLimits, Refusal};
use super::measures::Measures;
use super::share::Share;
use super::slab::Slab;
use super::spin;
use super::stats::{Failure, Stats};
use super::targets::{Function, Targets};
use super::task::{NO_DEADLINE, NewTask, Placement, Task, URGENCY};
use super::waiting::Waiting;
use super::worker::Worker;
use alarms::Alarms;
use help::Offer;
use lane_state::LaneState;

pub(super) use alarms::ns;
pub(super) use choose::Next;
pub(super) use give_up::Given;
pub use help::Help;
pub(super) use help::Helping;
pub(super) use reader::Reading;
pub(super) use silence::Quiet;
pub(super) use wake::Wakes;
pub(super) use wear::Wear;

/// Whether new tasks are taken, and queued ones still start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
}

#[derive(Debug)]
pub(super) struct State {
    limits: PoolLimits,
    phase: Phase,
    /// No waiting task is started.
    paused: bool,
    tasks: Slab<Task>,
    targets: Targets,
    measures: Measures,
    generation: u32,
    waiting: Waiting,
    /// The number of tasks that are about to come and for which room is reserved.
    reserved: usize,
    /// The worker for each key: its id, and the serial that distinguishes it from others with that id.
    bindings: HashMap<u16, (WorkerId, u32)>,
    /// A worker that was added for a key, and has to be started.
    requested: Option<WorkerId>,
    wear: Wear,
    /// Workers that are worn and have not been told to retire.
    worn: u32,
    /// The worker that was started in place of a worn one and is not ready yet.
    replacement: Option<WorkerId>,
    lanes: PerLane<LaneState>,
    workers: Slab<Worker, 8>,
    /// The number of workers that there have been.
    serial: u32,
    queued_bytes: usize,
    share: Share,
    /// The chunks that running tasks offer to other workers.
    offers: Vec<Offer>,
    /// The number of workers that help.
    helpers: u32,
    /// The native workers whose tasks may go on, their readers having taken chunks, as soon as they have a place.
    returning: Vec<WorkerId>,
    /// No worker helps before this time: another process wants the tokens.
    no_help_before: u64,
    stats: Stats,
    alarms: Alarms,
}

impl State {
    pub(super) fn new(limits: PoolLimits, now: u64) -> Self {
        Self {
            limits,
            phase: Phase::Open,
            paused: false,
            tasks: Slab::default(),
            targets: Targets::default(),
            measures: Measures::default(),
            generation: 0,
            waiting: Waiting::default(),
            reserved: 0,
            bindings: HashMap::new(),
            requested: None,
            wear: Wear::default(),
            worn: 0,
            replacement: None,
            lanes: PerLane::default(),
            workers: Slab::default(),
            serial: 0,
            queued_bytes: 0,
            share: Share::new(),
            offers: Vec::new(),
            helpers: 0,
            returning: Vec::new(),
            no_help_before: 0,
            stats: Stats::new(now),
            alarms: Alarms::new(now),
        }
    }

    /// Whether there is something for the spinning worker of a lane.
    pub(super) fn hint(&self, lane: Lane) -> bool {
        self.waiting.runnable(lane) > 0
            || self.lanes[lane].nudged
            || (lane == Lane::Native && !self.offers.is_empty() && self.may_help())
    }

    /// Bytes of inputs in waiting tasks.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    fn busy(&self) -> u32 {
        Lane::ALL
            .into_iter()
            .map(|lane| self.lanes[lane].busy)
            .sum()
    }

    fn searching(&self) -> u32 {
        Lane::ALL
            .into_iter()
            .map(|lane| self.lanes[lane].searching)
            .sum()
    }

    fn running(&self) -> u32 {
        let running = |lane| self.lanes[lane].running;
        Lane::ALL.into_iter().map(running).sum()
    }

    /// Sets how much the tasks of a group may use.
    pub(super) fn configure_group(&mut self, name: Box<str>, limits: GroupLimits) {
        let running = self.running();
        self.waiting.configure(name, limits, running);
    }

    fn slots_of(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Native => 1,
            Lane::Script => self.limits.concurrency,
        }
    }

    /// Whether one more task would wait beyond what the workers, started or not, can take.
    fn is_full(&self, lane: Lane) -> bool {
        if self.limits.max_queue == usize::MAX {
            return false;
        }
        let slots = self.slots_of(lane) as usize;
        let state = &self.lanes[lane];
        // Helpers leave when a task comes.
        let busy = self.busy() - self.helpers;
        let unused = self.limits.max_threads.saturating_sub(busy) as usize * slots;
        let active = (state.running - state.waiting) as usize;
        let room = (self.busy_with_tasks(lane) as usize * slots).saturating_sub(active);
        (self.waiting.len() + self.reserved + 1).saturating_sub(unused + room)
            > self.limits.max_queue
    }

    /// Reserves room for a task that is about to come.
    pub(super) fn reserve(&mut self, lane: Lane) -> Result<(), Refusal> {
        if self.phase == Phase::Closed {
            return Err(Refusal::Closed);
        }
        if self.is_full(lane) {
            self.stats.failed(Failure::Refused);
            return Err(Refusal::Full);
        }
        self.reserved += 1;
        Ok(())
    }

    /// The task has come, or will not come.
    pub(super) fn unreserve(&mut self) {
        debug_assert!(self.reserved > 0, "there is a reservation to give back");
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Queues a task if there is room, or if room was reserved for it. A task that another one (`outer`, which has not
    /// ended) may wait for always has room. It counts as having come when `outer` did, and goes before all tasks of its
    /// priority.
    pub(super) fn admit(
        &mut self,
        mut new: NewTask,
        outer: Option<Key>,
        reserved: bool,
        now: u64,
    ) -> Result<Key, Refusal> {
        if reserved {
            self.unreserve();
        }
        if self.phase == Phase::Closed {
            return Err(Refusal::Closed);
        }
        if let Some((since, priority)) = outer.and_then(|outer| self.standing(outer)) {
            // A task within one that has begun goes before tasks that have not begun.
            new.priority = new.priority.min(priority.saturating_sub(1));
            return Ok(self.enqueue_as_of(new, since, now));
        }
        let pinned = matches!(new.placement, Placement::Worker(_));
        if !pinned && !reserved && self.is_full(new.lane) {
            self.stats.failed(Failure::Refused);
            return Err(Refusal::Full);
        }
        Ok(self.enqueue(new, now))
    }

    fn enqueue(&mut self, new: NewTask, now: u64) -> Key {
        self.enqueue_as_of(new, now.cast_signed(), now)
    }

    /// As [`enqueue`](Self::enqueue), but the task is ordered as if it had come at `since`.
    fn enqueue_as_of(&mut self, mut new: NewTask, since: i64, now: u64) -> Key {
        let group = new.group.take();
        self.queued_bytes += new.payload.heap_bytes();
        let generation = self.next_generation();
        let since = self.since_of(&new, since);
        let task = Task::new(new, generation, since, now);
        let index = self
            .targets
            .insert(&mut self.tasks, &mut self.measures, task);
        if let Some(name) = group {
            let running = self.running();
            self.tasks[index].group = self.waiting.group(name, running);
        }
        self.assign(index, now);
        self.waiting.push(&mut self.tasks, index);
        self.time_task(index);
        Key { index, generation }
    }

    /// The time that decides the order: usually when the task came. A task that has to start now to meet its deadline
    /// counts as having waited for [`URGENCY`]; if there is time left until then, that much less.
    fn since_of(&self, new: &NewTask, since: i64) -> i64 {
        if new.deadline == NO_DEADLINE {
            return since;
        }
        let typical = self.lanes[new.lane].typical_run;
        let last_start = new.deadline.saturating_sub(typical).min(u64::MAX / 2);
        since.min(last_start.cast_signed() - URGENCY)
    }

    /// The functions that script tasks name by numbers.
    pub(super) fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    /// A function of the script lane, from its text and its name.
    pub(super) fn function(&mut self, text: &str, name: &str) -> Function {
        let name: Arc<str> = name.into();
        let place = self.measures.place_of(&name);
        Function {
            text: text.into(),
            name,
            place,
        }
    }

    /// Never 0, because cancel flags start with that.
    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.generation
    }

    /// The task with this key, while it waits or a worker has it.
    pub(super) fn find(&self, key: Key) -> Option<&Task> {
        let task = self.tasks.get(key.index)?;
        (task.generation == key.generation).then_some(task)
    }

    /// Whether the task in a slot of a worker is the one of this generation.
    pub(super) fn runs(&self, id: WorkerId, slot: u32, generation: u32) -> bool {
        let slots = self.workers.get(id.0).map(|worker| &worker.slots);
        let index = slots.and_then(|slots| *slots.get(slot as usize)?);
        index.is_some_and(|index| self.tasks[index].generation == generation)
    }

    /// When a task was submitted, as far as the order is concerned, and its priority.
    fn standing(&self, key: Key) -> Option<(i64, i8)> {
        let task = self.find(key)?;
        Some((task.since, task.priority))
    }

    /// Takes out a waiting task that will not run.
    fn withdraw(&mut self, index: u32) -> Task {
        self.queued_bytes -= self.tasks[index].payload.heap_bytes();
        self.waiting.remove(&mut self.tasks, index);
        self.remove_task(index)
    }

    /// Takes out a task that is in no line, and its alarm.
    fn remove_task(&mut self, index: u32) -> Task {
        self.alarms.clear(&mut self.tasks[index].alarm);
        self.targets.remove(&mut self.tasks, index)
    }

    /// As `remove_task`, for a task of which nothing is needed any more.
    fn drop_task(&mut self, index: u32) {
        self.alarms.clear(&mut self.tasks[index].alarm);
        self.targets.drop(&mut self.tasks, index);
    }

    pub(super) fn lane_of(&self, id: WorkerId) -> Option<Lane> {
        self.workers.get(id.0).map(|worker| worker.lane)
    }

    /// Pauses or resumes the start of waiting tasks.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether the pool is closed and has no worker of this lane left.
    pub(super) fn has_ended(&self, lane: Lane) -> bool {
        self.phase == Phase::Closed && self.lanes[lane].workers == 0
    }
}

impl Drop for State {
    /// The workers of a pool whose owner is gone are never removed one by one, so the awake ones are uncounted here.
    fn drop(&mut self) {
        for id in self.workers.keys().collect::<Vec<_>>() {
            if self.workers[id].state.awake() {
                spin::slept();
            }
        }
    }
}
