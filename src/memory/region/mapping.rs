//! Memory of a file, mapped for as long as a value lives.

use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::RegionError;

/// The first bytes of a file. Dropping this unmaps them, so code that hands out pointers has to keep it.
#[derive(Debug)]
pub(in crate::memory) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping is valid until drop whatever thread uses it, and all access goes through atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above; there is no access that is not atomic.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `bytes` of the file. Its size must be at least that, and fixed (sealed, or private to this process until it
    /// is).
    pub(in crate::memory) fn new(
        file: &OwnedFd,
        bytes: usize,
        writable: bool,
    ) -> Result<Mapping, RegionError> {
        let mut access = ProtFlags::READ;
        access.set(ProtFlags::WRITE, writable);
        let place = std::ptr::null_mut();
        // SAFETY: a fresh shared mapping at an address of the kernel's choice aliases nothing of ours; the length
        // is within the file, as this function asks for.
        let address = unsafe { mmap(place, bytes, access, MapFlags::SHARED, file, 0)? };
        let base = NonNull::new(address.cast())
            .ok_or_else(|| RegionError::Io(std::io::ErrorKind::OutOfMemory.into()))?;
        Ok(Mapping { base, bytes })
    }

    pub(in crate::memory) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The value of a word. Unlike the atomics below, this also works on memory that may not be written.
    pub(in crate::memory) fn load(&self, offset: usize) -> u64 {
        self.u64(offset).load(std::sync::atomic::Ordering::Acquire)
    }

    /// # Panics
    /// If it is not a whole word inside of the mapping.
    fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset.is_multiple_of(8) && offset < self.bytes && self.bytes - offset >= 8);
        // SAFETY: the offset was just checked to be inside the mapping.
        unsafe { self.base.as_ptr().add(offset) }
    }

    pub(in crate::memory) fn u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: aligned, inside the mapping, which lives as long as `&self`; only used atomically.
        unsafe { AtomicU64::from_ptr(self.at(offset).cast()) }
    }

    pub(in crate::memory) fn i64(&self, offset: usize) -> &AtomicI64 {
        // SAFETY: as in `u64`.
        unsafe { AtomicI64::from_ptr(self.at(offset).cast()) }
    }

    /// Several words in a row.
    pub(in crate::memory) fn words<const N: usize>(&self, offset: usize) -> &[AtomicU64; N] {
        let last = offset + (N - 1) * 8;
        assert!(last >= offset);
        let (first, _) = (self.at(offset), self.at(last));
        // SAFETY: the first and the last word are inside the mapping, and aligned; otherwise as in `u64`.
        unsafe { &*first.cast() }
    }

    pub(in crate::memory) fn u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: as in `u64`.
        unsafe { AtomicU32::from_ptr(self.at(offset).cast()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping, and nothing that borrows from it outlives it.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}
