//! Bytes that are too many for the memories. They wait in Rust until JavaScript asks for them, and then become an
//! ArrayBuffer, or a string if they are one.

use std::ffi::c_void;
use std::ptr;

use napi::sys;

use super::call::{Call, Fault, Returned, check};
use super::environment::Environment;
use super::text;
use crate::memory::bytes::Bytes;
use crate::wire::tag;

/// The bytes of a payload, and its tag.
pub(super) type Long = (u32, Bytes);

super::call::exports! {
    c"blob" Blob = blob;
    c"longInput" LongInput = long_input;
}

/// `blob(i) -> ArrayBuffer | string`: bytes that did not fit, without a copy if the engine allows that.
fn blob(environment: &Environment, call: &Call) -> Returned {
    let index = call.index(call.args()[0])? as usize;
    let (tag, bytes) = match environment.blobs.borrow_mut().get_mut(index) {
        Some(blob) => std::mem::take(blob),
        None => return Err(Fault("unknown blob")),
    };
    make_value(call.env, tag, bytes)
}

/// `longInput() -> ArrayBuffer | string`: the input of the task that `exchange` returned, if it did not fit.
fn long_input(environment: &Environment, call: &Call) -> Returned {
    let input = environment.long_input.take();
    let (tag, bytes) = input.ok_or(Fault("there is no such input"))?;
    make_value(call.env, tag, bytes)
}

fn make_value(env: sys::napi_env, tag: u32, bytes: Bytes) -> Returned {
    match tag {
        tag::LATIN1 => text::latin1(env, bytes),
        tag::UTF16 => text::utf16(env, bytes),
        _ => make_array_buffer(env, bytes),
    }
}

fn make_array_buffer(env: sys::napi_env, bytes: Bytes) -> Returned {
    let (data, length) = (bytes.as_ptr().cast_mut(), bytes.len());
    let owner = Box::into_raw(Box::new(bytes));
    let mut value = ptr::null_mut();
    // SAFETY: the bytes stay where they are until `free_bytes` has their owner, and nobody else has.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env,
            data.cast(),
            length,
            Some(free_bytes),
            owner.cast(),
            &mut value,
        )
    };
    if status == sys::Status::napi_ok {
        return Ok(Some(value));
    }
    // An engine with a memory cage refuses, so this copies.
    // SAFETY: the engine has not taken the owner.
    let bytes = unsafe { Box::from_raw(owner) };
    let mut target = ptr::null_mut();
    check(
        // SAFETY: creates a buffer of that length and says where it is.
        unsafe { sys::napi_create_arraybuffer(env, length, &mut target, &mut value) },
        "no memory for a result",
    )?;
    // SAFETY: both are `length` long and apart.
    unsafe {
        target
            .cast::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), length)
    };
    Ok(Some(value))
}

unsafe extern "C" fn free_bytes(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: the box that `make_array_buffer` gave away.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}
