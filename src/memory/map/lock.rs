//! The lock of a set. Only a writer that puts a new key there holds it, so that no key is in the set twice.
//!
//! It protects nothing else. Readers do not look at it, nor do writers that replace, count or delete. So the lock of a
//! dead holder is simply taken over, by one compare-and-swap of the exact word: nothing has to be repaired.

use super::cells::Cells;
use super::words::Owner;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

/// How long to wait for a locked set.
pub(super) trait Patience {
    /// Whether the holder will never come back. A word that names no seat has no holder.
    fn is_dead(&mut self, holder: Option<Owner>) -> bool;
    /// Waits a little. Returns false if that has lasted long enough.
    fn wait(&mut self) -> bool;
}

/// A locked set. Dropping this unlocks it.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    cells: &'a Cells,
    set: u32,
    owner: Owner,
    /// Whether it was taken from a dead holder.
    pub(super) stolen: bool,
}

/// Locks a set. Returns nothing if the patience has ended.
pub(super) fn lock<'a>(
    cells: &'a Cells,
    set: u32,
    owner: Owner,
    patience: &mut impl Patience,
) -> Option<Locked<'a>> {
    let word = cells.lock(set);
    loop {
        let seen = word.load(Relaxed);
        let stolen = seen != 0;
        if !stolen || patience.is_dead(Owner::from_lock(seen)) {
            // Acquire pairs with the release of the last holder, so its new keys are found.
            if word
                .compare_exchange(seen, owner.lock(), Acquire, Relaxed)
                .is_ok()
            {
                return Some(Locked {
                    cells,
                    set,
                    owner,
                    stolen,
                });
            }
            continue;
        }
        if !patience.wait() {
            return None;
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Not a store: in memory that another process has spoilt, the lock may be another's.
        let _ = self
            .cells
            .lock(self.set)
            .compare_exchange(self.owner.lock(), 0, Release, Relaxed);
    }
}
