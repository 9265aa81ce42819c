//! A ring of messages in a region: every process of a cluster may publish, and every one may read everything.
//!
//! ```text
//! tail, head, turn, sleepers | a word for each slot | the slots, 128 bytes each
//! ```
//!
//! A message is a *record* of one or more slots. Positions count slots and only grow; a position's slot is the rest of
//! its division by their number, which is a power of two.
//!
//! **Publishing** takes no lock.
//! 1. Make room: move *head* over the oldest records until the ring has place behind *tail*.
//! 2. Claim: one compare-and-swap of the word of the slot at *tail*, which says position, length, publisher and
//!    "claimed". From here on everybody knows how long the record is, whatever becomes of its publisher.
//! 3. Move *tail* behind it. The next publisher that finds this undone does it.
//! 4. Write the slots, then turn "claimed" into "whole" by a compare-and-swap, and wake those that sleep.
//!
//! **Reading** writes nothing. A reader has a position of its own. It copies a whole record, then looks whether *head*
//! has passed it: nobody writes to a slot before that, so a copy that may be torn is never used. A reader that was
//! passed goes on at *head*, and both count records, so it knows how many it has missed.
//!
//! | a publisher ends or stops | what is there | who repairs it |
//! |---|---|---|
//! | before 2 | nothing | – |
//! | between 2 and 3 | a claimed record at *tail* | the next publisher moves *tail*; the rest as below |
//! | in 4, and it has died | a claimed record, at which readers wait | [`MessageRing::recover`], when the death is seen: "given up" |
//! | in 4, and it was only stopped | the same | a reader, after [`wait::PATIENCE`]: "skipped". Its slots stay its own. Once it goes on it sees that, gives them up and publishes again |
//! | after "whole", before the waking | a whole record, and sleepers | [`MessageRing::recover`], or the next publisher, wakes |
//!
//! So each message is read once or not at all, and a process that dies stands in nobody's way. A publisher that is stopped in
//! the middle of writing stands in the way of others only when they have filled the whole ring since: those are refused
//! with [`Refusal::Busy`].

mod head;
mod listen;
mod publish;
mod read;
mod wait;

use std::borrow::Borrow;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use self::head::{Head, MOST_SLOTS, Mark, Relation, State};
use super::region::{Region, Section};

pub use self::listen::Listener;
pub use self::publish::Refusal;
pub use self::read::{Next, Reader};

/// Bytes of a slot.
const SLOT_BYTES: usize = 128;
const SLOT_WORDS: usize = SLOT_BYTES / 8;
// Each on cache lines of its own.
const TAIL: usize = 0;
const HEAD: usize = 16;
const TURN: usize = 32;
const SLEEPERS: usize = 48;
const WORDS: usize = 64;

/// The seat of the primary, which has none: its death ends the cluster.
pub const PRIMARY: u32 = head::SEATS - 1;

/// The bytes that the section of a ring needs which keeps `bytes` of messages; 0 for none.
pub fn section_bytes(bytes: u32) -> usize {
    let slots = (bytes as usize).div_ceil(SLOT_BYTES).next_power_of_two();
    if bytes == 0 {
        0
    } else {
        (WORDS + slots + slots * SLOT_WORDS) * 8
    }
}

/// A message with what is known of its publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about: readers choose by that.
    pub topic: String,
    /// What its bytes mean; only its publisher and its readers know.
    pub tag: u32,
    /// The message itself.
    pub bytes: Vec<u8>,
    /// The process that has published it.
    pub sender: Sender,
}

/// The process that has published a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Its process id.
    pub pid: u32,
    /// Its slot; none of the primary and of a spare.
    pub slot: Option<u32>,
    /// Which process of the slot it is.
    pub generation: u32,
}

/// The ring of a region.
#[derive(Clone, Copy, Debug)]
pub struct MessageRing<R> {
    region: R,
    section: Section,
    slots: u32,
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
    fn tail(&self) -> &AtomicU64 {
        self.word(TAIL)
    }

    /// The oldest record begins here.
    fn head(&self) -> &AtomicU64 {
        self.word(HEAD)
    }

    fn turn(&self) -> &AtomicU32 {
        self.region.borrow().u32_of(self.section, TURN)
    }

    fn sleepers(&self) -> &AtomicU32 {
        self.region.borrow().u32_of(self.section, SLEEPERS)
    }

    /// The word of the slot of a position.
    fn slot(&self, position: u32) -> &AtomicU64 {
        self.word(WORDS + (position & (self.slots - 1)) as usize)
    }

    /// A word of the slots from a position on.
    fn body(&self, position: u32, word: usize) -> &AtomicU64 {
        let first = (position & (self.slots - 1)) as usize * SLOT_WORDS;
        let at = (first + word) & (self.slots as usize * SLOT_WORDS - 1);
        self.word(WORDS + self.slots as usize + at)
    }

    fn word(&self, word: usize) -> &AtomicU64 {
        self.region.borrow().u64_of(self.section, word)
    }

    /// Gives a record that was `seen` another state; false when it is not that any more.
    fn change(&self, position: u32, seen: u64, state: State) -> bool {
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

/// Gives up what the process of a seat of the region has not published to the end: see [`MessageRing::recover`].
pub fn recover(region: &Region, seat: u32) {
    if let Some(ring) = MessageRing::of(region) {
        ring.recover(seat);
    }
}

#[cfg(test)]
mod tests;
