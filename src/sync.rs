//! The building blocks of the protocols between threads. The protocols use nothing else, so that `proof/loom` can take
//! their files as they are and try every order of their steps.

pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
