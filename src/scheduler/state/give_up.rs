//! Tasks that end without a result of theirs: nobody waits for them any more, or the pool ends.

use std::sync::Arc;

use super::State;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::{Bell, Message};
use crate::scheduler::task::{Key, Outcome, Stage};
use crate::scheduler::worker::{WorkerId, WorkerState};

/// A worker that has to be told that nobody waits for a task of its any more.
#[derive(Debug)]
pub(in crate::scheduler) struct Cancel {
    pub(in crate::scheduler) bell: Arc<dyn Bell>,
    pub(in crate::scheduler) slot: u32,
    pub(in crate::scheduler) generation: u32,
}

/// What became of a task that its caller gave up.
#[derive(Debug)]
pub(in crate::scheduler) enum Given {
    /// It had not started; this was its input's lane.
    Waiting,
    /// It runs on; its worker is told through the bell, for this slot.
    Running(u32, Option<Arc<dyn Bell>>),
    /// It had ended.
    Ended,
}

impl State {
    /// Nobody waits for the task any more.
    pub(in crate::scheduler) fn give_up(&mut self, key: Key) -> Given {
        let Some(task) = self
            .tasks
            .get_mut(key.index)
            .filter(|task| task.generation == key.generation)
        else {
            return Given::Ended;
        };
        match task.stage {
            Stage::Waiting => {
                self.withdraw(key.index);
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
    pub(in crate::scheduler) fn find(&self, key: Key) -> Option<(u32, Lane, Stage, WorkerId)> {
        let task = self
            .tasks
            .get(key.index)
            .filter(|task| task.generation == key.generation)?;
        Some((task.ticket, task.lane, task.stage, task.worker))
    }

    /// The isolate that still runs an abandoned task is to be ended: it takes no more tasks, lest they
    /// end with it.
    pub(in crate::scheduler) fn condemn(&mut self, key: Key) -> Option<WorkerId> {
        let (_, lane, stage, worker) = self.find(key)?;
        if lane != Lane::Script || stage != Stage::Abandoned {
            return None;
        }
        self.set_retiring(worker);
        if matches!(
            self.workers[worker.0].state,
            WorkerState::Spare | WorkerState::Idle
        ) {
            self.enter(worker.0, WorkerState::Active);
        }
        Some(worker)
    }

    /// Rejects everything that waits in a lane.
    pub(in crate::scheduler) fn fail_waiting(
        &mut self,
        lane: Lane,
        outcome: impl Fn() -> Outcome,
    ) -> Vec<Message> {
        let mut messages = Vec::with_capacity(self.waiting.len());
        while let Some(index) = self.waiting.any(&self.tasks, lane) {
            let ticket = self.withdraw(index).ticket;
            self.stats.failed += 1;
            messages.push(Message::Settled {
                ticket,
                outcome: outcome(),
            });
        }
        messages
    }

    /// Rejects everything that runs; the workers are told through their bells.
    pub(in crate::scheduler) fn abandon_running(&mut self) -> (Vec<Message>, Vec<Cancel>) {
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
}
