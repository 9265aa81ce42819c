//! The names of what a pool has: small numbers, each with what tells it from others that have had it.

/// Names a task of one pool: an index that is reused, and a generation that is not for a long time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where the task is stored.
    pub index: u32,
    /// Which of the tasks that were ever stored there. Never 0, which stands for no task.
    pub generation: u32,
}

/// Names a worker of one pool. Reused only after the one that had it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(pub u32);

impl WorkerId {
    pub(super) const NONE: WorkerId = WorkerId(u32::MAX);
}

/// Names a group of tasks.
pub(super) type GroupId = u32;

/// The group of tasks that were given none.
pub(super) const PLAIN: GroupId = 0;
