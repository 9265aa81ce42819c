//! Long histories: whatever was submitted, given up, resized, paused or replaced on the way, in the end no task waits
//! that a worker could run.

use super::choices::Choices;
use super::world::World;
use super::*;

fn histories(wear: Wear) {
    for seed in 1..100_u32 {
        let choices = Choices::Seed(seed.wrapping_mul(0x9e37_79b9) | 1);
        let mut world = World::new(choices, wear);
        for step in 0..600 {
            world.step();
            // With many tasks the check takes long; `machine` checks after each step.
            if step % 16 == 0 {
                world.state.check();
            }
        }
        world.finish();
        world.is_at_rest();
    }
}

#[test]
fn nothing_is_left_waiting_that_somebody_could_run() {
    histories(Wear::default());
}

#[test]
fn nor_where_isolates_are_replaced() {
    histories(Wear {
        tasks: 7,
        ..Wear::default()
    });
}

#[test]
fn nor_where_each_isolate_has_one_task() {
    histories(Wear {
        one_task: true,
        ..Wear::default()
    });
}

#[test]
fn the_oldest_task_is_found_in_whichever_line_it_waits() {
    let (mut state, native, script) = two_lanes();
    state.pause(true);
    assert_eq!(state.snapshot(1).oldest_queued, None);
    let deadline = |at| NewTask {
        deadline: 9_000_000_000,
        ..call(at, Lane::Script)
    };
    let keyed = |at| NewTask {
        placement: Placement::Key(7),
        ..call(at, Lane::Script)
    };
    let grouped = |at| NewTask {
        group: Some("some".into()),
        ..call(at, Lane::Native)
    };
    let lines: [fn(u32) -> NewTask; 2] = [|at| call(at, Lane::Native), |at| call(at, Lane::Script)];
    let kinds: [&dyn Fn(u32) -> NewTask; 5] = [&lines[0], &lines[1], &deadline, &keyed, &grouped];
    for kind in kinds {
        let key = state.enqueue(kind(0), 1_000_000);
        let late = state.enqueue(kind(1), 3_000_000);
        assert_eq!(state.snapshot(5_000_000).oldest_queued, Some(4.0));
        state.give_up(key, &Outcome::Cancelled, 0);
        assert_eq!(state.snapshot(5_000_000).oldest_queued, Some(2.0));
        state.give_up(late, &Outcome::Cancelled, 0);
    }
    state.pause(false);
    add(&mut state, Lane::Script, 0, 0);
    assert!(taken(&mut state, script, 1_000_000).is_some());
    let snapshot = state.snapshot(4_000_000);
    assert_eq!(snapshot.oldest_running, Some(3.0));
    assert_eq!(snapshot.oldest_queued, None);
    let worker = |id: WorkerId| snapshot.workers.iter().find(|worker| worker.id == id);
    let busy = |id| worker(id).map(|worker| (worker.busy, worker.tasks.len()));
    assert_eq!(busy(script), Some((3.0, 1)));
    assert_eq!(busy(native), Some((0.0, 0)));
    assert!((snapshot.utilization - 0.75).abs() < 1e-9);
}
