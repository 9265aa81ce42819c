//! A pool's part in the CPU budget of a cluster or of a process. Without a budget, each call only checks for one.
//!
//! A pool may always run one task; each further busy worker needs a token of the budget. A pool holds as many tokens as
//! its busy workers need, and gives them back when they are idle again, so no idle worker ever has one. A pool that
//! lacks a token says so, and looks again when the budget calls it.

use std::sync::{Once, Weak};

use parking_lot::Mutex;

use super::called::Called;
use crate::supervise::budget::{self, Budget};

/// The pools that lack a token.
static STARVED: Mutex<Vec<Weak<dyn Called>>> = Mutex::new(Vec::new());

/// The tokens of one pool.
#[derive(Debug)]
pub(super) struct Share {
    budget: Option<&'static Budget>,
    tokens: u32,
    starved: bool,
}

impl Share {
    /// The share of a pool of this process.
    pub(super) fn new() -> Self {
        Self::of(budget::current())
    }

    fn of(budget: Option<&'static Budget>) -> Self {
        Self {
            budget,
            tokens: 0,
            starved: false,
        }
    }

    /// # Panics
    /// If the pool has a token that no worker needs. To be called after [`settle`](Self::settle).
    #[cfg(test)]
    pub(super) fn check(&self, busy: u32) {
        let needed = busy.saturating_sub(1);
        assert!(
            self.tokens <= needed,
            "{} tokens for {busy} busy workers",
            self.tokens
        );
    }

    /// Whether one more worker may be busy besides `busy` others. If so, takes the token for it.
    pub(super) fn afford(&mut self, busy: u32) -> bool {
        let Some(budget) = self.budget else {
            return true;
        };
        if self.tokens >= busy {
            return true;
        }
        let got = budget.try_acquire();
        self.tokens += u32::from(got);
        self.starved |= !got;
        got
    }

    /// Whether [`afford`](Self::afford) would probably say yes. Takes nothing.
    pub(super) fn could_afford(&mut self, busy: u32) -> bool {
        let Some(budget) = self.budget else {
            return true;
        };
        let could = self.tokens >= busy || budget.free() > 0;
        self.starved |= !could;
        could
    }

    /// As [`afford`](Self::afford), for a worker that would only help: the budget does not hear that a token is
    /// lacking.
    pub(super) fn afford_help(&mut self, busy: u32) -> bool {
        let starved = self.starved;
        let got = self.afford(busy);
        self.starved = starved;
        got
    }

    /// Whether [`afford_help`](Self::afford_help) would probably say yes.
    pub(super) fn has_token(&self, busy: u32) -> bool {
        self.budget
            .is_none_or(|budget| self.tokens >= busy || budget.free() > 0)
    }

    /// Gives back the tokens that `busy` workers do not need. Returns true, once, if the pool has lacked a token since.
    pub(super) fn settle(&mut self, busy: u32) -> bool {
        let Some(budget) = self.budget else {
            return false;
        };
        while self.tokens > busy.saturating_sub(1) {
            self.tokens -= 1;
            budget.release();
        }
        std::mem::take(&mut self.starved)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.settle(0);
    }
}

/// Whether another pool or process waits for a token of the budget.
pub(super) fn is_wanted() -> bool {
    budget::current().is_some_and(Budget::is_wanted)
}

/// Asks for a call when a token is free, so that the pool looks again. Returns false if nobody can make that call.
pub(super) fn wait_for_token(pool: Weak<dyn Called>) -> bool {
    let Some(budget) = budget::current() else {
        return true;
    };
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| budget.on_free(look_again));
    let mut starved = STARVED.lock();
    if !starved.iter().any(|other| other.ptr_eq(&pool)) {
        starved.push(pool);
    }
    drop(starved);
    budget.want()
}

fn look_again() {
    let starved = std::mem::take(&mut *STARVED.lock());
    for pool in starved.iter().filter_map(Weak::upgrade) {
        pool.look_again();
    }
}

#[cfg(all(test, unix))]
pub(super) mod tests {
    use super::*;
    use crate::memory::region::{Region, Spec};

    impl Share {
        /// A share of a budget of `tokens` tokens.
        pub(in crate::scheduler) fn of_tokens(tokens: u32) -> (Self, &'static Budget) {
            let spec = Spec {
                seats: 1,
                rows: 1,
                cells: 1,
                tokens,
                ..Spec::default()
            };
            let region = Region::create(spec, "").unwrap();
            let budget: &'static Budget = Box::leak(Box::new(Budget::new(region, 0)));
            (Self::of(Some(budget)), budget)
        }
    }

    #[test]
    fn a_pool_holds_a_token_for_each_busy_worker_but_one() {
        let (mut share, budget) = Share::of_tokens(2);
        assert!(share.afford(0), "one may always be busy");
        assert_eq!(budget.held(), 0);
        assert!(share.afford(1) && share.afford(2));
        assert_eq!(budget.held(), 2);
        assert!(!share.afford(3), "there are no more");
        assert!(share.settle(3), "it lacked one");
        for (busy, held) in [(3, 2), (2, 1), (1, 0), (0, 0)] {
            assert!(!share.settle(busy));
            assert_eq!(budget.held(), held, "{busy} are busy");
            share.check(busy);
        }
    }

    #[test]
    fn a_pool_that_is_gone_has_given_its_tokens_back() {
        let (mut share, budget) = Share::of_tokens(2);
        assert!(share.afford(1));
        drop(share);
        assert_eq!((budget.held(), budget.free()), (0, 2));
    }
}
