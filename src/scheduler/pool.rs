//! A pool: the state behind its lock, and the side effects that follow a decision.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, MutexGuard};

use super::clock::now;
use super::groups::GroupLimits;
use super::lane::{Lane, PerLane};
use super::outbox::{Bell, Control, Message, Outbox, Ring};
use super::queue::PRIORITIES;
use super::share;
use super::state::{Given, Next, Phase, State, Wakes, Wear};
use super::stats::{Distribution, Measured, Snapshot};
use super::task::{Key, NO_DEADLINE, NO_LIMIT, NewTask, Outcome, Placement, Stage, Taken};
use super::timer::{self, Alarm};
use super::worker::WorkerId;
use crate::manner::Manner;
use crate::supervise::reading;

/// Bytes of queued inputs that are not worth telling.
const TOLD_STEP: usize = 64 << 10;

/// What a pool may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Workers of each lane that are kept.
    pub min_threads: u32,
    /// Workers of each lane at most, and busy ones over both lanes.
    pub max_threads: u32,
    /// Tasks that may wait beyond what the workers can take; `usize::MAX` is no limit.
    pub max_queue: usize,
    /// Tasks that an isolate may run at once.
    pub concurrency: u32,
    /// Milliseconds that an abandoned script task gets to end by itself; `u32::MAX` is for ever.
    pub abort_grace: u32,
    /// Milliseconds after which an idle native worker ends; `u32::MAX` is never.
    pub idle_timeout: u32,
    /// How the threads of the workers are run.
    pub manner: Manner,
}

/// Why a task was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The queue is full.
    Full,
    /// The pool is closed.
    Closed,
}

/// A task was taken.
#[derive(Clone, Copy, Debug)]
pub struct Submitted {
    /// Its name for [`Scheduler::cancel`].
    pub key: Key,
    /// An isolate that the caller, on the owner's thread, has to start now.
    pub start: Option<WorkerId>,
}

/// What a worker does next.
#[derive(Debug)]
pub enum Step {
    /// Run this task.
    Run(Taken),
    /// Wait to be rung.
    Idle,
    /// End.
    Retire,
}

/// Starts a thread that will [`join`](Scheduler::join) as this worker.
pub(super) type Launch = fn(&Arc<Scheduler>, WorkerId) -> io::Result<()>;

/// Nanoseconds until it is checked whether a worker that was rung has come, and whether the busy ones
/// have kept up.
const WAKE_PATIENCE: u64 = 2_000_000;

/// On a cache line of its own: the spinning worker reads it all the time.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Waiting(AtomicUsize);

/// One pool.
#[derive(Debug)]
pub struct Scheduler {
    /// The owner's name for the pool.
    id: u32,
    abort_grace: u32,
    idle_timeout: u32,
    manner: Manner,
    owner: Arc<Outbox>,
    launch: Launch,
    /// Copies of the queues' lengths, written under the lock, for spinning without it.
    waiting: PerLane<Waiting>,
    /// What the owner has been told of the bytes that wait; used under the lock.
    queued_bytes: AtomicUsize,
    /// Whether an [`Alarm::Wakers`] is armed.
    doubting: AtomicBool,
    state: Mutex<State>,
}

impl Scheduler {
    /// A pool without workers. `launch` starts native workers.
    #[must_use]
    pub fn new(id: u32, limits: Limits, owner: Arc<Outbox>, launch: Launch) -> Arc<Self> {
        let (abort_grace, idle_timeout) = (limits.abort_grace, limits.idle_timeout);
        let manner = limits.manner;
        let state = Mutex::new(State::new(limits, now()));
        Arc::new(Self {
            id,
            abort_grace,
            idle_timeout,
            manner,
            owner,
            launch,
            waiting: PerLane::default(),
            queued_bytes: AtomicUsize::new(0),
            doubting: AtomicBool::new(false),
            state,
        })
    }

    /// Milliseconds after which an idle native worker ends; `u32::MAX` is never.
    #[must_use]
    pub fn idle_timeout(&self) -> u32 {
        self.idle_timeout
    }

    /// How the threads of the workers are run.
    #[must_use]
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// Queues a task. To be called on the owner's thread.
    ///
    /// # Errors
    /// [`Refusal`] when the queue is full or the pool is closed; the task is dropped.
    pub fn submit(self: &Arc<Self>, new: NewTask) -> Result<Submitted, Refusal> {
        self.submit_for(new, None)
    }

    /// As [`submit`](Self::submit), for a task that a running one may wait for: it is taken however many
    /// wait, counts as having waited as long as that one, and goes before all of its priority.
    ///
    /// # Errors
    /// [`Refusal`] when the pool is closed, or the queue full and that one not there (any more).
    pub fn submit_for(
        self: &Arc<Self>,
        mut new: NewTask,
        outer: Option<Key>,
    ) -> Result<Submitted, Refusal> {
        let now = now();
        let (queue_timeout, deadline) = (new.queue_timeout, new.deadline);
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return Err(Refusal::Closed);
        }
        let outer = outer.and_then(|outer| state.standing(outer));
        if let Some((_, priority)) = outer {
            // What has begun goes before what has not.
            new.priority = new.priority.min((priority - 1).max(*PRIORITIES.start()));
        }
        let since = outer.map(|(since, _)| since);
        let pinned = matches!(new.placement, Placement::Worker(_));
        if since.is_none() && !pinned && state.is_full(new.lane) {
            return Err(Refusal::Full);
        }
        let key = state.enqueue_as_of(new, since.unwrap_or(now), now);
        let wakes = self.release(state, now);
        if queue_timeout != NO_LIMIT {
            timer::arm(
                now + ms(queue_timeout),
                Arc::downgrade(self),
                Alarm::QueueTimeout(key),
            );
        }
        if deadline != NO_DEADLINE {
            timer::arm(deadline, Arc::downgrade(self), Alarm::Deadline(key));
        }
        let start = self.ring_and_launch(wakes);
        Ok(Submitted { key, start })
    }

    /// Gives a task to an idle worker of its lane at once, or, where all are still starting, to one of
    /// those, if nothing waits: the caller sends the input. Otherwise the task is dropped, and is to be
    /// submitted as usual.
    pub fn submit_direct(self: &Arc<Self>, new: NewTask) -> Option<(WorkerId, Taken)> {
        let now = now();
        let deadline = new.deadline;
        let (id, taken) = self.state.lock().enqueue_direct(new, now)?;
        self.tell_start(id, &taken);
        self.limit_run(&taken, now);
        if deadline != NO_DEADLINE {
            timer::arm(deadline, Arc::downgrade(self), Alarm::Deadline(taken.key));
        }
        Some((id, taken))
    }

    /// Tells the owner that an observed task starts now.
    fn tell_start(&self, worker: WorkerId, taken: &Taken) {
        if let Some(waited) = taken.observed {
            self.owner.send(Message::Started {
                ticket: taken.ticket,
                generation: taken.key.generation,
                worker,
                waited,
            });
        }
    }

    /// Arms the alarm of a task that starts now.
    fn limit_run(self: &Arc<Self>, taken: &Taken, now: u64) {
        if taken.timeout != NO_LIMIT {
            timer::arm(
                now + ms(taken.timeout),
                Arc::downgrade(self),
                Alarm::TaskTimeout(taken.key),
            );
        }
    }

    /// Takes a direct submission back whose input could not be sent.
    pub fn undo(&self, id: WorkerId, slot: u32) {
        let bell = self.state.lock().undo(id, slot, now());
        if let Some(bell) = bell {
            bell.ring(Ring::Lane);
        }
    }

    /// Gives a task up. True when it had not ended: its outcome is now the caller's to tell.
    pub fn cancel(self: &Arc<Self>, key: Key) -> bool {
        let given = self.state.lock().give_up(key);
        self.settle_given(key, &given);
        !matches!(given, Given::Ended)
    }

    /// Makes room for the workers of a lane that the minimum, or `least`, lacks; the caller starts them.
    #[must_use]
    pub fn reserve_minimum(&self, lane: Lane, least: u32) -> Vec<WorkerId> {
        let now = now();
        let mut state = self.state.lock();
        let mut started = Vec::new();
        while state.phase == Phase::Open
            && !state.lanes[lane].held
            && state.lanes[lane].staying() < state.limits().min_threads.max(least)
        {
            started.push(state.add_worker(lane, now));
        }
        started
    }

    // ---- the workers' side ---------------------------------------------------------------------

    /// A started worker is ready, on this thread; from here on it calls [`exchange`](Self::exchange). False when
    /// the pool does not know it (any more): it ends.
    #[must_use]
    pub fn join(self: &Arc<Self>, id: WorkerId, bell: Arc<dyn Bell>) -> bool {
        let thread = reading::this_thread();
        let mut state = self.state.lock();
        state.set_thread(id, thread);
        let (known, relieved) = state.join(id, bell, now());
        let limit = state.age_limit(id);
        let (given, begun) = (state.abandoned_before(id), state.begun(id));
        drop(state);
        self.send_all(begun);
        for (key, given) in given {
            self.settle_given(key, &given);
        }
        if let Some(bell) = relieved {
            bell.ring(Ring::Lane);
        }
        if let Some((age, serial)) = limit {
            let alarm = Alarm::Age(id, serial);
            timer::arm(now() + age, Arc::downgrade(self), alarm);
        }
        known
    }

    /// An isolate has grown too large, and is to be replaced.
    pub fn wear_out(self: &Arc<Self>, id: WorkerId) {
        self.change(|state, _| state.wear_out(id));
    }

    /// Hands over the outcome of the task in a slot, and asks what to do next.
    pub fn exchange(self: &Arc<Self>, id: WorkerId, finished: Option<(u32, Outcome)>) -> Step {
        let mut now = now();
        let mut state = self.state.lock();
        let settled = finished.and_then(|(slot, outcome)| state.finish(id, slot, outcome, now));
        let mut next = state.next(id, true, now);
        let lane = state.lane_of(id);
        let wakes = self.release(state, now);
        if let Some(message) = settled {
            self.owner.send(message);
        }
        self.ring_and_request(wakes);
        if let (Next::Spin(budget), Some(lane)) = (&next, lane) {
            now = self.spin(lane, now, *budget);
            let mut state = self.state.lock();
            next = state.next(id, false, now);
            let wakes = self.release(state, now);
            self.ring_and_request(wakes);
        }
        match next {
            Next::Run(taken) => {
                self.tell_start(id, &taken);
                self.limit_run(&taken, now);
                Step::Run(taken)
            }
            Next::Retire => Step::Retire,
            Next::Idle | Next::Spin(_) => Step::Idle,
        }
    }

    /// Hands over an outcome only.
    pub fn finish(self: &Arc<Self>, id: WorkerId, slot: u32, outcome: Outcome) {
        let now = now();
        let mut state = self.state.lock();
        let settled = state.finish(id, slot, outcome, now);
        let wakes = self.release(state, now);
        if let Some(message) = settled {
            self.owner.send(message);
        }
        self.ring_and_request(wakes);
    }

    /// The task in a slot of a worker waits for others: it leaves its place to them, and its worker may take
    /// one more. Or it goes on.
    pub fn set_waits(self: &Arc<Self>, id: WorkerId, slot: u32, waits: bool) {
        self.change(|state, now| state.set_waits(id, slot, waits, now));
    }

    /// There is a message for the owner in the port of a worker's isolate: says so if the owner's event
    /// loop, which would see it, is blocked.
    pub fn look(&self, id: WorkerId) {
        if self.owner.is_blocked() {
            self.control(Control::Look(id));
        }
    }

    /// The isolate of a worker runs no more. The owner says when it has [left](Self::leave).
    pub fn gone(&self, id: WorkerId) {
        self.control(Control::Gone(id));
    }

    fn spin(&self, lane: Lane, start: u64, budget: u64) -> u64 {
        loop {
            for _ in 0..8 {
                if self.waiting[lane].0.load(Relaxed) > 0 {
                    return now();
                }
                std::hint::spin_loop();
            }
            // The thread that is to submit may have been woken on this very core.
            std::thread::yield_now();
            let now = now();
            if now.saturating_sub(start) > budget {
                return now;
            }
        }
    }

    /// A worker ended, in whatever way. The tasks that it had end with [`Outcome::WorkerGone`].
    pub fn leave(self: &Arc<Self>, id: WorkerId) {
        let now = now();
        let mut state = self.state.lock();
        let Some(lane) = state.lane_of(id) else {
            return;
        };
        let messages = state.remove_worker(id, now);
        let ended = state.phase == Phase::Closed && state.lanes[lane].workers == 0;
        let wakes = self.release(state, now);
        self.send_all(messages);
        self.ring_and_request(wakes);
        if ended {
            self.control(Control::LaneEnded(lane));
        }
    }

    // ---- the owner's side ----------------------------------------------------------------------

    /// Sets what the tasks of the group of this name may use. Before there are any.
    pub fn configure_group(&self, name: Box<str>, limits: GroupLimits) {
        self.state.lock().configure_group(name, limits);
    }

    /// Sets when isolates are replaced: after so many tasks (`u32::MAX` is never), after so many
    /// milliseconds (`u32::MAX` is never), or each after one task. Before there are any.
    pub fn recycle(&self, tasks: u32, age: u32, one_task: bool) {
        let age = if age == NO_LIMIT { u64::MAX } else { ms(age) };
        self.state.lock().set_wear(Wear {
            tasks,
            age,
            one_task,
        });
    }

    /// The workers of a lane that are ready and are to stay.
    #[must_use]
    pub fn ready_ids(&self, lane: Lane) -> Vec<WorkerId> {
        self.state.lock().ready_ids(lane)
    }

    /// Stops or resumes the starting of workers of a lane, after failures to start.
    pub fn hold(self: &Arc<Self>, lane: Lane, held: bool) {
        self.change(|state, _| state.lanes[lane].held = held);
    }

    /// Rejects what waits in a lane because no worker can be started.
    pub fn fail_waiting(&self, lane: Lane) {
        let mut state = self.state.lock();
        let messages = state.fail_waiting(lane, || Outcome::WorkerStart);
        self.publish(&state);
        drop(state);
        self.send_all(messages);
    }

    /// Rejects all that waits with [`Outcome::Cancelled`]. Gives how many that were.
    pub fn cancel_waiting(&self) -> usize {
        let mut state = self.state.lock();
        let messages: Vec<Message> = Lane::ALL
            .into_iter()
            .flat_map(|lane| state.fail_waiting(lane, || Outcome::Cancelled))
            .collect();
        self.publish(&state);
        drop(state);
        let cancelled = messages.len();
        self.send_all(messages);
        cancelled
    }

    /// Stops or resumes the starting of what waits; what runs goes on.
    pub fn pause(self: &Arc<Self>, paused: bool) {
        self.change(|state, _| state.pause(paused));
    }

    /// Changes how many workers there may be: idle ones that are too many end now, busy ones when
    /// they have ended their tasks.
    pub fn resize(self: &Arc<Self>, min_threads: u32, max_threads: u32) {
        let now = now();
        let mut state = self.state.lock();
        let bells = state.resize(min_threads, max_threads);
        let wakes = self.release(state, now);
        ring_all(&bells);
        self.ring_and_request(wakes);
    }

    /// Retires workers of a lane that have been idle for so long, down to the minimum.
    pub fn reap(&self, lane: Lane, idle_ms: u32) {
        let bells = self.state.lock().reap(lane, ms(idle_ms), now());
        ring_all(&bells);
    }

    /// Takes no more tasks; workers end once they run nothing. What waits is not run: the owner
    /// closes when nothing waits.
    pub fn close(&self) {
        let mut state = self.state.lock();
        let bells = state.close();
        let ended: Vec<Lane> = Lane::ALL
            .into_iter()
            .filter(|&lane| state.lanes[lane].workers == 0)
            .collect();
        drop(state);
        ring_all(&bells);
        for lane in ended {
            self.control(Control::LaneEnded(lane));
        }
    }

    /// Closes, and rejects all that waits or runs with [`Outcome::PoolClosed`].
    pub fn destroy(&self) {
        let mut state = self.state.lock();
        let mut messages: Vec<Message> = Lane::ALL
            .into_iter()
            .flat_map(|lane| state.fail_waiting(lane, || Outcome::PoolClosed))
            .collect();
        let (running, cancelled) = state.abandon_running();
        messages.extend(running);
        self.publish(&state);
        drop(state);
        for cancel in cancelled {
            cancel.bell.cancel(cancel.slot, cancel.generation);
        }
        self.send_all(messages);
        self.close();
    }

    /// Tasks that wait, and tasks that run.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.state.lock().load()
    }

    /// The times since they were last reset; with `all`, since the pool was made.
    #[must_use]
    pub fn times(&self, what: Measured, all: bool) -> Distribution {
        let mut state = self.state.lock();
        let times = state.times(what);
        if all { times.all() } else { times.recent() }
    }

    /// Begins to measure anew.
    pub fn reset_times(&self, what: Measured) {
        self.state.lock().times(what).reset();
    }

    /// The pool at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.lock().snapshot(now())
    }

    /// There may be a free token of the CPU budget.
    pub(super) fn look_again(self: &Arc<Self>) {
        let now = now();
        let wakes = self.state.lock().wakes(false, now);
        self.ring_and_request(wakes);
    }

    // ---- alarms --------------------------------------------------------------------------------

    /// Whether an alarm may still find what it is for.
    pub(super) fn expects(&self, alarm: Alarm) -> bool {
        match alarm {
            Alarm::QueueTimeout(key)
            | Alarm::TaskTimeout(key)
            | Alarm::Deadline(key)
            | Alarm::Grace(key) => self.state.lock().find(key).is_some(),
            Alarm::Wakers | Alarm::Age(..) => true,
        }
    }

    pub(super) fn alarm(self: &Arc<Self>, alarm: Alarm) {
        let (key, stage, outcome) = match alarm {
            Alarm::QueueTimeout(key) => (key, Some(Stage::Waiting), Outcome::QueueTimeout),
            Alarm::TaskTimeout(key) => (key, Some(Stage::Running), Outcome::TaskTimeout),
            Alarm::Deadline(key) => (key, None, Outcome::Deadline),
            Alarm::Wakers => {
                self.doubting.store(false, Relaxed);
                let now = now();
                let mut state = self.state.lock();
                let expected = state.doubt_wakers(WAKE_PATIENCE, now);
                let wakes = state.wakes(false, now);
                drop(state);
                self.ring_and_request(wakes);
                if expected {
                    self.expect_wakers();
                }
                return;
            }
            Alarm::Age(id, serial) => {
                self.change(|state, _| state.grow_old(id, serial));
                return;
            }
            Alarm::Grace(key) => {
                let condemned = self.state.lock().condemn(key);
                if let Some(worker) = condemned {
                    self.control(Control::Terminate(worker));
                }
                return;
            }
        };
        let mut state = self.state.lock();
        let found = state
            .find(key)
            .filter(|found| stage.is_none_or(|stage| found.2 == stage));
        let Some((ticket, ..)) = found.filter(|found| found.2 != Stage::Abandoned) else {
            return;
        };
        let given = state.give_up(key);
        self.publish(&state);
        drop(state);
        self.settle_given(key, &given);
        self.owner.send(Message::Settled { ticket, outcome });
    }

    /// Tells the worker of an abandoned task, and limits how long an isolate may ignore it.
    fn settle_given(self: &Arc<Self>, key: Key, given: &Given) {
        let Given::Running(slot, Some(bell)) = given else {
            return;
        };
        bell.cancel(*slot, key.generation);
        let found = self.state.lock().find(key);
        if let Some((_, Lane::Script, ..)) = found
            && self.abort_grace != NO_LIMIT
        {
            timer::arm(
                now() + ms(self.abort_grace),
                Arc::downgrade(self),
                Alarm::Grace(key),
            );
        }
    }

    // ---- after the lock ------------------------------------------------------------------------

    /// Changes the state, and does what follows from it.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut State, u64)) {
        let now = now();
        let mut state = self.state.lock();
        change(&mut state, now);
        let wakes = self.release(state, now);
        self.ring_and_request(wakes);
    }

    /// Decides who is woken, publishes the queue lengths, and releases the lock.
    fn release(&self, mut state: MutexGuard<'_, State>, now: u64) -> Wakes {
        let wakes = state.wakes(true, now);
        self.publish(&state);
        wakes
    }

    fn publish(&self, state: &State) {
        let (queued, told) = (state.queued_bytes(), self.queued_bytes.load(Relaxed));
        // In coarse steps: all threads would write to one place otherwise.
        if queued.abs_diff(told) >= TOLD_STEP {
            self.queued_bytes.store(queued, Relaxed);
            self.owner
                .count_queued(queued.cast_signed() - told.cast_signed());
        }
        for lane in Lane::ALL {
            let waiting = state.hint(lane);
            // Relaxed: only a hint; whoever acts on it takes the lock.
            if self.waiting[lane].0.load(Relaxed) != waiting {
                self.waiting[lane].0.store(waiting, Relaxed);
            }
        }
    }

    /// In a while somebody looks whether what waits has been taken.
    fn expect_wakers(self: &Arc<Self>) {
        if !self.doubting.swap(true, Relaxed) {
            timer::arm(now() + WAKE_PATIENCE, Arc::downgrade(self), Alarm::Wakers);
        }
    }

    /// Rings, and starts native workers. An isolate that is to be started is left to the caller.
    fn ring_and_launch(self: &Arc<Self>, wakes: Wakes) -> Option<WorkerId> {
        for bell in wakes.rings.0.iter().flatten() {
            bell.ring(Ring::Lane);
        }
        if let Some(bells) = &wakes.bound {
            ring_all(bells);
        }
        if wakes.starved {
            share::wait_for_token(Arc::downgrade(self));
        }
        if wakes.trusted || wakes.rings[Lane::Script].is_some() || wakes.bound.is_some() {
            self.expect_wakers();
        }
        if let Some(id) = wakes.starts[Lane::Native]
            && (self.launch)(self, id).is_err()
        {
            self.launch_failed(id);
        }
        wakes.starts[Lane::Script]
    }

    /// The system refused a thread. What waits is rejected unless another worker will come to it;
    /// the next submit tries again.
    fn launch_failed(&self, id: WorkerId) {
        let now = now();
        let mut state = self.state.lock();
        state.remove_worker(id, now);
        let alone = state.lanes[Lane::Native].workers == 0;
        let messages = if alone {
            state.fail_waiting(Lane::Native, || Outcome::WorkerStart)
        } else {
            Vec::new()
        };
        self.publish(&state);
        drop(state);
        self.send_all(messages);
    }

    /// Ends an idle worker that has waited in vain, unless the minimum needs it.
    pub fn expire_idle(&self, id: WorkerId) -> bool {
        self.state.lock().expire_idle(id)
    }

    /// As [`ring_and_launch`](Self::ring_and_launch), off the owner's thread: it is asked to start isolates.
    fn ring_and_request(self: &Arc<Self>, wakes: Wakes) {
        if let Some(id) = self.ring_and_launch(wakes) {
            self.control(Control::Start(id));
        }
    }

    fn control(&self, control: Control) {
        self.owner.send(Message::Control {
            pool: self.id,
            control,
        });
    }

    fn send_all(&self, messages: Vec<Message>) {
        for message in messages {
            self.owner.send(message);
        }
    }
}

fn ring_all(bells: &[Arc<dyn Bell>]) {
    for bell in bells {
        bell.ring(Ring::Lane);
    }
}

fn ms(ms: u32) -> u64 {
    u64::from(ms) * 1_000_000
}
