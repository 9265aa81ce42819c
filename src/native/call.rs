//! One call of a native task: what the task is given, what it may call, and how it ended. All tasks, even the built-in
//! ones, are called through tables as plugins have them (`rspool_task::abi`).

use std::ffi::c_void;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use rspool_task::abi::{self, Call, Chunk, Host, Raw, Reply, Str, sent};
use rspool_task::{DONE, Error, Params, UNSUPPORTED, Value};

use super::registry::NativeTask;
use super::states::Pair;
use super::tally::Tally;
use crate::memory::counters::CounterSet;
use crate::scheduler::Ended;
use crate::sync::AtomicU32;

/// Runs chunks of a task on other workers beside its own.
pub(super) trait Crew: Sync + fmt::Debug {
    /// Runs each chunk below `count` once, on this thread and on others, until a chunk returns another number than 0 or
    /// the task is given up. Returns when each chunk that began has ended.
    ///
    /// # Safety
    /// Until this returns, `chunk` may be called with `data` from any thread.
    unsafe fn run(&self, count: usize, data: *const c_void, chunk: Chunk) -> Ended;
}

/// Takes the chunks of a stream.
pub(super) trait Reader: Sync + fmt::Debug {
    /// Takes a chunk, and waits while there is no room for it.
    fn take(&self, chunk: Value<'static>) -> Sending;

    /// The task has given this for a chunk, which is no value.
    fn refuse(&self, why: String);

    /// Why a chunk was refused.
    fn refused(&self) -> Option<String>;
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Sending {
    Sent = sent::SENT,
    /// The task was given up.
    Cancelled = sent::CANCELLED,
    /// It cannot be sent.
    Malformed = sent::MALFORMED,
    /// This is not the thread of the task, or a chunk of a job runs on it.
    Elsewhere = sent::ELSEWHERE,
}

/// Hears the progress of a task.
pub(super) trait Listener: Sync + fmt::Debug {
    /// A value of the task's choice.
    fn hear(&self, value: f64);
}

/// The surroundings of a running task.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    /// Not 0 once the task should stop.
    pub(super) cancelled: &'a AtomicU32,
    /// The caller's counters.
    pub(super) counters: Option<&'a CounterSet>,
    pub(super) tally: &'a Tally,
    /// Hears the progress of the task.
    pub(super) listener: Option<&'a dyn Listener>,
    /// None if the task must be done without help.
    pub(super) crew: Option<&'a dyn Crew>,
    /// Takes the chunks of the task, if it was called as a stream.
    pub(super) reader: Option<&'a dyn Reader>,
    pub(super) states: Pair,
}

/// A running call. Its task knows the call by the address of the first field.
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
    emit: Some(emit),
};

/// By whether the task may have help, and whether it is a stream.
static HOSTS: [[Host; 2]; 2] = {
    const PLAIN: Host = Host { emit: None, ..HOST };
    const ALONE: Host = Host {
        parallel: None,
        ..HOST
    };
    [
        [
            Host {
                parallel: None,
                ..PLAIN
            },
            ALONE,
        ],
        [PLAIN, HOST],
    ]
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
    let Some(name) = name else { return };
    around.tally.count(name, n);
    if let Some(counters) = around.counters {
        counters.add(name, n);
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
    around.crew.map_or(abi::ended::STOPPED, |crew| unsafe {
        crew.run(count, data, chunk) as u32
    })
}

unsafe extern "C" fn emit(call: *const Call, chunk: *mut Raw) -> u32 {
    // SAFETY: the call runs.
    let Some(reader) = (unsafe { around(call) }).reader else {
        return sent::CANCELLED;
    };
    // SAFETY: the task's promise: a value, which is ours from now on. What it lends is there until this returns.
    match unsafe { (*chunk).take().into_value() } {
        Ok(value) => reader.take(value.into_owned()) as u32,
        Err(why) => {
            reader.refuse(why.to_string());
            sent::MALFORMED
        }
    }
}

const _: () = assert!(
    Ended::Done as u32 == abi::ended::DONE
        && Ended::Stopped as u32 == abi::ended::STOPPED
        && Ended::Cancelled as u32 == abi::ended::CANCELLED
);

impl NativeTask {
    /// Runs the task to its end on this thread. A task that is cancelled before it starts does not start. A task that
    /// ends well counts 1 into `done`.
    pub(super) fn execute(
        &self,
        input: Value<'_>,
        params: Params,
        around: &Surroundings<'_>,
    ) -> Result<Value<'static>, Error> {
        if around.cancelled.load(Relaxed) != 0 {
            return Err(Error::Cancelled);
        }
        let running = Running {
            call: Call {
                size: size_of::<Call>(),
                host: &raw const HOSTS[usize::from(around.crew.is_some())]
                    [usize::from(around.reader.is_some())],
                cancelled: around.cancelled,
                state: around.states.own,
                shared: around.states.shared,
            },
            around,
        };
        let (mut input, mut params) = (Raw::from(input), Raw::from(Value::from(params)));
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
        let value = unsafe { reply.into_result() }?;
        if let Some(why) = around.reader.and_then(|reader| reader.refused()) {
            return Err(Error::new(format!("the task has emitted {why}")));
        }
        if let Some(counters) = around.counters {
            counters.add(DONE, 1);
        }
        Ok(value)
    }

    /// Refuses an input with a shared map in it if the plugin was built before there were any.
    pub(super) fn refuse_unknown(&self, input: &Value<'_>) -> Result<(), Error> {
        let Some(plugin) = self.plugin.filter(|plugin| is_unknown(input, plugin.minor)) else {
            return Ok(());
        };
        let message = format!(
            "the input has a shared map, which the plugin '{}' was built too early for: build it with the rspool-task of \
             this version of rspool",
            plugin.name
        );
        Err(Error::failed(UNSUPPORTED, message))
    }

    /// The same error with `task: ` before its message, so that the user sees which task it was, and with a code that
    /// is valid.
    pub(super) fn blame(&self, error: Error) -> Error {
        let name = |message: String| format!("{}: {message}", self.name);
        match error {
            Error::Cancelled => Error::Cancelled,
            Error::InvalidInput(message) => Error::InvalidInput(name(message)),
            Error::Failed { code, message } if is_code(&code) => Error::failed(code, name(message)),
            Error::Failed { message, .. } => Error::new(name(message)),
            Error::Panicked(message) => Error::Panicked(name(message)),
        }
    }
}

/// The minor version of the interface from which on a plugin knows shared maps.
const MAPS: u32 = 1;

/// Whether a plugin of this minor version does not know what is in a value.
fn is_unknown(value: &Value<'_>, minor: u32) -> bool {
    minor < MAPS && has_map(value)
}

/// Whether a value is a shared map, or has one in it.
pub(super) fn has_map(value: &Value<'_>) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(items) => items.iter().any(has_map),
        Value::Record(record) => record.iter().any(|(_, value)| has_map(value)),
        _ => false,
    }
}

/// Capitals, digits and underscores, because a code stands on a line of its own on its way to the user.
fn is_code(code: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&code.len()) && code.bytes().all(part)
}

#[cfg(test)]
mod tests;
