//! Tasks that are for one worker.

use super::*;
use crate::scheduler::outbox::Message;

fn keyed(ticket: u32, key: u16) -> NewTask {
    NewTask {
        placement: Placement::Key(key),
        ..call(ticket, Lane::Script)
    }
}

fn pinned(ticket: u32, id: WorkerId) -> NewTask {
    NewTask {
        placement: Placement::Worker(id),
        ..call(ticket, Lane::Script)
    }
}

fn pool(workers: usize) -> (State, Vec<WorkerId>) {
    let limits = PoolLimits {
        max_threads: 3,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let ids = (0..workers)
        .map(|_| idle(&mut state, Lane::Script))
        .collect();
    (state, ids)
}

/// The number of workers that are rung.
fn rings(state: &mut State) -> usize {
    let wakes = state.wakes(false, 0);
    wakes.bound.as_ref().map_or(0, |bells| bells.len()) + wakes.rings.0.iter().flatten().count()
}

#[test]
fn tasks_with_a_key_run_in_order_on_the_worker_that_had_the_first() {
    let (mut state, ids) = pool(2);
    for ticket in 0..3 {
        state.enqueue(keyed(ticket, 7), 0);
    }
    state.enqueue(keyed(10, 8), 0);
    assert_eq!(rings(&mut state), 2, "each key has an idle worker");
    let [first, second] = [ids[1], ids[0]];
    assert_eq!(taken(&mut state, second, 0), Some((10, 0)));
    state.ends(second, 0, 0);
    assert_eq!(taken(&mut state, second, 0), None, "the rest is not for it");
    for ticket in 0..3 {
        assert_eq!(taken(&mut state, first, 0), Some((ticket, 0)));
        state.ends(first, 0, 0);
    }
    assert_eq!(state.load(), (0, 0));
}

#[test]
fn a_key_may_start_a_worker_and_then_goes_to_the_one_with_the_least_to_do() {
    let (mut state, ids) = pool(0);
    assert!(ids.is_empty());
    let started: Vec<_> = (0..4)
        .filter_map(|key| {
            state.enqueue(keyed(u32::from(key), key + 1), 0);
            state.wakes(false, 0).starts[Lane::Script]
        })
        .collect();
    assert_eq!(started.len(), 3, "three is the most");
    for &id in &started {
        assert!(state.join(id, Arc::new(Silent), 0).is_some());
    }
    let mut got: Vec<_> = started
        .iter()
        .map(|&id| taken(&mut state, id, 0).map(|(ticket, _)| ticket))
        .collect();
    got.sort_unstable();
    assert_eq!(got, [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_worker_takes_what_is_due_first_of_its_own_and_what_is_for_all() {
    let (mut state, ids) = pool(1);
    state.enqueue(keyed(0, 1), 0);
    state.enqueue(call(1, Lane::Script), 1);
    state.enqueue(keyed(2, 1), 2);
    let urgent = NewTask {
        priority: -3,
        ..call(3, Lane::Script)
    };
    state.enqueue(urgent, 3);
    let order: Vec<_> = (0..4)
        .map(|_| {
            let (ticket, slot) = taken(&mut state, ids[0], 4).unwrap();
            state.ends(ids[0], slot, 4);
            ticket
        })
        .collect();
    assert_eq!(order, [3, 0, 1, 2]);
}

#[test]
fn when_a_worker_goes_its_tasks_go_to_another_and_stay_together() {
    let (mut state, ids) = pool(2);
    state.enqueue(keyed(0, 5), 0);
    assert_eq!(taken(&mut state, ids[1], 0), Some((0, 0)));
    for ticket in 1..4 {
        state.enqueue(keyed(ticket, 5), 0);
    }
    assert_eq!(taken(&mut state, ids[0], 0), None);
    let messages = state.remove_worker(ids[1], 0);
    assert_eq!(messages.len(), 1, "only what ran is lost");
    assert_eq!(rings(&mut state), 1);
    for ticket in 1..4 {
        assert_eq!(taken(&mut state, ids[0], 0), Some((ticket, 0)));
        state.ends(ids[0], 0, 0);
    }
    // The same id now names another worker.
    let again = idle(&mut state, Lane::Script);
    assert_eq!(again, ids[1]);
    state.enqueue(keyed(9, 5), 0);
    assert_eq!(taken(&mut state, again, 0), None);
    assert_eq!(taken(&mut state, ids[0], 0), Some((9, 0)));
}

#[test]
fn a_bound_task_that_is_given_up_leaves_its_line() {
    let (mut state, ids) = pool(1);
    state.enqueue(keyed(0, 5), 0);
    assert!(taken(&mut state, ids[0], 0).is_some());
    let key = state.enqueue(keyed(1, 5), 0);
    let last = state.enqueue(keyed(2, 5), 0);
    assert!(matches!(
        state.give_up(key, &Outcome::Cancelled, 0),
        Given::Waiting
    ));
    assert_eq!(state.load(), (1, 1));
    assert!(matches!(
        state.give_up(last, &Outcome::Cancelled, 0),
        Given::Waiting
    ));
    assert_eq!(state.load(), (0, 1));
    state.enqueue(keyed(3, 5), 0);
    let failed = state.fail_waiting(Lane::Script, || Outcome::Cancelled);
    assert_eq!((failed.len(), state.load()), (1, (0, 1)));
}

#[test]
fn an_idle_worker_gets_the_only_place_for_its_own_task_though_others_have_work() {
    let limits = PoolLimits {
        max_threads: 1,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let native = idle(&mut state, Lane::Native);
    let script = idle(&mut state, Lane::Script);
    for at in 0..10 {
        state.enqueue(call(100 + at, Lane::Native), 0);
    }
    assert!(taken(&mut state, native, 0).is_some());
    state.enqueue(keyed(1, 3), 1);
    assert_eq!(rings(&mut state), 0, "there is no place");
    // The lane's other tasks came first, but no priority lasts for ever.
    let urgent = NewTask {
        priority: -1,
        ..keyed(2, 3)
    };
    state.enqueue(urgent, 1);
    state.ends(native, 0, 2);
    assert_eq!(taken(&mut state, native, 2), None);
    assert_eq!(rings(&mut state), 1);
    assert_eq!(taken(&mut state, script, 2), Some((2, 0)));
}

#[test]
fn a_pinned_task_runs_before_its_worker_retires_or_ends_with_it() {
    let (mut state, ids) = pool(2);
    for &id in &ids {
        state.enqueue(call(0, Lane::Script), 0);
        assert!(taken(&mut state, id, 0).is_some());
        state.enqueue(pinned(10 + id.0, id), 0);
        assert!(state.retire(id.0, 0).is_none());
        state.ends(id, 0, 0);
    }
    let stays = ids[0];
    assert_eq!(taken(&mut state, stays, 0), Some((10 + stays.0, 0)));
    state.ends(stays, 0, 0);
    assert!(matches!(state.next(stays, false, 0), Next::Retire));
    let messages = state.remove_worker(ids[1], 0);
    assert!(matches!(
        messages[..],
        [Message::Settled {
            outcome: Outcome::WorkerGone { attempts: 0, .. },
            ..
        }]
    ));
    assert_eq!(state.load(), (0, 0));
}

#[test]
fn a_worker_that_spins_is_told_of_its_own_task() {
    let (mut state, ids) = pool(1);
    state.enter(ids[0].0, crate::scheduler::worker::WorkerState::Spinning);
    assert!(!state.hint(Lane::Script));
    state.enqueue(keyed(1, 1), 0);
    assert!(state.hint(Lane::Script));
    assert_eq!(taken(&mut state, ids[0], 0), Some((1, 0)));
    assert!(!state.hint(Lane::Script));
}

#[test]
fn what_waits_in_a_lane_is_found_whatever_waits_for_workers_of_the_other() {
    let mut state = State::new(
        PoolLimits {
            max_threads: 9,
            ..LIMITS
        },
        0,
    );
    state.pause(true);
    for ticket in 0..8 {
        let id = idle(&mut state, Lane::Native);
        let new = NewTask {
            lane: Lane::Native,
            ..pinned(ticket, id)
        };
        state.enqueue(new, 0);
    }
    let script = idle(&mut state, Lane::Script);
    state.enqueue(pinned(8, script), 0);
    let rejected = state.fail_waiting(Lane::Script, || Outcome::WorkerStart);
    assert!(matches!(rejected[..], [Message::Settled { ticket: 8, .. }]));
    assert_eq!(state.load(), (8, 0));
    assert_eq!(
        state
            .fail_waiting(Lane::Native, || Outcome::Cancelled)
            .len(),
        8
    );
}
