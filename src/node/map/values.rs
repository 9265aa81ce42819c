//! Converts the values of shared maps from JavaScript, and to it.

use std::ptr;

use napi::sys;

use crate::memory::map::{Bytes, EXACT, Key, Number};
use crate::node::call::{Call, Fault, check};
use crate::node::environment::Environment;
use crate::node::memory::unsigned;
use crate::wire::{cell, form, number, tag};

/// Memory for texts that cross the border.
pub(super) type Text = Vec<u8>;

/// A value on its way into a map.
pub(super) struct Value<'a> {
    pub(super) tag: u16,
    pub(super) bytes: Bytes<'a>,
}

/// How a number is stored.
pub(super) fn of_number(number: Number) -> Value<'static> {
    let (tag, word) = number.store();
    Value {
        tag,
        bytes: Bytes::Word(word),
    }
}

/// A value that needs no bytes.
fn bare(tag: u32) -> Value<'static> {
    Value {
        tag: tag as u16,
        bytes: Bytes::Slice(&[]),
    }
}

pub(super) fn kind(env: sys::napi_env, value: sys::napi_value) -> sys::napi_valuetype {
    let mut kind = sys::ValueType::napi_undefined;
    // SAFETY: `value` is of the running call; the out-pointer is local.
    unsafe { sys::napi_typeof(env, value, &mut kind) };
    kind
}

/// A bigint of 64 bits; nothing if it has more.
pub(super) fn bigint(env: sys::napi_env, value: sys::napi_value) -> Option<i64> {
    let (mut whole, mut lossless) = (0, false);
    // SAFETY: as above.
    unsafe { sys::napi_get_value_bigint_int64(env, value, &mut whole, &mut lossless) };
    lossless.then_some(whole)
}

/// A double.
pub(super) fn double(env: sys::napi_env, value: sys::napi_value) -> f64 {
    let mut number = f64::NAN;
    // SAFETY: as above. Of another value it stays as it is.
    unsafe { sys::napi_get_value_double(env, value, &mut number) };
    number
}

/// Whether UTF-8 from the engine may stand for half a character: then it has a replacement character.
fn may_be_half(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && bytes.windows(3).any(|three| three == b"\xef\xbf\xbd")
}

/// The UTF-16 of a string.
fn utf16(env: sys::napi_env, value: sys::napi_value) -> Vec<u16> {
    let mut length = 0;
    // SAFETY: without a buffer the call only measures.
    unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) };
    let mut units = vec![0u16; length + 1];
    // SAFETY: the buffer has room for the measured units and the terminator.
    unsafe {
        sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr(), units.len(), &mut length)
    };
    units.truncate(length);
    units
}

/// Reads a key as UTF-8. Returns false if it is no string, is too long, or has half a character, which UTF-8 cannot
/// express.
#[inline]
pub(super) fn read_key(env: sys::napi_env, value: sys::napi_value, key: &mut Key) -> bool {
    let mut is_string = false;
    let fits = key.write(|buffer| {
        let mut length = 0;
        // SAFETY: the buffer has that many bytes. The engine writes whole characters only, so of a longer key 252 at
        // least.
        let status = unsafe {
            sys::napi_get_value_string_utf8(
                env,
                value,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                &mut length,
            )
        };
        is_string = status == sys::Status::napi_ok;
        length
    });
    let is_half = || char::decode_utf16(utf16(env, value)).any(|unit| unit.is_err());
    is_string && fits && !(may_be_half(key.bytes()) && is_half())
}

/// A value on its way into a map: the argument itself if it is a string or a simple value, the bytes of the argument if
/// it is a view, or else the value that JavaScript has described in the cells.
pub(super) fn value<'a>(
    environment: &'a Environment,
    env: sys::napi_env,
    argument: sys::napi_value,
    text: &'a mut Text,
) -> Result<Value<'a>, Fault> {
    match kind(env, argument) {
        sys::ValueType::napi_string => Ok(string(env, argument, text)),
        sys::ValueType::napi_number => Ok(of_number(Number::of(double(env, argument)))),
        sys::ValueType::napi_null => Ok(bare(tag::NULL)),
        sys::ValueType::napi_boolean => {
            let mut is = false;
            // SAFETY: it is a boolean of the running call.
            unsafe { sys::napi_get_value_bool(env, argument, &mut is) };
            Ok(bare(if is { tag::TRUE } else { tag::FALSE }))
        }
        sys::ValueType::napi_bigint => Ok(of_number(Number::Whole(
            bigint(env, argument).ok_or(Fault("a bigint of more than 64 bits"))?,
        ))),
        _ => described(environment, env, argument),
    }
}

fn described<'a>(
    environment: &'a Environment,
    env: sys::napi_env,
    argument: sys::napi_value,
) -> Result<Value<'a>, Fault> {
    let memories = &environment.memories;
    let tag = u16::try_from(memories.get(cell::TAG)).map_err(|_| Fault("no tag"))?;
    let bytes = match memories.get(cell::FORM) {
        form::BYTES => memories
            .encoded(unsigned(memories.get(cell::LENGTH)) as usize)
            .ok_or(Fault("the value is longer than its memory"))?,
        form::ELSEWHERE => {
            let (data, length) = Call::of(env)
                .view(argument)
                .ok_or(Fault("expected bytes"))?;
            if length == 0 {
                &[]
            } else {
                // SAFETY: the engine gave pointer and length of a live view. No JavaScript runs as long as the slice
                // lives, and the JS layer never passes a view on shared memory here.
                unsafe { std::slice::from_raw_parts(data, length) }
            }
        }
        form::NUMBER => return Ok(of_number(Number::of(memories.number(number::PAYLOAD)))),
        _ => return Err(Fault("unknown form of a value")),
    };
    Ok(Value {
        tag,
        bytes: Bytes::Slice(bytes),
    })
}

/// Writes as much of a string as fits.
fn utf8(env: sys::napi_env, value: sys::napi_value, text: &mut Text) -> usize {
    let mut length = 0;
    // SAFETY: the buffer has so many bytes.
    unsafe {
        sys::napi_get_value_string_utf8(
            env,
            value,
            text.as_mut_ptr().cast(),
            text.len(),
            &mut length,
        )
    };
    length
}

fn string<'a>(env: sys::napi_env, value: sys::napi_value, text: &'a mut Text) -> Value<'a> {
    if text.len() < 256 {
        text.resize(4096, 0);
    }
    let mut length = utf8(env, value, text);
    // Of a longer string the engine has written whole characters only.
    if length + 4 >= text.len() {
        let mut all = 0;
        // SAFETY: without a buffer the call only measures.
        unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut all) };
        if all >= text.len() {
            text.resize(all + 8, 0);
        }
        length = utf8(env, value, text);
    }
    let bytes = &text[..length];
    if bytes.is_ascii() {
        return Value {
            tag: tag::LATIN1 as u16,
            bytes: Bytes::Slice(&text[..length]),
        };
    }
    if may_be_half(bytes) {
        let units = utf16(env, value);
        text.clear();
        text.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        return Value {
            tag: tag::UTF16 as u16,
            bytes: Bytes::Slice(text),
        };
    }
    Value {
        tag: tag::UTF8 as u16,
        bytes: Bytes::Slice(&text[..length]),
    }
}

/// Whether it is a string.
pub(super) fn is_text(tag: u16) -> bool {
    matches!(u32::from(tag), tag::LATIN1 | tag::UTF8 | tag::UTF16)
}

/// A simple value for JavaScript; nothing for a value that lies in memory.
pub(super) fn make(
    env: sys::napi_env,
    tag: u16,
    bytes: &[u8],
) -> Result<Option<sys::napi_value>, Fault> {
    let mut made = ptr::null_mut();
    // SAFETY: each creates a value in the scope of the running call, of bytes that live until then.
    let status = unsafe {
        match u32::from(tag) {
            tag::NULL => sys::napi_get_null(env, &mut made),
            tag::TRUE => sys::napi_get_boolean(env, true, &mut made),
            tag::FALSE => sys::napi_get_boolean(env, false, &mut made),
            tag::LATIN1 => sys::napi_create_string_latin1(
                env,
                bytes.as_ptr().cast(),
                bytes.len() as isize,
                &mut made,
            ),
            tag::UTF8 => sys::napi_create_string_utf8(
                env,
                bytes.as_ptr().cast(),
                bytes.len() as isize,
                &mut made,
            ),
            tag::INT64 | tag::NUMBER => match Number::stored(tag, bytes) {
                Some(Number::Whole(whole)) => return whole_value(env, whole).map(Some),
                Some(Number::Other(number)) => sys::napi_create_double(env, number, &mut made),
                None => return Err(Fault("a number of no eight bytes")),
            },
            _ => return Ok(None),
        }
    };
    check(status, "no value")?;
    Ok(Some(made))
}

/// A whole number. It becomes a bigint if a double would round it.
pub(super) fn whole_value(env: sys::napi_env, whole: i64) -> Result<sys::napi_value, Fault> {
    let mut made = ptr::null_mut();
    // SAFETY: creates a value in the scope of the running call.
    let status = unsafe {
        if let Ok(small) = i32::try_from(whole) {
            sys::napi_create_int32(env, small, &mut made)
        } else if whole.unsigned_abs() <= EXACT as u64 {
            sys::napi_create_double(env, whole as f64, &mut made)
        } else {
            sys::napi_create_bigint_int64(env, whole, &mut made)
        }
    };
    check(status, "no number")?;
    Ok(made)
}
