//! Recovers from the death of processes: every block that a dead process has in hand, and every block that no entry
//! names, is freed or given to its entry.
//!
//! | the process died | what is there | what is done |
//! |---|---|---|
//! | after it took a block, or while it filled it | a block that the dead owns and no way names | freed |
//! | while it held the lock of a set | readers and replacers do not look at it | the next that inserts there takes it over |
//! | after the compare-and-swap of the way | the new value is seen; its blocks are still the dead one's | made live |
//! | before the blocks of the old value were freed | live blocks that no way names | freed |
//! | while it was reading | nothing | nothing |
//!
//! This may run at the same time as any other call, any number of times. Each step is a compare-and-swap of a state
//! that names the life of its block, and its reason does not change in that life: a dead owner publishes nothing any
//! more, and a live block that no way names is never named again.

use super::blocks::{make_live_of_dead, release};
use super::cells::Cells;
use super::find::places_of;
use super::layout::block::{HASH, HEAD};
use super::words::{Block, Kind, Owner, State, Way};
use crate::sync::Ordering::{Acquire, Relaxed, SeqCst};
use crate::sync::fence;

/// The result of a recovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Blocks that were freed.
    pub freed: u32,
    /// Blocks that were given to the entry to which they belong.
    pub kept: u32,
}

/// Looks at every block. `is_dead` says whether an owner, as a state names it, has died.
pub(super) fn recover(cells: &Cells, mut is_dead: impl FnMut(Owner) -> bool) -> Recovered {
    let mut found = Recovered::default();
    // Pairs with the fence in `publish::settle`.
    fence(SeqCst);
    let named = named(cells);
    // A block that a way named after the death is still named, or the process that removed its entry frees it.
    let is_sure = |block: Block| {
        let is = |block: Block| named[block.index as usize] == Way::short(block.generation);
        let first = || Block::from_link(cells.block(block.index)[HEAD].load(Relaxed));
        is(block)
            || first()
                .is_some_and(|head| cells.has(head.index) && is_alive(cells, head) && is(head))
    };
    for index in 0..cells.blocks() {
        let state = State(cells.state(index).load(Acquire));
        let block = Block {
            index,
            generation: state.generation(),
        };
        let owned = match state.kind() {
            Kind::Free => continue,
            Kind::Owned if !is_dead(state.owner()) => continue,
            Kind::Owned => true,
            Kind::Live => false,
        };
        if !is_sure(block) && !belongs(cells, block) {
            found.freed += u32::from(release(cells, block));
        } else if owned {
            found.kept += u32::from(make_live_of_dead(cells, block, state));
        }
    }
    found
}

/// For each block, the bits by which a way names it; 0 for none. Going through all ways in order takes a fraction of
/// the time of a search for each block.
fn named(cells: &Cells) -> Vec<u32> {
    let mut named = vec![0; cells.blocks() as usize];
    for set in 0..cells.sets() {
        for way in cells.ways(set) {
            let way = Way(way.load(Acquire));
            if let Some(index) = way.index().filter(|&index| cells.has(index)) {
                named[index as usize] = way.bits();
            }
        }
    }
    named
}

fn is_alive(cells: &Cells, head: Block) -> bool {
    State(cells.state(head.index).load(Acquire)).generation() == head.generation
}

/// Whether an entry has the block: as its first, or as one of the others, which name the first.
fn belongs(cells: &Cells, block: Block) -> bool {
    let word = cells.block(block.index)[HEAD].load(Relaxed);
    is_named(cells, block)
        || Block::from_link(word)
            .is_some_and(|head| cells.has(head.index) && head != block && is_named(cells, head))
}

/// Whether a way names this life of the block.
fn is_named(cells: &Cells, head: Block) -> bool {
    let lives = || is_alive(cells, head);
    let hash = cells.block(head.index)[HASH].load(Relaxed);
    let places = places_of(hash, cells.sets());
    lives()
        && places.sets().any(|set| {
            cells
                .ways(set)
                .iter()
                .any(|way| Way(way.load(Acquire)).names(head))
        })
        && lives()
}
