//! Atomic views over memory that other threads or processes also use.

pub mod borrowed;
pub mod bytes;
pub mod counters;
#[cfg(unix)]
pub(crate) mod futex;
pub mod limits;
pub mod loan;
#[cfg(unix)]
pub mod locks;
#[cfg(unix)]
pub mod map;
pub mod pages;
#[cfg(unix)]
pub mod region;
#[cfg(unix)]
pub mod ring;
#[cfg(unix)]
pub mod table;
