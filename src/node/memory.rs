//! Memories that an environment's JavaScript and its native functions share, on one thread. Passing a value in them
//! costs a store, whereas an argument costs a call. The layout is in `wire`.
//!
//! There is one memory per direction, and none is used for two. JavaScript writes `call` and `scratch` for a native
//! call (and `call` has its answer); `input` has the input of the task that a worker was given, and `notices` what has
//! come in. So nothing that is being written can spoil what has not been read.

use std::ptr::NonNull;

use napi::bindgen_prelude::Uint8Array;

use super::call::Fault;
use crate::memory::bytes::Bytes;
use crate::wire::{number, size};

/// One memory.
pub(super) struct Area {
    base: NonNull<u8>,
    length: usize,
}

impl Area {
    /// # Safety
    /// The memory must stay where it is while the area is used, and be used by one thread only.
    unsafe fn new(memory: &Uint8Array, length: usize) -> Option<Self> {
        // SAFETY: as the caller promises.
        unsafe { Self::of(memory.as_ptr().cast_mut(), memory.len(), length) }
    }

    /// # Safety
    /// As of `new`, and there must be so many bytes.
    pub(super) unsafe fn of(data: *mut u8, bytes: usize, length: usize) -> Option<Self> {
        let base = NonNull::new(data)?;
        (base.as_ptr().addr() % 8 == 0 && bytes == length).then_some(Self { base, length })
    }

    /// Writes a value that is not wider than eight bytes.
    pub(super) fn set<T: Copy>(&self, offset: usize, value: T) {
        // SAFETY: in bounds and aligned; only one thread uses the memory.
        unsafe { self.at::<T>(offset).write(value) }
    }

    /// The address of a value.
    fn at<T>(&self, offset: usize) -> NonNull<T> {
        assert!(offset.is_multiple_of(align_of::<T>()) && offset + size_of::<T>() <= self.length);
        // SAFETY: in bounds, and the base is aligned to 8.
        unsafe { self.base.add(offset).cast() }
    }

    pub(super) fn put(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.length);
        // SAFETY: in bounds, and `bytes` is Rust memory that cannot overlap this one.
        unsafe {
            self.base
                .add(offset)
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len())
        }
    }
}

/// All memories of an environment.
pub(super) struct Memories {
    call: Area,
    scratch: Area,
    input: Area,
    notices: Area,
}

impl Memories {
    /// # Safety
    /// The memories must stay where they are while they are used, not overlap, and be used by one thread only.
    pub(super) unsafe fn new(
        call: &Uint8Array,
        scratch: &Uint8Array,
        input: &Uint8Array,
        notices: &Uint8Array,
    ) -> Option<Self> {
        // SAFETY: as the caller promises.
        unsafe {
            Some(Self {
                call: Area::new(call, size::CALL)?,
                scratch: Area::new(scratch, size::SCRATCH)?,
                input: Area::new(input, size::INPUT)?,
                notices: Area::new(notices, size::NOTICES)?,
            })
        }
    }

    /// A cell of the call.
    pub(super) fn get(&self, cell: usize) -> i32 {
        // SAFETY: `at` has checked it, and only this thread uses the memory.
        unsafe { self.call.at::<i32>(4 * cell).read() }
    }

    pub(super) fn set(&self, cell: usize, value: i32) {
        // SAFETY: as in `get`.
        unsafe { self.call.at::<i32>(4 * cell).write(value) }
    }

    /// A number of the call.
    pub(super) fn number(&self, number: usize) -> f64 {
        // SAFETY: as in `get`.
        unsafe { self.call.at::<f64>(8 * number).read() }
    }

    pub(super) fn set_number(&self, number: usize, value: f64) {
        // SAFETY: as in `get`.
        unsafe { self.call.at::<f64>(8 * number).write(value) }
    }

    /// Milliseconds until the deadline, if there is one.
    pub(super) fn deadline(&self) -> Result<Option<f64>, Fault> {
        let ms = self.number(number::DEADLINE);
        if ms.is_nan() {
            return Err(Fault("no deadline"));
        }
        Ok((ms >= 0.0).then_some(ms))
    }

    /// A copy of the first bytes of the encoded value.
    pub(super) fn take_encoded(&self, length: usize) -> Option<Bytes> {
        if length > self.scratch.length {
            return None;
        }
        // SAFETY: in bounds; no JavaScript runs while the slice lives.
        Some(Bytes::copy_of(unsafe {
            std::slice::from_raw_parts(self.scratch.base.as_ptr(), length)
        }))
    }

    /// The first bytes of the encoded value, as long as no JavaScript runs.
    pub(super) fn encoded(&self, length: usize) -> Option<&[u8]> {
        if length > self.scratch.length {
            return None;
        }
        // SAFETY: in bounds; no JavaScript runs while the slice lives, as the caller promises.
        Some(unsafe { std::slice::from_raw_parts(self.scratch.base.as_ptr(), length) })
    }

    /// Writes the input of the task that a worker is given, of at most `INLINE` bytes.
    pub(super) fn put_input(&self, bytes: &[u8]) {
        self.input.put(0, bytes);
    }

    /// The number of notice bytes that fit.
    pub(super) fn room(&self) -> usize {
        self.notices.length
    }

    /// Writes bytes of a notice.
    pub(super) fn put_at(&self, offset: usize, bytes: &[u8]) {
        self.notices.put(offset, bytes);
    }

    /// Writes the header of a notice.
    pub(super) fn put_header(&self, offset: usize, header: [i32; 4]) {
        // SAFETY: as in `get`.
        unsafe { self.notices.at::<[i32; 4]>(offset).write(header) }
    }

    pub(super) fn put_number_at(&self, offset: usize, value: f64) {
        // SAFETY: as in `get`.
        unsafe { self.notices.at::<f64>(offset).write(value) }
    }
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "ids and lengths cross as 32-bit patterns"
)]
pub(super) fn signed(value: u32) -> i32 {
    value as i32
}

/// As JavaScript has written it to an Int32Array.
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
