//! The first bytes of a region: its maker writes them once, and all others check them.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use rustix::fs;

use super::RegionError;
use super::file::check_seal;
use super::layout::{ENTRY_WORDS, Entry, HEADER_BYTES, Layout, MAX_SECTIONS, VERSION, header};
use super::mapping::Mapping;

const MAGIC: u64 = u64::from_le_bytes(*b"rspool\x00R");

pub(super) fn write(mapping: &Mapping, layout: Layout, schema: u64) {
    let put = |word: usize, value: u64| mapping.u64(word * 8).store(value, Ordering::Release);
    let table = layout.table();
    put(
        header::VERSION,
        u64::from(VERSION) | (HEADER_BYTES as u64) << 32,
    );
    put(header::TOTAL, layout.total as u64);
    put(header::SCHEMA, schema);
    put(header::SECTIONS, table.len() as u64);
    for (entry, at) in table.iter().zip((header::TABLE..).step_by(ENTRY_WORDS)) {
        for (word, value) in entry.words().into_iter().enumerate() {
            put(at + word, value);
        }
    }
    put(header::MAGIC, MAGIC);
}

/// The layout and the schema of the region behind `file`, whatever file that is.
pub(super) fn read(file: &OwnedFd) -> Result<(Layout, u64), RegionError> {
    let mismatch = |what: String| Err(RegionError::Mismatch(what));
    // A size that is not sealed may change right after it was read.
    check_seal(file)?;
    let size = fs::fstat(file)?.st_size;
    let Ok(size) = usize::try_from(size) else {
        return mismatch(format!("it has {size} bytes"));
    };
    if size < HEADER_BYTES {
        return mismatch(format!("it has {size} bytes"));
    }
    let mapping = Mapping::new(file, HEADER_BYTES, false)?;
    let word = |word: usize| mapping.load(word * 8);
    if word(header::MAGIC) != MAGIC {
        return mismatch("no region header".into());
    }
    let version = word(header::VERSION) as u32;
    if version != VERSION || (word(header::VERSION) >> 32) as usize != HEADER_BYTES {
        return mismatch(format!(
            "version {version}, this package reads {VERSION}. Use the package that the cluster runs with"
        ));
    }
    let total = word(header::TOTAL);
    if total != size as u64 {
        return mismatch(format!("{size} bytes, where its header says {total}"));
    }
    let sections = word(header::SECTIONS);
    if sections > MAX_SECTIONS as u64 {
        return mismatch(format!("a table of {sections} sections"));
    }
    let table: Vec<Entry> = (0..sections as usize)
        .map(|entry| {
            let at = header::TABLE + entry * ENTRY_WORDS;
            Entry::from_words(std::array::from_fn(|n| word(at + n)))
        })
        .collect();
    Ok((Layout::from_table(&table, size)?, word(header::SCHEMA)))
}
