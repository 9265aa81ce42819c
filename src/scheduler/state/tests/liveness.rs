//! Random histories with workers that act only when they are started or rung: whatever was submitted,
//! given up, resized, paused or replaced on the way, in the end nothing waits that somebody could run.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::*;
use crate::scheduler::groups::GroupLimits;
use crate::scheduler::outbox::{Control, Message};

/// Says who was rung.
#[derive(Debug)]
struct Ringer(WorkerId, Arc<Mutex<Vec<WorkerId>>>);

impl Bell for Ringer {
    fn ring(&self, _: Ring) {
        self.1.lock().push(self.0);
    }
    fn cancel(&self, _: u32, _: u32) {}
}

struct Random(u32);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % n
    }
}

#[derive(Debug, Default)]
struct Simulated {
    /// Will look for a task.
    awake: bool,
    slots: Vec<u32>,
}

struct World {
    state: State,
    random: Random,
    now: u64,
    rung: Arc<Mutex<Vec<WorkerId>>>,
    /// Those that somebody has to start.
    starting: Vec<WorkerId>,
    workers: BTreeMap<u32, Simulated>,
    /// The slots of tasks that were sent to workers which are still starting.
    sent: BTreeMap<u32, Vec<u32>>,
    settled: Vec<u8>,
    keys: Vec<(u32, Key)>,
}

impl World {
    fn new(seed: u32, wear: Wear) -> Self {
        let limits = PoolLimits {
            min_threads: 0,
            max_threads: 3,
            concurrency: if wear.one_task { 1 } else { 1 + seed % 3 },
            ..LIMITS
        };
        let mut state = State::new(limits, 0);
        state.set_wear(wear);
        let one = GroupLimits {
            weight: 2.0,
            max_running: 1,
        };
        state.configure_group("one".into(), one);
        Self {
            state,
            random: Random(seed.wrapping_mul(0x9e37_79b9) | 1),
            now: 0,
            rung: Arc::default(),
            starting: Vec::new(),
            workers: BTreeMap::new(),
            sent: BTreeMap::new(),
            settled: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// What follows each change of the state.
    fn follow(&mut self) {
        let wakes = self.state.wakes(false, self.now);
        for bell in wakes
            .rings
            .0
            .iter()
            .flatten()
            .chain(wakes.bound.iter().flat_map(|bells| bells.iter()))
        {
            bell.ring(Ring::Lane);
        }
        self.starting.extend(wakes.starts.0.into_iter().flatten());
        for id in self.rung.lock().drain(..) {
            if let Some(worker) = self.workers.get_mut(&id.0) {
                worker.awake = true;
            }
        }
    }

    fn settle(&mut self, messages: Vec<Message>) {
        for message in messages {
            if let Message::Settled { ticket, .. } = message {
                self.settled[ticket as usize] += 1;
            }
        }
    }

    fn submit(&mut self) {
        let ticket = self.settled.len() as u32;
        let lane = if self.random.below(3) == 0 {
            Lane::Native
        } else {
            Lane::Script
        };
        let ready = self.state.ready_ids(Lane::Script);
        let placement = match self.random.below(8) {
            0..=2 if lane == Lane::Script => Placement::Key(1 + self.random.below(5) as u16),
            3 if lane == Lane::Script && !ready.is_empty() => {
                Placement::Worker(ready[self.random.below(ready.len() as u32) as usize])
            }
            _ => Placement::Any,
        };
        let group = ["one", "two", "three"]
            .get(self.random.below(6) as usize)
            .map(|&name| name.into());
        let new = NewTask {
            placement,
            group,
            priority: self.random.below(5) as i8 - 2,
            retries: self.random.below(2) as u8,
            ..call(ticket, lane)
        };
        self.settled.push(0);
        let key = self.state.enqueue(new, self.now);
        self.keys.push((ticket, key));
    }

    /// As the owner does with an input that a port carries; it may find that it cannot send it.
    fn submit_direct(&mut self) {
        let ticket = self.settled.len() as u32;
        let group = (self.random.below(3) == 0).then(|| "two".into());
        let new = NewTask {
            group,
            ..call(ticket, Lane::Script)
        };
        let Some((id, taken)) = self.state.enqueue_direct(new, self.now) else {
            return self.submit();
        };
        if self.random.below(8) == 0 {
            let bell = self.state.undo(id, taken.slot, self.now);
            return bell.iter().for_each(|bell| bell.ring(Ring::Lane));
        }
        self.settled.push(0);
        self.keys.push((ticket, taken.key));
        self.sent.entry(id.0).or_default().push(taken.slot);
        if let Some(worker) = self.workers.get_mut(&id.0) {
            worker.slots.extend(self.sent.remove(&id.0).unwrap());
        }
    }

    fn start(&mut self, at: usize) {
        let id = self.starting.swap_remove(at);
        let bell = Arc::new(Ringer(id, Arc::clone(&self.rung)));
        let joined = self.state.join(id, bell, self.now).expect("it is known");
        if let Some(bell) = joined.relieved {
            bell.ring(Ring::Lane);
        }
        let worker = Simulated {
            awake: true,
            slots: self.sent.remove(&id.0).unwrap_or_default(),
        };
        self.workers.insert(id.0, worker);
    }

    /// What is due happens.
    fn alarms(&mut self) {
        let effects = self.state.ring_alarms(3, self.now);
        self.settle(effects.messages);
        effects.bells.iter().for_each(|bell| bell.ring(Ring::Lane));
        for control in effects.controls {
            if let Control::Terminate(id) = control {
                self.starting.retain(|&other| other != id);
                self.sent.remove(&id.0);
                self.lose(id);
            }
        }
    }

    fn lose(&mut self, id: WorkerId) {
        self.workers.remove(&id.0);
        let messages = self.state.remove_worker(id, self.now);
        self.settle(messages);
    }

    /// A worker hands over a task, or looks for one.
    fn act(&mut self, id: u32) {
        let worker = self.workers.get_mut(&id).unwrap();
        let finishes = !worker.slots.is_empty() && (!worker.awake || self.random.below(2) == 0);
        if finishes {
            let slot = worker.slots.swap_remove(0);
            let message = self.state.ends(WorkerId(id), slot, self.now);
            self.settle(message.into_iter().collect());
        }
        match self.state.next(WorkerId(id), false, self.now) {
            Next::Run(taken) => {
                let worker = self.workers.get_mut(&id).unwrap();
                worker.slots.push(taken.slot);
                let worker_state = &self.state.workers[id];
                worker.awake = worker_state.has_room();
            }
            Next::Retire => self.lose(WorkerId(id)),
            _ => self.workers.get_mut(&id).unwrap().awake = false,
        }
    }

    /// Where there are many tasks it takes long; `machine` does it after each step.
    fn check_now_and_then(&mut self) {
        if self.random.below(16) == 0 {
            self.state.check();
        }
    }

    fn step(&mut self) {
        self.now += u64::from(self.random.below(2_000_000));
        self.alarms();
        let ids: Vec<u32> = self.workers.keys().copied().collect();
        let some = ids
            .get(self.random.below(ids.len().max(1) as u32) as usize)
            .copied();
        match self.random.below(40) {
            0..=9 => self.submit(),
            10..=11 => self.submit_direct(),
            12..=14 if !self.starting.is_empty() => {
                let at = self.random.below(self.starting.len() as u32) as usize;
                self.start(at);
            }
            15 if !self.keys.is_empty() => {
                let at = self.random.below(self.keys.len() as u32) as usize;
                let (ticket, key) = self.keys.swap_remove(at);
                if !matches!(
                    self.state.give_up(key, &Outcome::Cancelled, self.now),
                    Given::Ended
                ) {
                    self.settled[ticket as usize] += 1;
                }
            }
            16 => self.state.pause(self.random.0.is_multiple_of(2)),
            17 => {
                let bells = self.state.resize(0, 1 + self.random.0 % 4, self.now);
                bells.iter().for_each(|bell| bell.ring(Ring::Lane));
            }
            18 if some.is_some() => self.lose(WorkerId(some.unwrap())),
            19 => {
                let bells = self.state.reap(Lane::Script, 1_000_000, self.now);
                bells.iter().for_each(|bell| bell.ring(Ring::Lane));
            }
            20 if some.is_some() => self.state.wear_out(WorkerId(some.unwrap())),
            21 if !self.starting.is_empty() => {
                let id = self.starting.swap_remove(0);
                self.sent.remove(&id.0);
                let messages = self.state.remove_worker(id, self.now);
                self.settle(messages);
            }
            _ => {
                if let Some(id) = some
                    && (self.workers[&id].awake || !self.workers[&id].slots.is_empty())
                {
                    self.act(id);
                }
            }
        }
        self.follow();
        self.check_now_and_then();
        assert!(self.state.busy() <= 4, "never more than the largest limit");
    }

    /// Lets everybody who was started or rung do what there is to do.
    fn finish(&mut self) {
        self.state.pause(false);
        self.follow();
        for _ in 0..100_000 {
            self.now += 1000;
            if !self.starting.is_empty() {
                self.start(0);
            } else if let Some((&id, _)) = self
                .workers
                .iter()
                .find(|(_, worker)| worker.awake || !worker.slots.is_empty())
            {
                self.act(id);
            } else if let Some(at) = self.state.next_alarm() {
                self.now = self.now.max(at);
                self.alarms();
            } else {
                return;
            }
            self.follow();
            self.check_now_and_then();
        }
        panic!("the workers never come to rest");
    }
}

fn histories(wear: Wear) {
    for seed in 1..100 {
        let mut world = World::new(seed, wear);
        for _ in 0..600 {
            world.step();
        }
        world.finish();
        assert_eq!(world.state.load(), (0, 0), "seed {seed}");
        assert!(
            world.settled.iter().all(|&times| times == 1),
            "seed {seed}: each settles once"
        );
        assert_eq!(world.state.waiting.remembered_groups(), 0, "seed {seed}");
        let lanes = Lane::ALL.map(|lane| {
            let lane = &world.state.lanes[lane];
            (lane.busy, lane.running, lane.starting, lane.searching)
        });
        assert_eq!(lanes, [(0, 0, 0, 0); 2], "seed {seed}");
        assert_eq!(world.state.queued_bytes, 0);
    }
}

#[test]
fn nothing_is_left_waiting_that_somebody_could_run() {
    histories(Wear::default());
}

#[test]
fn nor_where_isolates_are_replaced() {
    histories(Wear {
        tasks: 7,
        ..Wear::default()
    });
}

#[test]
fn nor_where_each_isolate_has_one_task() {
    histories(Wear {
        one_task: true,
        ..Wear::default()
    });
}

#[test]
fn the_oldest_task_is_found_in_whichever_line_it_waits() {
    let (mut state, native, script) = two_lanes();
    state.pause(true);
    assert_eq!(state.snapshot(1).oldest_queued, None);
    let deadline = |at| NewTask {
        deadline: 9_000_000_000,
        ..call(at, Lane::Script)
    };
    let keyed = |at| NewTask {
        placement: Placement::Key(7),
        ..call(at, Lane::Script)
    };
    let grouped = |at| NewTask {
        group: Some("some".into()),
        ..call(at, Lane::Native)
    };
    let lines: [fn(u32) -> NewTask; 2] = [|at| call(at, Lane::Native), |at| call(at, Lane::Script)];
    let kinds: [&dyn Fn(u32) -> NewTask; 5] = [&lines[0], &lines[1], &deadline, &keyed, &grouped];
    for kind in kinds {
        let key = state.enqueue(kind(0), 1_000_000);
        let late = state.enqueue(kind(1), 3_000_000);
        assert_eq!(state.snapshot(5_000_000).oldest_queued, Some(4.0));
        state.give_up(key, &Outcome::Cancelled, 0);
        assert_eq!(state.snapshot(5_000_000).oldest_queued, Some(2.0));
        state.give_up(late, &Outcome::Cancelled, 0);
    }
    state.pause(false);
    add(&mut state, Lane::Script, 0, 0);
    assert!(taken(&mut state, script, 1_000_000).is_some());
    let snapshot = state.snapshot(4_000_000);
    assert_eq!(snapshot.oldest_running, Some(3.0));
    assert_eq!(snapshot.oldest_queued, None);
    let worker = |id: WorkerId| snapshot.workers.iter().find(|worker| worker.id == id);
    let busy = |id| worker(id).map(|worker| (worker.busy, worker.tasks.len()));
    assert_eq!(busy(script), Some((3.0, 1)));
    assert_eq!(busy(native), Some((0.0, 0)));
    assert!((snapshot.utilization - 0.75).abs() < 1e-9);
}
