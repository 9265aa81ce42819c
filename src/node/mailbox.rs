//! Memory that an environment's JavaScript and its native functions share, on one thread: numbers
//! cross in it for the price of a store, where an argument costs a call. The layout is in `wire`.

use std::ptr::NonNull;

use super::call::Fault;
use crate::memory::bytes::Bytes;
use crate::wire::number;
use crate::wire::size::{DATA, MAILBOX};

pub(super) struct Mailbox {
    base: NonNull<u8>,
    length: usize,
}

impl Mailbox {
    /// # Safety
    /// The memory must stay where it is while the mailbox is used, be aligned to 8 bytes, and be
    /// used by one thread only.
    pub(super) unsafe fn new(base: *mut u8, length: usize) -> Option<Self> {
        let base = NonNull::new(base)?;
        (base.as_ptr().addr() % 8 == 0 && length >= MAILBOX).then_some(Self { base, length })
    }

    pub(super) fn get(&self, cell: usize) -> i32 {
        // SAFETY: all cells are below DATA, aligned, and only this thread uses the memory.
        unsafe { self.base.cast::<i32>().add(cell).read() }
    }

    pub(super) fn set(&self, cell: usize, value: i32) {
        // SAFETY: as in `get`.
        unsafe { self.base.cast::<i32>().add(cell).write(value) }
    }

    pub(super) fn number(&self) -> f64 {
        // SAFETY: as in `get`.
        unsafe { self.base.cast::<f64>().add(number::PAYLOAD).read() }
    }

    pub(super) fn set_number(&self, value: f64) {
        // SAFETY: as in `get`.
        unsafe { self.base.cast::<f64>().add(number::PAYLOAD).write(value) }
    }

    /// Milliseconds until the deadline; nothing is none.
    pub(super) fn deadline(&self) -> Result<Option<f64>, Fault> {
        // SAFETY: as in `get`.
        let ms = unsafe { self.base.cast::<f64>().add(number::DEADLINE).read() };
        if ms.is_nan() {
            return Err(Fault("no deadline"));
        }
        Ok((ms >= 0.0).then_some(ms))
    }

    pub(super) fn set_clock(&self, ms: f64) {
        // SAFETY: as in `get`.
        unsafe { self.base.cast::<f64>().add(number::CLOCK).write(ms) }
    }

    /// A copy of the first bytes of the data.
    pub(super) fn take_bytes(&self, length: usize) -> Option<Bytes> {
        if length > self.room() {
            return None;
        }
        // SAFETY: in bounds; no JavaScript runs while the slice lives.
        Some(Bytes::copy_of(unsafe {
            std::slice::from_raw_parts(self.base.add(DATA).as_ptr(), length)
        }))
    }

    pub(super) fn put_bytes(&self, bytes: &[u8]) {
        self.put_at(0, bytes);
    }

    /// Bytes of data that fit.
    pub(super) fn room(&self) -> usize {
        self.length - DATA
    }

    pub(super) fn put_at(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.room());
        // SAFETY: in bounds, and `bytes` is Rust memory that cannot overlap the mailbox.
        unsafe {
            self.base
                .add(DATA + offset)
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len())
        }
    }

    /// Writes the header of a record of a drain: four 32-bit numbers.
    pub(super) fn put_header(&self, offset: usize, header: [i32; 4]) {
        assert!(offset.is_multiple_of(8) && offset + 16 <= self.room());
        // SAFETY: in bounds, aligned to 8.
        unsafe {
            self.base
                .add(DATA + offset)
                .cast::<[i32; 4]>()
                .write(header)
        }
    }

    pub(super) fn put_number_at(&self, offset: usize, value: f64) {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.room());
        // SAFETY: in bounds, aligned to 8.
        unsafe { self.base.add(DATA + offset).cast::<f64>().write(value) }
    }
}

/// As JavaScript reads it from an Int32Array.
#[expect(
    clippy::cast_possible_wrap,
    reason = "ids and lengths cross as 32-bit patterns"
)]
pub(super) fn signed(value: u32) -> i32 {
    value as i32
}

/// As JavaScript has written it into an Int32Array.
#[expect(
    clippy::cast_sign_loss,
    reason = "ids and lengths cross as 32-bit patterns"
)]
pub(super) fn unsigned(value: i32) -> u32 {
    value as u32
}

/// A number of bytes.
pub(super) fn length(bytes: usize) -> Result<i32, Fault> {
    i32::try_from(bytes).map_err(|_| Fault("longer than 2 GiB"))
}
