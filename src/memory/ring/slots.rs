//! The words of a ring: their places, and the steps that change the words of records.

use std::borrow::Borrow;

use super::head::{Head, MOST_SLOTS, Mark, Relation, State};
use super::publish;
use crate::memory::region::{Region, Section};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Bytes of a slot.
const SLOT_BYTES: usize = 128;
pub(super) const SLOT_WORDS: usize = SLOT_BYTES / 8;
// Each word is on cache lines of its own.
const TAIL: usize = 0;
const HEAD: usize = 16;
const TURN: usize = 32;
const SLEEPERS: usize = 48;
pub(super) const WORDS: usize = 64;

/// The size in bytes of a ring's section that keeps `bytes` of messages; 0 for none.
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
    /// The ring of a region. None if the region has no ring, or one of an impossible size.
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

    /// The most bytes that a topic and a message may have together.
    pub fn longest(&self) -> usize {
        (self.slots / 4).clamp(1, MOST_SLOTS) as usize * SLOT_BYTES - publish::HEADER_BYTES
    }

    /// Gives up the records that the process of a seat has not written to the end. To be called after the process has
    /// died, and before another has the seat.
    pub fn recover(&self, seat: u32) {
        let oldest = || Mark::of(self.head().load(Ordering::Acquire)).position;
        let mut at = oldest();
        // Each step passes a slot, except for a few steps while others are at work. The limit also holds if the ring is
        // damaged.
        for _ in 0..self.slots.saturating_mul(4) {
            let word = self.slot(at);
            let seen = word.load(Ordering::Acquire);
            let head = Head::of(seen);
            match head.relation(at) {
                // No record begins here yet.
                Relation::Before => break,
                // This record was passed meanwhile, and so was all that the dead process had here.
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
        // The process may have died before it woke the sleepers.
        self.take_turn();
    }

    /// The end of the last record.
    pub(super) fn tail(&self) -> &AtomicU64 {
        self.word(TAIL)
    }

    /// The beginning of the oldest record.
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

    /// A word in the slots from a position on.
    pub(super) fn body(&self, position: u32, word: usize) -> &AtomicU64 {
        let first = (position & (self.slots - 1)) as usize * SLOT_WORDS;
        let at = (first + word) & (self.slots as usize * SLOT_WORDS - 1);
        self.word(WORDS + self.slots as usize + at)
    }

    pub(super) fn word(&self, word: usize) -> &AtomicU64 {
        self.region.borrow().u64_of(self.section, word)
    }

    /// Changes the state of a record that was `seen`. Returns false if the record has changed since.
    pub(super) fn change(&self, position: u32, seen: u64, state: State) -> bool {
        let changed = Head {
            state,
            ..Head::of(seen)
        };
        // Release: a thread that sees the state also sees what was written before.
        self.slot(position)
            .compare_exchange(seen, changed.word(), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
