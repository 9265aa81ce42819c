//! The watcher: one thread of the primary that looks after all processes of a cluster.
//!
//! Each turn it looks at every watched seat:
//!
//! 1. A stalled loop is asked for its JavaScript stack (a flag in its seat, answered by a helper
//!    thread in that process), gets a second to give it, and is killed.
//! 2. The budget's tokens of a process that has ended go back, even while the primary is busy.
//! 3. Once a second memory and CPU are sampled; three samples in a row above the limit are reported.
//!
//! Reports wait in a list that the primary's JavaScript takes when it turns; nothing waits for it.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::handle::ProcessHandle;
use super::reading;
use super::stall::{Judge, Look, Verdict};
use crate::memory::region::{Region, seat};

/// Samples in a row above the limit that make a report.
const SAMPLES: u32 = 3;
const TURN: Duration = Duration::from_millis(250);
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
const STACK_WAIT: Duration = Duration::from_secs(1);

/// What to watch in a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The loop may be silent for so long; none: any time.
    pub stall: Option<Duration>,
    /// Bytes of resident memory; none: any number.
    pub memory: Option<u64>,
    /// The process has a helper that answers with its stack.
    pub stack: bool,
}

/// Something that happened to a watched process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The loop was silent for `silent_ms`; the process was killed. `stack` is empty if none was to be had.
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

/// The last sample of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Resident memory in bytes.
    pub rss: u64,
    /// Cores in use: 1 is one whole core.
    pub cpu: f64,
}

#[derive(Debug)]
struct Watched {
    pid: u32,
    handle: Option<ProcessHandle>,
    limits: Limits,
    judge: Option<Judge>,
    stalled: Option<(Instant, u64)>,
    last: Option<(Instant, u64)>,
    sample: Sample,
    above: u32,
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
    bell: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running watcher. Dropping it stops the thread and kills nobody.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
}

impl Watch {
    /// Starts the thread, which looks at the seats of `region`.
    pub fn start(region: Region) -> io::Result<Watch> {
        let shared = Arc::new(Shared {
            region,
            state: Mutex::default(),
            bell: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-watch".into())
            .stack_size(128 * 1024)
            .spawn(move || run(&theirs))?;
        Ok(Watch { shared })
    }

    /// Watches `pid`, which has the seat, within `limits`.
    pub fn add(&self, seat: usize, pid: u32, limits: Limits) {
        let judge = limits.stall.map(Judge::new);
        let handle = ProcessHandle::open(pid).ok();
        let watched = Watched {
            pid,
            handle,
            limits,
            judge,
            stalled: None,
            last: None,
            sample: Sample::default(),
            above: 0,
        };
        self.shared.state().seats.insert(seat, watched);
        self.shared.bell.notify_one();
    }

    /// Ends the watch over a seat.
    pub fn remove(&self, seat: usize) {
        self.shared.state().seats.remove(&seat);
    }

    /// Takes the reports since the last call.
    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut self.shared.state().reports)
    }

    /// The last sample of the process in a seat; zero before the first.
    pub fn sample(&self, seat: usize) -> Sample {
        self.shared
            .state()
            .seats
            .get(&seat)
            .map(|watched| watched.sample)
            .unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.bell.notify_one();
    }
}

fn run(shared: &Shared) {
    let start = Instant::now();
    let mut sampled = start;
    loop {
        let mut state = shared.state();
        while state.seats.is_empty() && !state.stopped {
            state = shared
                .bell
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return;
        }
        let now = Instant::now();
        let sampling = now - sampled >= SAMPLE_EVERY;
        if sampling {
            sampled = now;
        }
        let State { seats, reports, .. } = &mut *state;
        for (&number, watched) in seats.iter_mut() {
            let elapsed = (now - start).as_millis() as u64;
            reports.extend(look_at(&shared.region, number, watched, now, elapsed));
            if sampling {
                reports.extend(take_sample(watched, now));
            }
        }
        drop(state);
        thread::sleep(TURN);
    }
}

fn look_at(
    region: &Region,
    number: usize,
    watched: &mut Watched,
    now: Instant,
    elapsed: u64,
) -> Option<Report> {
    let word = |word| region.seat(number, word).load(Ordering::Acquire);
    // A seat can be taken over before its watch is changed; judge only the process that was meant.
    if word(seat::PID) != i64::from(watched.pid) {
        return None;
    }
    if watched
        .handle
        .as_ref()
        .is_some_and(|handle| handle.wait(Duration::ZERO))
    {
        Budget::reclaim(region, number as u32);
        return None;
    }
    if let Some((since, silent_ms)) = watched.stalled {
        if silent_ms == 0 {
            return None;
        }
        if word(seat::TEXT_LENGTH) == 0 && watched.limits.stack && now - since < STACK_WAIT {
            return None;
        }
        watched.stalled = Some((since, 0));
        // An error means that it ended by itself in the meantime.
        let _ = watched.handle.as_ref().map(ProcessHandle::kill);
        return Some(Report::Stalled {
            pid: watched.pid,
            silent_ms,
            stack: region.text(number),
        });
    }
    let judge = watched.judge.as_mut()?;
    if word(seat::STATE) != 2 {
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
        region
            .seat(number, seat::TEXT_LENGTH)
            .store(0, Ordering::Release);
        region
            .seat(number, seat::CAPTURE)
            .store(1, Ordering::Release);
        watched.stalled = Some((now, silent_ms));
    }
    None
}

fn take_sample(watched: &mut Watched, now: Instant) -> Option<Report> {
    let usage = reading::usage(watched.pid)?;
    watched.sample.rss = usage.rss;
    if let Some((then, cpu_ms)) = watched.last {
        let wall = (now - then).as_secs_f64() * 1000.0;
        watched.sample.cpu = usage.cpu_ms.saturating_sub(cpu_ms) as f64 / wall;
    }
    watched.last = Some((now, usage.cpu_ms));
    let limit = watched.limits.memory?;
    watched.above = if usage.rss > limit {
        watched.above + 1
    } else {
        0
    };
    (watched.above == SAMPLES).then_some(Report::Memory {
        pid: watched.pid,
        rss: usage.rss,
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::memory::region::Spec;
    use std::process::{Child, Command};

    fn watched(state: i64, limits: Limits) -> (Watch, Region, Child) {
        let region = Region::create(Spec {
            seats: 1,
            rows: 1,
            cells: 1,
            tokens: 1,
            schema: 0,
        })
        .unwrap();
        let watch = Watch::start(region.remap().unwrap()).unwrap();
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        region
            .seat(0, seat::PID)
            .store(i64::from(child.id()), Ordering::SeqCst);
        region.seat(0, seat::STATE).store(state, Ordering::SeqCst);
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
        let (watch, _, mut child) = watched(
            2,
            Limits {
                stall: Some(Duration::from_millis(300)),
                ..Limits::default()
            },
        );
        let Report::Stalled { pid, silent_ms, .. } = wait_for_report(&watch) else {
            panic!("no stall")
        };
        assert_eq!(pid, child.id());
        assert!(silent_ms >= 300);
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn the_tokens_of_a_process_that_ended_come_back() {
        let (_watch, region, mut child) = watched(2, Limits::default());
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
        let (watch, _, mut child) = watched(
            2,
            Limits {
                memory: Some(1),
                ..Limits::default()
            },
        );
        assert!(matches!(wait_for_report(&watch), Report::Memory { rss, .. } if rss > 1));
        assert!(child.try_wait().unwrap().is_none());
        assert!(watch.sample(0).rss > 1);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
