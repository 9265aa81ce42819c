//! How an entry is read. A reader waits for nobody, and nobody waits for a reader.

use super::change::Hands;
use super::entry::Copies;
use super::evict::touch;
use super::find::{Entry, find};
use super::{Current, Key, Map, clock};

/// An entry that was found, and its place.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// The entry.
    pub entry: Current<'a>,
    place: (u32, usize),
}

/// Where a process that keeps a decoded value checks whether the entry is still the same, in bytes from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The way, whose lower half is the block + 1.
    pub way: usize,
    /// The state of the block, whose upper half is its generation.
    pub state: usize,
    /// The CLOCK bits of the set. `bit` is that of the way.
    pub clock: usize,
    /// See `clock`.
    pub bit: u32,
}

impl Map {
    /// The entry of a key, with its value in `hands`.
    pub fn get<'a>(&self, hands: &'a mut Hands, key: &Key) -> Option<Read<'a>> {
        let entry = self.look_up(key, Some(&mut hands.value))?;
        touch(&self.cells, entry.set, entry.way);
        Some(Read {
            entry: Current::new(&entry, &hands.value),
            place: (entry.set, entry.way),
        })
    }

    /// The entry of a key without its value.
    pub fn peek(&self, key: &Key) -> Option<Current<'static>> {
        self.look_up(key, None)
            .map(|entry| Current::new(&entry, &[]))
    }

    fn look_up(&self, key: &Key, value: Option<&mut Vec<u64>>) -> Option<Entry> {
        let mut copies = Copies {
            value,
            blocks: None,
            limit: self.options.max_value,
        };
        find(&self.cells, key, self.places(key), &mut copies)
            .filter(|entry| !clock::is_over(entry.head.expires))
    }

    /// Where to check whether the entry that was read is still there.
    pub fn place(&self, read: &Read<'_>) -> Place {
        let (set, way) = read.place;
        self.cells
            .place(set, way, (read.entry.version as u32).wrapping_sub(1))
    }
}
