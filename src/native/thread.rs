//! A worker of the native lane: a plain thread that pulls tasks until the pool retires it, or until
//! it has been idle for long enough.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::context::TaskContext;
use super::error::TaskError;
use super::params::Params;
use super::parker::Parker;
use super::payload::{from_value, to_value};
use super::registry::{self, NativeTask};
use crate::scheduler::{Finished, Outcome, Scheduler, Step, Taken, WorkerId};
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
