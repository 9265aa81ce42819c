//! Where the entry of a key may be, and whether it is there.

use super::cells::Cells;
use super::entry::{Copies, Found, Head, read};
use super::key::Key;
use super::words::{Block, Way};
use crate::sync::Ordering::Acquire;

/// The two sets of a key. A new entry goes into the emptier one; the lock is always that of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) hash: u64,
    pub(super) first: u32,
    pub(super) second: u32,
}

impl Places {
    pub(super) fn sets(self) -> impl Iterator<Item = u32> {
        [self.first, self.second].into_iter()
    }

    pub(super) fn tag(self) -> u16 {
        (self.hash >> 52) as u16
    }
}

/// The sets of the keys with this hash, among `sets` sets. There are at least two.
pub(super) fn places_of(hash: u64, sets: u32) -> Places {
    // Neither uses bits of the tag, so the tag still distinguishes the entries of a set.
    let scaled = |bits: u64| ((u64::from(bits as u32) * u64::from(sets)) >> 32) as u32;
    let first = scaled(hash);
    let second = scaled(hash >> 20);
    Places {
        hash,
        first,
        second: if second == first {
            (first + 1) % sets
        } else {
            second
        },
    }
}

/// An entry, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) set: u32,
    pub(super) way: usize,
    /// The value of the way when it was read.
    pub(super) seen: Way,
    pub(super) head: Head,
    pub(super) block: Block,
}

/// Finds a key without waiting. If a way changes meanwhile, another process has got on.
#[inline]
pub(super) fn find(
    cells: &Cells,
    key: &Key,
    places: Places,
    copies: &mut Copies<'_>,
) -> Option<Entry> {
    let tag = places.tag();
    'again: loop {
        for set in places.sets() {
            for (way, word) in cells.ways(set).iter().enumerate() {
                let seen = Way(word.load(Acquire));
                if seen == Way::EMPTY || seen.tag() != tag {
                    continue;
                }
                match read(cells, word, seen, Some((key, places.hash)), copies) {
                    Found::Entry(head, block) => {
                        return Some(Entry {
                            set,
                            way,
                            seen,
                            head,
                            block,
                        });
                    }
                    Found::Other => {}
                    Found::Changed => continue 'again,
                }
            }
        }
        return None;
    }
}
