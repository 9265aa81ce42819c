//! What happens at a time, and what no longer happens.

use super::*;
use crate::scheduler::outbox::Reminder;

const MS: u64 = 1_000_000;

fn limits() -> PoolLimits {
    PoolLimits {
        min_threads: 0,
        max_threads: 1,
        abort_grace: 50,
        start_timeout: 1000,
        idle_timeout: 500,
        ..LIMITS
    }
}

fn pool() -> (State, WorkerId) {
    let mut state = State::new(limits(), 0);
    let id = idle(&mut state, Lane::Script);
    (state, id)
}

/// What happens until this time, each with its time in milliseconds.
fn until(state: &mut State, end: u64) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while let Some(at) = state.next_alarm().filter(|&at| at <= end) {
        let effects = state.ring_alarms(64, at);
        let messages = effects.messages.iter().map(|message| match message {
            Message::Settled { ticket, outcome } => format!("{ticket} {outcome:?}"),
            other => format!("{other:?}"),
        });
        let controls = effects
            .controls
            .iter()
            .map(|control| format!("{control:?}"));
        let bells = effects.bells.iter().map(|_| "ring".to_string());
        seen.extend(
            messages
                .chain(controls)
                .chain(bells)
                .map(|what| (at / MS, what)),
        );
        state.check();
    }
    seen
}

fn seen(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter()
        .map(|&(at, what)| (at, what.to_string()))
        .collect()
}

#[test]
fn each_attempt_of_a_task_has_its_own_time_to_run() {
    let (mut state, first) = pool();
    let new = NewTask {
        timeout: 100,
        retries: 1,
        ..call(1, Lane::Script)
    };
    state.enqueue(new, 0);
    assert!(taken(&mut state, first, 0).is_some());
    assert_eq!(until(&mut state, 70 * MS), []);
    assert!(state.remove_worker(first, 70 * MS).is_empty());
    let second = state.add_worker(Lane::Script, 70 * MS);
    assert!(state.join(second, Arc::new(Silent), 80 * MS).is_some());
    let waited = state.snapshot(80 * MS).oldest_queued;
    assert_eq!(waited, Some(10.0), "the second wait is not the first run");
    assert!(taken(&mut state, second, 80 * MS).is_some());
    let seen_all = until(&mut state, 400 * MS);
    assert_eq!(seen_all[0], (180, "1 TaskTimeout".into()));
}

#[test]
fn a_limit_ends_with_the_task_and_wakes_nobody() {
    let (mut state, id) = pool();
    for ticket in 0..1000 {
        let new = NewTask {
            timeout: 3_600_000 + ticket,
            queue_timeout: 1000,
            deadline: 7_200_000 * MS,
            ..call(ticket, Lane::Script)
        };
        state.enqueue(new, 0);
        let (_, slot) = taken(&mut state, id, 0).expect("it waits");
        state.ends(id, slot, 0);
    }
    let given_up = NewTask {
        queue_timeout: 100,
        ..call(2000, Lane::Script)
    };
    let key = state.enqueue(given_up, 0);
    state.give_up(key, &Outcome::Cancelled, 0);
    assert!(matches!(state.next(id, false, 0), Next::Idle));
    assert_eq!(until(&mut state, 400 * MS), []);
    // The worker is idle for long enough. Nothing else happens.
    assert_eq!(until(&mut state, u64::MAX), seen(&[(500, "ring")]));
    assert_eq!(state.next_alarm(), None);
}

#[test]
fn a_task_that_waits_runs_and_ignores_its_end_has_one_limit_after_the_other() {
    let (mut state, id) = pool();
    let limited = |ticket| NewTask {
        timeout: 100,
        queue_timeout: 30,
        ..call(ticket, Lane::Script)
    };
    state.enqueue(limited(1), 0);
    assert!(taken(&mut state, id, 0).is_some());
    state.enqueue(limited(2), 0);
    let expected = [
        (30, "2 QueueTimeout"),
        (100, "1 TaskTimeout"),
        (150, "Terminate(WorkerId(0), GivenUp)"),
    ];
    assert_eq!(until(&mut state, 1000 * MS), seen(&expected));
}

#[test]
fn the_sooner_of_a_limit_and_the_deadline_counts_whether_a_task_waits_or_runs() {
    let (mut state, id) = pool();
    let new = |ticket, timeout, queue_timeout| NewTask {
        timeout,
        queue_timeout,
        deadline: 50 * MS,
        ..call(ticket, Lane::Script)
    };
    state.enqueue(new(1, 100, NO_LIMIT), 0);
    assert!(taken(&mut state, id, 0).is_some());
    state.enqueue(new(2, NO_LIMIT, 100), 0);
    state.enqueue(new(3, NO_LIMIT, 20), 0);
    let mut happened = until(&mut state, 50 * MS);
    happened.sort();
    assert_eq!(
        happened,
        seen(&[
            (20, "3 QueueTimeout"),
            (50, "1 Deadline"),
            (50, "2 Deadline")
        ])
    );
}

#[test]
fn an_isolate_that_does_not_start_is_told_of_and_one_that_never_begins_too() {
    let mut state = State::new(
        PoolLimits {
            start_timeout: 25_000,
            ..limits()
        },
        0,
    );
    let id = state.add_worker(Lane::Script, 0);
    assert_eq!(
        until(&mut state, 100_000 * MS),
        [],
        "nobody has begun to start it"
    );
    state.begin_start(id, 100_000 * MS);
    let expected = [(110_000, "NotBegun(WorkerId(0))")];
    assert_eq!(until(&mut state, 115_000 * MS), seen(&expected));
    state.has_begun(id);
    let expected = [(125_000, "StartedTooLate(WorkerId(0))")];
    assert_eq!(until(&mut state, u64::MAX), seen(&expected));
    // Another worker is in time.
    let next = state.add_worker(Lane::Script, 125_000 * MS);
    state.begin_start(next, 125_000 * MS);
    state.has_begun(next);
    assert!(state.join(next, Arc::new(Silent), 126_000 * MS).is_some());
    assert_eq!(until(&mut state, u64::MAX), []);
}

#[test]
fn an_isolate_that_is_told_to_end_gets_its_time_for_that() {
    let (mut state, id) = pool();
    assert!(state.retire(id.0, 0).is_some());
    assert!(matches!(state.next(id, false, 0), Next::Retire));
    let mut torn_down = until(&mut state, 900 * MS);
    assert_eq!(torn_down, []);
    state.torn_down(id, 900 * MS);
    torn_down = until(&mut state, u64::MAX);
    assert_eq!(
        torn_down,
        seen(&[(5900, "Terminate(WorkerId(0), LeavesLate)")])
    );
    // The teardown of this one does not end.
    let id = idle(&mut state, Lane::Script);
    assert!(state.retire(id.0, 0).is_some());
    assert!(matches!(state.next(id, false, 6000 * MS), Next::Retire));
    assert_eq!(
        until(&mut state, u64::MAX),
        seen(&[(7000, "Terminate(WorkerId(1), LeavesLate)")])
    );
}

#[test]
fn after_a_failure_starts_are_held_back_longer_each_time_until_one_succeeds() {
    let mut state = State::new(limits(), 0);
    let (mut now, mut delays) = (0, Vec::new());
    for _ in 0..9 {
        let id = state.add_worker(Lane::Script, now);
        state.enqueue(call(1, Lane::Script), now);
        let messages = state.remove_worker(id, now);
        assert_eq!(messages.len(), 1, "what waits is rejected");
        assert!(
            state.reserve_minimum(Lane::Script, 1, now).is_empty(),
            "not now"
        );
        let retry = until(&mut state, u64::MAX);
        let [(at, what)] = &retry[..] else {
            panic!("{retry:?}")
        };
        assert_eq!(what, "Remind(Retry)");
        delays.push(at - now / MS);
        now = at * MS;
    }
    assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    // While no start has succeeded, the minimum is no reason to try one.
    state.limits.min_threads = 1;
    assert!(state.reserve_minimum(Lane::Script, 0, now).is_empty());
    let [id] = state.reserve_minimum(Lane::Script, 1, now)[..] else {
        panic!("somebody waits for it")
    };
    assert!(state.join(id, Arc::new(Silent), now).is_some());
    assert!(state.remove_worker(id, now).is_empty());
    assert_eq!(state.reserve_minimum(Lane::Script, 0, now).len(), 1);
    let next = WorkerId(state.workers.keys().next().expect("it starts"));
    state.remove_worker(next, now);
    assert_eq!(
        until(&mut state, u64::MAX)[0].0 - now / MS,
        100,
        "from the beginning again"
    );
}

#[test]
fn idle_isolates_beyond_the_minimum_end_the_longest_idle_first_and_then_nobody_is_woken() {
    let mut state = State::new(
        PoolLimits {
            min_threads: 1,
            max_threads: 3,
            ..limits()
        },
        0,
    );
    let ids = [0, 100, 200].map(|ms| {
        let id = state.add_worker(Lane::Script, ms * MS);
        assert!(state.join(id, Arc::new(Silent), ms * MS).is_some());
        assert!(matches!(state.next(id, false, ms * MS), Next::Idle));
        id
    });
    assert_eq!(
        until(&mut state, 10_000 * MS),
        seen(&[(500, "ring"), (600, "ring")])
    );
    let retiring = ids.map(|id| state.workers[id.0].retiring);
    assert_eq!(retiring, [true, true, false]);
    assert_eq!(state.next_alarm(), None);
}

#[test]
fn the_isolates_of_a_closed_pool_get_a_second() {
    let (mut state, _) = pool();
    assert_eq!(state.close(0).len(), 1);
    let expected = [(1000, "Terminate(WorkerId(0), ClosedLate)")];
    assert_eq!(until(&mut state, 2000 * MS), seen(&expected));
}

#[test]
fn a_reminder_comes_once_and_at_the_earliest_of_the_times_it_was_set_to() {
    let (mut state, _) = pool();
    for (ms, now) in [(300, 0), (100, 0), (200, 0)] {
        state.remind(Reminder::Close, ms, now);
    }
    state.remind(Reminder::Output, NO_LIMIT, 0);
    assert_eq!(until(&mut state, 400 * MS), seen(&[(100, "Remind(Close)")]));
}

#[test]
fn an_outcome_that_is_not_of_the_task_in_its_slot_changes_nothing() {
    let (mut state, id) = pool();
    state.enqueue(call(1, Lane::Script), 0);
    let first = takes(&mut state, id).expect("it waits");
    assert!(state.ends(id, first.slot, 0).is_some());
    state.enqueue(call(2, Lane::Script), 0);
    let second = takes(&mut state, id).expect("it waits");
    assert_eq!(first.slot, second.slot);
    let again = Finished {
        slot: first.slot,
        generation: first.key.generation,
        outcome: done(),
    };
    assert!(state.finish(id, again, 0).is_none());
    state.check();
    assert_eq!(state.load(), (0, 1), "the second still runs");
    assert!(state.ends(id, second.slot, 0).is_some());
}

#[test]
fn no_task_has_the_generation_that_means_no_task() {
    let (mut state, _) = pool();
    state.generation = u32::MAX - 1;
    let generations =
        [1, 2, 3].map(|ticket| state.enqueue(call(ticket, Lane::Script), 0).generation);
    assert_eq!(generations, [u32::MAX, 1, 2]);
}

#[test]
fn a_pool_that_nobody_tells_of_a_token_looks_by_itself() {
    let (mut state, _) = pool();
    state.look_later(0);
    state.look_later(10 * MS);
    assert_eq!(state.next_alarm(), Some(50 * MS));
    assert!(
        state.ring_alarms(64, 50 * MS).doubtful,
        "whoever waits is looked after"
    );
}

#[test]
#[cfg(unix)]
fn a_pool_takes_a_token_for_each_further_busy_worker_and_gives_it_back() {
    let (mut state, first) = pool();
    let (share, budget) = crate::scheduler::share::Share::of_tokens(1);
    (state.share, state.limits.max_threads) = (share, 3);
    let others = [0, 1].map(|_| idle(&mut state, Lane::Script));
    for ticket in 0..3 {
        state.enqueue(call(ticket, Lane::Script), 0);
    }
    let _ = state.wakes(false, 0);
    let busy = [first, others[0]].map(|id| takes(&mut state, id).is_some());
    assert_eq!((busy, budget.held()), ([true, true], 1));
    assert!(
        takes(&mut state, others[1]).is_none(),
        "the budget has no more"
    );
    assert!(state.wakes(false, 0).starved);
    state.ends(others[0], 0, 1);
    let _ = state.wakes(false, 1);
    assert_eq!(budget.held(), 0);
    assert!(takes(&mut state, others[1]).is_some());
    let _ = state.wakes(false, 1);
    state.check();
}
