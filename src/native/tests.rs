//! Streams of native tasks, with real threads, and with an owner that reads as a test wants it.

use std::sync::Arc;
use std::time::Duration;

use super::{NativeLane, registry};
use crate::scheduler::tests::{LIMITS, call};
use crate::scheduler::{
    Attachments, Body, Flow, Key, Lane, Message, NewTask, Outbox, Outcome, Payload, PoolLimits,
    Scheduler,
};
use crate::wire::tag;

/// A pool, and its owner.
struct Owner {
    pool: Arc<Scheduler>,
    outbox: Arc<Outbox>,
}

/// What came for a call.
#[derive(Debug)]
enum Heard {
    Chunk(f64),
    Ended(Outcome),
}

impl Owner {
    fn new(max_threads: u32) -> Self {
        let limits = PoolLimits {
            max_threads,
            abort_grace: u32::MAX,
            label: "streams".into(),
            ..LIMITS
        };
        let outbox = Arc::new(Outbox::default());
        let lane = Arc::new(NativeLane::default());
        let pool = Scheduler::new(1, limits, Arc::clone(&outbox), lane).unwrap();
        Self { pool, outbox }
    }

    /// Submits a task. `room` is that of a stream, or 0.
    fn submit(&self, ticket: u32, name: &str, input: u32, room: u32, params: Option<&str>) -> Key {
        let target = registry::names().position(|known| known == name).unwrap();
        let attachments = Attachments {
            params: params.map(Into::into),
            flow: (room > 0).then(|| Arc::new(Flow::new(room))),
            ..Attachments::default()
        };
        let new = NewTask {
            target: target as u32,
            payload: Payload::number(tag::NUMBER, f64::from(input)),
            attachments: Some(Box::new(attachments)),
            ..call(ticket, Lane::Native)
        };
        self.pool.submit(new).unwrap().key
    }

    /// The next that comes for any call.
    fn hear(&self) -> (u32, Heard) {
        loop {
            if let Some(heard) = self.heard() {
                return heard;
            }
            self.outbox.wait(Duration::from_secs(60));
        }
    }

    /// The next that has come for any call.
    fn heard(&self) -> Option<(u32, Heard)> {
        loop {
            match self.outbox.receive()? {
                Message::Chunk {
                    ticket, payload, ..
                } => {
                    let number = match payload.body {
                        Body::Number(number) => number,
                        Body::Bytes(bytes) => f64::from(bytes[0]),
                        other => panic!("{other:?}"),
                    };
                    return Some((ticket, Heard::Chunk(number)));
                }
                Message::Settled { ticket, outcome } => {
                    return Some((ticket, Heard::Ended(outcome)));
                }
                _ => {}
            }
        }
    }

    /// The result of a task.
    fn result(&self, ticket: u32, name: &str, input: u32) -> f64 {
        self.submit(ticket, name, input, 0, None);
        match self.hear() {
            (
                heard,
                Heard::Ended(Outcome::Returned(Payload {
                    body: Body::Number(number),
                    ..
                })),
            ) if heard == ticket => number,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until no task has a place.
    fn until_idle(&self) {
        while self
            .pool
            .snapshot()
            .workers
            .iter()
            .any(|worker| worker.state == "busy")
        {
            std::thread::yield_now();
        }
    }

    fn close(self) {
        self.pool.close();
        while !self.pool.snapshot().workers.is_empty() {
            std::thread::yield_now();
        }
    }
}

fn failure(outcome: Outcome) -> (String, String) {
    match outcome {
        Outcome::Failed { code, message } => (code.into_owned(), message.into()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn chunks_come_in_order_and_then_the_end() {
    let owner = Owner::new(2);
    for room in [1, 2, 16, 5000] {
        let key = owner.submit(7, "test.emit", 2000, room, None);
        for n in 0..2000 {
            assert!(matches!(owner.hear(), (7, Heard::Chunk(number)) if number == f64::from(n)));
            owner.pool.has_read(key, 1);
        }
        let (_, end) = owner.hear();
        assert!(matches!(end, Heard::Ended(Outcome::Returned(_))), "{end:?}");
        // The reader is late, and harms nobody.
        owner.pool.has_read(key, 1);
    }
    owner.close();
}

#[test]
fn a_reader_that_takes_nothing_gets_no_more_than_there_is_room_for_and_keeps_no_place() {
    let owner = Owner::new(1);
    let keys: Vec<_> = (0..5)
        .map(|ticket| owner.submit(ticket, "test.emit", 100, 3, None))
        .collect();
    for _ in 0..5 * 3 {
        assert!(matches!(owner.hear(), (_, Heard::Chunk(_))));
    }
    // All five have begun, in a pool with one place, and none keeps it.
    owner.until_idle();
    assert_eq!(owner.result(9, "test.echo", 4), 4.0);
    let workers = owner.pool.snapshot().workers;
    assert!(workers.iter().filter(|worker| worker.running == 1).count() == 5);
    let mut left = [97; 5];
    keys.iter().for_each(|&key| owner.pool.has_read(key, 3));
    for _ in 0..5 * 97 + 5 {
        match owner.hear() {
            (ticket, Heard::Chunk(number)) => {
                let left = &mut left[ticket as usize];
                assert_eq!(number, f64::from(100 - *left));
                *left -= 1;
                owner.pool.has_read(keys[ticket as usize], 1);
                let busy = owner.pool.snapshot().workers;
                let busy = busy.iter().filter(|worker| worker.state == "busy");
                assert!(busy.count() <= 1, "one has the place");
            }
            (ticket, Heard::Ended(_)) => assert_eq!(left[ticket as usize], 0),
        }
    }
    owner.close();
}

#[test]
fn a_large_chunk_waits_for_the_reader_whatever_the_room() {
    let owner = Owner::new(1);
    let key = owner.submit(1, "test.emit", 6, 100, Some(r#"{"bytes":2097152}"#));
    for n in 0..5 {
        assert!(matches!(owner.hear(), (1, Heard::Chunk(number)) if number == f64::from(n)));
        owner.until_idle();
        assert!(owner.heard().is_none(), "one at a time");
        owner.pool.has_read(key, 1);
    }
    assert!(matches!(owner.hear(), (1, Heard::Chunk(5.0))));
    assert!(matches!(owner.hear(), (1, Heard::Ended(_))));
    owner.close();
}

#[test]
fn a_reader_that_leaves_ends_the_task_that_waits() {
    let owner = Owner::new(1);
    for _ in 0..50 {
        let key = owner.submit(1, "test.emit", u32::MAX, 10, None);
        for _ in 0..10 {
            assert!(matches!(owner.hear(), (1, Heard::Chunk(_))));
        }
        assert!(owner.pool.cancel(key), "the owner tells the outcome");
        assert_eq!(owner.result(2, "test.echo", 5), 5.0);
    }
    // Before it began, and while it runs.
    let keys: Vec<_> = (0..50)
        .map(|ticket| owner.submit(ticket, "test.emit", u32::MAX, 1000, None))
        .collect();
    for key in keys {
        assert!(owner.pool.cancel(key));
    }
    owner.submit(100, "test.echo", 6, 0, None);
    while !matches!(owner.hear(), (100, Heard::Ended(_))) {}
    owner.close();
}

#[test]
fn a_panic_comes_after_the_chunks() {
    let owner = Owner::new(1);
    let key = owner.submit(1, "test.emit", 100, 4, Some(r#"{"panicAt":10}"#));
    for n in 0..10 {
        assert!(matches!(owner.hear(), (1, Heard::Chunk(number)) if number == f64::from(n)));
        owner.pool.has_read(key, 1);
    }
    let (1, Heard::Ended(outcome)) = owner.hear() else {
        panic!("no end");
    };
    let (code, message) = failure(outcome);
    assert_eq!(code, "ERR_RSPOOL_TASK_PANIC");
    assert!(message.contains("asked to, before 10"), "{message}");
    assert_eq!(owner.result(2, "test.echo", 5), 5.0);
    owner.close();
}

#[test]
fn a_task_that_emits_and_is_no_stream_says_so() {
    let owner = Owner::new(1);
    owner.submit(1, "test.emit", 3, 0, None);
    let (1, Heard::Ended(outcome)) = owner.hear() else {
        panic!("no end");
    };
    let (code, message) = failure(outcome);
    assert_eq!(code, rspool_task::NOT_A_STREAM);
    assert!(message.starts_with("test.emit: "), "{message}");
    owner.close();
}

#[test]
fn a_pool_that_is_destroyed_ends_the_streams_that_wait() {
    for _ in 0..20 {
        let owner = Owner::new(2);
        for ticket in 0..4 {
            owner.submit(ticket, "test.emit", u32::MAX, 5, None);
        }
        for _ in 0..4 * 5 {
            assert!(matches!(owner.hear(), (_, Heard::Chunk(_))));
        }
        owner.pool.destroy();
        for _ in 0..4 {
            let (_, end) = owner.hear();
            assert!(matches!(end, Heard::Ended(Outcome::PoolClosed)), "{end:?}");
        }
        owner.close();
    }
}

#[test]
fn a_pool_that_is_closed_lets_its_streams_end() {
    let owner = Owner::new(1);
    let key = owner.submit(1, "test.emit", 50, 5, None);
    for n in 0..50 {
        assert!(matches!(owner.hear(), (1, Heard::Chunk(_))));
        if n == 10 {
            owner.until_idle();
            owner.pool.close();
        }
        owner.pool.has_read(key, 1);
    }
    let (_, end) = owner.hear();
    assert!(matches!(end, Heard::Ended(Outcome::Returned(_))), "{end:?}");
    owner.close();
}

#[test]
fn many_streams_with_readers_of_all_kinds_each_get_all_of_their_chunks() {
    const CHUNKS: u32 = 300;
    let owner = Owner::new(3);
    let keys: Vec<_> = (0..24)
        .map(|ticket| owner.submit(ticket, "test.emit", CHUNKS, 1 + ticket % 7, None))
        .collect();
    let (mut seen, mut owed, mut ended) = ([0u32; 24], [0usize; 24], 0);
    let mut random = 0x9e37_79b9_u32;
    while ended < keys.len() {
        let heard = owner.heard();
        let all = heard.is_none();
        match heard {
            Some((ticket, Heard::Chunk(number))) => {
                let at = ticket as usize;
                assert_eq!(number, f64::from(seen[at]));
                seen[at] += 1;
                owed[at] += 1;
            }
            Some((ticket, Heard::Ended(outcome))) => {
                assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}");
                assert_eq!(seen[ticket as usize], CHUNKS);
                ended += 1;
            }
            None => std::thread::yield_now(),
        }
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        // One reader reads now and then, and all do once nothing more comes.
        for (at, owed) in owed.iter_mut().enumerate() {
            if *owed > 0 && (all || random as usize % 24 == at) {
                owner.pool.has_read(keys[at], std::mem::take(owed));
            }
        }
    }
    owner.close();
}
