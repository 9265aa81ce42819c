//! The CPU budget of a cluster: tokens in the region, which the pools of all processes share.
//!
//! A pool may always run one task. For each further task it takes a token, and gives the token back when the task has
//! ended, so that no idle worker ever holds one. A token is one word: 0 if it is free, otherwise the number of its
//! holder. So nothing has to be repaired when a holder is killed: the primary frees the words with its number
//! ([`Budget::reclaim`]).
//!
//! 1. [`Budget::try_acquire`] swaps 0 for its own number in the first free word, beginning with the word it had last.
//!    Without contention, this is one atomic operation.
//! 2. A pool that gets no token may say so by [`Budget::want`]. A thread, started for the first such wish, sleeps on a
//!    futex in the region and calls back ([`Budget::on_free`]) when a token was given back.
//! 3. [`Budget::release`] frees a word of its own. If there is a sleeper, it also wakes one.
//!
//! How sleepers and releasers find each other is in [`waiters`].

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::waiters;
use crate::memory::futex;
use crate::memory::region::Region;
use crate::trust::Trust;
use crate::wire::region::shared;

/// A waiter looks by itself after this time, in case its wake-up went to a process that died with it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

type Callback = Box<dyn Fn() + Send + Sync>;

static CURRENT: OnceLock<Budget> = OnceLock::new();

/// The budget that the pools of this process share, if there is one. It never changes.
pub fn current() -> Option<&'static Budget> {
    CURRENT.get()
}

/// Makes `budget` the one of this process. Only the first call counts, and returns true; another may come from a second
/// copy of the package.
pub fn set_current(budget: Budget) -> bool {
    CURRENT.set(budget).is_ok()
}

/// The budget as one process sees it. Clones share its tokens.
#[derive(Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    region: Region,
    holder: u64,
    held: AtomicUsize,
    hint: AtomicUsize,
    callbacks: Mutex<Vec<Callback>>,
    wish: Mutex<Wish>,
    bell: Condvar,
}

#[derive(Default)]
struct Wish {
    wanted: bool,
    has_thread: bool,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.free();
        f.debug_struct("Budget")
            .field("held", &self.held())
            .field("free", &free)
            .finish_non_exhaustive()
    }
}

impl Budget {
    /// The budget of a region, for the process that has the seat.
    pub fn new(region: Region, seat: u32) -> Budget {
        let inner = Inner {
            region,
            holder: u64::from(seat) + 1,
            held: AtomicUsize::new(0),
            hint: AtomicUsize::new(seat as usize),
            callbacks: Mutex::default(),
            wish: Mutex::default(),
            bell: Condvar::new(),
        };
        Budget {
            inner: Arc::new(inner),
        }
    }

    /// Takes a token if one is free.
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        let Inner { holder, held, .. } = &*self.inner;
        let got = self.inner.change(0, *holder);
        held.fetch_add(usize::from(got), Ordering::Relaxed);
        got
    }

    /// Gives a token back, and wakes a waiter.
    ///
    /// # Panics
    /// If this process holds none, which is a mistake of the caller.
    pub fn release(&self) {
        let Inner {
            region,
            holder,
            held,
            ..
        } = &*self.inner;
        let before = held.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "released a token that was not held");
        self.inner.change(*holder, 0);
        waiters::wake(region);
    }

    /// The number of tokens that this process holds.
    pub fn held(&self) -> usize {
        self.inner.held.load(Ordering::Relaxed)
    }

    /// The number of tokens that nobody holds at this moment.
    pub fn free(&self) -> usize {
        free_tokens(&self.inner.region)
    }

    /// Whether a process waits for a token, and none is free.
    pub fn is_wanted(&self) -> bool {
        waiters::has_sleepers(&self.inner.region) && self.free() == 0
    }

    /// The number of all tokens.
    pub fn size(&self) -> usize {
        self.inner.region.tokens()
    }

    /// Registers the function that a thread of the budget calls when, after [`Budget::want`], a token may be free. The
    /// function tries to acquire a token, and calls `want` again if it got none.
    pub fn on_free(&self, callback: impl Fn() + Send + Sync + 'static) {
        self.inner.callbacks.lock().push(Box::new(callback));
    }

    /// Asks for one call when a token is free. If the wish is already known, this takes only a lock and a flag. Returns
    /// false if the system gives no thread that could call: then there is no wish, and the caller has to look by
    /// itself.
    #[must_use]
    pub fn want(&self) -> bool {
        let mut wish = self.inner.wish.lock();
        if wish.has_thread {
            if !std::mem::replace(&mut wish.wanted, true) {
                self.inner.bell.notify_one();
            }
            return true;
        }
        let inner = Arc::clone(&self.inner);
        let builder = thread::Builder::new()
            .name("rspool-budget".into())
            .stack_size(64 * 1024);
        // The thread waits for the lock, so it sees the wish when it looks.
        wish.has_thread = builder.spawn(move || inner.wait_and_call()).is_ok();
        wish.wanted = wish.has_thread;
        wish.has_thread
    }

    /// Frees the tokens of a process that has ended, and returns their number. The primary calls this before it gives
    /// the seat to another process.
    pub fn reclaim(region: &Region, seat: u32) -> usize {
        let holder = u64::from(seat) + 1;
        let freed = (0..region.tokens())
            .filter(|&token| {
                let word = region.token(token);
                word.compare_exchange(holder, 0, Ordering::SeqCst, Ordering::Relaxed)
                    .is_ok()
            })
            .count();
        if freed > 0 {
            waiters::take_turn(region);
        }
        freed
    }
}

impl Inner {
    /// Changes the first token that is `from` to `to`, beginning with the token that was changed last. Returns false if
    /// there is none.
    fn change(&self, from: u64, to: u64) -> bool {
        let tokens = self.region.tokens();
        let first = self.hint.load(Ordering::Relaxed);
        let changed = (0..tokens)
            .map(|step| (first + step) % tokens)
            .find(|&token| {
                let word = self.region.token(token);
                // No other memory is handed over with a token. SeqCst pairs with the look for sleepers in `release`.
                // The look before that skips tokens that others have. It may be outdated, which must not hide a token
                // that is ours.
                (from != 0 || word.load(Ordering::Relaxed) == 0)
                    && word
                        .compare_exchange(from, to, Ordering::SeqCst, Ordering::Relaxed)
                        .is_ok()
            });
        if let Some(token) = changed {
            self.hint.store(token, Ordering::Relaxed);
        }
        changed.is_some()
    }

    /// The waiting thread: sleeps until there is a wish, then until there is a token, and then calls.
    fn wait_and_call(&self) {
        let _trust = Trust::new("waiting for a token of the CPU budget");
        loop {
            let mut wish = self.wish.lock();
            while !wish.wanted {
                self.bell.wait(&mut wish);
            }
            drop(wish);
            waiters::wait_for_token(&self.region);
            self.wish.lock().wanted = false;
            for callback in &*self.callbacks.lock() {
                callback();
            }
        }
    }
}

fn free_tokens(region: &Region) -> usize {
    (0..region.tokens())
        .filter(|&token| region.token(token).load(Ordering::SeqCst) == 0)
        .count()
}

impl waiters::Shared for Region {
    fn sleepers(&self) -> &AtomicU32 {
        self.shared_u32(shared::BUDGET_WAITERS)
    }

    fn turn(&self) -> &AtomicU32 {
        self.shared_u32(shared::BUDGET_WAKE)
    }

    fn has_free(&self) -> bool {
        free_tokens(self) > 0
    }

    fn sleep(&self, seen: u32) {
        futex::sleep(self.turn(), seen, LOOK_AGAIN);
    }

    fn wake_all(&self) {
        // Wakes all of them, because each has a pool of its own to ask.
        futex::wake_all(self.turn());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::region::Spec;
    use std::sync::mpsc;

    fn region(tokens: u32) -> Region {
        let spec = Spec {
            seats: 8,
            rows: 1,
            cells: 1,
            tokens,
            ..Spec::default()
        };
        Region::create(spec, "").unwrap()
    }

    #[test]
    fn there_are_as_many_tokens_as_the_budget_says() {
        let region = region(2);
        let (one, two) = (
            Budget::new(region.remap().unwrap(), 0),
            Budget::new(region.remap().unwrap(), 1),
        );
        assert!(one.try_acquire() && two.try_acquire());
        assert!(!one.try_acquire() && !two.try_acquire());
        one.release();
        assert_eq!((one.held(), two.held(), two.free()), (0, 1, 1));
        assert!(two.try_acquire());
        assert!(!one.try_acquire());
        assert_eq!(two.held(), 2);
    }

    #[test]
    fn the_tokens_of_the_dead_come_back() {
        let region = region(3);
        let (dead, other) = (
            Budget::new(region.remap().unwrap(), 4),
            Budget::new(region.remap().unwrap(), 5),
        );
        assert!(dead.try_acquire() && dead.try_acquire() && other.try_acquire());
        assert_eq!(Budget::reclaim(&region, 4), 2);
        assert_eq!(Budget::reclaim(&region, 4), 0);
        assert_eq!((other.free(), other.held()), (2, 1));
    }

    #[test]
    #[should_panic(expected = "not held")]
    fn giving_back_what_one_does_not_have_panics() {
        Budget::new(region(1), 0).release();
    }

    #[test]
    fn who_wants_a_token_is_called_when_one_is_given_back() {
        let region = region(1);
        let (holder, waiter) = (
            Budget::new(region.remap().unwrap(), 0),
            Budget::new(region.remap().unwrap(), 1),
        );
        assert!(holder.try_acquire());
        let (send, receive) = mpsc::channel();
        waiter.on_free(move || send.send(()).unwrap());
        for _ in 0..100 {
            assert!(!waiter.try_acquire());
            assert!(waiter.want());
            holder.release();
            receive.recv_timeout(Duration::from_secs(10)).unwrap();
            assert!(waiter.try_acquire());
            waiter.release();
            assert!(holder.try_acquire());
        }
    }

    #[test]
    fn threads_never_hold_more_than_there_are() {
        let region = region(3);
        let running = AtomicUsize::new(0);
        thread::scope(|scope| {
            for seat in 0..6 {
                let budget = Budget::new(region.remap().unwrap(), seat);
                let running = &running;
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        if budget.try_acquire() {
                            assert!(running.fetch_add(1, Ordering::SeqCst) < 3);
                            running.fetch_sub(1, Ordering::SeqCst);
                            budget.release();
                        }
                    }
                });
            }
        });
        assert_eq!(Budget::new(region, 7).free(), 3);
    }
}
