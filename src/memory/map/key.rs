//! Keys, and how they are hashed.

use siphasher::sip::SipHasher13;

use super::MapError;

/// Bytes that a key may have.
pub const MAX_KEY: usize = 250;
const WORDS: usize = MAX_KEY.div_ceil(8);

/// What a key belongs to: the same bytes in two spaces are two keys. What users name is in `USER`; what the package
/// keeps beside it has spaces of its own, which nobody lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space(pub u8);

impl Space {
    /// The keys of users.
    pub const USER: Space = Space(0);
    /// Who computes the value of a key.
    pub const LEASE: Space = Space(1);
}

/// A key, as it lies in a block: whole words, with zeros behind its bytes.
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
        if bytes.len() > MAX_KEY {
            return Err(MapError::LongKey);
        }
        let mut words = [0; WORDS];
        bytemuck::bytes_of_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Ok(Key {
            space,
            length: bytes.len() as u8,
            words,
        })
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words[..words_of(self.length.into())]
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::bytes_of(&self.words)[..self.length.into()]
    }

    /// Nobody knows the seed: no client can choose keys that fall together, and throw out those of others.
    pub(super) fn hash(&self, seed: [u64; 2]) -> u64 {
        SipHasher13::new_with_keys(seed[0], seed[1] ^ u64::from(self.space.0)).hash(self.bytes())
    }
}

/// Words that so many bytes take.
pub(super) fn words_of(bytes: usize) -> usize {
    bytes.div_ceil(8)
}
