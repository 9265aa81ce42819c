//! The built-in tasks, a file or a folder per family. A family lists its tasks in `TASKS`; a new family takes
//! its `mod` line and its line in [`FAMILIES`].

use super::registry::NativeTask;

mod array;
mod compress;
mod hash;
mod math;
mod test;

/// The families, in the order in which their names are listed.
pub(super) static FAMILIES: &[&[NativeTask]] =
    &[array::TASKS, compress::TASKS, hash::TASKS, math::TASKS];

/// The tasks that exist to test the pool.
pub(super) static TEST_FAMILY: &[NativeTask] = test::TASKS;
