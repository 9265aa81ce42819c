//! Where the blocks of a new entry come from.
//!
//! 1. The magazine of the process: blocks of entries that it has replaced or deleted. So whoever only replaces never
//!    looks for a block.
//! 2. Free blocks, from where the last one was found. A look that finds none is not taken again at once.
//! 3. If entries make room for others: CLOCK goes through the sets (`evict`), and takes the blocks of the first entry
//!    that nobody has read since it last came there.
//!
//! A process keeps 8 blocks at most. The map has as many more than it was asked for, for each of its seats. Where no
//! entry makes room for others, a new key and a longer value leave these alone: so what is there can be replaced and
//! counted, however full the map is. How many are free is counted now and then: so often that all processes together cannot have taken
//! more than half of what there was.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use super::blocks::{release, retake, take};
use super::cells::Cells;
use super::kill::{Step, at};
use super::layout::MAGAZINE;
use super::words::{Block, Kind, Owner, State};

/// States that are looked at before an entry has to make room.
const LOOK: u32 = 1024;
/// How often blocks are wanted before one looks for free ones again, where there were none.
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
        // Processes begin at places of their own.
        let hint = (u64::from(owner.seat) * 0x9e37_79b9 % u64::from(blocks)) as u32;
        Store {
            owner,
            magazine: Mutex::new(Vec::with_capacity(MAGAZINE)),
            hint: AtomicU32::new(hint),
            dry: AtomicU32::new(0),
            allowed: AtomicU32::new(0),
        }
    }

    /// Takes blocks until there are `wanted`. False if it did not find so many; `thorough`: in all of the map.
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

    /// Whether so many blocks more may be used, where no entry makes room for others.
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

    /// Gives back blocks that are this process' own, and that no way names.
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

    /// Frees the blocks of an entry that is not there any more: they are this process' next ones, while it has few.
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
        // Where there were none before there are some now.
        if blocks.len() > MAGAZINE {
            self.dry.store(0, Relaxed);
        }
    }

    /// The same for who needs them now.
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
