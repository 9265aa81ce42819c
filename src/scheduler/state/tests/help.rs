//! Which workers help with a running task, and when helpers leave.

use std::ffi::c_void;

use super::*;
use crate::scheduler::job::Job;
use crate::sync::{AtomicU32, Ordering::Relaxed};

static NEVER: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn nothing(_: *const c_void, _: usize) -> u32 {
    0
}

/// A job with more chunks than are ever run.
pub(super) fn a_job() -> Arc<Job> {
    // SAFETY: `nothing` takes anything, and the flag is there for ever.
    Arc::new(unsafe { Job::new(usize::MAX / 2, std::ptr::null(), nothing, &NEVER) })
}

/// A pool with `max_threads` places, a native worker that runs a task and offers chunks, and idle native workers.
fn offering(max_threads: u32, idle_workers: usize) -> (State, Arc<Job>, Vec<WorkerId>) {
    let limits = PoolLimits {
        max_threads,
        ..LIMITS
    };
    let mut state = State::new(limits, 0);
    let caller = idle(&mut state, Lane::Native);
    add(&mut state, Lane::Native, 0, 0);
    assert!(taken(&mut state, caller, 0).is_some());
    let helpers = (0..idle_workers)
        .map(|_| idle(&mut state, Lane::Native))
        .collect();
    let job = a_job();
    assert_eq!(state.offer(caller, &job, u32::MAX), max_threads > 1);
    (state, job, helpers)
}

fn helps(state: &mut State, id: WorkerId, now: u64) -> Option<Help> {
    let next = state.next(id, false, now);
    state.check();
    match next {
        Next::Help(help) => Some(help),
        _ => None,
    }
}

fn rung(state: &mut State, lane: Lane, now: u64) -> bool {
    state.wakes(false, now).rings[lane].is_some()
}

fn is_told(help: &Help) -> bool {
    help.leave.load(Relaxed) != 0
}

fn leaves(state: &mut State, id: WorkerId, help: &Help, now: u64) {
    state.end_help(id, false, now);
    help.job.leave();
}

#[test]
fn an_idle_worker_is_rung_for_chunks_and_has_a_place_while_it_helps() {
    let (mut state, _, helpers) = offering(2, 1);
    assert!(rung(&mut state, Lane::Native, 0));
    let help = helps(&mut state, helpers[0], 0).expect("there are chunks");
    assert_eq!(state.busy(), 2);
    assert!(!rung(&mut state, Lane::Native, 0));
    leaves(&mut state, helpers[0], &help, 10);
    assert_eq!(state.busy(), 1);
}

#[test]
fn a_worker_is_started_for_chunks_where_none_is_idle() {
    let (mut state, ..) = offering(2, 0);
    assert!(state.wakes(false, 0).starts[Lane::Native].is_some());
    assert!(
        state.wakes(false, 0).starts[Lane::Native].is_none(),
        "one at a time"
    );
}

#[test]
fn no_more_help_than_there_are_places() {
    let (mut state, _, helpers) = offering(3, 2);
    let isolate = idle(&mut state, Lane::Script);
    add(&mut state, Lane::Script, 0, 0);
    assert!(taken(&mut state, isolate, 0).is_some());
    let found = helpers.iter().filter_map(|&id| helps(&mut state, id, 0));
    assert_eq!(found.count(), 1);
    assert_eq!(state.busy(), 3);
    let (mut alone, ..) = offering(1, 0);
    let wakes = alone.wakes(false, 0);
    assert!(wakes.rings[Lane::Native].is_none() && wakes.starts[Lane::Native].is_none());
}

#[test]
fn nobody_comes_for_chunks_that_were_withdrawn() {
    let (mut state, job, helpers) = offering(2, 1);
    assert!(rung(&mut state, Lane::Native, 0));
    state.withdraw_offer(&job);
    assert!(helps(&mut state, helpers[0], 0).is_none());
}

#[test]
fn a_native_task_that_is_due_has_the_place_of_a_helper() {
    let (mut state, _, helpers) = offering(2, 1);
    let help = helps(&mut state, helpers[0], 0).unwrap();
    assert!(!is_told(&help));
    add(&mut state, Lane::Native, 19, 1);
    assert!(!rung(&mut state, Lane::Native, 1), "there is no place yet");
    assert!(is_told(&help));
    leaves(&mut state, helpers[0], &help, 2);
    assert!(taken(&mut state, helpers[0], 2).is_some());
}

#[test]
fn a_script_task_that_is_due_has_the_place_of_a_helper() {
    let (mut state, _, helpers) = offering(2, 1);
    let isolate = idle(&mut state, Lane::Script);
    let help = helps(&mut state, helpers[0], 0).unwrap();
    add(&mut state, Lane::Script, 0, 1);
    assert!(!rung(&mut state, Lane::Script, 1));
    assert!(is_told(&help));
    leaves(&mut state, helpers[0], &help, 2);
    assert!(
        helps(&mut state, helpers[0], 2).is_none(),
        "its place is wanted"
    );
    assert!(rung(&mut state, Lane::Script, 2));
    assert!(taken(&mut state, isolate, 3).is_some());
}

#[test]
fn who_helps_leaves_no_task_waiting_where_a_place_is_free() {
    let (mut state, _, helpers) = offering(3, 2);
    let help = helps(&mut state, helpers[0], 0).unwrap();
    add(&mut state, Lane::Native, 0, 1);
    assert!(rung(&mut state, Lane::Native, 1));
    assert!(!is_told(&help), "there is a place besides");
}

#[test]
fn those_leave_first_that_help_with_what_is_due_last() {
    let mut state = State::new(
        PoolLimits {
            max_threads: 4,
            ..LIMITS
        },
        0,
    );
    let mut offers = Vec::new();
    let [one, two] = [(); 2].map(|()| idle(&mut state, Lane::Native));
    let callers = [(); 2].map(|()| idle(&mut state, Lane::Native));
    for (caller, priority) in callers.into_iter().zip([5, -5]) {
        add(&mut state, Lane::Native, priority, 0);
        assert!(taken(&mut state, caller, 0).is_some());
        let job = a_job();
        assert!(state.offer(caller, &job, 1));
        offers.push(job);
    }
    let [first, second] = [one, two].map(|id| helps(&mut state, id, 0).unwrap());
    assert!(
        Arc::ptr_eq(&first.job, &offers[1]),
        "the better priority is helped first"
    );
    add(&mut state, Lane::Native, 0, 1);
    let _ = state.wakes(false, 1);
    assert_eq!((is_told(&first), is_told(&second)), (false, true));
}

#[test]
fn a_smaller_limit_sends_helpers_away() {
    let (mut state, _, helpers) = offering(2, 1);
    let help = helps(&mut state, helpers[0], 0).unwrap();
    state.resize(0, 1, 1);
    let _ = state.wakes(false, 1);
    assert!(is_told(&help));
}

#[test]
fn room_in_the_queue_does_not_depend_on_helpers() {
    let (mut state, _, helpers) = offering(2, 1);
    state.limits.max_queue = 0;
    let _help = helps(&mut state, helpers[0], 0).unwrap();
    for lane in Lane::ALL {
        assert!(state.reserve(lane).is_ok(), "a helper leaves for it");
        state.unreserve();
    }
}

#[test]
fn nobody_helps_while_the_pool_is_paused_or_closed() {
    let (mut state, _, helpers) = offering(2, 1);
    state.pause(true);
    assert!(!rung(&mut state, Lane::Native, 0));
    assert!(helps(&mut state, helpers[0], 0).is_none());
    state.pause(false);
    state.close(0);
    assert!(helps(&mut state, helpers[0], 0).is_none());
}

#[cfg(unix)]
#[test]
fn a_helper_needs_a_token_of_the_budget_and_nobody_is_told_that_it_lacks_one() {
    let (mut state, _, helpers) = offering(3, 2);
    let (share, budget) = Share::of_tokens(1);
    state.share = share;
    let help = helps(&mut state, helpers[0], 0).unwrap();
    assert_eq!(budget.held(), 1);
    assert!(helps(&mut state, helpers[1], 0).is_none());
    let wakes = state.wakes(false, 0);
    assert!(!wakes.starved && wakes.rings[Lane::Native].is_none());
    leaves(&mut state, helpers[0], &help, 1);
    let _ = state.wakes(false, 1);
    assert_eq!(budget.held(), 0);
}

#[cfg(unix)]
#[test]
fn a_token_that_another_process_wants_is_not_taken_again_at_once() {
    let (mut state, _, helpers) = offering(2, 1);
    let help = helps(&mut state, helpers[0], 0).unwrap();
    state.end_help(helpers[0], true, 1);
    help.job.leave();
    assert!(helps(&mut state, helpers[0], 2).is_none());
    assert!(helps(&mut state, helpers[0], 2 + TURN).is_some());
}

#[test]
fn help_counts_for_the_group_of_the_task() {
    let mut state = State::new(
        PoolLimits {
            max_threads: 2,
            ..LIMITS
        },
        0,
    );
    let caller = idle(&mut state, Lane::Native);
    let helper = idle(&mut state, Lane::Native);
    let of_group = |ticket, name: &str| NewTask {
        group: Some(name.into()),
        ..call(ticket, Lane::Native)
    };
    state.enqueue(of_group(1, "greedy"), 0);
    assert_eq!(taken(&mut state, caller, 0), Some((1, 0)));
    let job = a_job();
    assert!(state.offer(caller, &job, 1));
    let help = helps(&mut state, helper, 0).unwrap();
    // One task of each group. The help was longer than both groups have ever run.
    state.enqueue(of_group(2, "greedy"), 1);
    state.enqueue(of_group(3, "modest"), 1);
    leaves(&mut state, helper, &help, 60_000_000_000);
    assert_eq!(taken(&mut state, helper, 60_000_000_001), Some((3, 0)));
}
