//! Owned bytes of a payload. Large ones come from memory that was used before: a fresh megabyte costs more in page
//! faults than in copying, and the allocator gives large blocks back to the system at once. Blocks return here from any
//! thread that drops them (mostly a garbage collector's), and go back to the system when they have not been wanted for
//! a while.

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

/// Blocks from this size on are kept.
const LARGE: usize = 1 << LARGE_BITS;
const LARGE_BITS: u32 = 16;
/// The most bytes that are kept, and the size of the largest block.
const KEEP: usize = 1 << KEEP_BITS;
const KEEP_BITS: u32 = 26;
/// Sizes between one power of two and the next: a block is at most a quarter larger than its content.
const STEPS: usize = 4;
const CLASSES: usize = (KEEP_BITS - LARGE_BITS) as usize * STEPS + 1;

/// Blocks by their size, each size behind a lock of its own.
static KEPT: [Mutex<Class>; CLASSES] = [const { Mutex::new(Class::new()) }; CLASSES];
/// The bytes of all kept blocks.
static BYTES: AtomicUsize = AtomicUsize::new(0);
/// Whether a call of [`give_back`] is on its way.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// Arranges a call of [`give_back`] after a while.
static LATER: OnceLock<fn()> = OnceLock::new();

struct Class {
    /// The block that was used last is last: its pages are warm.
    blocks: Vec<Vec<u8>>,
    /// This many blocks have not been wanted since the last [`give_back`].
    spare: usize,
}

impl Class {
    const fn new() -> Self {
        Self {
            blocks: Vec::new(),
            spare: 0,
        }
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let block = self.blocks.pop();
        self.spare = self.spare.min(self.blocks.len());
        block
    }

    /// Takes out the blocks that were not wanted, the coldest. From now on, the others have to be wanted to stay.
    fn unwanted(&mut self) -> Vec<Vec<u8>> {
        let unwanted = self.blocks.drain(..self.spare).collect();
        self.spare = self.blocks.len();
        unwanted
    }
}

/// The class of a block with this capacity: the largest whose blocks need no more.
fn class_within(capacity: usize) -> usize {
    let bits = capacity.ilog2();
    let step = (capacity >> (bits - 2)) & (STEPS - 1);
    (bits - LARGE_BITS) as usize * STEPS + step
}

/// The size of the smallest blocks of a class.
fn size_of_class(class: usize) -> usize {
    let base = LARGE << (class / STEPS);
    base + base / STEPS * (class % STEPS)
}

/// The smallest class whose blocks all hold `length` bytes.
fn class_for(length: usize) -> usize {
    let class = class_within(length);
    class + usize::from(size_of_class(class) < length)
}

/// An empty block with room for `length` bytes.
fn block(length: usize) -> Vec<u8> {
    if !(LARGE..=KEEP).contains(&length) {
        return Vec::with_capacity(length);
    }
    let class = class_for(length);
    let kept = KEPT[class].lock().take();
    match kept {
        Some(block) => {
            BYTES.fetch_sub(block.capacity(), Ordering::Relaxed);
            block
        }
        None => Vec::with_capacity(size_of_class(class)),
    }
}

/// Keeps a block for later use, if there is room for it.
fn keep(mut block: Vec<u8>) {
    let capacity = block.capacity();
    if !(LARGE..=KEEP).contains(&capacity) {
        return;
    }
    if BYTES.fetch_add(capacity, Ordering::Relaxed) + capacity > KEEP {
        BYTES.fetch_sub(capacity, Ordering::Relaxed);
        return;
    }
    block.clear();
    KEPT[class_within(capacity)].lock().blocks.push(block);
    if !AWAITED.load(Ordering::Relaxed)
        && let Some(later) = LATER.get()
        && !AWAITED.swap(true, Ordering::Relaxed)
    {
        later();
    }
}

/// Sets the function that arranges a call of [`give_back`] some time after blocks have come.
pub fn give_back_by(later: fn()) {
    let _ = LATER.set(later);
}

/// Frees the blocks that nobody has wanted since the last call. Returns whether others are left, so that another call
/// is needed.
pub fn give_back() -> bool {
    for class in &KEPT {
        // Freed after the lock is released.
        let unwanted = class.lock().unwanted();
        let bytes: usize = unwanted.iter().map(Vec::capacity).sum();
        BYTES.fetch_sub(bytes, Ordering::Relaxed);
    }
    let others = BYTES.load(Ordering::Relaxed) > 0;
    AWAITED.store(others, Ordering::Relaxed);
    others
}

/// Bytes with one owner.
#[derive(Debug)]
pub struct Bytes(Memory);

#[derive(Debug)]
enum Memory {
    Own(Vec<u8>),
    /// Bytes of a plugin, which takes them back itself.
    Plugin(Box<rspool_task::Bytes<'static>>),
}

impl Bytes {
    /// A copy of `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut block = block(bytes.len());
        block.extend_from_slice(bytes);
        block.into()
    }

    /// The bytes that `write` writes to memory of at least `room` bytes, whose content is undefined before. `write`
    /// returns how many bytes it has written.
    ///
    /// # Safety
    /// `write` writes as many bytes as it says, from the start, and none beyond `room`.
    #[must_use]
    pub unsafe fn written(room: usize, write: impl FnOnce(*mut u8) -> usize) -> Self {
        let mut block = block(room);
        let length = write(block.as_mut_ptr());
        assert!(length <= room);
        // SAFETY: the block has that room, and as the caller promises, the bytes have been written.
        unsafe { block.set_len(length) };
        block.into()
    }

    /// Takes the bytes out. They do not return to the kept blocks.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        match &mut self.0 {
            Memory::Own(bytes) => std::mem::take(bytes),
            Memory::Plugin(bytes) => std::mem::take(&mut **bytes).into_vec(),
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Memory::Own(bytes))
    }
}

impl From<rspool_task::Bytes<'static>> for Bytes {
    /// Without a copy, unless the bytes are lent.
    fn from(bytes: rspool_task::Bytes<'static>) -> Self {
        let ours = bytes.into_owned().try_into_vec();
        ours.map_or_else(|bytes| Self(Memory::Plugin(bytes.into())), Self::from)
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::Own(bytes) => bytes,
            Memory::Plugin(bytes) => bytes,
        }
    }
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        Self::copy_of(self)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Self::Own(bytes) = self
            && bytes.capacity() >= LARGE
        {
            keep(std::mem::take(bytes));
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
    fn a_block_has_room_and_is_a_quarter_too_large_at_most() {
        for length in (LARGE..KEEP).step_by(12_345).chain([LARGE, KEEP]) {
            let size = size_of_class(class_for(length));
            assert!(
                length <= size && size - length <= length / STEPS,
                "{length}"
            );
            let class = class_within(length);
            assert!(size_of_class(class) <= length);
            assert!(length == KEEP || length < size_of_class(class + 1));
        }
        assert_eq!(class_within(KEEP), CLASSES - 1);
    }

    #[test]
    fn what_was_wanted_is_kept_and_the_rest_given_back() {
        let mut class = Class::new();
        for _ in 0..3 {
            class.blocks.push(Vec::new());
        }
        assert!(class.unwanted().is_empty());
        let (one, two) = (class.take().unwrap(), class.take().unwrap());
        class.blocks.extend([one, two]);
        assert_eq!(class.unwanted().len(), 1);
        assert_eq!(class.blocks.len(), 2);
        assert_eq!(class.unwanted().len(), 2);
        assert!(class.take().is_none());
    }
}
