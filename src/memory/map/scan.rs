//! Goes through all entries, some sets at a time.

use super::entry::{Copies, Found, key_of, read};
use super::layout::seat;
use super::words::{Kind, State, Way};
use super::{Map, Space, clock};
use crate::sync::Ordering::{Acquire, Relaxed};

/// Figures of a map, and counts of what has happened to it.
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
    /// Entries that were removed because their time was over.
    pub expired: u64,
    /// Locks that were taken over from dead processes.
    pub stolen: u64,
    /// Blocks that were put in order for dead processes.
    pub recovered: u64,
    /// Free blocks.
    pub free: u64,
    /// Blocks that are in the hands of processes.
    pub held: u64,
}

/// Bytes per block, relative to the bytes that were asked for.
const PER_BLOCK: u64 = 160;

impl Map {
    /// The keys of users in some sets from `from` on that begin with `prefix`, and where to go on; nothing at the end.
    /// Keys that are put or deleted meanwhile may be among them or not.
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

    /// The key in a way. If the entry changes meanwhile, it is read again.
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

    /// Looks at the whole map, which takes about a millisecond per 50 MB.
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

    /// How many blocks of each kind the map has, and how many blocks the ways name: for tests, while no process writes.
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
