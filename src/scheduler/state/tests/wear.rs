//! Isolates that are replaced though nothing is wrong with them.

use super::*;
use crate::scheduler::worker::WorkerState;

fn worn_after(tasks: u32, max_threads: u32, min_threads: u32) -> State {
    let limits = PoolLimits {
        min_threads,
        max_threads,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    state.set_wear(Wear {
        tasks,
        ..Wear::default()
    });
    state
}

/// The isolate that should be started now.
fn start(state: &mut State) -> Option<WorkerId> {
    state.wakes(false, 0).starts[Lane::Script]
}

/// Runs tasks on a worker until it is told to end or asks for a replacement. Returns their number.
fn run_until_start(state: &mut State, id: WorkerId) -> (u32, WorkerId) {
    for count in 1..1000 {
        state.enqueue(call(count, Lane::Script), 0);
        assert!(taken(state, id, 0).is_some());
        state.ends(id, 0, 0);
        if let Some(next) = start(state) {
            return (count, next);
        }
    }
    panic!("no replacement after 1000 tasks");
}

fn joined(state: &mut State, id: WorkerId) -> bool {
    let joined = state.join(id, Arc::new(Silent), 0).expect("it is known");
    joined.relieved.is_some()
}

#[test]
fn a_worn_worker_goes_on_until_its_replacement_is_ready() {
    let mut state = worn_after(100, 1, 1);
    let old = idle(&mut state, Lane::Script);
    let (count, new) = run_until_start(&mut state, old);
    assert!((90..=110).contains(&count), "{count}");
    for ticket in 0..5 {
        state.enqueue(call(ticket, Lane::Script), 0);
        assert!(taken(&mut state, old, 0).is_some());
        assert_eq!(start(&mut state), None, "one replacement is enough");
        state.ends(old, 0, 0);
    }
    assert_eq!(taken(&mut state, old, 0), None);
    assert_eq!(state.workers[old.0].state, WorkerState::Idle);
    assert!(joined(&mut state, new), "the idle one is rung");
    assert!(matches!(state.next(old, false, 0), Next::Retire));
    state.enqueue(call(1, Lane::Script), 0);
    assert_eq!(taken(&mut state, new, 0), Some((1, 0)));
    assert!(state.remove_worker(old, 0).is_empty());
    assert_eq!(start(&mut state), None);
}

#[test]
fn a_busy_worn_worker_ends_its_task_first_and_no_place_is_added() {
    let mut state = worn_after(1, 1, 1);
    let old = idle(&mut state, Lane::Script);
    let (_, new) = run_until_start(&mut state, old);
    state.enqueue(call(1, Lane::Script), 0);
    state.enqueue(call(2, Lane::Script), 0);
    assert_eq!(taken(&mut state, old, 0), Some((1, 0)));
    assert!(!joined(&mut state, new), "it is told when it asks");
    assert_eq!(taken(&mut state, new, 0), None, "one at a time");
    state.ends(old, 0, 0);
    assert!(matches!(state.next(old, false, 0), Next::Retire));
    assert_eq!(taken(&mut state, new, 0), Some((2, 0)));
}

#[test]
fn one_is_replaced_at_a_time_and_a_failed_start_is_tried_again() {
    let mut state = worn_after(1, 3, 3);
    let ids = [0, 1, 2].map(|_| idle(&mut state, Lane::Script));
    for id in ids {
        state.wear_out(id);
    }
    let first = start(&mut state).expect("a replacement");
    assert_eq!(start(&mut state), None);
    // It could not be loaded.
    assert!(state.remove_worker(first, 0).is_empty());
    assert_eq!(start(&mut state), None, "not at once");
    let _ = state.ring_alarms(1, 100_000_000);
    let mut replaced = 0;
    while let Some(next) = start(&mut state) {
        assert!(joined(&mut state, next));
        replaced += 1;
        assert_eq!(state.lanes[Lane::Script].staying(), 3);
    }
    assert_eq!(replaced, 3);
    for id in ids {
        assert!(matches!(state.next(id, false, 0), Next::Retire));
    }
}

#[test]
fn an_old_worker_that_the_minimum_does_not_need_just_ends() {
    let mut state = worn_after(u32::MAX, 2, 0);
    let old = idle(&mut state, Lane::Script);
    state.wear_out(old);
    let wakes = state.wakes(false, 1_000_000_000);
    assert_eq!(
        (
            wakes.bound.map_or(0, |bells| bells.len()),
            wakes.starts[Lane::Script]
        ),
        (1, None)
    );
    assert!(matches!(state.next(old, false, 0), Next::Retire));
}

#[test]
fn while_a_replacement_starts_nobody_else_retires() {
    let mut state = worn_after(u32::MAX, 2, 1);
    let ids = [0, 1].map(|_| idle(&mut state, Lane::Script));
    state.enqueue(call(0, Lane::Script), 0);
    assert!(taken(&mut state, ids[0], 0).is_some());
    state.wear_out(ids[0]);
    assert!(start(&mut state).is_some());
    assert_eq!(state.lanes[Lane::Script].staying(), 3);
    assert_eq!(state.reap(Lane::Script, 0, 100).len(), 1, "one is spare");
    state.ends(ids[0], 0, 0);
    assert!(matches!(state.next(ids[0], false, 0), Next::Idle));
    assert!(state.reap(Lane::Script, 0, 100).is_empty());
}

#[test]
fn with_one_task_each_the_next_is_started_while_one_runs() {
    let mut state = worn_after(u32::MAX, 2, 1);
    state.set_wear(Wear {
        one_task: true,
        ..Wear::default()
    });
    let first = start(&mut state).expect("the minimum");
    assert_eq!(start(&mut state), None);
    assert!(!joined(&mut state, first));
    for ticket in 0..3 {
        state.enqueue(call(ticket, Lane::Script), 0);
    }
    assert_eq!(taken(&mut state, first, 0), Some((0, 0)));
    let more: Vec<_> = std::iter::from_fn(|| start(&mut state)).collect();
    assert_eq!(more.len(), 2, "as many as wait, up to the limit");
    for &id in &more {
        joined(&mut state, id);
    }
    assert_eq!(taken(&mut state, more[0], 0), Some((1, 0)));
    assert_eq!(taken(&mut state, more[1], 0), None, "two are busy");
    state.ends(first, 0, 0);
    assert!(matches!(state.next(first, false, 0), Next::Retire));
    assert_eq!(taken(&mut state, more[1], 0), Some((2, 0)));
    assert!(state.remove_worker(first, 0).is_empty());
    assert!(start(&mut state).is_some(), "one for what may come");
    assert_eq!(start(&mut state), None);
}

#[test]
fn all_isolates_are_replaced_without_a_gap_those_included_that_are_on_their_way() {
    let mut state = worn_after(u32::MAX, 3, 2);
    let ids = [0, 1].map(|_| idle(&mut state, Lane::Script));
    let native = idle(&mut state, Lane::Native);
    state.wear_out(ids[0]);
    let on_its_way = start(&mut state).expect("a replacement");
    assert!(state.wear_all_out(0).is_empty());
    assert!(joined(&mut state, on_its_way), "an old one ends for it");
    assert!(
        !state.workers[on_its_way.0].retiring,
        "and it works meanwhile"
    );
    assert_eq!(taken(&mut state, on_its_way, 0), None);
    let mut fresh = Vec::new();
    while let Some(next) = start(&mut state) {
        assert!(joined(&mut state, next));
        assert_eq!(state.lanes[Lane::Script].staying(), 2);
        fresh.push(next);
    }
    assert_eq!(fresh.len(), 2);
    for id in ids.into_iter().chain([on_its_way]) {
        assert!(matches!(state.next(id, false, 0), Next::Retire));
    }
    assert!(!state.workers[native.0].worn);
    assert_eq!(state.worn, 0);
}

#[test]
fn isolates_of_one_task_that_have_none_yet_end_when_all_are_to_be_replaced() {
    let mut state = worn_after(u32::MAX, 2, 1);
    state.set_wear(Wear {
        one_task: true,
        ..Wear::default()
    });
    let spare = idle(&mut state, Lane::Script);
    assert_eq!(state.wear_all_out(0).len(), 1, "it is rung");
    assert!(matches!(state.next(spare, false, 0), Next::Retire));
    assert!(start(&mut state).is_some(), "another takes its place");
}
