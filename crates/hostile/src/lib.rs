//! A plugin that keeps no rule, for the tests of rspool: its table is written by hand, and what its tasks give is garbage.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use rspool_task::abi::{
    Call, Chunk, Field, HostInfo, Plugin, Raw, Reply, Run, Str, Task, kind, status, tag,
};

/// More than there can be.
const HUGE: usize = usize::MAX;

/// A value that points to what is static.
const fn raw(tag: u32, data: *const c_void, len: usize) -> Raw {
    Raw {
        tag,
        kind: 0,
        flags: 0,
        reserved: 0,
        number: 0.0,
        data: data.cast_mut(),
        len,
        owner: ptr::null_mut(),
        release: None,
    }
}

const fn text(text: &'static [u8]) -> Raw {
    raw(tag::STRING, text.as_ptr().cast(), text.len())
}

/// A task that gives just this.
macro_rules! gives {
    ($($name:ident: $status:expr, $value:expr, $code:expr;)+) => {
        $(unsafe extern "C" fn $name(_: *const Call, _: *mut Raw, _: *mut Raw, reply: *mut Reply) {
            let written = Reply {
                status: $status,
                reserved: 7,
                value: $value,
                code: $code,
            };
            // SAFETY: a reply to write to.
            unsafe { reply.write(written) }
        })+
    };
}

static NUMBERS: [f64; 4] = [0.0; 4];
const BYTES: *const c_void = (&raw const NUMBERS).cast();

gives! {
    no_status: 99, Raw::UNDEFINED, Raw::UNDEFINED;
    no_tag: status::RETURNED, raw(77, BYTES, 8), Raw::UNDEFINED;
    no_text: status::RETURNED, Raw { flags: u32::MAX, ..text(b"caf\xe9") }, Raw::UNDEFINED;
    no_memory: status::RETURNED, raw(tag::BYTES, ptr::null(), 100), Raw::UNDEFINED;
    no_items: status::RETURNED, raw(tag::LIST, ptr::null(), 100), Raw::UNDEFINED;
    no_fields: status::RETURNED, raw(tag::RECORD, BYTES, HUGE), Raw::UNDEFINED;
    no_words: status::RETURNED, raw(tag::BIGINT, ptr::null(), HUGE), Raw::UNDEFINED;
    too_long: status::RETURNED, raw(tag::BYTES, BYTES, HUGE), Raw::UNDEFINED;
    not_aligned: status::RETURNED, raw(tag::LIST, BYTES.wrapping_byte_add(1), 1), Raw::UNDEFINED;
    no_kind: status::RETURNED, Raw { kind: 99, ..raw(tag::ARRAY, BYTES, 8) }, Raw::UNDEFINED;
    no_whole: status::RETURNED, Raw { kind: kind::FLOAT64, ..raw(tag::ARRAY, BYTES, 7) }, Raw::UNDEFINED;
    no_message: status::FAILED, Raw::plain(tag::NUMBER, 1.0), text(b"ERR_HOSTILE");
    no_code: status::FAILED, text(b"why"), text(b"two\nlines");
    no_cancel: status::CANCELLED, text(b"nobody has cancelled it"), Raw::UNDEFINED;
    no_panic: status::PANICKED, raw(tag::STRING, ptr::null(), 5), Raw::UNDEFINED;
}

/// Leaves the reply as it is.
unsafe extern "C" fn nothing(_: *const Call, _: *mut Raw, _: *mut Raw, _: *mut Reply) {}

/// Gives an object with a name that is no text.
unsafe extern "C" fn no_name(_: *const Call, _: *mut Raw, _: *mut Raw, reply: *mut Reply) {
    let name = b"\xff\xff";
    let field = Field {
        name: Str {
            data: name.as_ptr(),
            len: name.len(),
        },
        value: Raw::UNDEFINED,
    };
    let field = Box::into_raw(Box::new(field)).cast();
    let written = Reply {
        status: status::RETURNED,
        value: raw(tag::RECORD, field, 1),
        ..Reply::NONE
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

/// Gives a list in a list, and so on, each of which takes the same memory back as it is dropped.
unsafe extern "C" fn too_deep(_: *const Call, _: *mut Raw, _: *mut Raw, reply: *mut Reply) {
    unsafe extern "C" fn release(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<Raw>()) });
    }
    let mut value = Raw::UNDEFINED;
    for _ in 0..1000 {
        let inner = Box::into_raw(Box::new(value)).cast();
        value = Raw {
            owner: inner,
            release: Some(release),
            ..raw(tag::LIST, inner, 1)
        };
    }
    let written = Reply {
        status: status::RETURNED,
        value,
        ..Reply::NONE
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

unsafe extern "C" fn fails(_: *const c_void, _: usize) -> u32 {
    12345
}

/// Asks the host for what makes no sense, and ends well.
unsafe extern "C" fn asks(call: *const Call, input: *mut Raw, _: *mut Raw, reply: *mut Reply) {
    // SAFETY: the call lasts, and its host with it.
    unsafe {
        let host = &*(*call).host;
        if let Some(count) = host.count {
            let nowhere = Str {
                data: ptr::null(),
                len: 10,
            };
            count(call, nowhere, 1);
            count(call, Str::of("rows"), i64::MIN);
            count(call, Str::of("nobody's"), 1);
        }
        if let Some(progress) = host.progress {
            progress(call, f64::NAN);
        }
        if let Some(parallel) = host.parallel {
            parallel(call, 0, ptr::null(), fails as Chunk);
            parallel(call, 1000, ptr::null(), fails as Chunk);
        }
        // What it was given is somebody else's result now.
        let written = Reply {
            status: status::RETURNED,
            value: (*input).take(),
            ..Reply::NONE
        };
        reply.write(written);
    }
}

/// Runs until it is cancelled, and then says that it has done its work.
unsafe extern "C" fn spins(call: *const Call, _: *mut Raw, _: *mut Raw, reply: *mut Reply) {
    // SAFETY: the flag lasts as long as the call.
    while unsafe { &*(*call).cancelled }.load(Relaxed) == 0 {
        std::thread::yield_now();
    }
    let written = Reply {
        status: status::RETURNED,
        ..Reply::NONE
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

/// Never ends.
unsafe extern "C" fn stays(call: *const Call, _: *mut Raw, _: *mut Raw, _: *mut Reply) {
    // SAFETY: the call lasts, and its host with it.
    if let Some(count) = unsafe { (*(*call).host).count } {
        // SAFETY: as above.
        unsafe { count(call, Str::of("rows"), 1) }
    }
    loop {
        std::thread::park();
    }
}

/// Emits values and garbage, whatever the host says to it, until the call is given up and some time after, and then
/// says that it has done its work.
unsafe extern "C" fn emits(call: *const Call, input: *mut Raw, _: *mut Raw, reply: *mut Reply) {
    // SAFETY: the call lasts.
    let (emit, cancelled) = unsafe { ((*(*call).host).emit, &*(*call).cancelled) };
    // SAFETY: the input is a number or nothing.
    let most = unsafe { (*input).number };
    let mut emitted = 0.0;
    let mut after = 0;
    while emitted < most && after < 1000 {
        let mut good = Raw::plain(tag::NUMBER, emitted);
        let mut bad = raw(77, BYTES, 8);
        if let Some(emit) = emit {
            // SAFETY: of what is no value nothing is followed.
            unsafe {
                emit(call, &raw mut good);
                emit(call, &raw mut bad);
            }
        }
        emitted += 1.0;
        after += u32::from(cancelled.load(Relaxed) != 0);
    }
    let written = Reply {
        status: status::RETURNED,
        ..Reply::NONE
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

unsafe extern "C" fn aborts(_: *const Call, _: *mut Raw, _: *mut Raw, _: *mut Reply) {
    std::process::abort()
}

const fn task(name: &'static str, run: Run) -> Task {
    Task {
        size: size_of::<Task>(),
        name: Str::of(name),
        flags: u64::MAX,
        run: Some(run),
        schema: None,
    }
}

static TASKS: &[Task] = &[
    task("hostile.nothing", nothing),
    task("hostile.noStatus", no_status),
    task("hostile.noTag", no_tag),
    task("hostile.noText", no_text),
    task("hostile.noMemory", no_memory),
    task("hostile.noItems", no_items),
    task("hostile.noFields", no_fields),
    task("hostile.noWords", no_words),
    task("hostile.tooLong", too_long),
    task("hostile.notAligned", not_aligned),
    task("hostile.noKind", no_kind),
    task("hostile.noWhole", no_whole),
    task("hostile.noMessage", no_message),
    task("hostile.noCode", no_code),
    task("hostile.noCancel", no_cancel),
    task("hostile.noPanic", no_panic),
    task("hostile.noName", no_name),
    task("hostile.tooDeep", too_deep),
    task("hostile.asks", asks),
    task("hostile.spins", spins),
    task("hostile.stays", stays),
    task("hostile.emits", emits),
    task("hostile.aborts", aborts),
];

static PLUGIN: Plugin = Plugin {
    tasks: TASKS.as_ptr(),
    task_count: TASKS.len(),
    ..Plugin::THIS
};

#[unsafe(no_mangle)]
extern "C" fn rspool_plugin_v1(_: *const HostInfo) -> *const Plugin {
    &raw const PLUGIN
}
