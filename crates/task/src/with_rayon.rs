//! The way out for crates that insist on rayon: their threads are workers of the pool, for as long as one call.
//!
//! rayon fixes the number of threads when it makes a pool, and a thread of it ends only with the pool. So the threads of
//! this pool are started by those who come to help: each worker that takes a chunk of the job becomes one of them. The
//! task's own worker waits for the result; one thread of its own works in its place. A thread for which no worker comes
//! never starts. So no more threads run than the pool has places for.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rayon_core::{ThreadBuilder, ThreadPoolBuilder};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::panics::contained;

/// How often a helper that waits for the pool looks whether the task was given up. The pool is made within less.
const LOOK: Duration = Duration::from_millis(1);

/// The threads of a pool of rayon that nobody runs yet.
#[derive(Default)]
struct Threads {
    /// None until the pool is made, or once it has ended.
    waiting: Option<Vec<ThreadBuilder>>,
    ended: bool,
}

/// Where helpers wait for a thread to run.
#[derive(Default)]
struct Desk {
    threads: Mutex<Threads>,
    changed: Condvar,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.threads
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// A thread for a helper, once the pool is made. None if there is none left, or the pool has ended. If the task is
    /// given up before its own chunk begins, no pool is made.
    fn next(&self, is_cancelled: impl Fn() -> bool) -> Option<ThreadBuilder> {
        let mut threads = self.lock();
        loop {
            if threads.ended || is_cancelled() {
                return None;
            }
            if let Some(waiting) = &mut threads.waiting {
                return waiting.pop();
            }
            let waited = self.changed.wait_timeout(threads, LOOK);
            threads = waited.unwrap_or_else(|broken| broken.into_inner()).0;
        }
    }

    fn open(&self, waiting: Vec<ThreadBuilder>) {
        self.lock().waiting = Some(waiting);
        self.changed.notify_all();
    }

    /// Nobody becomes a thread of the pool any more.
    fn close(&self) {
        *self.lock() = Threads {
            waiting: None,
            ended: true,
        };
        self.changed.notify_all();
    }
}

/// Closes the desk even if the work panics: a helper must not wait for a pool that never comes.
struct Closing<'a>(&'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Context<'_> {
    /// Runs `work` in a pool of rayon whose threads are this worker and those that have nothing else to do, and gives
    /// them back when `work` has ended. Within `work`, `rayon::join`, parallel iterators and `scope` use that pool;
    /// `broadcast` does not work, since threads for which no worker comes never start. Making the pool takes about
    /// 0.2 ms, and a worker that helps stays until `work` has ended, even if a task wants its place. So this is for
    /// crates that insist on rayon, and for work of 20 ms and more; otherwise use [`parallel`](Self::parallel). `work`
    /// itself looks at [`is_cancelled`](Self::is_cancelled).
    ///
    /// # Errors
    /// [`Error::Cancelled`], a panic of `work`, or a failure if the system gives no thread.
    pub fn with_rayon<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let (desk, caller) = (Desk::default(), thread::current().id());
        let work = Mutex::new(Some(work));
        let result = Mutex::new(None);
        // There are as many chunks as threads, and one helper fewer, each of which stays in its chunk. So the caller always
        // gets one.
        self.parallel(count, |_| {
            if thread::current().id() != caller {
                return match desk.next(|| self.is_cancelled()) {
                    Some(thread) => run(thread),
                    None => Ok(()),
                };
            }
            let taken = work.lock().map_or(None, |mut work| work.take());
            let Some(work) = taken else {
                return Ok(());
            };
            let value = install(&desk, count, work)?;
            if let Ok(mut result) = result.lock() {
                *result = Some(value);
            }
            Ok(())
        })?;
        let result = result
            .into_inner()
            .unwrap_or_else(|broken| broken.into_inner());
        result.ok_or(Error::Cancelled)
    }
}

/// Is a thread of rayon until its pool ends. Its panics are those of jobs, which rayon gives to their callers.
fn run(thread: ThreadBuilder) -> Result<()> {
    contained(|| {
        thread.run();
        Ok(())
    })
}

/// Makes the pool, runs the work in it, and ends it.
fn install<T: Send>(desk: &Desk, count: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let _closing = Closing(desk);
    let mut threads = Vec::new();
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .spawn_handler(|thread| {
            threads.push(thread);
            Ok(())
        })
        .build()?;
    thread::scope(|scope| {
        let own = threads.pop();
        let own = own.ok_or_else(|| Error::new("rayon has no thread"))?;
        thread::Builder::new().spawn_scoped(scope, || run(own))?;
        desk.open(threads);
        let result = contained(|| Ok(pool.install(work)));
        // Its threads end, so that the scope does.
        drop(pool);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use rayon_core::{current_num_threads, join, scope};

    use super::*;
    use crate::testing::Trial;
    use crate::value::Value;

    fn sum(numbers: &[u64]) -> u64 {
        if numbers.len() <= 64 {
            return numbers.iter().sum();
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        let (left, right) = join(|| sum(left), || sum(right));
        left + right
    }

    fn run_task<O: crate::Output>(
        task: impl Fn(&Context<'_>) -> Result<O>,
    ) -> Result<Value<'static>> {
        let task = |(): (), (): (), context: &Context<'_>| task(context);
        Trial::new().run(task, (), ()).result
    }

    #[test]
    fn work_runs_in_a_pool_of_its_own_and_ends_with_it() {
        let numbers: Vec<u64> = (0..100_000).collect();
        for _ in 0..20 {
            let result = run_task(|context| {
                let threads = context.with_rayon(current_num_threads)?;
                assert_eq!(threads, thread::available_parallelism().unwrap().get());
                context.with_rayon(|| sum(&numbers))
            });
            assert_eq!(result, Ok(Value::Number(4_999_950_000.0)));
        }
    }

    #[test]
    fn without_helpers_it_works_all_the_same() {
        let total = AtomicUsize::new(0);
        let result = Context::detached().with_rayon(|| {
            scope(|scope| {
                for n in 0..100 {
                    let total = &total;
                    scope.spawn(move |_| _ = total.fetch_add(n, Relaxed));
                }
            });
        });
        assert_eq!((result, total.into_inner()), (Ok(()), 4950));
    }

    #[test]
    fn a_panic_is_that_of_the_task_and_a_task_that_is_given_up_does_not_begin() {
        let result = run_task(|context| {
            context.with_rayon(|| {
                join(
                    || (),
                    || assert!(current_num_threads() == 0, "within rayon"),
                );
            })
        });
        let error = result.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC");
        assert!(error.to_string().contains("within rayon"), "{error}");
        let given_up = Trial::new().cancelled();
        let task = |(): (), (): (), context: &Context<'_>| context.with_rayon(|| ());
        assert_eq!(given_up.run(task, (), ()).result, Err(Error::Cancelled));
    }
}
