//! Payloads as values and back: the native lane's end of what `lib/payload.js` writes and reads.
//! The tags are the same there.

use super::error::TaskError;
use super::value::{ArrayKind, BigInt, TypedArray, Value};
use crate::scheduler::{Body, Payload};

const UNDEFINED: u32 = 0;
const NULL: u32 = 1;
const FALSE: u32 = 2;
const TRUE: u32 = 3;
const NUMBER: u32 = 4;
const BIGINT: u32 = 7;
const VIEW: u32 = 8;
const JSON: u32 = 11;
const UTF8: u32 = 12;

/// What the bits above the tag say of a view: an index into `VIEWS` of `lib/views.js`.
const KINDS: [Option<ArrayKind>; 11] = [
    Some(ArrayKind::Uint8),
    Some(ArrayKind::Int8),
    Some(ArrayKind::Uint8Clamped),
    Some(ArrayKind::Int16),
    Some(ArrayKind::Uint16),
    Some(ArrayKind::Int32),
    Some(ArrayKind::Uint32),
    Some(ArrayKind::Float32),
    Some(ArrayKind::Float64),
    Some(ArrayKind::BigInt64),
    Some(ArrayKind::BigUint64),
];
/// A Buffer; as an input also a DataView and an ArrayBuffer.
const BUFFER: u32 = 255;

/// Reads an input.
pub(super) fn to_value(payload: Payload) -> Result<Value, TaskError> {
    let unreadable = || TaskError::invalid("the input is of a kind that native tasks do not take");
    let bytes = match payload.body {
        Body::Number(number) => {
            return Ok(match payload.tag {
                UNDEFINED => Value::Undefined,
                NULL => Value::Null,
                FALSE => Value::Bool(false),
                TRUE => Value::Bool(true),
                NUMBER => Value::Number(number),
                _ => return Err(unreadable()),
            });
        }
        Body::Bytes(bytes) => bytes.into_vec(),
    };
    match payload.tag & 0xff {
        VIEW => Ok(match KINDS.get((payload.tag >> 8) as usize).copied().flatten() {
            Some(kind) if bytes.len() % kind.size() == 0 => Value::Array(TypedArray { kind, bytes }),
            _ => Value::Bytes(bytes),
        }),
        UTF8 => Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned())),
        BIGINT => big_int(&bytes).map(Value::BigInt).ok_or_else(unreadable),
        JSON => serde_json::from_slice(&bytes).map(Value::Json).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

/// Writes a result.
pub(super) fn from_value(value: Value) -> Payload {
    match value {
        Value::Undefined => Payload::number(UNDEFINED, 0.0),
        Value::Null => Payload::number(NULL, 0.0),
        Value::Bool(value) => Payload::number(if value { TRUE } else { FALSE }, 0.0),
        Value::Number(number) => Payload::number(NUMBER, number),
        Value::BigInt(value) => Payload::bytes(BIGINT, hex(&value).into_bytes()),
        Value::String(text) => Payload::bytes(UTF8, text.into_bytes()),
        Value::Bytes(bytes) => Payload::bytes(VIEW | BUFFER << 8, bytes),
        Value::Array(TypedArray { kind, bytes }) => {
            let index = KINDS.iter().position(|known| *known == Some(kind)).unwrap_or_default();
            Payload::bytes(VIEW | (index as u32) << 8, bytes)
        }
        Value::Json(json) => Payload::bytes(JSON, json.to_string().into_bytes()),
    }
}

/// A BigInt travels as its hexadecimal digits, with a sign where it is negative.
fn big_int(text: &[u8]) -> Option<BigInt> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    let word = |digits: &[u8]| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let words = digits.rchunks(16).map(word).collect::<Option<Vec<u64>>>()?;
    Some(BigInt { negative, words })
}

fn hex(value: &BigInt) -> String {
    let mut words = value.words.iter().rev().skip_while(|word| **word == 0);
    let Some(first) = words.next() else { return "0".into() };
    let sign = if value.negative { "-" } else { "" };
    words.fold(format!("{sign}{first:x}"), |text, word| format!("{text}{word:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_went() {
        let big = |negative, words: &[u64]| Value::BigInt(BigInt { negative, words: words.to_vec() });
        for value in [
            Value::Undefined,
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Number(-0.5),
            Value::String("grüße".into()),
            Value::Bytes(vec![1, 2, 3]),
            Value::Array(TypedArray { kind: ArrayKind::BigUint64, bytes: vec![0; 16] }),
            Value::Json(serde_json::json!({"a": [1, null]})),
            big(true, &[u64::MAX, 7]),
            big(false, &[0, 1]),
        ] {
            assert_eq!(to_value(from_value(value.clone())).unwrap(), value);
        }
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        assert!(to_value(Payload::number(9, 0.0)).is_err());
        assert!(to_value(Payload::bytes(BIGINT, b"xyz".to_vec())).is_err());
        assert!(to_value(Payload::bytes(JSON, b"{".to_vec())).is_err());
    }
}
