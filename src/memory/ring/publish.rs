//! How messages are published.

use std::borrow::Borrow;

use super::head::{Head, Mark, Relation, State};
use super::message::{Message, Sender};
use super::slots::{MessageRing, SLOT_WORDS};
use crate::memory::region::Region;
use crate::sync::{Ordering, fence};

/// Bytes of a record before its topic: the lengths, the tag and the publisher.
pub(super) const HEADER_BYTES: usize = 32;

/// A failed try means that another publisher has got on. So many failures mean that the words make no sense.
const TRIES: u32 = 1_000_000;

/// Why a message was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has more bytes than [`MessageRing::longest`] says.
    TooLong,
    /// A publisher that has stopped while it was writing has slots that are needed now.
    Busy,
    /// The words of the ring contradict each other.
    Broken,
}

impl<R: Borrow<Region>> MessageRing<R> {
    /// Publishes a message for all readers. `seat` is the caller's: no other publisher uses it at the same time.
    pub fn publish(&self, seat: u32, message: &Message) -> Result<(), Refusal> {
        if message.topic.len() + message.bytes.len() > self.longest() {
            return Err(Refusal::TooLong);
        }
        let words = encode(message);
        let slots = words.len().div_ceil(SLOT_WORDS) as u32;
        loop {
            let claimed = self.claim(seat, slots)?;
            // Pairs with the fence of the readers: a reader that sees any of these words also sees that *head* has
            // passed the record that they overwrite.
            fence(Ordering::Release);
            for (at, &word) in words.iter().enumerate() {
                self.body(claimed.position, at)
                    .store(word, Ordering::Relaxed);
            }
            if self.change(claimed.position, claimed.word(), State::Whole) {
                break;
            }
            // Writing took so long that readers have gone on.
            let skipped = Head {
                state: State::Skipped,
                ..claimed
            };
            self.change(claimed.position, skipped.word(), State::Given);
        }
        self.wake();
        Ok(())
    }

    pub(super) fn claim(&self, seat: u32, slots: u32) -> Result<Head, Refusal> {
        for _ in 0..TRIES {
            let tail = Mark::of(self.tail().load(Ordering::Acquire));
            let word = self.slot(tail.position);
            let seen = word.load(Ordering::Acquire);
            match Head::of(seen).relation(tail.position) {
                Relation::Before => {}
                Relation::Same => {
                    self.advance_tail(tail, Head::of(seen).slots);
                    continue;
                }
                // The value that was read from *tail* is outdated.
                Relation::After => continue,
            }
            self.make_room(tail.position.wrapping_add(slots))?;
            let head = Head {
                position: tail.position,
                slots,
                seat,
                state: State::Claimed,
            };
            // Any change since *tail* was read has changed this word first.
            if word
                .compare_exchange(seen, head.word(), Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
            {
                self.advance_tail(tail, slots);
                return Ok(head);
            }
        }
        Err(Refusal::Broken)
    }

    fn advance_tail(&self, from: Mark, slots: u32) {
        // If this fails, another publisher has done it.
        let _ = self.tail().compare_exchange(
            from.word(),
            from.after(slots).word(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }

    /// Moves *head* far enough for the ring to reach up to `end`.
    fn make_room(&self, end: u32) -> Result<(), Refusal> {
        loop {
            let seen = self.head().load(Ordering::Acquire);
            let oldest = Mark::of(seen);
            // It is after `end` if the value that was read from *tail* is outdated.
            if end.wrapping_sub(oldest.position).cast_signed() <= self.slots.cast_signed() {
                return Ok(());
            }
            let head = Head::of(self.slot(oldest.position).load(Ordering::Acquire));
            if self.head().load(Ordering::Acquire) != seen {
                continue;
            }
            if head.relation(oldest.position) != Relation::Same {
                return Err(Refusal::Broken);
            }
            if matches!(head.state, State::Claimed | State::Skipped) {
                return Err(Refusal::Busy);
            }
            let _ = self.head().compare_exchange(
                seen,
                oldest.after(head.slots).word(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }
}

/// The words of a record.
fn encode(message: &Message) -> Vec<u64> {
    let Message {
        topic,
        tag,
        bytes,
        sender: Sender {
            pid,
            slot,
            generation,
        },
    } = message;
    let two = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let mut words = vec![
        two(bytes.len() as u32, topic.len() as u32),
        two(*tag, *pid),
        two(slot.map_or(0, |slot| slot + 1), *generation),
        0,
    ];
    let mut whole = Vec::with_capacity(topic.len() + bytes.len());
    whole.extend_from_slice(topic.as_bytes());
    whole.extend_from_slice(bytes);
    words.extend(whole.chunks(8).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_ne_bytes(word)
    }));
    words
}
