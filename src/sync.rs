//! What the protocols between threads are built of. They name nothing else, so that `proof/loom` can take their
//! files as they are and have every order of their steps tried.

pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
