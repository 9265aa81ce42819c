//! The scheduler as its callers and workers see it: with workers that the test moves where the order of events matters,
//! and with real threads where every order must be right.

#[cfg(unix)]
mod help_costs;
mod threads;
mod told;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::*;
use crate::manner::Manner;
use crate::wire::tag;

/// Counts its rings and the tasks that were given up.
#[derive(Debug, Default)]
struct TestBell {
    rings: AtomicU32,
    cancelled: Mutex<Vec<(u32, u32)>>,
    state: Mutex<bool>,
    changed: Condvar,
}

impl TestBell {
    fn wait(&self) {
        let mut rung = self.state.lock();
        while !*rung {
            self.changed.wait(&mut rung);
        }
        *rung = false;
    }
}

impl Bell for TestBell {
    fn ring(&self, _: Ring) {
        self.rings.fetch_add(1, SeqCst);
        *self.state.lock() = true;
        self.changed.notify_all();
    }

    fn cancel(&self, slot: u32, generation: u32) {
        self.cancelled.lock().push((slot, generation));
    }
}

pub(crate) const LIMITS: PoolLimits = PoolLimits {
    min_threads: 0,
    max_threads: 2,
    max_queue: usize::MAX,
    concurrency: 1,
    abort_grace: 10,
    start_timeout: u32::MAX,
    stall_timeout: u32::MAX,
    idle_timeout: u32::MAX,
    manner: Manner::USUAL,
    label: String::new(),
};

/// A lane whose workers come only when a test lets them come.
#[derive(Debug)]
pub(super) struct Never;

impl Launch for Never {
    fn launch(&self, _: &Arc<Scheduler>, _: WorkerId) -> io::Result<()> {
        Ok(())
    }
}

fn pool(limits: PoolLimits) -> (Arc<Scheduler>, Arc<Outbox>) {
    let outbox = Arc::new(Outbox::default());
    (
        Scheduler::new(1, limits, Arc::clone(&outbox), Never).unwrap(),
        outbox,
    )
}

pub(crate) fn call(ticket: u32, lane: Lane) -> NewTask {
    NewTask {
        ticket,
        target: 0,
        lane,
        priority: 0,
        timeout: u32::MAX,
        queue_timeout: u32::MAX,
        deadline: NO_DEADLINE,
        retries: 0,
        placement: Placement::Any,
        group: None,
        payload: Payload::number(4, f64::from(ticket)),
        attachments: None,
        observed: false,
        alone: false,
    }
}

pub(super) fn returned(taken: &Taken) -> Option<Finished> {
    Some(Finished {
        slot: taken.slot,
        generation: taken.key.generation,
        outcome: Outcome::Returned(Payload::number(4, f64::from(taken.ticket))),
    })
}

/// Starts a worker with a thread of its own, which does each task by `run` until the pool closes.
fn work(
    pool: &Arc<Scheduler>,
    id: WorkerId,
    mut run: impl FnMut(&Scheduler, &Taken) + Send + 'static,
) {
    let pool = Arc::clone(pool);
    thread::spawn(move || {
        let bell = Arc::new(TestBell::default());
        let mut finished = None;
        if pool.join(id, Arc::clone(&bell) as _) {
            loop {
                match pool.exchange(id, finished.take()) {
                    Step::Run(taken) => {
                        run(&pool, &taken);
                        finished = returned(&taken);
                    }
                    Step::Idle => bell.wait(),
                    Step::Help(help) => pool.help(id, help),
                    Step::Retire => break,
                }
            }
        }
        pool.leave(id);
    });
}

/// Starts and joins the script worker that a submit asked for.
fn joined(pool: &Arc<Scheduler>, submitted: Submitted) -> (WorkerId, Arc<TestBell>) {
    let id = submitted.start.expect("a worker to start");
    let bell = Arc::new(TestBell::default());
    assert!(pool.join(id, Arc::clone(&bell) as _));
    (id, bell)
}

/// The next message about a task.
fn heard(outbox: &Outbox) -> Option<Message> {
    std::iter::from_fn(|| outbox.receive())
        .find(|message| !matches!(message, Message::Control { .. }))
}

fn run(step: Step) -> Taken {
    match step {
        Step::Run(taken) => taken,
        other => panic!("expected a task, got {other:?}"),
    }
}

fn settled(outbox: &Outbox) -> Vec<(u32, &'static str)> {
    std::iter::from_fn(|| outbox.receive())
        .filter_map(|message| match message {
            Message::Settled { ticket, outcome } => Some((ticket, kind(&outcome))),
            Message::Control { .. }
            | Message::Started { .. }
            | Message::Progress { .. }
            | Message::Chunk { .. }
            | Message::Wanted { .. } => None,
        })
        .collect()
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Returned(_) => "returned",
        Outcome::Threw(_) => "threw",
        Outcome::Failed { .. } => "failed",
        Outcome::TaskTimeout => "task timeout",
        Outcome::QueueTimeout => "queue timeout",
        Outcome::PoolClosed => "pool closed",
        Outcome::Deadline => "deadline",
        Outcome::Cancelled => "cancelled",
        Outcome::WorkerGone { .. } => "worker gone",
        Outcome::WorkerStart => "worker start",
        Outcome::NotCloned(_) => "not cloned",
        Outcome::Timed { .. } => "timed",
    }
}

#[test]
fn a_worker_takes_tasks_in_order_and_their_results_reach_the_owner() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let (worker, _) = joined(&pool, pool.submit(call(7, Lane::Script)).unwrap());
    assert!(pool.submit(call(8, Lane::Script)).unwrap().start.is_none());
    let first = run(pool.exchange(worker, None));
    let second = run(pool.exchange(worker, returned(&first)));
    assert_eq!((first.ticket, second.ticket), (7, 8));
    assert!(matches!(
        pool.exchange(worker, returned(&second)),
        Step::Idle
    ));
    assert_eq!(settled(&outbox), [(7, "returned"), (8, "returned")]);
    let snapshot = pool.snapshot();
    assert_eq!(
        (snapshot.counts.completed, snapshot.queued, snapshot.running),
        (2, 0, 0)
    );
}

#[test]
fn a_direct_task_is_held_to_its_limits() {
    let (pool, outbox) = pool(PoolLimits {
        min_threads: 1,
        ..LIMITS
    });
    let [worker] = pool.reserve_minimum(Lane::Script, 0)[..] else {
        panic!("one is reserved")
    };
    assert!(pool.join(worker, Arc::new(TestBell::default())));
    assert!(matches!(pool.exchange(worker, None), Step::Idle));
    let limited = NewTask {
        timeout: 1,
        ..call(1, Lane::Script)
    };
    assert!(pool.submit_direct(limited).is_some());
    let message = loop {
        match heard(&outbox) {
            Some(message) => break message,
            None => thread::yield_now(),
        }
    };
    assert!(matches!(
        message,
        Message::Settled {
            ticket: 1,
            outcome: Outcome::TaskTimeout
        }
    ));
}

#[test]
fn an_isolate_that_was_rung_and_does_not_come_is_replaced_by_another() {
    let (pool, _) = pool(LIMITS);
    let workers: Vec<_> = (0..2)
        .map(|i| joined(&pool, pool.submit(call(i, Lane::Script)).unwrap()))
        .collect();
    let taken: Vec<_> = workers
        .iter()
        .map(|(id, _)| run(pool.exchange(*id, None)))
        .collect();
    for ((id, _), taken) in workers.iter().zip(&taken) {
        assert!(matches!(pool.exchange(*id, returned(taken)), Step::Idle));
    }
    pool.submit(call(5, Lane::Script)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while workers.iter().any(|(_, bell)| bell.rings.load(SeqCst) == 0) {
        assert!(
            Instant::now() < deadline,
            "the second worker was never rung"
        );
        thread::yield_now();
    }
}

#[test]
fn at_most_max_threads_workers_are_busy_over_both_lanes() {
    let (pool, _) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let (script, _) = joined(&pool, pool.submit(call(1, Lane::Script)).unwrap());
    let taken = run(pool.exchange(script, None));
    pool.submit(call(2, Lane::Native)).unwrap();
    let native = WorkerId(1);
    let bell = Arc::new(TestBell::default());
    assert!(pool.join(native, Arc::clone(&bell) as _));
    assert!(matches!(pool.exchange(native, None), Step::Idle));
    assert!(matches!(
        pool.exchange(script, returned(&taken)),
        Step::Idle
    ));
    assert_eq!(bell.rings.load(SeqCst), 1);
    assert_eq!(run(pool.exchange(native, None)).ticket, 2);
}

#[test]
fn the_queue_limit_counts_what_the_workers_cannot_take() {
    let (pool, _) = pool(PoolLimits {
        max_threads: 1,
        max_queue: 2,
        ..LIMITS
    });
    let accepted = (0..10)
        .filter(|&ticket| pool.submit(call(ticket, Lane::Script)).is_ok())
        .count();
    assert_eq!(accepted, 3);
    let unlimited = |max_queue| {
        super::tests::pool(PoolLimits {
            max_threads: 2,
            concurrency: 3,
            max_queue,
            ..LIMITS
        })
        .0
    };
    let none_waits = unlimited(0);
    assert_eq!(
        (0..10)
            .filter(|&ticket| none_waits.submit(call(ticket, Lane::Script)).is_ok())
            .count(),
        6
    );
    assert_eq!(
        none_waits.submit(call(11, Lane::Script)).unwrap_err(),
        Refusal::Full
    );
}

#[test]
fn a_task_that_is_given_up_settles_for_its_caller_only() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        abort_grace: u32::MAX,
        ..LIMITS
    });
    let first = pool.submit(call(1, Lane::Script)).unwrap();
    let waiting = pool.submit(call(2, Lane::Script)).unwrap().key;
    let (worker, bell) = joined(&pool, first);
    let taken = run(pool.exchange(worker, None));
    assert!(pool.cancel(waiting) && !pool.cancel(waiting));
    assert!(pool.cancel(first.key) && !pool.cancel(first.key));
    assert_eq!(*bell.cancelled.lock(), [(taken.slot, first.key.generation)]);
    // What the worker reports later is dropped, and the place is free again.
    assert!(matches!(
        pool.exchange(worker, returned(&taken)),
        Step::Idle
    ));
    assert!(settled(&outbox).is_empty());
    let next = pool.submit(call(3, Lane::Script)).unwrap().key;
    assert!(
        !pool.cancel(first.key),
        "an old key does not hit the task that reuses its place"
    );
    assert!(pool.cancel(next));
}

#[test]
fn time_limits_reject_and_an_isolate_that_does_not_stop_is_ended() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let running = NewTask {
        timeout: 5,
        ..call(1, Lane::Script)
    };
    let (worker, bell) = joined(&pool, pool.submit(running).unwrap());
    let taken = run(pool.exchange(worker, None));
    pool.submit(NewTask {
        queue_timeout: 5,
        ..call(2, Lane::Script)
    })
    .unwrap();
    let (mut outcomes, mut terminated) = (HashMap::new(), false);
    let deadline = Instant::now() + Duration::from_secs(5);
    while outcomes.len() < 2 || !terminated {
        assert!(Instant::now() < deadline, "{outcomes:?} {terminated}");
        match outbox.receive() {
            Some(Message::Settled { ticket, outcome }) => {
                outcomes.insert(ticket, kind(&outcome));
            }
            Some(Message::Control {
                control: Control::Terminate(id, Ending::GivenUp),
                ..
            }) => terminated = id == worker,
            _ => thread::yield_now(),
        }
    }
    assert_eq!(
        outcomes,
        HashMap::from([(1, "task timeout"), (2, "queue timeout")])
    );
    // Even if it stops now after all, it is given no other task.
    pool.submit(call(3, Lane::Script)).unwrap();
    assert!(matches!(
        pool.exchange(worker, returned(&taken)),
        Step::Retire
    ));
    assert_eq!(bell.cancelled.lock().len(), 1);
}

#[test]
fn the_tasks_of_a_worker_that_ends_are_rejected_and_the_rest_goes_on() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let (worker, _) = joined(&pool, pool.submit(call(1, Lane::Script)).unwrap());
    run(pool.exchange(worker, None));
    pool.submit(call(2, Lane::Script)).unwrap();
    pool.leave(worker);
    let mut start = None;
    let mut rejected = Vec::new();
    while let Some(message) = outbox.receive() {
        match message {
            Message::Settled { ticket, outcome } => rejected.push((ticket, kind(&outcome))),
            Message::Control {
                control: Control::Start(id),
                ..
            } => start = Some(id),
            Message::Control { .. }
            | Message::Started { .. }
            | Message::Progress { .. }
            | Message::Chunk { .. }
            | Message::Wanted { .. } => {}
        }
    }
    assert_eq!(rejected, [(1, "worker gone")]);
    let id = start.expect("a replacement for what waits");
    assert!(pool.join(id, Arc::new(TestBell::default())));
    assert_eq!(run(pool.exchange(id, None)).ticket, 2);
}

#[test]
fn a_closed_pool_takes_nothing_and_its_workers_retire() {
    let (pool, outbox) = pool(LIMITS);
    let (worker, bell) = joined(&pool, pool.submit(call(1, Lane::Script)).unwrap());
    let taken = run(pool.exchange(worker, None));
    pool.submit(call(2, Lane::Script)).unwrap();
    pool.destroy();
    assert_eq!(
        pool.submit(call(3, Lane::Script)).unwrap_err(),
        Refusal::Closed
    );
    let mut outcomes = settled(&outbox);
    outcomes.sort_unstable();
    assert_eq!(outcomes, [(1, "pool closed"), (2, "pool closed")]);
    assert_eq!(bell.cancelled.lock().len(), 1);
    assert!(matches!(
        pool.exchange(worker, returned(&taken)),
        Step::Retire
    ));
}

#[test]
fn an_outcome_of_another_generation_than_the_slots_settles_nothing() {
    let (pool, outbox) = pool(LIMITS);
    let first = pool.submit(call(1, Lane::Script)).unwrap();
    let (worker, _) = joined(&pool, first);
    let taken = run(pool.exchange(worker, None));
    pool.submit(call(2, Lane::Script)).unwrap();
    let next = run(pool.exchange(worker, returned(&taken)));
    assert_eq!(next.slot, taken.slot);
    assert!(matches!(
        heard(&outbox),
        Some(Message::Settled { ticket: 1, .. })
    ));
    pool.finish(worker, returned(&taken).unwrap());
    assert!(heard(&outbox).is_none());
    pool.finish(worker, returned(&next).unwrap());
    assert!(matches!(
        heard(&outbox),
        Some(Message::Settled { ticket: 2, .. })
    ));
}

#[test]
fn room_that_is_reserved_is_nobody_elses_until_it_is_used_or_given_back() {
    let limits = PoolLimits {
        max_threads: 1,
        max_queue: 0,
        ..LIMITS
    };
    let (pool, _) = pool(limits);
    pool.reserve(Lane::Script).unwrap();
    assert_eq!(pool.reserve(Lane::Script), Err(Refusal::Full));
    assert_eq!(
        pool.submit(call(1, Lane::Script)).unwrap_err(),
        Refusal::Full
    );
    pool.unreserve();
    pool.reserve(Lane::Script).unwrap();
    pool.submit_for(call(2, Lane::Script), None, true).unwrap();
    assert_eq!(pool.reserve(Lane::Script), Err(Refusal::Full));
}

/// Runs this very test in a process of its own, in which `variable` is set. Returns the output and the exit status.
fn in_a_process(test: &str, variable: &str) -> std::process::Output {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command
        .args([test, "--exact", "--nocapture"])
        .env(variable, "1")
        .output();
    output.unwrap()
}

#[test]
#[cfg(unix)]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_panic_while_a_decision_is_taken_ends_the_process_with_a_sentence() {
    use std::os::unix::process::ExitStatusExt;
    const VARIABLE: &str = "RSPOOL_TEST_BROKEN";
    if std::env::var_os(VARIABLE).is_some() {
        let (pool, _) = pool(LIMITS);
        let broken = std::panic::AssertUnwindSafe(|| pool.break_for_test());
        // Calls from JavaScript are caught in the same way.
        let _ = std::panic::catch_unwind(broken);
        println!("went on");
        return;
    }
    let name =
        "scheduler::tests::a_panic_while_a_decision_is_taken_ends_the_process_with_a_sentence";
    let output = in_a_process(name, VARIABLE);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr
            .contains("rspool failed while deciding on the tasks of a pool, and ends the process"),
        "{stderr}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("went on"));
    assert_eq!(output.status.signal(), Some(6), "SIGABRT");
}
