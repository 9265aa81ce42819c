//! Which of the waiting tasks is next.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn one_worker() -> (State, WorkerId) {
    let mut state = State::new(
        PoolLimits {
            max_threads: 1,
            ..LIMITS
        },
        0,
    );
    let id = idle(&mut state, Lane::Script);
    (state, id)
}

fn until(ticket: u32, deadline: u64) -> NewTask {
    NewTask {
        deadline,
        ..call(ticket, Lane::Script)
    }
}

/// The tickets of the waiting tasks, in the order in which they run.
fn order(state: &mut State, id: WorkerId, now: u64) -> Vec<u32> {
    let next = |state: &mut State| {
        let (ticket, slot) = taken(state, id, now)?;
        state.ends(id, slot, now);
        Some(ticket)
    };
    std::iter::from_fn(|| next(state)).collect()
}

#[test]
fn of_tasks_that_came_together_the_earliest_deadline_is_first() {
    let (mut state, id) = one_worker();
    state.enqueue(call(0, Lane::Script), 0);
    for (ticket, seconds) in [(1, 5), (2, 1), (3, 3)] {
        state.enqueue(until(ticket, seconds * SECOND), 0);
    }
    assert_eq!(order(&mut state, id, 0), [2, 3, 1, 0]);
}

#[test]
fn a_deadline_that_is_far_away_is_no_reason_to_hurry() {
    let (mut state, id) = one_worker();
    state.enqueue(call(0, Lane::Script), 0);
    for ticket in 1..100 {
        let now = u64::from(ticket) * SECOND / 100;
        state.enqueue(until(ticket, now + 60 * SECOND), now);
    }
    assert_eq!(order(&mut state, id, SECOND)[..3], [0, 1, 2]);
}

#[test]
fn a_task_waits_ten_seconds_at_most_for_those_of_its_priority_that_are_late() {
    let (mut state, id) = one_worker();
    state.enqueue(call(0, Lane::Script), 0);
    let mut now = 0;
    let waited = loop {
        // Its deadline is almost over.
        state.enqueue(until(1, now + 1), now);
        let (ticket, slot) = taken(&mut state, id, now).expect("two wait");
        state.ends(id, slot, now);
        if ticket == 0 {
            break now;
        }
        now += SECOND / 10;
        assert!(now < 20 * SECOND, "it starves");
    };
    assert!((9 * SECOND..=11 * SECOND).contains(&waited), "{waited}");
}

#[test]
fn a_task_that_takes_longer_is_to_start_sooner_before_its_deadline() {
    let (mut state, script) = one_worker();
    // A script task takes two seconds.
    for _ in 0..50 {
        state.enqueue(call(9, Lane::Script), 0);
        let (_, slot) = taken(&mut state, script, 0).expect("it waits");
        state.ends(script, slot, 2 * SECOND);
    }
    let now = 10 * SECOND;
    let native_task = NewTask {
        deadline: now + 3 * SECOND,
        ..call(1, Lane::Native)
    };
    state.enqueue(native_task, now);
    state.enqueue(until(2, now + 4 * SECOND), now);
    let order = state.by_precedence();
    assert_eq!(order[0], Lane::Script, "the later deadline is more urgent");
}

#[test]
fn a_task_that_another_waits_for_goes_before_all_of_the_best_priority() {
    let (mut state, id) = one_worker();
    let best = |ticket| NewTask {
        priority: -20,
        ..call(ticket, Lane::Script)
    };
    let outer = state.enqueue(best(0), 0);
    let (_, slot) = taken(&mut state, id, 1).expect("it waits");
    for ticket in 1..4 {
        state.enqueue(best(ticket), 10 * u64::from(ticket));
    }
    let inner = state
        .admit(call(10, Lane::Script), Some(outer), false, 100)
        .expect("there is room");
    let innermost = state.admit(call(11, Lane::Script), Some(inner), false, 200);
    assert!(innermost.is_ok());
    state.ends(id, slot, 300);
    assert_eq!(order(&mut state, id, 300), [11, 10, 1, 2, 3]);
}

#[test]
fn a_task_that_starts_again_has_its_place_among_those_that_came_after_it() {
    let (mut state, id) = one_worker();
    let first = NewTask {
        retries: 1,
        ..call(1, Lane::Script)
    };
    state.enqueue(first, 0);
    state.enqueue(call(2, Lane::Script), 10);
    assert_eq!(taken(&mut state, id, 20).map(|(ticket, _)| ticket), Some(1));
    assert!(state.remove_worker(id, 30).is_empty());
    state.enqueue(call(3, Lane::Script), 40);
    let id = idle_with_work(&mut state);
    assert_eq!(order(&mut state, id, 50), [1, 2, 3]);
}

/// A worker that has joined, and does not ask for a task yet.
fn idle_with_work(state: &mut State) -> WorkerId {
    let id = state.add_worker(Lane::Script, 50);
    assert!(state.join(id, Arc::new(Silent), 50).is_some());
    id
}
