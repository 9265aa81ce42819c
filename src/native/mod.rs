//! The native lane: threads that run Rust tasks, and the registry of these tasks. Tasks, even the built-in ones, see no
//! more of it than the crate `rspool-task` shows.

mod call;
#[cfg(unix)]
mod map;
mod parker;
mod payload;
pub mod plugins;
mod record;
pub mod registry;
mod states;
mod tally;
pub mod tasks;
#[cfg(test)]
mod tests;
mod thread;

pub use thread::NativeLane;
