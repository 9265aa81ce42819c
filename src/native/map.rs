//! Shared maps for native tasks: the functions of `abi::MapTable` over a map of this process.
//!
//! A task acts as its process. The process has one seat in the map for all its threads, so that its threads never have to
//! be told apart: a thread ends within a call only together with its process, and then all that they left behind is a dead
//! process' and is repaired as such (`memory/map/seats`). What a thread needs for itself is the memory of a call
//! ([`Hands`]); the blocks that the process keeps are behind a lock (`memory/map/store`). A reader needs to be known
//! to nobody: it looks afterwards whether the entry is still the same, and blocks are never unmapped while the map is
//! there. So any number of threads of a process may be in any call at once, as its isolates already are. JavaScript
//! that keeps a decoded value sees the words of the entry change, whatever language has changed them.
//!
//! The value of a task keeps the map: the memory stays mapped until the last task has let go of it, even if no
//! JavaScript has the map any more.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;

use rspool_task::abi::{MapData, MapPut, MapStep, MapTable, Reply, Str, put, status};
use rspool_task::{BigInt, Error, TypedArray, UNSUPPORTED, Value};

use super::call::has_map;
use super::payload::{from_value, hex, to_value, view_of};
use crate::memory::map::{
    Bytes, Hands, Key, MAX_KEY, Map, MapError, New, NotCounted, Number, Step, When, clock,
};
use crate::scheduler::{Body, Payload};
use crate::wire::{tag, view};

thread_local! {
    static HANDS: RefCell<Hands> = RefCell::default();
}

static TABLE: MapTable = MapTable {
    size: size_of::<MapTable>(),
    get: Some(get),
    ttl: Some(ttl),
    put: Some(put_value),
    increment: Some(increment),
    delete: Some(delete),
    expire: Some(expire),
};

/// A map as the value of a task, which keeps it.
pub(super) fn of(map: Arc<Map>) -> rspool_task::Map {
    let data = MapData {
        table: &raw const TABLE,
        map: Arc::as_ptr(&map).cast_mut().cast(),
    };
    // SAFETY: the functions of the table take such a map, which is there as long as its keeper, and may be used by any
    // thread.
    unsafe { rspool_task::Map::new(data, map) }
}

/// The map behind the value of a task. Nothing if its functions are others.
pub(super) fn behind(map: &rspool_task::Map) -> Option<Arc<Map>> {
    let MapData { table, map } = map.data();
    std::ptr::eq(table, &raw const TABLE).then(|| {
        let map: *const Map = map.cast_const().cast();
        // SAFETY: with this table, `of` has made it of an `Arc`, which the value keeps.
        unsafe {
            Arc::increment_strong_count(map);
            Arc::from_raw(map)
        }
    })
}

/// Answers a call.
///
/// # Safety
/// As `MapTable` says: the map is there, the key lasts as long as the call, and the reply may be written.
unsafe fn answer(
    map: *mut c_void,
    key: Str,
    reply: *mut Reply,
    act: impl FnOnce(&Map, &mut Hands, &Key, &str) -> Result<Value<'static>, Error>,
) {
    // A panic must not unwind into the task.
    let done = rspool_task::panics::contained(|| {
        // SAFETY: the caller's promise.
        let (map, name) = unsafe { (&*map.cast::<Map>(), key.read()) };
        let name = name.ok_or_else(|| Error::invalid("a key of a shared map must be UTF-8"))?;
        let key = Key::new(name.as_bytes()).map_err(|error| refused(&error, name))?;
        // No code of the task runs in a call, so nothing borrows them twice.
        HANDS.with_borrow_mut(|hands| {
            let done = act(map, hands, &key, name);
            hands.shrink();
            done
        })
    });
    let written = match done {
        Ok(value) => Reply {
            status: status::RETURNED,
            value: value.into(),
            ..Reply::NONE
        },
        Err(error) => error.into(),
    };
    // SAFETY: the caller's promise.
    unsafe { reply.write(written) }
}

unsafe extern "C" fn get(map: *mut c_void, key: Str, version: *mut u64, reply: *mut Reply) {
    // SAFETY: the caller's promise.
    unsafe {
        answer(map, key, reply, |map, hands, key, name| {
            let found = map.get(hands, key).map(|read| read.entry);
            let found = found.filter(|entry| entry.is_fresh());
            version.write(found.map_or(0, |entry| map.version_number(entry.version)));
            found.map_or(Ok(Value::Undefined), |entry| {
                decoded(entry.tag, entry.value(), name)
            })
        });
    }
}

unsafe extern "C" fn ttl(map: *mut c_void, key: Str, reply: *mut Reply) {
    // SAFETY: the caller's promise.
    unsafe {
        answer(map, key, reply, |map, _, key, _| {
            let found = map.peek(key).filter(|entry| entry.is_fresh());
            Ok(found.map_or(Value::Undefined, |entry| {
                if entry.expires == 0 {
                    return f64::INFINITY.into();
                }
                let end = entry.expires.saturating_sub(entry.stale);
                (end.saturating_sub(clock::now()) as f64 / 1000.0).into()
            }))
        });
    }
}

unsafe extern "C" fn put_value(map: *mut c_void, key: Str, given: *mut MapPut, reply: *mut Reply) {
    // SAFETY: the caller's promise; the values are this function's from now on.
    unsafe {
        let given = &mut *given;
        let (value, expected) = (given.value.take(), given.expected.take());
        answer(map, key, reply, |map, hands, key, name| {
            let read = |value: Result<Value<'static>, _>| {
                value.map_err(|why: rspool_task::Malformed| Error::invalid(why.to_string()))
            };
            let value = encoded(read(value.into_value())?, name)?;
            let expected = match given.when {
                put::EQUAL => Some(encoded(read(expected.into_value())?, name)?),
                _ => None,
            };
            let when = match (given.when, &expected) {
                (put::ALWAYS, _) => When::Always,
                (put::ABSENT, _) => When::Absent,
                (put::VERSION, _) => When::Version(given.version),
                (put::EQUAL, Some(expected)) => When::Holds(expected.tag, &expected.bytes),
                _ => return Err(Error::failed(UNSUPPORTED, "an unknown way to put a value")),
            };
            let new = New {
                tag: value.tag,
                value: Bytes::Slice(&value.bytes),
                times: map.times(given.ttl, 0.0),
                keeps_times: given.when == put::VERSION && given.ttl < 0.0,
            };
            let done = map.put(hands, key, when, new);
            done.map(Value::Bool).map_err(|error| refused(&error, name))
        });
    }
}

unsafe extern "C" fn increment(
    map: *mut c_void,
    key: Str,
    step: *const MapStep,
    reply: *mut Reply,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let step = &*step;
        answer(map, key, reply, |map, hands, key, name| {
            let step = Step {
                by: Number::Whole(step.by),
                initial: Number::Whole(step.initial),
                whole: true,
                expires: map.times(step.ttl, 0.0).0,
            };
            match map.count_up(hands, key, step) {
                Ok(Number::Whole(sum)) => Ok(Value::BigInt(sum.into())),
                Ok(Number::Other(_)) | Err(NotCounted::NoNumber) => Err(Error::invalid(format!(
                    "increment: the value of {name:?} is no whole number"
                ))),
                Err(NotCounted::Overflow) => Err(Error::invalid(format!(
                    "increment: the sum for {name:?} would have more than 64 bits"
                ))),
                Err(NotCounted::Refused(error)) => Err(refused(&error, name)),
            }
        });
    }
}

unsafe extern "C" fn delete(map: *mut c_void, key: Str, reply: *mut Reply) {
    // SAFETY: the caller's promise.
    unsafe {
        answer(map, key, reply, |map, hands, key, _| {
            Ok(map.remove_key(hands, key).into())
        });
    }
}

unsafe extern "C" fn expire(map: *mut c_void, key: Str, ttl: f64, reply: *mut Reply) {
    // SAFETY: the caller's promise.
    unsafe {
        answer(map, key, reply, |map, hands, key, name| {
            let done = map.renew(hands, key, map.times(ttl, 0.0));
            done.map(Value::Bool).map_err(|error| refused(&error, name))
        });
    }
}

/// What a task hears of a map that refuses, with the codes that JavaScript has.
fn refused(error: &MapError, name: &str) -> Error {
    match error {
        MapError::LongKey => Error::invalid(format!(
            "a key of a shared map has at most {MAX_KEY} bytes, got {}",
            name.len()
        )),
        MapError::LongValue => Error::invalid(format!(
            "the value of {name:?} has more bytes than 'maxValueBytes' of the shared map"
        )),
        MapError::Full => Error::failed(
            "ERR_RSPOOL_MAP_FULL",
            format!("the shared map is full: there is no room for {name:?}"),
        ),
        MapError::Busy => Error::failed(
            "ERR_RSPOOL_MAP_BUSY",
            format!("{name:?} would have to wait for a process that is stopped, or has no CPU"),
        ),
        MapError::Io(_) | MapError::Mismatch(_) | MapError::Size(_) => {
            Error::new(error.to_string())
        }
    }
}

/// A value as it lies in a map.
struct Encoded {
    tag: u16,
    bytes: Cow<'static, [u8]>,
}

/// Encodes a value as JavaScript does, except that lists and objects are JSON.
fn encoded(value: Value<'static>, name: &str) -> Result<Encoded, Error> {
    let made = |tag: u32, bytes: Vec<u8>| Encoded {
        tag: tag as u16,
        bytes: bytes.into(),
    };
    let number = |number: Number| {
        let (tag, word) = number.store();
        made(tag.into(), word.to_ne_bytes().into())
    };
    Ok(match value {
        Value::Null => made(tag::NULL, Vec::new()),
        Value::Bool(false) => made(tag::FALSE, Vec::new()),
        Value::Bool(true) => made(tag::TRUE, Vec::new()),
        Value::Number(value) => number(Number::of(value)),
        Value::BigInt(value) => match value.to_i64().filter(|whole| is_large(*whole)) {
            Some(whole) => number(Number::Whole(whole)),
            None => made(tag::BIGINT, hex(&value).into_bytes()),
        },
        Value::String(text) => {
            let tag = if text.is_ascii() {
                tag::LATIN1
            } else {
                tag::UTF8
            };
            made(tag, text.into_string().into_bytes())
        }
        // JavaScript puts a Buffer as a Uint8Array, too.
        Value::Bytes(bytes) => made(tag::VIEW | view::UINT8 << 8, bytes.into_vec()),
        Value::Array(TypedArray { kind, bytes }) => {
            made(tag::VIEW | view_of(kind) << 8, bytes.into_vec())
        }
        Value::List(_) | Value::Record(_) if has_map(&value) => {
            return Err(Error::invalid(format!(
                "the value of {name:?} has a SharedMap in it"
            )));
        }
        Value::List(_) | Value::Record(_) => match from_value(value)? {
            Payload {
                tag: tag::JSON,
                body: Body::Bytes(bytes),
            } => made(tag::JSON, bytes.into_vec()),
            _ => {
                return Err(Error::invalid(format!(
                    "the value of {name:?} must be data that JSON can hold, without bytes, BigInts, NaN and Infinity"
                )));
            }
        },
        Value::Undefined | Value::Map(_) => {
            return Err(Error::invalid(format!(
                "the value of {name:?} must be a string, a number, a boolean, null, a BigInt, bytes or plain data, got {}",
                value.describe()
            )));
        }
    })
}

/// Whether a whole number is beyond those that a double holds: JavaScript then takes it for a BigInt.
fn is_large(whole: i64) -> bool {
    whole.unsigned_abs() > 1 << 53
}

/// Decodes a value.
fn decoded(tag: u16, bytes: &[u8], name: &str) -> Result<Value<'static>, Error> {
    let unreadable = || Error::new(format!("the value of {name:?} is damaged"));
    let kind = u32::from(tag);
    Ok(match kind & 0xff {
        tag::NULL => Value::Null,
        tag::FALSE => Value::Bool(false),
        tag::TRUE => Value::Bool(true),
        tag::INT64 | tag::NUMBER => match Number::stored(tag, bytes).ok_or_else(unreadable)? {
            Number::Whole(whole) if is_large(whole) => BigInt::from(whole).into(),
            Number::Whole(whole) => Value::Number(whole as f64),
            Number::Other(number) => Value::Number(number),
        },
        tag::LATIN1 => bytes
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into(),
        tag::UTF8 => String::from_utf8_lossy(bytes).into_owned().into(),
        tag::UTF16 => {
            let units = bytes.chunks_exact(2);
            let units: Vec<u16> = units
                .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                .collect();
            String::from_utf16_lossy(&units).into()
        }
        tag::VIEW | tag::BIGINT | tag::JSON => to_value(Payload::bytes(kind, bytes.to_vec()))?,
        tag::CODEC => {
            return Err(Error::failed(
                UNSUPPORTED,
                format!(
                    "the value of {name:?} is an object or an array that JavaScript has put, which Rust does not read: \
                     put JSON.stringify(value)"
                ),
            ));
        }
        _ => return Err(unreadable()),
    })
}
