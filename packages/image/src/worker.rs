//! The state of each worker.

use std::cell::OnceCell;

use rayon::{ThreadPool, ThreadPoolBuilder};
use rspool_task::{Error, Result};

/// The state of a worker.
pub(crate) struct Worker {
    pool: OnceCell<ThreadPool>,
}

impl Worker {
    pub(crate) fn new((): ()) -> Result<Self> {
        Ok(Self {
            pool: OnceCell::new(),
        })
    }

    /// A pool of one thread, for a library that wants a pool: otherwise it would make one for all cores.
    pub(crate) fn pool(&self) -> Result<&ThreadPool> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "rspool-image".into())
            .build()
            .map_err(|error| Error::new(format!("a thread could not be started: {error}")))?;
        Ok(self.pool.get_or_init(|| pool))
    }
}
