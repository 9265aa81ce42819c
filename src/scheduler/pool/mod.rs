//! A pool: the state behind its lock, and what follows a decision.
//!
//! Every method takes the lock, lets the [`State`] decide, releases the lock, and only then rings, sends or starts
//! anything. `submit` is the callers' side, `exchange` the workers', `steer` the owner's. `give_up` ends tasks that
//! nobody waits for any more, `alarms` handles what is due at a time, `follow_up` what comes after the lock. `held` is
//! the lock, `published` is readable without it, and `readings` reports on the pool. `stream` carries the chunks of native
//! tasks.

mod alarms;
mod exchange;
mod follow_up;
mod give_up;
mod held;
mod help;
mod published;
mod readings;
mod steer;
mod stream;
mod submit;

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use super::clock::now;
use super::ids::WorkerId;
use super::limits::PoolLimits;
use super::outbox::Outbox;
use super::rest;
use super::state::State;
use super::timer::{self, Clock};
use crate::manner::Manner;
use published::Published;

pub use exchange::Step;
pub use stream::Producer;
pub use submit::Submitted;

/// The native lane of a pool.
pub trait Launch: Send + Sync + fmt::Debug {
    /// Starts a thread that will [`join`](Scheduler::join) as this worker.
    ///
    /// # Errors
    /// If the system gives no thread.
    fn launch(&self, pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()>;
}

/// One pool.
#[derive(Debug)]
pub struct Scheduler {
    /// The owner's name for the pool.
    id: u32,
    idle_timeout: u32,
    manner: Manner,
    label: String,
    owner: Arc<Outbox>,
    native: Box<dyn Launch>,
    published: Published,
    /// For the timer and the CPU budget, which call the pool later.
    this: Weak<Self>,
    clock: Clock,
    /// Apart from the fields that are only read, because all threads write here.
    state: CachePadded<Mutex<State>>,
}

impl Scheduler {
    /// A pool without workers. Its `owner` knows it as `id`. `native` starts native workers.
    ///
    /// # Errors
    /// If the system gives no thread for the timer. Then there is no pool.
    pub fn new(
        id: u32,
        mut limits: PoolLimits,
        owner: Arc<Outbox>,
        native: impl Launch + 'static,
    ) -> io::Result<Arc<Self>> {
        let timer = timer::start()?;
        rest::watch(timer.clone());
        let (idle_timeout, manner) = (limits.idle_timeout, limits.manner);
        let label = std::mem::take(&mut limits.label);
        let state = CachePadded::new(Mutex::new(State::new(limits, now())));
        Ok(Arc::new_cyclic(|this: &Weak<Self>| Self {
            id,
            idle_timeout,
            manner,
            label,
            published: Published::new(Arc::clone(&owner)),
            owner,
            native: Box::new(native),
            this: this.clone(),
            clock: timer.clock(this.clone()),
            state,
        }))
    }

    /// Starts a native worker. Returns false if the system gives no thread.
    fn launch(&self, id: WorkerId) -> bool {
        // This method runs, so the pool is there.
        self.this
            .upgrade()
            .is_some_and(|this| self.native.launch(&this, id).is_ok())
    }

    /// Milliseconds after which an idle native worker ends; `u32::MAX` is never.
    #[must_use]
    pub fn idle_timeout(&self) -> u32 {
        self.idle_timeout
    }

    /// The name of the pool, for people.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How the threads of the workers are run.
    #[must_use]
    pub fn manner(&self) -> Manner {
        self.manner
    }
}
