//! The native lane: threads that run Rust tasks, their context and registry.

mod abroad;
mod call;
pub mod context;
pub mod data;
pub mod error;
mod panics;
pub mod parallel;
pub mod params;
mod parker;
mod payload;
pub mod plugins;
pub mod record;
pub mod registry;
mod states;
pub mod tasks;
mod thread;
pub mod value;

pub use thread::NativeLane;
