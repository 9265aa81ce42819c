//! The tables as version 1.0 has them, and a plugin that knows nothing else. This file never changes: it stands for the
//! plugins that people have built, and for the hosts that they run on.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a copy of what once was"
)]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

pub type Run = unsafe extern "C" fn(*const Call, *mut Raw, *mut Raw, *mut Reply);
pub type Schema = unsafe extern "C" fn(*mut Raw);
pub type StateNew = unsafe extern "C" fn(*mut Raw, *mut Reply) -> *mut c_void;
pub type StateDrop = unsafe extern "C" fn(*mut c_void);
pub type Release = unsafe extern "C" fn(*mut c_void, *mut c_void, usize);
pub type Chunk = unsafe extern "C" fn(*const c_void, usize) -> u32;
pub type Parallel = unsafe extern "C" fn(*const Call, usize, *const c_void, Chunk) -> u32;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub data: *const u8,
    pub len: usize,
}

#[repr(C)]
pub struct HostInfo {
    pub size: usize,
    pub major: u32,
    pub minor: u32,
    pub version: Str,
}

#[repr(C)]
pub struct Plugin {
    pub size: usize,
    pub major: u32,
    pub minor: u32,
    pub needs: u32,
    pub reserved: u32,
    pub version: Str,
    pub profile: Str,
    pub tasks: *const Task,
    pub task_count: usize,
    pub task_size: usize,
    pub state_new: Option<StateNew>,
    pub state_drop: Option<StateDrop>,
    pub shared_new: Option<StateNew>,
    pub shared_drop: Option<StateDrop>,
}

#[repr(C)]
pub struct Task {
    pub size: usize,
    pub name: Str,
    pub flags: u64,
    pub run: Option<Run>,
    pub schema: Option<Schema>,
}

#[repr(C)]
pub struct Call {
    pub size: usize,
    pub host: *const Host,
    pub cancelled: *const AtomicU32,
    pub state: *mut c_void,
    pub shared: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Host {
    pub size: usize,
    pub count: Option<unsafe extern "C" fn(*const Call, Str, i64)>,
    pub progress: Option<unsafe extern "C" fn(*const Call, f64)>,
    pub parallel: Option<Parallel>,
}

#[repr(C)]
pub struct Reply {
    pub status: u32,
    pub reserved: u32,
    pub value: Raw,
    pub code: Raw,
}

#[repr(C)]
pub struct Raw {
    pub tag: u32,
    pub kind: u32,
    pub flags: u32,
    pub reserved: u32,
    pub number: f64,
    pub data: *mut c_void,
    pub len: usize,
    pub owner: *mut c_void,
    pub release: Option<Release>,
}

#[repr(C)]
pub struct Field {
    pub name: Str,
    pub value: Raw,
}

const RETURNED: u32 = 0;
const FAILED: u32 = 1;
const CANCELLED: u32 = 2;
const INVALID: u32 = 4;

const UNDEFINED: u32 = 0;
const NUMBER: u32 = 4;
const STRING: u32 = 6;
const LIST: u32 = 9;

const fn raw(tag: u32, number: f64) -> Raw {
    Raw {
        tag,
        kind: 0,
        flags: 0,
        reserved: 0,
        number,
        data: ptr::null_mut(),
        len: 0,
        owner: ptr::null_mut(),
        release: None,
    }
}

const fn text(text: &'static str) -> Raw {
    Raw {
        data: text.as_ptr().cast_mut().cast(),
        len: text.len(),
        ..raw(STRING, 0.0)
    }
}

const fn name(name: &'static str) -> Str {
    Str {
        data: name.as_ptr(),
        len: name.len(),
    }
}

const fn reply(status: u32, value: Raw, code: Raw) -> Reply {
    Reply {
        status,
        reserved: 0,
        value,
        code,
    }
}

/// Adds the numbers of a list.
unsafe extern "C" fn add(_: *const Call, input: *mut Raw, _: *mut Raw, out: *mut Reply) {
    // SAFETY: what a call gives is there until it ends.
    unsafe {
        let input = &*input;
        if input.tag != LIST {
            let why = text("input must be a list of numbers");
            return out.write(reply(INVALID, why, raw(UNDEFINED, 0.0)));
        }
        let items = std::slice::from_raw_parts(input.data.cast::<Raw>(), input.len);
        let sum = items.iter().map(|item| item.number).sum();
        out.write(reply(RETURNED, raw(NUMBER, sum), raw(UNDEFINED, 0.0)));
    }
}

/// Gives back what it was given.
unsafe extern "C" fn echo(_: *const Call, input: *mut Raw, _: *mut Raw, out: *mut Reply) {
    // SAFETY: as above.
    unsafe {
        let taken = input.replace(raw(UNDEFINED, 0.0));
        out.write(reply(RETURNED, taken, raw(UNDEFINED, 0.0)));
    }
}

unsafe extern "C" fn fail(_: *const Call, _: *mut Raw, _: *mut Raw, out: *mut Reply) {
    // SAFETY: as above.
    unsafe { out.write(reply(FAILED, text("on purpose"), text("ERR_FROZEN"))) }
}

unsafe extern "C" fn chunk(chunks: *const c_void, _: usize) -> u32 {
    // SAFETY: as `work` gives it.
    unsafe { (*chunks.cast::<AtomicUsize>()).fetch_add(1, Relaxed) };
    0
}

/// Uses all that a host has: gives how many chunks were run, of as many as the input says.
unsafe extern "C" fn work(call: *const Call, input: *mut Raw, _: *mut Raw, out: *mut Reply) {
    // SAFETY: what a call gives is there until it ends, and so are the functions of its host.
    unsafe {
        let host = (*call).host;
        if (*(*call).cancelled).load(Relaxed) != 0 {
            return out.write(reply(CANCELLED, raw(UNDEFINED, 0.0), raw(UNDEFINED, 0.0)));
        }
        let chunks = AtomicUsize::new(0);
        ((*host).count.unwrap())(call, name("rows"), 3);
        ((*host).progress.unwrap())(call, 0.5);
        let count = (*input).number as usize;
        let data = (&raw const chunks).cast();
        if let Some(parallel) = (*host).parallel {
            parallel(call, count, data, chunk);
        } else {
            (0..count).for_each(|index| _ = chunk(data, index));
        }
        let ran = chunks.load(Relaxed) as f64;
        out.write(reply(RETURNED, raw(NUMBER, ran), raw(UNDEFINED, 0.0)));
    }
}

const fn task(of: &'static str, run: Run) -> Task {
    Task {
        size: size_of::<Task>(),
        name: name(of),
        flags: 0,
        run: Some(run),
        schema: None,
    }
}

/// The tables have pointers, to what is static.
pub struct Static<T>(pub T);
// SAFETY: it is never written.
unsafe impl<T> Sync for Static<T> {}

static TASKS: Static<[Task; 4]> = Static([
    task("frozen.add", add),
    task("frozen.echo", echo),
    task("frozen.fail", fail),
    task("frozen.work", work),
]);

/// The plugin.
pub static PLUGIN: Static<Plugin> = Static(Plugin {
    size: size_of::<Plugin>(),
    major: 1,
    minor: 0,
    needs: 0,
    reserved: 0,
    version: name("0.1.0"),
    profile: name("release"),
    tasks: (&raw const TASKS.0).cast(),
    task_count: 4,
    task_size: size_of::<Task>(),
    state_new: None,
    state_drop: None,
    shared_new: None,
    shared_drop: None,
});
