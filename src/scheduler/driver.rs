//! Plays an owner and its workers by threads: does with a pool what JavaScript does, without JavaScript. For
//! ThreadSanitizer, which sees all of this but nothing within Node.js.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::tests::{LIMITS, Never, call, returned};
use super::*;

/// A doorbell for an event loop that is a condition variable.
#[derive(Debug, Default)]
struct EventLoop {
    ringer: Ringer,
    turns: Mutex<bool>,
    changed: Condvar,
    /// Like the cancel flags in the memory of an isolate.
    given_up: AtomicU32,
}

impl EventLoop {
    fn turn(&self) {
        let mut turns = self.turns.lock();
        while !*turns {
            self.changed.wait(&mut turns);
        }
        *turns = false;
        drop(turns);
        self.ringer.answer();
    }
}

impl Bell for EventLoop {
    fn ring(&self, why: Ring) {
        self.ringer.ring(why, || {
            *self.turns.lock() = true;
            self.changed.notify_all();
        });
    }

    fn cancel(&self, _slot: u32, generation: u32) {
        self.given_up.store(generation, SeqCst);
        self.ring(Ring::Cancel);
    }
}

/// Does what an isolate does: joins, hands over outcomes, takes tasks, and waits for its bell.
fn isolate(pool: &Arc<Scheduler>, id: WorkerId) {
    let bell = Arc::new(EventLoop::default());
    if pool.join(id, Arc::clone(&bell) as _) {
        let mut finished = None;
        loop {
            match pool.exchange(id, finished.take()) {
                Step::Run(taken) => {
                    let _ = bell.given_up.load(SeqCst) == taken.key.generation;
                    finished = returned(&taken);
                }
                Step::Idle => bell.turn(),
                Step::Help(help) => pool.help(id, help),
                Step::Retire => break,
            }
        }
    }
    pool.leave(id);
}

#[test]
fn an_owner_and_its_isolates_settle_each_task_once() {
    const TASKS: u32 = 3000;
    let outbox = Arc::new(Outbox::default());
    let owner = Arc::new(EventLoop::default());
    outbox.attach(Arc::clone(&owner) as _);
    let pool = Scheduler::new(1, LIMITS, Arc::clone(&outbox), Never).unwrap();
    let mut isolates = Vec::new();
    let mut settled = vec![0u8; TASKS as usize];
    let mut keys = Vec::new();
    let mut start = |id| {
        let pool = Arc::clone(&pool);
        isolates.push(thread::spawn(move || isolate(&pool, id)));
    };
    let drain = |settled: &mut Vec<u8>, start: &mut dyn FnMut(WorkerId)| {
        while let Some(message) = outbox.receive() {
            match message {
                Message::Settled { ticket, .. } => settled[ticket as usize] += 1,
                Message::Control {
                    control: Control::Start(id),
                    ..
                } => start(id),
                Message::Control { .. }
                | Message::Started { .. }
                | Message::Progress { .. }
                | Message::Chunk { .. }
                | Message::Wanted { .. } => {}
            }
        }
    };
    for ticket in 0..TASKS {
        let submitted = pool.submit(call(ticket, Lane::Script)).unwrap();
        keys.push(submitted.key);
        if let Some(id) = submitted.start {
            start(id);
        }
        match ticket % 64 {
            // Some tasks are given up. Then the owner tells their outcome.
            7 if pool.cancel(keys[ticket as usize / 2]) => settled[ticket as usize / 2] += 1,
            // Now and then the owner is blocked, and waits as `runSync` does.
            30 => {
                outbox.block(true);
                outbox.wait(Duration::from_millis(1));
                drain(&mut settled, &mut start);
                outbox.block(false);
            }
            50 => drain(&mut settled, &mut start),
            _ => {}
        }
    }
    while settled.contains(&0) {
        owner.turn();
        drain(&mut settled, &mut start);
    }
    pool.close();
    for isolate in isolates {
        isolate.join().unwrap();
    }
    assert!(settled.iter().all(|&times| times == 1), "each once");
}
