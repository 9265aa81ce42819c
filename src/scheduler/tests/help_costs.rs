//! Measures what help costs: the task that asks for it, and a task of better priority that wants the helper's place.
//! `cargo test --release --no-default-features --lib help_costs -- --ignored --nocapture --test-threads 1`

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;

use rustix::time::{ClockId, clock_gettime};

use super::*;

/// Microseconds of CPU time that this thread has used.
fn cpu() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}

unsafe extern "C" fn nothing(_: *const c_void, _: usize) -> u32 {
    0
}

/// A region of two chunks to which nobody comes. 5 µs are allowed.
#[test]
#[ignore = "a measurement"]
fn help_costs_a_region_that_gets_none() {
    const REGIONS: u32 = 1_000;
    let (pool, _outbox) = pool(LIMITS);
    pool.submit(call(1, Lane::Native)).unwrap();
    let id = WorkerId(0);
    assert!(pool.join(id, Arc::new(TestBell::default()) as _));
    let taken = run(pool.exchange(id, None));
    let cancelled = AtomicU32::new(0);
    let mut rounds: Vec<f64> = (0..200)
        .map(|_| {
            let start = cpu();
            for _ in 0..REGIONS {
                // SAFETY: the chunk does nothing.
                let ended = unsafe { pool.share_chunks(id, 2, ptr::null(), nothing, &cancelled) };
                assert_eq!(ended, Ended::Done);
            }
            (cpu() - start) / f64::from(REGIONS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!(
        "a region without help: {:.2} µs of CPU time (least), {:.2} (median), {:.2} (most of 200 rounds)",
        rounds[0], rounds[100], rounds[199]
    );
    let _ = pool.exchange(id, returned(&taken));
}

thread_local! {
    /// When each chunk of this thread began, and its CPU time then.
    static CHUNKS: RefCell<Vec<(Instant, f64)>> = const { RefCell::new(Vec::new()) };
    /// Whether the chunks are those of this thread's own task.
    static OWNS: Cell<bool> = const { Cell::new(false) };
}

/// How many chunks a helper has begun.
static HELPED: AtomicU32 = AtomicU32::new(0);

/// A chunk that works for 500 µs of CPU time.
unsafe extern "C" fn works(_: *const c_void, _: usize) -> u32 {
    let start = cpu();
    CHUNKS.with_borrow_mut(|chunks| chunks.push((Instant::now(), start)));
    if !OWNS.get() {
        HELPED.fetch_add(1, SeqCst);
    }
    while cpu() - start < 500.0 {
        std::hint::spin_loop();
    }
    0
}

/// For how much CPU time of its thread, in microseconds, a task has waited that was submitted at this time: since the
/// chunk began that was under way then.
fn waited(submitted: Instant) -> Option<f64> {
    let now = cpu();
    CHUNKS.with_borrow(|chunks| {
        let before = chunks.iter().rev().find(|(began, _)| *began <= submitted);
        before.map(|(_, used)| now - used)
    })
}

/// A lane of threads whose task 0 has chunks for others without end, and whose other tasks tell how long they waited.
#[derive(Debug)]
struct Measured {
    submitted: Arc<Mutex<Instant>>,
    waits: Arc<Mutex<Vec<f64>>>,
    ended: Arc<AtomicU32>,
}

impl Launch for Measured {
    fn launch(&self, pool: &Arc<Scheduler>, id: WorkerId) -> io::Result<()> {
        let (submitted, waits) = (Arc::clone(&self.submitted), Arc::clone(&self.waits));
        let ended = Arc::clone(&self.ended);
        work(pool, id, move |pool, taken| {
            if taken.ticket == 0 {
                OWNS.set(true);
                // SAFETY: the chunk uses nothing of ours.
                unsafe { pool.share_chunks(id, usize::MAX, ptr::null(), works, &ended) };
            } else {
                waits.lock().extend(waited(*submitted.lock()));
            }
        });
        Ok(())
    }
}

/// A task of better priority, while a helper works in chunks of 500 µs. 2 ms of the helper's CPU time are allowed at the
/// 99th percentile.
#[test]
#[ignore = "a measurement"]
fn help_costs_a_task_that_wants_the_place() {
    const TASKS: u32 = 1_000;
    let outbox = Arc::new(Outbox::default());
    let lane = Measured {
        submitted: Arc::new(Mutex::new(Instant::now())),
        waits: Arc::default(),
        ended: Arc::default(),
    };
    let (submitted, waits) = (Arc::clone(&lane.submitted), Arc::clone(&lane.waits));
    let ended = Arc::clone(&lane.ended);
    let pool = Scheduler::new(1, LIMITS, Arc::clone(&outbox), lane).unwrap();
    pool.submit(call(0, Lane::Native)).unwrap();
    for ticket in 1..=TASKS {
        // The helper is in the middle of a chunk.
        let begun = HELPED.load(SeqCst);
        while HELPED.load(SeqCst) == begun {
            thread::sleep(Duration::from_micros(50));
        }
        *submitted.lock() = Instant::now();
        let urgent = NewTask {
            priority: -10,
            ..call(ticket, Lane::Native)
        };
        pool.submit(urgent).unwrap();
        while !settled(&outbox).iter().any(|&(which, _)| which == ticket) {
            outbox.wait(Duration::from_millis(100));
        }
    }
    ended.store(1, SeqCst);
    pool.close();
    let mut waits = waits.lock().clone();
    waits.sort_by(f64::total_cmp);
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize] / 1e3;
    println!(
        "{} urgent tasks: {:.2} ms of the helper's CPU time (median), {:.2} (p99), {:.2} (most)",
        waits.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
