//! What is published.

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
