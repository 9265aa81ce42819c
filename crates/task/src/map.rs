//! Shared maps: memory that the threads of a process, and the processes of a cluster, read and change together.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::abi::{MapData, MapPut, MapStep, MapTable, Raw, Reply, Str, put, tag};
use crate::context::field;
use crate::error::{Error, Result};
use crate::input::{Input, must_be};
use crate::output::Output;
use crate::value::Value;

/// A `SharedMap` of JavaScript. It is the same memory: each call is complete when it returns, and every thread and
/// process that has the map sees the change. Clones are the same map. The map lasts as long as any of them, so a
/// plugin may keep it in its state.
///
/// A value is a string, a number, a BigInt, a boolean, null, bytes, a typed array, or a list or an object of values that
/// JSON can hold. JavaScript reads each as what it is in a result of a task, and a list or an object frozen. A value that
/// JavaScript has put comes in the same way. Lists and objects are the exception: JavaScript puts these in an encoding
/// of its own, and reading one is an error with the code `ERR_RSPOOL_UNSUPPORTED`.
///
/// Each method returns an [`Error::InvalidInput`] for a key of more than 250 bytes, and for a value that cannot be put,
/// or has more than `maxValueBytes`. A method that puts a value fails with `ERR_RSPOOL_MAP_FULL` if there is no room,
/// and with `ERR_RSPOOL_MAP_BUSY` if another process, which has lost its CPU, is in the way. Nothing is changed then.
///
/// ```
/// use std::time::Duration;
/// use rspool_task::{Context, Map, Result, Text, Value, testing};
///
/// /// Counts the words of a text, each text once an hour.
/// fn count((text, seen): (Text, Map), _: (), _: &Context) -> Result<i64> {
///     if seen.lasting(Duration::from_secs(3600)).add(&text, true)? {
///         seen.increment("words", text.split_whitespace().count() as i64)?;
///     }
///     Ok(seen.get("words")?.unwrap_or(0))
/// }
///
/// let map = testing::map();
/// let input = |text: &str| Value::List(vec![text.into(), map.clone().into()]);
/// assert_eq!(testing::run(count, input("one two"), ()), Ok(2.into()));
/// assert_eq!(testing::run(count, input("one two"), ()), Ok(2.into()));
/// assert_eq!(map.get("words"), Ok(Some(2)));
/// ```
#[derive(Clone)]
pub struct Map {
    held: Arc<Held>,
    /// Milliseconds that what is put lasts; below zero for the map's own.
    ttl: f64,
}

/// A map, and the value that keeps it.
struct Held {
    data: MapData,
    _keeper: Raw,
}

// SAFETY: the functions of a map may be called from any thread, and so may its release (`abi::MapTable`).
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

/// Calls a function of a map, if its table has that, and reads the answer.
macro_rules! call {
    ($self:ident.$function:ident($key:expr $(, $argument:expr)*)) => {{
        let MapData { table, map } = $self.held.data;
        // SAFETY: the table is there as long as the map.
        match unsafe { field!(table, MapTable, $function) }.flatten() {
            None => Err(Error::failed(
                crate::error::UNSUPPORTED,
                concat!("this version of rspool has no ", stringify!($function), "() of a shared map"),
            )),
            Some(function) => {
                let mut reply = Reply::NONE;
                // SAFETY: the map is there, and so are the arguments until the function returns.
                unsafe { function(map, Str::of($key) $(, $argument)*, &raw mut reply) };
                // SAFETY: as the host has written it.
                unsafe { reply.into_result() }
            }
        }
    }};
}

impl Map {
    /// A map of this side. Until `keeper` is dropped, which may happen on any thread, the functions of the table may be
    /// called with it.
    ///
    /// # Safety
    /// It is so.
    #[must_use]
    pub unsafe fn new(data: MapData, keeper: impl Send + Sync + 'static) -> Self {
        Self::held(data, kept(data, keeper))
    }

    /// The map of a value. Nothing if the value cannot be one.
    ///
    /// # Safety
    /// The value is as `abi::tag::MAP` says.
    pub(crate) unsafe fn of(raw: Raw) -> Option<Self> {
        let data = raw.data.cast::<MapData>();
        if data.is_null() || !data.is_aligned() {
            return None;
        }
        // SAFETY: the caller's promise.
        let data = unsafe { data.read() };
        if data.table.is_null() || !data.table.is_aligned() {
            return None;
        }
        Some(Self::held(data, raw))
    }

    /// The map and its functions: for the side that has made it.
    #[must_use]
    pub fn data(&self) -> MapData {
        self.held.data
    }

    fn held(data: MapData, keeper: Raw) -> Self {
        Self {
            held: Arc::new(Held {
                data,
                _keeper: keeper,
            }),
            ttl: -1.0,
        }
    }

    /// The same map. What is put through it lasts for `ttl` instead of for the time that the map was made with.
    /// [`Duration::MAX`] is for ever.
    #[must_use]
    pub fn lasting(&self, ttl: Duration) -> Self {
        Self {
            held: Arc::clone(&self.held),
            ttl: milliseconds(ttl),
        }
    }

    /// The value of a key, none if there is none. [`Value`] takes any.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the value is of another type.
    pub fn get<T: Input<'static>>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.read(key)?.0)
    }

    fn read<T: Input<'static>>(&self, key: &str) -> Result<(Option<T>, u64)> {
        let mut version = 0;
        let value = match call!(self.get(key, &raw mut version))? {
            Value::Undefined => None,
            value => Some(T::from_value(
                value,
                &format!("the value of {}", crate::value::quote(key)),
            )?),
        };
        Ok((value, version))
    }

    /// Whether the key is there.
    ///
    /// # Errors
    /// Those of the map.
    pub fn has(&self, key: &str) -> Result<bool> {
        Ok(self.ttl(key)?.is_some())
    }

    /// How long the key still lasts: none if it is not there, [`Duration::MAX`] if it never ends.
    ///
    /// # Errors
    /// Those of the map.
    pub fn ttl(&self, key: &str) -> Result<Option<Duration>> {
        Ok(match call!(self.ttl(key))? {
            Value::Number(ms) => {
                let time = Duration::try_from_secs_f64(ms / 1000.0);
                Some(time.unwrap_or(Duration::MAX))
            }
            _ => None,
        })
    }

    /// Puts a value.
    ///
    /// # Errors
    /// Those of the map.
    pub fn set<'v>(&self, key: &str, value: impl Into<Value<'v>>) -> Result<()> {
        self.put(key, put::ALWAYS, 0, value.into(), Value::Undefined)
            .map(drop)
    }

    /// Puts a value if the key has none. Returns whether it did.
    ///
    /// # Errors
    /// Those of the map.
    pub fn add<'v>(&self, key: &str, value: impl Into<Value<'v>>) -> Result<bool> {
        self.put(key, put::ABSENT, 0, value.into(), Value::Undefined)
    }

    /// Puts a value if the key has the expected one. Returns whether it did. `()` as the expected value means that the
    /// key has none. The values are compared as they are encoded.
    ///
    /// # Errors
    /// Those of the map.
    pub fn compare_and_set<'v>(
        &self,
        key: &str,
        expected: impl Into<Value<'v>>,
        value: impl Into<Value<'v>>,
    ) -> Result<bool> {
        match expected.into() {
            Value::Undefined => self.add(key, value),
            expected => self.put(key, put::EQUAL, 0, value.into(), expected),
        }
    }

    /// Gives a key the value that `change` makes of its present one, and returns it. `change` runs again if the value has
    /// changed meanwhile. If it returns none, the value stays as it is. Unless the map is a [lasting](Self::lasting) one,
    /// an entry that is there ends when it would have.
    ///
    /// # Errors
    /// Those of `change`, those of the map, and [`Error::InvalidInput`] if the present value is of another type.
    pub fn update<T: Input<'static>, V: Clone + Into<Value<'static>>>(
        &self,
        key: &str,
        mut change: impl FnMut(Option<T>) -> Result<Option<V>>,
    ) -> Result<Option<V>> {
        loop {
            let (before, version) = self.read(key)?;
            let Some(value) = change(before)? else {
                return Ok(None);
            };
            let new = value.clone().into();
            if self.put(key, put::VERSION, version, new, Value::Undefined)? {
                return Ok(Some(value));
            }
        }
    }

    fn put(
        &self,
        key: &str,
        when: u32,
        version: u64,
        value: Value<'_>,
        expected: Value<'_>,
    ) -> Result<bool> {
        let mut put = MapPut {
            size: size_of::<MapPut>(),
            when,
            reserved: 0,
            ttl: self.ttl,
            version,
            value: value.into(),
            expected: expected.into(),
        };
        Ok(call!(self.put(key, &raw mut put))? == Value::Bool(true))
    }

    /// Adds to the number of a key, which is 0 if there is none, and returns the sum. It is exact to 64 bits, and one
    /// step: no other thread or process comes in between. An entry that is there ends when it would have.
    ///
    /// # Errors
    /// Those of the map, and [`Error::InvalidInput`] if the value is no whole number, or the sum has more than 64 bits.
    pub fn increment(&self, key: &str, n: i64) -> Result<i64> {
        self.increment_from(key, n, 0)
    }

    /// As [`increment`](Self::increment), with another number for a key that is not there.
    ///
    /// # Errors
    /// As for [`increment`](Self::increment).
    pub fn increment_from(&self, key: &str, n: i64, initial: i64) -> Result<i64> {
        let step = MapStep {
            size: size_of::<MapStep>(),
            by: n,
            initial,
            ttl: self.ttl,
        };
        i64::from_value(call!(self.increment(key, &raw const step))?, "the sum")
    }

    /// Removes a key. Returns whether it was there.
    ///
    /// # Errors
    /// Those of the map.
    pub fn delete(&self, key: &str) -> Result<bool> {
        Ok(call!(self.delete(key))? == Value::Bool(true))
    }

    /// Changes how long a key lasts from now on; [`Duration::MAX`] is for ever. Returns whether the key is there.
    ///
    /// # Errors
    /// Those of the map.
    pub fn expire(&self, key: &str, ttl: Duration) -> Result<bool> {
        Ok(call!(self.expire(key, milliseconds(ttl)))? == Value::Bool(true))
    }
}

/// A time as the functions of a map take it.
fn milliseconds(ttl: Duration) -> f64 {
    if ttl == Duration::MAX {
        return f64::INFINITY;
    }
    ttl.as_secs_f64() * 1000.0
}

impl<'a> Input<'a> for Map {
    fn type_of() -> String {
        "SharedMap | SharedMapHandle".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::Map(map) => Ok(map),
            other => must_be(what, "a SharedMap, or what its share() gave", &other),
        }
    }
}

impl Output for Map {
    fn type_of() -> String {
        "SharedMapHandle".into()
    }

    /// JavaScript gets what `share()` gives.
    fn into_value(self) -> Result<Value<'static>> {
        Ok(self.into())
    }
}

/// A value of a map that something of this side keeps.
fn kept<K>(data: MapData, keeper: K) -> Raw {
    unsafe extern "C" fn release<K>(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<(MapData, K)>()) });
    }
    let owner = Box::into_raw(Box::new((data, keeper)));
    Raw {
        // SAFETY: the box is there.
        data: unsafe { (&raw mut (*owner).0).cast() },
        owner: owner.cast(),
        release: Some(release::<K>),
        ..Raw::plain(tag::MAP, 0.0)
    }
}

impl From<Map> for Raw {
    /// The value keeps the map.
    fn from(map: Map) -> Self {
        kept(map.held.data, map)
    }
}

impl PartialEq for Map {
    /// Whether both are the same map.
    fn eq(&self, other: &Self) -> bool {
        self.held.data.map == other.held.data.map
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Map")
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::array::Array;
    use crate::bytes::Text;
    use crate::testing;
    use crate::value::{BigInt, Record};

    #[test]
    fn values_come_back_as_they_were_put() {
        let map = testing::map();
        let record: Record = [("a", Value::from(1)), ("b", vec![Value::Null].into())]
            .into_iter()
            .collect();
        for value in [
            Value::Null,
            true.into(),
            (-0.5).into(),
            "grüße".into(),
            vec![1, 2, 3].into(),
            BigInt::from(u64::MAX).into(),
            Array::from(vec![1.5]).into_typed_array().into(),
            record.into(),
        ] {
            map.set("key", value.clone()).unwrap();
            assert_eq!(map.get("key"), Ok(Some(value)));
        }
        assert_eq!(map.get::<Value>("other"), Ok(None));
        let refused = map.get::<f64>("key").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the value of 'key' must be a number, got an object"
        );
        for value in [
            Value::Undefined,
            map.clone().into(),
            vec![Value::from(map.clone())].into(),
        ] {
            assert_eq!(
                map.set("key", value).unwrap_err().code(),
                "ERR_RSPOOL_INVALID_ARGUMENT"
            );
        }
        assert!(map.set(&"x".repeat(251), 1).is_err());
        assert!(map.set(&"x".repeat(250), 1).is_ok());
    }

    #[test]
    fn each_call_is_one_step() {
        let map = testing::map();
        assert_eq!((map.add("a", 1), map.add("a", 2)), (Ok(true), Ok(false)));
        assert_eq!(map.compare_and_set("a", 2, 3), Ok(false));
        assert_eq!(map.compare_and_set("a", 1, "text"), Ok(true));
        assert_eq!(map.compare_and_set("b", (), 5), Ok(true));
        assert_eq!(map.compare_and_set("b", (), 6), Ok(false));
        assert_eq!(map.get("a"), Ok(Some(Text::from("text"))));
        assert_eq!(
            (map.delete("a"), map.delete("a"), map.has("a")),
            (Ok(true), Ok(false), Ok(false))
        );
        assert_eq!(
            map.update("b", |n: Option<f64>| Ok(n.map(|n| n + 1.0))),
            Ok(Some(6.0))
        );
        assert_eq!(map.update("c", |n: Option<f64>| Ok(n)), Ok(None));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..1000)
                        .try_for_each(|_| map.increment("n", 1).map(drop))
                        .unwrap()
                });
                scope.spawn(|| {
                    for _ in 0..100 {
                        map.update("u", |n: Option<u32>| Ok(Some(n.unwrap_or(0) + 1)))
                            .unwrap();
                    }
                });
            }
        });
        assert_eq!(
            (map.get("n"), map.get("u")),
            (Ok(Some(4000)), Ok(Some(400)))
        );
    }

    #[test]
    fn counting_is_exact_or_refused() {
        let map = testing::map();
        assert_eq!(map.increment_from("n", 1, i64::MAX - 1), Ok(i64::MAX));
        assert!(map.increment("n", 1).is_err());
        assert_eq!(map.get("n"), Ok(Some(i64::MAX)));
        map.set("text", "text").unwrap();
        map.set("part", 0.5).unwrap();
        assert!(map.increment("text", 1).is_err() && map.increment("part", 1).is_err());
    }

    #[test]
    fn entries_end() {
        let map = testing::map();
        let short = map.lasting(Duration::from_nanos(1));
        short.set("key", 1).unwrap();
        while map.has("key").unwrap() {}
        assert_eq!(map.get::<Value>("key"), Ok(None));
        map.set("key", 1).unwrap();
        assert_eq!(map.ttl("key"), Ok(Some(Duration::MAX)));
        assert_eq!(map.expire("key", Duration::from_secs(100)), Ok(true));
        assert!(
            map.ttl("key")
                .unwrap()
                .is_some_and(|left| left <= Duration::from_secs(100))
        );
        map.update("key", |n: Option<f64>| Ok(n)).unwrap();
        assert!(
            map.ttl("key")
                .unwrap()
                .is_some_and(|left| left <= Duration::from_secs(100))
        );
        assert_eq!(
            (map.expire("no", Duration::MAX), map.ttl("no")),
            (Ok(false), Ok(None))
        );
    }

    #[test]
    fn what_an_older_host_does_not_have_is_an_error_with_a_code() {
        use std::mem::offset_of;
        let MapData { table, map } = testing::map().data();
        // SAFETY: the table of the map for tests is static.
        let table = unsafe { &*table };
        let older = MapTable {
            size: offset_of!(MapTable, expire),
            delete: None,
            ..*table
        };
        let data = MapData { table: &older, map };
        // SAFETY: nothing of it is called that would need the map.
        let map = unsafe { Map::new(data, ()) };
        for refused in [map.delete("key"), map.expire("key", Duration::MAX)] {
            assert_eq!(refused.unwrap_err().code(), "ERR_RSPOOL_UNSUPPORTED");
        }
    }

    #[test]
    fn a_map_goes_and_comes_back_as_the_same_map() {
        let map = testing::map();
        // SAFETY: made here.
        let Ok(Value::Map(back)) = (unsafe { Raw::from(Value::from(map.clone())).into_value() })
        else {
            panic!("no map");
        };
        assert_eq!(map, back);
        drop(map);
        back.set("key", 1).unwrap();
        assert_ne!(back, testing::map());
        // SAFETY: what is refused is not followed.
        let refused = unsafe { Raw::plain(tag::MAP, 0.0).into_value() };
        assert_eq!(refused.unwrap_err().to_string(), "a map without functions");
    }
}
