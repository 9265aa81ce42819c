//! Memory that an environment's JavaScript and its native functions share, on one thread: numbers
//! cross in it for the price of a store, where an argument costs a call. The layout is that of
//! `lib/native/environment.js`.

use std::ptr::NonNull;

use super::call::Fault;
use crate::memory::bytes::Bytes;

/// Where each 32-bit number is, in 32-bit steps.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Cell {
    /// in: the pool's handle.
    Pool = 0,
    /// in and out: the owner's name for the call.
    Ticket = 1,
    /// in and out: which function.
    Target = 2,
    /// in and out: what the payload's body means.
    Tag = 3,
    /// in and out: a number, bytes in the mailbox, or bytes elsewhere.
    Form = 4,
    /// in and out: bytes in the mailbox; or which blob.
    Length = 5,
    /// in: -20 to 19.
    Priority = 6,
    /// in: 0 native, 1 script; and 2 more if the task is observed.
    Lane = 7,
    /// in: milliseconds, -1 for no limit.
    Timeout = 8,
    /// in: milliseconds, -1 for no limit.
    QueueTimeout = 9,
    /// out: what happened.
    Result = 10,
    /// out: the task's key.
    Key = 11,
    /// out: its generation.
    Generation = 12,
    /// out: the worker whose isolate the caller starts, or -1.
    Start = 13,
    /// in: the slot of the finished task, or -1. out: the slot of the new one.
    Slot = 14,
    /// in: 0 returned, 1 threw.
    Status = 15,
    /// in: how often the task may start again after its worker has died.
    Retries = 22,
    /// in: 0 for any worker, a key above 0, or -1 - the id of the only worker.
    Placement = 24,
}

/// Where the number of a payload is, in bytes.
const NUMBER: usize = 64;
/// Where the milliseconds until the deadline are, in bytes; negative is none.
const DEADLINE: usize = 80;
/// Where the clock is, in bytes: milliseconds.
const CLOCK: usize = 72;
/// Where bytes begin.
pub(super) const DATA: usize = 128;

pub(super) const FORM_NUMBER: i32 = 0;
pub(super) const FORM_BYTES: i32 = 1;
pub(super) const FORM_ELSEWHERE: i32 = 2;

/// Bytes up to this many go through the mailbox; more are handed over as they are.
pub(super) const INLINE: usize = 16 * 1024;

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
        (base.as_ptr().addr() % 8 == 0 && length >= DATA + 2 * INLINE)
            .then_some(Self { base, length })
    }

    pub(super) fn get(&self, cell: Cell) -> i32 {
        // SAFETY: all cells are below DATA, aligned, and only this thread uses the memory.
        unsafe { self.base.cast::<i32>().add(cell as usize).read() }
    }

    pub(super) fn set(&self, cell: Cell, value: i32) {
        // SAFETY: as in `get`.
        unsafe { self.base.cast::<i32>().add(cell as usize).write(value) }
    }

    pub(super) fn number(&self) -> f64 {
        // SAFETY: as in `get`.
        unsafe { self.base.add(NUMBER).cast::<f64>().read() }
    }

    pub(super) fn set_number(&self, value: f64) {
        // SAFETY: as in `get`.
        unsafe { self.base.add(NUMBER).cast::<f64>().write(value) }
    }

    /// Milliseconds until the deadline.
    pub(super) fn deadline(&self) -> Option<f64> {
        // SAFETY: as in `get`.
        let ms = unsafe { self.base.add(DEADLINE).cast::<f64>().read() };
        (ms >= 0.0).then_some(ms)
    }

    pub(super) fn set_clock(&self, ms: f64) {
        // SAFETY: as in `get`.
        unsafe { self.base.add(CLOCK).cast::<f64>().write(ms) }
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
