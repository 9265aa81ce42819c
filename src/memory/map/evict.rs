//! Chooses which entries make room for others.
//!
//! Entries whose time is over always do. If the map evicts, CLOCK chooses others: each way has a bit, which a reader
//! sets if it is not set. A writer that needs room passes over the entries with a bit and takes the bit from them; the
//! first entry without one goes. A new entry has no bit yet. So entries that are read once do not evict those that are
//! read often.

use super::cells::Cells;
use super::clock::is_over;
use super::entry::{Copies, Found, Head, read};
use super::find::Places;
use super::layout::WAYS;
use super::words::{Block, Way};
use crate::sync::Ordering::{Acquire, Relaxed};

/// An entry that may go, and its blocks.
#[derive(Debug)]
pub(super) struct Victim {
    pub(super) set: u32,
    pub(super) way: usize,
    pub(super) seen: Way,
    pub(super) expired: bool,
}

/// A way for a new entry.
#[derive(Debug)]
pub(super) enum Room {
    Empty {
        set: u32,
        way: usize,
    },
    Of(Victim),
    /// Every entry has to stay.
    Full,
}

/// Marks an entry as used. Stores only if the bit is not set.
#[inline]
pub(super) fn touch(cells: &Cells, set: u32, way: usize) {
    let clock = cells.clock(set);
    if clock.load(Relaxed) >> way & 1 == 0 {
        clock.fetch_or(1 << way, Relaxed);
    }
}

/// Passes over an entry. Returns true if it was not used since the last time.
fn pass(cells: &Cells, set: u32, way: usize) -> bool {
    let clock = cells.clock(set);
    clock.load(Relaxed) >> way & 1 == 0 || clock.fetch_and(!(1 << way), Relaxed) >> way & 1 == 0
}

/// The entry of a way, with its blocks. Nothing if the way is empty, or its words cannot be an entry.
pub(super) fn look(
    cells: &Cells,
    set: u32,
    way: usize,
    limit: usize,
    blocks: &mut Vec<Block>,
) -> Option<(Way, Head)> {
    let word = &cells.ways(set)[way];
    let mut copies = Copies {
        value: None,
        blocks: Some(blocks),
        limit,
    };
    loop {
        let seen = Way(word.load(Acquire));
        if seen == Way::EMPTY {
            return None;
        }
        match read(cells, word, seen, None, &mut copies) {
            Found::Entry(head, _) => return Some((seen, head)),
            Found::Other => return None,
            // The process that has changed it got on.
            Found::Changed => {}
        }
    }
}

/// A way in one of the two sets of a key that is not there: an empty way of the set that has more of them, or the way
/// of an entry that may go, with the blocks of that entry.
pub(super) fn room(
    cells: &Cells,
    places: Places,
    evict: bool,
    limit: usize,
    blocks: &mut Vec<Block>,
) -> Room {
    let empty = |set: u32| {
        let ways = cells.ways(set).iter().enumerate();
        let mut empty = ways.filter(|(_, way)| Way(way.load(Relaxed)) == Way::EMPTY);
        let first = empty.next().map(|(way, _)| (set, way));
        (empty.count(), first)
    };
    let (one, two) = (empty(places.first), empty(places.second));
    let better = if two.0 > one.0 { two.1 } else { one.1 };
    if let Some((set, way)) = better.or(one.1).or(two.1) {
        return Room::Empty { set, way };
    }
    let start = (places.hash >> 40) as usize;
    let sets = [places.first, places.second];
    let candidate = |step: usize| {
        let at = (start + step) % (2 * WAYS);
        (sets[at / WAYS], at % WAYS)
    };
    for step in 0..2 * WAYS {
        let (set, way) = candidate(step);
        if let Some((seen, head)) = look(cells, set, way, limit, blocks)
            && is_over(head.expires)
        {
            return Room::Of(Victim {
                set,
                way,
                seen,
                expired: true,
            });
        }
    }
    // The first round may take all bits, and readers may have set them again before the second. The third round ignores
    // them.
    for step in 0..if evict { 6 * WAYS } else { 0 } {
        let (set, way) = candidate(step);
        if step < 4 * WAYS && !pass(cells, set, way) {
            continue;
        }
        if let Some((seen, _)) = look(cells, set, way, limit, blocks) {
            return Room::Of(Victim {
                set,
                way,
                seen,
                expired: false,
            });
        }
        if Way(cells.ways(set)[way].load(Relaxed)) == Way::EMPTY {
            return Room::Empty { set, way };
        }
    }
    Room::Full
}

/// The first entry of a set, from a way on, that may go. With `evict`, its time need not be over.
pub(super) fn next_in(
    cells: &Cells,
    set: u32,
    from: usize,
    evict: bool,
    limit: usize,
    blocks: &mut Vec<Block>,
) -> Option<Victim> {
    for way in from..WAYS {
        let Some((seen, head)) = look(cells, set, way, limit, blocks) else {
            continue;
        };
        let expired = is_over(head.expires);
        if expired || (evict && pass(cells, set, way)) {
            return Some(Victim {
                set,
                way,
                seen,
                expired,
            });
        }
    }
    None
}
