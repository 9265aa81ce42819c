//! A region: memory that the processes of one cluster map.
//!
//! 1. The primary makes an anonymous file (`memfd`), sizes it, reserves its pages, writes the header
//!    and seals the size: nobody can truncate it later, so no mapping can fault.
//! 2. Every process inherits the descriptor and opens it. Opening checks magic, version, size and
//!    schema and refuses anything else; after that the header never changes.
//! 3. All other words are only ever touched by atomic operations, here and in JavaScript.
//!
//! `layout` says where everything is, `file` is what is mapped.

mod file;
mod layout;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use rustix::fs;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use file::{anonymous_file, check_seal, reserve, seal};
use layout::HEADER_BYTES;

pub use layout::{Layout, SEAT_BYTES, Spec, TEXT_BYTES, seat, shared};

const MAGIC: u64 = u64::from_le_bytes(*b"rspool\x00R");
const VERSION: u32 = 1;

/// Why a region could not be made or opened.
#[derive(Debug)]
pub enum RegionError {
    /// The system refused.
    Io(io::Error),
    /// The descriptor is not a region, or one of another version, size or schema.
    Mismatch(String),
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionError::Io(error) => write!(f, "the shared region could not be mapped: {error}"),
            RegionError::Mismatch(what) => {
                write!(f, "not the shared region of this cluster: {what}")
            }
        }
    }
}

impl std::error::Error for RegionError {}

impl From<rustix::io::Errno> for RegionError {
    fn from(errno: rustix::io::Errno) -> Self {
        RegionError::Io(errno.into())
    }
}

/// One mapping of a region. Dropping it unmaps, so whoever hands out pointers keeps it.
#[derive(Debug)]
pub struct Region {
    base: NonNull<u8>,
    spec: Spec,
    layout: Layout,
    file: OwnedFd,
}

// SAFETY: the mapping is valid until drop whatever thread uses it, and all access goes through atomics.
unsafe impl Send for Region {}
// SAFETY: as above; there is no access that is not atomic.
unsafe impl Sync for Region {}

impl Region {
    /// Makes a region with room for `spec`, all zero but its header.
    pub fn create(spec: Spec) -> Result<Region, RegionError> {
        let layout = spec.layout();
        let file = anonymous_file()?;
        fs::ftruncate(&file, layout.total as u64)?;
        reserve(&file, layout.total)?;
        let region = Region::map(file, spec, layout)?;
        let words = [
            (0, MAGIC),
            (1, u64::from(VERSION) | (HEADER_BYTES as u64) << 32),
            (2, layout.total as u64),
            (3, u64::from(spec.seats) | u64::from(spec.rows) << 32),
            (4, u64::from(spec.cells) | u64::from(spec.tokens) << 32),
            (5, spec.schema),
        ];
        for (word, value) in words {
            region.u64(word * 8).store(value, Ordering::Release);
        }
        seal(&region.file)?;
        Ok(region)
    }

    /// Opens the region behind `file`, whatever its spec, after checking its header and its size.
    pub fn open(file: BorrowedFd<'_>) -> Result<Region, RegionError> {
        let mismatch = |what: String| Err(RegionError::Mismatch(what));
        let file = rustix::io::fcntl_dupfd_cloexec(file, 0)?;
        let size = fs::fstat(&file)?.st_size as usize;
        if size < HEADER_BYTES {
            return mismatch(format!("it has {size} bytes"));
        }
        check_seal(&file)?;
        let empty = Spec {
            seats: 0,
            rows: 0,
            cells: 0,
            tokens: 0,
            schema: 0,
        };
        let header = Region::map(
            file,
            empty,
            Layout {
                total: HEADER_BYTES,
                ..empty.layout()
            },
        )?;
        let word = |n: usize| header.u64(n * 8).load(Ordering::Acquire);
        if word(0) != MAGIC {
            return mismatch("no region header".into());
        }
        let version = word(1) as u32;
        if version != VERSION || (word(1) >> 32) as usize != HEADER_BYTES {
            return mismatch(format!("version {version}, this package reads {VERSION}"));
        }
        let spec = Spec {
            seats: word(3) as u32,
            rows: (word(3) >> 32) as u32,
            cells: word(4) as u32,
            tokens: (word(4) >> 32) as u32,
            schema: word(5),
        };
        let layout = spec.layout();
        if word(2) != layout.total as u64 || size != layout.total {
            return mismatch(format!(
                "{size} bytes, where its header says {} and its parts take {}",
                word(2),
                layout.total
            ));
        }
        let file = header
            .file
            .as_fd()
            .try_clone_to_owned()
            .map_err(RegionError::Io)?;
        Region::map(file, spec, layout)
    }

    /// Another mapping of the same memory, at another address.
    pub fn remap(&self) -> Result<Region, RegionError> {
        let file = self.file.try_clone().map_err(RegionError::Io)?;
        Region::map(file, self.spec, self.layout)
    }

    fn map(file: OwnedFd, spec: Spec, layout: Layout) -> Result<Region, RegionError> {
        // SAFETY: a fresh shared mapping at an address of the kernel's choice aliases nothing of ours;
        // the length is within the file, whose size is fixed (sealed, or private to us until it is).
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                layout.total,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )?
        };
        let base = NonNull::new(address.cast())
            .ok_or_else(|| RegionError::Io(io::ErrorKind::OutOfMemory.into()))?;
        Ok(Region {
            base,
            spec,
            layout,
            file,
        })
    }

    /// What it has room for.
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// Where its parts are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The descriptor that other processes open.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The start of the mapping, for a view whose life is bound to this value.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// A word of a seat.
    ///
    /// # Panics
    /// When there is no such seat or word.
    pub fn seat(&self, seat: usize, word: usize) -> &AtomicI64 {
        assert!(seat < self.spec.seats as usize && word * 8 < SEAT_BYTES);
        self.i64(self.layout.seats + seat * SEAT_BYTES + word * 8)
    }

    /// A token of the budget: 0 when free, else who holds it.
    ///
    /// # Panics
    /// When there is no such token.
    pub fn token(&self, token: usize) -> &AtomicU64 {
        assert!(token < self.spec.tokens as usize);
        self.u64(self.layout.tokens + token * 8)
    }

    /// A cell of a row.
    ///
    /// # Panics
    /// When there is no such row or cell.
    pub fn cell(&self, row: usize, cell: usize) -> &AtomicI64 {
        assert!(row < self.spec.rows as usize && cell < self.spec.cells as usize);
        self.i64(self.layout.cells + row * self.layout.row_bytes + cell * 8)
    }

    /// A 32-bit word of the shared part of the header; see [`shared`].
    pub fn shared_u32(&self, word: usize) -> &AtomicU32 {
        assert!((32..HEADER_BYTES / 8).contains(&word));
        let pointer = self.at(word * 8);
        // SAFETY: aligned, inside the mapping, which lives as long as `&self`; only used atomically.
        unsafe { AtomicU32::from_ptr(pointer.cast()) }
    }

    /// A copy of the text of a seat, as far as it was written.
    pub fn text(&self, seat: usize) -> String {
        let length = self.seat(seat, seat::TEXT_LENGTH).load(Ordering::Acquire);
        let length = usize::try_from(length).unwrap_or(0).min(TEXT_BYTES);
        let start = self.layout.texts + seat * TEXT_BYTES;
        let bytes: Vec<u8> = (0..length)
            .map(|n| {
                let word = self.i64(start + n / 8 * 8).load(Ordering::Relaxed);
                word.to_le_bytes()[n % 8]
            })
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset + 8 <= self.layout.total && offset.is_multiple_of(8));
        // SAFETY: the offset was just checked to be inside the mapping.
        unsafe { self.base.as_ptr().add(offset) }
    }

    fn u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: aligned, inside the mapping, which lives as long as `&self`; only used atomically.
        unsafe { AtomicU64::from_ptr(self.at(offset).cast()) }
    }

    fn i64(&self, offset: usize) -> &AtomicI64 {
        // SAFETY: as in `u64`.
        unsafe { AtomicI64::from_ptr(self.at(offset).cast()) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping, and nothing that borrows from it outlives it.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.layout.total) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        seats: 3,
        rows: 4,
        cells: 9,
        tokens: 2,
        schema: 77,
    };

    #[test]
    fn two_mappings_see_the_same_cells() {
        let one = Region::create(SPEC).unwrap();
        let two = Region::open(one.file()).unwrap();
        assert_eq!(two.spec(), SPEC);
        one.cell(3, 8).fetch_add(5, Ordering::SeqCst);
        assert_eq!(two.cell(3, 8).load(Ordering::SeqCst), 5);
        assert_ne!(one.base(), one.remap().unwrap().base());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_region_cannot_be_truncated() {
        let region = Region::create(SPEC).unwrap();
        assert!(fs::ftruncate(region.file(), 0).is_err());
        assert!(fs::ftruncate(region.file(), 1 << 20).is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_no_region_is_refused() {
        let file = anonymous_file().unwrap();
        assert!(matches!(
            Region::open(file.as_fd()),
            Err(RegionError::Mismatch(_))
        ));
        fs::ftruncate(&file, 8192).unwrap();
        seal(&file).unwrap();
        assert!(matches!(
            Region::open(file.as_fd()),
            Err(RegionError::Mismatch(_))
        ));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn another_version_or_size_is_refused() {
        for word in [1, 2] {
            let region = Region::create(SPEC).unwrap();
            region.u64(word * 8).fetch_add(1, Ordering::SeqCst);
            assert!(matches!(
                Region::open(region.file()),
                Err(RegionError::Mismatch(_))
            ));
        }
    }

    #[test]
    fn text_is_read_up_to_its_length() {
        let region = Region::create(SPEC).unwrap();
        let start = region.layout.texts + TEXT_BYTES;
        region
            .u64(start)
            .store(u64::from_le_bytes(*b"at loop "), Ordering::Relaxed);
        region
            .seat(1, seat::TEXT_LENGTH)
            .store(7, Ordering::Release);
        assert_eq!(region.text(1), "at loop");
        assert_eq!(region.text(0), "");
    }
}
