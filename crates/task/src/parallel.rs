//! One task on several workers: flat lists of chunks, which the task's own worker shares with the workers that have
//! nothing else to do.
//!
//! A chunk should take from 50 µs to 1 ms. A helping worker leaves at the end of a chunk when a task wants its place,
//! and a task that is given up ends there. The result must not depend on which worker runs a chunk, or when.

use std::ffi::c_void;
use std::sync::Mutex;

use crate::abi::ended;
use crate::context::{BYTES, Context};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::panics::contained;

/// The return type of a chunk: nothing, or a `Result`.
pub trait ChunkResult {
    /// The error, if there is one. It ends the task.
    ///
    /// # Errors
    /// The error of the chunk.
    fn into_result(self) -> Result<()>;
}

impl ChunkResult for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl ChunkResult for Result<()> {
    fn into_result(self) -> Result<()> {
        self
    }
}

/// The data that the chunks of a job share.
struct Work<F> {
    run: F,
    /// The error of the chunk that ended the job.
    stop: Mutex<Option<Error>>,
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
    match contained(|| (work.run)(index).into_result()) {
        Ok(()) => 0,
        Err(error) => {
            locked(&work.stop).get_or_insert(error);
            1
        }
    }
}

/// The data behind these locks are never half changed, so a poisoned lock is taken as it is.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

impl Context<'_> {
    /// Runs `work` for each index below `count`, on this worker and on those that have nothing else to do. Within a
    /// chunk, the indices of a nested call run one after another.
    ///
    /// # Errors
    /// The first error or panic of a chunk, or [`Error::Cancelled`].
    pub fn parallel<R: ChunkResult>(
        &self,
        count: usize,
        work: impl Fn(usize) -> R + Sync,
    ) -> Result<()> {
        self.check()?;
        let Some((call, parallel)) = self.crew() else {
            for index in 0..count {
                self.check()?;
                work(index).into_result()?;
            }
            return Ok(());
        };
        share(work, |data, chunk| {
            // SAFETY: the data are `Sync`, are what the chunk takes them for, and outlive the call.
            unsafe { parallel(call, count, data, chunk) }
        })
    }

    /// As [`parallel`](Self::parallel), for pieces of `items` with `size` items each; the last piece may be shorter.
    /// `work` gets the number of the piece and the piece.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn parallel_chunks<T: Sync, R: ChunkResult>(
        &self,
        items: &[T],
        size: usize,
        work: impl Fn(usize, &[T]) -> R + Sync,
    ) -> Result<()> {
        self.parallel(items.len().div_ceil(size), |index| {
            let start = index * size;
            work(index, &items[start..items.len().min(start + size)])
        })
    }

    /// As [`parallel_chunks`](Self::parallel_chunks), for pieces that `work` changes.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn parallel_chunks_mut<T: Send, R: ChunkResult>(
        &self,
        items: &mut [T],
        size: usize,
        work: impl Fn(usize, &mut [T]) -> R + Sync,
    ) -> Result<()> {
        self.parallel_items(items.chunks_mut(size).collect(), work)
    }

    /// As [`parallel`](Self::parallel), for each of `items`. `work` gets the number of the item and the item.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    ///
    /// # Panics
    /// Never: each index is given out once.
    pub fn parallel_items<T: Send, R: ChunkResult>(
        &self,
        items: Vec<T>,
        work: impl Fn(usize, T) -> R + Sync,
    ) -> Result<()> {
        let items: Vec<_> = items
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        self.parallel(items.len(), |index| {
            let item = locked(&items[index]).take();
            work(index, item.expect("each index is given out once")).into_result()
        })
    }

    /// The results of `work` for each of `items`, in order.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    pub fn map_items<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(usize, T) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        let mut results: Vec<Option<R>> = Vec::new();
        results.resize_with(items.len(), || None);
        let pairs = items.into_iter().zip(&mut results).collect();
        self.parallel_items(pairs, |index, (item, result): (T, &mut Option<R>)| {
            *result = Some(work(index, item)?);
            Ok(())
        })?;
        Ok(results.into_iter().flatten().collect())
    }

    /// The results of `work` for each piece of `items` with `size` items, in order.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn map_chunks<T: Sync, R: Send>(
        &self,
        items: &[T],
        size: usize,
        work: impl Fn(usize, &[T]) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        self.map_items(items.chunks(size).collect(), work)
    }

    /// The results of `work` for each piece of `data` with `size` bytes, in order. The bytes are counted.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn map_pieces<R: Send>(
        &self,
        data: &Data<'_>,
        size: usize,
        work: impl Fn(usize, &[u8]) -> R + Sync,
    ) -> Result<Vec<R>> {
        let starts = (0..data.len()).step_by(size).collect();
        self.map_items(starts, |index, start: usize| {
            let range = start..data.len().min(start + size);
            let bytes = range.len() as i64;
            let result = data.with(range, &mut Vec::new(), |piece| work(index, piece));
            self.count(BYTES, bytes);
            Ok(result)
        })
    }

    /// Runs both functions, on two workers if another worker has nothing else to do.
    ///
    /// # Errors
    /// As for [`parallel`](Self::parallel).
    pub fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Result<(A, B)> {
        let (a, b) = (Once::new(a), Once::new(b));
        self.parallel(2, |index| match index {
            0 => a.run(),
            _ => b.run(),
        })?;
        Ok((a.result(), b.result()))
    }
}

/// A function that is called once, and its result.
struct Once<F, T>(Mutex<(Option<F>, Option<T>)>);

impl<F: FnOnce() -> T, T> Once<F, T> {
    fn new(function: F) -> Self {
        Self(Mutex::new((Some(function), None)))
    }

    fn run(&self) {
        let function = locked(&self.0).0.take();
        let result = function.map(|function| function());
        locked(&self.0).1 = result;
    }

    fn result(self) -> T {
        let (_, result) = self
            .0
            .into_inner()
            .unwrap_or_else(|broken| broken.into_inner());
        result.expect("each chunk has run")
    }
}

/// Lets `crew` run the chunks of `run`. `crew` returns how that ended.
fn share<F, R>(
    run: F,
    crew: impl FnOnce(*const c_void, unsafe extern "C" fn(*const c_void, usize) -> u32) -> u32,
) -> Result<()>
where
    F: Fn(usize) -> R + Sync,
    R: ChunkResult,
{
    let work = Work {
        run,
        stop: Mutex::new(None),
    };
    let how = crew((&raw const work).cast(), run_chunk::<F, R>);
    match work
        .stop
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner())
    {
        Some(error) => Err(error),
        None if how == ended::DONE => Ok(()),
        None => Err(Error::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::testing::Trial;
    use crate::value::Value;

    /// Runs a task without an input.
    fn run<O: crate::Output>(task: impl Fn(&Context<'_>) -> Result<O>) -> Result<Value<'static>> {
        Trial::new()
            .run(
                |(): (), (): (), context: &Context<'_>| task(context),
                (),
                (),
            )
            .result
    }

    #[test]
    fn each_index_runs_once() {
        let seen: Vec<_> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        run(|context| {
            context.parallel(100, |index| {
                seen[index].fetch_add(1, Relaxed);
            })
        })
        .unwrap();
        assert!(seen.iter().all(|count| count.load(Relaxed) == 1));
    }

    #[test]
    fn results_come_in_order_and_pieces_are_changed_in_place() {
        let doubled = run(|context| {
            let mut items: Vec<u32> = (0..1000).collect();
            context.parallel_chunks_mut(&mut items, 64, |_, piece| {
                piece.iter_mut().for_each(|item| *item *= 2);
            })?;
            let sums = context.map_chunks(&items, 100, |at, piece| {
                Ok((at as u32, piece.iter().sum::<u32>()))
            })?;
            let in_order = sums.iter().enumerate().all(|(at, sum)| at as u32 == sum.0);
            assert!(in_order);
            let (a, b) = context.join(|| sums.len(), || items.len())?;
            Ok((
                sums.iter().map(|sum| sum.1).sum::<u32>(),
                a as u32,
                b as u32,
            ))
        });
        let expected: Vec<Value> = vec![999_000.into(), 10.into(), 1000.into()];
        assert_eq!(doubled, Ok(expected.into()));
    }

    #[test]
    fn the_first_error_a_panic_and_a_cancel_end_it() {
        let failed = run(|context| {
            context.parallel(1000, |index| match index {
                7 => Err(Error::new("seven")),
                _ => Ok(()),
            })
        });
        assert_eq!(failed, Err(Error::new("seven")));
        let panicked = run(|context| context.parallel(10, |index| assert!(index != 3, "three")));
        let error = panicked.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC");
        assert!(error.to_string().contains("three ("), "{error}");
        let trial = Trial::new().cancel_after(2);
        let outcome = trial.run(
            |(): (), (): (), context: &Context<'_>| {
                context.parallel(1_000_000, |_| context.count("n", 1))
            },
            (),
            (),
        );
        assert_eq!(outcome.result, Err(Error::Cancelled));
        assert!(outcome.counts["n"] < 1_000_000);
    }
}
