//! The native lane: threads that run Rust tasks, their context and registry.

pub mod context;
pub mod error;
pub mod params;
pub mod registry;
pub mod tasks;
pub mod value;
