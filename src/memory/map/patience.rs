//! How long to wait for a locked set.

use std::thread;
use std::time::{Duration, Instant};

use super::cells::Cells;
use super::lock::Patience;
use super::seats;
use super::words::Owner;

/// A holder keeps a lock for this many spins only if it has lost its CPU.
const SPINS: u32 = 200;
/// How long to wait for a living holder.
const LIMIT: Duration = Duration::from_millis(100);
/// How often to ask the system whether the holder is alive. The answer takes some tens of microseconds.
const ASK_EVERY: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_micros(50);

/// Spins first, then sleeps, and asks now and then whether the holder is alive.
#[derive(Debug)]
pub(super) struct Within<'a> {
    cells: &'a Cells,
    spins: u32,
    since: Option<Instant>,
    asked: Option<Instant>,
}

impl<'a> Within<'a> {
    pub(super) fn new(cells: &'a Cells) -> Within<'a> {
        Within {
            cells,
            spins: 0,
            since: None,
            asked: None,
        }
    }
}

impl Patience for Within<'_> {
    fn is_dead(&mut self, holder: Option<Owner>) -> bool {
        let Some(holder) = holder else {
            return true;
        };
        if self.spins < SPINS || self.asked.is_some_and(|at| at.elapsed() < ASK_EVERY) {
            return false;
        }
        self.asked = Some(Instant::now());
        seats::is_dead(self.cells, holder)
    }

    fn wait(&mut self) -> bool {
        if self.spins < SPINS {
            self.spins += 1;
            std::hint::spin_loop();
            return true;
        }
        thread::sleep(PAUSE);
        self.since.get_or_insert_with(Instant::now).elapsed() < LIMIT
    }
}
