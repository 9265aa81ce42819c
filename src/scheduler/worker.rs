//! What the scheduler knows of one executor.
//!
//! | state | in list | counted as |
//! |---|---|---|
//! | Starting | – | `starting` of its lane, `busy` too once it has been given a task |
//! | Active | – | `busy` of its lane while it runs a task, or helps with one |
//! | Spinning, Waking | – | `searching` of its lane, `busy` too if it was rung as a spare one |
//! | Idle | `idle` of its lane | – (it may have tasks that wait for others) |
//! | Blocked | – | – (a thread that sleeps until its task has room for a chunk, and a place) |
//! | Spare | `spare` of its lane | `busy` (it runs a task and could take more) |

use std::sync::Arc;

use super::bell::Bell;
use super::lane::Lane;
use super::silence::Silence;
use super::state::Helping;
use super::wheel::EntryId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerState {
    Starting,
    Active,
    Spinning,
    Waking,
    Idle,
    Blocked,
    Spare,
}

impl WorkerState {
    /// Whether it will look into the queue without being rung.
    pub(super) fn searches(self) -> bool {
        matches!(self, Self::Spinning | Self::Waking)
    }

    /// Whether it occupies a core, or is about to.
    pub(super) fn awake(self) -> bool {
        matches!(self, Self::Active | Self::Spinning | Self::Waking)
    }
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) lane: Lane,
    pub(super) state: WorkerState,
    /// It should end once it runs nothing.
    pub(super) retiring: bool,
    pub(super) bell: Option<Arc<dyn Bell>>,
    /// The task in each slot. It has as many slots as tasks that it may have at once.
    pub(super) slots: Vec<Option<u32>>,
    /// The slots whose tasks wait for others and have left them their place.
    waits: Vec<bool>,
    /// The slots without a task, the last used last.
    free: Vec<u32>,
    /// Tasks in its slots.
    pub(super) running: u32,
    /// The number of its tasks that wait for others.
    pub(super) waiting: u32,
    /// The number of tasks that it may run at once, not counting those that wait for others.
    room: u32,
    /// Whether it should be replaced.
    pub(super) worn: bool,
    /// Distinguishes it from other workers that have had its id.
    pub(super) serial: u32,
    /// The alarm for its start, its age, or its end.
    pub(super) alarm: EntryId,
    /// It was rung, and has not come.
    pub(super) silence: Option<Box<Silence>>,
    /// Tasks that were sent to it, and of which it has not said that they have arrived.
    pub(super) unseen: u32,
    /// The task of another worker that it helps with.
    pub(super) helping: Option<Box<Helping>>,
    /// Its code runs.
    pub(super) begun: bool,
    /// When it was started.
    pub(super) since: u64,
    /// When it last ran out of tasks, or its task last began to wait for its reader.
    pub(super) idle_since: u64,
    /// Nanoseconds for which its task has waited for its reader.
    pub(super) away_ns: u64,
    pub(super) rung_at: u64,
    /// When it last came back from waiting.
    pub(super) turn_since: u64,
    pub(super) completed: u64,
    pub(super) busy_ns: u64,
    /// The system's number of its thread, once it has joined.
    pub(super) thread: Option<u32>,
}

impl Worker {
    pub(super) fn new(lane: Lane, slots: u32, serial: u32, now: u64) -> Self {
        Self {
            lane,
            state: WorkerState::Starting,
            retiring: false,
            bell: None,
            slots: vec![None; slots as usize],
            waits: vec![false; slots as usize],
            free: (0..slots).rev().collect(),
            running: 0,
            waiting: 0,
            room: slots,
            worn: false,
            serial,
            alarm: EntryId::NONE,
            silence: None,
            unseen: 0,
            helping: None,
            begun: false,
            since: now,
            idle_since: now,
            away_ns: 0,
            rung_at: now,
            turn_since: now,
            completed: 0,
            busy_ns: 0,
            thread: None,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.active() < self.room && self.helping.is_none()
    }

    /// The number of its tasks that do not wait for others.
    pub(super) fn active(&self) -> u32 {
        self.running - self.waiting
    }

    /// Whether it runs a task, or helps: then it is counted as busy.
    pub(super) fn is_busy(&self) -> bool {
        self.active() > 0 || self.helping.is_some()
    }

    /// Whether it runs a task that it knows of.
    pub(super) fn has_begun_tasks(&self) -> bool {
        self.running > self.unseen
    }

    /// Whether others are rung and started in its place, though it has not been told to end.
    pub(super) fn is_counted_out(&self) -> bool {
        let silence = self.silence.as_ref();
        !self.retiring && silence.is_some_and(|silence| silence.counted_out)
    }

    /// Whether it should take more tasks.
    pub(super) fn stays(&self) -> bool {
        !self.retiring && !self.is_counted_out()
    }

    /// The task in a slot starts to wait for others, or goes on. Returns false if it already did so.
    pub(super) fn set_waits(&mut self, slot: u32, waits: bool) -> bool {
        let index = slot as usize;
        if self.waits[index] == waits {
            return false;
        }
        self.waits[index] = waits;
        if !waits {
            self.waiting -= 1;
            return true;
        }
        self.waiting += 1;
        if self.slots.len() < (self.room + self.waiting) as usize {
            let new = u32::try_from(self.slots.len()).expect("fewer slots than memory");
            self.free.insert(0, new);
            self.slots.push(None);
            self.waits.push(false);
        }
        true
    }

    /// Puts a task into a free slot. The caller has checked that there is one.
    pub(super) fn occupy(&mut self, task: u32) -> u32 {
        let slot = self
            .free
            .pop()
            .expect("a worker takes a task only with room");
        self.slots[slot as usize] = Some(task);
        self.running += 1;
        slot
    }

    #[cfg(any(test, debug_assertions))]
    pub(super) fn waits_in(&self, slot: usize) -> bool {
        self.waits[slot]
    }

    #[cfg(any(test, debug_assertions))]
    pub(super) fn check(&self) {
        let used = self.slots.iter().flatten().count();
        assert_eq!(self.running as usize, used, "tasks in slots");
        assert!(
            self.helping.is_none() || used == 0,
            "who has a task helps with no other"
        );
        assert!(self.unseen <= self.running, "what was sent is in a slot");
        assert_eq!(self.slots.len(), self.waits.len());
        let waits = self
            .slots
            .iter()
            .zip(&self.waits)
            .filter(|&(_, &waits)| waits);
        assert!(
            waits.clone().all(|(slot, _)| slot.is_some()),
            "what waits is in a slot"
        );
        assert_eq!(self.waiting as usize, waits.count(), "tasks that wait");
        assert_eq!(
            self.slots.len(),
            used + self.free.len(),
            "a slot is free or used"
        );
        let free = |&slot: &u32| self.slots[slot as usize].is_none();
        assert!(self.free.iter().all(free), "what is free is empty");
    }

    pub(super) fn vacate(&mut self, slot: u32) {
        self.slots[slot as usize] = None;
        self.waiting -= u32::from(std::mem::take(&mut self.waits[slot as usize]));
        self.free.push(slot);
        self.running -= 1;
        self.unseen = self.unseen.min(self.running);
        self.completed += 1;
    }
}
