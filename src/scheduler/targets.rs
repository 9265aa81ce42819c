//! The meanings of a pool's target numbers in the script lane: texts that the owner and the isolates agree on.
//!
//! A text is kept as long as the owner keeps it or a task of the pool names it. So a table that is fed with names from
//! callers is only as large as what the owner keeps and what is in flight. A number is not used again while an isolate
//! may remember its old meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lane::Lane;
use super::measures::{Measures, Place};
use super::slab::Slab;
use super::task::Task;
use crate::wire::target::OWN;

/// A function of the script lane.
#[derive(Clone, Debug)]
pub(super) struct Function {
    /// The text by which an isolate finds it.
    pub(super) text: Arc<str>,
    /// Its name, for people.
    pub(super) name: Arc<str>,
    /// Where its times are counted.
    pub(super) place: Place,
}

#[derive(Debug)]
struct Target {
    function: Function,
    /// Whether the owner may still use it.
    kept: bool,
    /// The number of tasks that name it.
    tasks: usize,
}

#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The function of most tasks. It stays, so the tasks that name it are not counted.
    own: Option<Function>,
    others: BTreeMap<u32, Target>,
    last: u32,
}

impl Targets {
    /// Sets the pool's own function.
    pub(super) fn set_own(&mut self, function: Function) {
        self.own = Some(function);
    }

    /// Adds a target, which the owner keeps. Returns its number.
    pub(super) fn add(&mut self, function: Function) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != OWN && !self.others.contains_key(&self.last) {
                break;
            }
        }
        let target = Target {
            function,
            kept: true,
            tasks: 0,
        };
        self.others.insert(self.last, target);
        self.last
    }

    /// The owner will not use it any more.
    pub(super) fn forget(&mut self, number: u32) {
        self.change(number, |target| target.kept = false);
    }

    /// Stores a task, and counts it for the target that it names.
    pub(super) fn insert(
        &mut self,
        tasks: &mut Slab<Task>,
        measures: &mut Measures,
        mut task: Task,
    ) -> u32 {
        task.measure = match task.lane {
            Lane::Native => measures.place_of_native(task.target),
            Lane::Script => self.begin(task.target),
        };
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

    /// As `remove`, for a task of which nothing is needed any more.
    pub(super) fn drop(&mut self, tasks: &mut Slab<Task>, index: u32) {
        let task = &tasks[index];
        if task.lane == Lane::Script {
            self.end(task.target);
        }
        tasks.drop(index);
    }

    /// One more task names it. Returns the place where its times are counted.
    fn begin(&mut self, number: u32) -> Place {
        if number == OWN {
            return self.own.as_ref().map_or(0, |own| own.place);
        }
        let Some(target) = self.others.get_mut(&number) else {
            return 0;
        };
        target.tasks += 1;
        target.function.place
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

    /// The function of a number.
    pub(super) fn get(&self, number: u32) -> Option<&Function> {
        match number {
            OWN => self.own.as_ref(),
            _ => self.others.get(&number).map(|target| &target.function),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(text: &str) -> Function {
        Function {
            text: text.into(),
            name: "name".into(),
            place: 0,
        }
    }

    impl Targets {
        fn text(&self, number: u32) -> Option<&str> {
            self.get(number).map(|function| &*function.text)
        }
    }

    #[test]
    fn a_target_is_there_while_it_is_kept_or_a_task_names_it() {
        let mut targets = Targets::default();
        let (one, two) = (targets.add(function("one")), targets.add(function("two")));
        targets.begin(one);
        targets.begin(one);
        targets.forget(one);
        targets.end(one);
        assert_eq!(targets.text(one), Some("one"));
        targets.end(one);
        assert_eq!(targets.text(one), None);
        targets.begin(two);
        targets.end(two);
        assert_eq!(targets.text(two), Some("two"));
        targets.forget(two);
        assert!(targets.others.is_empty());
    }

    #[test]
    fn the_pool_s_own_function_stays() {
        let mut targets = Targets::default();
        assert_eq!(targets.text(OWN), None);
        targets.set_own(function("own"));
        targets.begin(OWN);
        targets.end(OWN);
        targets.forget(OWN);
        assert_eq!(targets.text(OWN), Some("own"));
    }

    #[test]
    fn numbers_in_use_are_passed_over() {
        let mut targets = Targets::default();
        let first = targets.add(function("first"));
        targets.last = u32::MAX;
        let next = targets.add(function("next"));
        assert!(next != first && next != OWN);
    }
}
