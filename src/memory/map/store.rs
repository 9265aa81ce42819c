//! Provides the blocks of a new entry.
//!
//! 1. The magazine of the process: blocks of entries that it has replaced or deleted. So a process that only replaces
//!    never has to search.
//! 2. Free blocks, from the place where the last one was found. A search that finds none is not repeated at once.
//! 3. If entries make room for others: CLOCK goes through the sets (`evict`), and takes the blocks of the first entry
//!    that was not read since CLOCK last came there.
//!
//! A process keeps 8 blocks at most. The map has as many extra blocks for each of its seats. If no entry makes room for
//! others, new keys and longer values may not use these. So existing entries can be replaced and counted, however full
//! the map is. The free blocks are counted now and then: so often that all processes together cannot have taken more
//! than half of them in between.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use super::blocks::{release, retake, take};
use super::cells::Cells;
use super::kill::{Step, at};
use super::layout::MAGAZINE;
use super::words::{Block, Kind, Owner, State};

/// States that are searched before an entry has to make room.
const LOOK: u32 = 1024;
/// After a search without success, how often blocks are wanted before the next search.
const DRY: u32 = 64;

#[derive(Debug)]
pub(super) struct Store {
    owner: Owner,
    magazine: Mutex<Vec<Block>>,
    hint: AtomicU32,
    dry: AtomicU32,
    /// Blocks that this process may take for new keys and longer values before it counts again.
    allowed: AtomicU32,
}

impl Store {
    pub(super) fn new(owner: Owner, blocks: u32) -> Store {
        // Each process begins at another place.
        let hint = (u64::from(owner.seat) * 0x9e37_79b9 % u64::from(blocks)) as u32;
        Store {
            owner,
            magazine: Mutex::new(Vec::with_capacity(MAGAZINE)),
            hint: AtomicU32::new(hint),
            dry: AtomicU32::new(0),
            allowed: AtomicU32::new(0),
        }
    }

    /// Takes blocks until there are `wanted`. Returns false if it did not find so many. `thorough` searches the whole
    /// map.
    pub(super) fn take(
        &self,
        cells: &Cells,
        wanted: usize,
        blocks: &mut Vec<Block>,
        thorough: bool,
    ) -> bool {
        if blocks.len() < wanted {
            let mut magazine = self.magazine.lock();
            while blocks.len() < wanted
                && let Some(block) = magazine.pop()
            {
                blocks.push(block);
                at(Step::Taking);
            }
        }
        if blocks.len() >= wanted {
            return true;
        }
        if !thorough && self.dry.load(Relaxed) > 0 {
            self.dry.fetch_sub(1, Relaxed);
            return false;
        }
        let all = cells.blocks();
        let most = match thorough {
            true => all,
            false => all.min(LOOK.saturating_add(wanted as u32 * 2)),
        };
        let first = self.hint.load(Relaxed) % all;
        for step in 0..most {
            let index = (first + step) % all;
            if let Some(block) = take(cells, index, self.owner) {
                blocks.push(block);
                at(Step::Taking);
                if blocks.len() == wanted {
                    self.hint.store((index + 1) % all, Relaxed);
                    return true;
                }
            }
        }
        self.hint.store((first + most) % all, Relaxed);
        self.dry.store(DRY, Relaxed);
        false
    }

    /// Whether this many more blocks may be used if no entry makes room for others.
    pub(super) fn allows(&self, cells: &Cells, wanted: usize) -> bool {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
        let less = |allowed: u32| allowed.checked_sub(wanted);
        if self.allowed.fetch_update(Relaxed, Relaxed, less).is_ok() {
            return true;
        }
        let seats = cells.layout().seats;
        let free = (0..cells.blocks())
            .filter(|&block| State(cells.state(block).load(Relaxed)).kind() == Kind::Free)
            .count();
        let kept = self.magazine.lock().len();
        let spare = (free + kept).saturating_sub(seats as usize * MAGAZINE);
        let spare = u32::try_from(spare).unwrap_or(u32::MAX);
        self.allowed.store(spare / 2 / seats, Relaxed);
        spare >= wanted
    }

    /// Gives back blocks that belong to this process and that no way names.
    pub(super) fn give_back(&self, cells: &Cells, blocks: &mut Vec<Block>) {
        if blocks.is_empty() {
            return;
        }
        let mut magazine = self.magazine.lock();
        for block in blocks.drain(..) {
            if magazine.len() < MAGAZINE {
                magazine.push(block);
            } else {
                release(cells, block);
            }
        }
    }

    /// Frees the blocks of an entry that is gone. While this process has few, it keeps them for its next entries.
    pub(super) fn recycle(&self, cells: &Cells, blocks: &[Block]) {
        let mut magazine = self.magazine.lock();
        for &block in blocks {
            if magazine.len() < MAGAZINE {
                magazine.extend(retake(cells, block, self.owner));
            } else {
                release(cells, block);
            }
            at(Step::Freeing);
        }
        // There were no free blocks before, but there are some now.
        if blocks.len() > MAGAZINE {
            self.dry.store(0, Relaxed);
        }
    }

    /// The same for a caller that needs the blocks now.
    pub(super) fn retake(&self, cells: &Cells, blocks: &[Block], hand: &mut Vec<Block>) {
        for &block in blocks {
            hand.extend(retake(cells, block, self.owner));
            at(Step::Freeing);
        }
    }

    /// The process lets go of the map.
    pub(super) fn close(&self, cells: &Cells) {
        for block in self.magazine.lock().drain(..) {
            release(cells, block);
        }
    }
}
