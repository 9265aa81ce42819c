//! Decisions, one at a time, at given times.

mod affinity;
mod choices;
mod direct;
mod groups;
mod help;
mod liveness;
mod machine;
mod order;
mod reader;
mod silence;
mod time;
mod wear;
mod world;

use std::sync::Arc;

use super::choose::TURN;
use super::*;
use crate::manner::Manner;
use crate::scheduler::bell::{Bell, Ring};
use crate::scheduler::flow::Flow;
use crate::scheduler::outbox::Message;
use crate::scheduler::payload::Payload;
use crate::scheduler::task::{
    Attachments, Finished, NO_DEADLINE, NO_LIMIT, Outcome, Placement, Taken,
};

#[derive(Debug)]
struct Silent;

impl Bell for Silent {
    fn ring(&self, _: Ring) {}
    fn cancel(&self, _: u32, _: u32) {}
}

const LIMITS: PoolLimits = PoolLimits {
    min_threads: 1,
    max_threads: 2,
    max_queue: usize::MAX,
    concurrency: 1,
    abort_grace: NO_LIMIT,
    start_timeout: NO_LIMIT,
    stall_timeout: NO_LIMIT,
    idle_timeout: NO_LIMIT,
    manner: Manner::USUAL,
    label: String::new(),
};

/// An idle worker of this lane.
fn idle(state: &mut State, lane: Lane) -> WorkerId {
    let id = state.add_worker(lane, 0);
    assert!(state.join(id, Arc::new(Silent), 0).is_some());
    assert!(matches!(state.next(id, false, 0), Next::Idle));
    id
}

fn call(ticket: u32, lane: Lane) -> NewTask {
    NewTask {
        ticket,
        target: 0,
        lane,
        priority: 0,
        timeout: NO_LIMIT,
        queue_timeout: NO_LIMIT,
        deadline: NO_DEADLINE,
        retries: 0,
        placement: Placement::Any,
        group: None,
        payload: Payload::number(0, f64::from(ticket)),
        attachments: None,
        observed: false,
        alone: false,
    }
}

impl State {
    /// When the next alarm is due.
    fn next_alarm(&self) -> Option<u64> {
        self.alarms.next()
    }

    /// The task in this slot of a worker returns.
    fn ends(&mut self, id: WorkerId, slot: u32, now: u64) -> Option<Message> {
        let index = self.workers[id.0].slots[slot as usize]?;
        let finished = Finished {
            slot,
            generation: self.tasks[index].generation,
            outcome: done(),
        };
        self.finish(id, finished, now)
    }
}

fn done() -> Outcome {
    Outcome::Returned(Payload::number(0, 0.0))
}

/// The task that this worker is given, if any: its ticket and slot.
fn taken(state: &mut State, id: WorkerId, now: u64) -> Option<(u32, u32)> {
    match state.next(id, false, now) {
        Next::Run(taken) => Some((taken.ticket, taken.slot)),
        _ => None,
    }
}

/// One place, and an idle worker of each lane: native, script.
fn two_lanes() -> (State, WorkerId, WorkerId) {
    let mut state = State::new(
        PoolLimits {
            max_threads: 1,
            ..LIMITS
        },
        0,
    );
    let [native, script] = Lane::ALL.map(|lane| idle(&mut state, lane));
    (state, native, script)
}

fn add(state: &mut State, lane: Lane, priority: i8, now: u64) {
    let new = NewTask {
        priority,
        ..call(0, lane)
    };
    state.enqueue(new, now);
}

/// The worker ends its task. Returns the lanes that are rung when it gets no other.
fn finish_and_take(state: &mut State, id: WorkerId, now: u64) -> Option<[bool; 2]> {
    state.ends(id, 0, now);
    match state.next(id, false, now) {
        Next::Run(_) => None,
        _ => Some(state.wakes(false, now).rings.0.map(|bell| bell.is_some())),
    }
}

#[test]
fn under_a_backlog_a_place_changes_the_lane_once_a_turn() {
    let (mut state, native, script) = two_lanes();
    for at in 0..40 {
        add(&mut state, Lane::ALL[at % 2], 0, at as u64);
    }
    let mut now = 10 * TURN;
    assert!(state.wakes(false, now).rings[Lane::Native].is_some());
    assert!(matches!(state.next(native, false, now), Next::Run(_)));
    for _ in 0..4 {
        now += TURN / 4;
        assert_eq!(finish_and_take(&mut state, native, now), None);
    }
    now += 1;
    let rung = finish_and_take(&mut state, native, now);
    assert_eq!(rung, Some([false, true]), "the turn is over");
    assert!(matches!(state.next(script, false, now), Next::Run(_)));
    now += TURN / 2;
    assert_eq!(finish_and_take(&mut state, script, now), None);
}

#[test]
fn a_turn_does_not_end_for_a_younger_task() {
    let (mut state, native, _) = two_lanes();
    for at in 0..4 {
        add(&mut state, Lane::Native, 0, at);
    }
    let _ = state.wakes(false, 10);
    assert!(matches!(state.next(native, false, 10), Next::Run(_)));
    add(&mut state, Lane::Script, 0, 20);
    for round in 1..4 {
        assert_eq!(finish_and_take(&mut state, native, round * 2 * TURN), None);
    }
    let rung = finish_and_take(&mut state, native, 8 * TURN);
    assert_eq!(rung, Some([false, true]), "nothing is left in its own lane");
}

#[test]
fn a_better_priority_ends_a_turn() {
    let (mut state, native, _) = two_lanes();
    add(&mut state, Lane::Native, 0, 0);
    add(&mut state, Lane::Native, 0, 0);
    let _ = state.wakes(false, 0);
    assert!(matches!(state.next(native, false, 0), Next::Run(_)));
    add(&mut state, Lane::Script, -1, 5);
    let rung = finish_and_take(&mut state, native, 6);
    assert_eq!(rung, Some([false, true]));
}

fn two_idle() -> (State, [u32; 2]) {
    let mut state = State::new(LIMITS, 0);
    let ids = [0, 1].map(|_| idle(&mut state, Lane::Script).0);
    (state, ids)
}

fn rung(state: &mut State, trusting: bool, now: u64) -> usize {
    let wakes = state.wakes(trusting, now);
    wakes.rings.0.iter().flatten().count()
}

#[test]
fn a_submit_wakes_one_idle_worker_and_none_while_one_is_on_its_way() {
    let (mut state, [_, warmest]) = two_idle();
    for ticket in 0..10 {
        state.enqueue(call(ticket, Lane::Script), 0);
        assert_eq!(rung(&mut state, true, 0), usize::from(ticket == 0));
    }
    assert!(matches!(
        state.next(WorkerId(warmest), false, 0),
        Next::Run(_)
    ));
}

#[test]
fn nobody_is_woken_for_what_a_busy_worker_will_take_sooner() {
    let (mut state, [other, busy]) = two_idle();
    let busy = WorkerId(busy);
    state.enqueue(call(0, Lane::Script), 0);
    assert_eq!(rung(&mut state, true, 0), 1);
    let mut now = 0;
    // A task about which nothing is known may be long.
    let Next::Run(first) = state.next(busy, false, now) else {
        panic!("a task waits")
    };
    state.enqueue(call(1, Lane::Script), now);
    assert_eq!(rung(&mut state, true, now), 1);
    let Next::Run(second) = state.next(WorkerId(other), false, now) else {
        panic!("a task waits")
    };
    state.ends(WorkerId(other), second.slot, 1);
    assert!(matches!(state.next(WorkerId(other), false, 1), Next::Idle));
    state.ends(busy, first.slot, 1);
    // Short tasks: after some of them the busy worker is trusted to keep up.
    let mut rings = Vec::new();
    for ticket in 2..100 {
        state.enqueue(call(ticket, Lane::Script), now);
        let Next::Run(taken) = state.next(busy, false, now) else {
            panic!("a task waits")
        };
        state.enqueue(call(1000, Lane::Script), now);
        rings.push(rung(&mut state, true, now));
        now += 200;
        state.ends(busy, taken.slot, now);
        let Next::Run(taken) = state.next(busy, false, now) else {
            panic!("a task waits")
        };
        state.ends(busy, taken.slot, now);
        if rings.last() == Some(&1) {
            assert!(matches!(
                state.next(WorkerId(other), false, now),
                Next::Idle
            ));
        }
    }
    assert_eq!(rings.iter().rev().take(50).sum::<usize>(), 0, "{rings:?}");
    state.enqueue(call(101, Lane::Script), now);
    let Next::Run(long) = state.next(busy, false, now) else {
        panic!("a task waits")
    };
    state.enqueue(call(50, Lane::Script), now);
    assert_eq!(rung(&mut state, true, now), 0);
    assert_eq!(rung(&mut state, false, now), 1);
    assert!(matches!(
        state.next(WorkerId(other), false, now),
        Next::Run(_)
    ));
    // A long task changes the guess.
    now += 1_000_000;
    state.ends(busy, long.slot, now);
    assert!(matches!(state.next(busy, false, now), Next::Idle));
    state.enqueue(call(51, Lane::Script), now);
    assert_eq!(rung(&mut state, true, now), 1);
}

/// The task that this worker takes now.
fn takes(state: &mut State, id: WorkerId) -> Option<Taken> {
    match state.next(id, false, 0) {
        Next::Run(taken) => Some(taken),
        _ => None,
    }
}

#[test]
fn a_task_that_waits_leaves_its_place_to_the_other_lane_and_has_it_again() {
    let (mut state, native, script) = two_lanes();
    state.enqueue(call(1, Lane::Script), 0);
    let outer = takes(&mut state, script).expect("the place is free");
    state.enqueue(call(2, Lane::Native), 0);
    assert!(takes(&mut state, native).is_none());
    state.set_waits(script, outer.slot, true, 0);
    assert_eq!(state.busy(), 0);
    let inner = takes(&mut state, native).expect("the outer one has left its place");
    assert_eq!((inner.ticket, state.busy()), (2, 1));
    assert!(state.ends(native, inner.slot, 0).is_some());
    state.set_waits(script, outer.slot, false, 0);
    assert_eq!(state.busy(), 1);
    assert!(state.ends(script, outer.slot, 0).is_some());
    assert_eq!((state.busy(), state.lanes[Lane::Script].waiting), (0, 0));
}

#[test]
fn a_worker_whose_tasks_wait_takes_others_in_slots_of_their_own() {
    let (mut state, _, script) = two_lanes();
    let mut outer = Vec::new();
    for ticket in 0..50 {
        state.enqueue(call(ticket, Lane::Script), 0);
        let taken = takes(&mut state, script).expect("all tasks before wait");
        assert!(!outer.contains(&taken.slot));
        state.enqueue(call(99, Lane::Script), 0);
        assert!(takes(&mut state, script).is_none(), "one at a time");
        assert!(state.fail_waiting(Lane::Script, done).len() == 1);
        state.set_waits(script, taken.slot, true, 0);
        outer.push(taken.slot);
    }
    // This task has ended while it waits, and the worker is lost with the other tasks.
    assert!(state.ends(script, outer[7], 0).is_some());
    assert_eq!(state.lanes[Lane::Script].waiting, 49);
    assert_eq!(state.remove_worker(script, 0).len(), 49);
    let lane = &state.lanes[Lane::Script];
    assert_eq!((lane.waiting, lane.running, lane.busy), (0, 0, 0));
}

/// A pool with one place, and a task that waits for another one, which has not begun.
fn one_waits(abort_grace: u32) -> (State, WorkerId, Taken, Key) {
    let (mut state, _, script) = two_lanes();
    state.limits.abort_grace = abort_grace;
    state.enqueue(call(1, Lane::Script), 0);
    let outer = takes(&mut state, script).expect("the place is free");
    let inner = state
        .admit(call(2, Lane::Script), Some(outer.key), false, 0)
        .expect("a nested one always has room");
    state.set_waits(script, outer.slot, true, 0);
    assert!(state.workers[script.0].has_room());
    (state, script, outer, inner)
}

#[test]
fn a_worker_takes_no_task_in_the_place_of_one_that_was_given_up_with_which_it_may_be_ended() {
    let (mut state, script, outer, inner) = one_waits(0);
    state.give_up(outer.key, &Outcome::Cancelled, 0);
    state.give_up(inner, &Outcome::Cancelled, 0);
    state.enqueue(call(3, Lane::Script), 0);
    assert!(takes(&mut state, script).is_none());
    assert!(state.enqueue_direct(call(4, Lane::Script), 0).is_none());
    state.check();
    // It does not end by itself, so its isolate is ended, with no other task in it.
    let effects = state.ring_alarms(64, 1_000_000);
    assert_eq!(effects.controls.len(), 1, "it is to be ended");
    assert!(state.remove_worker(script, 1_000_000).is_empty());
}

#[test]
fn a_worker_takes_the_next_task_once_one_that_was_given_up_while_it_waited_has_ended() {
    let (mut state, script, outer, inner) = one_waits(NO_LIMIT);
    state.give_up(outer.key, &Outcome::Cancelled, 0);
    state.give_up(inner, &Outcome::Cancelled, 0);
    state.enqueue(call(3, Lane::Script), 0);
    // The task hears late that the other one has ended, and calls a third.
    state.set_waits(script, outer.slot, false, 0);
    state.set_waits(script, outer.slot, true, 0);
    assert!(takes(&mut state, script).is_none());
    assert!(state.ends(script, outer.slot, 0).is_none(), "nobody waits");
    assert_eq!(takes(&mut state, script).map(|taken| taken.ticket), Some(3));
    state.check();
}

#[test]
fn a_worker_whose_tasks_wait_is_not_retired_for_being_idle() {
    let (mut state, _, script) = two_lanes();
    state.enqueue(call(1, Lane::Script), 0);
    let outer = takes(&mut state, script).expect("the place is free");
    state.set_waits(script, outer.slot, true, 0);
    assert!(takes(&mut state, script).is_none());
    state.limits.min_threads = 0;
    assert!(state.reap(Lane::Script, 0, 1).is_empty());
    assert!(state.resize(0, 1, 0).is_empty());
    state.enqueue(call(2, Lane::Script), 0);
    assert!(takes(&mut state, script).is_some());
}

#[test]
fn a_task_that_another_waits_for_has_its_place_in_the_order() {
    let (mut state, _, script) = two_lanes();
    let outer = state.enqueue(call(1, Lane::Script), 0);
    assert_eq!(state.standing(outer), Some((0, 0)));
    state.enqueue(call(2, Lane::Script), 1_000);
    let first = takes(&mut state, script).expect("the place is free");
    state.enqueue_as_of(
        NewTask {
            priority: -1,
            ..call(3, Lane::Script)
        },
        0,
        u64::MAX / 2,
    );
    state.set_waits(script, first.slot, true, 0);
    assert_eq!(takes(&mut state, script).map(|taken| taken.ticket), Some(3));
}
