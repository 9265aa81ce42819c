//! Going through all entries, some sets at a time.

use super::entry::{Copies, Found, key_of, read};
use super::layout::seat;
use super::words::{Kind, State, Way};
use super::{Map, Space, clock};
use crate::sync::Ordering::{Acquire, Relaxed};

/// What a map has, and what has happened to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes for entries, as the map was made.
    pub bytes: u64,
    /// Bytes in use, in whole blocks.
    pub used: u64,
    /// Entries.
    pub entries: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries that were taken away as their time was over.
    pub expired: u64,
    /// Locks that were taken over from dead processes.
    pub stolen: u64,
    /// Blocks that were put in order for dead processes.
    pub recovered: u64,
    /// Blocks that are nobody's.
    pub free: u64,
    /// Blocks that are in the hands of processes.
    pub held: u64,
}

/// Bytes of the map for each block, as it was asked for.
const PER_BLOCK: u64 = 160;

impl Map {
    /// The keys of users in some sets from `from` on, that begin with `prefix`, and where to go on; nothing at the end.
    /// What is put or deleted meanwhile may be there or not.
    pub fn keys(
        &self,
        from: u32,
        sets: u32,
        prefix: &[u8],
        mut give: impl FnMut(&[u8]),
    ) -> Option<u32> {
        let end = from.saturating_add(sets).min(self.cells.sets());
        for set in from..end {
            for way in self.cells.ways(set) {
                let key = self.key_in(way);
                if let Some(key) = key.filter(|key| key.starts_with(prefix)) {
                    give(&key);
                }
            }
        }
        (end < self.cells.sets()).then_some(end)
    }

    /// The key in a way; an entry that changes meanwhile is looked at again.
    fn key_in(&self, way: &crate::sync::AtomicU64) -> Option<Vec<u8>> {
        loop {
            let seen = Way(way.load(Acquire));
            let index = seen.index()?;
            let mut copies = Copies {
                limit: self.options.max_value,
                ..Copies::default()
            };
            match read(&self.cells, way, seen, None, &mut copies) {
                Found::Other => return None,
                Found::Changed => continue,
                Found::Entry(head, block) => {
                    if head.space != Space::USER.0 || clock::is_over(head.expires) {
                        return None;
                    }
                    let key = key_of(&self.cells, index, head.key_length);
                    crate::sync::fence(Acquire);
                    let generation = State(self.cells.state(index).load(Relaxed)).generation();
                    if way.load(Relaxed) == seen.0 && generation == block.generation {
                        return key;
                    }
                }
            }
        }
    }

    /// Looks at all of the map: that takes about a millisecond for 50 MB.
    pub fn statistics(&self) -> Statistics {
        let (mut free, mut held, mut live) = (0, 0, 0);
        for block in 0..self.cells.blocks() {
            match State(self.cells.state(block).load(Relaxed)).kind() {
                Kind::Free => free += 1,
                Kind::Owned => held += 1,
                Kind::Live => live += 1,
            }
        }
        let ways = (0..self.cells.sets()).flat_map(|set| self.cells.ways(set));
        let seats = |word: usize| {
            let all = 0..self.seats();
            all.map(|seat| self.cells.seat(seat)[word].load(Relaxed))
                .fold(0, u64::wrapping_add)
        };
        Statistics {
            bytes: self.options.bytes as u64,
            used: live * PER_BLOCK,
            entries: ways
                .filter(|way| Way(way.load(Relaxed)) != Way::EMPTY)
                .count() as u64,
            evicted: seats(seat::EVICTED),
            expired: seats(seat::EXPIRED),
            stolen: seats(seat::STOLEN),
            recovered: seats(seat::RECOVERED),
            free,
            held,
        }
    }

    /// What the map has of each kind of block, and how many blocks the ways name: for tests, while nobody writes.
    #[cfg(test)]
    pub(super) fn audit(&self) -> Audit {
        let mut audit = Audit::default();
        for block in 0..self.cells.blocks() {
            match State(self.cells.state(block).load(Acquire)).kind() {
                Kind::Free => audit.free += 1,
                Kind::Owned => audit.owned += 1,
                Kind::Live => audit.live += 1,
            }
        }
        let mut blocks = Vec::new();
        for set in 0..self.cells.sets() {
            for way in 0..super::layout::WAYS {
                let limit = self.options.max_value;
                if super::evict::look(&self.cells, set, way, limit, &mut blocks).is_some() {
                    audit.named += blocks.len();
                    let hash = super::layout::block::HASH;
                    let hash = self.cells.block(blocks[0].index)[hash].load(Relaxed);
                    audit.hashes.push(hash);
                }
            }
        }
        audit
    }
}

/// See [`Map::audit`].
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct Audit {
    pub(super) free: usize,
    pub(super) owned: usize,
    pub(super) live: usize,
    pub(super) named: usize,
    pub(super) hashes: Vec<u64>,
}
