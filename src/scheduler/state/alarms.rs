//! Alarms: each belongs to a task, a worker or the pool, and is taken out with it.
//!
//! A task has one alarm at most, which is set anew at each stage of the task. While the task waits, the alarm is for
//! its `queueTimeout`; while it runs, for its `timeout`; or for the deadline, if that is sooner. Once the task has been
//! given up, the alarm is for the time that its isolate gets. So no alarm of one attempt, or of one stage, can hit
//! another.
//!
//! A worker has one alarm, too, besides the one for its silence. First it is for the time that the start may take, then
//! for the worker's age, and once the worker has been told to end, for the time that it gets for that.

use std::sync::Arc;

use super::give_up::{Cancel, Given};
use super::silence::Quiet;
use super::{Phase, State};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::{Control, Ending, Message, Reminder};
use crate::scheduler::task::{NO_LIMIT, Outcome, Stage, Task};
use crate::scheduler::timer::TICK_NS;
use crate::scheduler::wheel::{EntryId, Wheel};
use crate::scheduler::worker::WorkerState;

/// No time, and no length of time.
pub(in crate::scheduler) const NEVER: u64 = u64::MAX;

const MS: u64 = 1_000_000;

/// Nanoseconds until the pool checks whether a worker that was rung has come, and whether the busy ones have kept up.
const WAKE_PATIENCE: u64 = 2 * MS;
/// Nanoseconds until a pool looks again for a token of the CPU budget, if nobody tells it.
const LOOK_AGAIN: u64 = 50 * MS;
/// Nanoseconds that an isolate gets to begin before the owner is asked whether it ever will.
const BEGIN_PATIENCE: u64 = 10_000 * MS;
/// Nanoseconds that a retired isolate of an open pool gets to end by itself. Nothing waits for that.
const LEAVE_GRACE: u64 = 5_000 * MS;
/// The same if each task has an isolate of its own: then the next tasks do wait for it.
const ONE_TASK_GRACE: u64 = 100 * MS;
/// The same for all isolates of a closed pool together.
const CLOSE_GRACE: u64 = 1_000 * MS;
/// Nanoseconds between a failed start of an isolate and the next one. Doubled each time, up to the longest.
const FIRST_BACKOFF: u64 = 100 * MS;
const LONGEST_BACKOFF: u64 = 5_000 * MS;

/// The nanoseconds of a limit in milliseconds, or [`NEVER`] without a limit.
#[inline]
pub(in crate::scheduler) fn ns(ms: u32) -> u64 {
    match ms {
        NO_LIMIT => NEVER,
        ms => u64::from(ms) * MS,
    }
}

/// The purpose of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    /// A limit of this task's stage is over, or its deadline.
    Task(u32),
    /// This worker has not started in time, or has not even begun.
    Start(WorkerId),
    /// This worker is too old.
    Age(WorkerId),
    /// This worker was told to end, and has not.
    Leave(WorkerId),
    /// This worker was rung, and has not come.
    Silence(WorkerId),
    /// Workers may have been idle for too long.
    Idle,
    /// Workers that were rung may not have come, and the busy ones not have kept up.
    Wakers,
    /// Isolates may be started again.
    Retry,
    /// The time that the isolates of the closed pool get is over.
    Closed,
    /// The owner wanted to be told of this time.
    Reminder(Reminder),
}

/// The alarms of a pool.
#[derive(Debug)]
pub(in crate::scheduler) struct Alarms {
    wheel: Wheel<Alarm>,
    /// No alarm comes before this tick.
    earliest: u64,
    /// The tick to which the pool's clock is set.
    told: u64,
    pub(super) idle: EntryId,
    pub(super) wakers: EntryId,
    pub(super) retry: EntryId,
    reminders: [EntryId; Reminder::ALL.len()],
}

impl Alarms {
    pub(super) fn new(now: u64) -> Self {
        Self {
            wheel: Wheel::new(now / TICK_NS),
            earliest: NEVER,
            told: NEVER,
            idle: EntryId::NONE,
            wakers: EntryId::NONE,
            retry: EntryId::NONE,
            reminders: [EntryId::NONE; Reminder::ALL.len()],
        }
    }

    /// Sets an alarm in place of the one that `id` names; none if the time is [`NEVER`].
    #[inline]
    fn set(&mut self, id: &mut EntryId, at: u64, alarm: Alarm) {
        self.clear(id);
        if at != NEVER {
            // Rounded up, so that it is never early.
            let tick = at.div_ceil(TICK_NS);
            *id = self.wheel.insert(tick, alarm);
            self.earliest = self.earliest.min(tick);
        }
    }

    #[inline]
    pub(super) fn clear(&mut self, id: &mut EntryId) {
        if *id != EntryId::NONE {
            self.wheel.remove(std::mem::replace(id, EntryId::NONE));
        }
    }
}

#[cfg(any(test, debug_assertions))]
impl Alarms {
    pub(super) fn of(&self, id: EntryId) -> Alarm {
        *self.wheel.item(id)
    }

    pub(super) fn len(&self) -> usize {
        self.wheel.len()
    }

    /// When the pool's clock rings next.
    #[cfg(test)]
    pub(super) fn next(&self) -> Option<u64> {
        self.wheel.next().map(|tick| tick * TICK_NS)
    }

    /// How many alarms of the pool itself are set.
    pub(super) fn of_pool(&self) -> usize {
        let own = [self.idle, self.wakers, self.retry];
        let all = own.into_iter().chain(self.reminders);
        all.filter(|&id| id != EntryId::NONE).count()
    }
}

/// The effects of alarms, to be carried out once the lock is released.
#[derive(Debug, Default)]
pub(in crate::scheduler) struct Effects {
    pub(in crate::scheduler) messages: Vec<Message>,
    pub(in crate::scheduler) cancels: Vec<Cancel>,
    pub(in crate::scheduler) bells: Vec<Arc<dyn Bell>>,
    pub(in crate::scheduler) controls: Vec<Control>,
    /// Workers whose threads should be looked at.
    pub(in crate::scheduler) quiet: Vec<Quiet>,
    /// The waiting tasks have waited long enough to need another worker.
    pub(in crate::scheduler) doubtful: bool,
}

impl State {
    /// The tick to which the pool's clock has to be set, if it is set to a later one.
    #[inline]
    pub(in crate::scheduler) fn untold_alarm(&mut self) -> Option<u64> {
        let alarms = &mut self.alarms;
        (alarms.earliest < alarms.told).then(|| {
            alarms.told = alarms.earliest;
            alarms.told
        })
    }

    /// The pool's clock has rung, and is not set any more. Handles the alarms that are due, at most `most` of them. If
    /// there are more, the clock rings again at once.
    pub(in crate::scheduler) fn ring_alarms(&mut self, most: usize, now: u64) -> Effects {
        let mut effects = Effects::default();
        for _ in 0..most {
            let Some(alarm) = self.alarms.wheel.pop(now / TICK_NS) else {
                break;
            };
            self.do_alarm(alarm, now, &mut effects);
        }
        self.alarms.told = NEVER;
        self.alarms.earliest = self.alarms.wheel.next().unwrap_or(NEVER);
        effects
    }

    fn do_alarm(&mut self, alarm: Alarm, now: u64, effects: &mut Effects) {
        match alarm {
            Alarm::Task(index) => self.task_is_due(index, now, effects),
            Alarm::Start(id) => self.start_is_due(id, now, effects),
            Alarm::Age(id) => {
                self.workers[id.0].alarm = EntryId::NONE;
                self.wear_out(id);
            }
            Alarm::Leave(id) => {
                self.workers[id.0].alarm = EntryId::NONE;
                effects
                    .controls
                    .push(Control::Terminate(id, Ending::LeavesLate));
            }
            Alarm::Silence(id) => {
                let worker = &mut self.workers[id.0];
                let (serial, thread) = (worker.serial, worker.thread);
                if let Some(silence) = &mut worker.silence {
                    silence.alarm = EntryId::NONE;
                }
                effects.quiet.push(Quiet { id, serial, thread });
            }
            Alarm::Idle => {
                self.alarms.idle = EntryId::NONE;
                let idle = ns(self.limits.idle_timeout);
                effects.bells.extend(self.reap(Lane::Script, idle, now));
                self.expect_idle();
            }
            Alarm::Wakers => {
                self.alarms.wakers = EntryId::NONE;
                if self.doubt_wakers(WAKE_PATIENCE, now) {
                    self.expect_wakers(now);
                }
                effects.doubtful = true;
            }
            Alarm::Retry => {
                self.alarms.retry = EntryId::NONE;
                self.lanes[Lane::Script].held = false;
                effects.controls.push(Control::Remind(Reminder::Retry));
            }
            Alarm::Closed => {
                let isolates = self
                    .workers
                    .keys()
                    .filter(|&id| self.workers[id].lane == Lane::Script);
                effects.controls.extend(
                    isolates.map(|id| Control::Terminate(WorkerId(id), Ending::ClosedLate)),
                );
            }
            Alarm::Reminder(reminder) => {
                self.alarms.reminders[reminder as usize] = EntryId::NONE;
                effects.controls.push(Control::Remind(reminder));
            }
        }
    }

    // ---- tasks -----------------------------------------------------------------------------------

    /// Sets the alarm of a task for its present stage.
    #[inline]
    pub(super) fn time_task(&mut self, index: u32) {
        let task = &mut self.tasks[index];
        let at = due_of(task);
        if at != NEVER || task.alarm != EntryId::NONE {
            self.alarms.set(&mut task.alarm, at, Alarm::Task(index));
        }
    }

    /// Sets the time that the isolate of an abandoned task gets to end it.
    pub(super) fn time_grace(&mut self, index: u32, now: u64) {
        let task = &mut self.tasks[index];
        let at = match task.lane {
            Lane::Native => NEVER,
            Lane::Script => now.saturating_add(ns(self.limits.abort_grace)),
        };
        self.alarms.set(&mut task.alarm, at, Alarm::Task(index));
    }

    fn task_is_due(&mut self, index: u32, now: u64, effects: &mut Effects) {
        let task = &mut self.tasks[index];
        task.alarm = EntryId::NONE;
        let key = Key {
            index,
            generation: task.generation,
        };
        let outcome = match task.stage {
            Stage::Abandoned => {
                let condemned = self.condemn(key);
                effects
                    .controls
                    .extend(condemned.map(|id| Control::Terminate(id, Ending::GivenUp)));
                return;
            }
            _ if task.deadline <= limit_of(task) => Outcome::Deadline,
            Stage::Waiting => Outcome::QueueTimeout,
            Stage::Running => Outcome::TaskTimeout,
        };
        let ticket = task.ticket;
        if let Given::Running(cancel) = self.give_up(key, &outcome, now) {
            effects.cancels.extend(cancel);
        }
        effects.messages.push(Message::Settled { ticket, outcome });
    }

    // ---- workers ---------------------------------------------------------------------------------

    /// The isolate of a worker is being started from now on.
    pub(in crate::scheduler) fn begin_start(&mut self, id: WorkerId, now: u64) {
        let limit = now.saturating_add(ns(self.limits.start_timeout));
        if let Some(worker) = self.workers.get_mut(id.0)
            && worker.state == WorkerState::Starting
        {
            worker.since = now;
            let at = limit.min(now + BEGIN_PATIENCE);
            self.alarms.set(&mut worker.alarm, at, Alarm::Start(id));
        }
    }

    /// The code of an isolate runs.
    pub(in crate::scheduler) fn has_begun(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(id.0) {
            worker.begun = true;
        }
    }

    fn start_is_due(&mut self, id: WorkerId, now: u64, effects: &mut Effects) {
        let worker = &mut self.workers[id.0];
        worker.alarm = EntryId::NONE;
        let limit = worker.since.saturating_add(ns(self.limits.start_timeout));
        if limit <= now {
            effects.controls.push(Control::StartedTooLate(id));
            if !worker.begun {
                effects.controls.push(Control::NotBegun(id));
            }
            return;
        }
        let mut next = limit;
        if !worker.begun {
            effects.controls.push(Control::NotBegun(id));
            next = limit.min(now + BEGIN_PATIENCE);
        }
        self.alarms.set(&mut worker.alarm, next, Alarm::Start(id));
    }

    /// A worker has joined. Sets the alarm for its age, if that is limited.
    pub(super) fn time_age(&mut self, id: WorkerId, now: u64) {
        let worker = &mut self.workers[id.0];
        let at = self.wear.age_of(worker).map_or(NEVER, |age| now + age);
        self.alarms.set(&mut worker.alarm, at, Alarm::Age(id));
    }

    /// An isolate has been told to end, and starts to do so.
    pub(super) fn time_leave(&mut self, id: WorkerId, now: u64) {
        self.time_leave_within(id, ns(self.limits.start_timeout), now);
    }

    /// An isolate that was told to end has nothing left to do. It ends unless its script left something that keeps it.
    pub(in crate::scheduler) fn torn_down(&mut self, id: WorkerId, now: u64) {
        let grace = if self.wear.one_task {
            ONE_TASK_GRACE
        } else {
            LEAVE_GRACE
        };
        self.time_leave_within(id, grace, now);
    }

    fn time_leave_within(&mut self, id: WorkerId, limit: u64, now: u64) {
        if let Some(worker) = self.workers.get_mut(id.0)
            && worker.lane == Lane::Script
        {
            let at = now.saturating_add(limit);
            self.alarms.set(&mut worker.alarm, at, Alarm::Leave(id));
        }
    }

    /// Sets when to look at a worker that does not come.
    pub(super) fn time_silence(&mut self, id: WorkerId, at: u64) {
        if let Some(silence) = &mut self.workers[id.0].silence {
            self.alarms.set(&mut silence.alarm, at, Alarm::Silence(id));
        }
    }

    /// Checks in a while whether the workers that were rung have come, and the busy ones have kept up.
    pub(super) fn expect_wakers(&mut self, now: u64) {
        self.look_within(WAKE_PATIENCE, now);
    }

    /// The pool lacks a token of the CPU budget, and nobody will tell it of a free one.
    pub(in crate::scheduler) fn look_later(&mut self, now: u64) {
        self.look_within(LOOK_AGAIN, now);
    }

    fn look_within(&mut self, ns: u64, now: u64) {
        if self.alarms.wakers == EntryId::NONE {
            let mut id = EntryId::NONE;
            self.alarms.set(&mut id, now + ns, Alarm::Wakers);
            self.alarms.wakers = id;
        }
    }

    /// An isolate is idle from now on, or fewer are needed. Surplus idle isolates end in a while.
    pub(super) fn expect_idle(&mut self) {
        if self.alarms.idle != EntryId::NONE
            || self.limits.idle_timeout == NO_LIMIT
            || self.settled(Lane::Script) <= self.limits.min_threads
        {
            return;
        }
        let idle = self.without_tasks(Lane::Script);
        let longest = idle.map(|id| self.workers[id].idle_since).min();
        if let Some(since) = longest {
            let at = since.saturating_add(ns(self.limits.idle_timeout));
            let mut id = EntryId::NONE;
            self.alarms.set(&mut id, at, Alarm::Idle);
            self.alarms.idle = id;
        }
    }

    // ---- the pool --------------------------------------------------------------------------------

    /// An isolate could not be started. The next start has to wait, longer each time.
    pub(super) fn start_failed(&mut self, now: u64) {
        let lane = &mut self.lanes[Lane::Script];
        let backoff = FIRST_BACKOFF << lane.failures.min(6);
        lane.failures = lane.failures.saturating_add(1);
        lane.held = true;
        let mut id = self.alarms.retry;
        let at = now + backoff.min(LONGEST_BACKOFF);
        self.alarms.set(&mut id, at, Alarm::Retry);
        self.alarms.retry = id;
    }

    /// Sets the time that the isolates of a closed pool get to end by themselves.
    pub(super) fn time_close(&mut self, now: u64) {
        debug_assert_eq!(self.phase, Phase::Closed);
        if self.lanes[Lane::Script].workers > 0 {
            let mut id = EntryId::NONE;
            self.alarms.set(&mut id, now + CLOSE_GRACE, Alarm::Closed);
        }
    }

    /// Reminds the owner after this many milliseconds. If the reminder is set to come sooner, it stays.
    pub(in crate::scheduler) fn remind(&mut self, reminder: Reminder, ms: u32, now: u64) {
        let at = now.saturating_add(ns(ms));
        let mut id = self.alarms.reminders[reminder as usize];
        if id != EntryId::NONE && self.alarms.wheel.tick_of(id) <= at / TICK_NS {
            return;
        }
        self.alarms.set(&mut id, at, Alarm::Reminder(reminder));
        self.alarms.reminders[reminder as usize] = id;
    }
}

/// When the limit of a task's stage is over.
fn limit_of(task: &Task) -> u64 {
    let limit = match task.stage {
        Stage::Waiting => task.queue_timeout,
        Stage::Running => task.timeout,
        Stage::Abandoned => NO_LIMIT,
    };
    task.started.saturating_add(ns(limit))
}

/// When the alarm of a task that has not been given up is due.
pub(super) fn due_of(task: &Task) -> u64 {
    limit_of(task).min(task.deadline)
}
