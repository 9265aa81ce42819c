//! A pool with simulated callers and workers, for histories of any kind. Workers act only when they are started or
//! rung. The world's record of each task is the model with which the state is compared: a task settles exactly once,
//! whoever tells it, and a worker hands over the outcome of a task that it was given.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::choices::Choices;
use super::help::a_job;
use super::*;
use crate::scheduler::groups::GroupLimits;
use crate::scheduler::job::Job;
use crate::scheduler::outbox::Control;

const MS: u32 = 1_000_000;

/// Notes which worker was rung.
#[derive(Debug)]
struct Ringer(WorkerId, Arc<Mutex<Vec<WorkerId>>>);

impl Bell for Ringer {
    fn ring(&self, _: Ring) {
        self.1.lock().push(self.0);
    }
    fn cancel(&self, _: u32, _: u32) {}
}

/// A task that a worker has.
#[derive(Clone, Copy, Debug)]
struct Had {
    slot: u32,
    key: Key,
    ticket: u32,
    waits: bool,
    /// It waits for the reader of its stream.
    blocked: bool,
}

impl Had {
    fn of(taken: &Taken) -> Self {
        Self {
            slot: taken.slot,
            key: taken.key,
            ticket: taken.ticket,
            waits: false,
            blocked: false,
        }
    }

    fn finished(self) -> Finished {
        Finished {
            slot: self.slot,
            generation: self.key.generation,
            outcome: done(),
        }
    }
}

#[derive(Debug, Default)]
struct Simulated {
    /// Will look for a task.
    awake: bool,
    has: Vec<Had>,
    /// The chunks that it offers to others.
    offers: Option<Arc<Job>>,
    /// The job that it helps with.
    helps: Option<Help>,
}

impl Simulated {
    fn is_blocked(&self) -> bool {
        self.has.iter().any(|had| had.blocked)
    }

    fn is_busy(&self) -> bool {
        if self.is_blocked() {
            return self.awake;
        }
        self.awake || !self.has.is_empty() || self.helps.is_some()
    }
}

pub(super) struct World {
    pub(super) state: State,
    pub(super) choices: Choices,
    now: u64,
    rung: Arc<Mutex<Vec<WorkerId>>>,
    /// The workers that have to be started.
    starting: Vec<WorkerId>,
    workers: BTreeMap<u32, Simulated>,
    /// Tasks that were sent to workers which are still starting.
    sent: BTreeMap<u32, Vec<Had>>,
    /// By ticket: how often the task has settled.
    pub(super) settled: Vec<u8>,
    keys: Vec<(u32, Key)>,
}

impl World {
    pub(super) fn new(mut choices: Choices, wear: Wear) -> Self {
        let limits = PoolLimits {
            min_threads: 0,
            max_threads: 3,
            max_queue: [usize::MAX, 4][choices.below(2) as usize],
            concurrency: if wear.one_task {
                1
            } else {
                1 + choices.below(3)
            },
            abort_grace: [NO_LIMIT, 3][choices.below(2) as usize],
            idle_timeout: [NO_LIMIT, 5][choices.below(2) as usize],
            start_timeout: [NO_LIMIT, 20][choices.below(2) as usize],
            ..LIMITS
        };
        let mut state = State::new(limits, 0);
        state.set_wear(wear);
        #[cfg(unix)]
        if choices.once_in(4) {
            state.share = Share::of_tokens(1 + choices.below(3)).0;
        }
        let one = GroupLimits {
            weight: 2.0,
            max_running: 1,
        };
        state.configure_group("one".into(), one);
        Self {
            state,
            choices,
            now: 0,
            rung: Arc::default(),
            starting: Vec::new(),
            workers: BTreeMap::new(),
            sent: BTreeMap::new(),
            settled: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Carries out what follows from each change of the state.
    fn follow(&mut self) {
        let wakes = self.state.wakes(false, self.now);
        let bound = wakes.bound.iter().flat_map(|bells| bells.iter());
        let back = wakes.back.iter().flat_map(|bells| bells.iter());
        let rings = wakes.rings.0.iter().flatten();
        for bell in rings.chain(bound).chain(back) {
            bell.ring(Ring::Lane);
        }
        self.state.share.check(self.state.busy());
        assert!(
            self.state.has_recalled(),
            "a place that is wanted is given back"
        );
        self.starting.extend(wakes.starts.0.into_iter().flatten());
        for id in self.rung.lock().drain(..) {
            if let Some(worker) = self.workers.get_mut(&id.0) {
                worker.awake = true;
            }
        }
        // A thread that waits for its reader is told that its task was given up.
        for (&id, worker) in &mut self.workers {
            if let Some(had) = worker.has.iter().find(|had| had.blocked) {
                let reading = self.state.reading(WorkerId(id), had.slot);
                worker.awake |= reading == Reading::GivenUp;
            }
        }
    }

    fn ring(&self, bells: &[Arc<dyn Bell>]) {
        for bell in bells {
            bell.ring(Ring::Lane);
        }
    }

    fn settle(&mut self, messages: Vec<Message>) {
        for message in messages {
            if let Message::Settled { ticket, .. } = message {
                self.settled[ticket as usize] += 1;
            }
        }
    }

    fn a_task(&mut self, ticket: u32, lane: Lane) -> NewTask {
        let ready = self.state.ready_ids(Lane::Script);
        let choices = &mut self.choices;
        let placement = match choices.below(8) {
            0..=2 if lane == Lane::Script => Placement::Key(1 + choices.below(5) as u16),
            3 if lane == Lane::Script && !ready.is_empty() => {
                Placement::Worker(choices.one_of(&ready).expect("one is ready"))
            }
            _ => Placement::Any,
        };
        let groups = ["one", "two", "three", "", "", ""];
        let group = choices.one_of(&groups).filter(|name| !name.is_empty());
        let ms = |choices: &mut Choices| match choices.below(6) {
            0 => 1 + choices.below(8),
            _ => NO_LIMIT,
        };
        NewTask {
            placement,
            group: group.map(Into::into),
            priority: choices.below(5) as i8 - 2,
            retries: choices.below(2) as u8,
            timeout: ms(choices),
            queue_timeout: ms(choices),
            deadline: match choices.below(6) {
                0 => self.now + u64::from(choices.below(20 * MS)),
                _ => NO_DEADLINE,
            },
            attachments: (lane == Lane::Native).then(|| {
                Box::new(Attachments {
                    flow: Some(Arc::new(Flow::new(1))),
                    ..Attachments::default()
                })
            }),
            payload: match choices.below(3) {
                0 => Payload::bytes(9, vec![0; choices.below(100) as usize]),
                _ => Payload::number(0, 0.0),
            },
            ..call(ticket, lane)
        }
    }

    fn a_lane(&mut self) -> Lane {
        match self.choices.below(3) {
            0 => Lane::Native,
            _ => Lane::Script,
        }
    }

    fn submit(&mut self, outer: Option<Key>) {
        let ticket = self.settled.len() as u32;
        let lane = self.a_lane();
        // As the owner does before it takes the caller's bytes, which may turn out not to be bytes.
        let reserved = outer.is_none() && self.state.reserve(lane).is_ok();
        if reserved && self.choices.once_in(6) {
            return self.state.unreserve();
        }
        let new = self.a_task(ticket, lane);
        if let Ok(key) = self.state.admit(new, outer, reserved, self.now) {
            self.settled.push(0);
            self.keys.push((ticket, key));
        }
    }

    /// As the owner does with an input that a port carries. The owner may find that it cannot send it.
    fn submit_direct(&mut self) {
        let ticket = self.settled.len() as u32;
        let mut new = self.a_task(ticket, Lane::Script);
        new.placement = Placement::Any;
        let Some((id, taken)) = self.state.enqueue_direct(new, self.now) else {
            return self.submit(None);
        };
        if self.choices.once_in(8) {
            let bell = self.state.undo(id, taken.slot, self.now);
            return self.ring(bell.as_slice());
        }
        self.settled.push(0);
        self.keys.push((ticket, taken.key));
        match self.workers.get_mut(&id.0) {
            Some(worker) => worker.has.push(Had::of(&taken)),
            None => self.sent.entry(id.0).or_default().push(Had::of(&taken)),
        }
    }

    fn start(&mut self, at: usize) {
        let id = self.starting.swap_remove(at);
        let bell = Arc::new(Ringer(id, Arc::clone(&self.rung)));
        self.state.begin_start(id, self.now);
        self.state.has_begun(id);
        let joined = self.state.join(id, bell, self.now).expect("it is known");
        self.ring(joined.relieved.as_slice());
        let worker = Simulated {
            awake: true,
            has: self.sent.remove(&id.0).unwrap_or_default(),
            ..Simulated::default()
        };
        self.workers.insert(id.0, worker);
    }

    /// Lets the alarms that are due happen.
    fn alarms(&mut self) {
        let effects = self.state.ring_alarms(3, self.now);
        self.settle(effects.messages);
        self.ring(&effects.bells);
        for control in effects.controls {
            if let Control::Terminate(id, _) | Control::StartedTooLate(id) = control {
                self.lose(id);
            }
        }
        for quiet in effects.quiet {
            let cpu = self.now / u64::from(MS);
            let stalled = self.state.looked_at(quiet, Some(('R', cpu)), self.now);
            if let Some(Control::Stalled(id)) = stalled
                && self.state.end_stalled(id, self.now).is_some()
            {
                self.lose(id);
            }
        }
    }

    /// A worker is gone, for whatever reason.
    fn lose(&mut self, id: WorkerId) {
        // A thread does not end within a job.
        self.end_help(id.0);
        self.withdraw(id.0);
        self.starting.retain(|&other| other != id);
        self.sent.remove(&id.0);
        self.workers.remove(&id.0);
        let messages = self.state.remove_worker(id, self.now);
        self.settle(messages);
    }

    /// A running task has chunks for others.
    fn offer(&mut self, id: u32) {
        let worker = self.workers.get_mut(&id).expect("it is there");
        if self.state.workers[id].lane == Lane::Script
            || worker.has.is_empty()
            || worker.offers.is_some()
        {
            return;
        }
        let job = a_job();
        let most = 1 + self.choices.below(3);
        if self.state.offer(WorkerId(id), &job, most) {
            worker.offers = Some(job);
        }
    }

    /// The task has no more chunks: the helpers end, and the task goes on.
    fn withdraw(&mut self, id: u32) {
        let Some(job) = self
            .workers
            .get_mut(&id)
            .and_then(|worker| worker.offers.take())
        else {
            return;
        };
        self.state.withdraw_offer(&job);
        let of = |worker: &Simulated| {
            worker
                .helps
                .as_ref()
                .is_some_and(|help| Arc::ptr_eq(&help.job, &job))
        };
        let helpers = self.workers.iter().filter(|(_, worker)| of(worker));
        for id in helpers.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.end_help(id);
        }
        assert!(job.is_empty(), "nobody is inside");
    }

    fn end_help(&mut self, id: u32) {
        let Some(help) = self
            .workers
            .get_mut(&id)
            .and_then(|worker| worker.helps.take())
        else {
            return;
        };
        let wanted = self.choices.once_in(8);
        self.state.end_help(WorkerId(id), wanted, self.now);
        help.job.leave();
        self.workers.get_mut(&id).expect("it is there").awake = true;
    }

    /// A task of a native worker finds no room for its next chunk.
    fn block(&mut self, id: u32) {
        let worker = self.workers.get_mut(&id).expect("it is there");
        let Some(had) = worker.has.last_mut() else {
            return;
        };
        if worker.offers.is_some() || had.blocked {
            return;
        }
        if let Some(flow) = self.state.find(had.key).and_then(|task| task.flow()) {
            let _ = flow.take_room(1);
        }
        let reading = self.state.wait_for_reader(WorkerId(id), had.slot, self.now);
        had.blocked = reading == Reading::Waits;
        if had.blocked {
            worker.awake = false;
        }
    }

    /// The reader of a stream takes a chunk.
    fn read(&mut self, id: u32) {
        if let Some(had) = self.workers[&id].has.iter().find(|had| had.blocked) {
            self.state.has_read(had.key, 1);
        }
    }

    /// A worker hands over a task, or looks for one.
    fn act(&mut self, id: u32) {
        self.end_help(id);
        let worker = self.workers.get_mut(&id).expect("it is there");
        if let Some(had) = worker.has.iter_mut().find(|had| had.blocked) {
            had.blocked = self.state.reading(WorkerId(id), had.slot) == Reading::Waits;
            if had.blocked {
                worker.awake = false;
                return;
            }
        }
        let has = !self.workers[&id].has.is_empty();
        if has {
            self.withdraw(id);
        }
        let worker = self.workers.get_mut(&id).expect("it is there");
        if !worker.has.is_empty() && (!worker.awake || self.choices.below(2) == 0) {
            let had = worker.has.swap_remove(0);
            let message = self.state.finish(WorkerId(id), had.finished(), self.now);
            if let Some(Message::Settled { ticket, .. }) = &message {
                assert_eq!(*ticket, had.ticket, "an outcome is that of its own task");
            }
            self.settle(message.into_iter().collect());
            if self.choices.once_in(4) {
                // Like a promise that settles twice, or a thenable that calls back twice.
                let again = self.state.finish(WorkerId(id), had.finished(), self.now);
                assert!(again.is_none(), "an outcome counts once");
            }
        }
        let before = self.state.busy();
        match self.state.next(WorkerId(id), false, self.now) {
            Next::Run(taken) => {
                let busy = self.state.busy();
                // Tasks that go on after waiting for others have their places at once.
                let limit = self.state.limits.max_threads;
                assert!(
                    busy == before || busy <= limit,
                    "no more busy workers than may be"
                );
                let worker = self.workers.get_mut(&id).expect("it is there");
                worker.has.push(Had::of(&taken));
                worker.awake = self.state.workers[id].has_room();
            }
            Next::Help(help) => {
                let busy = self.state.busy();
                assert!(busy <= self.state.limits.max_threads, "help has a place");
                let worker = self.workers.get_mut(&id).expect("it is there");
                (worker.helps, worker.awake) = (Some(help), false);
            }
            Next::Retire => self.lose(WorkerId(id)),
            _ => self.workers.get_mut(&id).expect("it is there").awake = false,
        }
    }

    /// A running task starts another task and waits for it, or waits no more.
    fn nest(&mut self, id: u32) {
        if self.state.workers[id].lane == Lane::Native {
            return self.block(id);
        }
        let worker = self.workers.get_mut(&id).expect("it is there");
        let Some(had) = worker.has.last_mut() else {
            return;
        };
        had.waits = !had.waits;
        let Had {
            slot, key, waits, ..
        } = *had;
        // The worker may take one more.
        worker.awake |= waits;
        if waits {
            self.submit(Some(key));
        }
        self.state.set_waits(WorkerId(id), slot, waits, self.now);
    }

    fn give_up(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let at = self.choices.below(self.keys.len() as u32) as usize;
        let (ticket, key) = self.keys.swap_remove(at);
        let given = self.state.give_up(key, &Outcome::Cancelled, self.now);
        if !matches!(given, Given::Ended) {
            self.settled[ticket as usize] += 1;
        }
    }

    fn destroy(&mut self) {
        let mut messages = self.state.fail_all_waiting(|| Outcome::PoolClosed);
        messages.extend(self.state.abandon_running(self.now).0);
        self.settle(messages);
        let bells = self.state.close(self.now);
        self.ring(&bells);
    }

    pub(super) fn step(&mut self) {
        self.now += u64::from(self.choices.below(2 * MS));
        self.alarms();
        let ids: Vec<u32> = self.workers.keys().copied().collect();
        let some = self.choices.one_of(&ids);
        match (self.choices.below(53), some) {
            (0..=9, _) => self.submit(None),
            (10..=12, _) => self.submit_direct(),
            (13..=15, _) if !self.starting.is_empty() => {
                let at = self.choices.below(self.starting.len() as u32) as usize;
                self.start(at);
            }
            (16, _) => self.give_up(),
            (17, _) => {
                let paused = self.choices.once_in(2);
                self.state.pause(paused);
            }
            (18, _) => {
                let most = 1 + self.choices.below(4);
                let bells = self.state.resize(0, most, self.now);
                self.ring(&bells);
            }
            (19, Some(id)) => self.lose(WorkerId(id)),
            (20, _) => {
                let bells = self.state.reap(Lane::Script, u64::from(MS), self.now);
                self.ring(&bells);
            }
            (21, Some(id)) => self.state.wear_out(WorkerId(id)),
            (22, _) if !self.starting.is_empty() => self.lose(self.starting[0]),
            (23..=25, Some(id)) => self.nest(id),
            (26, _) => {
                let messages = self.state.fail_all_waiting(|| Outcome::Cancelled);
                self.settle(messages);
            }
            (27, _) => {
                let ids = self.state.reserve_minimum(Lane::Script, 1, self.now);
                self.starting.extend(ids);
            }
            (28, _) if self.choices.once_in(12) => self.destroy(),
            (29..=32, Some(id)) => self.offer(id),
            (33, Some(id)) => self.withdraw(id),
            (34..=36, Some(id)) => self.read(id),
            (_, Some(id)) if self.workers[&id].is_busy() => self.act(id),
            _ => {}
        }
        self.follow();
    }

    /// Lets every worker that was started or rung do its work, and all time pass.
    pub(super) fn finish(&mut self) {
        self.state.pause(false);
        self.follow();
        // Whoever has something to do gets a turn, as threads do.
        let mut last = u32::MAX;
        for _ in 0..5000 {
            self.now += 1000;
            let busy = |(&id, worker): (&u32, &Simulated)| worker.is_busy().then_some(id);
            let mut turns = self.workers.range(last.wrapping_add(1)..);
            let next = turns
                .find_map(busy)
                .or_else(|| self.workers.iter().find_map(busy));
            let offering = self
                .workers
                .iter()
                .find(|(_, worker)| worker.offers.is_some());
            if let Some((&id, _)) = offering {
                self.withdraw(id);
            } else if !self.starting.is_empty() {
                self.start(0);
            } else if let Some(id) = next {
                last = id;
                self.act(id);
            } else if let Some((&id, _)) = self.workers.iter().find(|(id, worker)| {
                worker.is_blocked() && !self.state.returning.contains(&WorkerId(**id))
            }) {
                self.read(id);
            } else if let Some(at) = self.state.next_alarm() {
                self.now = self.now.max(at);
                self.alarms();
            } else {
                return;
            }
            self.follow();
        }
        panic!("the workers never come to rest");
    }

    /// Nothing is left, and each task has settled once.
    pub(super) fn is_at_rest(&self) {
        self.state.check();
        assert_eq!(self.state.reserved, 0);
        assert!(self.state.offers.is_empty() && self.state.helpers == 0);
        assert!(self.state.returning.is_empty());
        assert_eq!(self.state.load(), (0, 0), "nothing waits or runs");
        let once = self.settled.iter().all(|&times| times == 1);
        assert!(once, "each settles once: {:?}", self.settled);
        assert_eq!(self.state.waiting.remembered_groups(), 0);
        let lanes = Lane::ALL.map(|lane| {
            let lane = &self.state.lanes[lane];
            (lane.busy, lane.running, lane.starting, lane.searching)
        });
        assert_eq!(lanes, [(0, 0, 0, 0); 2]);
        assert_eq!(self.state.queued_bytes, 0);
    }
}
