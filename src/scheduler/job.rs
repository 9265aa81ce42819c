//! Work that one task shares with other workers: chunks, each of which is run by one of the workers.
//!
//! 1. The worker of the task runs chunk after chunk, and so does each worker that helps. One counter gives out the
//!    chunks.
//! 2. Helpers come in while the job is offered, under the scheduler's lock. Once the offer is withdrawn, under the same
//!    lock, no more come in.
//! 3. Then the worker of the task waits for the helpers that are inside. The last one to leave wakes it.
//!
//! So the data that a chunk uses need only live until that wait is over.

use std::ffi::c_void;

use crate::sync::{
    AtomicU32, AtomicUsize, Condvar, Mutex,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Runs the chunk of this index. `data` is the pointer that was passed with the function. If it returns another number
/// than 0, the job ends: no further chunk begins. Must not unwind.
pub type Chunk = unsafe extern "C" fn(data: *const c_void, index: usize) -> u32;

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Ended {
    /// Each chunk ran.
    Done = 0,
    /// A chunk stopped it.
    Stopped = 1,
    /// Its task was given up.
    Cancelled = 2,
}

/// The chunks of one job, and the number of helpers inside.
#[derive(Debug)]
pub(super) struct Job {
    chunk: Chunk,
    data: *const c_void,
    cancelled: *const AtomicU32,
    count: usize,
    next: AtomicUsize,
    /// Not 0 once a chunk has ended the job.
    stopped: AtomicU32,
    /// The number of helpers inside.
    inside: AtomicU32,
    lock: Mutex<()>,
    left: Condvar,
}

// SAFETY: `chunk` may be called with `data` from any thread, and the flag read, as the caller of `new` promises.
unsafe impl Send for Job {}
// SAFETY: as above; all else is atomic or a lock.
unsafe impl Sync for Job {}

impl Job {
    /// `count` chunks, none of which begins once `cancelled` is not 0.
    ///
    /// # Safety
    /// Until [`wait`](Self::wait) has returned after the last [`enter`](Self::enter), `chunk` may be called with `data`
    /// from any thread and with any index below `count`, with each once, and `cancelled` may be read.
    pub(super) unsafe fn new(
        count: usize,
        data: *const c_void,
        chunk: Chunk,
        cancelled: *const AtomicU32,
    ) -> Self {
        Self {
            chunk,
            data,
            cancelled,
            count,
            next: AtomicUsize::new(0),
            stopped: AtomicU32::new(0),
            inside: AtomicU32::new(0),
            lock: Mutex::default(),
            left: Condvar::default(),
        }
    }

    /// Whether there are chunks that nobody has begun. A worker that is not inside may ask, too.
    pub(super) fn has_chunks(&self) -> bool {
        self.stopped.load(Relaxed) == 0 && self.next.load(Relaxed) < self.count
    }

    fn is_cancelled(&self) -> bool {
        // SAFETY: who asks is inside, or has the task, so the flag is there.
        unsafe { &*self.cancelled }.load(Relaxed) != 0
    }

    /// Runs chunks until there are none, the job has ended, or `leave`, which is asked before each chunk, returns true.
    pub(super) fn work(&self, mut leave: impl FnMut() -> bool) {
        while self.stopped.load(Relaxed) == 0 && !self.is_cancelled() && !leave() {
            // Relaxed: this only gives out the chunk. `leave` and `wait` hand over what the chunks write.
            let index = self.next.fetch_add(1, Relaxed);
            if index >= self.count {
                return;
            }
            // SAFETY: who works is inside, or has the task; each index is given out once.
            if unsafe { (self.chunk)(self.data, index) } != 0 {
                self.stopped.store(1, Relaxed);
            }
        }
    }

    /// A helper comes in. Only while the job is offered, so before [`wait`](Self::wait).
    pub(super) fn enter(&self) {
        self.inside.fetch_add(1, Relaxed);
    }

    /// A helper leaves. It uses no data of the caller any more.
    pub(super) fn leave(&self) {
        // Release: a thread that finds nobody inside sees what the helper's chunks wrote.
        if self.inside.fetch_sub(1, AcqRel) == 1 {
            // A waiting thread either looked before it was locked here, and hears the bell, or looks after it.
            let _lock = self.lock.lock();
            self.left.notify_one();
        }
    }

    /// Whether nobody is inside.
    pub(super) fn is_empty(&self) -> bool {
        self.inside.load(Acquire) == 0
    }

    /// Waits until nobody is inside. To be called after the offer was withdrawn.
    pub(super) fn wait(&self) {
        let mut lock = self.lock.lock();
        while !self.is_empty() {
            self.left.wait(&mut lock);
        }
    }

    /// How the job ended, for the worker of the task.
    pub(super) fn ended(&self) -> Ended {
        if self.stopped.load(Relaxed) != 0 {
            Ended::Stopped
        } else if self.is_cancelled() {
            Ended::Cancelled
        } else {
            Ended::Done
        }
    }
}
