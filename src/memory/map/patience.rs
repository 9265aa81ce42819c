//! How long a set that is locked is waited for.

use std::thread;
use std::time::{Duration, Instant};

use super::cells::Cells;
use super::lock::Patience;
use super::seats;
use super::words::Owner;

/// Nobody holds a lock for so long unless the holder has lost its CPU.
const SPINS: u32 = 200;
/// A holder that lives is waited for so long.
const LIMIT: Duration = Duration::from_millis(100);
/// The system is asked so often whether the holder lives: it says so within a few times ten microseconds.
const ASK_EVERY: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_micros(50);

/// Spins first, then sleeps, and asks now and then whether the holder lives.
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
