//! The encoded input or result of a task, as the scheduler carries it: a tag that only the two ends
//! read (`lib/payload/values.js`, `native/payload.rs`), and a number or bytes.

#[cfg(unix)]
use std::sync::Arc;

use crate::memory::bytes::Bytes;
use crate::memory::loan::Lent;
#[cfg(unix)]
use crate::memory::map::Map;
use crate::wire::tag;

/// The part of a payload that the tag describes.
#[derive(Clone, Debug)]
pub enum Body {
    /// A value that fits a double: numbers, booleans, null, undefined.
    Number(f64),
    /// Anything else, owned.
    Bytes(Bytes),
    /// Bytes that the owner lends. Only the input of a native task may have them.
    Lent(Lent),
    /// A value that consists of other payloads. Only inputs and results of native tasks may have them.
    Parts(Box<[Payload]>),
    /// A shared map, which this keeps. Only the input of a native task may have one.
    #[cfg(unix)]
    Map(Arc<Map>),
}

/// An encoded value. The scheduler does not know what it is, only whether it is here.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The meaning of the body; chosen by the encoder.
    pub tag: u32,
    /// The value.
    pub body: Body,
}

impl Payload {
    /// A payload that is a number.
    #[must_use]
    pub fn number(tag: u32, number: f64) -> Self {
        Self {
            tag,
            body: Body::Number(number),
        }
    }

    /// A payload that owns bytes.
    #[must_use]
    pub fn bytes(tag: u32, bytes: impl Into<Bytes>) -> Self {
        Self {
            tag,
            body: Body::Bytes(bytes.into()),
        }
    }

    /// Whether the value is not here: it goes through a port.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.tag == tag::PORT
    }

    /// Native memory held beyond the struct itself, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.body {
            Body::Number(_) | Body::Lent(_) => 0,
            #[cfg(unix)]
            Body::Map(_) => 0,
            Body::Bytes(bytes) => bytes.len(),
            Body::Parts(parts) => parts.iter().map(Payload::heap_bytes).sum(),
        }
    }
}
