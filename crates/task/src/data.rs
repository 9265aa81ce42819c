//! The bytes that a task is given: either read in place, or in memory that others may write.

use std::borrow::Cow;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::abi::Release;
use crate::bytes::Bytes;
use crate::context::{CHUNK, Context};
use crate::error::{Error, Result};

/// The bytes of an input or of a result.
pub enum Data<'a> {
    /// Bytes that are read in place.
    Own(Bytes<'a>),
    /// Bytes of a SharedArrayBuffer: others may write them at the same time.
    Shared(Shared<'a>),
}

/// Bytes that others may write while they are read. A read copies each byte as it is at that moment.
pub struct Shared<'a> {
    data: *const u8,
    len: usize,
    owner: *mut c_void,
    release: Option<Release>,
    lent: PhantomData<&'a [AtomicU8]>,
}

// SAFETY: the bytes are read atomically, and `release` may be called on any thread.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// Bytes that somebody else has allocated.
    ///
    /// # Safety
    /// `len` bytes from `data` on are memory that can be read and written for the lifetime, until `release` is called with
    /// these parts: once, on any thread. Whoever writes them does so atomically, or as JavaScript does.
    #[must_use]
    pub unsafe fn from_parts(
        data: *const u8,
        len: usize,
        owner: *mut c_void,
        release: Option<Release>,
    ) -> Self {
        Self {
            data,
            len,
            owner,
            release,
            lent: PhantomData,
        }
    }

    /// The parts, for [`Shared::from_parts`].
    #[must_use]
    pub fn into_parts(self) -> (*const u8, usize, *mut c_void, Option<Release>) {
        let this = std::mem::ManuallyDrop::new(self);
        (this.data, this.len, this.owner, this.release)
    }

    /// Copies the bytes from `offset` on.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) {
        let end = offset.checked_add(to.len());
        assert!(end.is_some_and(|end| end <= self.len), "within the bytes");
        if to.is_empty() {
            return;
        }
        // SAFETY: in bounds.
        let from = unsafe { self.data.add(offset) };
        let head = from.align_offset(align_of::<AtomicU64>()).min(to.len());
        let (first, rest) = to.split_at_mut(head);
        let (words, last) = rest.as_chunks_mut::<8>();
        // SAFETY: in bounds, and the words are aligned; the bytes are there, and read atomically.
        unsafe {
            copy_bytes(from, first);
            let from = from.add(head);
            for (index, word) in words.iter_mut().enumerate() {
                let cell = AtomicU64::from_ptr(from.add(8 * index).cast_mut().cast());
                *word = cell.load(Relaxed).to_ne_bytes();
            }
            copy_bytes(from.add(8 * words.len()), last);
        }
    }
}

/// # Safety
/// As many bytes as `to` has are at `from`.
unsafe fn copy_bytes(from: *const u8, to: &mut [u8]) {
    for (index, byte) in to.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        let cell = unsafe { AtomicU8::from_ptr(from.add(index).cast_mut()) };
        *byte = cell.load(Relaxed);
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: the parts as they were given; nobody has them any more.
            unsafe { release(self.owner, self.data.cast_mut().cast(), self.len) }
        }
    }
}

impl<'a> Data<'a> {
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(shared) => shared.len,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, or `None` for shared memory, which others may write at the same time.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self {
            Self::Own(bytes) => Some(bytes),
            Self::Shared(_) => None,
        }
    }

    /// The bytes in one piece. Bytes of shared memory are copied, with a check before each chunk.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and `ERR_RSPOOL_OUT_OF_MEMORY` for the copy.
    pub fn contiguous(&self, context: &Context<'_>) -> Result<Cow<'_, [u8]>> {
        let shared = match self {
            Self::Own(bytes) => return Ok(Cow::Borrowed(bytes)),
            Self::Shared(shared) => shared,
        };
        let mut copy = room_for(shared.len)?;
        while copy.len() < shared.len {
            context.check()?;
            let start = copy.len();
            copy.resize(shared.len.min(start + CHUNK), 0);
            shared.copy_to(start, &mut copy[start..]);
        }
        Ok(Cow::Owned(copy))
    }

    /// The bytes, to read them in place. Bytes of shared memory are copied.
    #[must_use]
    pub fn into_bytes(self) -> Bytes<'a> {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(shared) => {
                let mut copy = vec![0; shared.len];
                shared.copy_to(0, &mut copy);
                copy.into()
            }
        }
    }

    /// The bytes without the limit of the call: copied if they are lent for it.
    #[must_use]
    pub fn into_owned(self) -> Data<'static> {
        Data::Own(self.into_bytes().into_owned())
    }

    /// The bytes as a vector of the task: copied if they are not one yet.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.into_bytes().into_vec()
    }

    /// Calls `read` with a part of the bytes. Bytes of shared memory go through `buffer`.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub fn with<T>(
        &self,
        range: Range<usize>,
        buffer: &mut Vec<u8>,
        read: impl FnOnce(&[u8]) -> T,
    ) -> T {
        match self {
            Self::Own(bytes) => read(&bytes[range]),
            Self::Shared(shared) => {
                buffer.resize(range.len(), 0);
                shared.copy_to(range.start, buffer);
                read(buffer)
            }
        }
    }
}

/// An empty vector with room for `length` elements.
///
/// # Errors
/// `ERR_RSPOOL_OUT_OF_MEMORY`.
pub fn room_for<T>(length: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(length)
        .map_err(|_| Error::out_of_memory(length.saturating_mul(size_of::<T>())))?;
    Ok(room)
}

/// Something that can be read piece by piece.
pub trait Pieces {
    /// Its size in bytes.
    fn size(&self) -> usize;

    /// Calls `read` with a part of the bytes. Bytes of shared memory go through `buffer`.
    fn piece(&self, range: Range<usize>, buffer: &mut Vec<u8>, read: &mut dyn FnMut(&[u8]));
}

impl<T: AsRef<[u8]> + ?Sized> Pieces for T {
    fn size(&self) -> usize {
        self.as_ref().len()
    }

    fn piece(&self, range: Range<usize>, _: &mut Vec<u8>, read: &mut dyn FnMut(&[u8])) {
        read(&self.as_ref()[range]);
    }
}

impl Pieces for Data<'_> {
    fn size(&self) -> usize {
        self.len()
    }

    fn piece(&self, range: Range<usize>, buffer: &mut Vec<u8>, read: &mut dyn FnMut(&[u8])) {
        self.with(range, buffer, read);
    }
}

impl<'a> From<Bytes<'a>> for Data<'a> {
    fn from(bytes: Bytes<'a>) -> Self {
        Self::Own(bytes)
    }
}

impl From<Vec<u8>> for Data<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes.into())
    }
}

impl Default for Data<'_> {
    fn default() -> Self {
        Self::Own(Bytes::new())
    }
}

impl Clone for Data<'_> {
    fn clone(&self) -> Self {
        self.with(0..self.len(), &mut Vec::new(), |bytes| {
            bytes.to_vec().into()
        })
    }
}

impl PartialEq for Data<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        self.len() == other.len()
            && self.with(0..self.len(), &mut one, |one| {
                other.with(0..other.len(), &mut two, |two| one == two)
            })
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(bytes) => bytes.fmt(f),
            Self::Shared(shared) => write!(f, "{} shared bytes", shared.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn cells(bytes: &[u8]) -> Vec<AtomicU8> {
        bytes.iter().copied().map(AtomicU8::new).collect()
    }

    fn shared(memory: &[AtomicU8]) -> Shared<'_> {
        let (data, len) = (memory.as_ptr().cast(), memory.len());
        // SAFETY: for as long as they are borrowed.
        unsafe { Shared::from_parts(data, len, ptr::null_mut(), None) }
    }

    #[test]
    fn shared_bytes_are_copied_from_any_place_to_any_place() {
        let memory: Vec<u8> = (0..200).collect();
        let cells = cells(&memory);
        let shared = shared(&cells);
        for (offset, length) in [
            (0, 200),
            (1, 199),
            (3, 4),
            (5, 30),
            (8, 16),
            (199, 1),
            (200, 0),
        ] {
            let mut copy = vec![0; length];
            shared.copy_to(offset, &mut copy);
            assert_eq!(copy, memory[offset..offset + length]);
        }
    }

    #[test]
    #[should_panic(expected = "within the bytes")]
    fn no_byte_beyond_them_is_read() {
        shared(&cells(&[0; 8])).copy_to(4, &mut [0; 5]);
    }

    #[test]
    fn both_kinds_are_read_the_same_way() {
        let memory: Vec<u8> = (0..100).collect();
        let cells = cells(&memory);
        for data in [Data::Shared(shared(&cells)), Data::from(memory.clone())] {
            assert_eq!(data, Data::from(memory.clone()));
            assert_eq!(data.contiguous(&Context::detached()).unwrap(), memory);
            assert_eq!(data.with(3..5, &mut Vec::new(), <[u8]>::to_vec), [3, 4]);
            assert_eq!(data.clone().into_vec(), memory);
            assert_eq!(data.into_bytes(), memory);
        }
    }
}
