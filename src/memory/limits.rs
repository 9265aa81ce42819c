//! A limit on how often something may happen: the generic cell rate algorithm. Its state for a key is one moment.
//!
//! That moment is when all points that were taken will have been earned back: each costs `interval`. It may be ahead of
//! now by `burst` intervals at most. A state in the past is as good as none, so it may be forgotten.

/// The limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Nanoseconds in which one point is earned.
    interval: u64,
    /// Nanoseconds by which the state may be ahead of now.
    tolerance: u64,
}

/// The result of a request for points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The new state, if the points were given.
    pub state: Option<u64>,
    /// How many more points could be taken now.
    pub remaining: u64,
    /// Nanoseconds until the points could be given; 0 if they were.
    pub retry_after: u64,
}

impl Limit {
    /// `points` per `per` nanoseconds, and `burst` points at once after a quiet time.
    pub fn new(points: u64, per: u64, burst: u64) -> Limit {
        let interval = (per / points.max(1)).max(1);
        Limit {
            interval,
            tolerance: interval.saturating_mul(burst.max(1)),
        }
    }

    /// Takes `points` at the moment `now` from a key with this state.
    pub fn take(&self, state: Option<u64>, now: u64, points: u64) -> Taken {
        // A state that is further ahead than this limit ever writes is not a state of this limit.
        let ahead = state.map_or(0, |state| state.saturating_sub(now));
        let ahead = ahead.min(self.tolerance);
        let after = ahead.saturating_add(self.interval.saturating_mul(points));
        let given = after <= self.tolerance;
        let ahead = if given { after } else { ahead };
        Taken {
            state: given.then_some(now.saturating_add(after)),
            remaining: (self.tolerance - ahead) / self.interval,
            retry_after: after.saturating_sub(self.tolerance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn taken(state: u64, remaining: u64) -> Taken {
        Taken {
            state: Some(state),
            remaining,
            retry_after: 0,
        }
    }

    #[test]
    fn so_many_are_given_at_once_and_then_one_by_one_as_they_are_earned() {
        let limit = Limit::new(10, SECOND, 3);
        let now = 5 * SECOND;
        let first = limit.take(None, now, 1);
        assert_eq!(first, taken(now + SECOND / 10, 2));
        let last = limit.take(first.state, now, 2);
        assert_eq!(last, taken(now + 3 * SECOND / 10, 0));
        let refused = limit.take(last.state, now + 1, 1);
        assert_eq!(refused.state, None);
        assert_eq!(refused.retry_after, SECOND / 10 - 1);
        let later = now + SECOND / 10;
        assert_eq!(
            limit.take(last.state, later, 1).state,
            Some(now + 4 * SECOND / 10)
        );
    }

    #[test]
    fn a_state_in_the_past_is_as_good_as_none() {
        let limit = Limit::new(10, SECOND, 3);
        for state in [None, Some(0), Some(SECOND)] {
            assert_eq!(limit.take(state, SECOND, 1), limit.take(None, SECOND, 1));
        }
    }

    #[test]
    fn more_than_the_burst_is_never_given() {
        let limit = Limit::new(10, SECOND, 3);
        let wish = limit.take(None, SECOND, 4);
        assert_eq!((wish.state, wish.remaining), (None, 3));
        assert!(limit.take(None, SECOND, u64::MAX).state.is_none());
    }

    proptest! {
        #[test]
        fn over_any_time_no_more_is_given_than_was_earned_and_the_burst(
            points in 1..1000u64,
            burst in 1..50u64,
            steps in prop::collection::vec((0..SECOND / 20, 1..5u64), 1..200),
        ) {
            let limit = Limit::new(points, SECOND, burst);
            let (mut now, mut state, mut given) = (SECOND, None, 0);
            for (pause, wanted) in steps {
                now += pause;
                let wish = limit.take(state, now, wanted);
                if let Some(next) = wish.state {
                    state = Some(next);
                    given += wanted;
                    prop_assert_eq!(wish.retry_after, 0);
                } else {
                    // `retry_after` is exact: not a moment sooner, and not later.
                    prop_assert!(wish.retry_after > 0 || wanted > burst);
                    if wanted <= burst {
                        let then = now + wish.retry_after;
                        prop_assert!(limit.take(state, then, wanted).state.is_some());
                        prop_assert!(limit.take(state, then - 1, wanted).state.is_none());
                    }
                    prop_assert_eq!(limit.take(state, now, wish.remaining.max(1)).state.is_some(), wish.remaining > 0);
                }
            }
            let earned = (now - SECOND) / (SECOND / points);
            prop_assert!(given <= earned + burst, "{} of {} and {}", given, earned, burst);
        }
    }
}
