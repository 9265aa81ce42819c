//! The contents of an entry's blocks.
//!
//! A reader copies the words of an entry while others may be writing new ones there. So it trusts nothing: it compares
//! each number with the room that there is. Only after everything was copied, the reader looks whether the entry is
//! still the same. The fence before that look pairs with the one in `blocks::own`.

use super::cells::Cells;
use super::key::{Key, words_of};
use super::layout::block::{EXPIRES, HASH, HEAD, HEAD_DATA, NEXT, PART_DATA, SHAPE, STALE};
use super::layout::{BLOCK_WORDS, blocks_for};
use super::words::{Block, State, Way};
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::sync::{AtomicU64, fence};

/// The data of an entry besides its key and its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) hash: u64,
    /// Bytes of the value.
    pub(super) length: u32,
    pub(super) tag: u16,
    pub(super) key_length: u8,
    pub(super) space: u8,
    pub(super) expires: u64,
    pub(super) stale: u64,
}

impl Head {
    fn shape(&self) -> u64 {
        u64::from(self.length)
            | u64::from(self.tag) << 32
            | u64::from(self.key_length) << 48
            | u64::from(self.space) << 56
    }

    #[inline]
    fn load(words: &[AtomicU64]) -> Head {
        let word = |word: usize| words[word].load(Relaxed);
        let shape = word(SHAPE);
        Head {
            hash: word(HASH),
            length: shape as u32,
            tag: (shape >> 32) as u16,
            key_length: (shape >> 48) as u8,
            space: (shape >> 56) as u8,
            expires: word(EXPIRES),
            stale: word(STALE),
        }
    }

    /// The words of the key and the value.
    #[inline]
    pub(super) fn words(&self) -> usize {
        words_of(self.key_length.into()) + words_of(self.length as usize)
    }

    pub(super) fn blocks(&self) -> usize {
        blocks_for(self.words())
    }
}

/// What a reader found in a way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The entry, and its first block.
    Entry(Head, Block),
    /// Another entry, or words that cannot be one.
    Other,
    /// The entry has changed meanwhile.
    Changed,
}

/// The parts of an entry that a reader copies besides its head.
#[derive(Debug, Default)]
pub(super) struct Copies<'a> {
    /// The words of the value.
    pub(super) value: Option<&'a mut Vec<u64>>,
    /// All blocks.
    pub(super) blocks: Option<&'a mut Vec<Block>>,
    /// The most bytes of a value. Words that say more are no entry.
    pub(super) limit: usize,
}

/// Goes through the words of the key and the value, block by block.
struct Cursor<'a> {
    cells: &'a Cells,
    words: &'a [AtomicU64; BLOCK_WORDS],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn new(cells: &'a Cells, head: u32) -> Cursor<'a> {
        Cursor {
            cells,
            words: cells.block(head),
            at: HEAD_DATA,
        }
    }

    /// The next words of one block, `most` at most. Nothing if the chain is broken.
    #[inline]
    fn take(&mut self, most: usize) -> Option<&'a [AtomicU64]> {
        if self.at == BLOCK_WORDS {
            let next = self.next()?;
            self.words = self.cells.block(next.index);
            self.at = PART_DATA;
        }
        let from = self.at;
        self.at = (from + most).min(BLOCK_WORDS);
        Some(&self.words[from..self.at])
    }

    #[inline]
    fn next(&self) -> Option<Block> {
        Block::from_link(self.words[NEXT].load(Relaxed)).filter(|block| self.cells.has(block.index))
    }
}

/// Reads the entry that a way named when it was `seen`. If a key is given, reads only the entry of that key.
#[inline]
pub(super) fn read(
    cells: &Cells,
    way: &AtomicU64,
    seen: Way,
    key: Option<(&Key, u64)>,
    copies: &mut Copies<'_>,
) -> Found {
    let other = || match way.load(Acquire) == seen.0 {
        true => Found::Other,
        false => Found::Changed,
    };
    let Some(index) = seen.index().filter(|&index| cells.has(index)) else {
        return other();
    };
    let generation = State(cells.state(index).load(Acquire)).generation();
    if !seen.is_of(generation) {
        return other();
    }
    let head = Head::load(cells.block(index));
    if head.length as usize > copies.limit {
        return other();
    }
    if let Some((key, hash)) = key {
        let fits = head.hash == hash && head.key_length == key.length && head.space == key.space.0;
        if !fits || !has_key(cells, index, key) {
            return other();
        }
    }
    if !copy(cells, index, &head, generation, copies) {
        return other();
    }
    fence(Acquire);
    let same = way.load(Relaxed) == seen.0
        && State(cells.state(index).load(Relaxed)).generation() == generation;
    match same {
        true => Found::Entry(head, Block { index, generation }),
        false => Found::Changed,
    }
}

#[inline]
fn has_key(cells: &Cells, index: u32, key: &Key) -> bool {
    let mut cursor = Cursor::new(cells, index);
    let mut left = key.words();
    while !left.is_empty() {
        let Some(words) = cursor.take(left.len()) else {
            return false;
        };
        let (part, rest) = left.split_at(words.len());
        if words
            .iter()
            .zip(part)
            .any(|(word, &is)| word.load(Relaxed) != is)
        {
            return false;
        }
        left = rest;
    }
    true
}

/// Copies the wanted parts. Returns false if this cannot be an entry.
#[inline]
fn copy(cells: &Cells, index: u32, head: &Head, generation: u32, copies: &mut Copies<'_>) -> bool {
    if let Some(blocks) = copies.blocks.as_deref_mut() {
        blocks.clear();
        blocks.push(Block { index, generation });
        let mut cursor = Cursor::new(cells, index);
        for _ in 1..head.blocks() {
            let Some(next) = cursor.next() else {
                return false;
            };
            blocks.push(next);
            cursor.words = cells.block(next.index);
        }
    }
    if let Some(value) = copies.value.as_deref_mut() {
        value.clear();
        let key = words_of(head.key_length.into());
        let words = words_of(head.length as usize);
        value.reserve(words);
        if !walk(cells, index, key, words, |words| {
            value.extend(words.iter().map(|word| word.load(Relaxed)))
        }) {
            return false;
        }
    }
    true
}

/// Visits `count` words after the first `skip`. Returns false if the chain is broken.
#[inline]
fn walk(
    cells: &Cells,
    index: u32,
    mut skip: usize,
    mut count: usize,
    mut give: impl FnMut(&[AtomicU64]),
) -> bool {
    let mut cursor = Cursor::new(cells, index);
    while skip > 0 {
        match cursor.take(skip) {
            Some(words) => skip -= words.len(),
            None => return false,
        }
    }
    while count > 0 {
        let Some(words) = cursor.take(count) else {
            return false;
        };
        give(words);
        count -= words.len();
    }
    true
}

/// The bytes of an entry's key, once its head was read. The caller then looks whether the entry is still the same.
pub(super) fn key_of(cells: &Cells, index: u32, length: u8) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length as usize + 8);
    let whole = walk(cells, index, 0, words_of(length.into()), |words| {
        bytes.extend(
            words
                .iter()
                .flat_map(|word| word.load(Relaxed).to_ne_bytes()),
        );
    });
    bytes.truncate(length.into());
    whole.then_some(bytes)
}

/// Writes an entry into blocks that the caller owns, as many as the entry needs.
pub(super) fn write(cells: &Cells, blocks: &[Block], head: &Head, key: &Key, value: &[u8]) {
    let first = blocks[0];
    let put = |index: u32, word: usize, value: u64| {
        cells.block(index)[word].store(value, Relaxed);
    };
    for (at, block) in blocks.iter().enumerate() {
        let next = blocks.get(at + 1).map_or(0, |next| next.link());
        put(block.index, NEXT, next);
        if at > 0 {
            put(block.index, HEAD, first.link());
        }
    }
    put(first.index, HASH, head.hash);
    put(first.index, SHAPE, head.shape());
    put(first.index, EXPIRES, head.expires);
    put(first.index, STALE, head.stale);
    let whole = value.chunks_exact(8);
    let mut last = [0; 8];
    last[..whole.remainder().len()].copy_from_slice(whole.remainder());
    let tail = (!whole.remainder().is_empty()).then_some(last);
    let mut words = key.words().iter().copied().chain(
        whole
            .map(|bytes| u64::from_ne_bytes(bytes.try_into().expect("eight")))
            .chain(tail.map(u64::from_ne_bytes)),
    );
    for (at, block) in blocks.iter().enumerate() {
        let from = if at == 0 { HEAD_DATA } else { PART_DATA };
        for (word, value) in cells.block(block.index)[from..].iter().zip(&mut words) {
            word.store(value, Relaxed);
        }
        super::kill::at(super::kill::Step::Filling);
    }
}
