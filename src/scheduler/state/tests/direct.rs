//! Tasks that are given to a worker by their submission.

use super::*;
use crate::scheduler::outbox::Message;

#[test]
fn a_direct_task_goes_to_a_starting_worker_only_where_none_has_started() {
    let mut state = State::new(LIMITS, 0);
    let first = state.add_worker(Lane::Script, 0);
    let limited = NewTask {
        timeout: 5,
        ..call(0, Lane::Script)
    };
    assert!(state.enqueue_direct(limited, 0).is_none());
    let (worker, taken) = state.enqueue_direct(call(1, Lane::Script), 0).unwrap();
    assert_eq!((worker, taken.ticket), (first, 1));
    assert!(state.enqueue_direct(call(2, Lane::Script), 0).is_none());

    // It is full, so the next task needs another worker.
    state.enqueue(call(2, Lane::Script), 0);
    let second = state.wakes(true, 0).starts[Lane::Script].unwrap();
    assert!(state.join(first, Arc::new(Silent), 9));
    assert!(matches!(state.next(first, false, 9), Next::Idle));
    assert_eq!(state.snapshot(9).wait.count, 1);
    assert!(matches!(
        state.finish(
            first,
            taken.slot,
            Outcome::Returned(Payload::number(0, 0.0)),
            10
        ),
        Some(Message::Settled { ticket: 1, .. })
    ));
    // The second is still starting; the first has started and would be asked by the queue.
    assert!(matches!(state.next(first, false, 10), Next::Run(_)));
    assert!(state.enqueue_direct(call(3, Lane::Script), 10).is_none());
    assert!(state.remove_worker(second, 10).is_empty());
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
