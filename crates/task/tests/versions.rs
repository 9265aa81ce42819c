//! Plugins and hosts of one major version work together, whichever of them is newer.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use rspool_task::abi::{self, Plugin, Raw, Reply};
use rspool_task::testing::{Trial, tasks};
use rspool_task::{Context, Error, Result, Value};

mod version_1;

/// Fields that are where they were.
macro_rules! same_places {
    ($($table:ident: $($field:ident)+;)+) => {
        $($(const _: () = assert!(
            offset_of!(abi::$table, $field) == offset_of!(version_1::$table, $field),
            concat!(stringify!($table), ".", stringify!($field), " has moved")
        );)+)+
    };
}

same_places! {
    HostInfo: size major minor version;
    Plugin: size major minor needs reserved version profile tasks task_count task_size state_new state_drop shared_new
        shared_drop;
    Task: size name flags run schema;
    Call: size host cancelled state shared;
    Host: size count progress parallel;
    Reply: status reserved value code;
    Raw: tag kind flags reserved number data len owner release;
    Field: name value;
    Str: data len;
}

// What is an item of a list, or is written by the other side, is as large as it was.
const _: () = assert!(
    size_of::<abi::Raw>() == size_of::<version_1::Raw>()
        && size_of::<abi::Field>() == size_of::<version_1::Field>()
        && size_of::<abi::Str>() == size_of::<version_1::Str>()
        && size_of::<abi::Reply>() == size_of::<version_1::Reply>()
);

/// The plugin of version 1.0, as a host of this version sees it.
fn frozen() -> &'static Plugin {
    // SAFETY: it has all fields that the first version has, and no other is read of it.
    unsafe { &*(&raw const version_1::PLUGIN.0).cast() }
}

#[test]
fn an_older_plugin_runs_on_this_host() {
    let run =
        |name, input: Value<'static>| Trial::new().run_named(frozen(), name, input, ().into());
    assert_eq!(
        run("frozen.add", Value::List(vec![1.into(), 2.5.into()])).result,
        Ok(3.5.into())
    );
    let error = run("frozen.add", "no list".into()).result.unwrap_err();
    assert_eq!(error, Error::invalid("input must be a list of numbers"));
    let error = run("frozen.fail", ().into()).result.unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("ERR_FROZEN", "on purpose")
    );
    for value in ["grüße".into(), vec![1, 2, 3].into(), Value::Null] {
        assert_eq!(run("frozen.echo", value.clone()).result, Ok(value));
    }
    let outcome = run("frozen.work", 100.into());
    assert_eq!(outcome.result, Ok(100.into()));
    assert_eq!(
        (outcome.counts["rows"], &*outcome.progress),
        (3, &[0.5][..])
    );
    let given_up = Trial::new().cancelled();
    let outcome = given_up.run_named(frozen(), "frozen.work", 100.into(), ().into());
    assert_eq!(outcome.result, Err(Error::Cancelled));
}

/// A task that uses all that a host may have.
fn work(count: u32, _: (), context: &Context) -> Result<u32> {
    context.check()?;
    context.count("rows", 3);
    context.progress(0.5);
    let ran = AtomicUsize::new(0);
    context.parallel(count as usize, |_| {
        ran.fetch_add(1, Relaxed);
    })?;
    Ok(ran.into_inner() as u32)
}

/// A task that can be called as a stream only.
fn upward(to: u32, _: (), context: &Context) -> Result<()> {
    (0..to).try_for_each(|n| context.emit(n))
}

rspool_task::table! {
    "now.work" => work,
    "now.count" => upward => u32,
}

/// What a host of version 1.0 hears.
#[repr(C)]
struct Watched {
    call: version_1::Call,
    /// What is behind its tables is none of a task's business: to follow it is a crash.
    beyond: [usize; 16],
    counted: AtomicUsize,
    told: AtomicUsize,
    shared: AtomicUsize,
}

unsafe extern "C" fn count(call: *const version_1::Call, _: version_1::Str, n: i64) {
    // SAFETY: the call of this test.
    unsafe { &*call.cast::<Watched>() }
        .counted
        .fetch_add(n as usize, Relaxed);
}

unsafe extern "C" fn progress(call: *const version_1::Call, _: f64) {
    // SAFETY: the call of this test.
    unsafe { &*call.cast::<Watched>() }
        .told
        .fetch_add(1, Relaxed);
}

unsafe extern "C" fn parallel(
    call: *const version_1::Call,
    count: usize,
    data: *const c_void,
    chunk: version_1::Chunk,
) -> u32 {
    // SAFETY: the call of this test.
    unsafe { &*call.cast::<Watched>() }
        .shared
        .fetch_add(1, Relaxed);
    // SAFETY: the data are those of the chunk.
    (0..count).for_each(|index| assert_eq!(unsafe { chunk(data, index) }, 0));
    0
}

#[repr(C)]
struct Placed {
    host: version_1::Host,
    beyond: [usize; 16],
}

/// Runs a task of this version on a host whose table ends after `size` bytes; gives the result and what was heard.
fn on_a_host_of(size: usize, task: &str) -> (Result<Value<'static>>, [usize; 3]) {
    let complete = version_1::Host {
        size,
        count: Some(count),
        progress: Some(progress),
        parallel: Some(parallel),
    };
    let mut placed = Placed {
        host: complete,
        beyond: [1; 16],
    };
    // What the table does not have is no function.
    let host = (&raw mut placed).cast::<usize>();
    for word in size / size_of::<usize>()..size_of::<version_1::Host>() / size_of::<usize>() {
        // SAFETY: within the table, which is read only as far as its size says.
        unsafe { host.add(word).write(1) };
    }
    let cancelled = AtomicU32::new(0);
    let watched = Watched {
        call: version_1::Call {
            size: size_of::<version_1::Call>(),
            host: host.cast(),
            cancelled: &raw const cancelled,
            state: ptr::null_mut(),
            shared: ptr::null_mut(),
        },
        beyond: [1; 16],
        counted: AtomicUsize::new(0),
        told: AtomicUsize::new(0),
        shared: AtomicUsize::new(0),
    };
    let (mut input, mut params) = (Raw::from(Value::from(50)), Raw::UNDEFINED);
    let mut reply = Reply::NONE;
    // SAFETY: the names of a table are static.
    let named = |listed: &&abi::Task| unsafe { listed.name.read() } == Some(task);
    let run = tasks(&TABLE).find(named).unwrap().run.unwrap();
    // SAFETY: all four are there for the call.
    unsafe {
        run(
            (&raw const watched).cast(),
            &raw mut input,
            &raw mut params,
            &raw mut reply,
        );
    }
    let heard = [&watched.counted, &watched.told, &watched.shared].map(|cell| cell.load(Relaxed));
    // SAFETY: written by the task.
    (unsafe { reply.into_result() }, heard)
}

#[test]
fn a_newer_plugin_runs_on_an_older_host() {
    let (result, heard) = on_a_host_of(size_of::<version_1::Host>(), "now.work");
    assert_eq!((result, heard), (Ok(50.into()), [3, 1, 1]));
}

#[test]
fn what_a_host_does_not_have_is_done_without() {
    let (result, heard) = on_a_host_of(offset_of!(version_1::Host, parallel), "now.work");
    assert_eq!((result, heard), (Ok(50.into()), [3, 1, 0]));
    let (result, heard) = on_a_host_of(offset_of!(version_1::Host, progress), "now.work");
    assert_eq!((result, heard), (Ok(50.into()), [3, 0, 0]));
    let (result, heard) = on_a_host_of(offset_of!(version_1::Host, count), "now.work");
    assert_eq!((result, heard), (Ok(50.into()), [0, 0, 0]));
}

#[test]
fn an_older_host_has_no_streams_and_a_task_says_so() {
    let (result, _) = on_a_host_of(size_of::<version_1::Host>(), "now.count");
    let error = result.unwrap_err();
    assert_eq!(error.code(), rspool_task::UNSUPPORTED);
    assert!(
        error.to_string().contains("this version of rspool"),
        "{error}"
    );
}

#[test]
fn a_task_that_can_be_a_stream_is_listed_so() {
    let flags: Vec<_> = tasks(&TABLE).map(|task| task.flags).collect();
    assert_eq!(flags, [0, abi::task_flag::EMITS]);
    let flags: Vec<_> = tasks(frozen()).map(|task| task.flags).collect();
    assert!(flags.iter().all(|&flags| flags == 0));
    let mut said = Raw::UNDEFINED;
    let schema = tasks(&TABLE).nth(1).and_then(|task| task.schema).unwrap();
    // SAFETY: a value to write to.
    unsafe { schema(&raw mut said) };
    // SAFETY: as the table has written it.
    let Ok(Value::Record(said)) = (unsafe { said.into_value() }) else {
        panic!("no record");
    };
    assert_eq!(said.get("chunk"), Some(&"number".into()));
}

/// A task that emits no value, and does not care.
unsafe extern "C" fn emits_garbage(
    call: *const abi::Call,
    _: *mut Raw,
    _: *mut Raw,
    reply: *mut Reply,
) {
    // SAFETY: the host of this test has all functions of this version.
    let emit = unsafe { (*(*call).host).emit }.unwrap();
    let mut chunk = Raw::plain(99, 0.0);
    // SAFETY: nothing of this value is followed, as its tag is unknown.
    let sent = unsafe { emit(call, &raw mut chunk) };
    assert_eq!(sent, abi::sent::MALFORMED);
    let written = Reply {
        status: abi::status::RETURNED,
        ..Reply::NONE
    };
    // SAFETY: a reply to write to.
    unsafe { reply.write(written) }
}

#[test]
fn a_task_that_emits_garbage_fails_whatever_it_replies() {
    static TASKS: [abi::Task; 1] = [abi::Task {
        size: size_of::<abi::Task>(),
        name: abi::Str::of("bad.emit"),
        flags: abi::task_flag::EMITS,
        run: Some(emits_garbage),
        schema: None,
    }];
    static BAD: Plugin = Plugin {
        tasks: TASKS.as_ptr(),
        task_count: 1,
        ..Plugin::THIS
    };
    let outcome = Trial::new().run_named(&BAD, "bad.emit", ().into(), ().into());
    let error = outcome.result.unwrap_err();
    assert_eq!(error.to_string(), "the task has emitted a value of tag 99");
    assert_eq!(outcome.chunks, []);
}
