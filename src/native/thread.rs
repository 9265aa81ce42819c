//! A worker of the native lane: a plain thread that pulls tasks until the pool retires it, or until
//! it has been idle for long enough.

use std::ffi::c_void;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::context::TaskContext;
use super::error::TaskError;
use super::parallel::Crew;
use super::params::Params;
use super::parker::Parker;
use super::payload::{from_value, to_value};
use super::registry::{self, NativeTask};
use crate::scheduler::{Chunk, Ended, Finished, Outcome, Scheduler, Step, Taken, WorkerId};
use crate::sync::AtomicU32;
use crate::trust::Trust;

/// Reserved address space only: a page is used once it is touched.
const STACK: usize = 2 * 1024 * 1024;

/// Starts a worker of the native lane.
///
/// # Errors
/// When the system gives no thread.
pub fn launch(pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()> {
    let pool = Arc::clone(pool);
    let name = name_of(pool.label(), id);
    thread::Builder::new()
        .name(name)
        .stack_size(STACK)
        .spawn(move || work(&pool, id))?;
    Ok(())
}

/// The name of a worker's thread: as much of the pool's label as there is room for, and the worker.
fn name_of(label: &str, WorkerId(id): WorkerId) -> String {
    // Linux shows 15 bytes of a name.
    let worker = format!(" {id}");
    let room = 15usize.saturating_sub(worker.len());
    let label = label.replace('\0', "");
    format!(
        "{}{worker}",
        label[..label.floor_char_boundary(room)].trim_end()
    )
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
                Step::Run(taken) => finished = Some(run(pool, id, taken, &parker)),
                Step::Help(help) => pool.help(id, help),
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

fn run(pool: &Scheduler, id: WorkerId, taken: Taken, parker: &Parker) -> Finished {
    let (slot, generation) = (taken.slot, taken.key.generation);
    parker.begin(generation);
    // Of the task, and of what reads its input and writes its result.
    let executed = registry::contained(|| execute(pool, id, taken, parker));
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

fn execute(
    pool: &Scheduler,
    id: WorkerId,
    taken: Taken,
    parker: &Parker,
) -> Result<Outcome, TaskError> {
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
    let context = context.with_tally(&parker.tally);
    let workers = Workers {
        pool,
        id,
        cancelled: &parker.cancelled,
    };
    let context = context.with_crew(&workers).with_help_if(!taken.alone);
    let value = task.execute(input, &params, &context)?;
    Ok(Outcome::Returned(from_value(value)))
}

/// The other workers of the pool, as a task sees them.
#[derive(Debug)]
struct Workers<'a> {
    pool: &'a Scheduler,
    id: WorkerId,
    cancelled: &'a AtomicU32,
}

impl Crew for Workers<'_> {
    unsafe fn run(&self, count: usize, data: *const c_void, chunk: Chunk) -> Ended {
        // SAFETY: as the caller promises.
        unsafe {
            self.pool
                .share_chunks(self.id, count, data, chunk, self.cancelled)
        }
    }
}

/// The task at this place of [`registry::names`].
fn task(target: u32) -> Option<&'static NativeTask> {
    registry::all().nth(target as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_thread_has_the_label_of_its_pool_and_its_number() {
        assert_eq!(name_of("images", WorkerId(3)), "images 3");
        assert_eq!(
            name_of("thumbnails.worker", WorkerId(12)),
            "thumbnails.w 12"
        );
        assert_eq!(name_of("ééééééééé", WorkerId(1)), "éééééé 1");
        assert_eq!(name_of("a\0b", WorkerId(1)), "ab 1");
    }
}
