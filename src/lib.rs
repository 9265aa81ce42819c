//! rspool: one pool for all the CPU work of a Node.js app.
//!
//! Rust schedules; lanes execute. A task is native (Rust on a bare thread) or a script task
//! (a JavaScript function in an isolate); both queue in one [`scheduler`]. The `node` module is
//! the only one that names Node-API; everything else is plain Rust.

pub mod cpu;
pub mod manner;
pub mod memory;
pub mod native;
pub mod scheduler;
pub mod supervise;
mod sync;
mod trust;
pub mod wire;

#[cfg(feature = "node")]
pub mod node;
