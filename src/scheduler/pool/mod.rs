//! A pool: the state behind its lock, and what follows a decision.
//!
//! Every method takes the lock, has the [`State`] decide, releases it and only then rings, sends or starts
//! anything. `submit` is the callers' side, `exchange` the workers', `steer` the owner's; `give_up` ends what
//! nobody waits for any more, `alarms` is what comes with time, `follow_up` what comes after the lock,
//! `published` what is seen without it, and `readings` what is told of all that.

mod alarms;
mod exchange;
mod follow_up;
mod give_up;
mod published;
mod readings;
mod steer;
mod submit;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::clock::now;
use super::ids::WorkerId;
use super::limits::PoolLimits;
use super::outbox::Outbox;
use super::state::State;
use crate::manner::Manner;
use published::Published;

pub use exchange::Step;
pub use submit::Submitted;

/// Starts a thread that will [`join`](Scheduler::join) as this worker.
type Launch = fn(&Arc<Scheduler>, WorkerId) -> io::Result<()>;

/// One pool.
#[derive(Debug)]
pub struct Scheduler {
    /// The owner's name for the pool.
    id: u32,
    abort_grace: u32,
    idle_timeout: u32,
    manner: Manner,
    owner: Arc<Outbox>,
    launch: Launch,
    published: Published,
    /// Whether an [`Alarm::Wakers`](super::timer::Alarm::Wakers) is armed.
    doubting: AtomicBool,
    state: Mutex<State>,
}

impl Scheduler {
    /// A pool without workers, which `owner` hears of as `id`. `launch` starts native workers: threads that
    /// will [`join`](Self::join).
    #[must_use]
    pub fn new(id: u32, limits: PoolLimits, owner: Arc<Outbox>, launch: Launch) -> Arc<Self> {
        let (abort_grace, idle_timeout) = (limits.abort_grace, limits.idle_timeout);
        let manner = limits.manner;
        let state = Mutex::new(State::new(limits, now()));
        Arc::new(Self {
            id,
            abort_grace,
            idle_timeout,
            manner,
            owner,
            launch,
            published: Published::default(),
            doubting: AtomicBool::new(false),
            state,
        })
    }

    /// Milliseconds after which an idle native worker ends; `u32::MAX` is never.
    #[must_use]
    pub fn idle_timeout(&self) -> u32 {
        self.idle_timeout
    }

    /// How the threads of the workers are run.
    #[must_use]
    pub fn manner(&self) -> Manner {
        self.manner
    }
}
