//! A ring of messages in a region: every process of a cluster may publish, and every process may read all messages.
//!
//! ```text
//! tail, head, turn, sleepers | a word for each slot | the slots, 128 bytes each
//! ```
//!
//! A message is a *record* of one or more slots. Positions count slots and only grow. The slot of a position is the
//! remainder of dividing it by the number of slots, which is a power of two.
//!
//! **Publishing** takes no lock.
//! 1. Make room: move *head* over the oldest records until the ring has room behind *tail*.
//! 2. Claim: one compare-and-swap of the word of the slot at *tail*, which says position, length, publisher and
//!    "claimed". From now on every process knows how long the record is, whatever becomes of its publisher.
//! 3. Move *tail* behind the record. If a publisher has not done this, the next one does it.
//! 4. Write the slots, then turn "claimed" into "whole" by a compare-and-swap, and wake the sleepers.
//!
//! **Reading** writes nothing. A reader has a position of its own. It copies a whole record, then looks whether *head*
//! has passed the record. No publisher writes to a slot before that, so a copy that may be torn is never used. A reader
//! that was passed goes on at *head*. Both count records, so the reader knows how many it has missed.
//!
//! | a publisher ends or stops | what is there | who repairs it |
//! |---|---|---|
//! | before 2 | nothing | – |
//! | between 2 and 3 | a claimed record at *tail* | the next publisher moves *tail*; the rest as below |
//! | in 4, and it has died | a claimed record, at which readers wait | [`MessageRing::recover`], when the death is seen: "given up" |
//! | in 4, and it was only stopped | the same | a reader, after [`wait::PATIENCE`]: "skipped". Its slots stay its own. Once it goes on it sees that, gives them up and publishes again |
//! | after "whole", before the waking | a whole record, and sleepers | [`MessageRing::recover`], or the next publisher, wakes |
//!
//! So each message is read once or not at all, and a process that dies holds up no other. A publisher that is stopped
//! in the middle of writing holds up others only when they have filled the whole ring since. They are then refused with
//! [`Refusal::Busy`].

mod head;
mod listen;
mod message;
mod publish;
mod read;
mod slots;
mod wait;

use super::region::Region;

pub use self::listen::Listener;
pub use self::message::{Message, Sender};
pub use self::publish::Refusal;
pub use self::read::{Next, Reader};
pub use self::slots::{MessageRing, section_bytes};

/// The seat number of the primary, which has no seat: its death ends the cluster.
pub const PRIMARY: u32 = head::SEATS - 1;

/// Gives up the messages that the process of a seat has not published to the end; see [`MessageRing::recover`].
pub fn recover(region: &Region, seat: u32) {
    if let Some(ring) = MessageRing::of(region) {
        ring.recover(seat);
    }
}

#[cfg(test)]
mod tests;
