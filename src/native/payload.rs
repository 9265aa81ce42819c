//! Converts payloads to values and back: the native lane's end of what `lib/payload/values.js` writes and reads.
//! Payloads with several parts are in `record`.

use std::ffi::c_void;

use rspool_task::abi::flag;
use serde_json::Value as Json;

use rspool_task::{
    ArrayKind, BigInt, Bytes, Data, Error, Params, Record, Shared, Text, TypedArray, Value,
};

use super::record;
use crate::memory::loan::Reading;
use crate::scheduler::{Body, Payload};
use crate::wire::{tag, view};

/// The element type of a typed array, from the bits above its tag.
fn kind_of(kind: u32) -> Option<ArrayKind> {
    Some(match kind {
        view::UINT8 => ArrayKind::Uint8,
        view::INT8 => ArrayKind::Int8,
        view::UINT8_CLAMPED => ArrayKind::Uint8Clamped,
        view::INT16 => ArrayKind::Int16,
        view::UINT16 => ArrayKind::Uint16,
        view::INT32 => ArrayKind::Int32,
        view::UINT32 => ArrayKind::Uint32,
        view::FLOAT32 => ArrayKind::Float32,
        view::FLOAT64 => ArrayKind::Float64,
        view::BIG_INT64 => ArrayKind::BigInt64,
        view::BIG_UINT64 => ArrayKind::BigUint64,
        _ => return None,
    })
}

/// The bits above the tag for a typed array.
pub(super) fn view_of(kind: ArrayKind) -> u32 {
    match kind {
        ArrayKind::Uint8 => view::UINT8,
        ArrayKind::Int8 => view::INT8,
        ArrayKind::Uint8Clamped => view::UINT8_CLAMPED,
        ArrayKind::Int16 => view::INT16,
        ArrayKind::Uint16 => view::UINT16,
        ArrayKind::Int32 => view::INT32,
        ArrayKind::Uint32 => view::UINT32,
        ArrayKind::Float32 => view::FLOAT32,
        ArrayKind::Float64 => view::FLOAT64,
        ArrayKind::BigInt64 => view::BIG_INT64,
        ArrayKind::BigUint64 => view::BIG_UINT64,
    }
}

/// Reads an input. The lent parts of it live as long as the value.
pub(super) fn to_value(payload: Payload) -> Result<Value<'static>, Error> {
    let unreadable = || Error::invalid("the input is of a kind that native tasks do not take");
    let data: Data = match payload.body {
        Body::Number(number) => {
            return Ok(match payload.tag {
                tag::UNDEFINED => Value::Undefined,
                tag::NULL => Value::Null,
                tag::FALSE => Value::Bool(false),
                tag::TRUE => Value::Bool(true),
                tag::NUMBER => Value::Number(number),
                _ => return Err(unreadable()),
            });
        }
        Body::Bytes(bytes) => bytes.into_vec().into(),
        // The caller is gone.
        Body::Lent(lent) => in_place(lent.read().ok_or(Error::Cancelled)?),
        Body::Parts(parts) => return record::from_parts(parts),
        #[cfg(unix)]
        Body::Map(map) => return Ok(super::map::of(map).into()),
    };
    if payload.tag & 0xff == tag::VIEW {
        return Ok(array_of(payload.tag >> 8, data));
    }
    let bytes = data.into_vec();
    match payload.tag & 0xff {
        tag::UTF8 => Ok(text_of(bytes)),
        tag::BIGINT => big_int(&bytes).map(Value::BigInt).ok_or_else(unreadable),
        tag::JSON => match serde_json::from_slice(&bytes).map_err(|_| unreadable())? {
            json @ (Json::Array(_) | Json::Object(_)) => Ok(json.into()),
            // An object whose JSON is a text or a number, such as a Date, is an empty object to a task.
            _ => Ok(Record::new().into()),
        },
        _ => Err(unreadable()),
    }
}

/// Bytes of a view.
fn array_of(kind: u32, data: Data<'static>) -> Value<'static> {
    match kind_of(kind) {
        Some(kind) if data.len().is_multiple_of(kind.size()) => {
            Value::Array(TypedArray { kind, bytes: data })
        }
        _ => Value::Bytes(data),
    }
}

/// A text from JavaScript, whose UTF-8 is always valid.
fn text_of(bytes: Vec<u8>) -> Value<'static> {
    match Text::from_utf8(bytes.into()) {
        Ok(text) => text.into(),
        Err(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}

/// The params of a call, or the config of a plugin, which are called `what` in messages.
pub(super) fn params_of(json: &str, what: &str) -> Result<Params, Error> {
    let json: Json = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("{what} are not JSON: {error}")))?;
    Params::try_from(json)
}

/// Bytes that a task reads in place. Dropping them gives them back.
fn in_place(reading: Reading) -> Data<'static> {
    unsafe extern "C" fn release(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<Reading>()) });
    }
    let reading = Box::new(reading);
    let len = reading.len();
    if let Some(slice) = reading.as_slice() {
        let data = slice.as_ptr().cast_mut();
        let owner = Box::into_raw(reading).cast();
        // SAFETY: readable, and written by nobody, as long as the reading is there.
        return Data::Own(unsafe {
            Bytes::from_parts(data, len, owner, Some(release), flag::LENT)
        });
    }
    let data = reading.as_ptr();
    let owner = Box::into_raw(reading).cast();
    // SAFETY: as above, and others write there as JavaScript does.
    Data::Shared(unsafe { Shared::from_parts(data, len, owner, Some(release)) })
}

/// Writes a result.
pub(super) fn from_value(value: Value<'static>) -> Result<Payload, Error> {
    Ok(match value {
        Value::Undefined => Payload::number(tag::UNDEFINED, 0.0),
        Value::Null => Payload::number(tag::NULL, 0.0),
        Value::Bool(value) => Payload::number(if value { tag::TRUE } else { tag::FALSE }, 0.0),
        Value::Number(number) => Payload::number(tag::NUMBER, number),
        Value::BigInt(value) => Payload::bytes(tag::BIGINT, hex(&value).into_bytes()),
        Value::String(text) => Payload::bytes(tag::UTF8, text.into_bytes()),
        Value::Bytes(data) => Payload::bytes(tag::VIEW | view::BUFFER << 8, data.into_bytes()),
        Value::Array(TypedArray { kind, bytes }) => {
            Payload::bytes(tag::VIEW | view_of(kind) << 8, bytes.into_bytes())
        }
        Value::List(_) | Value::Record(_) => return record::to_payload(value),
        Value::Map(map) => Payload::bytes(tag::JSON, handle_of(&map)?.to_string().into_bytes()),
    })
}

/// A map in a result: what `share()` gives of it.
#[cfg(unix)]
pub(super) fn handle_of(map: &rspool_task::Map) -> Result<Json, Error> {
    use crate::memory::map::registry;
    let map = super::map::behind(map)
        .ok_or_else(|| Error::new("the result has a map that is not one of JavaScript"))?;
    Ok(serde_json::json!({ "type": "rspool.map", "map": registry::share(&map, true) }))
}

#[cfg(not(unix))]
pub(super) fn handle_of(_: &rspool_task::Map) -> Result<Json, Error> {
    Err(Error::new("there are no shared maps here"))
}

/// A BigInt travels as hexadecimal digits, with a sign if it is negative.
pub(super) fn big_int(text: &[u8]) -> Option<BigInt> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    let word = |digits: &[u8]| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let words = digits.rchunks(16).map(word).collect::<Option<Vec<u64>>>()?;
    Some(BigInt { negative, words })
}

pub(super) fn hex(value: &BigInt) -> String {
    let mut words = value.words.iter().rev().skip_while(|word| **word == 0);
    let Some(first) = words.next() else {
        return "0".into();
    };
    let sign = if value.negative { "-" } else { "" };
    words.fold(format!("{sign}{first:x}"), |text, word| {
        format!("{text}{word:016x}")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_come_back_as_they_went() {
        let big = |negative, words: &[u64]| {
            Value::BigInt(BigInt {
                negative,
                words: words.to_vec(),
            })
        };
        for value in [
            Value::Undefined,
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Number(-0.5),
            Value::String("grüße".into()),
            vec![1, 2, 3].into(),
            Value::Array(TypedArray {
                kind: ArrayKind::BigUint64,
                bytes: vec![0; 16].into(),
            }),
            serde_json::json!({"a": [1, null]}).into(),
            big(true, &[u64::MAX, 7]),
            big(false, &[0, 1]),
        ] {
            assert_eq!(to_value(from_value(value.clone()).unwrap()).unwrap(), value);
        }
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        assert!(to_value(Payload::number(9, 0.0)).is_err());
        assert!(to_value(Payload::bytes(tag::BIGINT, b"xyz".to_vec())).is_err());
        assert!(to_value(Payload::bytes(tag::JSON, b"{".to_vec())).is_err());
    }

    proptest! {
        /// Every payload is either a value, which can be sent back, or refused.
        #[test]
        fn any_payload_is_a_value_or_is_refused(
            tag in any::<u32>(),
            kind in 0u32..24,
            near in any::<bool>(),
            number in any::<f64>(),
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let tag = if near { (tag % 16) | (kind << 8) } else { tag };
            for payload in [Payload::number(tag, number), Payload::bytes(tag, bytes)] {
                if let Ok(value) = to_value(payload) {
                    prop_assert!(to_value(from_value(value).unwrap()).is_ok());
                }
            }
        }
    }
}
