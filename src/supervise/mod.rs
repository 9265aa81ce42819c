//! Watches other processes: heartbeats, readings, the parent-death guard, the CPU budget, and the bells that other
//! processes ring.
//!
//! All of this runs on threads of its own, so it works while a JavaScript loop is blocked, be it of the watched process
//! or of the watcher.

pub mod reading;
pub mod stall;

#[cfg(unix)]
pub mod budget;
#[cfg(not(unix))]
#[path = "no_budget.rs"]
pub mod budget;
#[cfg(unix)]
mod deaths;
#[cfg(unix)]
pub mod descendants;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod first_bytes;
#[cfg(unix)]
pub mod guard;
#[cfg(unix)]
pub mod handle;
#[cfg(unix)]
pub mod hearing;
#[cfg(unix)]
pub mod listen;
#[cfg(unix)]
pub mod notify;
#[cfg(unix)]
pub mod orphans;
#[cfg(unix)]
pub mod succession;
#[cfg(unix)]
mod waiters;
#[cfg(unix)]
pub mod wake;
#[cfg(unix)]
pub mod watch;
