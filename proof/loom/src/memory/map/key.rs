//! Keys of one word: how they are hashed orders nothing.

#[derive(Clone, Copy, Debug)]
pub(super) struct Space(pub(super) u8);

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) space: Space,
    pub(super) length: u8,
    words: [u64; 1],
}

impl Key {
    pub(super) fn of(word: u64) -> Key {
        Key {
            space: Space(0),
            length: 8,
            words: [word],
        }
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }
}

pub(super) fn words_of(bytes: usize) -> usize {
    bytes.div_ceil(8)
}
