//! The tokens of the CPU budget: those who sleep until one is free, and those who free one.

use loom::sync::Arc;
use loom::thread;

use super::waiters::{Shared, take_turn, wait_for_token, wake};
use crate::sync::{AtomicU32, Condvar, Mutex, Ordering::SeqCst};

/// One token, and a futex without a limit: a wake-up that is lost is a sleep for ever, which loom finds.
#[derive(Debug, Default)]
struct Memory {
    sleepers: AtomicU32,
    turn: AtomicU32,
    /// 0 when it is free.
    token: AtomicU32,
    kernel: Mutex<()>,
    changed: Condvar,
}

impl Memory {
    fn taken() -> Arc<Self> {
        let memory = Self::default();
        memory.token.store(1, SeqCst);
        Arc::new(memory)
    }

    fn acquire(&self) -> bool {
        self.token.compare_exchange(0, 2, SeqCst, SeqCst).is_ok()
    }

    fn release(&self) {
        self.token.store(0, SeqCst);
        wake(self);
    }
}

impl Shared for Memory {
    fn sleepers(&self) -> &AtomicU32 {
        &self.sleepers
    }

    fn turn(&self) -> &AtomicU32 {
        &self.turn
    }

    fn has_free(&self) -> bool {
        self.token.load(SeqCst) == 0
    }

    fn sleep(&self, seen: u32) {
        let mut kernel = self.kernel.lock();
        if self.turn.load(SeqCst) == seen {
            self.changed.wait(&mut kernel);
        }
    }

    fn wake_all(&self) {
        let _kernel = self.kernel.lock();
        self.changed.notify_all();
    }
}

/// With three threads that loop: every order in which each is interrupted at most twice where it need not be.
fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

#[test]
fn who_sleeps_for_a_token_is_woken_when_it_is_released() {
    loom::model(|| {
        let memory = Memory::taken();
        let holder = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || memory.release())
        };
        wait_for_token(&*memory);
        assert!(memory.acquire());
        holder.join().unwrap();
        assert_eq!(memory.sleepers.load(SeqCst), 0);
    });
}

#[test]
fn all_that_sleep_are_woken_and_one_gets_the_token() {
    bounded(|| {
        let memory = Memory::taken();
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let memory = Arc::clone(&memory);
                thread::spawn(move || {
                    wait_for_token(&*memory);
                    let got = memory.acquire();
                    if got {
                        // Back again, so that the other one's sleep ends too.
                        memory.release();
                    }
                    got
                })
            })
            .collect();
        memory.release();
        let got = sleepers
            .into_iter()
            .filter_map(|sleeper| sleeper.join().unwrap().then_some(()))
            .count();
        assert!(got >= 1);
    });
}

#[test]
fn tokens_of_a_dead_holder_wake_whoever_is_not_counted_too() {
    loom::model(|| {
        let memory = Memory::taken();
        let primary = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                memory.token.store(0, SeqCst);
                take_turn(&*memory);
            })
        };
        wait_for_token(&*memory);
        primary.join().unwrap();
    });
}
