//! A region: memory that the processes of one cluster map.
//!
//! 1. The primary makes an anonymous file (`memfd`), sizes it, reserves its pages, writes the header
//!    and seals the size: nobody can truncate it later, so no mapping can fault.
//! 2. Every process inherits the descriptor and opens it. Opening checks seal, size, magic, version and
//!    the table of sections, and refuses anything else; after that the header never changes.
//! 3. All other words are only ever touched by atomic operations, here and in JavaScript.
//! 4. A program outside of the cluster, of the same user, may look at the region: it takes a copy, and cannot write.
//!
//! `layout` says where everything is, `header` writes and checks that, `file` is the file to map, `mapping` maps it,
//! `look` is for programs outside, and `ask` is how the helper thread of a process gets requests.

mod ask;
pub(super) mod file;
mod header;
mod layout;
mod look;
pub(super) mod mapping;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use rustix::fs;

use super::futex;
use file::{anonymous_file, reserve, seal};
use mapping::Mapping;

use crate::wire::region::{seat, shared};

pub use ask::{Answer, Question};
pub use layout::{Layout, Section, Spec};
pub use look::Look;

/// Why a region could not be made or opened.
#[derive(Debug)]
pub enum RegionError {
    /// The system refused.
    Io(io::Error),
    /// The descriptor is not a region, or one of another version, size or schema.
    Mismatch(String),
    /// It would be larger than a region can be.
    TooLarge,
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionError::Io(error) => write!(f, "the shared region could not be mapped: {error}"),
            RegionError::Mismatch(what) => {
                write!(f, "not the shared region of this cluster: {what}")
            }
            RegionError::TooLarge => f.write_str("the region would be larger than 1 GiB"),
        }
    }
}

impl std::error::Error for RegionError {}

impl From<rustix::io::Errno> for RegionError {
    fn from(errno: rustix::io::Errno) -> Self {
        RegionError::Io(errno.into())
    }
}

/// The most bytes that a region may have.
const MAX_BYTES: usize = 1 << 30;

/// One mapping of a region.
#[derive(Debug)]
pub struct Region {
    mapping: Mapping,
    layout: Layout,
    schema: u64,
    file: OwnedFd,
}

impl Region {
    /// Makes a region with room for `spec`. All of it is zero except the header and the text about the cluster.
    pub fn create(spec: Spec, about: &str) -> Result<Region, RegionError> {
        let layout = spec
            .layout(about.len())
            .filter(|layout| layout.total <= MAX_BYTES)
            .ok_or(RegionError::TooLarge)?;
        let file = anonymous_file(c"rspool")?;
        fs::ftruncate(&file, layout.total as u64)?;
        reserve(&file, layout.total)?;
        let mapping = Mapping::new(&file, layout.total, true)?;
        for (word, bytes) in about.as_bytes().chunks(8).enumerate() {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            mapping
                .u64(layout.about.word(0, word))
                .store(u64::from_le_bytes(whole), Ordering::Relaxed);
        }
        mapping
            .u64(layout.shared.word(0, shared::SEED))
            .store(random(), Ordering::Relaxed);
        header::write(&mapping, layout, spec.schema);
        seal(&file)?;
        Ok(Region {
            mapping,
            layout,
            schema: spec.schema,
            file,
        })
    }

    /// Opens the region behind `file`, whatever its layout, after checking its header and its size.
    pub fn open(file: BorrowedFd<'_>) -> Result<Region, RegionError> {
        let file = rustix::io::fcntl_dupfd_cloexec(file, 0)?;
        let (layout, schema) = header::read(&file)?;
        Region::map(file, layout, schema)
    }

    /// Another mapping of the same memory, at another address.
    pub fn remap(&self) -> Result<Region, RegionError> {
        let file = self.file.try_clone().map_err(RegionError::Io)?;
        Region::map(file, self.layout, self.schema)
    }

    fn map(file: OwnedFd, layout: Layout, schema: u64) -> Result<Region, RegionError> {
        Ok(Region {
            mapping: Mapping::new(&file, layout.total, true)?,
            layout,
            schema,
            file,
        })
    }

    /// The digest of the names.
    pub fn schema(&self) -> u64 {
        self.schema
    }

    /// Where its sections are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The descriptor by which other processes open the region.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The start of the mapping, for a view that must not outlive this value.
    pub fn base(&self) -> NonNull<u8> {
        self.mapping.base()
    }

    /// A word of a seat.
    ///
    /// # Panics
    /// If there is no such seat or word.
    pub fn seat(&self, seat: usize, word: usize) -> &AtomicI64 {
        self.mapping.i64(self.layout.seats.word(seat, word))
    }

    /// A token of the budget: 0 if it is free, otherwise its holder.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn token(&self, token: usize) -> &AtomicU64 {
        self.mapping.u64(self.layout.tokens.word(token, 0))
    }

    /// How many tokens the budget has.
    pub fn tokens(&self) -> usize {
        self.layout.tokens.count
    }

    /// A cell of a row.
    ///
    /// # Panics
    /// If there is no such row or cell.
    pub fn cell(&self, row: usize, cell: usize) -> &AtomicI64 {
        self.mapping.i64(self.layout.cells.word(row, cell))
    }

    /// A 32-bit word that all processes share; see [`shared`](crate::wire::region::shared).
    ///
    /// # Panics
    /// If there is no such word.
    pub fn shared_u32(&self, word: usize) -> &AtomicU32 {
        self.mapping.u32(self.layout.shared.word(0, word))
    }

    /// A word of the first part of a section.
    ///
    /// # Panics
    /// If there is no such word.
    pub(in crate::memory) fn u64_of(&self, section: Section, word: usize) -> &AtomicU64 {
        self.mapping.u64(section.word(0, word))
    }

    /// The same as a word of 32 bits. Its second half is not used.
    pub(in crate::memory) fn u32_of(&self, section: Section, word: usize) -> &AtomicU32 {
        self.mapping.u32(section.word(0, word))
    }

    /// A 64-bit word that all processes share; see [`shared`].
    ///
    /// # Panics
    /// If there is no such word.
    pub fn shared_u64(&self, word: usize) -> &AtomicU64 {
        self.mapping.u64(self.layout.shared.word(0, word))
    }

    /// A word of a part of a section.
    ///
    /// # Panics
    /// If there is no such part or word.
    pub(in crate::memory) fn word_of(
        &self,
        section: Section,
        part: usize,
        word: usize,
    ) -> &AtomicU64 {
        self.mapping.u64(section.word(part, word))
    }

    /// A word of a claim on a lock.
    ///
    /// # Panics
    /// If there is no such claim or word.
    pub(crate) fn claim_word(&self, claim: usize, word: usize) -> &AtomicU64 {
        self.mapping.u64(self.layout.claims.word(claim, word))
    }

    /// How often the process in a seat was rung.
    ///
    /// # Panics
    /// If there is no such seat.
    pub fn bell(&self, seat: usize) -> &AtomicU32 {
        self.mapping.u32(self.layout.bells.word(seat, 0))
    }

    /// Wakes the process in a seat, so that it looks for changes for which it waits.
    ///
    /// # Panics
    /// If there is no such seat.
    pub fn ring(&self, seat: usize) {
        let bell = self.bell(seat);
        bell.fetch_add(1, Ordering::SeqCst);
        futex::wake_all(bell);
    }

    /// A copy of the text of a seat, as far as it was written.
    ///
    /// # Panics
    /// If there is no such seat.
    pub fn text(&self, seat: usize) -> String {
        let length = self.seat(seat, seat::TEXT_LENGTH).load(Ordering::Acquire);
        let texts = self.layout.texts;
        let length = usize::try_from(length).unwrap_or(0).min(texts.stride);
        let mut bytes: Vec<u8> = (0..length.div_ceil(8))
            .flat_map(|word| {
                self.text_word(seat, word)
                    .load(Ordering::Relaxed)
                    .to_le_bytes()
            })
            .collect();
        bytes.truncate(length);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn text_word(&self, seat: usize, word: usize) -> &AtomicI64 {
        self.mapping.i64(self.layout.texts.word(seat, word))
    }
}

/// A number that cannot be guessed.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests;
