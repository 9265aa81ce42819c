//! The calls that a pool gets from the parts that all pools of the process share: the timer and the CPU budget.

/// A pool as the timer and the budget see it. The calls come from other threads, which hold none of the pool's locks.
pub(super) trait Called: Send + Sync {
    /// The time of an alarm has come.
    fn alarm(&self);

    /// There may be a free token of the CPU budget.
    fn look_again(&self);
}
