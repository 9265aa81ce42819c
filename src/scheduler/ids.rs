//! The ids of tasks, workers and groups: small numbers, each with something that distinguishes its uses.

/// Names a task of one pool, by an index that is used again and a generation that is not used again for a long time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Where the task is stored.
    pub index: u32,
    /// Which of the tasks that were stored there. Never 0, which stands for no task.
    pub generation: u32,
}

/// Names a worker of one pool. Used again only after the worker that had it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerId(pub u32);

impl WorkerId {
    pub(super) const NONE: WorkerId = WorkerId(u32::MAX);
}

/// Names a group of tasks.
pub(super) type GroupId = u32;

/// The group of tasks that name none.
pub(super) const PLAIN: GroupId = 0;
