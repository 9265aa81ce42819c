//! Native tasks that wait for the readers of their streams.

use super::*;

/// A stream with room for this many chunks.
fn stream(ticket: u32, room: u32) -> NewTask {
    NewTask {
        attachments: Some(Box::new(Attachments {
            flow: Some(Arc::new(Flow::new(room))),
            ..Attachments::default()
        })),
        ..call(ticket, Lane::Native)
    }
}

fn pool_of(max_threads: u32) -> State {
    let limits = PoolLimits {
        max_threads,
        ..LIMITS
    };
    State::new(limits, 0)
}

/// The task that this worker takes.
fn takes(state: &mut State, id: WorkerId, now: u64) -> Option<Taken> {
    let next = state.next(id, false, now);
    state.check();
    match next {
        Next::Run(taken) => Some(taken),
        _ => None,
    }
}

/// A worker with a stream, whose reader has no room.
fn full(state: &mut State, ticket: u32) -> (WorkerId, Taken) {
    let id = idle(state, Lane::Native);
    state.enqueue(stream(ticket, 1), u64::from(ticket));
    let taken = takes(state, id, 0).expect("the place is free");
    assert!(state.tasks[taken.key.index].flow().unwrap().take_room(1));
    (id, taken)
}

/// As [`full`], and the task has left its place.
fn waiting(state: &mut State, ticket: u32) -> (WorkerId, Taken) {
    let (id, taken) = full(state, ticket);
    assert_eq!(state.wait_for_reader(id, taken.slot, 0), Reading::Waits);
    state.check();
    (id, taken)
}

#[test]
fn a_stream_that_waits_leaves_its_place_and_has_it_again_once_there_is_one() {
    let mut state = pool_of(1);
    let (producer, taken) = waiting(&mut state, 1);
    assert_eq!(state.busy(), 0);
    state.enqueue(call(2, Lane::Native), 5);
    let wakes = state.wakes(false, 5);
    let other = wakes.starts[Lane::Native].expect("a thread more, as one sleeps");
    assert!(state.join(other, Arc::new(Silent), 5).is_some());
    let second = takes(&mut state, other, 5).expect("the place was left to it");
    state.has_read(taken.key, 1);
    assert!(state.wakes(false, 6).back.is_none(), "no place is free");
    assert_eq!(state.reading(producer, taken.slot), Reading::Waits);
    assert!(state.ends(other, second.slot, 7).is_some());
    assert_eq!(state.wakes(false, 7).back.map(|bells| bells.len()), Some(1));
    assert_eq!(state.reading(producer, taken.slot), Reading::HasRoom);
    state.check();
    assert_eq!((state.busy(), state.returning.len()), (1, 0));
    assert!(
        matches!(state.next(other, false, 8), Next::Retire),
        "too many"
    );
    assert!(state.ends(producer, taken.slot, 9).is_some());
}

#[test]
fn a_stream_with_room_does_not_wait() {
    let mut state = pool_of(1);
    let (id, taken) = full(&mut state, 1);
    state.has_read(taken.key, 1);
    assert_eq!(state.wait_for_reader(id, taken.slot, 0), Reading::HasRoom);
    assert_eq!(state.busy(), 1);
    // What is no stream, or no task, waits for nobody.
    state.give_up(taken.key, &Outcome::Cancelled, 0);
    assert_eq!(state.wait_for_reader(id, taken.slot, 0), Reading::GivenUp);
    assert_eq!(state.wait_for_reader(id, 7, 0), Reading::GivenUp);
}

#[test]
fn a_stream_that_is_given_up_while_it_waits_is_told() {
    let mut state = pool_of(1);
    let (id, taken) = waiting(&mut state, 1);
    let given = state.give_up(taken.key, &Outcome::Cancelled, 0);
    assert!(matches!(given, Given::Running(Some(_))));
    state.check();
    assert_eq!(state.reading(id, taken.slot), Reading::GivenUp);
    state.has_read(taken.key, 1);
    assert!(state.wakes(false, 1).back.is_none());
    assert!(state.ends(id, taken.slot, 2).is_none());
    assert_eq!(state.busy(), 0);
}

#[test]
fn of_those_that_return_and_those_that_wait_the_one_that_is_due_first_has_the_place() {
    let mut state = pool_of(1);
    let (first, one) = waiting(&mut state, 1);
    let (_, two) = waiting(&mut state, 2);
    let (third, three) = full(&mut state, 3);
    for taken in [&two, &one] {
        state.has_read(taken.key, 1);
    }
    state.enqueue(
        NewTask {
            priority: 5,
            ..call(4, Lane::Native)
        },
        3,
    );
    assert!(state.wakes(false, 3).back.is_none(), "the place is taken");
    // The thread that has the place leaves it to the stream that has waited longest.
    assert!(state.ends(third, three.slot, 4).is_some());
    assert!(takes(&mut state, third, 4).is_none());
    assert_eq!(state.wakes(false, 4).back.map(|bells| bells.len()), Some(1));
    assert_eq!(state.reading(first, one.slot), Reading::HasRoom);
    assert_eq!(state.busy(), 1);
    // But a task of better priority goes before the second.
    state.enqueue(
        NewTask {
            priority: -5,
            ..call(5, Lane::Native)
        },
        5,
    );
    assert!(state.ends(first, one.slot, 6).is_some());
    assert!(matches!(state.next(first, false, 6), Next::Retire));
    assert_eq!(
        takes(&mut state, third, 6).map(|taken| taken.ticket),
        Some(5)
    );
    assert!(state.wakes(false, 6).back.is_none());
}

#[test]
fn an_urgent_task_that_waits_has_a_place_that_comes_free_before_one_that_returns() {
    let mut state = pool_of(2);
    let (_, one) = waiting(&mut state, 1);
    let (second, two) = full(&mut state, 2);
    let (third, _) = full(&mut state, 3);
    state.has_read(one.key, 1);
    state.enqueue(
        NewTask {
            priority: -5,
            ..call(4, Lane::Native)
        },
        1,
    );
    assert_eq!(state.wait_for_reader(second, two.slot, 2), Reading::Waits);
    let wakes = state.wakes(false, 2);
    assert!(wakes.back.is_none());
    let free = wakes.starts[Lane::Native].expect("a thread for the urgent one");
    assert!(state.join(free, Arc::new(Silent), 2).is_some());
    assert_eq!(
        takes(&mut state, free, 2).map(|taken| taken.ticket),
        Some(4)
    );
    // Where no thread can be had, those that need none go on.
    assert!(state.ends(third, 0, 3).is_some());
    state.enqueue(
        NewTask {
            priority: -5,
            ..call(5, Lane::Native)
        },
        3,
    );
    assert!(state.go_on(true, 3).is_empty());
    assert_eq!(state.go_on(false, 3).len(), 1);
    state.check();
}

#[test]
fn the_time_that_a_stream_waits_is_no_run_time() {
    let mut state = pool_of(1);
    let (id, taken) = waiting(&mut state, 1);
    state.has_read(taken.key, 1);
    assert!(state.wakes(false, 1_000_000).back.is_some());
    assert!(state.ends(id, taken.slot, 1_000_300).is_some());
    assert_eq!(state.workers[id.0].busy_ns, 300);
    state.enqueue(call(2, Lane::Native), 1_000_300);
    let next = takes(&mut state, id, 1_000_300).expect("the place is free");
    assert!(state.ends(id, next.slot, 1_000_400).is_some());
    assert_eq!(state.workers[id.0].busy_ns, 400);
}

#[test]
fn a_stream_goes_on_in_a_pool_that_is_paused_or_closed() {
    let mut state = pool_of(1);
    let (id, taken) = waiting(&mut state, 1);
    state.pause(true);
    state.enqueue(
        NewTask {
            priority: -9,
            ..call(2, Lane::Native)
        },
        0,
    );
    state.has_read(taken.key, 1);
    assert!(state.wakes(false, 1).back.is_some());
    assert!(state.tasks[taken.key.index].flow().unwrap().take_room(1));
    assert_eq!(state.wait_for_reader(id, taken.slot, 2), Reading::Waits);
    state.fail_all_waiting(done);
    assert!(state.close(3).is_empty());
    state.has_read(taken.key, 1);
    assert!(state.wakes(false, 4).back.is_some());
    assert!(state.ends(id, taken.slot, 5).is_some());
    assert!(matches!(state.next(id, false, 5), Next::Retire));
}

#[test]
fn a_stream_of_a_group_goes_on_when_the_group_may_run_one() {
    let mut state = pool_of(2);
    let one = GroupLimits {
        weight: 1.0,
        max_running: 1,
    };
    state.configure_group("one".into(), one);
    let of_group = |new: NewTask| NewTask {
        group: Some("one".into()),
        ..new
    };
    let id = idle(&mut state, Lane::Native);
    let other = idle(&mut state, Lane::Native);
    state.enqueue(of_group(stream(1, 1)), 0);
    let taken = takes(&mut state, id, 0).expect("the group may run one");
    assert!(state.tasks[taken.key.index].flow().unwrap().take_room(1));
    assert_eq!(state.wait_for_reader(id, taken.slot, 0), Reading::Waits);
    state.enqueue(of_group(call(2, Lane::Native)), 0);
    let second = takes(&mut state, other, 0).expect("the first has left its place");
    state.has_read(taken.key, 1);
    assert!(
        state.wakes(false, 1).back.is_none(),
        "one of the group runs"
    );
    assert!(state.ends(other, second.slot, 2).is_some());
    assert!(state.wakes(false, 2).back.is_some());
    assert!(state.ends(id, taken.slot, 3).is_some());
    assert_eq!(state.waiting.remembered_groups(), 0);
}

#[test]
#[cfg(unix)]
fn a_stream_that_waits_gives_its_token_back_and_needs_one_to_go_on() {
    let mut state = pool_of(4);
    let (share, budget) = Share::of_tokens(1);
    state.share = share;
    let (_, _) = full(&mut state, 1);
    let (id, two) = full(&mut state, 2);
    assert_eq!(budget.free(), 0);
    assert_eq!(state.wait_for_reader(id, two.slot, 0), Reading::Waits);
    let _ = state.wakes(false, 0);
    assert_eq!(budget.free(), 1);
    assert!(budget.try_acquire(), "another process takes it");
    state.has_read(two.key, 1);
    let wakes = state.wakes(false, 1);
    assert!(
        wakes.back.is_none() && wakes.starved,
        "it waits for a token"
    );
    budget.release();
    assert!(state.wakes(false, 2).back.is_some());
    assert_eq!((budget.free(), state.busy()), (0, 2));
}
