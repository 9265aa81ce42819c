//! Messages as they are published.

/// A message with the data of its publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject, by which readers choose.
    pub topic: String,
    /// The meaning of the bytes, which only the publisher and the readers know.
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
    /// Its slot; none for the primary and for a spare.
    pub slot: Option<u32>,
    /// Which process of the slot it is.
    pub generation: u32,
}
