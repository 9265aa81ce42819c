//! Workers that were rung and do not come.

use super::*;
use crate::scheduler::outbox::Control;

const MS: u64 = 1_000_000;
/// Nanoseconds that a worker gets before another one is rung.
const PATIENCE: u64 = 2 * MS;

/// A pool of one script worker, with a stall timeout of 5 s.
fn one() -> (State, WorkerId) {
    let limits = PoolLimits {
        max_threads: 1,
        abort_grace: 100,
        stall_timeout: 5_000,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let id = idle(&mut state, Lane::Script);
    (state, id)
}

/// A task comes at `now`, the worker is rung for it, and does not come.
fn ring_in_vain(state: &mut State, ticket: u32, now: u64) -> Key {
    let key = state.enqueue(call(ticket, Lane::Script), now);
    assert!(state.wakes(true, now).rings[Lane::Script].is_some());
    state.ring_alarms(64, now + PATIENCE + MS);
    key
}

/// Lets time pass up to `to`. Meanwhile the worker's thread is in this state and uses this share of a core. Returns
/// when the owner was asked to end the worker.
fn pass(state: &mut State, from: u64, to: u64, letter: char, share: f64) -> Option<u64> {
    let mut now = from;
    loop {
        now = state.next_alarm()?.max(now);
        if now > to {
            return None;
        }
        for quiet in state.ring_alarms(64, now).quiet {
            let cpu = ((now / MS) as f64 * share) as u64;
            let asked = state.looked_at(quiet, Some((letter, cpu)), now);
            state.check();
            if let Some(Control::Stalled(id)) = asked {
                assert_eq!(id, quiet.id);
                return Some(now);
            }
        }
    }
}

fn told(state: &State, id: WorkerId, now: u64) -> &'static str {
    let workers = state.snapshot(now).workers;
    let found = workers.iter().find(|worker| worker.id == id);
    found.expect("it is there").state
}

#[test]
fn one_that_does_not_come_is_unresponsive_after_a_second_and_another_is_started() {
    let (mut state, id) = one();
    ring_in_vain(&mut state, 1, 0);
    assert!(state.wakes(false, PATIENCE).starts[Lane::Script].is_none());
    assert_eq!(told(&state, id, 999 * MS), "idle");
    assert_eq!(told(&state, id, 1_000 * MS), "unresponsive");
    assert_eq!(pass(&mut state, 0, 1_001 * MS, 'R', 1.0), None);
    let other = state.wakes(false, 1_001 * MS).starts[Lane::Script];
    let other = other.expect("another is started");
    assert!(state.join(other, Arc::new(Silent), 1_100 * MS).is_some());
    assert_eq!(taken(&mut state, other, 1_100 * MS), Some((1, 0)));
    assert!(
        state.ready_ids(Lane::Script) == [other],
        "it is not ready for a broadcast"
    );
    state.check();
}

#[test]
fn it_is_ended_after_the_stall_timeout_and_takes_no_more_tasks() {
    let (mut state, id) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'R', 1.0), Some(5_000 * MS));
    assert_eq!(state.end_stalled(id, 5_010 * MS), Some(5_010 * MS));
    assert!(matches!(state.next(id, false, 5_020 * MS), Next::Retire));
    state.check();
    state.remove_worker(id, 5_030 * MS);
    state.check();
}

#[test]
fn one_that_comes_is_not_ended_and_nothing_of_it_is_left() {
    let (mut state, id) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 4_900 * MS, 'R', 1.0), None);
    assert_eq!(taken(&mut state, id, 4_950 * MS), Some((1, 0)));
    state.check();
    assert_eq!(told(&state, id, 4_960 * MS), "busy");
    assert_eq!(state.end_stalled(id, 4_960 * MS), None);
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'R', 1.0), None);
    state.ends(id, 0, 4_970 * MS);
    assert!(matches!(state.next(id, false, 4_980 * MS), Next::Idle));
    state.check();
}

#[test]
fn one_that_comes_when_another_has_its_place_is_too_many() {
    let (mut state, id) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 1_001 * MS, 'R', 1.0), None);
    let other = state.wakes(false, 1_001 * MS).starts[Lane::Script];
    let other = other.expect("another is started");
    assert!(state.join(other, Arc::new(Silent), 1_100 * MS).is_some());
    assert!(taken(&mut state, other, 1_100 * MS).is_some());
    assert!(matches!(state.next(id, false, 1_200 * MS), Next::Retire));
    state.check();
}

#[test]
fn a_stopped_thread_is_never_ended_and_one_that_gets_little_cpu_late() {
    let (mut state, _) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'T', 0.0), None);
    let (mut state, _) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(
        pass(&mut state, 0, 60_000 * MS, 'R', 0.1),
        Some(20_000 * MS)
    );
}

#[test]
fn an_inspector_is_an_excuse_that_starts_the_count_again() {
    let (mut state, id) = one();
    ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'R', 1.0), Some(5_000 * MS));
    state.excuse(id, 5_100 * MS);
    state.check();
    let again = pass(&mut state, 5_100 * MS, 60_000 * MS, 'R', 1.0);
    assert!(
        again.is_some_and(|at| (10_100 * MS..10_400 * MS).contains(&at)),
        "{again:?}"
    );
    assert_eq!(
        state.end_stalled(id, 10_400 * MS),
        Some(10_400 * MS),
        "it has been silent since the ring"
    );
}

#[test]
fn a_task_that_waits_for_it_alone_and_is_given_up_ends_it_after_the_grace() {
    let (mut state, _) = one();
    let key = ring_in_vain(&mut state, 1, 0);
    assert_eq!(pass(&mut state, 0, 300 * MS, 'R', 1.0), None);
    state.give_up(key, &Outcome::Cancelled, 300 * MS);
    assert_eq!(
        pass(&mut state, 300 * MS, 60_000 * MS, 'R', 1.0),
        Some(400 * MS)
    );
}

#[test]
fn a_task_that_others_could_take_does_not_end_it() {
    let limits = PoolLimits {
        abort_grace: 100,
        stall_timeout: 5_000,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let [_, _] = [0; 2].map(|_| idle(&mut state, Lane::Script));
    let key = ring_in_vain(&mut state, 1, 0);
    state.give_up(key, &Outcome::Cancelled, 10 * MS);
    assert_eq!(pass(&mut state, 10 * MS, 4_999 * MS, 'R', 1.0), None);
}

#[test]
fn tasks_of_its_keys_go_elsewhere_once_it_is_not_counted_on() {
    let (mut state, id) = one();
    let keyed = |ticket| NewTask {
        placement: Placement::Key(7),
        ..call(ticket, Lane::Script)
    };
    state.enqueue(keyed(1), 0);
    assert!(state.wakes(true, 0).bound.is_some());
    state.ring_alarms(64, PATIENCE + MS);
    assert_eq!(pass(&mut state, 0, 1_001 * MS, 'R', 1.0), None);
    let wakes = state.wakes(false, 1_001 * MS);
    let other = wakes.starts[Lane::Script].expect("another is started");
    assert_ne!(other, id);
    assert!(state.join(other, Arc::new(Silent), 1_100 * MS).is_some());
    assert_eq!(taken(&mut state, other, 1_100 * MS), Some((1, 0)));
    state.check();
}

#[test]
fn one_that_runs_a_task_is_never_watched() {
    let limits = PoolLimits {
        max_threads: 1,
        concurrency: 2,
        stall_timeout: 5_000,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let id = idle(&mut state, Lane::Script);
    state.enqueue(call(1, Lane::Script), 0);
    let _ = state.wakes(true, 0);
    assert!(taken(&mut state, id, MS).is_some());
    assert!(matches!(state.next(id, false, MS), Next::Idle));
    state.enqueue(call(2, Lane::Script), 2 * MS);
    assert!(state.wakes(false, 2 * MS).rings[Lane::Script].is_some());
    assert_eq!(pass(&mut state, 2 * MS, 60_000 * MS, 'R', 1.0), None);
    assert_eq!(told(&state, id, 60_000 * MS), "busy");
}

#[test]
fn a_task_that_was_sent_to_it_and_has_not_arrived_is_none_that_it_runs() {
    let (mut state, id) = one();
    assert!(state.enqueue_direct(call(1, Lane::Script), 0).is_some());
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'R', 1.0), Some(5_000 * MS));
    assert_eq!(told(&state, id, 5_000 * MS), "unresponsive");
    let (mut state, id) = one();
    assert!(state.enqueue_direct(call(1, Lane::Script), 0).is_some());
    assert_eq!(pass(&mut state, 0, 2_000 * MS, 'R', 1.0), None);
    state.has_seen(id);
    state.check();
    assert_eq!(pass(&mut state, 2_000 * MS, 60_000 * MS, 'R', 1.0), None);
    assert_eq!(told(&state, id, 60_000 * MS), "busy");
}

#[test]
fn one_that_is_told_to_end_and_does_not_come_is_ended_too() {
    let (mut state, id) = one();
    assert_eq!(state.resize(0, 1, 0).len(), 0);
    assert!(state.retire(id.0, 0).is_some());
    state.check();
    assert_eq!(pass(&mut state, 0, 60_000 * MS, 'S', 0.0), Some(5_000 * MS));
    assert_eq!(state.end_stalled(id, 5_000 * MS), Some(5_000 * MS));
    state.check();
}
