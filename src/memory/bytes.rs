//! Owned bytes of a payload. Large ones come from memory that was used before: a fresh megabyte costs
//! more in page faults than in copying, and the allocator gives large blocks back to the system at
//! once. Blocks return here from whatever thread drops them (a garbage collector's, mostly).

use std::ops::Deref;

use parking_lot::Mutex;

/// Blocks from this size on are kept.
const LARGE: usize = 64 * 1024;
/// Bytes that are kept at most.
const KEEP: usize = 64 * 1024 * 1024;

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    blocks: Vec::new(),
    bytes: 0,
});

struct Kept {
    /// The last used is last: its pages are warm.
    blocks: Vec<Vec<u8>>,
    bytes: usize,
}

impl Kept {
    /// A block of at least `length` bytes that wastes less than half of itself.
    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        let fits = |block: &Vec<u8>| (length..=length * 2).contains(&block.capacity());
        let at = self.blocks.iter().rposition(fits)?;
        let block = self.blocks.remove(at);
        self.bytes -= block.capacity();
        Some(block)
    }

    /// Keeps a block; gives back what is too much, the coldest first.
    fn put(&mut self, block: Vec<u8>) -> Vec<Vec<u8>> {
        self.bytes += block.capacity();
        self.blocks.push(block);
        let mut excess = Vec::new();
        while self.bytes > KEEP {
            let block = self.blocks.remove(0);
            self.bytes -= block.capacity();
            excess.push(block);
        }
        excess
    }
}

/// Bytes that one owner has.
#[derive(Debug, Default)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// A copy of `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        if bytes.len() < LARGE {
            return Self(bytes.to_vec());
        }
        // Apart from the `match`: the lock must not be held while copying.
        let kept = KEPT.lock().take(bytes.len());
        let mut block = kept.unwrap_or_else(|| Vec::with_capacity(bytes.len()));
        block.clear();
        block.extend_from_slice(bytes);
        Self(block)
    }

    /// Takes the bytes out; they do not return to the kept blocks.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        Self::copy_of(self)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if (LARGE..=KEEP).contains(&self.0.capacity()) {
            let excess = KEPT.lock().put(std::mem::take(&mut self.0));
            // Freed after the lock is released.
            drop(excess);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_copies_hold_what_they_were_given() {
        for length in [0, 1, LARGE - 1, LARGE, 3 * LARGE + 7] {
            let source: Vec<u8> = (0..length).map(|i| i as u8).collect();
            drop(Bytes::copy_of(&vec![0xff; length + 1]));
            assert_eq!(&*Bytes::copy_of(&source), source);
            assert_eq!(Bytes::copy_of(&source).into_vec(), source);
        }
    }

    #[test]
    fn a_block_is_used_again_unless_it_wastes_too_much() {
        let mut kept = Kept {
            blocks: Vec::new(),
            bytes: 0,
        };
        assert!(kept.put(Vec::with_capacity(1000)).is_empty());
        assert!(kept.take(1001).is_none());
        assert!(kept.take(499).is_none());
        assert_eq!(kept.take(500).map(|block| block.capacity()), Some(1000));
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn the_coldest_blocks_go_first() {
        let mut kept = Kept {
            blocks: Vec::new(),
            bytes: 0,
        };
        let third = KEEP / 3 + 1;
        assert!(kept.put(Vec::with_capacity(third)).is_empty());
        assert!(kept.put(Vec::with_capacity(third + 1)).is_empty());
        let excess = kept.put(Vec::with_capacity(third + 2));
        assert_eq!(
            excess.iter().map(Vec::capacity).collect::<Vec<_>>(),
            [third]
        );
        assert!(kept.bytes <= KEEP);
    }
}
