//! The words of a map, of loom.

use super::layout::{BLOCK_WORDS, SET_WORDS, WAYS, set};
use crate::sync::AtomicU64;

/// Sets of a map of the models. A key is in each of them.
const SETS: usize = 2;

#[derive(Debug)]
pub(super) struct Cells {
    states: Vec<AtomicU64>,
    sets: [[AtomicU64; SET_WORDS]; SETS],
    blocks: Vec<[AtomicU64; BLOCK_WORDS]>,
}

fn words<const N: usize>() -> [AtomicU64; N] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

impl Cells {
    pub(super) fn new(blocks: usize) -> Cells {
        Cells {
            states: (0..blocks).map(|_| AtomicU64::new(0)).collect(),
            sets: std::array::from_fn(|_| words()),
            blocks: (0..blocks).map(|_| words()).collect(),
        }
    }

    pub(super) fn blocks(&self) -> u32 {
        self.blocks.len() as u32
    }

    pub(super) fn sets(&self) -> u32 {
        SETS as u32
    }

    pub(super) fn has(&self, block: u32) -> bool {
        block < self.blocks()
    }

    pub(super) fn state(&self, block: u32) -> &AtomicU64 {
        &self.states[block as usize]
    }

    pub(super) fn ways(&self, set: u32) -> &[AtomicU64] {
        &self.sets[set as usize][..WAYS]
    }

    pub(super) fn lock(&self, set: u32) -> &AtomicU64 {
        &self.sets[set as usize][set::LOCK]
    }

    pub(super) fn block(&self, block: u32) -> &[AtomicU64; BLOCK_WORDS] {
        &self.blocks[block as usize]
    }
}
