//! Native streams: the thread of a task sends chunks, the owner says how many its reader has taken.

use super::Scheduler;
use crate::scheduler::flow::Flow;
use crate::scheduler::ids::{Key, WorkerId};
use crate::scheduler::outbox::Message;
use crate::scheduler::payload::Payload;
use crate::scheduler::state::Reading;
use crate::scheduler::task::Taken;

/// A task that sends chunks, as its worker knows it.
#[derive(Clone, Copy, Debug)]
pub struct Producer {
    /// The worker that has the task.
    pub worker: WorkerId,
    slot: u32,
    ticket: u32,
    generation: u32,
}

impl Producer {
    /// The task that a worker has taken.
    #[must_use]
    pub fn new(worker: WorkerId, taken: &Taken) -> Self {
        Self {
            worker,
            slot: taken.slot,
            ticket: taken.ticket,
            generation: taken.key.generation,
        }
    }
}

impl Scheduler {
    /// Sends a chunk of a task. While there is no room for it, the task leaves its place and calls `sleep`, which
    /// returns when the worker is rung. Returns false if the task was given up.
    #[must_use]
    pub fn emit(
        &self,
        producer: Producer,
        flow: &Flow,
        payload: Payload,
        sleep: impl Fn(),
    ) -> bool {
        let bytes = payload.heap_bytes();
        while !flow.take_room(bytes) {
            if !self.wait_for_reader(producer, &sleep) {
                return false;
            }
        }
        self.owner.send(Message::Chunk {
            ticket: producer.ticket,
            generation: producer.generation,
            payload,
        });
        true
    }

    /// Waits until there is room for a chunk, and a place for the task. Returns false if the task was given up.
    fn wait_for_reader(&self, Producer { worker, slot, .. }: Producer, sleep: &impl Fn()) -> bool {
        let mut reading = self.change(|state, now| state.wait_for_reader(worker, slot, now));
        while reading == Reading::Waits {
            sleep();
            reading = self.lock().reading(worker, slot);
        }
        reading == Reading::HasRoom
    }

    /// The reader of a stream has taken this many chunks.
    pub fn has_read(&self, key: Key, chunks: usize) {
        self.change(|state, _| state.has_read(key, chunks));
    }
}
