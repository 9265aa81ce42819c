//! A region that has nothing but a ring of two slots.

use crate::sync::{AtomicU32, AtomicU64};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) count: usize,
    pub(crate) stride: usize,
}

#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) ring: Section,
}

#[derive(Debug)]
pub(crate) struct Region {
    layout: Layout,
    words: Vec<AtomicU64>,
    /// The words of 32 bits lie 16 words apart, behind two of 64 bits.
    halves: [AtomicU32; 2],
}

impl Region {
    pub(crate) fn of(bytes: usize) -> Region {
        let ring = Section {
            count: 1,
            stride: bytes,
        };
        Region {
            layout: Layout { ring },
            words: (0..bytes / 8).map(|_| AtomicU64::new(0)).collect(),
            halves: [AtomicU32::new(0), AtomicU32::new(0)],
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn u64_of(&self, _: Section, word: usize) -> &AtomicU64 {
        &self.words[word]
    }

    pub(crate) fn u32_of(&self, _: Section, word: usize) -> &AtomicU32 {
        &self.halves[word / 16 - 2]
    }
}
