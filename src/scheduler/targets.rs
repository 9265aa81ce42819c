//! What the numbers of a pool's script targets mean: texts that the owner and the isolates agree on.
//!
//! A text is there as long as the owner keeps it or a task of the pool names it, so a table that callers'
//! names feed is as large as what the owner keeps and what is in flight. Numbers are not used again while an
//! isolate may remember what they meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lane::Lane;
use super::slab::Slab;
use super::task::Task;
use crate::wire::target::OWN;

#[derive(Debug)]
struct Target {
    text: Arc<str>,
    /// Whether the owner may still name it.
    kept: bool,
    /// Tasks that name it.
    tasks: usize,
}

#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The function of most tasks stays, and nobody counts them.
    own: Option<Arc<str>>,
    others: BTreeMap<u32, Target>,
    last: u32,
}

impl Targets {
    /// Sets the pool's own function.
    pub(super) fn set_own(&mut self, text: Arc<str>) {
        self.own = Some(text);
    }

    /// The number of one more target, which the owner keeps.
    pub(super) fn add(&mut self, text: Arc<str>) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != OWN && !self.others.contains_key(&self.last) {
                break;
            }
        }
        let target = Target {
            text,
            kept: true,
            tasks: 0,
        };
        self.others.insert(self.last, target);
        self.last
    }

    /// The owner will not name it any more.
    pub(super) fn forget(&mut self, number: u32) {
        self.change(number, |target| target.kept = false);
    }

    /// Stores a task, and counts it for what it names.
    pub(super) fn insert(&mut self, tasks: &mut Slab<Task>, task: Task) -> u32 {
        if task.lane == Lane::Script {
            self.begin(task.target);
        }
        tasks.insert(task)
    }

    /// Takes a task out of the store.
    pub(super) fn remove(&mut self, tasks: &mut Slab<Task>, index: u32) -> Task {
        let task = tasks.remove(index);
        if task.lane == Lane::Script {
            self.end(task.target);
        }
        task
    }

    fn begin(&mut self, number: u32) {
        if number != OWN {
            self.change(number, |target| target.tasks += 1);
        }
    }

    fn end(&mut self, number: u32) {
        if number != OWN {
            self.change(number, |target| target.tasks -= 1);
        }
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Target)) {
        if let Some(target) = self.others.get_mut(&number) {
            change(target);
            if !target.kept && target.tasks == 0 {
                self.others.remove(&number);
            }
        }
    }

    /// What a number means.
    pub(super) fn text(&self, number: u32) -> Option<Arc<str>> {
        match number {
            OWN => self.own.clone(),
            _ => self.others.get(&number).map(|target| target.text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_there_while_it_is_kept_or_a_task_names_it() {
        let mut targets = Targets::default();
        let (one, two) = (targets.add("one".into()), targets.add("two".into()));
        targets.begin(one);
        targets.begin(one);
        targets.forget(one);
        targets.end(one);
        assert_eq!(targets.text(one).as_deref(), Some("one"));
        targets.end(one);
        assert_eq!(targets.text(one), None);
        targets.begin(two);
        targets.end(two);
        assert_eq!(targets.text(two).as_deref(), Some("two"));
        targets.forget(two);
        assert!(targets.others.is_empty());
    }

    #[test]
    fn the_pool_s_own_function_stays() {
        let mut targets = Targets::default();
        assert_eq!(targets.text(OWN), None);
        targets.set_own("own".into());
        targets.begin(OWN);
        targets.end(OWN);
        targets.forget(OWN);
        assert_eq!(targets.text(OWN).as_deref(), Some("own"));
    }

    #[test]
    fn numbers_in_use_are_passed_over() {
        let mut targets = Targets::default();
        let first = targets.add("first".into());
        targets.last = u32::MAX;
        let next = targets.add("next".into());
        assert!(next != first && next != OWN);
    }
}
