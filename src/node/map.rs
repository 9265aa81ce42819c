//! Shared maps for JavaScript: an object of functions for each map that an environment has open. Their calls are raw,
//! as on the way of a task: what is in a map costs less than an argument of a function that converts it.
//!
//! Strings, numbers, booleans and null cross as they are. Other values lie in memory, with a description before them:
//! what goes in where values are encoded, what comes out in a memory that only maps write to.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::os::fd::AsRawFd;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::sys;

use super::call::{Call, Fault, Returned, check, give, make_numbers};
use super::descriptor::borrowed;
use super::environment::Environment;
use super::lease::Leases;
use super::map_values::{self as values, Number, Text};
use super::memory::Area;
use crate::memory::map::{
    Bytes, Change, Current, Hands, Key, Map, MapError, Options, Outcome, Put, Read, Space, Words,
    registry,
};
use crate::scheduler::{Bell, Ring};
use crate::wire::{map_cell, map_number, map_value, mapped, put, size};

super::call::exports! {
    c"mapMemory" SetMapMemory = map_memory;
    c"createMap" CreateMap = create_map;
    c"openMap" OpenMap = open_map;
    c"joinMap" JoinMap = join_map;
}

/// Where an environment finds what a map gives besides simple values, and what stands for that.
pub(super) struct MapMemory {
    area: Area,
    view: sys::napi_ref,
}

/// `mapMemory(bytes)`: what maps of this environment write to. Once.
fn map_memory(environment: &Environment, call: &Call) -> Returned {
    let view = call.args()[0];
    let (data, bytes) = call.view(view).ok_or(Fault("expected bytes"))?;
    let mut reference = ptr::null_mut();
    check(
        // SAFETY: a reference to an argument of this call. It lives as long as the environment.
        unsafe { sys::napi_create_reference(call.env, view, 1, &mut reference) },
        "no reference",
    )?;
    // SAFETY: the reference keeps the memory; `lib/shared-map/memory.js` never transfers or resizes it, and gives it to
    // nobody.
    let area = unsafe { Area::of(data, bytes, size::MAP) };
    let area = area.ok_or(Fault("the memory is not that of this version"))?;
    let memory = MapMemory {
        area,
        view: reference,
    };
    environment
        .map_memory
        .set(memory)
        .map_err(|_| Fault("there is a memory already"))?;
    Ok(None)
}

/// A map that an environment has open.
pub(super) struct Handle {
    environment: *const Environment,
    pub(super) map: Arc<Map>,
    hands: RefCell<Hands>,
    text: RefCell<Text>,
    expected: RefCell<(u16, Vec<u8>)>,
    /// Under what number it hears of changes, and how many wait.
    hears: Cell<Option<u64>>,
    waits: Cell<usize>,
    pub(super) leases: RefCell<Leases>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(number) = self.hears.get() {
            self.map.forget(number);
        }
        for _ in 0..self.waits.get() {
            self.map.wait_for_changes(false);
        }
        self.leases.borrow_mut().give_up(&self.map);
    }
}

const ARGUMENTS: usize = 6;

/// One call of a function of a map.
struct Use<'a> {
    env: sys::napi_env,
    handle: &'a Handle,
    environment: &'a Environment,
    args: [sys::napi_value; ARGUMENTS],
}

type Function = fn(&Use<'_>) -> Returned;

/// A function of a map as a type, so that each has an entry of its own.
trait MapFunction {
    const FUNCTION: Function;
}

unsafe extern "C" fn enter<F: MapFunction>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut args = [ptr::null_mut(); ARGUMENTS];
    let (mut count, mut data) = (ARGUMENTS, ptr::null_mut());
    // SAFETY: `args` has room for `count` values; the missing ones become undefined.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            args.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        )
    };
    // SAFETY: `bind` has given the function this box, which lives as long as the function, and that during its call.
    let handle: &Handle = unsafe { &*data.cast::<Rc<Handle>>() };
    // SAFETY: an environment lives until no JavaScript of it runs any more.
    let environment = unsafe { &*handle.environment };
    give(env, || {
        F::FUNCTION(&Use {
            env,
            handle,
            environment,
            args,
        })
    })
}

unsafe extern "C" fn let_go(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the box that `bind` gave away; the function has been collected, or its environment has ended.
    drop(unsafe { Box::from_raw(data.cast::<Rc<Handle>>()) });
}

macro_rules! functions {
    ($($name:literal $type:ident = $function:path;)*) => {
        $(
            struct $type;
            impl MapFunction for $type {
                const FUNCTION: Function = $function;
            }
        )*
        const FUNCTIONS: &[(&CStr, sys::napi_callback)] =
            &[$(($name, Some(enter::<$type>))),*];
    };
}

functions! {
    c"get" Get = get;
    c"has" Has = has;
    c"put" PutValue = put_value;
    c"expect" Expect = expect;
    c"increment" Increment = increment;
    c"remove" Remove = remove;
    c"ttl" Ttl = ttl;
    c"expire" Expire = expire;
    c"version" Version = version;
    c"clear" Clear = clear;
    c"keys" Keys = keys;
    c"statistics" Statistics = statistics;
    c"lease" Lease = lease;
    c"renewLease" RenewLease = renew_lease;
    c"endLease" EndLease = end_lease;
    c"isLeased" IsLeased = is_leased;
    c"announce" Announce = announce;
    c"wait" Wait = wait;
    c"retire" Retire = retire;
    c"recover" Recover = recover;
    c"share" Share = share;
    c"fd" Descriptor = descriptor;
    c"words" AllWords = words;
}

/// An object of the functions of a map.
fn open(environment: &Environment, call: &Call, map: Arc<Map>) -> Returned {
    if environment.map_memory.get().is_none() {
        return Err(Fault("there is no memory for maps"));
    }
    let handle = Rc::new(Handle {
        environment,
        map,
        hands: RefCell::default(),
        text: RefCell::default(),
        expected: RefCell::default(),
        hears: Cell::default(),
        waits: Cell::default(),
        leases: RefCell::default(),
    });
    let env = call.env;
    let mut object = ptr::null_mut();
    check(
        // SAFETY: creates a value in this call's scope.
        unsafe { sys::napi_create_object(env, &mut object) },
        "no object",
    )?;
    for &(name, function) in FUNCTIONS {
        bind(env, object, name, function, &handle)?;
    }
    Ok(Some(object))
}

fn bind(
    env: sys::napi_env,
    object: sys::napi_value,
    name: &CStr,
    entry: sys::napi_callback,
    handle: &Rc<Handle>,
) -> Result<(), Fault> {
    let data: *mut c_void = Box::into_raw(Box::new(Rc::clone(handle))).cast();
    let mut function = ptr::null_mut();
    // SAFETY: the name is terminated; `enter` reads the data as what it is.
    let status = unsafe {
        sys::napi_create_function(
            env,
            name.as_ptr(),
            name.count_bytes() as isize,
            entry,
            data,
            &mut function,
        )
    };
    let status = if status == sys::Status::napi_ok {
        let (hint, result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the function is of this scope; `let_go` gets the box, once.
        unsafe { sys::napi_add_finalizer(env, function, data, Some(let_go), hint, result) }
    } else {
        status
    };
    if status != sys::Status::napi_ok {
        // SAFETY: nobody has the box.
        drop(unsafe { Box::from_raw(data.cast::<Rc<Handle>>()) });
        return Err(Fault("no function"));
    }
    check(
        // SAFETY: both are of this scope.
        unsafe { sys::napi_set_named_property(env, object, name.as_ptr(), function) },
        "no property",
    )
}

/// Throws what the system said of a map: JavaScript makes an error of the package of that.
fn refused(call: &Call, error: &MapError) -> Returned {
    let text = std::ffi::CString::new(error.to_string()).unwrap_or_default();
    // SAFETY: both strings are terminated and live until the call returns.
    unsafe { sys::napi_throw_error(call.env, c"ERR_RSPOOL_REGION".as_ptr(), text.as_ptr()) };
    Ok(None)
}

fn opened(environment: &Environment, call: &Call, map: Result<Map, MapError>) -> Returned {
    match map {
        Ok(map) => open(environment, call, Arc::new(map)),
        Err(error) => refused(call, &error),
    }
}

/// `createMap(bytes, seats, ttl, evict, maxValue)`: the functions of a new map; times in milliseconds, infinite for
/// none, and -1 for the default.
fn create_map(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let max_value = call.number(args[4])?;
    let options = Options {
        bytes: call.number(args[0])? as usize,
        seats: call.index(args[1])? as usize,
        ttl: milliseconds(call.number(args[2])?),
        evict: call.boolean(args[3])?,
        max_value: (max_value >= 0.0).then_some(max_value as usize),
    };
    opened(environment, call, Map::create(options))
}

/// `openMap(fd, seat)`: the functions of the map behind a descriptor, which stays open.
fn open_map(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let fd = call.int(args[0])?;
    let seat = u16::try_from(call.index(args[1])?).map_err(|_| Fault("no seat"))?;
    let file = borrowed(&fd).ok_or(Fault("no descriptor"))?;
    // The grandchildren of the cluster have no business with the map.
    let _ = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC);
    opened(environment, call, Map::open(file, seat))
}

/// `joinMap(number)`: the functions of a map that another thread of this process has shared; nothing if there is none.
fn join_map(environment: &Environment, call: &Call) -> Returned {
    match registry::get(call.number(call.args()[0])? as u64) {
        Some(map) => open(environment, call, map),
        None => Ok(None),
    }
}

/// Milliseconds; what is not finite is none.
fn milliseconds(ms: f64) -> Option<Duration> {
    ms.is_finite()
        .then(|| Duration::try_from_secs_f64(ms / 1000.0).ok())
        .flatten()
}

impl Use<'_> {
    fn memory(&self) -> Result<&MapMemory, Fault> {
        self.environment
            .map_memory
            .get()
            .ok_or(Fault("there is no memory for maps"))
    }

    /// Calls with the first argument, if it is a key: where it is, since it is large.
    #[inline(always)]
    fn with_key<T>(&self, f: impl FnOnce(Option<&Key>) -> T) -> T {
        let mut key = Key::empty(Space::USER);
        let is_key = values::read_key(self.env, self.args[0], &mut key);
        f(is_key.then_some(&key))
    }

    fn lease_key(&self) -> Option<Key> {
        let mut key = Key::empty(Space::LEASE);
        values::read_key(self.env, self.args[0], &mut key).then_some(key)
    }

    fn double(&self, argument: usize) -> f64 {
        values::double(self.env, self.args[argument])
    }

    fn int(&self, value: i32) -> Returned {
        let mut made = ptr::null_mut();
        check(
            // SAFETY: creates a value in this call's scope.
            unsafe { sys::napi_create_int32(self.env, value, &mut made) },
            "no number",
        )?;
        Ok(Some(made))
    }

    fn boolean(&self, value: bool) -> Returned {
        self.call().make_boolean(value)
    }

    fn number(&self, value: f64) -> Returned {
        self.call().make_number(value)
    }

    fn call(&self) -> Call {
        Call::of(self.env)
    }

    fn cell(&self, cell: usize, value: i32) -> Result<(), Fault> {
        self.memory()?.area.set(cell * 4, value);
        Ok(())
    }

    /// When an entry ends, and for how long before that it is stale: of two arguments in milliseconds, of which the
    /// first may be -1 for what the map has by default.
    fn times(&self, ttl: usize, stale: usize) -> (u64, u64) {
        let (ttl, stale) = (self.double(ttl), self.double(stale));
        let map = &self.handle.map;
        let ttl = match ttl < 0.0 || ttl.is_nan() {
            true => map.ttl(),
            false => milliseconds(ttl),
        };
        let stale = match stale > 0.0 {
            true => milliseconds(stale).unwrap_or(Duration::MAX),
            false => Duration::ZERO,
        };
        let end = map.end(ttl, stale);
        let stale = u64::try_from(stale.as_micros()).unwrap_or(u64::MAX);
        (end, if end == 0 { 0 } else { stale })
    }
}

fn failure(error: &MapError) -> i32 {
    match error {
        MapError::Full => mapped::FULL,
        MapError::Busy => mapped::BUSY,
        MapError::LongValue => mapped::LONG_VALUE,
        _ => mapped::KEY,
    }
}

/// `get(key, stale)`: a simple value; the memory of maps, when the value is there; or an ArrayBuffer with its bytes.
/// Undefined when there is none, or one that is stale, unless that is wanted.
fn get(call: &Use<'_>) -> Returned {
    call.with_key(|key| key.map_or(Ok(None), |key| get_key(call, key)))
}

fn get_key(call: &Use<'_>, key: &Key) -> Returned {
    let handle = call.handle;
    let mut hands = handle.hands.borrow_mut();
    let Some(read) = handle.map.get(&mut hands, key) else {
        call.memory()?.area.set(map_number::VERSION * 8, 0f64);
        return Ok(None);
    };
    let entry = &read.entry;
    let memory = call.memory()?;
    let stale = entry.stale != 0 && entry.is_stale();
    memory.area.set(map_cell::STALE * 4, i32::from(stale));
    let version = handle.map.version_number(entry.version);
    memory.area.set(map_number::VERSION * 8, version as f64);
    if stale && values::kind(call.env, call.args[1]) != sys::ValueType::napi_boolean {
        return Ok(None);
    }
    let simple = values::make(call.env, entry.tag, entry.value())?;
    match simple {
        Some(value) if !values::is_text(entry.tag) => Ok(Some(value)),
        Some(value) => {
            describe(call, memory, &read);
            Ok(Some(value))
        }
        None => {
            describe(call, memory, &read);
            give_bytes(call, memory, entry.value())
        }
    }
}

/// Says what a value is, and where to look whether it is still the same.
fn describe(call: &Use<'_>, memory: &MapMemory, read: &Read<'_>) {
    let (entry, area) = (&read.entry, &memory.area);
    let place = call.handle.map.place(read);
    let expires = entry.expires.saturating_sub(entry.stale);
    let words = |bytes: usize| (bytes / 4) as i32;
    let upper = usize::from(cfg!(target_endian = "little")) * 4;
    let cells = [
        (map_cell::TAG, i32::from(entry.tag)),
        (map_cell::LENGTH, entry.length as i32),
        (map_cell::WAY, words(place.way + 4 - upper)),
        (map_cell::BLOCK, entry.version as u32 as i32),
        (map_cell::STATE, words(place.state + upper)),
        (map_cell::GENERATION, (entry.version >> 32) as u32 as i32),
        (map_cell::CLOCK, words(place.clock + 4 - upper)),
        (map_cell::BIT, place.bit as i32),
    ];
    for (cell, value) in cells {
        area.set(cell * 4, value);
    }
    area.set(map_number::EXPIRES * 8, expires as f64);
}

/// The memory with the bytes in it, or a buffer of their own.
fn give_bytes(call: &Use<'_>, memory: &MapMemory, bytes: &[u8]) -> Returned {
    let mut made = ptr::null_mut();
    if bytes.len() <= size::MAP - map_value::AT {
        memory.area.put(map_value::AT, bytes);
        check(
            // SAFETY: a reference of this environment, on its thread.
            unsafe { sys::napi_get_reference_value(call.env, memory.view, &mut made) },
            "no memory",
        )?;
    } else {
        let mut data = ptr::null_mut();
        check(
            // SAFETY: creates a value in this call's scope.
            unsafe { sys::napi_create_arraybuffer(call.env, bytes.len(), &mut data, &mut made) },
            "no memory",
        )?;
        // SAFETY: the new buffer has so many bytes, and nobody else has it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len()) };
    }
    Ok(Some(made))
}

/// Whether it is there, for who does not want what is stale.
fn is_fresh(entry: &Current<'_>) -> bool {
    entry.stale == 0 || !entry.is_stale()
}

/// `has(key) -> boolean`
fn has(call: &Use<'_>) -> Returned {
    let entry = call.with_key(|key| call.handle.map.peek(key?));
    call.boolean(entry.is_some_and(|entry| is_fresh(&entry)))
}

/// `put(key, value, mode, ttl, stale, version) -> MAPPED`
fn put_value(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => put_value_key(call, key),
        None => call.int(mapped::KEY),
    })
}

fn put_value_key(call: &Use<'_>, key: &Key) -> Returned {
    let handle = call.handle;
    let (mut hands, mut text) = (handle.hands.borrow_mut(), handle.text.borrow_mut());
    let value = values::value(call.environment, call.env, call.args[1], &mut text)?;
    let mode = call.double(2) as i32;
    let (expires, stale) = call.times(3, 4);
    let version = call.double(5);
    let expected = handle.expected.borrow();
    let map = &handle.map;
    let done = map.change(&mut hands, key, mode == put::EXPECTED, |entry| {
        let fresh = entry.filter(is_fresh);
        let takes = match mode {
            put::SET => true,
            put::ADD => fresh.is_none(),
            put::VERSION => {
                fresh.map_or(0.0, |entry| map.version_number(entry.version) as f64) == version
            }
            _ => fresh.is_some_and(|entry| entry.tag == expected.0 && entry.value() == expected.1),
        };
        match takes {
            false => Change::Keep,
            true => Change::Put(Put {
                tag: value.tag,
                value: value.bytes,
                expires,
                stale,
            }),
        }
    });
    text.shrink_to(1 << 20);
    call.int(match done {
        Ok(Outcome::Put(_)) => mapped::YES,
        Ok(_) => mapped::NO,
        Err(error) => failure(&error),
    })
}

/// `expect(value)`: what the next `put` is to find.
fn expect(call: &Use<'_>) -> Returned {
    let mut text = call.handle.text.borrow_mut();
    let value = values::value(call.environment, call.env, call.args[0], &mut text)?;
    let bytes = match value.bytes {
        Bytes::Slice(bytes) => bytes.to_vec(),
        Bytes::Word(word) => word.to_ne_bytes().to_vec(),
    };
    *call.handle.expected.borrow_mut() = (value.tag, bytes);
    Ok(None)
}

/// `increment(key, n, initial, ttl)`: the sum, of a bigint as one. Undefined when `FAILURE` says why.
fn increment(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => increment_key(call, key),
        None => call.cell(map_cell::FAILURE, mapped::KEY).map(|()| None),
    })
}

fn increment_key(call: &Use<'_>, key: &Key) -> Returned {
    let fail = |why: i32| call.cell(map_cell::FAILURE, why).map(|()| None);
    let number = |argument: usize| match values::kind(call.env, call.args[argument]) {
        sys::ValueType::napi_bigint => {
            values::bigint(call.env, call.args[argument]).map(Number::Whole)
        }
        _ => {
            let number = call.double(argument);
            Some(values::is_whole(number).map_or(Number::Other(number), Number::Whole))
        }
    };
    let (Some(by), Some(initial)) = (number(1), number(2)) else {
        return fail(mapped::OVERFLOW);
    };
    let big = values::kind(call.env, call.args[1]) == sys::ValueType::napi_bigint;
    let (expires, _) = call.times(3, 4);
    let mut sum = Err(mapped::NO_NUMBER);
    let mut hands = call.handle.hands.borrow_mut();
    let done = call.handle.map.change(&mut hands, key, true, |entry| {
        let (before, expires, stale) = match entry.filter(is_fresh) {
            None => (Some(initial), expires, 0),
            Some(entry) => {
                let number = values::number_of(entry.tag, entry.value());
                (number, entry.expires, entry.stale)
            }
        };
        sum = before.ok_or(mapped::NO_NUMBER).and_then(|it| add(it, by));
        let value = match &sum {
            Ok(Number::Whole(whole)) => values::of_whole(*whole),
            Ok(Number::Other(number)) => values::of_number(*number),
            Err(_) => return Change::Keep,
        };
        Change::Put(Put {
            tag: value.tag,
            value: value.bytes,
            expires,
            stale,
        })
    });
    match (done, sum) {
        (Err(error), _) => fail(failure(&error)),
        (_, Err(why)) => fail(why),
        (_, Ok(Number::Other(_))) if big => fail(mapped::NO_NUMBER),
        (_, Ok(Number::Other(number))) => call.number(number),
        (_, Ok(Number::Whole(whole))) if !big => call.number(whole as f64),
        (_, Ok(Number::Whole(whole))) => {
            let mut made = ptr::null_mut();
            check(
                // SAFETY: creates a value in this call's scope.
                unsafe { sys::napi_create_bigint_int64(call.env, whole, &mut made) },
                "no number",
            )?;
            Ok(Some(made))
        }
    }
}

/// Whole numbers stay whole, and are exact.
fn add(one: Number, two: Number) -> Result<Number, i32> {
    let double = |number| match number {
        Number::Whole(whole) => whole as f64,
        Number::Other(number) => number,
    };
    match (one, two) {
        (Number::Whole(one), Number::Whole(two)) => one
            .checked_add(two)
            .map(Number::Whole)
            .ok_or(mapped::OVERFLOW),
        _ => Ok(Number::Other(double(one) + double(two))),
    }
}

/// `remove(key) -> boolean`: whether it was there.
fn remove(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => remove_key(call, key),
        None => call.boolean(false),
    })
}

fn remove_key(call: &Use<'_>, key: &Key) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    let mut fresh = false;
    let done = call.handle.map.change(&mut hands, key, false, |entry| {
        fresh = entry.is_some_and(|entry| is_fresh(&entry));
        Change::Delete
    });
    call.boolean(fresh && matches!(done, Ok(Outcome::Deleted)))
}

/// `ttl(key)`: milliseconds left, infinite for ever; undefined when it is not there.
fn ttl(call: &Use<'_>) -> Returned {
    let entry = call.with_key(|key| call.handle.map.peek(key?));
    match entry.filter(is_fresh) {
        None => Ok(None),
        Some(entry) if entry.expires == 0 => call.number(f64::INFINITY),
        Some(entry) => {
            let end = entry.expires.saturating_sub(entry.stale);
            let left = end.saturating_sub(crate::memory::map::clock::now());
            call.number(left as f64 / 1000.0)
        }
    }
}

/// `expire(key, ttl) -> MAPPED`
fn expire(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => expire_key(call, key),
        None => call.int(mapped::NO),
    })
}

fn expire_key(call: &Use<'_>, key: &Key) -> Returned {
    let (expires, stale) = call.times(1, 2);
    let mut hands = call.handle.hands.borrow_mut();
    let done = call.handle.map.change(&mut hands, key, true, |entry| {
        match entry.filter(is_fresh) {
            Some(_) => Change::Renew { expires, stale },
            None => Change::Keep,
        }
    });
    call.int(match done {
        Ok(Outcome::Put(_)) => mapped::YES,
        Ok(_) => mapped::NO,
        Err(error) => failure(&error),
    })
}

/// `version(key) -> number`, 0 when it is not there.
fn version(call: &Use<'_>) -> Returned {
    let map = &call.handle.map;
    let entry = call.with_key(|key| map.peek(key?)).filter(is_fresh);
    call.number(entry.map_or(0.0, |entry| map.version_number(entry.version) as f64))
}

/// `clear()`
fn clear(call: &Use<'_>) -> Returned {
    call.handle.map.clear(&mut call.handle.hands.borrow_mut());
    Ok(None)
}

/// `keys(from, prefix)`: a list of keys, and `NEXT` is where to go on.
fn keys(call: &Use<'_>) -> Returned {
    /// About a tenth of a millisecond.
    const SETS: u32 = 256;
    let mut prefix = Key::empty(Space::USER);
    // What can be no key is the beginning of none.
    let can_be = values::read_key(call.env, call.args[1], &mut prefix);
    let prefix = if can_be { prefix.bytes() } else { &[0xff] };
    let mut found: Vec<String> = Vec::new();
    let next = call
        .handle
        .map
        .keys(call.double(0) as u32, SETS, prefix, |key| {
            found.push(String::from_utf8_lossy(key).into_owned());
        });
    call.cell(map_cell::NEXT, next.map_or(-1, |next| next as i32))?;
    super::call::make_strings(&call.call(), found.iter().map(String::as_str))
}

/// `statistics()`: bytes, bytes in use, entries, evicted, expired, stolen, recovered.
fn statistics(call: &Use<'_>) -> Returned {
    let it = call.handle.map.statistics();
    let numbers = [
        it.bytes,
        it.used,
        it.entries,
        it.evicted,
        it.expired,
        it.stolen,
        it.recovered,
    ];
    make_numbers(
        &call.call(),
        numbers.into_iter().map(|number| number as f64),
    )
}

/// `lease(key) -> number`: above 0 when the caller is the one that computes the value of the key.
fn lease(call: &Use<'_>) -> Returned {
    let key = call.lease_key().ok_or(Fault("no key"))?;
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    match leases.take(&call.handle.map, &mut hands, key) {
        Ok(token) => call.number(token as f64),
        Err(error) => call.int(-failure(&error)),
    }
}

/// `renewLease(token)`: it lasts on.
fn renew_lease(call: &Use<'_>) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    leases.renew(&call.handle.map, &mut hands, call.double(0) as u64);
    Ok(None)
}

/// `endLease(token)`
fn end_lease(call: &Use<'_>) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    leases.end(&call.handle.map, &mut hands, call.double(0) as u64);
    Ok(None)
}

/// `isLeased(key) -> boolean`: whether somebody who lives has its lease.
fn is_leased(call: &Use<'_>) -> Returned {
    let key = call.lease_key().ok_or(Fault("no key"))?;
    let mut hands = call.handle.hands.borrow_mut();
    call.boolean(Leases::is_taken(&call.handle.map, &mut hands, &key))
}

/// `announce(key)`: somebody waits for a change of the key, or of its lease. The caller looks once more after
/// this.
fn announce(call: &Use<'_>) -> Returned {
    let map = &call.handle.map;
    call.with_key(|key| key.map(|key| map.announce(key)));
    if let Some(key) = call.lease_key() {
        map.announce(&key);
    }
    Ok(None)
}

/// `wait(more)`: one more waits in this environment, or one less. The doorbell rings when there may be a change.
fn wait(call: &Use<'_>) -> Returned {
    let handle = call.handle;
    let more = call.call().boolean(call.args[0])?;
    if handle.hears.get().is_none() {
        let doorbell = Arc::clone(&call.environment.doorbell);
        let number = handle.map.on_change(move || doorbell.ring(Ring::Map));
        handle.hears.set(Some(number));
    }
    let waits = handle.waits.get();
    handle.waits.set(match more {
        true => waits + 1,
        false => waits.saturating_sub(1),
    });
    if !handle.map.wait_for_changes(more) {
        return Err(Fault("the system gives no thread"));
    }
    Ok(None)
}

/// `retire(seat)`: the process that had the seat has ended. What it has left behind is put in order by whoever has been
/// told to.
fn retire(call: &Use<'_>) -> Returned {
    call.handle.map.retire(call.double(0) as u16);
    Ok(None)
}

/// `recover(seat)`: the process that had the seat has ended. Gives how many blocks were put in order.
fn recover(call: &Use<'_>) -> Returned {
    let seat = u16::try_from(call.double(0) as i64).map_err(|_| Fault("no seat"))?;
    let map = &call.handle.map;
    map.retire(seat);
    let found = map.recover(seat);
    call.number(f64::from(found.freed + found.kept))
}

/// `share(keep) -> number`: by which other threads of this process know the map, `keep`: as long as the process lives.
fn share(call: &Use<'_>) -> Returned {
    let keep = call.call().boolean(call.args[0])?;
    call.number(registry::share(&call.handle.map, keep) as f64)
}

/// `fd() -> number`
fn descriptor(call: &Use<'_>) -> Returned {
    call.int(call.handle.map.file().as_raw_fd())
}

/// `words(whole)`: an ArrayBuffer over the words that say whether an entry is still the same, or over all of the map;
/// undefined where the engine allows no memory from outside.
fn words(call: &Use<'_>) -> Returned {
    unsafe extern "C" fn unmap(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
        // SAFETY: the hint is the box that was given away below, and this runs once.
        drop(unsafe { Box::from_raw(hint.cast::<Words>()) });
    }
    let whole = call.call().boolean(call.args[0])?;
    let Ok(words) = call.handle.map.remap(whole) else {
        return Ok(None);
    };
    let (base, bytes) = (words.base().as_ptr(), words.bytes());
    let hint = Box::into_raw(Box::new(words));
    let mut made = ptr::null_mut();
    // SAFETY: `base` is mapped for so many bytes until `unmap` drops the mapping.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            call.env,
            base.cast(),
            bytes,
            Some(unmap),
            hint.cast(),
            &mut made,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine refused the memory, so the finalizer will never see it.
        drop(unsafe { Box::from_raw(hint) });
        return Ok(None);
    }
    Ok(Some(made))
}
