//! How messages are read.

use std::borrow::Borrow;

use super::head::{Head, Mark, Relation, State};
use super::message::{Message, Sender};
use super::publish::HEADER_BYTES;
use super::slots::{MessageRing, SLOT_WORDS};
use crate::memory::region::Region;
use crate::sync::{Ordering, fence};

/// How far a reader has read.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    mark: Mark,
}

/// What a reader finds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Message(Message),
    /// A message of an unwanted topic.
    Other,
    /// This many messages were overwritten before they were read.
    Missed(u32),
    /// Nothing yet.
    Nothing,
}

impl Reader {
    /// A reader of the messages that are published from now on.
    pub fn new(ring: &MessageRing<impl Borrow<Region>>) -> Reader {
        let mut mark = Mark::of(ring.tail().load(Ordering::Acquire));
        // A record that was claimed, but that *tail* does not include yet, is older than this reader.
        loop {
            let head = Head::of(ring.slot(mark.position).load(Ordering::Acquire));
            if head.relation(mark.position) != Relation::Same {
                return Reader { mark };
            }
            mark = mark.after(head.slots);
        }
    }

    /// Where it reads next.
    pub(super) fn position(self) -> u32 {
        self.mark.position
    }

    /// Takes the next message, if its topic is `wanted`.
    pub fn next(
        &mut self,
        ring: &MessageRing<impl Borrow<Region>>,
        wanted: impl Fn(&str) -> bool,
    ) -> Next {
        loop {
            let at = self.mark.position;
            let head = Head::of(ring.slot(at).load(Ordering::Acquire));
            match head.relation(at) {
                Relation::Before => return Next::Nothing,
                Relation::Same => {}
                Relation::After => match self.catch_up(ring) {
                    0 => return Next::Nothing,
                    missed => return Next::Missed(missed),
                },
            }
            let next = match head.state {
                State::Claimed => return Next::Nothing,
                State::Skipped | State::Given => None,
                State::Whole => decode(ring, at, head.slots, &wanted),
            };
            // Pairs with the fence of the publishers.
            fence(Ordering::Acquire);
            match self.catch_up(ring) {
                0 => {}
                missed => return Next::Missed(missed),
            }
            self.mark = self.mark.after(head.slots);
            if head.state == State::Whole {
                return next.map_or(Next::Other, Next::Message);
            }
        }
    }

    /// If the reader was passed, goes on at the oldest record. Returns how many records it has missed.
    fn catch_up(&mut self, ring: &MessageRing<impl Borrow<Region>>) -> u32 {
        let oldest = Mark::of(ring.head().load(Ordering::Acquire));
        let passed = oldest.position.wrapping_sub(self.mark.position);
        if passed.cast_signed() <= 0 {
            return 0;
        }
        let missed = oldest.records.wrapping_sub(self.mark.records);
        self.mark = oldest;
        missed
    }
}

/// The message at a position, if it is wanted. Whatever the words are, this reads only within the record. The result is
/// a message only if nothing was written over it since.
fn decode(
    ring: &MessageRing<impl Borrow<Region>>,
    position: u32,
    slots: u32,
    wanted: impl Fn(&str) -> bool,
) -> Option<Message> {
    let word = |at: usize| ring.body(position, at).load(Ordering::Relaxed);
    let half = |at: usize| (word(at) as u32, (word(at) >> 32) as u32);
    let (length, topic_length) = half(0);
    let (tag, pid) = half(1);
    let (slot, generation) = half(2);
    let (length, topic_length) = (length as usize, topic_length as usize);
    if length + topic_length > slots as usize * SLOT_WORDS * 8 - HEADER_BYTES {
        return None;
    }
    let copy = |bytes: usize| {
        let words = HEADER_BYTES / 8..(HEADER_BYTES + bytes).div_ceil(8);
        let mut copied: Vec<u8> = words.flat_map(|at| word(at).to_ne_bytes()).collect();
        copied.truncate(bytes);
        copied
    };
    let topic = String::from_utf8(copy(topic_length)).ok()?;
    if !wanted(&topic) {
        return None;
    }
    let mut bytes = copy(topic_length + length);
    bytes.drain(..topic_length);
    Some(Message {
        topic,
        tag,
        bytes,
        sender: Sender {
            pid,
            slot: slot.checked_sub(1),
            generation,
        },
    })
}
