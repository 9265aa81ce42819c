//! Objects and lists with members that JSON cannot carry: as inputs, if a task takes several buffers, and as results,
//! if it gives some buffers besides numbers.
//!
//! A record travels as a head and parts. The head is JSON: `value` is the whole value with 0 in the place of each part,
//! and `parts` is a list of `[path, tag]`, or `[path, tag, text]` for parts that are too small to travel separately.
//! The parts with bytes follow in the order of the head. `lib/payload/records.js` is the other end.

use rspool_task::{Error, MAX_SAFE_INTEGER, Value};
use serde_json::{Map, Value as Json, json};

use super::payload::{big_int, from_value, handle_of, hex, to_value};
use crate::scheduler::{Body, Payload};
use crate::wire::tag;

/// Writes a record or a list. If JSON can carry all of it, it is JSON alone.
pub(super) fn to_payload(value: Value<'static>) -> Result<Payload, Error> {
    let mut parts = Parts::default();
    let json = parts.head_of(value, &mut Vec::new())?;
    if parts.named.is_empty() {
        return Ok(Payload::bytes(tag::JSON, json.to_string().into_bytes()));
    }
    let head = json!({ "value": json, "parts": parts.named }).to_string();
    let head = Payload::bytes(tag::JSON, head.into_bytes());
    let all: Vec<_> = std::iter::once(head).chain(parts.payloads).collect();
    Ok(Payload {
        tag: tag::RECORD,
        body: Body::Parts(all.into()),
    })
}

/// The members of a value that JSON cannot carry.
#[derive(Default)]
struct Parts {
    /// The paths and tags of all parts.
    named: Vec<Json>,
    /// The parts with bytes.
    payloads: Vec<Payload>,
}

impl Parts {
    /// The value as it stands in the head.
    fn head_of(&mut self, value: Value<'static>, path: &mut Vec<Json>) -> Result<Json, Error> {
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(value) => value.into(),
            Value::Number(number) if number.is_finite() => finite(number),
            Value::Number(number) => self.name(path, json!([tag::NUMBER, js_number(number)])),
            Value::Undefined => self.name(path, json!([tag::UNDEFINED, ""])),
            Value::BigInt(value) => self.name(path, json!([tag::BIGINT, hex(&value)])),
            Value::String(text) => text.into_string().into(),
            Value::Record(record) => record
                .into_iter()
                .map(|(name, value)| {
                    path.push(name.as_str().into());
                    let json = self.head_of(value, path);
                    path.pop();
                    Ok((name, json?))
                })
                .collect::<Result<Map<_, _>, Error>>()?
                .into(),
            Value::List(items) => (0u32..)
                .zip(items)
                .map(|(index, value)| {
                    path.push(index.into());
                    let json = self.head_of(value, path);
                    path.pop();
                    json
                })
                .collect::<Result<Vec<_>, Error>>()?
                .into(),
            Value::Map(map) => handle_of(&map)?,
            Value::Bytes(_) | Value::Array(_) => {
                let payload = from_value(value)?;
                let json = self.name(path, json!([payload.tag]));
                self.payloads.push(payload);
                json
            }
        })
    }

    fn name(&mut self, path: &[Json], what: Json) -> Json {
        let mut part = vec![Json::from(path)];
        if let Json::Array(what) = what {
            part.extend(what);
        }
        self.named.push(part.into());
        0.into()
    }
}

/// A number in as few characters as possible.
fn finite(number: f64) -> Json {
    let whole = number as i64;
    let exact = whole as f64 == number && whole.unsigned_abs() <= MAX_SAFE_INTEGER;
    if exact && (whole != 0 || number.is_sign_positive()) {
        return whole.into();
    }
    number.into()
}

/// A number that JSON does not have, as JavaScript writes it.
fn js_number(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Reads a record or a list.
pub(super) fn from_parts(parts: Box<[Payload]>) -> Result<Value<'static>, Error> {
    let unreadable = || Error::invalid("the input is not a record");
    let mut parts = parts.into_iter();
    let head = match parts.next().map(|head| head.body) {
        Some(Body::Bytes(head)) => serde_json::from_slice(&head).ok(),
        _ => None,
    };
    let Some(Json::Object(mut head)) = head else {
        return Err(unreadable());
    };
    let mut value = Value::from(head.remove("value").ok_or_else(unreadable)?);
    let Some(Json::Array(named)) = head.remove("parts") else {
        return Err(unreadable());
    };
    for part in named {
        let path = part[0].as_array().ok_or_else(unreadable)?;
        let what = part[1].as_u64().and_then(|tag| u32::try_from(tag).ok());
        let what = what.ok_or_else(unreadable)?;
        *member(&mut value, path).ok_or_else(unreadable)? = match part[2].as_str() {
            Some(text) => small(what, text).ok_or_else(unreadable)?,
            None => {
                let payload = parts.next().filter(|payload| payload.tag == what);
                to_value(payload.ok_or_else(unreadable)?)?
            }
        };
    }
    Ok(value)
}

/// A part that has no bytes of its own.
fn small(tag: u32, text: &str) -> Option<Value<'static>> {
    match tag {
        tag::UNDEFINED => Some(Value::Undefined),
        tag::NUMBER => text.parse().ok().map(Value::Number),
        tag::BIGINT => big_int(text.as_bytes()).map(Value::BigInt),
        _ => None,
    }
}

/// The member at a path.
fn member<'a>(value: &'a mut Value<'static>, path: &[Json]) -> Option<&'a mut Value<'static>> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value);
    };
    let next = match value {
        Value::Record(record) => record.get_mut(first.as_str()?)?,
        Value::List(items) => items.get_mut(usize::try_from(first.as_u64()?).ok()?)?,
        _ => return None,
    };
    member(next, rest)
}

#[cfg(test)]
mod tests {
    use rspool_task::{ArrayKind, BigInt, Record, TypedArray};

    use super::*;

    fn array(kind: ArrayKind, bytes: &[u8]) -> Value<'static> {
        Value::Array(TypedArray {
            kind,
            bytes: bytes.to_vec().into(),
        })
    }

    fn there_and_back(value: Value<'static>) -> Value<'static> {
        to_value(from_value(value).unwrap()).unwrap()
    }

    #[test]
    fn records_come_back_as_they_went() {
        let record = Record::new()
            .with("big", Value::BigInt(BigInt::from(u64::MAX)))
            .with("count", 3.0)
            .with("data", Value::Bytes(vec![1, 2, 3].into()))
            .with("name", Value::String("x".into()))
            .with("none", Value::Undefined)
            .with("ratio", f64::NEG_INFINITY)
            .with("rows", array(ArrayKind::Uint16, &[1, 0, 2, 0]))
            .with("shape", json!({ "a": [1.5, null, -0.0] }));
        let value = Value::Record(record);
        assert_eq!(there_and_back(value.clone()), value);
        let list = Value::List(vec![value, Value::Null, Value::Bytes(vec![].into())]);
        assert_eq!(there_and_back(list.clone()), list);
    }

    #[test]
    fn what_json_can_carry_is_json() {
        let record = Record::new().with("width", 320.0).with("ok", true);
        assert_eq!(
            there_and_back(Value::Record(record)),
            json!({ "width": 320.0, "ok": true }).into()
        );
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        let payloads = |head: &str, rest: Vec<Payload>| {
            let head = Payload::bytes(tag::JSON, head.as_bytes().to_vec());
            let all: Vec<_> = std::iter::once(head).chain(rest).collect();
            to_value(Payload {
                tag: tag::RECORD,
                body: Body::Parts(all.into()),
            })
        };
        for head in [
            "",
            "[]",
            "{}",
            r#"{"value":{"a":0}}"#,
            r#"{"value":{"a":0},"parts":[[]]}"#,
            r#"{"value":{"a":0},"parts":[[["b"],8]]}"#,
            r#"{"value":{"a":0},"parts":[[["a","b"],4,"NaN"]]}"#,
            r#"{"value":{"a":0},"parts":[[["a"],8]]}"#,
            r#"{"value":{"a":0},"parts":[[["a"],9,"x"]]}"#,
            r#"{"value":[0],"parts":[[[1],0,""]]}"#,
        ] {
            assert!(payloads(head, Vec::new()).is_err(), "{head}");
        }
        let other = Payload::bytes(tag::UTF8, b"x".to_vec());
        let head = r#"{"value":{"a":0},"parts":[[["a"],8]]}"#;
        assert!(payloads(head, vec![other]).is_err());
    }
}
