//! Inputs that a port carries: the task is with its worker as soon as it is submitted.

use super::*;
use crate::scheduler::outbox::Message;

#[test]
fn a_direct_task_goes_to_a_starting_worker_only_where_none_has_started() {
    let mut state = State::new(LIMITS, 0);
    let first = state.add_worker(Lane::Script, 0);
    for limited in [
        NewTask {
            timeout: 5,
            ..call(0, Lane::Script)
        },
        NewTask {
            placement: Placement::Key(1),
            ..call(0, Lane::Script)
        },
    ] {
        assert!(state.enqueue_direct(limited, 0).is_none());
    }
    let (worker, given) = state.enqueue_direct(call(1, Lane::Script), 0).unwrap();
    assert_eq!((worker, given.ticket), (first, 1));
    assert!(state.enqueue_direct(call(2, Lane::Script), 0).is_none());

    // It is full, so the next task needs another worker.
    state.enqueue(call(2, Lane::Script), 0);
    let second = state.wakes(true, 0).starts[Lane::Script].unwrap();
    assert!(state.join(first, Arc::new(Silent), 9).is_some());
    assert!(matches!(state.next(first, false, 9), Next::Idle));
    assert_eq!(state.snapshot(9).wait.count, 1);
    let settled = state.ends(first, given.slot, 10);
    assert!(matches!(settled, Some(Message::Settled { ticket: 1, .. })));
    // The second is still starting, but the first has started and would come sooner.
    assert_eq!(taken(&mut state, first, 10), Some((2, 0)));
    assert!(state.enqueue_direct(call(3, Lane::Script), 10).is_none());
    assert!(state.remove_worker(second, 11).is_empty());
}

#[test]
fn a_direct_task_ends_with_the_worker_that_does_not_start() {
    let mut state = State::new(LIMITS, 0);
    let id = state.add_worker(Lane::Script, 0);
    assert!(state.enqueue_direct(call(1, Lane::Script), 0).is_some());
    let messages = state.remove_worker(id, 1);
    assert!(matches!(
        messages.as_slice(),
        [Message::Settled {
            ticket: 1,
            outcome: Outcome::WorkerStart
        }]
    ));
    assert_eq!(state.load(), (0, 0));
}

#[test]
fn a_direct_task_that_is_taken_back_leaves_its_place_in_a_starting_worker() {
    let mut state = State::new(LIMITS, 0);
    let id = state.add_worker(Lane::Script, 0);
    let (_, given) = state.enqueue_direct(call(1, Lane::Script), 0).unwrap();
    assert!(state.undo(id, given.slot, 1).is_none());
    state.enqueue(call(2, Lane::Script), 1);
    assert!(state.wakes(true, 1).starts[Lane::Script].is_none());
    assert!(state.join(id, Arc::new(Silent), 2).is_some());
    assert_eq!(taken(&mut state, id, 2), Some((2, 0)));
}

#[test]
fn a_worker_hears_as_it_joins_that_a_task_which_it_was_given_before_has_been_given_up() {
    let mut state = State::new(
        PoolLimits {
            abort_grace: 10,
            ..LIMITS
        },
        0,
    );
    let id = state.add_worker(Lane::Script, 0);
    let (_, taken) = state
        .enqueue_direct(call(1, Lane::Script), 0)
        .expect("it may have it");
    let given = state.give_up(taken.key, &Outcome::Cancelled, 1);
    assert!(
        matches!(given, Given::Running(None)),
        "there is no bell yet"
    );
    assert_eq!(
        state.next_alarm(),
        None,
        "it has not been told, so its time does not run"
    );
    let joined = state
        .join(id, Arc::new(Silent), 5_000_000)
        .expect("it is known");
    assert_eq!(joined.cancels.len(), 1);
    assert_eq!(
        state.next_alarm(),
        Some(15_000_000),
        "its time to end the task"
    );
}
