//! Where each part is in the memory of a map.
//!
//! ```text
//! header 4 KiB : what the map is, which never changes; then the words that all share
//! seats        : 64 B each = generation and pid, start, pid namespace, statistics
//! states       : 8 B a block
//! sets         : 128 B each = 8 ways (one cache line) | lock, CLOCK bits, until when somebody waits
//! blocks       : 128 B each
//! ```
//!
//! The first block of an entry holds the next block, the hash, the lengths, the time of its end, for how long before
//! that it is stale, then 88 bytes of key and value. A further block holds the next block, the first block, then 112
//! bytes. The key and the value each begin on a word.

use super::MapError;

/// Ways of a set.
pub(super) const WAYS: usize = 8;
/// Words of a block.
pub(super) const BLOCK_WORDS: usize = 16;
/// Words of a set: its ways, and one more cache line.
pub(super) const SET_WORDS: usize = 16;
/// Words of a seat.
pub(super) const SEAT_WORDS: usize = 8;

/// The version of this layout.
pub(super) const VERSION: u64 = 1;
/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 4096;
/// Word numbers in the header.
pub(super) mod header {
    /// Says that this is a map.
    pub(in super::super) const MAGIC: usize = 0;
    pub(in super::super) const VERSION: usize = 1;
    /// Bytes of the whole map.
    pub(in super::super) const TOTAL: usize = 2;
    pub(in super::super) const SETS: usize = 3;
    pub(in super::super) const BLOCKS: usize = 4;
    pub(in super::super) const SEATS: usize = 5;
    /// Two words: the seed of the hashes of keys.
    pub(in super::super) const SEED: usize = 6;
    /// Microseconds that entries last by default; 0 for ever.
    pub(in super::super) const TTL: usize = 8;
    /// 1 if entries make room for others.
    pub(in super::super) const EVICT: usize = 9;
    /// The most bytes that a value may have.
    pub(in super::super) const MAX_VALUE: usize = 10;
    /// The bytes that were asked for.
    pub(in super::super) const BYTES: usize = 11;
    // From here on there are words that change, each on a cache line of its own.
    /// The set that CLOCK looks at next.
    pub(in super::super) const HAND: usize = 64;
    /// 32 bits: rises when something has changed that a process waits for.
    pub(in super::super) const TURN: usize = 72;
    /// 1 once there was an entry that ends.
    pub(in super::super) const TIMED: usize = 80;
    /// The coarse clock, see `ticks`. JavaScript reads it, too.
    pub(in super::super) const TICKS: usize = crate::wire::map_word::TICKS;
}

/// Word numbers in a seat.
pub(super) mod seat {
    /// The number of former owners, and the process id; 0 for nobody.
    pub(in super::super) const IDENTITY: usize = 0;
    /// When the process began, as the system counts.
    pub(in super::super) const STARTED: usize = 1;
    /// The pid namespace in which the process id is true.
    pub(in super::super) const NAMESPACE: usize = 2;
    /// Entries that made room for others.
    pub(in super::super) const EVICTED: usize = 3;
    /// Locks taken from dead processes.
    pub(in super::super) const STOLEN: usize = 4;
    /// Blocks given back for dead processes.
    pub(in super::super) const RECOVERED: usize = 5;
    /// Entries that were removed because their time was over.
    pub(in super::super) const EXPIRED: usize = 6;
}

/// Word numbers in a set, after its ways.
pub(super) mod set {
    pub(in super::super) const LOCK: usize = 8;
    /// One bit per way: it was read or written since CLOCK passed.
    pub(in super::super) const CLOCK: usize = 9;
    /// Until when a process waits for a change, in microseconds; 0 for none.
    pub(in super::super) const WAITED: usize = 10;
}

/// Word numbers in a block, and where its data begins.
pub(super) mod block {
    /// A link to the next block of the entry.
    pub(in super::super) const NEXT: usize = 0;
    /// The hash of the key. In further blocks, a link to the first.
    pub(in super::super) const HASH: usize = 1;
    pub(in super::super) const HEAD: usize = 1;
    /// Lengths and kinds; see `Shape`.
    pub(in super::super) const SHAPE: usize = 2;
    /// When the entry ends, in microseconds; 0 for never.
    pub(in super::super) const EXPIRES: usize = 3;
    /// For how long before that the value is stale, in microseconds.
    pub(in super::super) const STALE: usize = 4;
    pub(in super::super) const HEAD_DATA: usize = 5;
    pub(in super::super) const PART_DATA: usize = 2;
}

/// Words of key and value in a first block, and in a further one.
const HEAD_ROOM: usize = BLOCK_WORDS - block::HEAD_DATA;
const PART_ROOM: usize = BLOCK_WORDS - block::PART_DATA;

/// The number of blocks for an entry whose key and value have this many words.
pub(super) fn blocks_for(words: usize) -> usize {
    1 + words.saturating_sub(HEAD_ROOM).div_ceil(PART_ROOM)
}

/// Blocks that a process may keep for its next entries.
pub(super) const MAGAZINE: usize = 8;
/// The least and the most bytes of a map.
pub const BYTES: std::ops::RangeInclusive<usize> = 1 << 14..=1 << 36;
/// The most processes that a map may have.
pub const MAX_SEATS: usize = 1 << 14;
/// The most bytes that a value may have.
pub const MAX_VALUE: usize = 1 << 28;

/// Where the parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) sets: u32,
    pub(super) blocks: u32,
    pub(super) seats: u32,
    pub(super) states_at: usize,
    pub(super) sets_at: usize,
    pub(super) blocks_at: usize,
    pub(super) total: usize,
}

impl Layout {
    /// Room for entries of `bytes` bytes in all, and for the blocks that `seats` processes may keep.
    ///
    /// There are one and a half times as many ways as blocks. With two sets per key, a set is never full before the
    /// blocks are used up.
    pub(super) fn new(bytes: usize, seats: usize) -> Result<Layout, MapError> {
        if !BYTES.contains(&bytes) {
            return Err(MapError::Size(bytes));
        }
        if !(1..=MAX_SEATS).contains(&seats) {
            return Err(MapError::Mismatch(format!("{seats} seats")));
        }
        // 8 bytes of state, 128 of the block, and 3/16 of a set.
        let blocks = (bytes - HEADER_BYTES) / 160 + seats * MAGAZINE;
        let sets = (blocks * 3).div_ceil(16).max(2);
        let of = |count: usize| u32::try_from(count).map_err(|_| MapError::Size(bytes));
        Layout::of(of(sets)?, of(blocks)?, seats as u32)
            .filter(|layout| layout.total <= isize::MAX as usize)
            .ok_or(MapError::Size(bytes))
    }

    /// The bytes of key and value that fit into all blocks.
    pub(super) fn room(&self) -> usize {
        self.blocks as usize * PART_ROOM * 8
    }

    /// The layout for these numbers of each part.
    pub(super) fn of(sets: u32, blocks: u32, seats: u32) -> Option<Layout> {
        let line = |at: usize| at.checked_next_multiple_of(128);
        let part = |at: usize, count: u32, words: usize| {
            line(at.checked_add((count as usize).checked_mul(words * 8)?)?)
        };
        let states_at = part(HEADER_BYTES, seats, SEAT_WORDS)?;
        let sets_at = part(states_at, blocks, 1)?;
        let blocks_at = part(sets_at, sets, SET_WORDS)?;
        let total = part(blocks_at, blocks, BLOCK_WORDS)?.checked_next_multiple_of(4096)?;
        (sets >= 2 && blocks >= 1 && seats >= 1 && seats as usize <= MAX_SEATS).then_some(Layout {
            sets,
            blocks,
            seats,
            states_at,
            sets_at,
            blocks_at,
            total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_on_lines_of_their_own() {
        let layout = Layout::new(1 << 20, 9).unwrap();
        assert!(layout.states_at >= HEADER_BYTES + 9 * 64);
        assert!(layout.sets_at >= layout.states_at + layout.blocks as usize * 8);
        assert!(layout.blocks_at >= layout.sets_at + layout.sets as usize * 128);
        assert!(layout.total >= layout.blocks_at + layout.blocks as usize * 128);
        assert!(layout.total < (1 << 20) + (1 << 16));
        for at in [layout.states_at, layout.sets_at, layout.blocks_at] {
            assert_eq!(at % 128, 0);
        }
        assert!(layout.sets as usize * WAYS >= layout.blocks as usize * 3 / 2);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (bytes, seats) in [(100, 1), (1 << 40, 1), (1 << 20, 0), (1 << 20, 1 << 20)] {
            assert!(Layout::new(bytes, seats).is_err());
        }
        assert_eq!(Layout::of(u32::MAX, u32::MAX, 0), None);
        assert_eq!(Layout::of(1, 1, 1), None);
    }

    #[test]
    fn an_entry_has_the_blocks_that_it_needs() {
        assert_eq!(blocks_for(0), 1);
        assert_eq!(blocks_for(11), 1);
        assert_eq!(blocks_for(12), 2);
        assert_eq!(blocks_for(25), 2);
        assert_eq!(blocks_for(26), 3);
    }
}
