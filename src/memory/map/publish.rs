//! How a new entry becomes the one that is there, whose blocks are written, and its writer's.

use super::blocks::{make_live, release};
use super::cells::Cells;
use super::kill::{Step, at};
use super::words::{Block, Owner, Way};
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::{AtomicU64, fence};

/// The way names another entry, or none. False if it was not what was seen there.
///
/// Release publishes what was written into the blocks. The order with the look for those who wait is that of
/// `notify`.
pub(super) fn swap(way: &AtomicU64, from: Way, to: Way) -> bool {
    way.compare_exchange(from.0, to.0, SeqCst, Relaxed).is_ok()
}

/// The way names the entry: its blocks are live from now on.
pub(super) fn settle(cells: &Cells, way: &AtomicU64, new: Way, blocks: &[Block], owner: Owner) {
    for &block in blocks {
        make_live(cells, block, owner);
        at(Step::Living);
    }
    at(Step::Lives);
    // Who has replaced it already has freed what it saw. If that one died in between, and was looked after before the
    // blocks were live, they would be nobody's. `recover` has a fence as well: it sees them live, or this sees the way.
    fence(SeqCst);
    if Way(way.load(Relaxed)) != new {
        for &block in blocks {
            release(cells, block);
        }
    }
}
