//! The watcher: one thread of the primary that watches all processes of a cluster.
//!
//! Four times a second, and as soon as a process ends, the watcher looks at every watched seat:
//!
//! 1. A process with a stalled loop is asked for its JavaScript stack (a request in its seat, which a helper thread in
//!    that process answers). It gets a second to answer, and is killed.
//! 2. Once a second the processes are read. Three readings of memory in a row above the limit are reported.
//!
//! Another thread, [`deaths`](super::deaths), puts in order what an ended process leaves behind.
//!
//! Readings and reports wait for the primary's JavaScript to take them. The watcher waits for nothing, and JavaScript
//! never waits for a reading, because the lock is not held while the system is asked.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::deaths::Deaths;
use super::handle::ProcessHandle;
use super::reading::{self, Details, Usage};
use super::stall::{Judge, Look, Verdict};
use super::wake::Wake;
use crate::memory::map::Map;
use crate::memory::region::Region;
use crate::wire::region::{ask, seat, seat_state};

/// The number of readings in a row above the limit that make a report.
const READINGS: u32 = 3;
const TURN: Duration = Duration::from_millis(250);
const READ_EVERY: Duration = Duration::from_secs(1);
/// Reading the share of memory is costly, and holds the process up meanwhile.
const READ_SHARE_EVERY: Duration = Duration::from_secs(5);
const STACK_WAIT: Duration = Duration::from_secs(1);
/// How long to sleep while there is nothing to look at.
const IDLE: Duration = Duration::from_secs(3600);

/// What to watch in a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// How long the loop may be silent; none for any time.
    pub stall: Option<Duration>,
    /// The limit of resident memory in bytes, not counting shared memory; none for any number.
    pub memory: Option<u64>,
    /// The process has a helper that answers with its stack.
    pub stack: bool,
}

/// Something that happened to a watched process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The loop was silent for `silent_ms`, and the process was killed. `stack` is empty if none could be had.
    Stalled {
        /// The process.
        pid: u32,
        /// Milliseconds.
        silent_ms: u64,
        /// As JavaScript prints it.
        stack: String,
    },
    /// Memory was above the limit three times in a row.
    Memory {
        /// The process.
        pid: u32,
        /// Bytes.
        rss: u64,
    },
}

/// The last reading of a process, at most a second old while the watcher runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// State, CPU time, memory, threads.
    pub usage: Usage,
    /// Descriptors, and the share of memory as of some seconds ago.
    pub details: Details,
    /// Cores in use since the reading before: 1 is one whole core.
    pub cpu: f64,
}

/// The data of a watched process that the primary and the thread share.
#[derive(Clone, Debug)]
struct Watched {
    pid: u32,
    handle: Option<Arc<ProcessHandle>>,
    limits: Limits,
    reading: Option<Reading>,
}

/// A loop that was found stalled.
#[derive(Debug)]
struct Stalled {
    since: Instant,
    silent_ms: u64,
    /// The request for its stack, once it could be made.
    asked: Option<u32>,
    reported: bool,
}

/// The data of a process that only the thread has.
#[derive(Debug)]
struct Record {
    pid: u32,
    judge: Option<Judge>,
    stalled: Option<Stalled>,
    reading: Option<(Instant, Reading)>,
    shared_at: Option<Instant>,
    above: u32,
    ended: bool,
}

#[derive(Debug, Default)]
struct State {
    seats: HashMap<usize, Watched>,
    reports: Vec<Report>,
    stopped: bool,
}

#[derive(Debug)]
struct Shared {
    region: Region,
    state: Mutex<State>,
    wake: Wake,
}

/// A running watcher. Dropping it stops the thread, and kills no process.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    deaths: Deaths,
}

impl Watch {
    /// Starts the thread, which watches the seats of `region`. It puts in order what ended processes leave behind in
    /// `maps`.
    pub fn start(region: Region, maps: Vec<Arc<Map>>) -> io::Result<Watch> {
        let deaths = Deaths::start(region.remap().map_err(io::Error::other)?, maps)?;
        let shared = Arc::new(Shared {
            region,
            state: Mutex::default(),
            wake: Wake::new()?,
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-watch".into())
            .stack_size(128 * 1024)
            .spawn(move || run(&theirs))?;
        Ok(Watch { shared, deaths })
    }

    /// Watches `pid`, which has the seat, with these limits.
    pub fn add(&self, seat: usize, pid: u32, limits: Limits) {
        let watched = Watched {
            pid,
            handle: ProcessHandle::open(pid).ok().map(Arc::new),
            limits,
            reading: None,
        };
        if let Some(handle) = &watched.handle {
            self.deaths.add(seat, Arc::clone(handle));
        }
        self.shared.state.lock().seats.insert(seat, watched);
        self.shared.wake.ring();
    }

    /// Ends the watch over a seat.
    pub fn remove(&self, seat: usize) {
        self.deaths.remove(seat);
        self.shared.state.lock().seats.remove(&seat);
    }

    /// Takes the reports since the last call.
    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut self.shared.state.lock().reports)
    }

    /// The last reading of the process in a seat; none before the first.
    pub fn reading(&self, seat: usize) -> Option<Reading> {
        self.shared.state.lock().seats.get(&seat)?.reading
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.state.lock().stopped = true;
        self.shared.wake.ring();
    }
}

fn run(shared: &Shared) {
    let start = Instant::now();
    let mut records: HashMap<usize, Record> = HashMap::new();
    loop {
        let (stopped, seats) = {
            let state = shared.state.lock();
            (state.stopped, state.seats.clone())
        };
        if stopped {
            return;
        }
        records.retain(|seat, record| seats.get(seat).is_some_and(|seat| seat.pid == record.pid));
        let now = Instant::now();
        let elapsed = (now - start).as_millis() as u64;
        for (&number, watched) in &seats {
            let record = records
                .entry(number)
                .or_insert_with(|| Record::new(watched));
            record.look_whether_ended(watched);
            let stalled = look_at(&shared.region, number, watched, record, now, elapsed);
            let memory = record.read(watched, now);
            let reading = record.reading.map(|(_, reading)| reading);
            let mut state = shared.state.lock();
            state.reports.extend(stalled.into_iter().chain(memory));
            if let Some(seat) = state.seats.get_mut(&number)
                && seat.pid == watched.pid
            {
                seat.reading = reading;
            }
        }
        let alive: Vec<_> = seats
            .iter()
            .filter(|(number, _)| !records[number].ended)
            .filter_map(|(_, watched)| watched.handle.clone())
            .collect();
        let limit = if seats.is_empty() { IDLE } else { TURN };
        shared.wake.sleep(&alive, limit);
    }
}

fn look_at(
    region: &Region,
    number: usize,
    watched: &Watched,
    record: &mut Record,
    now: Instant,
    elapsed: u64,
) -> Option<Report> {
    let word = |word| region.seat(number, word).load(Ordering::Acquire);
    // A new process has not said yet that the seat is its own.
    if record.ended || word(seat::PID) != i64::from(watched.pid) {
        return None;
    }
    if let Some(stalled) = &mut record.stalled {
        if stalled.reported {
            return None;
        }
        let mut answer = None;
        if watched.limits.stack {
            // Another thread may have asked before, and may no longer be there for the answer.
            if stalled.asked.is_none() {
                region.drop_answer(number);
            }
            stalled.asked = stalled.asked.or_else(|| region.ask(number, ask::STACK, 0));
            answer = stalled
                .asked
                .and_then(|asked| region.take_answer(number, asked));
            if answer.is_none() && now - stalled.since < STACK_WAIT {
                return None;
            }
        }
        stalled.reported = true;
        // An error means that it ended by itself meanwhile.
        let _ = watched.handle.as_ref().map(|handle| handle.kill());
        return Some(Report::Stalled {
            pid: watched.pid,
            silent_ms: stalled.silent_ms,
            stack: answer
                .filter(|answer| answer.ok)
                .map_or_else(String::new, |answer| answer.text),
        });
    }
    let judge = record.judge.as_mut()?;
    if word(seat::STATE) != seat_state::READY {
        *judge = Judge::new(watched.limits.stall?);
        return None;
    }
    let beat = word(seat::BEAT);
    let usage = if judge.wants_usage(elapsed, beat) {
        reading::usage(watched.pid)
    } else {
        None
    };
    let look = Look {
        now: elapsed,
        beat,
        debugged: word(seat::DEBUGGED) != 0,
        usage: usage.map(|usage| (usage.state, usage.cpu_ms)),
    };
    if let Verdict::Stalled(silent_ms) = judge.look(look) {
        record.stalled = Some(Stalled {
            since: now,
            silent_ms,
            asked: watched
                .limits
                .stack
                .then(|| region.ask(number, ask::STACK, 0))
                .flatten(),
            reported: false,
        });
    }
    None
}

impl Record {
    fn new(watched: &Watched) -> Record {
        Record {
            pid: watched.pid,
            judge: watched.limits.stall.map(Judge::new),
            stalled: None,
            reading: None,
            shared_at: None,
            above: 0,
            ended: false,
        }
    }

    fn look_whether_ended(&mut self, watched: &Watched) {
        self.ended |= watched
            .handle
            .as_ref()
            .is_some_and(|handle| handle.wait(Duration::ZERO));
    }

    /// Reads the process if it is time for that.
    fn read(&mut self, watched: &Watched, now: Instant) -> Option<Report> {
        let due = self
            .reading
            .is_none_or(|(then, _)| now - then >= READ_EVERY);
        if !due || self.ended {
            return None;
        }
        let usage = reading::usage(self.pid)?;
        // A new process does not yet have the memory that it will have.
        let share = self.reading.is_some()
            && self
                .shared_at
                .is_none_or(|then| now - then >= READ_SHARE_EVERY);
        let mut details = reading::details(self.pid, share);
        if share {
            self.shared_at = Some(now);
        }
        let mut cpu = 0.0;
        if let Some((then, before)) = &self.reading {
            let wall = (now - *then).as_secs_f64() * 1000.0;
            cpu = usage.cpu_ms.saturating_sub(before.usage.cpu_ms) as f64 / wall;
            details.pss = details.pss.or(before.details.pss);
        }
        let reading = Reading {
            usage,
            details,
            cpu,
        };
        self.reading = Some((now, reading));
        let limit = watched.limits.memory?;
        // Shared memory is no reason to replace one of the processes that map it.
        let bytes = reading::own_memory(self.pid).unwrap_or(usage.rss);
        self.above = if bytes > limit { self.above + 1 } else { 0 };
        (self.above == READINGS).then_some(Report::Memory {
            pid: self.pid,
            rss: bytes,
        })
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::memory::region::Spec;
    use crate::supervise::budget::Budget;
    use std::process::{Child, Command};

    fn watched(limits: Limits) -> (Watch, Region, Child) {
        let spec = Spec {
            seats: 1,
            rows: 1,
            cells: 1,
            tokens: 1,
            ..Spec::default()
        };
        let region = Region::create(spec, "").unwrap();
        let watch = Watch::start(region.remap().unwrap(), Vec::new()).unwrap();
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        region
            .seat(0, seat::PID)
            .store(i64::from(child.id()), Ordering::SeqCst);
        region
            .seat(0, seat::STATE)
            .store(seat_state::READY, Ordering::SeqCst);
        watch.add(0, child.id(), limits);
        (watch, region, child)
    }

    fn wait_for_report(watch: &Watch) -> Report {
        loop {
            if let Some(report) = watch.take().pop() {
                return report;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_silent_process_is_killed_and_reported() {
        let (watch, _, mut child) = watched(Limits {
            stall: Some(Duration::from_millis(300)),
            ..Limits::default()
        });
        let Report::Stalled { pid, silent_ms, .. } = wait_for_report(&watch) else {
            panic!("no stall")
        };
        assert_eq!(pid, child.id());
        assert!(silent_ms >= 300);
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn the_tokens_of_a_process_that_ended_come_back() {
        let (_watch, region, mut child) = watched(Limits::default());
        let budget = Budget::new(region.remap().unwrap(), 0);
        assert!(budget.try_acquire());
        assert_eq!(budget.free(), 0);
        child.kill().unwrap();
        while budget.free() == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        child.wait().unwrap();
    }

    #[test]
    fn memory_above_the_limit_is_reported_and_nobody_killed() {
        let (watch, _, mut child) = watched(Limits {
            memory: Some(1),
            ..Limits::default()
        });
        assert!(matches!(wait_for_report(&watch), Report::Memory { rss, .. } if rss > 1));
        assert!(child.try_wait().unwrap().is_none());
        let reading = watch.reading(0).unwrap();
        assert!(
            reading.usage.rss > 1 && reading.details.pss.is_some() && reading.details.fds.is_some()
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
