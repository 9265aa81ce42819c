//! The claims on locks: never two hold a name, and nobody who waits is forgotten.

use loom::sync::Arc;
use loom::thread;

use super::claim::{Board, Claim, recover};
use crate::sync::{AtomicU32, AtomicU64, Condvar, Mutex, Ordering::SeqCst};

const NAME: [u64; 2] = [7, 7];

/// Two claims, and a bell for each of two seats: a ring that is lost is a sleep for ever, which loom finds.
#[derive(Debug, Default)]
struct Memory {
    words: [[AtomicU64; 6]; 2],
    used: AtomicU64,
    tickets: AtomicU64,
    rings: [Mutex<u32>; 2],
    rung: [Condvar; 2],
    inside: AtomicU32,
}

impl Board for Memory {
    fn claims(&self) -> usize {
        self.words.len()
    }

    fn word(&self, claim: usize, word: usize) -> &AtomicU64 {
        &self.words[claim][word]
    }

    fn used(&self) -> &AtomicU64 {
        &self.used
    }

    fn tickets(&self) -> &AtomicU64 {
        &self.tickets
    }

    fn ring(&self, seat: u32) {
        *self.rings[seat as usize].lock() += 1;
        self.rung[seat as usize].notify_all();
    }
}

impl Memory {
    /// Comes, waits until it is the first, and gives its claim and its ticket.
    fn enter(&self, seat: u32) -> (Claim, u64) {
        let claim = Claim::take(self, seat, seat, NAME).unwrap();
        let ticket = claim.choose(self);
        let mut heard = 0;
        while !claim.is_first(self, ticket) {
            let mut rings = self.rings[seat as usize].lock();
            while *rings == heard {
                self.rung[seat as usize].wait(&mut rings);
            }
            heard = *rings;
        }
        (claim, ticket)
    }

    fn hold(&self) {
        assert_eq!(self.inside.fetch_add(1, SeqCst), 0, "two hold it");
        self.inside.fetch_sub(1, SeqCst);
    }
}

/// Every order in which each thread is interrupted at most so often where it need not be.
fn bounded(interruptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.check(model);
}

#[test]
fn never_two_hold_a_name_and_both_come_to_hold_it() {
    bounded(3, || {
        let memory = Arc::new(Memory::default());
        let other = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let (claim, ticket) = memory.enter(1);
                memory.hold();
                claim.leave(&*memory);
                ticket
            })
        };
        let (claim, ticket) = memory.enter(0);
        memory.hold();
        claim.leave(&*memory);
        assert_ne!(other.join().unwrap(), ticket);
    });
}

#[test]
fn a_claim_that_goes_on_for_the_next_of_its_process_lets_those_between_go_first() {
    bounded(2, || {
        let memory = Arc::new(Memory::default());
        let other = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let (claim, _) = memory.enter(1);
                memory.hold();
                claim.leave(&*memory);
            })
        };
        let (claim, _) = memory.enter(0);
        let next = super::claim::next_ticket(&*memory);
        memory.hold();
        claim.pass_to(&*memory, next);
        let mut heard = 0;
        while !claim.is_first(&*memory, next) {
            let mut rings = memory.rings[0].lock();
            while *rings == heard {
                memory.rung[0].wait(&mut rings);
            }
            heard = *rings;
        }
        memory.hold();
        claim.leave(&*memory);
        other.join().unwrap();
    });
}

#[test]
fn what_a_dead_process_held_goes_to_who_waits() {
    bounded(2, || {
        let memory = Arc::new(Memory::default());
        // It holds the name, and is killed.
        let (_, _) = memory.enter(0);
        let watcher = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                recover(&*memory, 0);
            })
        };
        let (claim, _) = memory.enter(1);
        memory.hold();
        claim.leave(&*memory);
        watcher.join().unwrap();
    });
}
