//! Decides which workers are rung, and which are started.
//!
//! A submit wakes at most one worker of the lane, and none while one searches (spins or is waking), because that one
//! will take the task. A worker that takes a task and leaves others waiting wakes the next worker. So n workers cost no
//! more than one.
//!
//! A worker is not woken either for tasks that the busy ones will have taken before it could come. This is judged by
//! how long tasks have lately run, and an alarm checks the guess: see `alarms`.

use std::sync::Arc;

use super::{Phase, State};
use crate::scheduler::bell::Bell;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::{Lane, PerLane};
use crate::scheduler::waiting::LineOf;
use crate::scheduler::worker::WorkerState;

/// The effects that have to happen once the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(in crate::scheduler) struct Wakes {
    pub(in crate::scheduler) rings: PerLane<Option<Arc<dyn Bell>>>,
    /// The workers for which tasks wait in particular.
    #[expect(
        clippy::box_collection,
        reason = "they are seldom there, and this is on every task's way"
    )]
    pub(in crate::scheduler) bound: Option<Box<Vec<Arc<dyn Bell>>>>,
    /// The workers whose tasks go on after they have waited for their readers.
    #[expect(
        clippy::box_collection,
        reason = "they are seldom there, and this is on every task's way"
    )]
    pub(in crate::scheduler) back: Option<Box<Vec<Arc<dyn Bell>>>>,
    pub(in crate::scheduler) starts: PerLane<Option<WorkerId>>,
    /// No worker was woken for some tasks, because they will not wait for long.
    trusted: bool,
    /// The pool lacks a token of the CPU budget.
    pub(in crate::scheduler) starved: bool,
}

impl State {
    /// Which workers have to be rung or started for the waiting tasks. If not `trusting`, these have waited long enough
    /// to need another worker.
    pub(in crate::scheduler) fn wakes(&mut self, trusting: bool, now: u64) -> Wakes {
        let mut wakes = Wakes::default();
        wakes.starts[Lane::Script] = self.requested.take();
        if self.worn > 0 || self.wear.one_task {
            self.renew(now, &mut wakes);
        }
        if !self.returning.is_empty() {
            self.let_go_on(now, &mut wakes);
        }
        if !self.paused && self.phase == Phase::Open {
            if self.waiting.bound() == 0 {
                let [native, script] = Lane::ALL.map(|lane| self.waiting.runnable(lane) > 0);
                // A worker that has just yielded is idle, too, and its lane must not be rung first.
                let order = if native && script {
                    self.by_precedence()
                } else {
                    Lane::ALL
                };
                for lane in order {
                    self.wake_lane(lane, trusting, now, &mut wakes);
                }
            } else {
                self.wake_in_order(trusting, now, &mut wakes);
            }
        }
        if !self.offers.is_empty() || self.helpers > 0 {
            self.share_out(now, &mut wakes);
        }
        wakes.starved = self.share.settle(self.busy());
        if wakes.trusted || wakes.rings[Lane::Script].is_some() || wakes.bound.is_some() {
            self.expect_wakers(now);
        }
        wakes
    }

    #[inline]
    fn wake_lane(&mut self, lane: Lane, trusting: bool, now: u64, wakes: &mut Wakes) {
        let waiting = self.waiting.runnable(lane);
        if waiting == 0 {
            return;
        }
        let state = &self.lanes[lane];
        if trusting && state.keeps_up(waiting) {
            wakes.trusted = true;
            return;
        }
        if state.searching == 0 {
            let place_free = self.place_is_free();
            let state = &self.lanes[lane];
            let idle = if place_free { state.idle.last() } else { None };
            if let Some(&id) = idle.or(state.spare.last()) {
                wakes.rings[lane] = self.wake(id, now);
            }
        }
        let state = &self.lanes[lane];
        let expected = (state.starting - state.promised + state.searching) as usize;
        if (lane == Lane::Native || !self.wear.one_task)
            && !state.held
            && state.idle.is_empty()
            && state.staying() < self.most_workers(lane)
            && expected < waiting
            && wakes.starts[lane].is_none()
        {
            wakes.starts[lane] = Some(self.add_worker(lane, now));
        }
    }

    /// Whether one more worker may be busy, as far as that is known.
    fn place_is_free(&mut self) -> bool {
        let awake = self.busy() + self.searching();
        awake < self.limits.max_threads && self.share.could_afford(awake)
    }

    /// As `wakes`, if tasks wait for workers of their own. The worker with the task that is due first is woken first,
    /// because there may not be a place for all.
    fn wake_in_order(&mut self, trusting: bool, now: u64, wakes: &mut Wakes) {
        let lanes = Lane::ALL.into_iter().filter_map(|lane| {
            let head = self.waiting.head(&self.tasks, lane)?;
            Some((head, LineOf::Lane(lane)))
        });
        let script = &self.lanes[Lane::Script];
        let workers = script.idle.iter().chain(&script.spare).filter_map(|&id| {
            let head = self.waiting.own_head(&self.tasks, WorkerId(id))?;
            Some((head, LineOf::Worker(WorkerId(id))))
        });
        let mut callers: Vec<(u32, LineOf)> = lanes.chain(workers).collect();
        callers.sort_by(|&(a, _), &(b, _)| {
            let (tasks, waiting) = (&self.tasks, &self.waiting);
            let later = waiting.precedes(tasks, b, a);
            later.cmp(&waiting.precedes(tasks, a, b))
        });
        for (_, place) in callers {
            match place {
                LineOf::Lane(lane) => self.wake_lane(lane, trusting, now, wakes),
                LineOf::Worker(id) => {
                    let state = self.workers[id.0].state;
                    let free = state == WorkerState::Spare
                        || state == WorkerState::Idle && self.place_is_free();
                    if free {
                        wakes
                            .bound
                            .get_or_insert_default()
                            .extend(self.wake(id.0, now));
                    }
                }
            }
        }
    }

    /// The lanes. First comes the one whose task should have the next free place.
    pub(super) fn by_precedence(&self) -> [Lane; 2] {
        let [a, b] = Lane::ALL;
        match (
            self.waiting.head(&self.tasks, a),
            self.waiting.head(&self.tasks, b),
        ) {
            (Some(first), Some(second)) if self.waiting.precedes(&self.tasks, second, first) => {
                [b, a]
            }
            _ => [a, b],
        }
    }

    pub(super) fn wake(&mut self, id: u32, now: u64) -> Option<Arc<dyn Bell>> {
        self.workers[id].rung_at = now;
        self.enter(id, WorkerState::Waking);
        self.workers[id].bell.clone()
    }

    /// Stops counting on workers that were rung more than `patience` ago and have not come: their event loops are busy
    /// with something else. Returns whether others are still expected.
    pub(in crate::scheduler) fn doubt_wakers(&mut self, patience: u64, now: u64) -> bool {
        let mut expected = false;
        for id in self.workers.keys().collect::<Vec<_>>() {
            let worker = &self.workers[id];
            let unseen = worker.unseen > 0 && worker.silence.is_none();
            if worker.state != WorkerState::Waking && !unseen {
                continue;
            }
            if now.saturating_sub(worker.rung_at) >= patience {
                let since = worker.rung_at;
                self.enter(id, WorkerState::Active);
                self.begin_silence(WorkerId(id), since);
            } else {
                expected = true;
            }
        }
        expected
    }
}
