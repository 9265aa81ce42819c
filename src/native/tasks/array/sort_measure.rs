//! Measures `array.sort`: `cargo test --release --lib sort_costs -- --ignored --nocapture`.

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

use rspool_task::abi::Chunk;
use rspool_task::{ArrayKind, Params, TypedArray, Value};
use rustix::time::{ClockId, clock_gettime};

use super::order::Order;
use super::sample_sort::Mapping;
use crate::native::call::{Crew, Surroundings};
use crate::native::registry;
use crate::native::states::Pair;
use crate::native::tally::Tally;
use crate::scheduler::Ended;

/// Milliseconds of CPU that this thread has had.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// One worker that helps. Adds up its nanoseconds of CPU.
#[derive(Debug, Default)]
struct Helper(AtomicU64);

impl Crew for Helper {
    unsafe fn run(&self, count: usize, data: *const c_void, chunk: Chunk) -> Ended {
        struct Shared(*const c_void, AtomicUsize);
        // SAFETY: the chunks may be called from any thread with this data.
        unsafe impl Sync for Shared {}
        let shared = &Shared(data, AtomicUsize::new(0));
        let work = || {
            loop {
                let index = shared.1.fetch_add(1, Relaxed);
                if index >= count {
                    return;
                }
                // SAFETY: each index is given out once, and the data outlive the scope below.
                let went_on = unsafe { chunk(shared.0, index) } == 0;
                assert!(went_on);
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                work();
                self.0.fetch_add((cpu() * 1e6) as u64, Relaxed);
            });
            work();
        });
        Ended::Done
    }
}

/// The sort of version 0.1: by one byte after another, from the lowest on. The copy that it sorted was made by the caller.
fn radix_sort(keys: &mut [u64]) {
    let order = Order::<u64>::new(ArrayKind::Float64, false);
    keys.iter_mut().for_each(|key| *key = order.key(*key));
    let mut counts = vec![[0; 256]; 8];
    for key in &*keys {
        for (byte, counts) in counts.iter_mut().enumerate() {
            counts[(key >> (8 * byte)) as u8 as usize] += 1;
        }
    }
    let mut scratch = vec![0; keys.len()];
    let (mut from, mut to) = (&mut *keys, &mut scratch[..]);
    let mut swapped = false;
    for (byte, counts) in counts.iter().enumerate() {
        if counts.contains(&from.len()) {
            continue;
        }
        let mut sum = 0;
        let mut next = counts.map(|count| {
            sum += count;
            sum - count
        });
        for key in &*from {
            let place = &mut next[(key >> (8 * byte)) as u8 as usize];
            to[*place] = *key;
            *place += 1;
        }
        (from, to) = (to, from);
        swapped = !swapped;
    }
    if swapped {
        to.copy_from_slice(from);
    }
    keys.iter_mut().for_each(|key| *key = order.element(*key));
}

#[test]
#[ignore = "a measurement"]
fn sort_costs() {
    let mut state = 88_172_645_463_325_252u64;
    let numbers = (0..10_000_000).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    });
    let numbers: Vec<f64> = numbers.collect();
    let bytes: Vec<u8> = bytemuck::cast_slice(&numbers).to_vec();
    let sort = registry::all()
        .iter()
        .find(|task| task.name == "array.sort");
    let sort = sort.expect("a built-in task");
    let run = |crew: Option<&dyn Crew>| {
        let input = Value::Array(TypedArray {
            kind: ArrayKind::Float64,
            bytes: bytes.clone().into(),
        });
        let (cancelled, tally) = (AtomicU32::new(0), Tally::default());
        let around = Surroundings {
            cancelled: &cancelled,
            counters: None,
            tally: &tally,
            listener: None,
            reader: None,
            crew,
            states: Pair::NONE,
        };
        let start = cpu();
        let sorted = sort.execute(input, Params::none(), &around).unwrap();
        let took = cpu() - start;
        black_box(sorted);
        took
    };
    let (mut before, mut alone, mut together) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..7 {
        let mut keys: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
        let start = cpu();
        radix_sort(&mut keys);
        before = before.min(cpu() - start);
        black_box(keys);
        alone = alone.min(run(None));
        let helper = Helper::default();
        let own = run(Some(&helper));
        let helped = helper.0.load(Relaxed) as f64 / 1e6;
        together = together.min(own.max(helped));
    }
    println!(
        "10 million doubles, CPU: {before:.0} ms by radix, {alone:.0} ms by one worker ({:.2} ×), the longer of two {together:.0} ms ({:.2} × of one)",
        alone / before,
        together / alone
    );
}
