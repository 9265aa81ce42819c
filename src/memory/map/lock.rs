//! The lock of a set, which only those hold that put a new key there: so no key is in it twice.
//!
//! It protects nothing else. Readers, and those that replace, count or delete, do not look at it. So the lock of a
//! holder that has died is taken over as it is, by one compare-and-swap of the exact word: there is nothing to
//! repair behind it.

use super::cells::Cells;
use super::words::Owner;
use crate::sync::Ordering::{Acquire, Relaxed, Release};

/// What somebody does who finds a set locked.
pub(super) trait Patience {
    /// Whether the holder will never come back. A word that names no seat is nobody's.
    fn is_dead(&mut self, holder: Option<Owner>) -> bool;
    /// Waits a little; false when that has lasted long enough.
    fn wait(&mut self) -> bool;
}

/// A set that is locked, until this is dropped.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    cells: &'a Cells,
    set: u32,
    owner: Owner,
    /// Taken from somebody who had died.
    pub(super) stolen: bool,
}

/// Locks a set. Nothing when the patience has ended.
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
            // Acquire pairs with the release of the last holder: what it has put there is found.
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
        // Not a store: in memory that somebody else has spoilt, the lock may be another's.
        let _ = self
            .cells
            .lock(self.set)
            .compare_exchange(self.owner.lock(), 0, Release, Relaxed);
    }
}
