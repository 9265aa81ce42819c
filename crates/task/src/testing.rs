//! Runs tasks in plain `cargo test`, also under miri, with the same shim and tables as in rspool.
//!
//! ```
//! use rspool_task::{Context, Result, Text, testing};
//!
//! fn count(text: Text, _: (), context: &Context) -> Result<usize> {
//!     context.check()?;
//!     Ok(text.split_whitespace().count())
//! }
//!
//! assert_eq!(testing::run(count, "one two", ()), Ok(2.into()));
//! ```

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ThreadId};

use crate::abi::{Call, Chunk, Host, Plugin, Raw, Reply, StateNew, Str, Task, ended, sent};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::input::{Input, TaskParams};
use crate::output::Output;
use crate::panics;
use crate::shim::Scope;
use crate::state;
use crate::value::Value;

mod map;

pub use map::map;

/// Runs a task once.
pub fn run<I: Input<'static>, P: TaskParams, O: Output>(
    task: impl FnOnce(I, P, &Context<'_>) -> Result<O>,
    input: impl Output,
    params: impl Output,
) -> Result<Value<'static>> {
    Trial::new().run(task, input, params).result
}

/// An input that the task may keep.
struct Owned<I>(I);

impl<'a, I: Input<'static>> Input<'a> for Owned<I> {
    fn type_of() -> String {
        I::type_of()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        I::from_value(value.into_owned(), what).map(Self)
    }
}

/// The outcome of a task.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The result, or the error.
    pub result: Result<Value<'static>>,
    /// What the task added to each counter.
    pub counts: BTreeMap<String, i64>,
    /// Each progress that the task reported.
    pub progress: Vec<f64>,
    /// Each chunk that the task emitted.
    pub chunks: Vec<Value<'static>>,
}

/// The surroundings of tasks in a test: a worker, with its state.
#[derive(Debug, Default)]
pub struct Trial {
    cancelled: AtomicU32,
    /// Cancels the task after this many calls of `count`, `progress` and `emit`.
    patience: Option<usize>,
    /// Whether tasks are not called as streams.
    plain: bool,
    state: Option<State>,
    shared: Option<State>,
}

/// A state that a function of a table has made.
#[derive(Debug)]
struct State(*mut c_void);

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: as `state::make` has given it, once.
        unsafe { state::drop_state(self.0) }
    }
}

/// A call, and what was heard of it.
#[repr(C)]
struct Watched<'a> {
    call: Call,
    trial: &'a Trial,
    thread: ThreadId,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    calls: usize,
    counts: BTreeMap<String, i64>,
    progress: Vec<f64>,
    chunks: Vec<Value<'static>>,
    /// Why a chunk is no value.
    malformed: Option<String>,
}

thread_local! {
    /// Whether this thread runs a chunk of `parallel`.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

const HOST: Host = Host {
    size: size_of::<Host>(),
    count: Some(count),
    progress: Some(progress),
    parallel: Some(parallel),
    emit: None,
};

/// For a call that is no stream.
static PLAIN: Host = HOST;
/// For a stream.
static STREAM: Host = Host {
    emit: Some(emit),
    ..HOST
};

unsafe extern "C" fn count(call: *const Call, name: Str, n: i64) {
    // SAFETY: the call is the first field of what `call` has made; the name lasts as long as this call.
    let (watched, name) = unsafe { (&*call.cast::<Watched<'_>>(), name.read()) };
    watched.hear(|heard| {
        let name = name.unwrap_or_default().to_owned();
        *heard.counts.entry(name).or_default() += n;
    });
}

unsafe extern "C" fn progress(call: *const Call, value: f64) {
    // SAFETY: as above.
    let watched = unsafe { &*call.cast::<Watched<'_>>() };
    watched.hear(|heard| heard.progress.push(value));
}

unsafe extern "C" fn emit(call: *const Call, chunk: *mut Raw) -> u32 {
    // SAFETY: as above.
    let watched = unsafe { &*call.cast::<Watched<'_>>() };
    if thread::current().id() != watched.thread || INSIDE.get() {
        return sent::ELSEWHERE;
    }
    // SAFETY: the task's promise: a value, which is ours from now on.
    match unsafe { (*chunk).take().into_value() } {
        Ok(value) => watched.hear(|heard| heard.chunks.push(value.into_owned())),
        Err(why) => {
            watched.hear(|heard| heard.malformed = Some(why.to_string()));
            return sent::MALFORMED;
        }
    }
    // SAFETY: the flag is there as long as the call.
    match unsafe { (*(*call).cancelled).load(Relaxed) } {
        0 => sent::SENT,
        _ => sent::CANCELLED,
    }
}

/// Runs chunks on this thread and one more.
unsafe extern "C" fn parallel(
    call: *const Call,
    count: usize,
    data: *const c_void,
    chunk: Chunk,
) -> u32 {
    struct Job(*const c_void, AtomicUsize, AtomicBool);
    // SAFETY: the chunks may be called from any thread with this data.
    unsafe impl Sync for Job {}
    // SAFETY: as above, and the flag is atomic.
    let cancelled = unsafe { &*(*call).cancelled };
    let job = Job(data, AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let job = &job;
        let within = INSIDE.replace(true);
        while cancelled.load(Relaxed) == 0 && !job.2.load(Relaxed) {
            let index = job.1.fetch_add(1, Relaxed);
            if index >= count {
                break;
            }
            // SAFETY: each index is given out once, and the data outlive this call.
            if unsafe { chunk(job.0, index) } != 0 {
                job.2.store(true, Relaxed);
            }
        }
        INSIDE.set(within);
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    if job.2.load(Relaxed) {
        ended::STOPPED
    } else if cancelled.load(Relaxed) != 0 && job.1.load(Relaxed) < count {
        ended::CANCELLED
    } else {
        ended::DONE
    }
}

impl Watched<'_> {
    fn hear(&self, note: impl FnOnce(&mut Heard)) {
        let mut heard = self
            .heard
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        note(&mut heard);
        heard.calls += 1;
        if self.trial.patience.is_some_and(|most| heard.calls >= most) {
            self.trial.cancelled.store(1, Relaxed);
        }
    }
}

impl Trial {
    /// A worker without a state. No task is cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels tasks from the start: they end at their first check.
    #[must_use]
    pub fn cancelled(self) -> Self {
        self.cancelled.store(1, Relaxed);
        self
    }

    /// Cancels a task once it has called `count`, `progress` and `emit` this many times in all.
    #[must_use]
    pub fn cancel_after(mut self, times: usize) -> Self {
        self.patience = Some(times);
        self
    }

    /// Calls tasks as `runTask` does. Without this, they are called as by `pool.stream`, and may emit chunks.
    #[must_use]
    pub fn without_stream(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Adds the state of a worker, made by `new` from `config`.
    ///
    /// # Errors
    /// The error of `new`.
    pub fn with_state<P: TaskParams, S: 'static>(
        mut self,
        new: impl Fn(P) -> Result<S>,
        config: impl Output,
    ) -> Result<Self> {
        let (mut config, mut reply) = (Raw::from(config.into_value()?), Reply::NONE);
        // SAFETY: both are there, and the config is made here.
        let state = unsafe { state::make(new, &raw mut config, &raw mut reply) };
        self.state = Some(made(state, reply)?);
        Ok(self)
    }

    /// Adds the state that the workers of a pool share, made by `new` from `config`.
    ///
    /// # Errors
    /// The error of `new`.
    pub fn with_shared<P: TaskParams, S: Send + Sync + 'static>(
        mut self,
        new: impl Fn(P) -> Result<S>,
        config: impl Output,
    ) -> Result<Self> {
        let (mut config, mut reply) = (Raw::from(config.into_value()?), Reply::NONE);
        // SAFETY: both are there, and the config is made here.
        let state = unsafe { state::make_shared(new, &raw mut config, &raw mut reply) };
        self.shared = Some(made(state, reply)?);
        Ok(self)
    }

    /// Adds the states of a plugin, made from `config` by the functions of its table.
    ///
    /// # Errors
    /// The error of such a function.
    pub fn with_states_of(mut self, plugin: &Plugin, config: &Value<'static>) -> Result<Self> {
        let make = |new: StateNew| {
            let (mut config, mut reply) = (Raw::from(config.clone()), Reply::NONE);
            // SAFETY: both are there, and the config is made here.
            let state = unsafe { new(&raw mut config, &raw mut reply) };
            made(state, reply)
        };
        self.state = plugin.state_new.map(make).transpose()?;
        self.shared = plugin.shared_new.map(make).transpose()?;
        Ok(self)
    }

    /// Runs a task.
    pub fn run<I: Input<'static>, P: TaskParams, O: Output>(
        &self,
        task: impl FnOnce(I, P, &Context<'_>) -> Result<O>,
        input: impl Output,
        params: impl Output,
    ) -> Outcome {
        let (input, params) = match (input.into_value(), params.into_value()) {
            (Ok(input), Ok(params)) => (input, params),
            (Err(error), _) | (_, Err(error)) => return failed(error),
        };
        self.call(input, params, |call, input, params, reply| {
            // SAFETY: all four are of the running call.
            let mut scope = unsafe { Scope::new(call, input, params, reply) };
            scope.run(|Owned(input), params, context: &Context<'_>| task(input, params, context));
        })
    }

    /// Runs the task of this name in the table of a plugin.
    ///
    /// # Panics
    /// If the table has no such task.
    pub fn run_named(
        &self,
        plugin: &Plugin,
        name: &str,
        input: Value<'static>,
        params: Value<'static>,
    ) -> Outcome {
        let task = tasks(plugin).find(|task| {
            // SAFETY: the names of a table are static.
            unsafe { task.name.read() == Some(name) }
        });
        let run = task.and_then(|task| task.run).expect("a task of this name");
        self.call(input, params, |call, input, params, reply| {
            // SAFETY: all four are of the running call.
            unsafe { run(call, input, params, reply) }
        })
    }

    fn call(
        &self,
        input: Value<'static>,
        params: Value<'static>,
        run: impl FnOnce(*const Call, *mut Raw, *mut Raw, *mut Reply),
    ) -> Outcome {
        panics::silence();
        let pointer =
            |state: &Option<State>| state.as_ref().map_or(ptr::null_mut(), |state| state.0);
        let watched = Watched {
            call: Call {
                size: size_of::<Call>(),
                host: if self.plain {
                    &raw const PLAIN
                } else {
                    &raw const STREAM
                },
                cancelled: &raw const self.cancelled,
                state: pointer(&self.state),
                shared: pointer(&self.shared),
            },
            trial: self,
            thread: thread::current().id(),
            heard: Mutex::default(),
        };
        let (mut input, mut params, mut reply) = (Raw::from(input), Raw::from(params), Reply::NONE);
        run(
            (&raw const watched).cast(),
            &raw mut input,
            &raw mut params,
            &raw mut reply,
        );
        let heard = watched
            .heard
            .into_inner()
            .unwrap_or_else(|broken| broken.into_inner());
        // SAFETY: as the table has written it.
        let result = unsafe { reply.into_result() };
        Outcome {
            result: match heard.malformed {
                Some(why) => Err(Error::new(format!("the task has emitted {why}"))),
                None => result,
            },
            counts: heard.counts,
            progress: heard.progress,
            chunks: heard.chunks,
        }
    }
}

fn failed(error: Error) -> Outcome {
    Outcome {
        result: Err(error),
        counts: BTreeMap::new(),
        progress: Vec::new(),
        chunks: Vec::new(),
    }
}

fn made(state: *mut c_void, reply: Reply) -> Result<State> {
    if state.is_null() {
        // SAFETY: as the table has written it.
        let why = unsafe { reply.into_result() }.err();
        return Err(why.unwrap_or_else(|| Error::new("no state")));
    }
    Ok(State(state))
}

/// The tasks of a table, which has this minor version or a later one.
pub fn tasks(plugin: &Plugin) -> impl Iterator<Item = &Task> {
    (0..plugin.task_count).map(|at| {
        // SAFETY: the table says so.
        unsafe { &*plugin.tasks.byte_add(at * plugin.task_size) }
    })
}
