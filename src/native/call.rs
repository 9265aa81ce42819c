//! One call of a task of a plugin: what the task is given, what it may call meanwhile, and how it ended.

use std::ffi::c_void;
use std::fmt;

use rspool_task::abi::{self, Call, Chunk, Host, Raw, Reply, Str};
use rspool_task::{Error, Params, Value};

use super::abroad::{receive, receive_error, send};
use super::context::TaskContext;
use super::error::TaskError;
use super::plugins::PluginTask;
use super::states::Pair;
use crate::scheduler::Ended;
use crate::sync::AtomicU32;

/// Hears how far a task is.
pub(super) trait Listener: Sync + fmt::Debug {
    /// A value of the task's choice.
    fn hear(&self, value: f64);
}

/// What a task sees of the outside.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) context: &'a TaskContext<'a>,
    /// Not 0 once the task is to stop.
    pub(super) cancelled: &'a AtomicU32,
    /// Hears how far it is.
    pub(super) listener: Option<&'a dyn Listener>,
    pub(super) states: Pair,
}

/// A running call. Its task knows it by the address of its first field.
#[repr(C)]
struct Running<'a> {
    call: Call,
    around: &'a Surroundings<'a>,
}

const HOST: Host = Host {
    size: size_of::<Host>(),
    count: Some(count),
    progress: Some(progress),
    parallel: Some(parallel),
};

/// For a task that is to have help.
static SHARED: Host = HOST;
/// For one that is to be done alone.
static ALONE: Host = Host {
    parallel: None,
    ..HOST
};

/// # Safety
/// A call that runs, as [`execute`] has made it.
unsafe fn around<'a>(call: *const Call) -> &'a Surroundings<'a> {
    // SAFETY: the call is the first field of what `execute` has made, which is there while the task runs.
    unsafe { (*call.cast::<Running<'_>>()).around }
}

unsafe extern "C" fn count(call: *const Call, name: Str, n: i64) {
    // SAFETY: the task's promise: the call runs, and the name lasts as long as this call.
    let (around, name) = unsafe { (around(call), name.read()) };
    if let Some(name) = name {
        around.context.count(name, n);
    }
}

unsafe extern "C" fn progress(call: *const Call, value: f64) {
    // SAFETY: the call runs.
    if let Some(listener) = unsafe { around(call) }.listener {
        listener.hear(value);
    }
}

unsafe extern "C" fn parallel(
    call: *const Call,
    count: usize,
    data: *const c_void,
    chunk: Chunk,
) -> u32 {
    // SAFETY: the call runs.
    let around = unsafe { around(call) };
    // SAFETY: until this returns, the chunk may be called with the data from any thread.
    around
        .context
        .crew()
        .map_or(abi::ended::STOPPED, |crew| unsafe {
            crew.run(count, data, chunk) as u32
        })
}

const _: () = assert!(
    Ended::Done as u32 == abi::ended::DONE
        && Ended::Stopped as u32 == abi::ended::STOPPED
        && Ended::Cancelled as u32 == abi::ended::CANCELLED
);

impl PluginTask {
    /// Runs the task to its end on this thread.
    pub(super) fn run(
        &self,
        input: super::value::Value,
        params: Params,
        around: &Surroundings<'_>,
    ) -> Result<super::value::Value, TaskError> {
        let alone = around.context.crew().is_none();
        let running = Running {
            call: Call {
                size: size_of::<Call>(),
                host: if alone {
                    &raw const ALONE
                } else {
                    &raw const SHARED
                },
                cancelled: around.cancelled,
                state: around.states.own,
                shared: around.states.shared,
            },
            around,
        };
        let (mut input, mut params) = (Raw::from(send(input)), Raw::from(Value::from(params)));
        let mut reply = Reply::NONE;
        // SAFETY: the function of a table, for which loading it vouches; all four outlive the call, and a task has what
        // it was given until it returns.
        unsafe {
            (self.run)(
                (&raw const running).cast(),
                &raw mut input,
                &raw mut params,
                &raw mut reply,
            );
        }
        // SAFETY: what the task has written, by the rules of `abi`. What the reply lends may be of the input, which is
        // dropped after this.
        let result: Result<Value<'static>, Error> = unsafe { reply.into_result() };
        result.map(receive).map_err(receive_error)
    }
}
