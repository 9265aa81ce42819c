//! Shared maps for JavaScript: an object with functions for each map that an environment has open. These calls are raw,
//! as those of a task are: converting an argument would cost more than the access to the map.
//!
//! Strings, numbers, booleans and null cross as they are. Other values lie in memory, with a description before them:
//! on the way in, where values are encoded; on the way out, in a memory that only maps write to.

mod changing;
mod lease;
mod reading;
mod values;
mod waiting;

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::os::fd::AsRawFd;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Returned, check, give};
use super::descriptor::borrowed;
use super::environment::Environment;
use super::memory::Area;
use crate::memory::map::{Hands, Key, Map, MapError, Options, Space, clock, registry};
use crate::wire::{mapped, size};

use lease::Leases;
use values::Text;

super::call::exports! {
    c"mapMemory" SetMapMemory = map_memory;
    c"createMap" CreateMap = create_map;
    c"openMap" OpenMap = open_map;
    c"joinMap" JoinMap = join_map;
    c"hasMap" HasMap = has_map;
}

/// Where an environment finds the values of a map that are not simple, and the JavaScript value that stands for that
/// memory.
pub(super) struct MapMemory {
    area: Area,
    view: sys::napi_ref,
}

/// `mapMemory(bytes)`: the memory that maps of this environment write to. To be called once.
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
struct Handle {
    environment: *const Environment,
    map: Arc<Map>,
    hands: RefCell<Hands>,
    text: RefCell<Text>,
    expected: RefCell<(u16, Vec<u8>)>,
    /// The number under which it hears of changes, and how many callers wait.
    hears: Cell<Option<u64>>,
    waits: Cell<usize>,
    leases: RefCell<Leases>,
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

/// A function of a map as a type, so that each function has an entry of its own.
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
    c"get" Get = reading::get;
    c"has" Has = reading::has;
    c"put" PutValue = changing::put_value;
    c"expect" Expect = changing::expect;
    c"increment" Increment = changing::increment;
    c"remove" Remove = changing::remove;
    c"ttl" Ttl = reading::ttl;
    c"expire" Expire = changing::expire;
    c"version" Version = reading::version;
    c"clear" Clear = changing::clear;
    c"keys" Keys = reading::keys;
    c"statistics" Statistics = reading::statistics;
    c"lease" Lease = waiting::lease;
    c"renewLease" RenewLease = waiting::renew_lease;
    c"endLease" EndLease = waiting::end_lease;
    c"isLeased" IsLeased = waiting::is_leased;
    c"announce" Announce = waiting::announce;
    c"wait" Wait = waiting::wait;
    c"retire" Retire = retire;
    c"recover" Recover = recover;
    c"share" Share = share;
    c"fd" Descriptor = descriptor;
    c"words" AllWords = reading::words;
    c"keepTime" KeepTime = keep_time;
}

/// An object with the functions of a map.
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

/// Throws what the system said of a map. JavaScript makes an error of the package from that.
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

/// `createMap(bytes, seats, ttl, evict, maxValue)`: the functions of a new map. Times are in milliseconds, infinity for
/// none, -1 for the default.
fn create_map(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let max_value = call.number(args[4])?;
    let options = Options {
        bytes: call.number(args[0])? as usize,
        seats: call.index(args[1])? as usize,
        ttl: clock::milliseconds(call.number(args[2])?),
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
    // The cluster's grandchildren must not inherit the map.
    let _ = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC);
    opened(environment, call, Map::open(file, seat))
}

/// `joinMap(number)`: the functions of a map that another thread of this process has shared, or nothing.
fn join_map(environment: &Environment, call: &Call) -> Returned {
    match registry::get(call.number(call.args()[0])? as u64) {
        Some(map) => open(environment, call, map),
        None => Ok(None),
    }
}

/// `hasMap(number) -> boolean`: whether this process has a map of this number.
fn has_map(_: &Environment, call: &Call) -> Returned {
    let number = call.number(call.args()[0])?;
    call.make_boolean(registry::get(number as u64).is_some())
}

impl Use<'_> {
    fn memory(&self) -> Result<&MapMemory, Fault> {
        self.environment
            .map_memory
            .get()
            .ok_or(Fault("there is no memory for maps"))
    }

    /// Calls `f` with the first argument if that is a key. The key is passed in place, because it is large.
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

    /// When an entry ends, and for how long before that it is stale, from two arguments in milliseconds. The first may
    /// be -1 for the map's default.
    fn times(&self, ttl: usize, stale: usize) -> (u64, u64) {
        self.handle.map.times(self.double(ttl), self.double(stale))
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

/// `retire(seat)`: the process that had the seat has ended. The process that was told to recover the seat will do so.
fn retire(call: &Use<'_>) -> Returned {
    call.handle.map.retire(call.double(0) as u16);
    Ok(None)
}

/// `recover(seat)`: the process that had the seat has ended. Returns how many blocks were put in order.
fn recover(call: &Use<'_>) -> Returned {
    let seat = u16::try_from(call.double(0) as i64).map_err(|_| Fault("no seat"))?;
    let map = &call.handle.map;
    map.retire(seat);
    let found = map.recover(seat);
    call.number(f64::from(found.freed + found.kept))
}

/// `keepTime() -> boolean`: whether the coarse clock of the map runs from now on.
fn keep_time(call: &Use<'_>) -> Returned {
    call.boolean(call.handle.map.keep_time())
}

/// `share(keep) -> number`: the number by which other threads of this process know the map. With `keep`, it lasts as
/// long as the process.
fn share(call: &Use<'_>) -> Returned {
    let keep = call.call().boolean(call.args[0])?;
    call.number(registry::share(&call.handle.map, keep) as f64)
}

/// `fd() -> number`
fn descriptor(call: &Use<'_>) -> Returned {
    call.int(call.handle.map.file().as_raw_fd())
}
