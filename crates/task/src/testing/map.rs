//! A map for tests. It keeps what the map of a host promises, in the memory of this process.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::abi::{MapData, MapPut, MapStep, MapTable, Reply, Str, put, status};
use crate::error::{Error, Result};
use crate::map::Map;
use crate::shim::refusal;
use crate::value::{BigInt, Value};

const LONGEST_KEY: usize = 250;

/// An empty map, whose entries last for ever by default. It has no bounds.
#[must_use]
pub fn map() -> Map {
    let memory = Arc::new(Memory::default());
    let data = MapData {
        table: &raw const TABLE,
        map: Arc::as_ptr(&memory).cast_mut().cast(),
    };
    // SAFETY: the functions of the table take such a memory, which is there as long as its keeper.
    unsafe { Map::new(data, memory) }
}

#[derive(Default)]
struct Memory(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_key: HashMap<String, Entry>,
    /// Versions that were given.
    versions: u64,
}

struct Entry {
    value: Value<'static>,
    version: u64,
    ends: Option<Instant>,
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

impl Entries {
    /// The entry of a key, if its time is not over.
    fn find(&mut self, key: &str) -> Option<&mut Entry> {
        let over = |entry: &Entry| entry.ends.is_some_and(|at| at <= Instant::now());
        if self.by_key.get(key).is_some_and(over) {
            self.by_key.remove(key);
        }
        self.by_key.get_mut(key)
    }

    fn put(&mut self, key: &str, value: Value<'static>, ends: Option<Instant>) {
        self.versions += 1;
        let entry = Entry {
            value,
            version: self.versions,
            ends,
        };
        self.by_key.insert(key.to_owned(), entry);
    }
}

/// When an entry ends that lasts for so many milliseconds; never, unless that is a number from 0 on.
fn end(ttl: f64) -> Option<Instant> {
    let lasts = Duration::try_from_secs_f64(ttl / 1000.0).ok()?;
    Instant::now().checked_add(lasts.max(Duration::from_micros(1)))
}

/// Answers a call.
///
/// # Safety
/// As `MapTable` says.
unsafe fn answer(
    map: *mut c_void,
    key: Str,
    reply: *mut Reply,
    act: impl FnOnce(&mut MutexGuard<'_, Entries>, &str) -> Result<Value<'static>>,
) {
    // SAFETY: the caller's promise.
    let (memory, key) = unsafe { (&*map.cast::<Memory>(), key.read()) };
    let key = key.unwrap_or_default();
    let mut entries = memory.0.lock().unwrap_or_else(|broken| broken.into_inner());
    let done = if key.len() > LONGEST_KEY {
        Err(Error::invalid(format!(
            "a key of a shared map has at most {LONGEST_KEY} bytes, got {}",
            key.len()
        )))
    } else {
        act(&mut entries, key)
    };
    let written = match done {
        Ok(value) => Reply {
            status: status::RETURNED,
            value: value.into(),
            ..Reply::NONE
        },
        Err(error) => refusal(error),
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

unsafe extern "C" fn get(map: *mut c_void, key: Str, version: *mut u64, reply: *mut Reply) {
    // SAFETY: as the table says.
    unsafe {
        answer(map, key, reply, |entries, key| {
            let found = entries.find(key);
            version.write(found.as_ref().map_or(0, |entry| entry.version));
            Ok(found.map_or(Value::Undefined, |entry| entry.value.clone()))
        });
    }
}

unsafe extern "C" fn ttl(map: *mut c_void, key: Str, reply: *mut Reply) {
    // SAFETY: as the table says.
    unsafe {
        answer(map, key, reply, |entries, key| {
            let left = |ends: Option<Instant>| {
                ends.map_or(f64::INFINITY, |at| {
                    at.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0
                })
            };
            let found = entries.find(key);
            Ok(found.map_or(Value::Undefined, |entry| left(entry.ends).into()))
        });
    }
}

unsafe extern "C" fn put_value(map: *mut c_void, key: Str, given: *mut MapPut, reply: *mut Reply) {
    // SAFETY: as the table says: the values are the function's.
    unsafe {
        let given = &mut *given;
        let value = (given.value.take().into_value()).map(Value::into_owned);
        let expected = (given.expected.take().into_value()).map(Value::into_owned);
        answer(map, key, reply, |entries, key| {
            let (value, expected) = (value?, expected?);
            refuse(&value)?;
            let found = entries.find(key);
            let takes = match given.when {
                put::ALWAYS => true,
                put::ABSENT => found.is_none(),
                put::VERSION => found.as_ref().map_or(0, |entry| entry.version) == given.version,
                _ => found.as_ref().is_some_and(|entry| entry.value == expected),
            };
            let kept = found
                .filter(|_| given.when == put::VERSION && given.ttl < 0.0)
                .map(|entry| entry.ends);
            if takes {
                entries.put(key, value, kept.unwrap_or_else(|| end(given.ttl)));
            }
            Ok(takes.into())
        });
    }
}

/// Refuses what no map takes.
fn refuse(value: &Value<'_>) -> Result<()> {
    match value {
        Value::Undefined | Value::Map(_) => Err(Error::invalid(format!(
            "a shared map cannot hold {}",
            value.describe()
        ))),
        Value::List(items) => items.iter().try_for_each(refuse_in_data),
        Value::Record(record) => record
            .iter()
            .try_for_each(|(_, value)| refuse_in_data(value)),
        _ => Ok(()),
    }
}

/// Lists and objects hold what JSON can.
fn refuse_in_data(value: &Value<'_>) -> Result<()> {
    match value {
        Value::BigInt(_) | Value::Bytes(_) | Value::Array(_) => Err(Error::invalid(format!(
            "a list or an object in a shared map cannot hold {}",
            value.describe()
        ))),
        other => refuse(other),
    }
}

unsafe extern "C" fn increment(
    map: *mut c_void,
    key: Str,
    step: *const MapStep,
    reply: *mut Reply,
) {
    // SAFETY: as the table says.
    unsafe {
        let step = &*step;
        answer(map, key, reply, |entries, key| {
            let (before, ends) = match entries.find(key) {
                None => (Some(step.initial), end(step.ttl)),
                Some(entry) => (whole(&entry.value), entry.ends),
            };
            let before = before.ok_or_else(|| {
                Error::invalid("increment: the value is no whole number".to_owned())
            })?;
            let sum = before.checked_add(step.by).ok_or_else(|| {
                Error::invalid("increment: the sum would have more than 64 bits".to_owned())
            })?;
            entries.put(key, number(sum), ends);
            Ok(BigInt::from(sum).into())
        });
    }
}

/// A value as a whole number of 64 bits.
fn whole(value: &Value<'_>) -> Option<i64> {
    use crate::input::Input;
    matches!(value, Value::Number(_) | Value::BigInt(_))
        .then(|| i64::from_value(value.clone(), "it").ok())
        .flatten()
}

/// A whole number as a value: as a BigInt if a number would round it.
#[expect(clippy::cast_precision_loss, reason = "compared")]
fn number(whole: i64) -> Value<'static> {
    match whole.unsigned_abs() <= 1 << 53 {
        true => Value::Number(whole as f64),
        false => BigInt::from(whole).into(),
    }
}

unsafe extern "C" fn delete(map: *mut c_void, key: Str, reply: *mut Reply) {
    // SAFETY: as the table says.
    unsafe {
        answer(map, key, reply, |entries, key| {
            let there = entries.find(key).is_some();
            entries.by_key.remove(key);
            Ok(there.into())
        });
    }
}

unsafe extern "C" fn expire(map: *mut c_void, key: Str, ttl: f64, reply: *mut Reply) {
    // SAFETY: as the table says.
    unsafe {
        answer(map, key, reply, |entries, key| {
            let found = entries.find(key);
            let there = found.is_some();
            if let Some(entry) = found {
                entry.ends = end(ttl);
            }
            Ok(there.into())
        });
    }
}
