//! A sleep until the word is another one. Who sleeps and is not woken sleeps for ever, which loom finds.

use std::time::Duration;

use crate::sync::{AtomicU32, Ordering};

pub(crate) fn sleep(word: &AtomicU32, seen: u32, _: Duration) -> bool {
    while word.load(Ordering::SeqCst) == seen {
        loom::thread::yield_now();
    }
    true
}

pub(crate) fn wake_all(_: &AtomicU32) {}
