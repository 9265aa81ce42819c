//! The context of a running task: whether it should stop, the counters and the progress that it reports, and its state.
//! A task calls [`Context::check`] after every few milliseconds of work at most, and returns the error at once.

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use crate::abi::{Call, Host, Parallel, Str};
use crate::data::Pieces;
use crate::error::{Error, Result};
use crate::state;
use crate::value::Value;

/// Bytes of input that a task may handle between two checks. At a slow 100 MB/s this is 2.5 ms of work; at 10 GB/s, a
/// check every 25 µs still costs nothing.
pub const CHUNK: usize = 256 * 1024;

/// Counts the bytes of input that a task has worked through.
pub const BYTES: &str = "bytes";
/// Counts the elements, rows or steps that a task has worked through.
pub const ROWS: &str = "rows";
/// Counts the tasks that have ended well. The code that runs a task counts it, not the task.
pub const DONE: &str = "done";

/// Observes a task that runs without a host.
pub trait Watcher: Sync {
    /// The task adds to a counter.
    fn count(&self, counter: &str, n: i64);
    /// The task reports its progress.
    fn progress(&self, _value: f64) {}
    /// Takes the chunks of the task, if its call is a stream.
    fn reader(&self) -> Option<&dyn Fn(Value<'static>)> {
        None
    }
}

/// The context of one running task.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    cancelled: &'a AtomicU32,
    outside: Outside<'a>,
    state: state::Pointers,
    /// Whether other workers may run chunks of it.
    helped: bool,
    /// Whether its counts are reported.
    counted: bool,
}

/// The receiver of what the task reports.
#[derive(Clone, Copy)]
pub(crate) enum Outside<'a> {
    /// Pointers: the tables of an older host are shorter than ours.
    Host(*const Call, *const Host),
    Watcher(Option<&'a dyn Watcher>),
}

// SAFETY: the host's functions may be called from any thread while the call lasts (`abi`), the flag is atomic, and
// the states look at the thread themselves.
unsafe impl Send for Context<'_> {}
// SAFETY: as above.
unsafe impl Sync for Context<'_> {}

/// A field of a table of the host. It is read only if the table is long enough to have it.
macro_rules! field {
    ($table:expr, $type:ty, $field:ident) => {{
        let table: *const $type = $table;
        if (&raw const (*table).size).read() > ::core::mem::offset_of!($type, $field) {
            Some((&raw const (*table).$field).read())
        } else {
            None
        }
    }};
}
pub(crate) use field;

impl<'a> Context<'a> {
    /// A context for a test: the task is cancelled as soon as `cancel` is not zero.
    #[must_use]
    pub fn new(cancel: &'a AtomicU32, watcher: Option<&'a dyn Watcher>) -> Self {
        Self {
            cancelled: cancel,
            outside: Outside::Watcher(watcher),
            state: state::Pointers::NONE,
            helped: true,
            counted: true,
        }
    }

    /// The context of a call by the host.
    ///
    /// # Safety
    /// The call is as `abi` says, for `'a`, and this is the thread of its task.
    pub(crate) unsafe fn of(call: *const Call) -> Self {
        // SAFETY: the caller's promise: both are there since the first version.
        let (cancelled, host) = unsafe {
            (
                &*(&raw const (*call).cancelled).read(),
                (&raw const (*call).host).read(),
            )
        };
        Self {
            cancelled,
            outside: Outside::Host(call, host),
            // SAFETY: the caller's promise.
            state: unsafe { state::Pointers::of(call) },
            helped: true,
            counted: true,
        }
    }

    /// Whether the task should stop. This is one relaxed load: the flag orders nothing, and it does not matter whether
    /// the task sees it a little earlier or later.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed) != 0
    }

    /// [`Error::Cancelled`] if the task should stop.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Adds `n` to the counter of this name. Does nothing if the caller gave no counters or none of this name, or if
    /// they are gone. Takes a lock: count once per chunk of work, not per element.
    pub fn count(&self, counter: &str, n: i64) {
        if !self.counted {
            return;
        }
        match self.outside {
            Outside::Host(call, host) => {
                // SAFETY: the table is there as long as the call.
                if let Some(count) = unsafe { field!(host, Host, count) }.flatten() {
                    // SAFETY: the call lasts, and so does the name.
                    unsafe { count(call, Str::of(counter), n) }
                }
            }
            Outside::Watcher(watcher) => {
                if let Some(watcher) = watcher {
                    watcher.count(counter, n);
                }
            }
        }
    }

    /// Tells the caller how far the task is: a number of the task's choice, by custom from 0 to 1. The caller's
    /// `onProgress` may get only the last one. A report at each chunk of work costs nothing worth counting.
    pub fn progress(&self, value: f64) {
        match self.outside {
            Outside::Host(call, host) => {
                // SAFETY: the table is there as long as the call.
                if let Some(progress) = unsafe { field!(host, Host, progress) }.flatten() {
                    // SAFETY: the call lasts.
                    unsafe { progress(call, value) }
                }
            }
            Outside::Watcher(watcher) => {
                if let Some(watcher) = watcher {
                    watcher.progress(value);
                }
            }
        }
    }

    /// Goes through `bytes` in chunks of [`CHUNK`], with a check before each, and counts the bytes.
    pub fn for_each_chunk(
        &self,
        bytes: &(impl Pieces + ?Sized),
        mut work: impl FnMut(&[u8]),
    ) -> Result<()> {
        let mut buffer = Vec::new();
        for start in (0..bytes.size()).step_by(CHUNK) {
            self.check()?;
            let end = bytes.size().min(start + CHUNK);
            bytes.piece(start..end, &mut buffer, &mut work);
            self.count(BYTES, (end - start) as i64);
        }
        Ok(())
    }

    /// The function that runs chunks also on other workers, if there is one.
    pub(crate) fn crew(&self) -> Option<(*const Call, Parallel)> {
        match self.outside {
            Outside::Host(call, host) if self.helped => {
                // SAFETY: the table is there as long as the call.
                let parallel = unsafe { field!(host, Host, parallel) }.flatten();
                parallel.map(|parallel| (call, parallel))
            }
            _ => None,
        }
    }

    /// The receiver of what the task reports.
    pub(crate) const fn outside(&self) -> Outside<'a> {
        self.outside
    }

    /// The same context, without helpers unless `worthwhile`. One worker alone is faster at work of less than some
    /// milliseconds.
    #[must_use]
    pub fn with_help_if(self, worthwhile: bool) -> Self {
        Self {
            helped: self.helped && worthwhile,
            ..self
        }
    }

    /// The same context without counting: for a part of the work whose elements another part counts.
    #[must_use]
    pub fn uncounted(self) -> Self {
        Self {
            counted: false,
            ..self
        }
    }

    /// The state of this worker, as the plugin's `state` has made it. It belongs to this thread alone, and is dropped
    /// here when the worker ends.
    ///
    /// # Panics
    /// If the plugin has no state of this type, or this is not the task's own thread.
    #[must_use]
    pub fn state<S: 'static>(&self) -> &'a S {
        self.state.own()
    }

    /// The state that all workers of the pool share, as the plugin's `shared` has made it.
    ///
    /// # Panics
    /// If the plugin has no shared state of this type.
    #[must_use]
    pub fn shared<S: Send + Sync + 'static>(&self) -> &'a S {
        self.state.shared()
    }
}

impl Context<'static> {
    /// A context that never cancels and counts nowhere.
    #[must_use]
    pub fn detached() -> Self {
        static NEVER: AtomicU32 = AtomicU32::new(0);
        Self::new(&NEVER, None)
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flag_but_zero_cancels() {
        let cancel = AtomicU32::new(0);
        let context = Context::new(&cancel, None);
        assert_eq!(context.check(), Ok(()));
        for flag in [1, 2, u32::MAX] {
            cancel.store(flag, Relaxed);
            assert!(context.is_cancelled());
            assert_eq!(context.check(), Err(Error::Cancelled));
        }
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "a pattern")]
    fn chunks_cover_the_bytes_and_stop_when_cancelled() {
        let mut bytes = vec![0; 3 * CHUNK + 5];
        for (i, byte) in bytes.iter_mut().step_by(1009).enumerate() {
            *byte = i as u8;
        }
        let mut seen = Vec::new();
        Context::detached()
            .for_each_chunk(&bytes, |chunk| seen.extend_from_slice(chunk))
            .unwrap();
        assert_eq!(seen, bytes);

        let cancel = AtomicU32::new(0);
        let mut chunks = 0;
        let result = Context::new(&cancel, None).for_each_chunk(&bytes, |_| {
            chunks += 1;
            if chunks == 2 {
                cancel.store(1, Relaxed);
            }
        });
        assert_eq!((result, chunks), (Err(Error::Cancelled), 2));
    }
}
