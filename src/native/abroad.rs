//! Values for plugins, and back. Bytes are handed over where they are.

use std::ffi::c_void;

use rspool_task::abi::flag;
use rspool_task::{self as task, Error, Text, Value as Theirs};

use super::data::Data;
use super::error::TaskError;
use super::record::Record;
use super::value::{ArrayKind, BigInt, TypedArray, Value};
use crate::memory::loan::Reading;

/// An input for a plugin. What of it is lent is there as long as the value.
pub(super) fn send(value: Value) -> Theirs<'static> {
    match value {
        Value::Undefined => Theirs::Undefined,
        Value::Null => Theirs::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => number.into(),
        Value::BigInt(BigInt { negative, words }) => task::BigInt { negative, words }.into(),
        Value::String(text) => text.into(),
        Value::Bytes(data) => send_data(data).into(),
        Value::Array(TypedArray { kind, bytes }) => task::TypedArray {
            kind: send_kind(kind),
            bytes: send_data(bytes),
        }
        .into(),
        Value::Json(json @ (serde_json::Value::Array(_) | serde_json::Value::Object(_))) => {
            json.into()
        }
        // An object that says of itself that it is a text or a number, as a Date does, is none to a task.
        Value::Json(_) => task::Record::new().into(),
        Value::Record(record) => record
            .into_members()
            .map(|(name, value)| (name, send(value)))
            .collect::<task::Record>()
            .into(),
        Value::List(items) => Theirs::List(items.into_iter().map(send).collect()),
    }
}

fn send_data(data: Data) -> task::Data<'static> {
    match data {
        Data::Own(bytes) => bytes.into(),
        Data::Lent(reading) => in_place(reading),
    }
}

/// Bytes that a task reads where they are. Whoever drops them gives the reading back.
fn in_place(reading: Reading) -> task::Data<'static> {
    unsafe extern "C" fn release(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<Reading>()) });
    }
    let reading = Box::new(reading);
    let (data, len, shared) = (
        reading.as_ptr(),
        reading.len(),
        reading.as_slice().is_none(),
    );
    let owner = Box::into_raw(reading).cast();
    if shared {
        // SAFETY: there as long as the reading, and others write there as JavaScript does.
        return task::Data::Shared(unsafe {
            task::Shared::from_parts(data, len, owner, Some(release))
        });
    }
    // SAFETY: readable, and written by nobody, as long as the reading is there.
    unsafe { task::Bytes::from_parts(data.cast_mut(), len, owner, Some(release), flag::LENT) }
        .into()
}

/// A result of a plugin.
pub(super) fn receive(value: Theirs<'static>) -> Value {
    match value {
        Theirs::Undefined => Value::Undefined,
        Theirs::Null => Value::Null,
        Theirs::Bool(value) => Value::Bool(value),
        Theirs::Number(number) => Value::Number(number),
        Theirs::BigInt(task::BigInt { negative, words }) => {
            Value::BigInt(BigInt { negative, words })
        }
        Theirs::String(text) => Value::String(Text::into_string(text)),
        Theirs::Bytes(data) => Value::Bytes(data.into_vec().into()),
        Theirs::Array(task::TypedArray { kind, bytes }) => Value::Array(TypedArray {
            kind: receive_kind(kind),
            bytes: bytes.into_vec().into(),
        }),
        Theirs::List(items) => Value::List(items.into_iter().map(receive).collect()),
        Theirs::Record(record) => {
            let members = record.into_iter();
            Value::Record(members.fold(Record::new(), |all, (name, value)| {
                all.with(name, receive(value))
            }))
        }
    }
}

/// Each kind on both sides.
macro_rules! kinds {
    ($($kind:ident)+) => {
        fn send_kind(kind: ArrayKind) -> task::ArrayKind {
            match kind { $(ArrayKind::$kind => task::ArrayKind::$kind,)+ }
        }

        fn receive_kind(kind: task::ArrayKind) -> ArrayKind {
            match kind { $(task::ArrayKind::$kind => ArrayKind::$kind,)+ }
        }
    };
}

kinds! { Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float32 Float64 BigInt64 BigUint64 }

/// What a plugin has failed with, by a code that is one: it stands on a line of its own on its way to the user.
pub(super) fn receive_error(error: Error) -> TaskError {
    let part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let is_code = |code: &str| (1..=64).contains(&code.len()) && code.bytes().all(part);
    match error {
        Error::Cancelled => TaskError::Cancelled,
        Error::InvalidInput(message) => TaskError::InvalidInput(message),
        Error::Panicked(message) => TaskError::Panicked(message),
        Error::Failed { code, message } if is_code(&code) => TaskError::failed(code, message),
        Error::Failed { message, .. } => TaskError::failed(task::TASK_FAILED, message),
    }
}

/// The params of a call, or the config of a plugin, which are called `what` in messages.
pub(super) fn params_of(json: &str, what: &str) -> Result<task::Params, Error> {
    let json: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| Error::invalid(format!("{what} are not JSON: {error}")))?;
    task::Params::try_from(json)
}
