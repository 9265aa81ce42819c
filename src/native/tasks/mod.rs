//! The built-in tasks, one file or folder per family. They are written like the tasks of a plugin, with the crate
//! `rspool-task`, and are called through the same tables. A family declares its `TABLE`; a new family needs its `mod`
//! line and its line in [`FAMILIES`].

use rspool_task::abi::Plugin;

mod array;
mod compress;
mod decompress;
mod hash;
mod math;
mod steps;
mod test;

/// The families, in the order in which their names are listed.
pub(super) static FAMILIES: &[&Plugin] = &[
    &array::TABLE,
    &compress::TABLE,
    &decompress::TABLE,
    &hash::TABLE,
    &math::TABLE,
];

/// The tasks that exist to test the pool.
pub(super) static TEST_FAMILY: &Plugin = &test::TABLE;
