//! The two kinds of executor, and an array with one entry for each.

use std::ops::{Index, IndexMut};

use crate::wire;

/// A kind of executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// Rust code on plain threads.
    Native = wire::lane::NATIVE as u8,
    /// JavaScript functions in isolates.
    Script = wire::lane::SCRIPT as u8,
}

impl Lane {
    /// Both lanes.
    pub const ALL: [Lane; 2] = [Lane::Native, Lane::Script];

    /// The lane that this one shares the pool's CPU limit with.
    #[must_use]
    pub fn other(self) -> Lane {
        match self {
            Lane::Native => Lane::Script,
            Lane::Script => Lane::Native,
        }
    }
}

/// One `T` per lane.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PerLane<T>(pub(super) [T; 2]);

impl<T> Index<Lane> for PerLane<T> {
    type Output = T;

    fn index(&self, lane: Lane) -> &T {
        &self.0[lane as usize]
    }
}

impl<T> IndexMut<Lane> for PerLane<T> {
    fn index_mut(&mut self, lane: Lane) -> &mut T {
        &mut self.0[lane as usize]
    }
}
