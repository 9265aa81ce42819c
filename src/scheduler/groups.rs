//! How groups of tasks share a pool: start-time fair queueing (Goyal, Vin & Cheng, "Start-time Fair
//! Queuing: A Scheduling Algorithm for Integrated Services Packet Switching Networks", SIGCOMM 1996),
//! with the measured run time of a task as its length.
//!
//! Each group has a start tag, in nanoseconds of run time over its weight, and the group with the lowest tag runs next.
//! A task advances its group's tag by its run time over the weight. The run time is only known when the task ends, so
//! the tag is first advanced by the group's typical run time, and corrected then. The pool's clock is the tag of the
//! group that was served last. A group that had nothing waiting starts from there, so it neither saves up what it did
//! not use nor pays for having been away.
//!
//! Tasks without a group belong to the group [`PLAIN`]. A group with nothing waiting or running is forgotten as soon as
//! the clock has reached its tag; until then it still owes.

use std::collections::{BTreeSet, HashMap};

use super::ids::{GroupId, PLAIN};
use super::slab::Slab;
use super::waiting::LineOf;

/// The assumed run time of a task in nanoseconds, until one has run.
const UNKNOWN_RUN: f64 = 1e6;

/// How much a group may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupLimits {
    /// Its share of the pool, relative to the other groups that have work. Above 0.
    pub weight: f64,
    /// How many of its tasks may run at once over both lanes; `u32::MAX` is no limit.
    pub max_running: u32,
}

impl Default for GroupLimits {
    fn default() -> Self {
        Self {
            weight: 1.0,
            max_running: u32::MAX,
        }
    }
}

/// A start tag as a key that sorts as the number does. The number is never negative.
pub(super) type Tag = u64;

#[derive(Debug)]
pub(super) struct Group {
    name: Box<str>,
    limits: GroupLimits,
    tag: f64,
    waiting: usize,
    running: u32,
    /// Running tasks that wait for others. Those may be of this group, so the waiting ones leave them their place.
    suspended: u32,
    /// How long its tasks have lately run: a moving average, in nanoseconds.
    typical: f64,
    /// The lines in which its tasks wait.
    lines: Vec<LineOf>,
}

impl Group {
    fn new(name: Box<str>, limits: GroupLimits, tag: f64, typical: f64) -> Self {
        Self {
            name,
            limits,
            tag,
            waiting: 0,
            running: 0,
            suspended: 0,
            typical,
            lines: Vec::new(),
        }
    }

    pub(super) fn tag(&self) -> Tag {
        self.tag.to_bits()
    }

    /// Whether the group runs as many tasks as it may.
    pub(super) fn is_blocked(&self) -> bool {
        self.running - self.suspended >= self.limits.max_running
    }

    fn is_active(&self) -> bool {
        self.waiting > 0 || self.running > 0
    }
}

#[derive(Debug)]
pub(super) struct Groups {
    configured: HashMap<Box<str>, GroupLimits>,
    by_name: HashMap<Box<str>, GroupId>,
    entries: Slab<Group>,
    /// Groups with something waiting or running.
    active: usize,
    /// Groups with nothing waiting or running, but with a tag that the clock has not reached.
    resting: BTreeSet<(Tag, GroupId)>,
    clock: f64,
    typical: f64,
}

impl Groups {
    /// The groups of a pool in which this many tasks without a group already wait and run.
    pub(super) fn new(waiting: usize, running: u32) -> Self {
        let mut entries = Slab::default();
        let mut plain = Group::new("".into(), GroupLimits::default(), 0.0, UNKNOWN_RUN);
        (plain.waiting, plain.running) = (waiting, running);
        let active = usize::from(plain.is_active());
        let key = entries.insert(plain);
        debug_assert_eq!(key, PLAIN);
        Self {
            configured: HashMap::new(),
            by_name: HashMap::new(),
            entries,
            active,
            resting: BTreeSet::new(),
            clock: 0.0,
            typical: UNKNOWN_RUN,
        }
    }

    /// Sets how much the group of this name may use. To be called before it has tasks.
    pub(super) fn configure(&mut self, name: Box<str>, limits: GroupLimits) {
        self.configured.insert(name, limits);
    }

    /// The group of this name, made if there is none.
    pub(super) fn of(&mut self, name: Box<str>) -> GroupId {
        if let Some(&id) = self.by_name.get(&name) {
            return id;
        }
        let limits = self.configured.get(&name).copied().unwrap_or_default();
        let group = Group::new(name.clone(), limits, self.clock, self.typical);
        let id = self.entries.insert(group);
        self.by_name.insert(name, id);
        id
    }

    pub(super) fn get(&self, id: GroupId) -> &Group {
        &self.entries[id]
    }

    pub(super) fn lines(&mut self, id: GroupId) -> &mut Vec<LineOf> {
        &mut self.entries[id].lines
    }

    /// A task of the group waits from now on.
    pub(super) fn arrive(&mut self, id: GroupId) {
        let clock = self.clock;
        let group = &mut self.entries[id];
        if !group.is_active() {
            self.active += 1;
            self.resting.remove(&(group.tag(), id));
        }
        if group.waiting == 0 {
            group.tag = group.tag.max(clock);
        }
        group.waiting += 1;
    }

    /// A waiting task of the group is given up.
    pub(super) fn give_up(&mut self, id: GroupId) {
        self.entries[id].waiting -= 1;
        self.settle(id);
    }

    /// A waiting task of the group runs from now on. Returns the nanoseconds that the group is charged now.
    pub(super) fn start(&mut self, id: GroupId) -> u32 {
        let group = &mut self.entries[id];
        self.clock = self.clock.max(group.tag);
        let charge = group.typical.clamp(1.0, f64::from(u32::MAX)) as u32;
        group.tag += f64::from(charge) / group.limits.weight;
        group.waiting -= 1;
        group.running += 1;
        self.forget_rested();
        charge
    }

    /// A running task of the group starts to wait for others, or goes on.
    pub(super) fn suspend(&mut self, id: GroupId, waits: bool) {
        // PLAIN has no limit. It may have been made after some of its tasks were suspended, so its count would be
        // wrong.
        if id == PLAIN {
            return;
        }
        let group = &mut self.entries[id];
        match waits {
            true => group.suspended += 1,
            false => group.suspended -= 1,
        }
    }

    /// A task of the group has run for `ran` nanoseconds, and the group was charged `charged` for it.
    pub(super) fn end(&mut self, id: GroupId, charged: u32, ran: u64) {
        let group = &mut self.entries[id];
        let ran = ran as f64;
        group.tag = (group.tag + (ran - f64::from(charged)) / group.limits.weight).max(0.0);
        group.typical = (group.typical * 7.0 + ran) / 8.0;
        group.running -= 1;
        self.typical = (self.typical * 7.0 + ran) / 8.0;
        self.settle(id);
    }

    /// Other workers have worked on a running task of the group for `helped` nanoseconds.
    pub(super) fn charge(&mut self, id: GroupId, helped: u64) {
        let group = &mut self.entries[id];
        group.tag += helped as f64 / group.limits.weight;
    }

    /// Undoes the start of a task of the group.
    pub(super) fn undo(&mut self, id: GroupId, charged: u32) {
        let group = &mut self.entries[id];
        group.tag = (group.tag - f64::from(charged) / group.limits.weight).max(0.0);
        group.running -= 1;
        self.settle(id);
    }

    /// Forgets a group that has nothing to do and owes nothing.
    fn settle(&mut self, id: GroupId) {
        let group = &self.entries[id];
        if group.is_active() {
            return;
        }
        self.active -= 1;
        if self.active == 0 {
            // There is no other group to owe to.
            self.clock = self.clock.max(group.tag);
            let tags = self.resting.iter().map(|&(tag, _)| f64::from_bits(tag));
            self.clock = tags.fold(self.clock, f64::max);
            self.forget_rested();
        }
        if id == PLAIN {
            return;
        }
        let tag = self.entries[id].tag;
        if tag <= self.clock {
            self.forget(id);
        } else {
            self.resting.insert((tag.to_bits(), id));
        }
    }

    fn forget_rested(&mut self) {
        while let Some(&(tag, id)) = self.resting.first()
            && f64::from_bits(tag) <= self.clock
        {
            self.resting.pop_first();
            self.forget(id);
        }
    }

    fn forget(&mut self, id: GroupId) {
        let group = self.entries.remove(id);
        self.by_name.remove(&group.name);
    }

    /// # Panics
    /// If the counts differ from the contents.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn check(&self, tasks: &Slab<super::task::Task>) {
        use super::task::Stage;
        let mut active = 0;
        for id in self.entries.keys() {
            let group = &self.entries[id];
            let of = || {
                tasks
                    .keys()
                    .map(|index| &tasks[index])
                    .filter(|task| task.group == id)
            };
            let waiting = of().filter(|task| task.stage == Stage::Waiting).count();
            assert_eq!(
                group.waiting, waiting,
                "waiting tasks of group {:?}",
                group.name
            );
            let running = of().count() - waiting;
            assert_eq!(
                group.running as usize, running,
                "running tasks of group {:?}",
                group.name
            );
            let suspended = of().filter(|task| id != PLAIN && task.suspended).count();
            assert_eq!(
                group.suspended as usize, suspended,
                "suspended tasks of {:?}",
                group.name
            );
            active += usize::from(group.is_active());
            if id != PLAIN && !group.is_active() {
                assert!(
                    self.resting.contains(&(group.tag(), id)),
                    "it owes, or is forgotten"
                );
            }
        }
        assert_eq!(self.active, active, "groups with tasks");
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.by_name.len()
    }
}
