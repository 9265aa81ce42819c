//! A worker of the native lane: a plain thread that takes tasks until the pool retires it, or until it has been idle
//! for long enough.

use std::ffi::c_void;
use std::io;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use rspool_task::{Error, Params, Value, abi, panics};

use super::call::{Crew, Listener, Reader, Sending, Surroundings};
use super::parker::Parker;
use super::payload::{from_value, params_of, to_value};
use super::registry::{self, NativeTask};
use super::states::{Pair, PoolStates, WorkerStates};
use crate::scheduler::{
    Ended, Finished, Flow, Latest, Launch, Outcome, Producer, Scheduler, Step, Taken, WorkerId,
};
use crate::sync::Mutex;
use crate::trust::Trust;

/// Reserved address space only: a page takes memory once it is touched.
const STACK: usize = 2 * 1024 * 1024;

/// The native lane of a pool.
#[derive(Debug, Default)]
pub struct NativeLane {
    /// Its configs and states of plugins.
    pub states: PoolStates,
}

impl Launch for Arc<NativeLane> {
    /// Starts a worker of the native lane.
    fn launch(&self, pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()> {
        let (lane, pool) = (Self::clone(self), Arc::clone(pool));
        let name = name_of(pool.label(), id);
        thread::Builder::new()
            .name(name)
            .stack_size(STACK)
            .spawn(move || work(&lane, &pool, id))?;
        Ok(())
    }
}

/// The name of a worker's thread: as much of the pool's label as fits, and the worker's id.
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

fn work(lane: &NativeLane, pool: &Arc<Scheduler>, id: WorkerId) {
    // A caller that waits for this worker would wait for ever.
    let _trust = Trust::new("running a native worker");
    pool.manner().adopt();
    let parker = Arc::new(Parker::default());
    let idle = match pool.idle_timeout() {
        u32::MAX => None,
        ms => Some(Duration::from_millis(u64::from(ms))),
    };
    let mut finished = None;
    let mut states = WorkerStates::default();
    if pool.join(id, Arc::clone(&parker) as _) {
        loop {
            match pool.exchange(id, finished.take()) {
                Step::Run(taken) => {
                    let worker = Worker {
                        lane,
                        pool,
                        id,
                        parker: &parker,
                    };
                    finished = Some(worker.run(taken, &mut states));
                }
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
    // On this thread, and before others hear that it has ended.
    drop(states);
    pool.leave(id);
}

/// A worker that runs tasks.
#[derive(Debug)]
struct Worker<'a> {
    lane: &'a NativeLane,
    pool: &'a Scheduler,
    id: WorkerId,
    parker: &'a Parker,
}

impl Worker<'_> {
    fn run(&self, taken: Taken, states: &mut WorkerStates) -> Finished {
        let (slot, generation) = (taken.slot, taken.key.generation);
        self.parker.begin(generation);
        // Catches panics of the code that reads the input and writes the result; those of tasks are already caught.
        let executed = panics::contained(|| self.execute(taken, states));
        let outcome = executed.unwrap_or_else(|error| Outcome::Failed {
            code: error.code().to_owned().into(),
            message: error.to_string().into(),
        });
        Finished {
            slot,
            generation,
            outcome,
        }
    }

    fn execute(&self, taken: Taken, states: &mut WorkerStates) -> Result<Outcome, Error> {
        let task =
            registry::at(taken.target).ok_or_else(|| Error::invalid("unknown native task"))?;
        let result = self.call(task, taken, states);
        let value = result.map_err(|error| task.blame(error))?;
        let payload = from_value(value).map_err(|error| task.blame(error))?;
        Ok(Outcome::Returned(payload))
    }

    fn call(
        &self,
        task: &NativeTask,
        mut taken: Taken,
        states: &mut WorkerStates,
    ) -> Result<Value<'static>, Error> {
        let attachments = taken.attachments.take().unwrap_or_default();
        let teller = attachments.progress.then(|| Teller {
            pool: self.pool,
            ticket: taken.ticket,
            generation: taken.key.generation,
            latest: Arc::default(),
        });
        let sender = attachments.flow.as_deref().map(|flow| Sender {
            worker: self,
            producer: Producer::new(self.id, &taken),
            flow,
            thread: thread::current().id(),
            refused: Mutex::default(),
        });
        let params = match attachments.params.as_deref() {
            None => Params::none(),
            Some(text) => params_of(text, "params")?,
        };
        let states = match task.plugin {
            None => Pair::NONE,
            Some(plugin) => states.of(plugin, &self.lane.states)?,
        };
        let around = Surroundings {
            cancelled: &self.parker.cancelled,
            counters: attachments.counters.as_deref(),
            tally: &self.parker.tally,
            listener: teller.as_ref().map(|teller| teller as _),
            reader: sender.as_ref().map(|sender| sender as _),
            crew: if taken.alone { None } else { Some(self) },
            states,
        };
        let input = to_value(taken.payload)?;
        task.refuse_unknown(&input)?;
        task.execute(input, params, &around)
    }
}

/// Tells the owner of a task its progress.
#[derive(Debug)]
struct Teller<'a> {
    pool: &'a Scheduler,
    ticket: u32,
    generation: u32,
    latest: Arc<Latest>,
}

impl Listener for Teller<'_> {
    fn hear(&self, value: f64) {
        if self.latest.set(value) {
            self.pool
                .tell_progress(self.ticket, self.generation, &self.latest);
        }
    }
}

/// Sends the chunks of a task to its owner.
#[derive(Debug)]
struct Sender<'a> {
    worker: &'a Worker<'a>,
    producer: Producer,
    flow: &'a Flow,
    thread: ThreadId,
    /// Why a chunk was refused.
    refused: Mutex<Option<String>>,
}

impl Reader for Sender<'_> {
    fn take(&self, chunk: Value<'static>) -> Sending {
        let Worker { pool, parker, .. } = self.worker;
        if thread::current().id() != self.thread || Scheduler::is_in_chunk() {
            return Sending::Elsewhere;
        }
        let payload = match from_value(chunk) {
            Ok(payload) => payload,
            Err(why) => {
                self.refuse(why.to_string());
                return Sending::Malformed;
            }
        };
        let sent = pool.emit(self.producer, self.flow, payload, || {
            parker.wait(None);
        });
        if sent {
            Sending::Sent
        } else {
            Sending::Cancelled
        }
    }

    fn refuse(&self, why: String) {
        self.refused.lock().get_or_insert(why);
    }

    fn refused(&self) -> Option<String> {
        self.refused.lock().take()
    }
}

/// The other workers of the pool.
impl Crew for Worker<'_> {
    unsafe fn run(&self, count: usize, data: *const c_void, chunk: abi::Chunk) -> Ended {
        // SAFETY: as the caller promises.
        unsafe {
            self.pool
                .share_chunks(self.id, count, data, chunk, &self.parker.cancelled)
        }
    }
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
