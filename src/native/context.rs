//! What a running task sees of the outside: whether it should stop, and the counters it may count
//! into. A task calls [`TaskContext::check`] after every few milliseconds of work at most, and
//! returns the error it gives at once.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{self, Relaxed},
};

use super::data::Data;
use super::error::TaskError;
use super::parallel::Crew;
use crate::memory::counters::CounterSet;
use crate::scheduler::Progress;

/// Bytes of input that a task may handle between two checks. At 100 MB/s, which is slow, this is
/// 2.5 ms of work; at 10 GB/s a check every 25 µs still costs nothing.
pub const CHUNK: usize = 256 * 1024;

/// Input bytes that a task has worked through.
pub const BYTES: &str = "bytes";
/// Elements, rows or steps that a task has worked through.
pub const ROWS: &str = "rows";
/// Tasks that have ended well. Counted for every task by [`super::registry::NativeTask::execute`].
pub const DONE: &str = "done";

/// What the task that runs on a thread has counted, whether its caller gave counters or not. It orders
/// nothing: whoever looks sees it a little earlier or later.
#[derive(Debug, Default)]
pub struct Tally {
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Tally {
    /// Another task begins.
    pub fn begin(&self) {
        self.bytes.store(0, Relaxed);
        self.rows.store(0, Relaxed);
    }

    /// What has been counted.
    pub fn read(&self) -> Progress {
        Progress {
            bytes: self.bytes.load(Relaxed),
            rows: self.rows.load(Relaxed),
        }
    }

    fn count(&self, counter: &str, n: i64) {
        let cell = match counter {
            BYTES => &self.bytes,
            ROWS => &self.rows,
            _ => return,
        };
        cell.fetch_add(n.unsigned_abs(), Relaxed);
    }
}

/// The surroundings of one running task.
#[derive(Debug, Clone, Copy)]
pub struct TaskContext<'a> {
    cancel: &'a AtomicU32,
    counters: Option<&'a CounterSet>,
    tally: Option<&'a Tally>,
    crew: Option<&'a dyn Crew>,
}

impl<'a> TaskContext<'a> {
    /// A context whose task is cancelled as soon as `cancel` is not zero. What the other values
    /// mean is up to whoever sets them.
    pub const fn new(cancel: &'a AtomicU32, counters: Option<&'a CounterSet>) -> Self {
        Self {
            cancel,
            counters,
            tally: None,
            crew: None,
        }
    }

    /// With a tally, which is counted into beside the caller's counters.
    pub const fn with_tally(self, tally: &'a Tally) -> Self {
        Self {
            tally: Some(tally),
            ..self
        }
    }

    /// With others that may run chunks of the task.
    pub const fn with_crew(self, crew: &'a dyn Crew) -> Self {
        Self {
            crew: Some(crew),
            ..self
        }
    }

    /// The same, without them unless `worthwhile`: work of less than some milliseconds is done sooner alone.
    pub const fn with_help_if(self, worthwhile: bool) -> Self {
        Self {
            crew: if worthwhile { self.crew } else { None },
            ..self
        }
    }

    /// The same, counting nothing: for a part of the work whose elements are counted in another.
    #[must_use]
    pub const fn uncounted(self) -> Self {
        Self {
            counters: None,
            tally: None,
            ..self
        }
    }

    pub(super) fn crew(&self) -> Option<&'a dyn Crew> {
        self.crew
    }

    /// Whether the task should stop. One relaxed load: the flag orders nothing, it is only seen a
    /// little earlier or later.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) != 0
    }

    /// [`TaskError::Cancelled`] if the task should stop.
    pub fn check(&self) -> Result<(), TaskError> {
        if self.is_cancelled() {
            return Err(TaskError::Cancelled);
        }
        Ok(())
    }

    /// Adds `n` to the counter of this name. Does nothing if the caller gave no counters, none of
    /// this name, or they are gone. Takes a lock: count once per chunk of work, not per element.
    pub fn count(&self, counter: &str, n: i64) {
        if let Some(tally) = self.tally {
            tally.count(counter, n);
        }
        if let Some(counters) = self.counters {
            counters.add(counter, n);
        }
    }

    /// Goes through `data` in chunks of [`CHUNK`], with a check before each, and counts them.
    pub fn for_each_chunk(
        &self,
        data: &Data,
        mut work: impl FnMut(&[u8]),
    ) -> Result<(), TaskError> {
        let mut buffer = Vec::new();
        for start in (0..data.len()).step_by(CHUNK) {
            self.check()?;
            let end = data.len().min(start + CHUNK);
            data.with(start..end, &mut buffer, &mut work);
            self.count(BYTES, (end - start) as i64);
        }
        Ok(())
    }
}

impl TaskContext<'static> {
    /// A context that never cancels and counts nowhere.
    pub const fn detached() -> Self {
        static NEVER: AtomicU32 = AtomicU32::new(0);
        Self::new(&NEVER, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flag_but_zero_cancels() {
        let cancel = AtomicU32::new(0);
        let context = TaskContext::new(&cancel, None);
        assert_eq!(context.check(), Ok(()));
        for flag in [1, 2, u32::MAX] {
            cancel.store(flag, Ordering::Relaxed);
            assert!(context.is_cancelled());
            assert_eq!(context.check(), Err(TaskError::Cancelled));
        }
    }

    #[test]
    fn chunks_cover_the_bytes_and_stop_when_cancelled() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 5).map(|i| i as u8).collect();
        let mut seen = Vec::new();
        TaskContext::detached()
            .for_each_chunk(&bytes.clone().into(), |chunk| seen.extend_from_slice(chunk))
            .unwrap();
        assert_eq!(seen, bytes);

        let cancel = AtomicU32::new(0);
        let mut chunks = 0;
        let result = TaskContext::new(&cancel, None).for_each_chunk(&bytes.into(), |_| {
            chunks += 1;
            if chunks == 2 {
                cancel.store(1, Ordering::Relaxed);
            }
        });
        assert_eq!((result, chunks), (Err(TaskError::Cancelled), 2));
    }
}
