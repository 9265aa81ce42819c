//! The words of a ring: where they are, and what is done with those of records.

use std::borrow::Borrow;

use super::head::{Head, MOST_SLOTS, Mark, Relation, State};
use super::publish;
use crate::memory::region::{Region, Section};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Bytes of a slot.
const SLOT_BYTES: usize = 128;
pub(super) const SLOT_WORDS: usize = SLOT_BYTES / 8;
// Each on cache lines of its own.
const TAIL: usize = 0;
const HEAD: usize = 16;
const TURN: usize = 32;
const SLEEPERS: usize = 48;
pub(super) const WORDS: usize = 64;

/// The bytes that the section of a ring needs which keeps `bytes` of messages; 0 for none.
pub fn section_bytes(bytes: u32) -> usize {
    let slots = (bytes as usize).div_ceil(SLOT_BYTES).next_power_of_two();
    if bytes == 0 {
        0
    } else {
        (WORDS + slots + slots * SLOT_WORDS) * 8
    }
}

/// The ring of a region.
#[derive(Clone, Copy, Debug)]
pub struct MessageRing<R> {
    region: R,
    section: Section,
    pub(super) slots: u32,
}

impl<R: Borrow<Region>> MessageRing<R> {
    /// The ring of a region; none when that has no ring, or one of an impossible size.
    pub fn of(region: R) -> Option<MessageRing<R>> {
        let section = region.borrow().layout().ring;
        let slots = (section.stride / 8).checked_sub(WORDS)? / (SLOT_WORDS + 1);
        let slots = u32::try_from(slots).ok()?;
        (section.count == 1 && slots.is_power_of_two()).then_some(MessageRing {
            region,
            section,
            slots,
        })
    }

    /// Bytes that a topic and a message may have together.
    pub fn longest(&self) -> usize {
        (self.slots / 4).clamp(1, MOST_SLOTS) as usize * SLOT_BYTES - publish::HEADER_BYTES
    }

    /// Gives up the records that the process of a seat has not written to the end. To be called when it has died, before
    /// the seat is another's.
    pub fn recover(&self, seat: u32) {
        let oldest = || Mark::of(self.head().load(Ordering::Acquire)).position;
        let mut at = oldest();
        // Each step passes a slot, but for the few with others at work; no damage to the ring makes it more.
        for _ in 0..self.slots.saturating_mul(4) {
            let word = self.slot(at);
            let seen = word.load(Ordering::Acquire);
            let head = Head::of(seen);
            match head.relation(at) {
                // Nothing begins here yet.
                Relation::Before => break,
                // It was passed meanwhile, and so was all that the dead one had here.
                Relation::After => {
                    at = oldest();
                    continue;
                }
                Relation::Same => {}
            }
            if head.seat == seat && matches!(head.state, State::Claimed | State::Skipped) {
                self.change(at, seen, State::Given);
                continue;
            }
            at = at.wrapping_add(head.slots);
        }
        // It may have died before it woke anybody.
        self.take_turn();
    }

    /// The last record ends here.
    pub(super) fn tail(&self) -> &AtomicU64 {
        self.word(TAIL)
    }

    /// The oldest record begins here.
    pub(super) fn head(&self) -> &AtomicU64 {
        self.word(HEAD)
    }

    pub(super) fn turn(&self) -> &AtomicU32 {
        self.region.borrow().u32_of(self.section, TURN)
    }

    pub(super) fn sleepers(&self) -> &AtomicU32 {
        self.region.borrow().u32_of(self.section, SLEEPERS)
    }

    /// The word of the slot of a position.
    pub(super) fn slot(&self, position: u32) -> &AtomicU64 {
        self.word(WORDS + (position & (self.slots - 1)) as usize)
    }

    /// A word of the slots from a position on.
    pub(super) fn body(&self, position: u32, word: usize) -> &AtomicU64 {
        let first = (position & (self.slots - 1)) as usize * SLOT_WORDS;
        let at = (first + word) & (self.slots as usize * SLOT_WORDS - 1);
        self.word(WORDS + self.slots as usize + at)
    }

    pub(super) fn word(&self, word: usize) -> &AtomicU64 {
        self.region.borrow().u64_of(self.section, word)
    }

    /// Gives a record that was `seen` another state; false when it is not that any more.
    pub(super) fn change(&self, position: u32, seen: u64, state: State) -> bool {
        let changed = Head {
            state,
            ..Head::of(seen)
        };
        // Release: what was written is there for whoever sees the state.
        self.slot(position)
            .compare_exchange(seen, changed.word(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
