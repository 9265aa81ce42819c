//! The bytes of a file while they are read or written. Reading and writing end when the task is given up. The codecs
//! know nothing of tasks, but each of them reads or writes as it works.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

use rspool_task::{Context, Error};

use crate::errors;

/// Bytes between two checks whether the task should end. That many bytes of a JPEG may hold a million blocks.
const STEP: usize = 64;
/// Bytes between two calls of `progress`.
const TELL: usize = 64 * 1024;
/// Bytes that a codec gets at once. In a PNG, they may stand for a thousand times as many.
const WINDOW: usize = 4 * 1024;

/// Reads a file.
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    at: usize,
    next_check: usize,
    next_tell: usize,
    context: &'a Context<'a>,
    /// How far the task is at the end of the bytes.
    share: f64,
}

impl<'a> Source<'a> {
    /// A source for a file. `share` is the part of the task's work that is done when all bytes are read.
    pub(crate) fn new(bytes: &'a [u8], context: &'a Context<'a>, share: f64) -> Self {
        Self {
            bytes,
            at: 0,
            next_check: 0,
            next_tell: TELL,
            context,
            share,
        }
    }

    #[inline]
    fn look(&mut self) -> io::Result<()> {
        match self.at >= self.next_check {
            true => self.look_up(),
            false => Ok(()),
        }
    }

    #[cold]
    fn look_up(&mut self) -> io::Result<()> {
        self.next_check = self.at + STEP;
        given_up(self.context)?;
        if self.at >= self.next_tell {
            self.next_tell = self.at + TELL;
            #[expect(clippy::cast_precision_loss, reason = "it tells how far")]
            let part = self.at as f64 / self.bytes.len() as f64;
            self.context.progress(part * self.share);
        }
        Ok(())
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// An error if the task was given up.
pub(crate) fn given_up(context: &Context<'_>) -> io::Result<()> {
    match context.is_cancelled() {
        true => Err(io::Error::other("the task was given up")),
        false => Ok(()),
    }
}

impl Read for Source<'_> {
    #[inline]
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        let rest = self.rest();
        let len = rest.len().min(to.len());
        to[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }

    /// Reads byte by byte, as JPEG decoders do. Faster than through `read`.
    #[inline]
    fn read_exact(&mut self, to: &mut [u8]) -> io::Result<()> {
        self.look()?;
        let end = self.at.saturating_add(to.len());
        let Some(from) = self.bytes.get(self.at..end) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        match (&mut *to, from) {
            ([to], [from]) => *to = *from,
            _ => to.copy_from_slice(from),
        }
        self.at = end;
        Ok(())
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.look()?;
        let rest = self.rest();
        Ok(&rest[..rest.len().min(WINDOW)])
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut cursor = io::Cursor::new(self.bytes);
        cursor.set_position(self.at as u64);
        let at = cursor.seek(to)?;
        self.at = usize::try_from(at).unwrap_or(usize::MAX);
        Ok(at)
    }
}

/// Holds a file while it is written.
pub(crate) struct Sink<'a> {
    bytes: Vec<u8>,
    context: &'a Context<'a>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self {
            bytes: Vec::new(),
            context,
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        given_up(self.context)?;
        self.bytes
            .try_reserve(bytes.len())
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a codec ended: because the task was given up, or because the file is damaged.
pub(crate) fn failure(context: &Context<'_>, error: &dyn std::fmt::Display) -> Error {
    match context.is_cancelled() {
        true => Error::Cancelled,
        false => errors::damaged(error),
    }
}
