//! All tasks that wait in a pool. There is a line per lane, and one per worker for which tasks wait in particular. A
//! line without groups is one queue. With groups, it has a queue per group, and orders the groups by their tags; groups
//! that may not run now are left out of that order.

use std::collections::{BTreeSet, HashMap};

use super::groups::{GroupLimits, Groups, Tag};
use super::ids::{GroupId, PLAIN, WorkerId};
use super::lane::{Lane, PerLane};
use super::queue::Queue;
use super::slab::Slab;
use super::task::{Stage, Task};

/// In whose line a task waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOf {
    /// For any worker of a lane.
    Lane(Lane),
    /// For this worker.
    Worker(WorkerId),
}

impl LineOf {
    fn of(task: &Task) -> Self {
        match task.worker {
            WorkerId::NONE => Self::Lane(task.lane),
            worker => Self::Worker(worker),
        }
    }
}

/// The tasks that wait in one line.
#[derive(Debug, Default)]
struct Line {
    plain: Queue,
    grouped: Option<Box<Grouped>>,
}

#[derive(Debug, Default)]
struct Grouped {
    queues: HashMap<GroupId, Box<Queue>>,
    /// The groups that may run, by their tags.
    order: BTreeSet<(Tag, GroupId)>,
    len: usize,
    /// The number of tasks of groups that may not run now.
    blocked: usize,
}

impl Line {
    #[inline]
    fn len(&self) -> usize {
        self.plain.len() + self.grouped.as_ref().map_or(0, |grouped| grouped.len)
    }

    #[inline]
    fn runnable(&self) -> usize {
        let of = |grouped: &Grouped| grouped.len - grouped.blocked;
        self.plain.len() + self.grouped.as_deref().map_or(0, of)
    }

    #[inline]
    fn head(&self, tasks: &Slab<Task>, groups: Option<&Groups>) -> Option<u32> {
        match (&self.grouped, groups) {
            (Some(grouped), Some(groups)) => self.head_of_groups(grouped, tasks, groups),
            _ => self.plain.head(tasks),
        }
    }

    fn head_of_groups(
        &self,
        grouped: &Grouped,
        tasks: &Slab<Task>,
        groups: &Groups,
    ) -> Option<u32> {
        let plain = self.plain.head(tasks);
        match (grouped.order.first(), plain) {
            (Some(&(tag, _)), Some(_)) if groups.get(PLAIN).tag() <= tag => plain,
            (Some(&(_, group)), _) => grouped.queues[&group].head(tasks),
            (None, _) => plain,
        }
    }

    /// When the task came that has waited longest here.
    fn oldest(&self, tasks: &Slab<Task>) -> Option<u64> {
        let grouped = self
            .grouped
            .iter()
            .flat_map(|grouped| grouped.queues.values());
        let queues = grouped.map(|queue| &**queue).chain([&self.plain]);
        queues.filter_map(|queue| queue.oldest(tasks)).min()
    }

    /// Any task, even one that may not run now.
    fn any(&self, tasks: &Slab<Task>) -> Option<u32> {
        self.plain.head(tasks).or_else(|| {
            let queue = self.grouped.as_ref()?.queues.values().next()?;
            queue.head(tasks)
        })
    }

    #[inline]
    fn push(&mut self, tasks: &mut Slab<Task>, index: u32, groups: Option<&mut Groups>) {
        match groups {
            Some(groups) if tasks[index].group != PLAIN => self.push_grouped(tasks, index, groups),
            _ => self.plain.push(tasks, index),
        }
    }

    fn push_grouped(&mut self, tasks: &mut Slab<Task>, index: u32, groups: &mut Groups) {
        let (group, at) = (tasks[index].group, LineOf::of(&tasks[index]));
        let grouped = self.grouped.get_or_insert_default();
        let queue = grouped.queues.entry(group).or_default();
        let first = queue.is_empty();
        queue.push(tasks, index);
        grouped.len += 1;
        if groups.get(group).is_blocked() {
            grouped.blocked += 1;
        } else if first {
            grouped.order.insert((groups.get(group).tag(), group));
        }
        if first {
            groups.lines(group).push(at);
        }
    }

    #[inline]
    fn unlink(&mut self, tasks: &mut Slab<Task>, index: u32, groups: Option<&mut Groups>) {
        match groups {
            Some(groups) if tasks[index].group != PLAIN => {
                self.unlink_grouped(tasks, index, groups)
            }
            _ => self.plain.unlink(tasks, index),
        }
    }

    fn unlink_grouped(&mut self, tasks: &mut Slab<Task>, index: u32, groups: &mut Groups) {
        let (group, at) = (tasks[index].group, LineOf::of(&tasks[index]));
        let grouped = self
            .grouped
            .as_mut()
            .expect("a grouped task waits in a line with groups");
        let queue = grouped
            .queues
            .get_mut(&group)
            .expect("a waiting task's group has a queue");
        queue.unlink(tasks, index);
        let last = queue.is_empty();
        grouped.len -= 1;
        grouped.blocked -= usize::from(groups.get(group).is_blocked());
        if last {
            grouped.queues.remove(&group);
            grouped.order.remove(&(groups.get(group).tag(), group));
            groups.lines(group).retain(|&other| other != at);
        }
    }

    /// Reorders a group after its tag, or whether it may run, has changed.
    fn reorder(&mut self, group: GroupId, before: Option<Tag>, after: Option<Tag>) {
        let grouped = self
            .grouped
            .as_mut()
            .expect("the group has tasks in this line");
        let waiting = grouped.queues[&group].len();
        match before {
            Some(tag) => _ = grouped.order.remove(&(tag, group)),
            None => grouped.blocked -= waiting,
        }
        match after {
            Some(tag) => _ = grouped.order.insert((tag, group)),
            None => grouped.blocked += waiting,
        }
    }
}

/// All tasks that wait in a pool.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    lanes: PerLane<Line>,
    /// By worker; only workers for which tasks wait.
    own: HashMap<u32, Box<Line>>,
    /// Tasks in `own`.
    bound: usize,
    groups: Option<Box<Groups>>,
}

impl Waiting {
    /// The number of waiting tasks, in all lines.
    pub(super) fn len(&self) -> usize {
        let [native, script] = &self.lanes.0;
        native.len() + script.len() + self.bound
    }

    /// The number of tasks that any worker of the lane could run now, apart from the CPU limit.
    pub(super) fn runnable(&self, lane: Lane) -> usize {
        self.lanes[lane].runnable()
    }

    /// When the task came that has waited longest.
    pub(super) fn oldest(&self, tasks: &Slab<Task>) -> Option<u64> {
        let own = self.own.values().map(|line| &**line);
        let lines = self.lanes.0.iter().chain(own);
        lines.filter_map(|line| line.oldest(tasks)).min()
    }

    /// The number of tasks that wait for particular workers.
    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// The number of tasks that wait for this worker.
    pub(super) fn own_len(&self, id: WorkerId) -> usize {
        if self.bound == 0 {
            return 0;
        }
        self.own.get(&id.0).map_or(0, |line| line.len())
    }

    /// The task that should run next in a lane, of those that any worker may take.
    pub(super) fn head(&self, tasks: &Slab<Task>, lane: Lane) -> Option<u32> {
        self.lanes[lane].head(tasks, self.groups.as_deref())
    }

    /// The task that should run next of those that wait for this worker.
    pub(super) fn own_head(&self, tasks: &Slab<Task>, id: WorkerId) -> Option<u32> {
        if self.bound == 0 {
            return None;
        }
        let line = self.own.get(&id.0)?;
        line.head(tasks, self.groups.as_deref())
    }

    /// Whether `a` should run before `b`.
    pub(super) fn precedes(&self, tasks: &Slab<Task>, a: u32, b: u32) -> bool {
        let (a, b) = (&tasks[a], &tasks[b]);
        if let Some(groups) = &self.groups
            && a.group != b.group
        {
            let tags = (groups.get(a.group).tag(), groups.get(b.group).tag());
            if tags.0 != tags.1 {
                return tags.0 < tags.1;
            }
        }
        a.due() < b.due()
    }

    /// Whether the group of a task may run one more.
    pub(super) fn may_run(&self, task: &Task) -> bool {
        let groups = self.groups.as_deref();
        groups.is_none_or(|groups| !groups.get(task.group).is_blocked())
    }

    /// Any task that waits in a lane, or for one of its workers, even one that may not run now.
    pub(super) fn any(&self, tasks: &Slab<Task>, lane: Lane) -> Option<u32> {
        let own = self.own.values().filter_map(|line| line.any(tasks));
        let shared = self.lanes[lane].any(tasks).into_iter();
        let mut any = shared.chain(own);
        any.find(|&index| tasks[index].lane == lane)
    }

    /// All tasks that wait for this worker, the groups in no particular order.
    pub(super) fn own_tasks(&self, tasks: &Slab<Task>, id: WorkerId) -> Vec<u32> {
        if self.own_len(id) == 0 {
            return Vec::new();
        }
        let here = |&index: &u32| {
            let task = &tasks[index];
            task.stage == Stage::Waiting && task.worker == id
        };
        let mut found: Vec<u32> = tasks.keys().filter(here).collect();
        found.sort_by_key(|&index| (tasks[index].due(), tasks[index].generation));
        found
    }

    /// Adds a task behind its equals, in the line and the queue that its `worker` and `group` say.
    pub(super) fn push(&mut self, tasks: &mut Slab<Task>, index: u32) {
        if let Some(groups) = &mut self.groups {
            groups.arrive(tasks[index].group);
        }
        self.insert(tasks, index);
    }

    /// Takes out a task that will not run.
    pub(super) fn remove(&mut self, tasks: &mut Slab<Task>, index: u32) {
        self.extract(tasks, index);
        if let Some(groups) = &mut self.groups {
            groups.give_up(tasks[index].group);
        }
    }

    /// Takes out a task that runs from now on, and charges its group.
    pub(super) fn start(&mut self, tasks: &mut Slab<Task>, index: u32) {
        self.extract(tasks, index);
        let task = &mut tasks[index];
        self.change(task.group, |groups| task.charged = groups.start(task.group));
    }

    /// A running task starts to wait for others, or goes on.
    pub(super) fn suspend(&mut self, task: &mut Task, waits: bool) {
        task.suspended = waits;
        self.change(task.group, |groups| groups.suspend(task.group, waits));
    }

    /// A task that ran has ended.
    pub(super) fn end(&mut self, task: &Task, ran: u64) {
        self.change(task.group, |groups| {
            if task.suspended {
                groups.suspend(task.group, false);
            }
            groups.end(task.group, task.charged, ran);
        });
    }

    /// Other workers have worked on a task of the group for `helped` nanoseconds.
    pub(super) fn charge(&mut self, group: GroupId, helped: u64) {
        self.change(group, |groups| groups.charge(group, helped));
    }

    /// A task that was started never ran.
    pub(super) fn undo(&mut self, task: &Task) {
        self.change(task.group, |groups| groups.undo(task.group, task.charged));
    }

    /// Lets a waiting task wait for another worker, or for any.
    pub(super) fn rebind(&mut self, tasks: &mut Slab<Task>, index: u32, to: WorkerId) {
        self.extract(tasks, index);
        tasks[index].worker = to;
        self.insert(tasks, index);
    }

    /// # Panics
    /// If the counts differ from the contents.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn check(&self, tasks: &Slab<Task>) {
        let waits = |line| {
            let here = move |&index: &u32| {
                let task = &tasks[index];
                task.stage == Stage::Waiting && LineOf::of(task) == line
            };
            tasks.keys().filter(here)
        };
        let lanes = super::lane::Lane::ALL.map(|lane| (LineOf::Lane(lane), &self.lanes[lane]));
        let own = self
            .own
            .iter()
            .map(|(&id, line)| (LineOf::Worker(WorkerId(id)), &**line));
        let mut bound = 0;
        for (of, line) in lanes.into_iter().chain(own) {
            let blocked = waits(of).filter(|&index| {
                let group = tasks[index].group;
                let groups = self.groups.as_ref();
                group != PLAIN && groups.is_some_and(|groups| groups.get(group).is_blocked())
            });
            let (len, blocked) = (waits(of).count(), blocked.count());
            assert_eq!(line.len(), len, "tasks of {of:?}");
            assert_eq!(
                line.runnable(),
                len - blocked,
                "tasks of {of:?} that may run"
            );
            if matches!(of, LineOf::Worker(_)) {
                assert!(len > 0, "a line of a worker is there for tasks");
                bound += len;
            }
        }
        assert_eq!(self.bound, bound, "tasks for one worker");
        if let Some(groups) = &self.groups {
            groups.check(tasks);
        }
    }

    /// The group of this name. `running` is how many tasks run now, in case this is the first group.
    pub(super) fn group(&mut self, name: Box<str>, running: u32) -> GroupId {
        self.groups(running).of(name)
    }

    /// Sets how much the group of this name may use.
    pub(super) fn configure(&mut self, name: Box<str>, limits: GroupLimits, running: u32) {
        self.groups(running).configure(name, limits);
    }

    #[cfg(test)]
    pub(super) fn remembered_groups(&self) -> usize {
        self.groups.as_ref().map_or(0, |groups| groups.remembered())
    }

    fn groups(&mut self, running: u32) -> &mut Groups {
        let waiting = self.len();
        self.groups
            .get_or_insert_with(|| Box::new(Groups::new(waiting, running)))
    }

    fn insert(&mut self, tasks: &mut Slab<Task>, index: u32) {
        let line = match LineOf::of(&tasks[index]) {
            LineOf::Lane(lane) => &mut self.lanes[lane],
            LineOf::Worker(id) => {
                self.bound += 1;
                self.own.entry(id.0).or_default()
            }
        };
        line.push(tasks, index, self.groups.as_deref_mut());
    }

    fn extract(&mut self, tasks: &mut Slab<Task>, index: u32) {
        let groups = self.groups.as_deref_mut();
        match LineOf::of(&tasks[index]) {
            LineOf::Lane(lane) => self.lanes[lane].unlink(tasks, index, groups),
            LineOf::Worker(id) => {
                self.bound -= 1;
                let line = self.own.get_mut(&id.0).expect("a bound task is in a line");
                line.unlink(tasks, index, groups);
                if line.len() == 0 {
                    self.own.remove(&id.0);
                }
            }
        }
    }

    /// Changes a group's figures, and its place in the lines where it waits.
    #[inline]
    fn change(&mut self, group: GroupId, change: impl FnOnce(&mut Groups)) {
        match &mut self.groups {
            None => {}
            Some(groups) if group == PLAIN => change(groups),
            Some(_) => self.change_and_reorder(group, change),
        }
    }

    fn change_and_reorder(&mut self, group: GroupId, change: impl FnOnce(&mut Groups)) {
        let Some(groups) = &mut self.groups else {
            return;
        };
        let rank = |groups: &Groups| {
            let group = groups.get(group);
            (!group.is_blocked()).then(|| group.tag())
        };
        let lines = std::mem::take(groups.lines(group));
        if lines.is_empty() {
            return change(groups);
        }
        let before = rank(groups);
        change(groups);
        let after = rank(groups);
        for &at in &lines {
            let line = match at {
                LineOf::Lane(lane) => &mut self.lanes[lane],
                LineOf::Worker(id) => self.own.get_mut(&id.0).expect("the group waits there"),
            };
            line.reorder(group, before, after);
        }
        *groups.lines(group) = lines;
    }
}
