//! The native lane: threads that run Rust tasks, and the registry of these. Tasks see no more of it than the crate
//! `rspool-task` shows, the built-in ones neither.

mod call;
mod parker;
mod payload;
pub mod plugins;
mod record;
pub mod registry;
mod states;
mod tally;
pub mod tasks;
mod thread;

pub use thread::NativeLane;
