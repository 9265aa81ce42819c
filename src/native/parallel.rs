//! One task on several workers: flat lists of chunks, which the task's own worker and those that have nothing else to
//! do run between them (`scheduler::job`).
//!
//! A chunk should take from 50 µs to 1 ms: a worker that helps leaves at the end of one when a task wants its place, and
//! a task that is given up ends there. Which worker runs a chunk, and when, must not show in the result.

use std::ffi::c_void;
use std::fmt;

use parking_lot::Mutex;

use super::context::{BYTES, TaskContext};
use super::data::Data;
use super::error::TaskError;
use super::panics::{self, Panic};
use crate::scheduler::{Chunk, Ended};

/// Who runs the chunks of a task beside its own worker.
pub trait Crew: Sync + fmt::Debug {
    /// Has each chunk below `count` run once, by this thread and by others, until a chunk gives another number than 0
    /// or the task is given up. Returns when each that began has ended.
    ///
    /// # Safety
    /// Until this returns, `chunk` may be called with `data` from any thread.
    unsafe fn run(&self, count: usize, data: *const c_void, chunk: Chunk) -> Ended;
}

/// What a chunk gives: nothing, or whether it could do its work.
pub trait ChunkResult {
    /// The error that ends the task.
    fn into_result(self) -> Result<(), TaskError>;
}

impl ChunkResult for () {
    fn into_result(self) -> Result<(), TaskError> {
        Ok(())
    }
}

impl ChunkResult for Result<(), TaskError> {
    fn into_result(self) -> Result<(), TaskError> {
        self
    }
}

/// Why a chunk ended the job.
enum Stop {
    Failed(TaskError),
    Panicked(Panic),
}

/// What the chunks of a job share.
struct Work<F> {
    run: F,
    stop: Mutex<Option<Stop>>,
}

/// Runs a chunk. It does not unwind.
///
/// # Safety
/// `data` is a `Work<F>`.
unsafe extern "C" fn run_chunk<F, R>(data: *const c_void, index: usize) -> u32
where
    F: Fn(usize) -> R + Sync,
    R: ChunkResult,
{
    // SAFETY: as the caller promises.
    let work = unsafe { &*data.cast::<Work<F>>() };
    let stop = match panics::caught(|| (work.run)(index).into_result()) {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => Stop::Failed(error),
        Err(panic) => Stop::Panicked(panic),
    };
    work.stop.lock().get_or_insert(stop);
    1
}

impl TaskContext<'_> {
    /// Runs `work` for each index below `count`, on this worker and on those that have nothing else to do. Gives the
    /// first error of a chunk, or [`TaskError::Cancelled`]; goes on with the panic of one. Inside a chunk it runs
    /// the indices one after another.
    pub fn parallel<R: ChunkResult>(
        &self,
        count: usize,
        work: impl Fn(usize) -> R + Sync,
    ) -> Result<(), TaskError> {
        self.check()?;
        let Some(crew) = self.crew() else {
            for index in 0..count {
                self.check()?;
                work(index).into_result()?;
            }
            return Ok(());
        };
        share(crew, count, work)
    }

    /// As [`parallel`](Self::parallel), for pieces of `items` with `size` items each, the last one with what is left.
    /// `work` gets the number of the piece and the piece.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn parallel_chunks<T: Sync, R: ChunkResult>(
        &self,
        items: &[T],
        size: usize,
        work: impl Fn(usize, &[T]) -> R + Sync,
    ) -> Result<(), TaskError> {
        self.parallel(items.len().div_ceil(size), |index| {
            let start = index * size;
            work(index, &items[start..items.len().min(start + size)])
        })
    }

    /// As [`parallel_chunks`](Self::parallel_chunks), for pieces that `work` changes.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn parallel_chunks_mut<T: Send, R: ChunkResult>(
        &self,
        items: &mut [T],
        size: usize,
        work: impl Fn(usize, &mut [T]) -> R + Sync,
    ) -> Result<(), TaskError> {
        self.parallel_items(items.chunks_mut(size).collect(), work)
    }

    /// As [`parallel`](Self::parallel), for each of `items`, which `work` gets with its number.
    pub fn parallel_items<T: Send, R: ChunkResult>(
        &self,
        items: Vec<T>,
        work: impl Fn(usize, T) -> R + Sync,
    ) -> Result<(), TaskError> {
        let items: Vec<_> = items
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        self.parallel(items.len(), |index| {
            let item = items[index].lock().take();
            work(index, item.expect("each index is given out once")).into_result()
        })
    }

    /// What `work` gives for each of `items`, in order.
    pub fn map_items<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(usize, T) -> Result<R, TaskError> + Sync,
    ) -> Result<Vec<R>, TaskError> {
        let mut results: Vec<Option<R>> = Vec::new();
        results.resize_with(items.len(), || None);
        let pairs = items.into_iter().zip(&mut results).collect();
        self.parallel_items(pairs, |index, (item, result): (T, &mut Option<R>)| {
            *result = Some(work(index, item)?);
            Ok(())
        })?;
        Ok(results.into_iter().flatten().collect())
    }

    /// What `work` gives for each piece of `items` with `size` items, in order.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn map_chunks<T: Sync, R: Send>(
        &self,
        items: &[T],
        size: usize,
        work: impl Fn(usize, &[T]) -> Result<R, TaskError> + Sync,
    ) -> Result<Vec<R>, TaskError> {
        self.map_items(items.chunks(size).collect(), work)
    }

    /// What `work` gives for each piece of `data` with `size` bytes, in order; the bytes are counted.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn map_pieces<R: Send>(
        &self,
        data: &Data,
        size: usize,
        work: impl Fn(usize, &[u8]) -> R + Sync,
    ) -> Result<Vec<R>, TaskError> {
        let starts = (0..data.len()).step_by(size).collect();
        self.map_items(starts, |index, start: usize| {
            let range = start..data.len().min(start + size);
            let bytes = range.len() as i64;
            let result = data.with(range, &mut Vec::new(), |piece| work(index, piece));
            self.count(BYTES, bytes);
            Ok(result)
        })
    }

    /// Runs both, on two workers if another has nothing else to do.
    pub fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Result<(A, B), TaskError> {
        let (a, b) = (Once::new(a), Once::new(b));
        self.parallel(2, |index| match index {
            0 => a.run(),
            _ => b.run(),
        })?;
        Ok((a.result(), b.result()))
    }
}

/// A function that is called once, and what it gave.
struct Once<F, T>(Mutex<(Option<F>, Option<T>)>);

impl<F: FnOnce() -> T, T> Once<F, T> {
    fn new(function: F) -> Self {
        Self(Mutex::new((Some(function), None)))
    }

    fn run(&self) {
        let function = self.0.lock().0.take();
        let result = function.map(|function| function());
        self.0.lock().1 = result;
    }

    fn result(self) -> T {
        self.0.into_inner().1.expect("each chunk has run")
    }
}

fn share<F, R>(crew: &dyn Crew, count: usize, run: F) -> Result<(), TaskError>
where
    F: Fn(usize) -> R + Sync,
    R: ChunkResult,
{
    let work = Work {
        run,
        stop: Mutex::new(None),
    };
    // SAFETY: `work` is `Sync`, is what `run_chunk` takes it for, and outlives the call.
    let ended = unsafe { crew.run(count, (&raw const work).cast(), run_chunk::<F, R>) };
    match work.stop.into_inner() {
        Some(Stop::Panicked(panic)) => panic.resume(),
        Some(Stop::Failed(error)) => Err(error),
        None if ended == Ended::Cancelled => Err(TaskError::Cancelled),
        None => Ok(()),
    }
}
