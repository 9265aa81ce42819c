//! Tasks that are called as streams: they send chunks to their caller while they run.

use crate::abi::{Call, Emit, Host, Raw, sent};
use crate::context::{Context, Outside, field};
use crate::error::{Error, NOT_A_STREAM, Result, UNSUPPORTED};
use crate::output::Output;

/// The function that takes the chunks of a call.
enum Way<'a> {
    Host(*const Call, Emit),
    Reader(&'a dyn Fn(crate::Value<'static>)),
}

impl<'a> Context<'a> {
    /// Sends a chunk to the caller of a stream. If the caller has no room for it, waits until it has; meanwhile the task
    /// needs no place of its pool. To be called on the thread of the task, not within [`parallel`](Self::parallel).
    ///
    /// # Errors
    /// [`Error::Cancelled`] if nobody reads any more: return it at once. `ERR_RSPOOL_NOT_A_STREAM` if the task was not
    /// called as a stream; [`is_stream`](Self::is_stream) tells so beforehand. `ERR_RSPOOL_UNSUPPORTED` if this version
    /// of rspool has no streams.
    pub fn emit(&self, chunk: impl Output) -> Result<()> {
        self.check()?;
        let way = self.way()?;
        let chunk = chunk.into_value()?;
        let (call, emit) = match way {
            Way::Host(call, emit) => (call, emit),
            Way::Reader(read) => {
                read(chunk);
                return self.check();
            }
        };
        let mut chunk = Raw::from(chunk);
        // SAFETY: the call lasts, and the chunk is made here.
        match unsafe { emit(call, &raw mut chunk) } {
            sent::SENT => Ok(()),
            sent::CANCELLED => Err(Error::Cancelled),
            sent::ELSEWHERE => Err(Error::new(
                "a chunk can be sent only on the thread of the task, and not within chunks of parallel",
            )),
            _ => Err(Error::new("rspool takes no such chunk")),
        }
    }

    /// Whether the task was called as a stream, and can [`emit`](Self::emit).
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.way().is_ok()
    }

    fn way(&self) -> Result<Way<'a>> {
        let way = match self.outside() {
            Outside::Host(call, host) => {
                // SAFETY: the table is there as long as the call.
                let emit = unsafe { field!(host, Host, emit) };
                let Some(emit) = emit else {
                    return Err(Error::failed(
                        UNSUPPORTED,
                        "this version of rspool has no streams of native tasks",
                    ));
                };
                emit.map(|emit| Way::Host(call, emit))
            }
            Outside::Watcher(watcher) => watcher
                .and_then(|watcher| watcher.reader())
                .map(Way::Reader),
        };
        way.ok_or_else(|| {
            Error::failed(
                NOT_A_STREAM,
                "this task gives its result as chunks: call it by pool.stream()",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::context::Watcher;
    use crate::testing::Trial;
    use crate::value::Value;

    fn count(to: u32, _: (), context: &Context) -> Result<u32> {
        for n in 0..to {
            context.emit(n)?;
        }
        Ok(to)
    }

    #[test]
    fn chunks_come_in_order() {
        let outcome = Trial::new().run(count, 3, ());
        assert_eq!(outcome.result, Ok(3.into()));
        assert_eq!(outcome.chunks, [0, 1, 2].map(Value::from));
    }

    #[test]
    fn a_reader_that_leaves_ends_the_task() {
        let outcome = Trial::new().cancel_after(10).run(count, u32::MAX, ());
        assert_eq!(outcome.result, Err(Error::Cancelled));
        assert_eq!(outcome.chunks.len(), 10);
    }

    #[test]
    fn a_call_that_is_no_stream_says_so() {
        let outcome = Trial::new().without_stream().run(count, 3, ());
        let error = outcome.result.unwrap_err();
        assert_eq!(error.code(), NOT_A_STREAM);
        let either = |(): (), (): (), context: &Context<'_>| Ok(context.is_stream());
        let trial = Trial::new().without_stream();
        assert_eq!(trial.run(either, (), ()).result, Ok(false.into()));
        assert_eq!(Trial::new().run(either, (), ()).result, Ok(true.into()));
        let error = count(1, (), &Context::detached()).unwrap_err();
        assert_eq!(error.code(), NOT_A_STREAM);
    }

    #[test]
    fn chunks_within_parallel_are_refused() {
        let outcome = Trial::new().run(
            |(): (), (): (), context: &Context<'_>| context.parallel(4, |_| context.emit(1)),
            (),
            (),
        );
        let error = outcome.result.unwrap_err();
        assert!(error.to_string().contains("thread of the task"), "{error}");
        assert_eq!(outcome.chunks, []);
    }

    #[test]
    fn a_watcher_may_read() {
        struct Reader<F>(F);
        impl<F: Fn(Value<'static>) + Sync> Watcher for Reader<F> {
            fn count(&self, _: &str, _: i64) {}
            fn reader(&self) -> Option<&dyn Fn(Value<'static>)> {
                Some(&self.0)
            }
        }
        let seen = Mutex::new(Vec::new());
        let reader = Reader(|chunk| seen.lock().unwrap().push(chunk));
        let cancel = AtomicU32::new(0);
        count(2, (), &Context::new(&cancel, Some(&reader))).unwrap();
        assert_eq!(*seen.lock().unwrap(), [Value::from(0), 1.into()]);
    }
}
