//! Keys, and how they are hashed.

use siphasher::sip::SipHasher13;

use super::MapError;

/// The most bytes that a key may have.
pub const MAX_KEY: usize = 250;
/// The size of the buffer for the bytes of a key.
pub const BUFFER: usize = 256;
const WORDS: usize = BUFFER / 8;

/// The space of a key: the same bytes in two spaces are two keys. The user's keys are in `USER`. The package's own
/// entries are in other spaces, which are never listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space(pub u8);

impl Space {
    /// The keys of users.
    pub const USER: Space = Space(0);
    /// Leases: who computes the value of a key.
    pub const LEASE: Space = Space(1);
}

/// A key as it lies in a block: whole words, with zeros after its bytes.
#[derive(Clone, Debug)]
pub struct Key {
    pub(super) space: Space,
    pub(super) length: u8,
    words: [u64; WORDS],
}

impl Key {
    /// A key of a user.
    pub fn new(bytes: &[u8]) -> Result<Key, MapError> {
        Key::within(Space::USER, bytes)
    }

    /// A key of a space.
    pub fn within(space: Space, bytes: &[u8]) -> Result<Key, MapError> {
        let mut key = Key::empty(space);
        let written = key.write(|buffer| {
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            bytes.len()
        });
        match written {
            true => Ok(key),
            false => Err(MapError::LongKey),
        }
    }

    /// A key without bytes, for `write`.
    #[inline]
    pub fn empty(space: Space) -> Key {
        Key {
            space,
            length: 0,
            words: [0; WORDS],
        }
    }

    /// Lets `write` put the bytes in place, once. It returns how many there are. Returns false if they are too many.
    #[inline]
    pub fn write(&mut self, write: impl FnOnce(&mut [u8; BUFFER]) -> usize) -> bool {
        let length = write(bytemuck::cast_mut(&mut self.words));
        if length > MAX_KEY {
            return false;
        }
        self.length = length as u8;
        // The bytes that were written after them are no part of the key.
        let last = length / 8;
        let keep = (length % 8) as u32 * 8;
        let mask = u64::MAX.checked_shr(64 - keep).unwrap_or(0);
        self.words[last] = u64::from_le(self.words[last].to_le() & mask);
        true
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words[..words_of(self.length.into())]
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::bytes_of(&self.words)[..self.length.into()]
    }

    /// The seed is secret: no client can choose keys that fall together and evict those of others.
    pub(super) fn hash(&self, seed: [u64; 2]) -> u64 {
        SipHasher13::new_with_keys(seed[0], seed[1] ^ u64::from(self.space.0)).hash(self.bytes())
    }
}

/// The number of words for this many bytes.
pub(super) fn words_of(bytes: usize) -> usize {
    bytes.div_ceil(8)
}
