//! The workers that help with the chunks of a running task.
//!
//! A task that has chunks for others *offers* them. An offer is no task: a worker of the native lane takes it only if
//! no task wants the worker's place, and gives the place back at the end of a chunk as soon as one does. So helping
//! delays no task by more than a chunk. A helper is as busy as a worker that has a task: it has a place, and a token of
//! the CPU budget.
//!
//! Of several offers, a worker takes the one whose task is due first.

use std::sync::Arc;

use super::wake::Wakes;
use super::{Phase, State};
use crate::scheduler::ids::{GroupId, PLAIN, WorkerId};
use crate::scheduler::job::Job;
use crate::scheduler::lane::{Lane, PerLane};
use crate::sync::{AtomicU32, Ordering::Relaxed};

/// Chunks of a running task that other workers may run.
#[derive(Debug)]
pub(super) struct Offer {
    job: Arc<Job>,
    /// The worker that has the task.
    worker: WorkerId,
    /// When the task is due.
    due: i64,
    /// Workers that may help at once.
    most: u32,
    helpers: u32,
}

impl Offer {
    fn is_open(&self) -> bool {
        self.helpers < self.most && self.job.has_chunks()
    }
}

/// The work that a helper does.
#[derive(Debug)]
pub(in crate::scheduler) struct Helping {
    job: Arc<Job>,
    leave: Arc<AtomicU32>,
    group: GroupId,
    due: i64,
    since: u64,
}

/// The same for the helper's thread.
#[derive(Debug)]
pub struct Help {
    pub(in crate::scheduler) job: Arc<Job>,
    /// Not 0 once a task wants the place of the helper.
    pub(in crate::scheduler) leave: Arc<AtomicU32>,
}

impl State {
    /// A task of a worker has chunks for others. Returns false, and makes no offer, if nobody could help.
    pub(in crate::scheduler) fn offer(&mut self, id: WorkerId, job: &Arc<Job>, most: u32) -> bool {
        let most = most.min(self.limits.max_threads.saturating_sub(1));
        let task = self
            .workers
            .get(id.0)
            .and_then(|worker| worker.slots.iter().flatten().next());
        let (Some(&task), true) = (task, most > 0) else {
            return false;
        };
        self.offers.push(Offer {
            job: Arc::clone(job),
            worker: id,
            due: self.tasks[task].due(),
            most,
            helpers: 0,
        });
        true
    }

    /// Withdraws an offer: no more helpers come in.
    pub(in crate::scheduler) fn withdraw_offer(&mut self, job: &Arc<Job>) {
        self.offers.retain(|offer| !Arc::ptr_eq(&offer.job, job));
    }

    /// Withdraws the offers of a worker that is gone.
    pub(super) fn withdraw_offers_of(&mut self, id: WorkerId) {
        self.offers.retain(|offer| offer.worker != id);
    }

    /// Whether a worker that has no task could help.
    pub(super) fn may_help(&self) -> bool {
        self.offers.iter().any(Offer::is_open)
            && !self.paused
            && self.phase == Phase::Open
            && self.busy() < self.limits.max_threads
            && self.due_tasks() == PerLane([0, 0])
            && self.returning.is_empty()
    }

    /// The number of tasks per lane that a worker would take now, if it had a place.
    fn due_tasks(&self) -> PerLane<usize> {
        let mut due = PerLane([0, 0]);
        if self.paused {
            return due;
        }
        due[Lane::Native] = self.waiting.runnable(Lane::Native);
        let idle = &self.lanes[Lane::Script].idle;
        if !idle.is_empty() {
            due[Lane::Script] = self.waiting.runnable(Lane::Script);
            if self.waiting.bound() > 0 {
                let own = |&id: &u32| self.waiting.own_head(&self.tasks, WorkerId(id)).is_some();
                due[Lane::Script] += idle.iter().filter(|id| own(id)).count();
            }
        }
        due
    }

    /// The number of places that tasks want, and for which no worker is on its way.
    fn wanted_places(&self) -> usize {
        let due = self.due_tasks();
        let unserved = |lane| due[lane].saturating_sub(self.lanes[lane].searching as usize);
        Lane::ALL.into_iter().map(unserved).sum::<usize>() + self.returning_count()
    }

    /// The offer with which a worker that has no task should help.
    pub(super) fn help(&mut self, id: WorkerId, now: u64) -> Option<Help> {
        let worker = &self.workers[id.0];
        if self.offers.is_empty() || worker.lane != Lane::Native || worker.retiring {
            return None;
        }
        let busy = self.busy();
        if now < self.no_help_before || !self.may_help() || !self.share.afford_help(busy) {
            return None;
        }
        let open = self.offers.iter_mut().filter(|offer| offer.is_open());
        let offer = open.min_by_key(|offer| offer.due)?;
        offer.helpers += 1;
        offer.job.enter();
        let leave = Arc::new(AtomicU32::new(0));
        let task = self.workers[offer.worker.0].slots.iter().flatten().next();
        let group = task.map_or(PLAIN, |&task| self.tasks[task].group);
        let helping = Helping {
            job: Arc::clone(&offer.job),
            leave: Arc::clone(&leave),
            group,
            due: offer.due,
            since: now,
        };
        let job = Arc::clone(&offer.job);
        self.workers[id.0].helping = Some(Box::new(helping));
        self.lanes[Lane::Native].busy += 1;
        self.helpers += 1;
        Some(Help { job, leave })
    }

    /// A worker stops helping, and says so before it leaves the job. `wanted` if another process wants its token.
    pub(in crate::scheduler) fn end_help(&mut self, id: WorkerId, wanted: bool, now: u64) {
        if wanted {
            self.no_help_before = now + super::choose::TURN;
        }
        let Some(worker) = self.workers.get_mut(id.0) else {
            return;
        };
        let Some(helping) = worker.helping.take() else {
            return;
        };
        let helped = now.saturating_sub(helping.since);
        worker.busy_ns += helped;
        self.stats.helped(helped);
        self.waiting.charge(helping.group, helped);
        self.lanes[Lane::Native].busy -= 1;
        self.helpers -= 1;
        let offer = self
            .offers
            .iter_mut()
            .find(|offer| Arc::ptr_eq(&offer.job, &helping.job));
        if let Some(offer) = offer {
            offer.helpers -= 1;
        }
    }

    /// Lets helpers leave if tasks want their places, or lets one come if a place is free.
    pub(super) fn share_out(&mut self, now: u64, wakes: &mut Wakes) {
        let busy = self.busy();
        let over = busy.saturating_sub(self.limits.max_threads) as usize;
        let wanted = self.wanted_places();
        if wanted + over > 0 {
            let awake = busy + self.searching();
            if awake >= self.limits.max_threads || !self.share.has_token(awake) {
                self.recall(wanted + over);
            }
            return;
        }
        let lane = &self.lanes[Lane::Native];
        let expected = lane.searching + lane.starting;
        if expected > 0
            || wakes.rings[Lane::Native].is_some()
            || now < self.no_help_before
            || !self.may_help()
            || busy + self.searching() >= self.limits.max_threads
            || !self.share.has_token(busy)
        {
            return;
        }
        let lane = &self.lanes[Lane::Native];
        if let Some(&id) = lane.idle.last() {
            wakes.rings[Lane::Native] = self.wake(id, now);
        } else if lane.staying() < self.most_workers(Lane::Native)
            && wakes.starts[Lane::Native].is_none()
        {
            wakes.starts[Lane::Native] = Some(self.add_worker(Lane::Native, now));
        }
    }

    /// Tells this many helpers to leave at the end of their chunks: those whose tasks are due last.
    fn recall(&mut self, many: usize) {
        let mut helpers: Vec<&Helping> = self
            .workers
            .keys()
            .filter_map(|id| self.workers[id].helping.as_deref())
            .collect();
        helpers.sort_by_key(|helping| {
            // Helpers that have been told already are counted first.
            let told = helping.leave.load(Relaxed) != 0;
            (!told, std::cmp::Reverse(helping.due))
        });
        for helping in helpers.into_iter().take(many) {
            helping.leave.store(1, Relaxed);
        }
    }

    /// Workers that are busy with tasks of their own.
    pub(super) fn busy_with_tasks(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Native => self.lanes[lane].busy - self.helpers,
            Lane::Script => self.lanes[lane].busy,
        }
    }

    /// Whether as many helpers have been told to leave as there are tasks that want places.
    #[cfg(test)]
    pub(super) fn has_recalled(&self) -> bool {
        let free = self.limits.max_threads > self.busy() + self.searching();
        let helping = self
            .workers
            .keys()
            .filter_map(|id| self.workers[id].helping.as_ref());
        let told = helping
            .filter(|helping| helping.leave.load(Relaxed) != 0)
            .count();
        free || told >= self.wanted_places().min(self.helpers as usize)
    }

    #[cfg(any(test, debug_assertions))]
    pub(super) fn check_help(&self) {
        let helping = |worker: &&u32| self.workers[**worker].helping.is_some();
        let workers: Vec<u32> = self.workers.keys().collect();
        let helpers = workers.iter().filter(helping).count();
        assert_eq!(self.helpers as usize, helpers, "helpers");
        for offer in &self.offers {
            let worker = self.workers.get(offer.worker.0);
            assert!(
                worker.is_some_and(|worker| worker.running > 0),
                "who offers has a task"
            );
            let of = |id: &&u32| {
                let helping = self.workers[**id].helping.as_deref();
                helping.is_some_and(|helping| Arc::ptr_eq(&helping.job, &offer.job))
            };
            let helpers = workers.iter().filter(of).count();
            assert_eq!(offer.helpers as usize, helpers, "helpers of an offer");
            assert!(
                offer.helpers <= offer.most,
                "no more help than was asked for"
            );
        }
    }
}
