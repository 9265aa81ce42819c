//! Every decision of a pool: who takes which task, who is woken, who is started. Plain data under
//! the scheduler's lock; nothing in here rings, waits or starts anything.
//!
//! Waking: a submit wakes at most one worker of the lane, and none while one searches (spins or is
//! waking), because that one will take the task. A worker that takes a task and leaves others
//! waiting wakes the next. So n workers cost no more than one.
//!
//! Nor is a worker woken for tasks that the busy ones will have taken before it could come, judged by
//! how long tasks have lately run. An alarm checks that guess: see `Alarm::Wakers`.
//!
//! The CPU limit: at most `max_threads` workers over both lanes run tasks. Where the last free place
//! is wanted by both lanes, the better priority has it, then whoever has waited longer. But a worker
//! that was woken keeps its place for a `TURN` against equal priorities: under a backlog every task
//! has waited long, and mixed small tasks would pay a switch of lanes each.

use std::sync::Arc;

use super::lane::{Lane, PerLane};
use super::outbox::{Bell, Message};
use super::pool::Limits;
use super::queue::Queue;
use super::share::Share;
use super::slab::Slab;
use super::spin::{self, Gaps};
use super::stats::{Snapshot, Stats, WorkerSnapshot};
use super::task::{Key, NO_LIMIT, NewTask, Outcome, Stage, Taken, Task};
use super::worker::{Worker, WorkerId, WorkerState};

/// Nanoseconds for which a worker that was woken does not give its place to the other lane.
const TURN: u64 = 2_000_000;

/// Tasks that run for less than so many nanoseconds are short: a woken worker would cost more, in its
/// wake-up and in turns at the lock, than it takes off the busy ones.
const SHORT_RUN: u64 = 10_000;
/// Nanoseconds of short tasks that may wait for each busy worker before another is woken.
const BACKLOG: u64 = 250_000;

/// Whether new tasks are taken, and queued ones still run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closed,
}

#[derive(Debug)]
pub(super) struct LaneState {
    /// Idle workers, the warmest last.
    idle: Vec<u32>,
    /// Workers that run a task and could take more.
    spare: Vec<u32>,
    /// All workers, the starting ones too.
    pub(super) workers: u32,
    pub(super) starting: u32,
    /// Starting workers that have all the tasks they may run.
    promised: u32,
    searching: u32,
    busy: u32,
    running: u32,
    /// No worker is started: the last ones failed to.
    pub(super) held: bool,
    gaps: Gaps,
    /// How long tasks have lately run: a moving average, in nanoseconds.
    typical_run: u64,
}

/// What tasks are taken to run for until some have.
const UNKNOWN_RUN: u64 = 10_000_000;

impl Default for LaneState {
    fn default() -> Self {
        Self {
            idle: Vec::new(),
            spare: Vec::new(),
            workers: 0,
            starting: 0,
            promised: 0,
            searching: 0,
            busy: 0,
            running: 0,
            held: false,
            gaps: Gaps::default(),
            typical_run: UNKNOWN_RUN,
        }
    }
}

impl LaneState {
    fn ran(&mut self, ns: u64) {
        self.typical_run = (self.typical_run * 7 + ns.min(1 << 40)) / 8;
    }

    /// Whether the busy workers will have taken what waits before a woken one could.
    fn keeps_up(&self, waiting: usize) -> bool {
        self.busy > 0
            && self.typical_run < SHORT_RUN
            && waiting as u64 * self.typical_run < BACKLOG * u64::from(self.busy)
    }
}

/// What has to happen once the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Wakes {
    pub(super) rings: PerLane<Option<Arc<dyn Bell>>>,
    pub(super) starts: PerLane<Option<WorkerId>>,
    /// Nobody was woken for something, because it will not wait for long.
    pub(super) trusted: bool,
    /// The pool lacks a token of the CPU budget.
    pub(super) starved: bool,
}

/// A worker that has to be told that nobody waits for a task of its any more.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) bell: Arc<dyn Bell>,
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// What a worker that asked for a task does next.
#[derive(Debug)]
pub(super) enum Next {
    Run(Taken),
    /// Wait actively for so many nanoseconds, then ask again.
    Spin(u64),
    Idle,
    Retire,
}

/// What became of a task that its caller gave up.
#[derive(Debug)]
pub(super) enum Given {
    /// It had not started; this was its input's lane.
    Waiting,
    /// It runs on; its worker is told through the bell, for this slot.
    Running(u32, Option<Arc<dyn Bell>>),
    /// It had ended.
    Ended,
}

#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    pub(super) phase: Phase,
    /// Nothing that waits is started.
    paused: bool,
    tasks: Slab<Task>,
    generation: u32,
    queues: PerLane<Queue>,
    pub(super) lanes: PerLane<LaneState>,
    workers: Slab<Worker>,
    queued_bytes: usize,
    share: Share,
    stats: Stats,
}

impl State {
    pub(super) fn new(limits: Limits, now: u64) -> Self {
        Self {
            limits,
            phase: Phase::Open,
            paused: false,
            tasks: Slab::default(),
            generation: 0,
            queues: PerLane::default(),
            lanes: PerLane::default(),
            workers: Slab::default(),
            queued_bytes: 0,
            share: Share::new(),
            stats: Stats::new(now),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn waiting(&self, lane: Lane) -> usize {
        self.queues[lane].len()
    }

    fn busy(&self) -> u32 {
        Lane::ALL
            .into_iter()
            .map(|lane| self.lanes[lane].busy)
            .sum()
    }

    fn slots_of(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Native => 1,
            Lane::Script => self.limits.concurrency,
        }
    }

    /// Whether one more task would wait beyond what the workers, started or not, can take.
    pub(super) fn is_full(&self, lane: Lane) -> bool {
        if self.limits.max_queue == usize::MAX {
            return false;
        }
        let slots = self.slots_of(lane) as usize;
        let state = &self.lanes[lane];
        let unused = self.limits.max_threads.saturating_sub(self.busy()) as usize * slots;
        let room = (state.busy as usize * slots).saturating_sub(state.running as usize);
        let waiting: usize = Lane::ALL
            .into_iter()
            .map(|lane| self.queues[lane].len())
            .sum();
        (waiting + 1).saturating_sub(unused + room) > self.limits.max_queue
    }

    pub(super) fn enqueue(&mut self, new: NewTask, now: u64) -> Key {
        let lane = new.lane;
        self.queued_bytes += new.payload.heap_bytes();
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let index = self.tasks.insert(Task::new(new, generation, now));
        self.queues[lane].push(&mut self.tasks, index);
        Key { index, generation }
    }

    fn dequeue(&mut self, index: u32) {
        let lane = self.tasks[index].lane;
        self.queued_bytes -= self.tasks[index].payload.heap_bytes();
        self.queues[lane].unlink(&mut self.tasks, index);
    }

    pub(super) fn lane_of(&self, id: WorkerId) -> Option<Lane> {
        self.workers.get(id.0).map(|worker| worker.lane)
    }

    // ---- workers -------------------------------------------------------------------------------

    /// Moves a worker to another state; the one place where searchers and the awake are counted.
    fn enter(&mut self, id: u32, state: WorkerState) {
        let worker = &mut self.workers[id];
        let old = std::mem::replace(&mut worker.state, state);
        let lane = &mut self.lanes[worker.lane];
        match (old.searches(), state.searches()) {
            (true, false) => lane.searching -= 1,
            (false, true) => lane.searching += 1,
            _ => {}
        }
        match (old.awake(), state.awake()) {
            (true, false) => spin::slept(),
            (false, true) => spin::woke(),
            _ => {}
        }
        match old {
            WorkerState::Starting => {
                lane.starting -= 1;
                lane.promised -= u32::from(!worker.has_room());
            }
            WorkerState::Idle => lane.idle.retain(|&other| other != id),
            WorkerState::Spare => lane.spare.retain(|&other| other != id),
            _ => {}
        }
        match state {
            WorkerState::Idle => lane.idle.push(id),
            WorkerState::Spare => lane.spare.push(id),
            _ => {}
        }
    }

    /// Makes room for a worker that somebody else now has to start.
    pub(super) fn add_worker(&mut self, lane: Lane, now: u64) -> WorkerId {
        let slots = self.slots_of(lane);
        let id = self.workers.insert(Worker::new(lane, slots, now));
        self.lanes[lane].workers += 1;
        self.lanes[lane].starting += 1;
        WorkerId(id)
    }

    /// The worker runs and will ask for tasks. False when it is not known (any more).
    pub(super) fn join(&mut self, id: WorkerId, bell: Arc<dyn Bell>, now: u64) -> bool {
        let Some(worker) = self.workers.get_mut(id.0) else {
            return false;
        };
        worker.bell = Some(bell);
        worker.retiring |= self.phase == Phase::Closed;
        if worker.state == WorkerState::Starting {
            self.enter(id.0, WorkerState::Active);
            for index in self.workers[id.0].slots.iter().flatten() {
                self.tasks[*index].started = now;
                self.stats.waited(now - self.tasks[*index].enqueued);
            }
        }
        true
    }

    /// The worker is gone, whatever it was doing. Gives the messages for the tasks it had.
    pub(super) fn remove_worker(&mut self, id: WorkerId) -> Vec<Message> {
        if self.workers.get(id.0).is_none() {
            return Vec::new();
        }
        let started = self.workers[id.0].state != WorkerState::Starting;
        // Out of every list and count first.
        self.enter(id.0, WorkerState::Active);
        spin::slept();
        let worker = self.workers.remove(id.0);
        let lane = &mut self.lanes[worker.lane];
        lane.workers -= 1;
        lane.running -= worker.running;
        lane.busy -= u32::from(worker.running > 0);
        let mut messages = Vec::new();
        for &index in worker.slots.iter().flatten() {
            let task = &mut self.tasks[index];
            if task.stage == Stage::Running && task.retries > 0 && self.phase == Phase::Open {
                task.retries -= 1;
                task.stage = Stage::Waiting;
                self.queued_bytes += task.payload.heap_bytes();
                self.queues[worker.lane].push(&mut self.tasks, index);
                continue;
            }
            let task = self.tasks.remove(index);
            if task.stage == Stage::Running {
                self.stats.failed += 1;
                messages.push(Message::Settled {
                    ticket: task.ticket,
                    outcome: if started {
                        Outcome::WorkerGone {
                            worker: id,
                            attempts: task.attempts,
                        }
                    } else {
                        Outcome::WorkerStart
                    },
                });
            }
        }
        messages
    }

    /// A worker hands over the outcome of the task in `slot`. Nothing to tell if it was abandoned.
    pub(super) fn finish(
        &mut self,
        id: WorkerId,
        slot: u32,
        outcome: Outcome,
        now: u64,
    ) -> Option<Message> {
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        worker.vacate(slot);
        let task = self.tasks.remove(index);
        let ran = now.saturating_sub(task.started);
        worker.busy_ns += ran;
        let lane = &mut self.lanes[worker.lane];
        lane.running -= 1;
        lane.busy -= u32::from(worker.running == 0);
        lane.ran(ran);
        self.stats.ran(ran);
        if task.stage == Stage::Abandoned {
            return None;
        }
        match outcome {
            Outcome::Returned(_) => self.stats.completed += 1,
            _ => self.stats.failed += 1,
        }
        Some(Message::Settled {
            ticket: task.ticket,
            outcome,
        })
    }

    /// A worker that is awake asks what to do.
    pub(super) fn next(&mut self, id: WorkerId, may_spin: bool, now: u64) -> Next {
        let Some(worker) = self.workers.get(id.0) else {
            return Next::Retire;
        };
        let (lane, spun) = (worker.lane, worker.state == WorkerState::Spinning);
        let came_back = worker.state != WorkerState::Active;
        if came_back {
            self.enter(id.0, WorkerState::Active);
            self.workers[id.0].turn_since = now;
        }
        if self.workers[id.0].running == 0 && self.is_over_size(lane) {
            self.workers[id.0].retiring = true;
        }
        let worker = &self.workers[id.0];
        if worker.retiring && worker.running == 0 {
            return Next::Retire;
        }
        if let Some(taken) = self.take(id, now) {
            if came_back {
                let gap = now.saturating_sub(self.workers[id.0].idle_since);
                self.lanes[lane].gaps.ended(gap);
            }
            return Next::Run(taken);
        }
        let (running, has_room) = (self.workers[id.0].running, self.workers[id.0].has_room());
        if running == 0 && !came_back {
            self.workers[id.0].idle_since = now;
        }
        if running == 0
            && !spun
            && may_spin
            && self.queues[lane].is_empty()
            && self.lanes[lane].searching == 0
            && spin::core_is_spare()
            && let Some(budget) = self.lanes[lane].gaps.budget()
        {
            self.enter(id.0, WorkerState::Spinning);
            return Next::Spin(budget);
        }
        if running == 0 {
            self.enter(id.0, WorkerState::Idle);
        } else if has_room && !self.workers[id.0].retiring {
            self.enter(id.0, WorkerState::Spare);
        }
        Next::Idle
    }

    fn take(&mut self, id: WorkerId, now: u64) -> Option<Taken> {
        let worker = &self.workers[id.0];
        let lane = worker.lane;
        if !worker.has_room() || worker.retiring || self.paused {
            return None;
        }
        let index = self.queues[lane].head(&self.tasks)?;
        if worker.running == 0 {
            let busy = self.busy();
            let refused = busy >= self.limits.max_threads || self.yields(id, index, now);
            if refused || !self.share.afford(busy) {
                return None;
            }
        }
        self.dequeue(index);
        let worker = &mut self.workers[id.0];
        let slot = worker.occupy(index);
        let starting = worker.state == WorkerState::Starting;
        let state = &mut self.lanes[lane];
        state.running += 1;
        state.busy += u32::from(worker.running == 1);
        state.promised += u32::from(starting && !worker.has_room());
        let task = &mut self.tasks[index];
        (task.stage, task.worker, task.slot, task.started) = (Stage::Running, id, slot, now);
        task.attempts = task.attempts.saturating_add(1);
        if !starting {
            self.stats.waited(now.saturating_sub(task.enqueued));
        }
        Some(Taken {
            key: Key {
                index,
                generation: task.generation,
            },
            slot,
            ticket: task.ticket,
            target: task.target,
            timeout: task.timeout,
            payload: task.take_payload(),
            attachments: task.take_attachments(),
        })
    }

    /// Queues a task and gives it at once to a worker that will certainly be the one to run it, if there
    /// is one and nothing is ahead.
    pub(super) fn enqueue_direct(&mut self, new: NewTask, now: u64) -> Option<(WorkerId, Taken)> {
        let lane = new.lane;
        if self.phase == Phase::Closed || self.paused || !self.queues[lane].is_empty() {
            return None;
        }
        let limited = new.queue_timeout != NO_LIMIT || new.timeout != NO_LIMIT;
        let id = match self.lanes[lane].idle.last() {
            Some(&id) => id,
            // Its limits could not tell the start of the worker from the run.
            None if limited => return None,
            None => self.least_loaded_of_starting(lane)?,
        };
        let was_idle = self.workers[id].state == WorkerState::Idle;
        let place_free = self.busy() + self.searching() < self.limits.max_threads;
        if self.workers[id].running == 0 && !place_free {
            return None;
        }
        if was_idle {
            self.enter(id, WorkerState::Active);
            self.workers[id].turn_since = now;
        }
        let key = self.enqueue(new, now);
        let taken = self.take(WorkerId(id), now);
        if taken.is_none() {
            self.dequeue(key.index);
            self.tasks.remove(key.index);
            if was_idle {
                self.enter(id, WorkerState::Idle);
            }
        }
        taken.map(|taken| (WorkerId(id), taken))
    }

    /// A worker with room, of a lane whose workers are all still starting: no other would come sooner.
    fn least_loaded_of_starting(&self, lane: Lane) -> Option<u32> {
        if self.lanes[lane].starting < self.lanes[lane].workers {
            return None;
        }
        self.workers
            .keys()
            .filter(|&id| self.workers[id].lane == lane && self.workers[id].has_room())
            .min_by_key(|&id| self.workers[id].running)
    }

    /// Takes a direct submission back. The worker is to ask for another task.
    pub(super) fn undo(&mut self, id: WorkerId, slot: u32, now: u64) -> Option<Arc<dyn Bell>> {
        let worker = self.workers.get_mut(id.0)?;
        let index = (*worker.slots.get(slot as usize)?)?;
        let was_full = !worker.has_room();
        worker.vacate(slot);
        worker.completed -= 1;
        let lane = worker.lane;
        let state = &mut self.lanes[lane];
        state.running -= 1;
        state.busy -= u32::from(worker.running == 0);
        self.tasks.remove(index);
        if self.workers[id.0].state == WorkerState::Starting {
            self.lanes[lane].promised -= u32::from(was_full);
            return None;
        }
        self.wake(id.0, now)
    }

    fn searching(&self) -> u32 {
        Lane::ALL
            .into_iter()
            .map(|lane| self.lanes[lane].searching)
            .sum()
    }

    /// Whether the last free place is for the other lane's next task rather than for `own`.
    fn yields(&self, id: WorkerId, own: u32, now: u64) -> bool {
        let worker = &self.workers[id.0];
        let other = worker.lane.other();
        let Some(rival) = self.queues[other].head(&self.tasks) else {
            return false;
        };
        if self.busy() + 1 < self.limits.max_threads || self.lanes[other].idle.is_empty() {
            return false;
        }
        let (own, rival) = (&self.tasks[own], &self.tasks[rival]);
        let turn_over = now.saturating_sub(worker.turn_since) > TURN;
        rival.due() < own.due() && (turn_over || rival.priority < own.priority)
    }

    /// The lanes, that of the task which is to have the next free place first.
    fn by_precedence(&self) -> [Lane; 2] {
        let [a, b] = Lane::ALL;
        match (
            self.queues[a].head(&self.tasks),
            self.queues[b].head(&self.tasks),
        ) {
            (Some(first), Some(second)) if self.tasks[second].due() < self.tasks[first].due() => {
                [b, a]
            }
            _ => [a, b],
        }
    }

    /// Who has to be rung or started so that what waits gets done. Not `trusting`, what waits has done
    /// so for long enough to need somebody else.
    pub(super) fn wakes(&mut self, trusting: bool, now: u64) -> Wakes {
        let mut wakes = Wakes::default();
        // A worker that has just yielded is idle too: its lane must not be rung first.
        for lane in self.by_precedence() {
            let waiting = self.queues[lane].len();
            if waiting == 0 || self.paused || self.phase == Phase::Closed {
                continue;
            }
            let state = &self.lanes[lane];
            if trusting && state.keeps_up(waiting) {
                wakes.trusted = true;
                continue;
            }
            if state.searching == 0 {
                let awake = self.busy() + self.searching();
                let place_free = awake < self.limits.max_threads && self.share.could_afford(awake);
                let state = &self.lanes[lane];
                let idle = if place_free { state.idle.last() } else { None };
                if let Some(&id) = idle.or(state.spare.last()) {
                    wakes.rings[lane] = self.wake(id, now);
                }
            }
            let state = &self.lanes[lane];
            let expected = (state.starting - state.promised + state.searching) as usize;
            if !state.held
                && state.idle.is_empty()
                && state.workers < self.limits.max_threads
                && expected < waiting
            {
                wakes.starts[lane] = Some(self.add_worker(lane, now));
            }
        }
        wakes.starved = self.share.settle(self.busy());
        wakes
    }

    fn wake(&mut self, id: u32, now: u64) -> Option<Arc<dyn Bell>> {
        self.workers[id].rung_at = now;
        self.enter(id, WorkerState::Waking);
        self.workers[id].bell.clone()
    }

    // ---- giving up -----------------------------------------------------------------------------

    /// Nobody waits for the task any more.
    pub(super) fn give_up(&mut self, key: Key) -> Given {
        let Some(task) = self
            .tasks
            .get_mut(key.index)
            .filter(|task| task.generation == key.generation)
        else {
            return Given::Ended;
        };
        match task.stage {
            Stage::Waiting => {
                self.dequeue(key.index);
                self.tasks.remove(key.index);
                self.stats.failed += 1;
                Given::Waiting
            }
            Stage::Running => {
                task.stage = Stage::Abandoned;
                self.stats.failed += 1;
                let (worker, slot) = (task.worker, task.slot);
                Given::Running(slot, self.workers[worker.0].bell.clone())
            }
            Stage::Abandoned => Given::Ended,
        }
    }

    /// The task's ticket and where it stands, if it has not ended.
    pub(super) fn find(&self, key: Key) -> Option<(u32, Lane, Stage, WorkerId)> {
        let task = self
            .tasks
            .get(key.index)
            .filter(|task| task.generation == key.generation)?;
        Some((task.ticket, task.lane, task.stage, task.worker))
    }

    /// The isolate that still runs an abandoned task is to be ended: it takes no more tasks, lest they
    /// end with it.
    pub(super) fn condemn(&mut self, key: Key) -> Option<WorkerId> {
        let (_, lane, stage, worker) = self.find(key)?;
        if lane != Lane::Script || stage != Stage::Abandoned {
            return None;
        }
        self.workers[worker.0].retiring = true;
        if self.workers[worker.0].state == WorkerState::Spare {
            self.enter(worker.0, WorkerState::Active);
        }
        Some(worker)
    }

    /// Rejects everything that waits in a lane.
    pub(super) fn fail_waiting(
        &mut self,
        lane: Lane,
        outcome: impl Fn() -> Outcome,
    ) -> Vec<Message> {
        let mut messages = Vec::with_capacity(self.queues[lane].len());
        while let Some(index) = self.queues[lane].head(&self.tasks) {
            self.dequeue(index);
            let ticket = self.tasks.remove(index).ticket;
            self.stats.failed += 1;
            messages.push(Message::Settled {
                ticket,
                outcome: outcome(),
            });
        }
        messages
    }

    /// Rejects everything that runs; the workers are told through their bells.
    pub(super) fn abandon_running(&mut self) -> (Vec<Message>, Vec<Cancel>) {
        let (mut messages, mut bells) = (Vec::new(), Vec::new());
        for index in self.tasks.keys().collect::<Vec<_>>() {
            let task = &mut self.tasks[index];
            if task.stage != Stage::Running {
                continue;
            }
            task.stage = Stage::Abandoned;
            self.stats.failed += 1;
            messages.push(Message::Settled {
                ticket: task.ticket,
                outcome: Outcome::PoolClosed,
            });
            if let Some(bell) = self.workers[task.worker.0].bell.clone() {
                bells.push(Cancel {
                    bell,
                    slot: task.slot,
                    generation: task.generation,
                });
            }
        }
        (messages, bells)
    }

    /// Closes the pool: every worker ends once it runs nothing. Gives the ones to wake for that.
    pub(super) fn close(&mut self) -> Vec<Arc<dyn Bell>> {
        self.phase = Phase::Closed;
        self.workers
            .keys()
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|id| self.retire(id))
            .collect()
    }

    /// Stops or resumes the starting of what waits.
    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Changes how many workers there may be. Gives the idle ones to wake because they are too many;
    /// busy ones retire when they have ended their tasks.
    pub(super) fn resize(&mut self, min_threads: u32, max_threads: u32) -> Vec<Arc<dyn Bell>> {
        self.limits.min_threads = min_threads;
        self.limits.max_threads = max_threads;
        let mut bells = Vec::new();
        for lane in Lane::ALL {
            let state = &self.lanes[lane];
            let surplus = state.workers.saturating_sub(max_threads) as usize;
            let idle: Vec<u32> = state.idle.iter().copied().take(surplus).collect();
            bells.extend(idle.into_iter().filter_map(|id| self.retire(id)));
        }
        bells
    }

    /// Whether a lane has more workers than it may, without those that retire.
    fn is_over_size(&self, lane: Lane) -> bool {
        self.lanes[lane].workers > self.limits.max_threads
            && self
                .workers
                .keys()
                .filter(|&id| self.workers[id].lane == lane && !self.workers[id].retiring)
                .count() as u32
                > self.limits.max_threads
    }

    /// Retires workers of a lane that have been idle for `idle_ns`, down to the minimum.
    pub(super) fn reap(&mut self, lane: Lane, idle_ns: u64, now: u64) -> Vec<Arc<dyn Bell>> {
        let surplus = self
            .staying(lane)
            .saturating_sub(self.limits.min_threads as usize);
        // The coldest are first.
        let long_idle = |id: &u32| now.saturating_sub(self.workers[*id].idle_since) >= idle_ns;
        let due: Vec<u32> = self.lanes[lane]
            .idle
            .iter()
            .copied()
            .filter(long_idle)
            .take(surplus)
            .collect();
        due.into_iter().filter_map(|id| self.retire(id)).collect()
    }

    /// Retires one idle worker, unless the minimum needs it.
    pub(super) fn expire_idle(&mut self, id: WorkerId) -> bool {
        let Some(worker) = self.workers.get(id.0) else {
            return false;
        };
        let surplus = self.staying(worker.lane) > self.limits.min_threads as usize;
        surplus && worker.state == WorkerState::Idle && {
            let _ = self.retire(id.0);
            true
        }
    }

    /// The workers that are not about to end: a retired isolate takes its time.
    fn staying(&self, lane: Lane) -> usize {
        self.workers
            .keys()
            .filter(|&id| self.workers[id].lane == lane && !self.workers[id].retiring)
            .count()
    }

    fn retire(&mut self, id: u32) -> Option<Arc<dyn Bell>> {
        self.workers[id].retiring = true;
        if matches!(
            self.workers[id].state,
            WorkerState::Idle | WorkerState::Spare
        ) {
            self.enter(id, WorkerState::Active);
            return self.workers[id].bell.clone();
        }
        None
    }

    // ---- a worker that was rung and does not come ----------------------------------------------

    /// Stops counting on workers that were rung more than `patience` ago and have not come: their
    /// event loops are busy with something of their own. Whether others are still expected.
    pub(super) fn doubt_wakers(&mut self, patience: u64, now: u64) -> bool {
        let mut expected = false;
        for id in self.workers.keys().collect::<Vec<_>>() {
            let worker = &self.workers[id];
            if worker.state != WorkerState::Waking {
                continue;
            }
            if now.saturating_sub(worker.rung_at) >= patience {
                self.enter(id, WorkerState::Active);
            } else {
                expected = true;
            }
        }
        expected
    }

    // ---- readings ------------------------------------------------------------------------------

    /// Tasks that wait, and tasks that run.
    pub(super) fn load(&self) -> (usize, usize) {
        let lanes = Lane::ALL.into_iter();
        lanes.fold((0, 0), |(queued, running), lane| {
            let state = &self.lanes[lane];
            (
                queued + self.queues[lane].len(),
                running + state.running as usize,
            )
        })
    }

    pub(super) fn snapshot(&self, now: u64) -> Snapshot {
        let (queued, running) = self.load();
        let ms = |ns: u64| ns as f64 / 1e6;
        let worker = |id: u32| {
            let worker = &self.workers[id];
            let state = match worker.state {
                WorkerState::Starting => "starting",
                _ if worker.running > 0 => "busy",
                _ => "idle",
            };
            WorkerSnapshot {
                id: WorkerId(id),
                lane: worker.lane,
                state,
                running: worker.running,
                completed: worker.completed,
                age: ms(now.saturating_sub(worker.since)),
                busy: ms(worker.busy_ns),
            }
        };
        let allowed = now.saturating_sub(self.stats.started_at).max(1) as f64
            * f64::from(self.limits.max_threads);
        Snapshot {
            workers: self.workers.keys().map(worker).collect(),
            queued,
            running,
            completed: self.stats.completed,
            failed: self.stats.failed,
            wait: self.stats.wait(),
            run: self.stats.run(),
            utilization: (self.stats.busy_ns as f64 / allowed).min(1.0),
            queued_bytes: self.queued_bytes,
        }
    }
}

impl Drop for State {
    /// Workers of a pool whose owner is gone are never removed one by one.
    fn drop(&mut self) {
        for id in self.workers.keys().collect::<Vec<_>>() {
            if self.workers[id].state.awake() {
                spin::slept();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Ring;
    use super::super::payload::Payload;
    use super::*;

    #[derive(Debug)]
    struct Silent;

    impl Bell for Silent {
        fn ring(&self, _: Ring) {}
        fn cancel(&self, _: u32, _: u32) {}
    }

    /// One place, and an idle worker of each lane: native, script.
    fn two_lanes() -> (State, WorkerId, WorkerId) {
        let mut state = State::new(
            Limits {
                min_threads: 1,
                max_threads: 1,
                max_queue: usize::MAX,
                concurrency: 1,
                abort_grace: NO_LIMIT,
                idle_timeout: NO_LIMIT,
            },
            0,
        );
        let [native, script] = Lane::ALL.map(|lane| {
            let id = state.add_worker(lane, 0);
            assert!(state.join(id, Arc::new(Silent), 0));
            assert!(matches!(state.next(id, false, 0), Next::Idle));
            id
        });
        (state, native, script)
    }

    fn add(state: &mut State, lane: Lane, priority: i8, now: u64) {
        let new = NewTask {
            ticket: 0,
            target: 0,
            lane,
            priority,
            timeout: NO_LIMIT,
            queue_timeout: NO_LIMIT,
            deadline: super::super::task::NO_DEADLINE,
            retries: 0,
            payload: Payload::number(0, 0.0),
            attachments: None,
        };
        state.enqueue(new, now);
    }

    /// The worker ends its task, and the lanes that are rung when it gets none.
    fn finish_and_take(state: &mut State, id: WorkerId, now: u64) -> Option<[bool; 2]> {
        state.finish(id, 0, Outcome::Returned(Payload::number(0, 0.0)), now);
        match state.next(id, false, now) {
            Next::Run(_) => None,
            _ => Some(state.wakes(false, now).rings.0.map(|bell| bell.is_some())),
        }
    }

    #[test]
    fn under_a_backlog_a_place_changes_the_lane_once_a_turn() {
        let (mut state, native, script) = two_lanes();
        for at in 0..40 {
            add(&mut state, Lane::ALL[at % 2], 0, at as u64);
        }
        let mut now = 10 * TURN;
        assert!(state.wakes(false, now).rings[Lane::Native].is_some());
        assert!(matches!(state.next(native, false, now), Next::Run(_)));
        for _ in 0..4 {
            now += TURN / 4;
            assert_eq!(finish_and_take(&mut state, native, now), None);
        }
        now += 1;
        let rung = finish_and_take(&mut state, native, now);
        assert_eq!(rung, Some([false, true]), "the turn is over");
        assert!(matches!(state.next(script, false, now), Next::Run(_)));
        now += TURN / 2;
        assert_eq!(finish_and_take(&mut state, script, now), None);
    }

    #[test]
    fn a_turn_does_not_end_for_a_younger_task() {
        let (mut state, native, _) = two_lanes();
        for at in 0..4 {
            add(&mut state, Lane::Native, 0, at);
        }
        let _ = state.wakes(false, 10);
        assert!(matches!(state.next(native, false, 10), Next::Run(_)));
        add(&mut state, Lane::Script, 0, 20);
        for round in 1..4 {
            assert_eq!(finish_and_take(&mut state, native, round * 2 * TURN), None);
        }
        let rung = finish_and_take(&mut state, native, 8 * TURN);
        assert_eq!(rung, Some([false, true]), "nothing is left in its own lane");
    }

    #[test]
    fn a_better_priority_ends_a_turn() {
        let (mut state, native, _) = two_lanes();
        add(&mut state, Lane::Native, 0, 0);
        add(&mut state, Lane::Native, 0, 0);
        let _ = state.wakes(false, 0);
        assert!(matches!(state.next(native, false, 0), Next::Run(_)));
        add(&mut state, Lane::Script, -1, 5);
        let rung = finish_and_take(&mut state, native, 6);
        assert_eq!(rung, Some([false, true]));
    }
}
