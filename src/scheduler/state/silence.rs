//! Workers that were rung and do not come, e.g. because a timer of their script is busy, or a regular expression does
//! not end. They run no task, so no task's time limit ends them.
//!
//! 1. After a moment the pool does not wait for the worker: another one is rung (`wake`), and the worker's silence is
//!    watched.
//! 2. After a second the pool does not count on the worker: another one is started in its place, and the tasks that
//!    wait for it go elsewhere.
//! 3. After the stall timeout, or soon after a task was given up that waited for no other worker, the owner is asked to
//!    end the worker, unless there is an excuse (`supervise::stall`). The owner knows one more excuse: an inspector.
//!
//! All of this stops as soon as the worker comes. A worker that has begun to run a task is in no such list.

use super::alarms::ns;
use super::{Phase, State};
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::outbox::Control;
use crate::scheduler::silence::{Silence, Usage};
use crate::scheduler::task::PINNED;
use crate::scheduler::worker::Worker;

/// A silent worker whose thread should be looked at once the lock is released.
#[derive(Clone, Copy, Debug)]
pub(in crate::scheduler) struct Quiet {
    pub(in crate::scheduler) id: WorkerId,
    /// Distinguishes it from other workers that have had its id.
    pub(in crate::scheduler) serial: u32,
    pub(in crate::scheduler) thread: Option<u32>,
}

impl State {
    /// A worker was rung at `since`, and has not come.
    pub(super) fn begin_silence(&mut self, id: WorkerId, since: u64) {
        let worker = &mut self.workers[id.0];
        let watched = worker.lane == Lane::Script && !worker.has_begun_tasks();
        if !watched || worker.silence.is_some() || self.phase == Phase::Closed {
            return;
        }
        let silence = Silence::new(since, ns(self.limits.stall_timeout));
        let at = silence.first_look();
        worker.silence = Some(Box::new(silence));
        self.lanes[Lane::Script].silent += 1;
        self.time_silence(id, at);
    }

    /// A worker has come, or is gone.
    pub(super) fn end_silence(&mut self, id: WorkerId) {
        let worker = &mut self.workers[id.0];
        let counted_out = worker.is_counted_out();
        let Some(mut silence) = worker.silence.take() else {
            return;
        };
        self.alarms.clear(&mut silence.alarm);
        let lane = &mut self.lanes[Lane::Script];
        lane.silent -= 1;
        lane.counted_out -= u32::from(counted_out);
    }

    /// Judges a silent worker by what its thread has done.
    pub(in crate::scheduler) fn looked_at(
        &mut self,
        Quiet { id, serial, .. }: Quiet,
        usage: Usage,
        now: u64,
    ) -> Option<Control> {
        let worker = self.workers.get_mut(id.0)?;
        let retiring = worker.retiring;
        let silence = worker
            .silence
            .as_mut()
            .filter(|_| worker.serial == serial)?;
        let stalled = silence.look(usage, now) && !std::mem::replace(&mut silence.told, true);
        let (told, next) = (silence.told, silence.next_look(now));
        if silence.is_unresponsive(now)
            && !std::mem::replace(&mut silence.counted_out, true)
            && !retiring
        {
            self.lanes[Lane::Script].counted_out += 1;
            self.move_own_tasks(id);
        }
        if !told {
            self.time_silence(id, next);
        }
        stalled.then_some(Control::Stalled(id))
    }

    /// A waiting task is given up. If only silent workers could have run it, the pool waits no longer for them than a
    /// task may take to stop.
    pub(super) fn blame_silence(&mut self, index: u32, now: u64) {
        let task = &self.tasks[index];
        if task.lane != Lane::Script || self.lanes[Lane::Script].silent == 0 {
            return;
        }
        let only = (task.worker != WorkerId::NONE).then_some(task.worker);
        let script = |worker: &Worker| worker.lane == Lane::Script && !worker.retiring;
        let candidates: Vec<u32> = self
            .workers
            .keys()
            .filter(|&id| only.is_none_or(|only| only.0 == id) && script(&self.workers[id]))
            .collect();
        if candidates
            .iter()
            .any(|&id| self.workers[id].silence.is_none())
        {
            return;
        }
        let grace = ns(self.limits.abort_grace);
        for id in candidates {
            let silence = self.workers[id].silence.as_mut();
            let silence = silence.expect("each of them is silent");
            silence.hasten(grace, now);
            if !silence.told {
                let at = silence.next_look(now);
                self.time_silence(WorkerId(id), at);
            }
        }
    }

    /// The owner is about to end a worker that still does not come. It takes no more tasks, because they would end with
    /// it. Returns for how many nanoseconds it has been silent.
    pub(in crate::scheduler) fn end_stalled(&mut self, id: WorkerId, now: u64) -> Option<u64> {
        let worker = self.workers.get(id.0)?;
        let since = worker.silence.as_ref()?.since;
        self.set_retiring(id);
        Some(now.saturating_sub(since))
    }

    /// The owner does not end a worker, because an inspector is open. The judge starts to count again.
    pub(in crate::scheduler) fn excuse(&mut self, id: WorkerId, now: u64) {
        let limit = ns(self.limits.stall_timeout);
        let worker = self.workers.get_mut(id.0);
        let Some(silence) = worker.and_then(|worker| worker.silence.as_mut()) else {
            return;
        };
        silence.excuse(limit, now);
        let at = silence.next_look(now);
        self.time_silence(id, at);
    }

    /// Moves the tasks that wait for a worker elsewhere, except those that no other worker may run.
    pub(super) fn move_own_tasks(&mut self, id: WorkerId) {
        for index in self.waiting.own_tasks(&self.tasks, id) {
            let key = self.tasks[index].key;
            if key == PINNED {
                continue;
            }
            let to = self.worker_for(key, None);
            self.waiting.rebind(&mut self.tasks, index, to);
            self.nudge(index);
        }
    }
}
