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
#[cfg(test)]
mod streams;
mod tally;
pub mod tasks;
mod thread;

pub use thread::NativeLane;
