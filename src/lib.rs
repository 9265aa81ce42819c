//! rspool: one pool for all the CPU work of a Node.js app.
//!
//! Rust schedules; lanes execute. A task is native (Rust on a plain thread) or a script task (a JavaScript function in
//! an isolate). Both wait in one [`scheduler`]. Only the `node` module uses Node-API; everything else is plain Rust.

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
