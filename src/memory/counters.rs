//! Named counters for native tasks, over cells that JavaScript sees too.
//!
//! Layout, shared with `lib/counters.js`: no header; counter `i` is the signed 64-bit cell at byte
//! `64 * i` in the byte order of the machine, and the rest of its cache line is unused, so that
//! two counters never slow each other down.

use std::{fmt, sync::Arc};

use super::borrowed::Borrowed;
use crate::wire;

/// Bytes from one counter to the next: a cache line.
pub const COUNTER_STRIDE: usize = wire::line::BYTES;
const CELLS_PER_COUNTER: usize = COUNTER_STRIDE / size_of::<i64>();

/// Counters by name.
#[derive(Debug, Clone)]
pub struct CounterSet {
    names: Arc<[Box<str>]>,
    cells: Arc<Borrowed>,
}

/// The memory is too small for the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSmall {
    /// Cells that the names need.
    pub needed: usize,
    /// Cells that there are.
    pub available: usize,
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, available } = self;
        write!(
            f,
            "the counters need {needed} cells, the memory has {available}"
        )
    }
}

impl std::error::Error for TooSmall {}

impl CounterSet {
    /// Counters `names[i]` over the cells at `8 * i`. If a name occurs twice, the first counts.
    pub fn new(
        names: impl IntoIterator<Item = impl Into<Box<str>>>,
        cells: Arc<Borrowed>,
    ) -> Result<Self, TooSmall> {
        let names: Arc<[Box<str>]> = names.into_iter().map(Into::into).collect();
        let needed = names.len() * CELLS_PER_COUNTER;
        let available = cells.len();
        if available < needed {
            return Err(TooSmall { needed, available });
        }
        Ok(Self { names, cells })
    }

    /// Adds `n` to the counter, wrapping at 64 bits, and gives its new value. `None`, and nothing
    /// is changed, if there is no such counter or the memory was given back.
    pub fn add(&self, name: &str, n: i64) -> Option<i64> {
        let before = self.cells.add(self.cell(name)?, n)?;
        Some(before.wrapping_add(n))
    }

    /// The counter's value. `None` if there is no such counter or the memory was given back.
    pub fn get(&self, name: &str) -> Option<i64> {
        self.cells.load(self.cell(name)?)
    }

    fn cell(&self, name: &str) -> Option<usize> {
        let index = self.names.iter().position(|known| **known == *name)?;
        Some(index * CELLS_PER_COUNTER)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicI64, AtomicU32, Ordering},
        thread,
    };

    use super::*;
    use rspool_task::{BYTES, Context, ROWS, Watcher};

    impl Watcher for CounterSet {
        fn count(&self, counter: &str, n: i64) {
            self.add(counter, n);
        }
    }

    fn set<const N: usize>(memory: &[AtomicI64], names: [&str; N]) -> Result<CounterSet, TooSmall> {
        // SAFETY: the tests keep the memory longer than the loan and use it atomically.
        let cells = unsafe { Borrowed::new(memory.as_ptr().cast_mut().cast(), memory.len()) };
        CounterSet::new(names, Arc::new(cells.unwrap()))
    }

    fn memory(lines: usize) -> Box<[AtomicI64]> {
        (0..lines * 8).map(|_| AtomicI64::new(0)).collect()
    }

    #[test]
    fn each_counter_has_a_cache_line() {
        let memory = memory(2);
        let set = set(&memory, ["hits", "misses"]).unwrap();
        assert_eq!(set.add("misses", 3), Some(3));
        assert_eq!(set.add("misses", -1), Some(2));
        assert_eq!(set.add("hits", 9), Some(9));
        assert_eq!(set.add("others", 1), None);
        assert_eq!(set.get("misses"), Some(2));
        let values: Vec<i64> = memory
            .iter()
            .map(|cell| cell.load(Ordering::SeqCst))
            .collect();
        assert_eq!(values, [9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn memory_that_is_too_small_is_refused() {
        let memory = memory(1);
        assert_eq!(
            set(&memory, ["a", "b"]).unwrap_err(),
            TooSmall {
                needed: 16,
                available: 8
            }
        );
    }

    #[test]
    fn threads_lose_no_count() {
        let memory = memory(1);
        let set = set(&memory, ["n"]).unwrap();
        let each = if cfg!(miri) { 50 } else { 10_000 };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..each).for_each(|_| assert!(set.add("n", 1).is_some())));
            }
        });
        assert_eq!(set.get("n"), Some(4 * each));
    }

    #[test]
    fn a_context_counts_what_it_has_counters_for() {
        let memory = memory(1);
        let set = set(&memory, [BYTES]).unwrap();
        let cancel = AtomicU32::new(0);
        let context = Context::new(&cancel, Some(&set));
        context.count(BYTES, 7);
        context.count(ROWS, 1);
        assert_eq!(set.get(BYTES), Some(7));
        set.cells.close();
        context.count(BYTES, 1);
        assert_eq!(memory[0].load(Ordering::SeqCst), 7);
    }
}
