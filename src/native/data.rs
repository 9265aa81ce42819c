//! The bytes that a task is given, wherever they are: its own, or in memory of the caller's, which it reads in place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::context::{CHUNK, TaskContext};
use super::error::TaskError;
use crate::memory::loan::Reading;

/// Bytes of an input or of a result.
pub enum Data {
    /// The task's own.
    Own(Vec<u8>),
    /// The caller's: moved away from it, lent, or on shared memory.
    Lent(Reading),
}

impl Data {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Lent(reading) => reading.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. None of shared memory, which others may write meanwhile.
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self {
            Self::Own(bytes) => Some(bytes),
            Self::Lent(reading) => reading.as_slice(),
        }
    }

    /// The bytes in one piece. Those of shared memory are copied, with a check before each chunk.
    ///
    /// # Errors
    /// [`TaskError::Cancelled`], and `ERR_RSPOOL_OUT_OF_MEMORY` for the copy.
    pub fn contiguous(&self, context: &TaskContext<'_>) -> Result<Cow<'_, [u8]>, TaskError> {
        let reading = match self {
            Self::Own(bytes) => return Ok(Cow::Borrowed(bytes)),
            Self::Lent(reading) => reading,
        };
        if let Some(slice) = reading.as_slice() {
            return Ok(Cow::Borrowed(slice));
        }
        let mut copy = room_for(reading.len())?;
        while copy.len() < reading.len() {
            context.check()?;
            let start = copy.len();
            copy.resize(reading.len().min(start + CHUNK), 0);
            reading.copy_to(start, &mut copy[start..]);
        }
        Ok(Cow::Owned(copy))
    }

    /// Calls `read` with a part of the bytes, by way of `buffer` if they are on shared memory.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn with<T>(
        &self,
        range: Range<usize>,
        buffer: &mut Vec<u8>,
        read: impl FnOnce(&[u8]) -> T,
    ) -> T {
        if let Some(slice) = self.as_slice() {
            return read(&slice[range]);
        }
        buffer.resize(range.len(), 0);
        if let Self::Lent(reading) = self {
            reading.copy_to(range.start, buffer);
        }
        read(buffer)
    }

    /// The bytes as the task's own: copied if they are the caller's.
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Own(bytes) => bytes,
            Self::Lent(reading) => {
                let mut copy = vec![0; reading.len()];
                match reading.as_slice() {
                    Some(slice) => copy.copy_from_slice(slice),
                    None => reading.copy_to(0, &mut copy),
                }
                copy
            }
        }
    }
}

/// An empty vector with room for so many elements.
///
/// # Errors
/// `ERR_RSPOOL_OUT_OF_MEMORY`.
pub fn room_for<T>(length: usize) -> Result<Vec<T>, TaskError> {
    let mut room = Vec::new();
    room.try_reserve_exact(length)
        .map_err(|_| TaskError::out_of_memory(length.saturating_mul(size_of::<T>())))?;
    Ok(room)
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes)
    }
}

impl Default for Data {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Clone for Data {
    fn clone(&self) -> Self {
        let mut copy = Vec::new();
        self.with(0..self.len(), &mut Vec::new(), |bytes| {
            copy.extend_from_slice(bytes)
        });
        Self::Own(copy)
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        self.len() == other.len()
            && self.with(0..self.len(), &mut one, |one| {
                other.with(0..other.len(), &mut two, |two| one == two)
            })
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(bytes) => bytes.fmt(f),
            Self::Lent(reading) => reading.fmt(f),
        }
    }
}
