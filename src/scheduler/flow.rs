//! How many chunks of a native stream are on their way to its reader.
//!
//! The producer takes room for each chunk before it sends it; the owner says when the reader has taken some. A producer
//! that found no room goes on only once the reader has taken half of what there may be, so that it does not wake for
//! each chunk.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// Bytes that may be on their way. A chunk is sent while there are fewer, whatever its size.
const MOST_BYTES: usize = 1 << 20;

/// The chunks of one stream that the reader has not taken.
#[derive(Debug)]
pub struct Flow {
    most: usize,
    sent: Mutex<Sent>,
}

#[derive(Debug, Default)]
struct Sent {
    /// The bytes of each chunk, in order.
    sizes: VecDeque<usize>,
    bytes: usize,
}

impl Flow {
    /// A stream of which up to `most` chunks may be on their way.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self {
            most: most.max(1) as usize,
            sent: Mutex::default(),
        }
    }

    /// Takes room for a chunk. Returns false if there is none.
    #[must_use]
    pub fn take_room(&self, bytes: usize) -> bool {
        let mut sent = self.sent.lock();
        let has_room = self.is_below(&sent, self.most, MOST_BYTES);
        if has_room {
            sent.sizes.push_back(bytes);
            sent.bytes += bytes;
        }
        has_room
    }

    /// Whether there is room for a chunk.
    pub(super) fn has_room(&self) -> bool {
        self.is_below(&self.sent.lock(), self.most, MOST_BYTES)
    }

    /// The reader has taken this many chunks. Returns whether a producer that waits should go on.
    pub(super) fn taken(&self, chunks: usize) -> bool {
        let mut sent = self.sent.lock();
        let chunks = chunks.min(sent.sizes.len());
        let bytes: usize = sent.sizes.drain(..chunks).sum();
        sent.bytes -= bytes;
        self.is_below(&sent, self.most / 2 + 1, MOST_BYTES / 2 + 1)
    }

    fn is_below(&self, sent: &Sent, chunks: usize, bytes: usize) -> bool {
        sent.sizes.len() < chunks && sent.bytes < bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_chunks_and_again_once_half_of_them_are_taken() {
        let flow = Flow::new(4);
        for _ in 0..4 {
            assert!(flow.take_room(1));
        }
        assert!(!flow.take_room(1) && !flow.has_room());
        assert!(!flow.taken(1), "three are still on their way");
        assert!(flow.has_room(), "for a producer that does not wait yet");
        assert!(flow.taken(1));
        assert!(flow.taken(100), "no more than there were");
    }

    #[test]
    fn large_chunks_need_the_room_of_many() {
        let flow = Flow::new(100);
        assert!(flow.take_room(3 * MOST_BYTES), "one always fits");
        assert!(!flow.take_room(0));
        assert!(flow.taken(1));
        assert!(flow.take_room(MOST_BYTES - 1) && flow.take_room(MOST_BYTES));
        assert!(!flow.has_room());
        assert!(!flow.taken(1));
        assert!(flow.taken(1));
    }

    #[test]
    fn a_stream_of_one_chunk_at_a_time_goes_on() {
        let flow = Flow::new(0);
        assert!(flow.take_room(0) && !flow.take_room(0));
        assert!(flow.taken(1));
        assert!(flow.take_room(0));
    }
}
