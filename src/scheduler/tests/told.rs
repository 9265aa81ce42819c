//! What the owner is told besides outcomes: starts, times, waiting bytes, and inputs that workers want.

use super::*;

#[test]
fn an_observed_task_tells_its_start_and_how_long_it_ran() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let observed = NewTask {
        observed: true,
        ..call(7, Lane::Script)
    };
    let (worker, _) = joined(&pool, pool.submit(observed).unwrap());
    pool.submit(call(8, Lane::Script)).unwrap();
    let first = run(pool.exchange(worker, None));
    let second = run(pool.exchange(worker, returned(&first)));
    let _ = pool.exchange(worker, returned(&second));
    let Some(Message::Started {
        ticket, generation, ..
    }) = heard(&outbox)
    else {
        panic!("the start comes first");
    };
    assert_eq!((ticket, generation), (7, first.key.generation));
    assert_eq!(settled(&outbox), [(7, "timed"), (8, "returned")]);
}

#[test]
fn times_begin_anew_after_a_reset_and_those_by_name_stay() {
    let (pool, _outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let count = || {
        let times = pool.times(Measured::Run);
        times.buckets().map(|(_, count)| count).sum::<u64>()
    };
    let named = || {
        let measures = pool.measures();
        let of_own = |measure: &&Measure| measure.name == Name::Script("own".into());
        let measure = measures.iter().find(of_own);
        measure.map(|measure| measure.run.counts.iter().sum::<u64>())
    };
    pool.set_own_target("[]", "own");
    let (worker, _) = joined(&pool, pool.submit(call(1, Lane::Script)).unwrap());
    let task = run(pool.exchange(worker, None));
    let _ = pool.exchange(worker, returned(&task));
    assert_eq!((count(), named()), (1, Some(1)));
    pool.reset_times(Measured::Run);
    pool.reset_times(Measured::Run);
    assert_eq!((count(), named()), (0, Some(1)));
    assert_eq!(pool.snapshot().run.count, 0);
    assert_eq!(pool.snapshot().wait.count, 1);
}

#[test]
fn an_observed_task_that_is_given_at_once_tells_its_start_when_its_worker_is_there() {
    let (pool, outbox) = pool(PoolLimits {
        min_threads: 1,
        max_threads: 1,
        ..LIMITS
    });
    let observed = |ticket| NewTask {
        observed: true,
        ..call(ticket, Lane::Script)
    };
    let id = pool.reserve_minimum(Lane::Script, 1)[0];
    let (worker, first) = pool.submit_direct(observed(1)).unwrap();
    assert_eq!(worker, id);
    assert!(outbox.is_empty(), "it waits for its worker");
    assert!(pool.join(id, Arc::new(TestBell::default())));
    let started = |message| match message {
        Some(Message::Started { ticket, worker, .. }) => (ticket, worker),
        other => panic!("expected a start, got {other:?}"),
    };
    assert_eq!(started(heard(&outbox)), (1, id));
    assert!(matches!(pool.exchange(id, returned(&first)), Step::Idle));
    assert_eq!(settled(&outbox), [(1, "timed")]);
    pool.submit_direct(observed(2)).unwrap();
    assert_eq!(started(heard(&outbox)), (2, id));
}

#[test]
fn the_owner_is_told_of_the_bytes_that_wait_however_tasks_leave() {
    let (pool, outbox) = pool(LIMITS);
    pool.pause(true);
    let large = |ticket| NewTask {
        payload: Payload::bytes(0, vec![0; 1 << 20]),
        ..call(ticket, Lane::Script)
    };
    let keys = [1, 2].map(|ticket| pool.submit(large(ticket)).unwrap().key);
    assert_eq!(outbox.queued_bytes(), 2 << 20);
    assert!(pool.cancel(keys[0]));
    assert_eq!(outbox.queued_bytes(), 1 << 20);
    assert_eq!(pool.cancel_waiting(), 1);
    assert_eq!(outbox.queued_bytes(), 0);
}

#[test]
fn a_pool_that_has_ended_leaves_no_bytes_told() {
    let (pool, outbox) = pool(LIMITS);
    pool.pause(true);
    let sized = |ticket, bytes: usize| NewTask {
        payload: Payload::bytes(9, vec![0u8; bytes]),
        ..call(ticket, Lane::Script)
    };
    let first = pool.submit(sized(1, 128 * 1024)).unwrap();
    pool.submit(sized(2, 60 * 1024)).unwrap();
    assert!(pool.cancel(first.key));
    assert!(outbox.queued_bytes() > 0);
    pool.destroy();
    drop(pool);
    assert_eq!(outbox.queued_bytes(), 0);
}

#[test]
fn the_owner_hears_who_wants_an_input_that_only_a_port_carries() {
    let (pool, outbox) = pool(PoolLimits {
        max_threads: 1,
        ..LIMITS
    });
    let by_port = |ticket| NewTask {
        payload: Payload::number(tag::PORT, 0.0),
        ..call(ticket, Lane::Script)
    };
    let (worker, _) = joined(&pool, pool.submit(by_port(1)).unwrap());
    pool.submit(by_port(2)).unwrap();
    let first = run(pool.exchange(worker, None));
    let next = run(pool.exchange(worker, returned(&first)));
    let wants = |message, taken: &Taken| match message {
        Some(Message::Wanted {
            worker: who,
            slot,
            ticket,
            generation,
            ..
        }) => {
            assert_eq!((who, slot), (worker, taken.slot));
            assert_eq!((ticket, generation), (taken.ticket, taken.key.generation));
        }
        other => panic!("expected that it is wanted, got {other:?}"),
    };
    wants(heard(&outbox), &first);
    // Each of them follows the outcome of the task before, with which the owner reads it.
    assert!(matches!(
        heard(&outbox),
        Some(Message::Settled { ticket: 1, .. })
    ));
    wants(heard(&outbox), &next);
    assert!(outbox.is_empty());
    let _ = pool.exchange(worker, returned(&next));
    assert_eq!(settled(&outbox), [(2, "returned")]);
}

#[test]
fn the_owner_hears_that_an_isolate_is_ready_ahead_of_what_it_does() {
    let (pool, outbox) = pool(LIMITS);
    let (worker, _) = joined(&pool, pool.submit(call(1, Lane::Script)).unwrap());
    let first = run(pool.exchange(worker, None));
    let _ = pool.exchange(worker, returned(&first));
    assert!(matches!(
        outbox.receive(),
        Some(Message::Control { control: Control::Ready(id), .. }) if id == worker
    ));
    assert_eq!(settled(&outbox), [(1, "returned")]);
}
