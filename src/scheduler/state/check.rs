//! What always holds between two decisions. Counts and lists repeat what the tasks and workers say one by one, so that
//! a decision costs the same however many there are. Here the two are compared.

use super::alarms::{Alarm, NEVER, due_of};
use super::{Phase, State};
use crate::scheduler::ids::WorkerId;
use crate::scheduler::lane::Lane;
use crate::scheduler::task::Stage;
use crate::scheduler::wheel::EntryId;
use crate::scheduler::worker::{Worker, WorkerState};

/// A pool with up to this many tasks and workers is checked after each change, if debug assertions are on.
const SMALL: usize = 32;

impl State {
    /// As [`check`](Self::check), unless the check would take long.
    pub(in crate::scheduler) fn check_if_small(&self) {
        let (waiting, running) = self.load();
        let workers: u32 = self.lanes.0.iter().map(|lane| lane.workers).sum();
        if waiting + running + workers as usize <= SMALL {
            self.check();
        }
    }

    /// # Panics
    /// If the two differ.
    pub(in crate::scheduler) fn check(&self) {
        for lane in Lane::ALL {
            self.check_lane(lane);
        }
        for id in self.workers.keys() {
            self.check_worker(id);
        }
        self.check_tasks();
        self.check_alarms();
        self.check_help();
        self.check_returning();
        self.waiting.check(&self.tasks);
        let worn = self.workers_of(|worker| worker.worn && !worker.retiring);
        assert_eq!(self.worn, worn, "worn workers");
        let held = self.lanes[Lane::Script].held;
        assert_eq!(
            held,
            self.alarms.retry != EntryId::NONE,
            "what is held is tried again"
        );
        let expected = [self.replacement, self.requested];
        for id in expected.into_iter().flatten() {
            assert!(
                self.workers.get(id.0).is_some(),
                "a worker that is expected"
            );
        }
    }

    fn workers_of(&self, which: impl Fn(&Worker) -> bool) -> u32 {
        let found = self.workers.keys().filter(|&id| which(&self.workers[id]));
        found.count() as u32
    }

    fn check_lane(&self, lane: Lane) {
        let state = &self.lanes[lane];
        let count = |which: &dyn Fn(&Worker) -> bool| {
            self.workers_of(|worker| worker.lane == lane && which(worker))
        };
        let is = |other| move |worker: &Worker| worker.state == other;
        assert_eq!(state.workers, count(&|_| true), "workers");
        assert_eq!(
            state.starting,
            count(&is(WorkerState::Starting)),
            "starting"
        );
        assert_eq!(state.retiring, count(&|worker| worker.retiring), "retiring");
        let silent = count(&|worker| worker.silence.is_some());
        assert_eq!(state.silent, silent, "silent");
        assert_eq!(
            state.counted_out,
            count(&Worker::is_counted_out),
            "counted out"
        );
        assert_eq!(
            state.searching,
            count(&|worker| worker.state.searches()),
            "searching"
        );
        assert_eq!(state.busy, count(&Worker::is_busy), "busy");
        let promised = |worker: &Worker| is(WorkerState::Starting)(worker) && !worker.has_room();
        assert_eq!(state.promised, count(&promised), "promised");
        for (list, listed) in [
            (&state.idle, WorkerState::Idle),
            (&state.spare, WorkerState::Spare),
        ] {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), list.len(), "a worker is listed once");
            assert_eq!(list.len() as u32, count(&is(listed)), "{listed:?}");
            assert!(list.iter().all(|&id| self.workers[id].lane == lane));
        }
        let sum = |of: fn(&Worker) -> u32| -> u32 {
            let workers = self.workers.keys().map(|id| &self.workers[id]);
            workers.filter(|worker| worker.lane == lane).map(of).sum()
        };
        assert_eq!(state.running, sum(|worker| worker.running), "running");
        assert_eq!(
            state.waiting,
            sum(|worker| worker.waiting),
            "running tasks that wait"
        );
    }

    fn check_worker(&self, id: u32) {
        let worker = &self.workers[id];
        worker.check();
        for (slot, &index) in worker.slots.iter().enumerate() {
            let Some(index) = index else { continue };
            let task = &self.tasks[index];
            assert_ne!(task.stage, Stage::Waiting, "a task in a slot has started");
            assert_eq!((task.worker, task.slot as usize), (WorkerId(id), slot));
            assert_eq!(task.lane, worker.lane);
            let given_up = task.stage == Stage::Abandoned;
            assert!(
                !(given_up && worker.waits_in(slot)),
                "what was given up leaves its place to nobody"
            );
        }
    }

    fn check_tasks(&self) {
        let (mut waiting, mut bytes, mut running) = (0, 0, 0);
        for index in self.tasks.keys() {
            let task = &self.tasks[index];
            assert_ne!(task.generation, 0);
            match task.stage {
                Stage::Waiting => {
                    waiting += 1;
                    bytes += task.payload.heap_bytes();
                }
                Stage::Running | Stage::Abandoned => {
                    running += 1;
                    let slots = &self.workers[task.worker.0].slots;
                    assert_eq!(slots[task.slot as usize], Some(index));
                }
            }
        }
        assert_eq!(
            self.load(),
            (waiting, running),
            "tasks that wait, and that run"
        );
        assert_eq!(self.queued_bytes, bytes, "bytes that wait");
    }

    fn check_alarms(&self) {
        let mut ids = Vec::new();
        for index in self.tasks.keys() {
            let task = &self.tasks[index];
            if task.alarm != EntryId::NONE {
                assert_eq!(self.alarms.of(task.alarm), Alarm::Task(index));
                ids.push(task.alarm);
            } else {
                let limited = task.stage != Stage::Abandoned && due_of(task) != NEVER;
                assert!(!limited, "a limit has an alarm");
            }
        }
        for id in self.workers.keys() {
            let silence = self.workers[id].silence.as_ref();
            if let Some(alarm) = silence.map(|silence| silence.alarm)
                && alarm != EntryId::NONE
            {
                assert_eq!(self.alarms.of(alarm), Alarm::Silence(WorkerId(id)));
                ids.push(alarm);
            }
            let alarm = self.workers[id].alarm;
            if alarm != EntryId::NONE {
                let own = match self.alarms.of(alarm) {
                    Alarm::Start(of) | Alarm::Age(of) | Alarm::Leave(of) => of == WorkerId(id),
                    _ => false,
                };
                assert!(own, "a worker's alarm is its own");
                ids.push(alarm);
            }
        }
        let theirs = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), theirs, "each alarm is set once");
        let others = self.alarms.of_pool() + usize::from(self.phase == Phase::Closed);
        let all = self.alarms.len();
        assert!(
            (theirs..=theirs + others).contains(&all),
            "no alarm is left of what has ended: {all} are set"
        );
    }
}
