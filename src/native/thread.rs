//! A worker of the native lane: a plain thread that pulls tasks until the pool retires it, or until
//! it has been idle for long enough.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::context::{Tally, TaskContext};
use super::error::TaskError;
use super::params::Params;
use super::payload::{from_value, to_value};
use super::registry::{self, NativeTask};
use crate::scheduler::{Bell, Finished, Outcome, Progress, Ring, Scheduler, Step, Taken, WorkerId};
use crate::trust::Trust;

/// Reserved address space only: a page is used once it is touched.
const STACK: usize = 2 * 1024 * 1024;

/// Starts a worker of the native lane.
///
/// # Errors
/// When the system gives no thread.
pub fn launch(pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()> {
    let pool = Arc::clone(pool);
    // Linux shows 15 bytes of a name.
    let name = format!("rspool-nat-{}", id.0);
    thread::Builder::new()
        .name(name)
        .stack_size(STACK)
        .spawn(move || work(&pool, id))?;
    Ok(())
}

fn work(pool: &Arc<Scheduler>, id: WorkerId) {
    // Whoever waits for this worker would wait for ever.
    let _trust = Trust::new("running a native worker");
    pool.manner().adopt();
    let parker = Arc::new(Parker::default());
    let idle = match pool.idle_timeout() {
        u32::MAX => None,
        ms => Some(Duration::from_millis(u64::from(ms))),
    };
    let mut finished = None;
    if pool.join(id, Arc::clone(&parker) as _) {
        loop {
            match pool.exchange(id, finished.take()) {
                Step::Run(taken) => finished = Some(run(taken, &parker)),
                Step::Retire => break,
                Step::Idle => {
                    if !parker.wait(idle) {
                        pool.expire_idle(id);
                    }
                }
            }
        }
    }
    pool.leave(id);
}

fn run(taken: Taken, parker: &Parker) -> Finished {
    let (slot, generation) = (taken.slot, taken.key.generation);
    parker.begin(generation);
    // Of the task, and of what reads its input and writes its result.
    let executed = registry::contained(|| execute(taken, parker));
    let outcome = match executed {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed {
            code: error.code(),
            message: error.to_string().into(),
        },
    };
    Finished {
        slot,
        generation,
        outcome,
    }
}

fn execute(taken: Taken, parker: &Parker) -> Result<Outcome, TaskError> {
    let task = task(taken.target).ok_or_else(|| TaskError::invalid("unknown native task"))?;
    let (mut params, mut counters) = (Params::none(), None);
    if let Some(attachments) = taken.attachments {
        if let Some(text) = &attachments.params {
            params = Params::from_json(text)?;
        }
        counters = attachments.counters;
    }
    let input = to_value(taken.payload)?;
    let context = TaskContext::new(&parker.cancelled, counters.as_deref());
    let value = task.execute(input, &params, &context.with_tally(&parker.tally))?;
    Ok(Outcome::Returned(from_value(value)))
}

/// The task at this place of [`registry::names`].
fn task(target: u32) -> Option<&'static NativeTask> {
    registry::all().nth(target as usize)
}

/// Where an idle thread sleeps, and how a running one is told to stop.
#[derive(Debug, Default)]
struct Parker {
    state: Mutex<Parked>,
    changed: Condvar,
    cancelled: AtomicU32,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Parked {
    rung: bool,
    /// The task that runs, so that a late cancel does not hit the next one.
    running: u32,
    /// The task that was last given up, so that an early cancel is not lost.
    given_up: u32,
}

impl Parker {
    /// Sleeps until rung. False if the time is over first.
    fn wait(&self, limit: Option<Duration>) -> bool {
        let mut state = self.state.lock();
        while !state.rung {
            match limit {
                None => self.changed.wait(&mut state),
                Some(limit) => {
                    if self.changed.wait_for(&mut state, limit).timed_out() {
                        break;
                    }
                }
            }
        }
        std::mem::take(&mut state.rung)
    }

    fn begin(&self, generation: u32) {
        self.tally.begin();
        let mut state = self.state.lock();
        state.running = generation;
        self.cancelled
            .store(u32::from(state.given_up == generation), Relaxed);
    }
}

impl Bell for Parker {
    fn ring(&self, _why: Ring) {
        self.state.lock().rung = true;
        self.changed.notify_one();
    }

    fn cancel(&self, _slot: u32, generation: u32) {
        let mut state = self.state.lock();
        state.given_up = generation;
        if state.running == generation {
            self.cancelled.store(1, Relaxed);
        }
    }

    fn progress(&self) -> Option<Progress> {
        Some(self.tally.read())
    }
}
