//! How a new entry takes its place. Its blocks are written, and belong to its writer.

use super::blocks::{make_live, release};
use super::cells::Cells;
use super::kill::{Step, at};
use super::words::{Block, Owner, Way};
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::{AtomicU64, fence};

/// Makes the way name another entry, or none. Returns false if the way has changed since it was seen.
///
/// Release publishes what was written into the blocks. `notify` needs the order with the look for waiters.
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
    // A process that has replaced the entry already has freed the blocks that it saw. If it died in between, and
    // `recover` ran before the blocks were live, they would belong to nobody. `recover` has a fence as well: it sees
    // them live, or this sees the way.
    fence(SeqCst);
    if Way(way.load(Relaxed)) != new {
        for &block in blocks {
            release(cells, block);
        }
    }
}
