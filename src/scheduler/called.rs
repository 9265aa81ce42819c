//! What a pool is called for by what all pools of the process share: the timer and the CPU budget.

/// Is called from other threads, which hold none of its locks.
pub(super) trait Called: Send + Sync {
    /// A time has come that it wanted to be told of.
    fn alarm(&self);

    /// There may be a free token of the CPU budget.
    fn look_again(&self);
}
