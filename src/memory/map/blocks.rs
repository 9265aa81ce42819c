//! The state of a block: its owner, and which of its lives it is in.
//!
//! ```text
//! free(g) ──take──▶ owned(g+1, me) ──make_live──▶ live(g+1) ──release──▶ free(g+1)
//!                        │                            └───────retake──▶ owned(g+2, another)
//!                        └──────release──▶ free(g+1)
//! ```
//!
//! Every step is one compare-and-swap of the exact word, so it happens once, whoever else tries: a process that
//! replaced the entry, one that repairs after a death, or the owner itself.

use super::cells::Cells;
use super::words::{Block, Kind, Owner, State};
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sync::fence;

/// Gives a free block to `owner`. Returns nothing if the block is not free, or another was faster.
pub(super) fn take(cells: &Cells, index: u32, owner: Owner) -> Option<Block> {
    let word = cells.state(index);
    let seen = State(word.load(Relaxed));
    if seen.kind() != Kind::Free {
        return None;
    }
    own(cells, index, seen, owner).ok()
}

/// Gives a block that an entry has left to `owner`, in a new life. Returns nothing if the block was freed already.
pub(super) fn retake(cells: &Cells, block: Block, owner: Owner) -> Option<Block> {
    let mut seen = State(cells.state(block.index).load(Acquire));
    while seen.generation() == block.generation && seen.kind() != Kind::Free {
        match own(cells, block.index, seen, owner) {
            Ok(block) => return Some(block),
            // It may change from owned to live, at most once.
            Err(now) => seen = now,
        }
    }
    None
}

fn own(cells: &Cells, index: u32, seen: State, owner: Owner) -> Result<Block, State> {
    let generation = seen.generation().wrapping_add(1);
    let owned = State::owned(generation, owner);
    let word = cells.state(index);
    word.compare_exchange(seen.0, owned.0, AcqRel, Acquire)
        .map_err(State)?;
    // A reader that sees what is written into the block from now on also sees that the previous entry has gone: it has
    // an acquire fence between its look at the block and its look at the way.
    fence(Release);
    Ok(Block { index, generation })
}

/// An owned block has become part of an entry. Returns false if the entry has gone since, and the block with it.
pub(super) fn make_live(cells: &Cells, block: Block, owner: Owner) -> bool {
    let owned = State::owned(block.generation, owner);
    let live = State::live(block.generation);
    cells
        .state(block.index)
        .compare_exchange(owned.0, live.0, AcqRel, Relaxed)
        .is_ok()
}

/// The same for a dead owner, whose state was `seen`.
pub(super) fn make_live_of_dead(cells: &Cells, block: Block, seen: State) -> bool {
    let live = State::live(block.generation);
    cells
        .state(block.index)
        .compare_exchange(seen.0, live.0, AcqRel, Relaxed)
        .is_ok()
}

/// Frees a block that no way names any more. Returns false if another process did.
pub(super) fn release(cells: &Cells, block: Block) -> bool {
    let word = cells.state(block.index);
    let mut seen = State(word.load(Acquire));
    while seen.generation() == block.generation && seen.kind() != Kind::Free {
        let free = State::free(block.generation);
        match word.compare_exchange(seen.0, free.0, AcqRel, Acquire) {
            Ok(_) => return true,
            // It may change from owned to live, at most once.
            Err(now) => seen = State(now),
        }
    }
    false
}
