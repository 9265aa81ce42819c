//! Where each part is in a region. The meaning of each word is in `wire::region`, because both languages know it.
//!
//! ```text
//! header with the table of sections | section | section | ...
//! ```
//!
//! The layout is an interface: programs outside of the cluster read it. The header has a version, and so has each
//! section. A new kind of section moves no other section, and readers that do not know it skip it.
//!
//! A *seat* belongs to one process while it lives. A row of *cells* belongs to a slot for ever, so the counts of a dead
//! process stay counted. Sections and rows start on cache lines of their own.

use super::RegionError;
use crate::memory::{ring, table};

/// The version of the header and of its table.
pub(super) const VERSION: u32 = 2;
/// Bytes of the header: eight words, then the table.
pub(super) const HEADER_BYTES: usize = 1024;
/// Word numbers in the header. They never change once the region is in use.
pub(super) mod header {
    /// Says that this is a region.
    pub(crate) const MAGIC: usize = 0;
    /// The version. The upper half has the number of bytes of the header.
    pub(crate) const VERSION: usize = 1;
    /// Bytes of the whole region.
    pub(crate) const TOTAL: usize = 2;
    /// A digest of the names of the cells.
    pub(crate) const SCHEMA: usize = 3;
    /// The number of sections in the table.
    pub(crate) const SECTIONS: usize = 4;
    /// The first word of the table.
    pub(crate) const TABLE: usize = 8;
}
/// Words of an entry of the table: kind and version, offset, length, count and stride.
pub(super) const ENTRY_WORDS: usize = 4;
/// The most entries that fit into the table.
pub(super) const MAX_SECTIONS: usize = (HEADER_BYTES / 8 - header::TABLE) / ENTRY_WORDS;

/// Bytes of a seat.
pub(super) const SEAT_BYTES: usize = 256;
/// Bytes of what the primary knows of a slot.
pub(super) const SLOT_BYTES: usize = 256;
/// Bytes of the text that belongs to a seat.
pub(super) const TEXT_BYTES: usize = 4096;
/// Bytes of the requests that belong to a seat.
pub(super) const REQUESTS_BYTES: usize = 512;
/// Bytes of a claim on a lock; its words are those of `memory::locks`.
const CLAIM_BYTES: usize = 64;
/// Bytes of the bell of a seat.
const BELL_BYTES: usize = 64;
const SHARED_BYTES: usize = 128;
const LINE: usize = 64;

/// The parts that a region has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Processes alive at one time.
    pub seats: u32,
    /// Slots.
    pub slots: u32,
    /// Rows of cells.
    pub rows: u32,
    /// 64-bit cells in a row.
    pub cells: u32,
    /// Tokens of the CPU budget.
    pub tokens: u32,
    /// Bytes of messages that the ring keeps; 0 for no ring.
    pub ring: u32,
    /// Claims on locks: how many names the processes may want, each process counted by itself.
    pub claims: u32,
    /// Keys of things that happen once.
    pub once: u32,
    /// Keys of limits.
    pub limits: u32,
    /// A digest of the names of the cells; both sides must agree on it.
    pub schema: u64,
}

/// `count` parts of `stride` bytes each, from `offset` on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Bytes from the start of the region.
    pub offset: usize,
    /// How many parts.
    pub count: usize,
    /// Bytes from one part to the next.
    pub stride: usize,
}

impl Section {
    /// The first byte of a word.
    ///
    /// # Panics
    /// If there is no such part or word.
    pub fn word(&self, part: usize, word: usize) -> usize {
        assert!(part < self.count && word < self.stride / 8);
        self.offset + part * self.stride + word * 8
    }
}

/// Where the sections are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The words that all processes share.
    pub shared: Section,
    /// One seat per living process.
    pub seats: Section,
    /// The tokens of the CPU budget.
    pub tokens: Section,
    /// One row of cells per slot.
    pub cells: Section,
    /// One text per seat.
    pub texts: Section,
    /// What the primary knows of each slot.
    pub slots: Section,
    /// The oldest and the last request of each seat.
    pub requests: Section,
    /// A text about the cluster, in one part of just its size.
    pub about: Section,
    /// The ring of messages: one part, or none.
    pub ring: Section,
    /// Claims on locks.
    pub claims: Section,
    /// One bell per seat: a 32-bit word that counts the rings, on which the seat's process sleeps.
    pub bells: Section,
    /// Keys of things that have happened once, in sets.
    pub once: Section,
    /// Keys of limits, in sets.
    pub limits: Section,
    /// Bytes of the whole region.
    pub total: usize,
}

/// A section in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: u32,
    pub(super) version: u32,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) count: u32,
    pub(super) stride: u32,
}

impl Entry {
    pub(super) fn words(&self) -> [u64; ENTRY_WORDS] {
        [
            u64::from(self.kind) | u64::from(self.version) << 32,
            self.offset,
            self.length,
            u64::from(self.count) | u64::from(self.stride) << 32,
        ]
    }

    pub(super) fn from_words(words: [u64; ENTRY_WORDS]) -> Entry {
        Entry {
            kind: words[0] as u32,
            version: (words[0] >> 32) as u32,
            offset: words[1],
            length: words[2],
            count: words[3] as u32,
            stride: (words[3] >> 32) as u32,
        }
    }
}

/// The number of a section in the table. A number is never used again for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    Shared = 1,
    Seats = 2,
    Tokens = 3,
    Cells = 4,
    Texts = 5,
    Slots = 6,
    Requests = 7,
    About = 8,
    Ring = 10,
    Claims = 11,
    Bells = 12,
    Once = 13,
    Limits = 14,
}

/// What a section of a kind has to be.
struct Known {
    kind: Kind,
    version: u32,
    name: &'static str,
    /// Bytes of each part, if that is fixed.
    stride: Option<usize>,
    place: fn(&mut Layout) -> &mut Section,
}

const KNOWN: [Known; 13] = [
    Known {
        kind: Kind::Shared,
        version: 1,
        name: "shared words",
        stride: Some(SHARED_BYTES),
        place: |layout| &mut layout.shared,
    },
    Known {
        kind: Kind::Seats,
        version: 2,
        name: "seats",
        stride: Some(SEAT_BYTES),
        place: |layout| &mut layout.seats,
    },
    Known {
        kind: Kind::Tokens,
        version: 1,
        name: "tokens",
        stride: Some(8),
        place: |layout| &mut layout.tokens,
    },
    Known {
        kind: Kind::Cells,
        version: 1,
        name: "cells",
        stride: None,
        place: |layout| &mut layout.cells,
    },
    Known {
        kind: Kind::Texts,
        version: 1,
        name: "texts",
        stride: Some(TEXT_BYTES),
        place: |layout| &mut layout.texts,
    },
    Known {
        kind: Kind::Slots,
        version: 1,
        name: "slots",
        stride: Some(SLOT_BYTES),
        place: |layout| &mut layout.slots,
    },
    Known {
        kind: Kind::Requests,
        version: 1,
        name: "requests",
        stride: Some(REQUESTS_BYTES),
        place: |layout| &mut layout.requests,
    },
    Known {
        kind: Kind::About,
        version: 1,
        name: "about",
        stride: None,
        place: |layout| &mut layout.about,
    },
    Known {
        kind: Kind::Ring,
        version: 1,
        name: "ring of messages",
        stride: None,
        place: |layout| &mut layout.ring,
    },
    Known {
        kind: Kind::Claims,
        version: 1,
        name: "claims",
        stride: Some(CLAIM_BYTES),
        place: |layout| &mut layout.claims,
    },
    Known {
        kind: Kind::Bells,
        version: 1,
        name: "bells",
        stride: Some(BELL_BYTES),
        place: |layout| &mut layout.bells,
    },
    Known {
        kind: Kind::Once,
        version: 2,
        name: "keys of what happens once",
        stride: Some(table::SET_BYTES),
        place: |layout| &mut layout.once,
    },
    Known {
        kind: Kind::Limits,
        version: 2,
        name: "keys of limits",
        stride: Some(table::SET_BYTES),
        place: |layout| &mut layout.limits,
    },
];

const EMPTY: Layout = Layout {
    shared: NOWHERE,
    seats: NOWHERE,
    tokens: NOWHERE,
    cells: NOWHERE,
    texts: NOWHERE,
    slots: NOWHERE,
    requests: NOWHERE,
    about: NOWHERE,
    ring: NOWHERE,
    claims: NOWHERE,
    bells: NOWHERE,
    once: NOWHERE,
    limits: NOWHERE,
    total: 0,
};
const NOWHERE: Section = Section {
    offset: 0,
    count: 0,
    stride: 0,
};

impl Spec {
    /// Lays the sections out, each on its own cache line, with `about` bytes of text. None if they need more than an
    /// address can express.
    pub fn layout(&self, about: usize) -> Option<Layout> {
        let up = |bytes: usize| bytes.checked_next_multiple_of(LINE);
        let mut layout = EMPTY;
        let mut next = HEADER_BYTES;
        for known in &KNOWN {
            let (count, stride) = match known.kind {
                Kind::Shared => (1, SHARED_BYTES),
                Kind::Tokens => (self.tokens as usize, 8),
                Kind::Cells => (
                    self.rows as usize,
                    up((self.cells as usize).checked_mul(8)?)?,
                ),
                Kind::Slots => (self.slots as usize, SLOT_BYTES),
                Kind::About => (1, up(about)?),
                Kind::Ring => (
                    usize::from(self.ring > 0),
                    up(ring::section_bytes(self.ring))?,
                ),
                Kind::Once => (table::sets_for(self.once), table::SET_BYTES),
                Kind::Limits => (table::sets_for(self.limits), table::SET_BYTES),
                Kind::Claims => (self.claims as usize, CLAIM_BYTES),
                Kind::Seats | Kind::Texts | Kind::Requests | Kind::Bells => {
                    (self.seats as usize, known.stride?)
                }
            };
            // The table has 32 bits for each of them.
            u32::try_from(stride).ok()?;
            *(known.place)(&mut layout) = Section {
                offset: next,
                count,
                stride,
            };
            next = up(next.checked_add(count.checked_mul(stride)?)?)?;
        }
        layout.total = next;
        isize::try_from(next).ok()?;
        Some(layout)
    }
}

impl Layout {
    /// The table of its sections.
    pub(super) fn table(mut self) -> Vec<Entry> {
        KNOWN
            .iter()
            .map(|known| {
                let section = *(known.place)(&mut self);
                Entry {
                    kind: known.kind as u32,
                    version: known.version,
                    offset: section.offset as u64,
                    length: (section.count * section.stride) as u64,
                    count: section.count as u32,
                    stride: section.stride as u32,
                }
            })
            .collect()
    }

    /// The layout that a table describes, in a region of `total` bytes. Whatever the words are, a layout that this
    /// accepts lies inside of the region, on whole words, and nothing overlaps.
    pub(super) fn from_table(table: &[Entry], total: usize) -> Result<Layout, RegionError> {
        let mismatch = |what: String| Err(RegionError::Mismatch(what));
        let mut layout = Layout { total, ..EMPTY };
        let mut taken = Vec::new();
        for entry in table {
            let name = KNOWN.iter().find(|known| known.kind as u32 == entry.kind);
            let name = name.map_or_else(|| format!("section {}", entry.kind), |it| it.name.into());
            let end = entry.offset.checked_add(entry.length);
            let parts = u64::from(entry.count) * u64::from(entry.stride);
            let inside = end.is_some_and(|end| end <= total as u64)
                && entry.offset >= HEADER_BYTES as u64
                && entry.offset % LINE as u64 == 0
                && entry.stride % 8 == 0
                && parts <= entry.length;
            if !inside {
                return mismatch(format!("its {name} do not fit into it"));
            }
            taken.push((entry.offset, entry.offset + entry.length, name));
        }
        taken.sort();
        if let Some(two) = taken.windows(2).find(|two| two[0].1 > two[1].0) {
            return mismatch(format!("its {} and its {} overlap", two[0].2, two[1].2));
        }
        for known in &KNOWN {
            let mut entries = table.iter().filter(|entry| entry.kind == known.kind as u32);
            let (name, version) = (known.name, known.version);
            let entry = match (entries.next(), entries.next()) {
                (Some(entry), None) => entry,
                (None, _) => return mismatch(format!("it has no {name}")),
                _ => return mismatch(format!("it has its {name} twice")),
            };
            if entry.version != version {
                let found = entry.version;
                return mismatch(format!(
                    "its {name} are of version {found}, this package reads {version}"
                ));
            }
            let stride = entry.stride as usize;
            if known.stride.is_some_and(|known| known != stride) {
                return mismatch(format!("its {name} have {stride} bytes each"));
            }
            *(known.place)(&mut layout) = Section {
                offset: entry.offset as usize,
                count: entry.count as usize,
                stride,
            };
        }
        let seats = layout.seats.count;
        if layout.shared.count != 1 || layout.about.count != 1 {
            return mismatch("it has not one of each single part".into());
        }
        if [layout.texts, layout.requests, layout.bells]
            .iter()
            .any(|section| section.count != seats)
        {
            return mismatch("not every seat has its text, its requests and its bell".into());
        }
        Ok(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        seats: 3,
        slots: 3,
        rows: 4,
        cells: 9,
        tokens: 2,
        ring: 1 << 16,
        claims: 5,
        once: 100,
        limits: 100,
        schema: 77,
    };

    #[test]
    fn rows_start_on_cache_lines_and_nothing_overlaps() {
        let layout = SPEC.layout(100).unwrap();
        let mut end = HEADER_BYTES;
        for known in &KNOWN {
            let mut copy = layout;
            let section = *(known.place)(&mut copy);
            assert_eq!(section.offset % LINE, 0);
            assert!(section.offset >= end);
            end = section.offset + section.count * section.stride;
        }
        assert!(layout.total >= end);
        assert_eq!(layout.cells.stride, 128);
        assert!(layout.about.stride >= 100);
    }

    #[test]
    fn a_layout_is_read_back_from_its_table() {
        let layout = SPEC.layout(0).unwrap();
        assert_eq!(
            Layout::from_table(&layout.table(), layout.total).unwrap(),
            layout
        );
    }

    #[test]
    fn what_no_address_can_say_is_no_layout() {
        for spec in [
            Spec {
                rows: u32::MAX,
                cells: u32::MAX,
                ..SPEC
            },
            Spec {
                cells: u32::MAX,
                ..SPEC
            },
        ] {
            assert_eq!(spec.layout(0), None);
        }
        assert_eq!(SPEC.layout(usize::MAX - 10), None);
    }

    #[test]
    fn an_unknown_section_is_passed_over_and_a_known_one_of_another_version_is_refused() {
        let layout = SPEC.layout(0).unwrap();
        let mut table = layout.table();
        table.push(Entry {
            kind: 99,
            version: 7,
            offset: layout.total as u64,
            length: 64,
            count: 1,
            stride: 64,
        });
        let total = layout.total + 64;
        let read = Layout::from_table(&table, total).unwrap();
        assert_eq!(read, Layout { total, ..layout });
        table[1].version += 1;
        let refused = Layout::from_table(&table, total).unwrap_err().to_string();
        assert!(
            refused.contains("its seats are of version 3, this package reads 2"),
            "{refused}"
        );
    }

    #[test]
    fn sections_that_overlap_or_stick_out_are_refused() {
        let layout = SPEC.layout(0).unwrap();
        for change in [
            |entry: &mut Entry| entry.offset -= 64,
            |entry: &mut Entry| entry.offset = u64::MAX - 63,
            |entry: &mut Entry| entry.length = u64::MAX,
            |entry: &mut Entry| entry.count = u32::MAX,
            |entry: &mut Entry| entry.kind = 1,
        ] {
            let mut table = layout.table();
            change(&mut table[3]);
            assert!(Layout::from_table(&table, layout.total).is_err());
        }
    }
}
