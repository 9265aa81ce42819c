//! Tasks that end without a result of their own: nobody waits for them any more, or the pool ends.

use std::sync::Arc;

use super::State;
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::Message;
use crate::scheduler::task::{Outcome, Stage};
use crate::scheduler::worker::WorkerState;

/// Tells a worker that nobody waits for one of its tasks any more.
#[derive(Debug)]
pub(in crate::scheduler) struct Cancel {
    bell: Arc<dyn Bell>,
    slot: u32,
    generation: u32,
}

impl Cancel {
    /// Tells the worker.
    pub(in crate::scheduler) fn tell(&self) {
        self.bell.cancel(self.slot, self.generation);
    }
}

/// The state of a task that is given up.
#[derive(Debug)]
pub(in crate::scheduler) enum Given {
    /// It had not started.
    Waiting,
    /// It runs on, and its worker has to be told. A worker that has not joined is told when it joins.
    Running(Option<Cancel>),
    /// It had ended, or been given up before.
    Ended,
}

impl State {
    /// Counts the end of a task, and returns the message for its owner.
    pub(super) fn ended(&mut self, ticket: u32, outcome: Outcome) -> Message {
        self.stats.ended(&outcome);
        Message::Settled { ticket, outcome }
    }

    /// Gives a task up: nobody waits for it any more.
    pub(in crate::scheduler) fn give_up(&mut self, key: Key, why: &Outcome, now: u64) -> Given {
        let Some(task) = self
            .tasks
            .get_mut(key.index)
            .filter(|task| task.generation == key.generation)
        else {
            return Given::Ended;
        };
        match task.stage {
            Stage::Waiting => {
                self.blame_silence(key.index, now);
                self.withdraw(key.index);
                self.stats.ended(why);
                Given::Waiting
            }
            Stage::Running => {
                self.set_abandoned(key.index, now);
                self.stats.ended(why);
                Given::Running(self.abandon(key.index, now))
            }
            Stage::Abandoned => Given::Ended,
        }
    }

    /// Abandons a running task. If it had left its place, it has the place again: another task that took the place on
    /// this worker could end with it.
    fn set_abandoned(&mut self, index: u32, now: u64) {
        let task = &mut self.tasks[index];
        task.stage = Stage::Abandoned;
        let (worker, slot) = (task.worker, task.slot);
        self.set_waits(worker, slot, false, now);
    }

    /// The worker of a task has to be told that nobody waits for it, and gets some time to end it. A worker that has
    /// not joined is told when it joins.
    pub(super) fn abandon(&mut self, index: u32, now: u64) -> Option<Cancel> {
        let cancel = self.cancel_of(index);
        if cancel.is_some() {
            self.time_grace(index, now);
        } else {
            self.alarms.clear(&mut self.tasks[index].alarm);
        }
        cancel
    }

    /// The message for the worker of a given-up task, if the worker has joined.
    fn cancel_of(&self, index: u32) -> Option<Cancel> {
        let task = &self.tasks[index];
        let bell = self.workers[task.worker.0].bell.clone()?;
        Some(Cancel {
            bell,
            slot: task.slot,
            generation: task.generation,
        })
    }

    /// The isolate that still runs an abandoned task has to be ended. It takes no more tasks, because they would end
    /// with it.
    pub(in crate::scheduler) fn condemn(&mut self, key: Key) -> Option<WorkerId> {
        let task = self.find(key)?;
        if task.lane != Lane::Script || task.stage != Stage::Abandoned {
            return None;
        }
        let worker = task.worker;
        self.set_retiring(worker);
        if matches!(
            self.workers[worker.0].state,
            WorkerState::Spare | WorkerState::Idle
        ) {
            self.enter(worker.0, WorkerState::Active);
        }
        Some(worker)
    }

    /// Rejects all tasks that wait in a lane.
    pub(in crate::scheduler) fn fail_waiting(
        &mut self,
        lane: Lane,
        outcome: impl Fn() -> Outcome,
    ) -> Vec<Message> {
        let mut messages = Vec::with_capacity(self.waiting.len());
        while let Some(index) = self.waiting.any(&self.tasks, lane) {
            let ticket = self.withdraw(index).ticket;
            messages.push(self.ended(ticket, outcome()));
        }
        messages
    }

    /// As [`fail_waiting`](Self::fail_waiting), in both lanes.
    pub(in crate::scheduler) fn fail_all_waiting(
        &mut self,
        outcome: impl Fn() -> Outcome,
    ) -> Vec<Message> {
        let mut messages = self.fail_waiting(Lane::Native, &outcome);
        messages.extend(self.fail_waiting(Lane::Script, &outcome));
        messages
    }

    /// The owner gives up all waiting tasks.
    pub(in crate::scheduler) fn cancel_all_waiting(&mut self, now: u64) -> Vec<Message> {
        if self.lanes[Lane::Script].silent > 0 {
            for index in self.tasks.keys().collect::<Vec<_>>() {
                if self.tasks[index].stage == Stage::Waiting {
                    self.blame_silence(index, now);
                }
            }
        }
        self.fail_all_waiting(|| Outcome::Cancelled)
    }

    /// The system refused the thread of a native worker. The waiting tasks are rejected unless another worker will take
    /// them; the next submit tries to start a worker again.
    pub(in crate::scheduler) fn launch_failed(&mut self, id: WorkerId, now: u64) -> Vec<Message> {
        let mut messages = self.remove_worker(id, now);
        if self.lanes[Lane::Native].workers == 0 {
            messages.extend(self.fail_waiting(Lane::Native, || Outcome::WorkerStart));
        }
        messages
    }

    /// Rejects all running tasks with [`Outcome::PoolClosed`]. Returns the workers to be told.
    pub(in crate::scheduler) fn abandon_running(
        &mut self,
        now: u64,
    ) -> (Vec<Message>, Vec<Cancel>) {
        let (mut messages, mut cancels) = (Vec::new(), Vec::new());
        for index in self.tasks.keys().collect::<Vec<_>>() {
            let task = &self.tasks[index];
            if task.stage != Stage::Running {
                continue;
            }
            let ticket = task.ticket;
            self.set_abandoned(index, now);
            messages.push(self.ended(ticket, Outcome::PoolClosed));
            self.alarms.clear(&mut self.tasks[index].alarm);
            cancels.extend(self.cancel_of(index));
        }
        (messages, cancels)
    }
}
