//! The words of a map in its memory. No other code reads or writes them, and every access is atomic.

use super::layout::{BLOCK_WORDS, HEADER_BYTES, Layout, SEAT_WORDS, SET_WORDS, WAYS, header, set};
use super::read::Place;
use crate::memory::region::mapping::Mapping;
use crate::sync::{AtomicU32, AtomicU64};

#[derive(Debug)]
pub(super) struct Cells {
    mapping: Mapping,
    layout: Layout,
}

/// A missing part is an error of this module: every number that was read from the memory is first compared with
/// [`Cells::has`].
impl Cells {
    /// The mapping must have all bytes of the layout.
    pub(super) fn new(mapping: Mapping, layout: Layout) -> Cells {
        Cells { mapping, layout }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn blocks(&self) -> u32 {
        self.layout.blocks
    }

    pub(super) fn sets(&self) -> u32 {
        self.layout.sets
    }

    pub(super) fn has(&self, block: u32) -> bool {
        block < self.layout.blocks
    }

    pub(super) fn header(&self, word: usize) -> &AtomicU64 {
        assert!(word < HEADER_BYTES / 8);
        self.mapping.u64(word * 8)
    }

    /// Rises when something has changed that a process waits for.
    pub(super) fn turn(&self) -> &AtomicU32 {
        self.mapping.u32(header::TURN * 8)
    }

    pub(super) fn seat(&self, seat: usize) -> &[AtomicU64; SEAT_WORDS] {
        assert!(seat < self.layout.seats as usize);
        self.mapping.words(HEADER_BYTES + seat * SEAT_WORDS * 8)
    }

    #[inline]
    pub(super) fn state(&self, block: u32) -> &AtomicU64 {
        assert!(self.has(block));
        self.mapping.u64(self.layout.states_at + block as usize * 8)
    }

    #[inline]
    fn set(&self, set: u32) -> &[AtomicU64; SET_WORDS] {
        assert!(set < self.layout.sets);
        self.mapping
            .words(self.layout.sets_at + set as usize * SET_WORDS * 8)
    }

    #[inline]
    pub(super) fn ways(&self, set: u32) -> &[AtomicU64] {
        &self.set(set)[..WAYS]
    }

    #[inline]
    pub(super) fn lock(&self, set: u32) -> &AtomicU64 {
        &self.set(set)[set::LOCK]
    }

    #[inline]
    pub(super) fn clock(&self, set: u32) -> &AtomicU64 {
        &self.set(set)[set::CLOCK]
    }

    #[inline]
    pub(super) fn waited(&self, set: u32) -> &AtomicU64 {
        &self.set(set)[set::WAITED]
    }

    #[inline]
    pub(super) fn block(&self, block: u32) -> &[AtomicU64; BLOCK_WORDS] {
        assert!(self.has(block));
        self.mapping
            .words(self.layout.blocks_at + block as usize * BLOCK_WORDS * 8)
    }

    /// The places of the words of an entry with this first block.
    pub(super) fn place(&self, set: u32, way: usize, block: u32) -> Place {
        let set_at = self.layout.sets_at + set as usize * SET_WORDS * 8;
        Place {
            way: set_at + way * 8,
            state: self.layout.states_at + block as usize * 8,
            clock: set_at + set::CLOCK * 8,
            bit: 1 << way,
        }
    }
}
