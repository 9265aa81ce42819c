//! One task, several workers: the worker of the task offers chunks and works itself; a helper works and leaves.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;

use super::Scheduler;
use crate::scheduler::clock::now;
use crate::scheduler::ids::WorkerId;
use crate::scheduler::job::{Chunk, Ended, Job};
use crate::scheduler::share;
use crate::scheduler::state::Help;
use crate::sync::{AtomicU32, Ordering::Relaxed};

/// Nanoseconds after which a task looks once more for help: a token may have become free, and nobody tells a pool so
/// that only wants help.
const LOOK_AGAIN: u64 = 5_000_000;

/// Nanoseconds for which a task spins for its last helpers: a chunk is short.
const ACTIVE: u64 = 20_000;

thread_local! {
    /// Whether this thread runs a chunk. If a chunk shares work, the thread runs all of that work itself.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs chunks of a job. Not to be called by a thread that already runs a chunk.
fn work(job: &Job, leave: impl FnMut() -> bool) {
    INSIDE.set(true);
    job.work(leave);
    INSIDE.set(false);
}

impl Scheduler {
    /// Runs the chunks below `count` on the worker that has a task, which calls this, and on others that have nothing
    /// else to do. Within a chunk, the chunks of a nested call run on that worker alone. Returns when each chunk that
    /// began has ended.
    ///
    /// # Safety
    /// Until this returns, `chunk` may be called with `data` from any thread and with any index below `count`, with
    /// each once.
    pub unsafe fn share_chunks(
        &self,
        id: WorkerId,
        count: usize,
        data: *const c_void,
        chunk: Chunk,
        cancelled: &AtomicU32,
    ) -> Ended {
        // SAFETY: as the caller promises; this returns only when nobody is inside.
        let job = Arc::new(unsafe { Job::new(count, data, chunk, cancelled) });
        if INSIDE.get() {
            job.work(|| false);
            return job.ended();
        }
        let most = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
        let offered = most > 0 && self.change(|state, _| state.offer(id, &job, most));
        if !offered {
            work(&job, || false);
            return job.ended();
        }
        let mut looked = now();
        work(&job, || {
            let now = now();
            if now.saturating_sub(looked) > LOOK_AGAIN {
                looked = now;
                self.change(|_, _| ());
            }
            false
        });
        self.lock().withdraw_offer(&job);
        let start = now();
        while !job.is_empty() && now().saturating_sub(start) < ACTIVE {
            std::hint::spin_loop();
        }
        job.wait();
        job.ended()
    }

    /// Whether this thread runs a chunk.
    #[must_use]
    pub fn is_in_chunk() -> bool {
        INSIDE.get()
    }

    /// Runs chunks of another worker's task until there are none, or this worker's place is wanted.
    pub fn help(&self, id: WorkerId, help: Help) {
        let Help { job, leave } = help;
        let mut wanted = false;
        work(&job, || {
            wanted = share::is_wanted();
            wanted || leave.load(Relaxed) != 0
        });
        self.change(|state, now| state.end_help(id, wanted, now));
        job.leave();
    }
}
