//! Groups share a pool by weight.

use super::*;
use crate::scheduler::groups::GroupLimits;

fn of(group: &str, lane: Lane, ticket: u32) -> NewTask {
    NewTask {
        group: Some(group.into()),
        ..call(ticket, lane)
    }
}

fn limits(weight: f64, max_running: u32) -> GroupLimits {
    GroupLimits {
        weight,
        max_running,
    }
}

/// Runs `rounds` tasks one after the other, each for `ns(ticket)`. Returns their tickets.
fn run(state: &mut State, id: WorkerId, rounds: usize, ns: impl Fn(u32) -> u64) -> Vec<u32> {
    let mut now = 0;
    (0..rounds)
        .map_while(|_| {
            let (ticket, slot) = taken(state, id, now)?;
            now += ns(ticket);
            state.ends(id, slot, now);
            Some(ticket)
        })
        .collect()
}

fn count(tickets: &[u32], ticket: u32) -> usize {
    tickets.iter().filter(|&&other| other == ticket).count()
}

fn pool() -> (State, WorkerId) {
    let mut state = State::new(LIMITS, 0);
    let id = idle(&mut state, Lane::Script);
    (state, id)
}

#[test]
fn groups_have_their_weights_of_the_time_whatever_a_task_takes() {
    let (mut state, id) = pool();
    state.configure_group("heavy".into(), limits(3.0, u32::MAX));
    for _ in 0..1000 {
        state.enqueue(of("heavy", Lane::Script, 3), 0);
        state.enqueue(of("light", Lane::Script, 1), 0);
        state.enqueue(call(0, Lane::Script), 0);
    }
    let ns = |ticket| match ticket {
        3 => 100_000,
        1 => 1_000_000,
        _ => 50_000,
    };
    let order = run(&mut state, id, 1000, ns);
    let time = |ticket| (count(&order, ticket) as u64 * ns(ticket)) as f64;
    let total: f64 = [0, 1, 3].map(time).iter().sum();
    for (ticket, share) in [(0, 0.2), (1, 0.2), (3, 0.6)] {
        let got = time(ticket) / total;
        assert!((got - share).abs() < 0.05, "{ticket}: {got}");
    }
}

#[test]
fn priority_and_deadlines_order_the_tasks_of_one_group_only() {
    let (mut state, id) = pool();
    for ticket in 0..4 {
        state.enqueue(of("calm", Lane::Script, ticket), 0);
    }
    for (ticket, priority) in [(10, 0), (11, -20), (12, -5), (13, -20)] {
        let new = NewTask {
            priority,
            ..of("pushy", Lane::Script, ticket)
        };
        state.enqueue(new, 0);
    }
    let order = run(&mut state, id, 8, |_| 1_000_000);
    let of = |from: u32| {
        order
            .iter()
            .copied()
            .filter(move |&ticket| ticket / 10 == from)
    };
    assert_eq!(of(1).collect::<Vec<_>>(), [11, 13, 12, 10]);
    assert_eq!(of(0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(
        order[..4].iter().filter(|&&ticket| ticket < 10).count() == 2,
        "{order:?}"
    );
}

#[test]
fn a_group_that_comes_late_neither_pays_nor_catches_up() {
    let (mut state, id) = pool();
    for _ in 0..200 {
        state.enqueue(of("early", Lane::Script, 1), 0);
    }
    run(&mut state, id, 100, |_| 1_000_000);
    for _ in 0..100 {
        state.enqueue(of("late", Lane::Script, 2), 0);
    }
    let order = run(&mut state, id, 40, |_| 1_000_000);
    assert!((18..=22).contains(&count(&order, 2)), "{order:?}");
}

#[test]
fn a_group_that_submits_one_at_a_time_gets_no_more_than_its_share() {
    let (mut state, id) = pool();
    state.configure_group("batch".into(), limits(9.0, u32::MAX));
    for _ in 0..2000 {
        state.enqueue(of("batch", Lane::Script, 1), 0);
    }
    let (mut now, mut singles) = (0, 0);
    state.enqueue(of("single", Lane::Script, 2), now);
    for _ in 0..1000 {
        let (ticket, slot) = taken(&mut state, id, now).unwrap();
        now += 1_000_000;
        state.ends(id, slot, now);
        if ticket == 2 {
            singles += 1;
            state.enqueue(of("single", Lane::Script, 2), now);
        }
    }
    assert!((80..=120).contains(&singles), "{singles}");
}

#[test]
fn max_running_holds_over_both_lanes_and_nobody_is_woken_for_what_it_holds_back() {
    let mut state = State::new(
        PoolLimits {
            max_threads: 4,
            ..LIMITS
        },
        0,
    );
    state.configure_group("two".into(), limits(1.0, 2));
    let ids = [Lane::Native, Lane::Script, Lane::Script].map(|lane| idle(&mut state, lane));
    for at in 0..6 {
        state.enqueue(of("two", Lane::ALL[at % 2], at as u32), 0);
    }
    assert!(taken(&mut state, ids[0], 0).is_some());
    assert!(taken(&mut state, ids[1], 0).is_some());
    assert!(taken(&mut state, ids[2], 0).is_none());
    let wakes = state.wakes(false, 0);
    assert_eq!(wakes.rings.0.iter().flatten().count(), 0);
    assert_eq!(wakes.starts.0, [None, None]);
    assert_eq!(Lane::ALL.map(|lane| state.hint(lane)), [false, false]);
    // Tasks of other groups are not held back.
    state.enqueue(call(50, Lane::Script), 0);
    assert_eq!(taken(&mut state, ids[2], 0), Some((50, 0)));
    state.ends(ids[2], 0, 1);
    assert_eq!(taken(&mut state, ids[2], 1), None);
    // One ends, so one more may run, in either lane.
    state.ends(ids[0], 0, 2);
    assert_eq!(Lane::ALL.map(|lane| state.hint(lane)), [true, true]);
    assert_eq!(taken(&mut state, ids[2], 2), Some((3, 0)));
    assert_eq!(taken(&mut state, ids[0], 2), None);
    assert_eq!(state.load(), (3, 2));
    assert_eq!(
        state
            .fail_waiting(Lane::Native, || Outcome::Cancelled)
            .len(),
        2
    );
}

#[test]
fn groups_meet_on_the_line_of_a_worker_too() {
    let (mut state, id) = pool();
    state.configure_group("one".into(), limits(1.0, 1));
    for ticket in 0..20 {
        let group = ["a", "b"][ticket as usize % 2];
        let new = NewTask {
            placement: Placement::Key(1),
            ..of(group, Lane::Script, ticket % 2)
        };
        state.enqueue(new, 0);
    }
    let order = run(&mut state, id, 12, |ticket| {
        1_000_000 * (1 + 2 * u64::from(ticket))
    });
    assert!((8..=10).contains(&count(&order, 0)), "{order:?}");
    assert_eq!(state.load(), (8, 0));
    state.remove_worker(id, 0);
    assert_eq!(state.load(), (8, 0), "they wait for any worker now");
    let id = idle_with_work(&mut state);
    assert_eq!(run(&mut state, id, 100, |_| 1).len(), 8);
    assert_eq!(state.waiting.remembered_groups(), 0);
}

fn idle_with_work(state: &mut State) -> WorkerId {
    let id = state.add_worker(Lane::Script, 0);
    assert!(state.join(id, Arc::new(Silent), 0).is_some());
    id
}

#[test]
fn a_thousand_groups_share_alike_and_are_forgotten() {
    let (mut state, id) = pool();
    const GROUPS: u32 = 1000;
    for round in 0..100 {
        for group in 0..GROUPS {
            state.enqueue(of(&format!("tenant {group}"), Lane::Script, group), round);
        }
    }
    assert_eq!(state.waiting.remembered_groups(), 1000);
    let order = run(&mut state, id, 50_000, |ticket| {
        1000 + u64::from(ticket % 7)
    });
    let mut counts = vec![0; GROUPS as usize];
    order
        .iter()
        .for_each(|&ticket| counts[ticket as usize] += 1);
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least >= 40 && *most <= 60, "{least} to {most}");
    let key = state.enqueue(of("another", Lane::Script, 0), 0);
    assert!(matches!(
        state.give_up(key, &Outcome::Cancelled, 0),
        Given::Waiting
    ));
    assert_eq!(run(&mut state, id, 100_000, |_| 1000).len(), 50_000);
    assert_eq!(state.waiting.remembered_groups(), 0);
    assert_eq!(state.load(), (0, 0));
}

#[test]
fn a_group_whose_worker_dies_is_charged_and_may_go_on() {
    let (mut state, id) = pool();
    state.configure_group("one".into(), limits(1.0, 1));
    let again = NewTask {
        retries: 1,
        ..of("one", Lane::Script, 1)
    };
    state.enqueue(again, 0);
    assert!(taken(&mut state, id, 0).is_some());
    assert!(state.remove_worker(id, 5).is_empty());
    let id = idle_with_work(&mut state);
    assert_eq!(taken(&mut state, id, 6), Some((1, 0)));
    assert_eq!(state.remove_worker(id, 7).len(), 1);
    assert_eq!(state.waiting.remembered_groups(), 0);
}

#[test]
fn a_task_that_waits_leaves_its_place_in_the_group_to_those_that_it_waits_for() {
    let (mut state, id) = pool();
    state.configure_group("one".into(), limits(1.0, 1));
    state.enqueue(of("one", Lane::Script, 1), 0);
    state.enqueue(of("one", Lane::Script, 2), 0);
    let (_, outer) = taken(&mut state, id, 0).expect("the group may run one");
    state.set_waits(id, outer, true, 0);
    let (ticket, inner) = taken(&mut state, id, 0).expect("the outer one has left its place");
    assert_eq!(ticket, 2);
    state.enqueue(of("one", Lane::Script, 3), 0);
    state.set_waits(id, outer, false, 0);
    assert!(state.ends(id, outer, 1).is_some());
    assert!(taken(&mut state, id, 1).is_none(), "the inner one runs");
    assert!(state.ends(id, inner, 2).is_some());
    let (ticket, last) = taken(&mut state, id, 2).expect("none of the group runs");
    assert_eq!(ticket, 3);
    state.set_waits(id, last, true, 2);
    assert!(state.ends(id, last, 3).is_some());
    assert_eq!(state.waiting.remembered_groups(), 0);
}
