//! The interface between rspool and a plugin: C structs and functions, and nothing else.
//!
//! A plugin exports one symbol, [`ENTRY`]; the number in it is the major version. The function takes a [`HostInfo`] and
//! returns a [`Plugin`], which lists the tasks. The rules:
//!
//! - Tables only grow, at their end. Each begins with its `size`, which its writer sets. A reader uses a field only if
//!   the size covers it. So a host and a plugin of one major version work together, whichever is newer. [`Raw`],
//!   [`Field`] and [`Str`] are items of lists, [`MapData`] is behind a value, and [`Reply`] is made by one side and
//!   written by the other: these never change within a major version. `tests/version_1` has the tables of the first version, and checks both rules.
//! - The side that allocates memory frees it: memory travels with the function that takes it back.
//! - No panic unwinds across the border. It becomes [`status::PANICKED`] on the side where it happened.
//! - The host's functions may be called from any thread while the call lasts.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::AtomicU32;

/// The major version. A host and a plugin with different numbers cannot work together.
pub const MAJOR: u32 = 1;
/// The minor version, which tells how far the tables have grown.
pub const MINOR: u32 = 1;
/// The symbol of a plugin.
pub const ENTRY: &str = "rspool_plugin_v1";

/// The type of [`ENTRY`]. The returned table is static. Null means that the plugin refuses this host.
pub type Entry = unsafe extern "C" fn(host: *const HostInfo) -> *const Plugin;

/// UTF-8 that the reader does not own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Str {
    /// Where it begins.
    pub data: *const u8,
    /// Bytes.
    pub len: usize,
}

/// What the host tells a plugin when it loads it.
#[repr(C)]
#[derive(Debug)]
pub struct HostInfo {
    /// Bytes of this table.
    pub size: usize,
    /// [`MAJOR`] of the host.
    pub major: u32,
    /// [`MINOR`] of the host.
    pub minor: u32,
    /// The version of rspool, for people.
    pub version: Str,
}

/// A plugin.
#[repr(C)]
#[derive(Debug)]
pub struct Plugin {
    /// Bytes of this table.
    pub size: usize,
    /// [`MAJOR`] of the plugin.
    pub major: u32,
    /// [`MINOR`] of the plugin.
    pub minor: u32,
    /// The least minor version that the host must have.
    pub needs: u32,
    /// Zero.
    pub reserved: u32,
    /// The version of `rspool-task` that it was built with, for people.
    pub version: Str,
    /// `debug` or `release`.
    pub profile: Str,
    /// The tasks, each `task_size` bytes after the one before.
    pub tasks: *const Task,
    /// The number of tasks.
    pub task_count: usize,
    /// The size of each, in bytes.
    pub task_size: usize,
    /// Makes the state of a worker.
    pub state_new: Option<StateNew>,
    /// Drops the state of a worker, on the worker's thread.
    pub state_drop: Option<StateDrop>,
    /// Makes the state that all workers of a pool share.
    pub shared_new: Option<StateNew>,
    /// Drops the shared state, on any thread.
    pub shared_drop: Option<StateDrop>,
}

/// A task.
#[repr(C)]
#[derive(Debug)]
pub struct Task {
    /// Bytes of this table.
    pub size: usize,
    /// `plugin.task`.
    pub name: Str,
    /// Bits of [`task_flag`].
    pub flags: u64,
    /// Runs it.
    pub run: Option<Run>,
    /// Describes the input, the params and the result.
    pub schema: Option<Schema>,
}

/// Bits of [`Task::flags`].
pub mod task_flag {
    /// The task can be called as a stream: then it sends chunks. Since version 1.1.
    pub const EMITS: u64 = 1;
}

/// Runs a task to its end on the calling thread. `input` and `params` belong to the task from then on; the caller drops
/// what the task leaves in them. `reply` is written once.
pub type Run =
    unsafe extern "C" fn(call: *const Call, input: *mut Raw, params: *mut Raw, reply: *mut Reply);
/// Writes a record of strings: `doc`, and `input`, `params`, `result` and, of a task that can be a stream, `chunk` as
/// TypeScript.
pub type Schema = unsafe extern "C" fn(out: *mut Raw);
/// Makes a state from the plugin's config. On failure, returns null and writes a reply.
pub type StateNew = unsafe extern "C" fn(config: *mut Raw, reply: *mut Reply) -> *mut c_void;
/// Takes a state back, and drops it.
pub type StateDrop = unsafe extern "C" fn(state: *mut c_void);

/// One call of a task by the host. The address of this table identifies the call to the functions of [`Host`].
#[repr(C)]
#[derive(Debug)]
pub struct Call {
    /// Bytes of this table.
    pub size: usize,
    /// The functions that the task may call.
    pub host: *const Host,
    /// Not 0 once the task should stop. The task reads it directly, by relaxed loads.
    pub cancelled: *const AtomicU32,
    /// The state that `state_new` made on this thread; null if the plugin has none.
    pub state: *mut c_void,
    /// The state that `shared_new` made; null if the plugin has none.
    pub shared: *mut c_void,
}

/// The functions that a running task may call.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    /// Bytes of this table.
    pub size: usize,
    /// Adds to the caller's counter of this name, if there is one.
    pub count: Option<unsafe extern "C" fn(call: *const Call, name: Str, n: i64)>,
    /// Tells the caller how far the task is.
    pub progress: Option<unsafe extern "C" fn(call: *const Call, value: f64)>,
    /// Runs chunks on several workers; see [`Parallel`].
    pub parallel: Option<Parallel>,
    /// Sends a chunk to the caller; null if the call is no stream. Since version 1.1; see [`Emit`].
    pub emit: Option<Emit>,
}

/// Sends a chunk to the caller, and waits while the caller has no room for it. To be called on the thread of the task,
/// not within a chunk of [`Parallel`]. The chunk belongs to the host from then on; the task drops what the host leaves.
/// Returns one of [`sent`].
pub type Emit = unsafe extern "C" fn(call: *const Call, chunk: *mut Raw) -> u32;

/// What became of a chunk.
pub mod sent {
    /// It is on its way.
    pub const SENT: u32 = 0;
    /// The task was given up.
    pub const CANCELLED: u32 = 1;
    /// It is no valid value. The call fails, whatever the task replies.
    pub const MALFORMED: u32 = 2;
    /// This is not the thread of the task, or a chunk of [`super::Parallel`] runs on it.
    pub const ELSEWHERE: u32 = 3;
}

/// Runs each chunk below `count` once, on this thread and on others, until a chunk returns another number than 0 or the
/// task is given up. Returns one of [`ended`] when each chunk that began has ended.
pub type Parallel =
    unsafe extern "C" fn(call: *const Call, count: usize, data: *const c_void, chunk: Chunk) -> u32;

/// Runs the chunk of this index. `data` is the pointer that was passed with the function. It does not unwind.
pub type Chunk = unsafe extern "C" fn(data: *const c_void, index: usize) -> u32;

/// How a run of chunks ended.
pub mod ended {
    /// Each chunk ran.
    pub const DONE: u32 = 0;
    /// A chunk stopped the run.
    pub const STOPPED: u32 = 1;
    /// The task was given up.
    pub const CANCELLED: u32 = 2;
}

/// How a call of a task ended.
#[repr(C)]
#[derive(Debug)]
pub struct Reply {
    /// One of [`status`].
    pub status: u32,
    /// Zero.
    pub reserved: u32,
    /// The result, or the message of a failure as a string.
    pub value: Raw,
    /// The code of a failure as a string.
    pub code: Raw,
}

/// What [`Reply::status`] may be.
pub mod status {
    /// The value is the result.
    pub const RETURNED: u32 = 0;
    /// The task could not do its work. There is a message and a code.
    pub const FAILED: u32 = 1;
    /// The task has seen its cancel flag, and stopped.
    pub const CANCELLED: u32 = 2;
    /// The task has a bug and panicked. There is a message.
    pub const PANICKED: u32 = 3;
    /// The task does not take this input or these params. There is a message.
    pub const INVALID: u32 = 4;
    /// Nothing has been written yet.
    pub const NONE: u32 = u32::MAX;
}

impl Plugin {
    /// A table of this version without tasks.
    pub const THIS: Self = Self {
        size: size_of::<Self>(),
        major: MAJOR,
        minor: MINOR,
        needs: 0,
        reserved: 0,
        version: Str::of(env!("CARGO_PKG_VERSION")),
        profile: Str::of(if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }),
        tasks: ptr::null(),
        task_count: 0,
        task_size: size_of::<Task>(),
        state_new: None,
        state_drop: None,
        shared_new: None,
        shared_drop: None,
    };
}

impl Reply {
    /// Nothing has been written yet.
    pub const NONE: Self = Self {
        status: status::NONE,
        reserved: 0,
        value: Raw::UNDEFINED,
        code: Raw::UNDEFINED,
    };
}

/// A value. Its owner also owns the memory behind its pointers, until the value is taken out (then [`Raw::UNDEFINED`]
/// is left here) or dropped.
#[repr(C)]
#[derive(Debug)]
pub struct Raw {
    /// One of [`tag`].
    pub tag: u32,
    /// The type of an array's elements: one of [`kind`].
    pub kind: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// The value, if it is a number.
    pub number: f64,
    /// By the tag: bytes; the words of a BigInt, 64 bits each, least significant first; the [`Raw`]s of a list; the
    /// [`Field`]s of a record.
    pub data: *mut c_void,
    /// How many of them there are.
    pub len: usize,
    /// An argument of `release`.
    pub owner: *mut c_void,
    /// Takes the memory back.
    pub release: Option<Release>,
}

/// Takes memory back from the side that has used it.
pub type Release = unsafe extern "C" fn(owner: *mut c_void, data: *mut c_void, len: usize);

/// A shared map. It is there until its value is released. Since minor version 1; it never changes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MapData {
    /// The functions of the map.
    pub table: *const MapTable,
    /// Their first argument.
    pub map: *mut c_void,
}

/// The functions of a shared map. They may be called from any thread until the map is released. The answer is in
/// `reply`, which is [`Reply::NONE`] before. Since minor version 1.
#[repr(C)]
#[derive(Debug)]
pub struct MapTable {
    /// Bytes of this table.
    pub size: usize,
    /// Gives the value of a key, `undefined` if there is none. Writes a number that every change of the key changes,
    /// 0 if there is no value.
    pub get: Option<
        unsafe extern "C" fn(map: *mut c_void, key: Str, version: *mut u64, reply: *mut Reply),
    >,
    /// Gives the milliseconds that a key still lasts, infinity for ever, `undefined` if it is not there.
    pub ttl: Option<MapKey>,
    /// Gives whether it has put a value. Takes the values out of `put`.
    pub put: Option<
        unsafe extern "C" fn(map: *mut c_void, key: Str, put: *mut MapPut, reply: *mut Reply),
    >,
    /// Adds to the whole number of a key. Gives the sum as a BigInt.
    pub increment: Option<
        unsafe extern "C" fn(map: *mut c_void, key: Str, step: *const MapStep, reply: *mut Reply),
    >,
    /// Gives whether the key was there.
    pub delete: Option<MapKey>,
    /// Changes for how many milliseconds a key lasts. Gives whether it was there.
    pub expire:
        Option<unsafe extern "C" fn(map: *mut c_void, key: Str, ttl: f64, reply: *mut Reply)>,
}

/// A function of a map that needs a key and nothing else.
pub type MapKey = unsafe extern "C" fn(map: *mut c_void, key: Str, reply: *mut Reply);

/// A value that is put into a map. Since minor version 1.
#[repr(C)]
#[derive(Debug)]
pub struct MapPut {
    /// Bytes of this table.
    pub size: usize,
    /// When it is put: one of [`put`].
    pub when: u32,
    /// Zero.
    pub reserved: u32,
    /// Milliseconds that it lasts: infinity for ever. Below zero, the map decides; with [`put::VERSION`] an entry that is
    /// there then ends when it would have.
    pub ttl: f64,
    /// For [`put::VERSION`].
    pub version: u64,
    /// The value.
    pub value: Raw,
    /// For [`put::EQUAL`].
    pub expected: Raw,
}

/// What [`MapPut::when`] may be.
pub mod put {
    /// Always.
    pub const ALWAYS: u32 = 0;
    /// If the key has no value.
    pub const ABSENT: u32 = 1;
    /// If the key has the version that `get` has written.
    pub const VERSION: u32 = 2;
    /// If the key has the expected value.
    pub const EQUAL: u32 = 3;
}

/// A step of counting. Since minor version 1.
#[repr(C)]
#[derive(Debug)]
pub struct MapStep {
    /// Bytes of this table.
    pub size: usize,
    /// It is added.
    pub by: i64,
    /// It stands for the value of a key that is not there.
    pub initial: i64,
    /// Milliseconds that a new entry lasts, as in [`MapPut`].
    pub ttl: f64,
}

/// A field of a record.
#[repr(C)]
#[derive(Debug)]
pub struct Field {
    /// Its name, which lives as long as the record.
    pub name: Str,
    /// Its value.
    pub value: Raw,
}

/// What [`Raw::tag`] may be.
#[expect(missing_docs, reason = "each name says it")]
pub mod tag {
    pub const UNDEFINED: u32 = 0;
    pub const NULL: u32 = 1;
    pub const FALSE: u32 = 2;
    pub const TRUE: u32 = 3;
    pub const NUMBER: u32 = 4;
    pub const BIGINT: u32 = 5;
    /// UTF-8.
    pub const STRING: u32 = 6;
    pub const BYTES: u32 = 7;
    /// Elements of a kind, in the byte order of the machine. The length is in bytes.
    pub const ARRAY: u32 = 8;
    pub const LIST: u32 = 9;
    pub const RECORD: u32 = 10;
    /// A shared map: `data` points to a [`super::MapData`]. Since minor version 1.
    pub const MAP: u32 = 11;
}

/// What [`Raw::kind`] may be.
#[expect(missing_docs, reason = "each name says it")]
pub mod kind {
    pub const UINT8: u32 = 0;
    pub const INT8: u32 = 1;
    pub const UINT8_CLAMPED: u32 = 2;
    pub const INT16: u32 = 3;
    pub const UINT16: u32 = 4;
    pub const INT32: u32 = 5;
    pub const UINT32: u32 = 6;
    pub const FLOAT32: u32 = 7;
    pub const FLOAT64: u32 = 8;
    pub const BIG_INT64: u32 = 9;
    pub const BIG_UINT64: u32 = 10;
}

/// Bits of [`Raw::flags`].
pub mod flag {
    /// Nobody else uses the bytes: they may be changed in place.
    pub const WRITABLE: u32 = 1;
    /// Others may write into the bytes at any time: they are read atomically.
    pub const SHARED: u32 = 2;
    /// The BigInt is below zero.
    pub const NEGATIVE: u32 = 4;
    /// The bytes live only as long as the call.
    pub const LENT: u32 = 8;
    /// The bytes of the string have been checked: they are UTF-8.
    pub const UTF8: u32 = 16;
}

impl Raw {
    /// `undefined`. It is also left in the place of a value that was taken out.
    pub const UNDEFINED: Self = Self::plain(tag::UNDEFINED, 0.0);

    /// A value that has no memory.
    #[must_use]
    pub const fn plain(tag: u32, number: f64) -> Self {
        Self {
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

    /// Takes the value out.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::UNDEFINED)
    }
}

impl Drop for Raw {
    #[inline]
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: who made this value gave the function for just this owner, and it is called once.
            unsafe { release(self.owner, self.data, self.len) }
        }
    }
}

impl Str {
    /// A text that is static, or outlives its reader.
    #[must_use]
    pub const fn of(text: &str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The text. Nothing if it is not UTF-8, or if its parts cannot be those of a text.
    ///
    /// # Safety
    /// Where it points to something, that is readable for so many bytes, and stays so for `'a`.
    #[must_use]
    pub unsafe fn read<'a>(self) -> Option<&'a str> {
        if self.len == 0 {
            return Some("");
        }
        if self.data.is_null() || isize::try_from(self.len).is_err() {
            return None;
        }
        // SAFETY: the caller's promise.
        str::from_utf8(unsafe { std::slice::from_raw_parts(self.data, self.len) }).ok()
    }
}

// SAFETY: the static tables of a plugin: they are never written, and what they point to is static.
unsafe impl Sync for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Task {}
// SAFETY: as above.
unsafe impl Sync for Host {}
// SAFETY: the functions of a map may be called from any thread.
unsafe impl Send for MapData {}
// SAFETY: as above.
unsafe impl Sync for MapData {}
