//! The waiting tasks of one line, in the order in which they are due (`Task::due`): by priority, and first come, first
//! served within a priority. A task that has waited long enough goes ahead of more urgent ones, so that none waits for
//! ever.
//!
//! There is one list per priority. It runs through the tasks themselves, so any task can leave in constant time, and
//! waiting costs no memory of its own. Nearly all tasks come in the order in which they are due and are added at the
//! end of their list. The others (with a deadline, or awaited by another task) are in a tree.

use std::collections::BTreeSet;

use super::slab::{NIL, Slab};
use super::task::Task;

/// The lowest and the highest priority, counted as by `nice`: −20 runs first.
pub const PRIORITIES: std::ops::RangeInclusive<i8> = -20..=19;
const BANDS: usize = 40;

/// One list of waiting tasks per priority.
#[derive(Debug)]
pub(super) struct Queue {
    bands: [Band; BANDS],
    /// Bit b is set while band b has a task.
    filled: u64,
    /// Tasks that are due sooner than the end of their list: when they are due, their generation, their key.
    sooner: BTreeSet<(i64, u32, u32)>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Band {
    head: u32,
    tail: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            bands: [Band {
                head: NIL,
                tail: NIL,
            }; BANDS],
            filled: 0,
            sooner: BTreeSet::new(),
            len: 0,
        }
    }
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next task to run.
    pub(super) fn head(&self, tasks: &Slab<Task>) -> Option<u32> {
        let listed = self.first_listed(tasks);
        match (self.sooner.first(), listed) {
            (Some(&(due, .., key)), Some(other)) if due <= tasks[other].due() => Some(key),
            (Some(&(.., key)), None) => Some(key),
            _ => listed,
        }
    }

    fn first_listed(&self, tasks: &Slab<Task>) -> Option<u32> {
        if self.filled & self.filled.wrapping_sub(1) == 0 {
            // One priority, or none: nothing to compare.
            return (self.filled != 0)
                .then(|| self.bands[self.filled.trailing_zeros() as usize].head);
        }
        let heads = (0..BANDS)
            .filter(|b| self.filled & (1 << b) != 0)
            .map(|b| self.bands[b].head);
        heads.min_by_key(|&key| tasks[key].due())
    }

    /// When the task came that has waited longest here.
    pub(super) fn oldest(&self, tasks: &Slab<Task>) -> Option<u64> {
        let heads = (0..BANDS)
            .filter(|b| self.filled & (1 << b) != 0)
            .map(|b| self.bands[b].head);
        let due = self.sooner.iter().map(|&(.., key)| key);
        heads.chain(due).map(|key| tasks[key].started).min()
    }

    /// Adds a task behind the tasks that are due at the same time.
    pub(super) fn push(&mut self, tasks: &mut Slab<Task>, key: u32) {
        self.len += 1;
        let task = &tasks[key];
        let b = band(task.priority);
        let tail = self.bands[b].tail;
        if tail != NIL && tasks[tail].due() > task.due() {
            self.sooner.insert((task.due(), task.generation, key));
            return;
        }
        self.bands[b].tail = key;
        let task = &mut tasks[key];
        (task.listed, task.prev, task.next) = (true, tail, NIL);
        if tail == NIL {
            self.bands[b].head = key;
            self.filled |= 1 << b;
        } else {
            tasks[tail].next = key;
        }
    }

    /// Takes a task out, wherever it stands.
    pub(super) fn unlink(&mut self, tasks: &mut Slab<Task>, key: u32) {
        self.len -= 1;
        let task = &mut tasks[key];
        if !std::mem::take(&mut task.listed) {
            self.sooner.remove(&(task.due(), task.generation, key));
            return;
        }
        let (b, prev, next) = (band(task.priority), task.prev, task.next);
        match prev {
            NIL => self.bands[b].head = next,
            prev => tasks[prev].next = next,
        }
        match next {
            NIL => self.bands[b].tail = prev,
            next => tasks[next].prev = prev,
        }
        if self.bands[b].head == NIL {
            self.filled &= !(1 << b);
        }
    }
}

fn band(priority: i8) -> usize {
    (priority.clamp(*PRIORITIES.start(), *PRIORITIES.end()) - PRIORITIES.start()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Queue, tasks: &mut Slab<Task>) -> Vec<u32> {
        std::iter::from_fn(|| {
            let key = queue.head(tasks)?;
            queue.unlink(tasks, key);
            Some(tasks.remove(key).ticket)
        })
        .collect()
    }

    fn filled(priorities: &[i8]) -> (Queue, Slab<Task>) {
        let (mut queue, mut tasks) = (Queue::default(), Slab::default());
        for (ticket, &priority) in priorities.iter().enumerate() {
            let key = tasks.insert(Task::for_test(ticket as u32, priority));
            queue.push(&mut tasks, key);
        }
        (queue, tasks)
    }

    #[test]
    fn lower_numbers_run_first_and_equals_in_order_of_arrival() {
        let (mut queue, mut tasks) = filled(&[0, 19, -20, 0, 5, -20]);
        assert_eq!(drain(&mut queue, &mut tasks), [2, 5, 0, 3, 4, 1]);
        assert!(queue.is_empty());
    }

    #[test]
    fn who_has_waited_long_goes_ahead_of_what_is_more_urgent() {
        let (mut queue, mut tasks) = filled(&[19, 0, -20]);
        let late = tasks.insert(Task {
            since: 25 * super::super::task::LEVEL,
            ..Task::for_test(3, -5)
        });
        queue.push(&mut tasks, late);
        // It came 25 levels later than the least urgent task, and is only 24 levels more urgent.
        assert_eq!(drain(&mut queue, &mut tasks), [2, 1, 0, 3]);
    }

    #[test]
    fn what_counts_as_having_waited_longer_goes_ahead_within_a_priority() {
        let (mut queue, mut tasks) = filled(&[0, -1]);
        for (ticket, priority, since) in
            [(10, 0, -400), (11, 0, -500), (12, 3, -900), (14, 0, -400)]
        {
            let key = tasks.insert(Task {
                since,
                ..Task::for_test(ticket, priority)
            });
            queue.push(&mut tasks, key);
        }
        let gone = tasks.insert(Task {
            since: -450,
            ..Task::for_test(13, 0)
        });
        queue.push(&mut tasks, gone);
        queue.unlink(&mut tasks, gone);
        assert_eq!(queue.len(), 6);
        assert_eq!(drain(&mut queue, &mut tasks), [1, 11, 10, 14, 0, 12]);
    }

    #[test]
    fn a_task_leaves_from_the_front_the_middle_and_the_back() {
        let (mut queue, mut tasks) = filled(&[0, 0, 0, 0, 0]);
        for key in [0, 2, 4] {
            queue.unlink(&mut tasks, key);
            tasks.remove(key);
        }
        assert_eq!(queue.len(), 2);
        assert_eq!(drain(&mut queue, &mut tasks), [1, 3]);
        let key = tasks.insert(Task::for_test(9, 0));
        queue.push(&mut tasks, key);
        assert_eq!(drain(&mut queue, &mut tasks), [9]);
    }
}
