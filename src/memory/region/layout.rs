//! Where everything is in a region, and what each word means.
//!
//! ```text
//! header | seats: a row for each live process | tokens of the CPU budget | cells: a row for each slot | texts
//! ```
//!
//! A *seat* belongs to one process while it lives. A row of *cells* belongs to a slot for ever, so
//! what a dead process had counted stays counted. Rows start on cache lines of their own.

/// Bytes before the first seat.
pub(super) const HEADER_BYTES: usize = 512;
/// Bytes of a seat.
pub const SEAT_BYTES: usize = 256;
/// Bytes of the text that belongs to a seat.
pub const TEXT_BYTES: usize = 2048;
const LINE: usize = 64;

/// Word (8 bytes) numbers inside a seat.
pub mod seat {
    /// The process id, 0 when the seat is free.
    pub const PID: usize = 0;
    /// A number that grows while the event loop of the process turns.
    pub const BEAT: usize = 1;
    /// 1 booting, 2 ready, 3 draining.
    pub const STATE: usize = 2;
    /// 1 while an inspector is open in the process.
    pub const DEBUGGED: usize = 3;
    /// Set to 1 by the watcher to ask for the JavaScript stack.
    pub const CAPTURE: usize = 4;
    /// Bytes of the text that the process wrote; 0 for none.
    pub const TEXT_LENGTH: usize = 5;
    /// Requests begun.
    pub const REQUESTS: usize = 6;
    /// Connections open.
    pub const CONNECTIONS: usize = 7;
    /// Requests begun and not finished.
    pub const IN_FLIGHT: usize = 8;
    /// Event-loop delay, in microseconds.
    pub const LOOP_DELAY: usize = 9;
    /// Event-loop utilization, in millionths.
    pub const UTILISATION: usize = 10;
    /// Bytes of the JavaScript heap in use.
    pub const HEAP_USED: usize = 11;
    /// Bytes that the JavaScript heap may reach.
    pub const HEAP_LIMIT: usize = 12;
    /// Bytes outside of the heap that JavaScript objects hold.
    pub const EXTERNAL: usize = 13;
    /// Tasks waiting in the pools of the process.
    pub const POOL_QUEUED: usize = 14;
    /// Tasks running in the pools of the process.
    pub const POOL_RUNNING: usize = 15;
    /// Responses with a status of 500 or more.
    pub const ERRORS: usize = 16;
}

/// Word numbers in the header that change while the region is in use.
pub mod shared {
    /// The number of cell rows that were ever given out (readers sum only these).
    pub const ROWS_USED: usize = 32;
    /// 32-bit word: bumped on every release of a budget token; waiters sleep on it.
    pub const BUDGET_WAKE: usize = 40;
    /// 32-bit word in the second half of the same line: how many sleep on it.
    pub const BUDGET_WAITERS: usize = 41;
}

/// What a region has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Processes alive at one time.
    pub seats: u32,
    /// Rows of cells.
    pub rows: u32,
    /// 64-bit cells in a row.
    pub cells: u32,
    /// Tokens of the CPU budget.
    pub tokens: u32,
    /// A digest of the names of the cells; both sides must agree on it.
    pub schema: u64,
}

/// Where the parts are, in bytes from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// First seat.
    pub seats: usize,
    /// First token.
    pub tokens: usize,
    /// First row of cells.
    pub cells: usize,
    /// Bytes from one row of cells to the next.
    pub row_bytes: usize,
    /// First text.
    pub texts: usize,
    /// All of it.
    pub total: usize,
}

impl Spec {
    /// Lays the parts out, each on its own cache line.
    pub fn layout(&self) -> Layout {
        let up = |bytes: usize| bytes.next_multiple_of(LINE);
        let seats = HEADER_BYTES;
        let tokens = seats + self.seats as usize * SEAT_BYTES;
        let cells = up(tokens + self.tokens as usize * 8);
        let row_bytes = up(self.cells as usize * 8);
        let texts = cells + self.rows as usize * row_bytes;
        let total = texts + self.seats as usize * TEXT_BYTES;
        Layout {
            seats,
            tokens,
            cells,
            row_bytes,
            texts,
            total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_start_on_cache_lines_and_nothing_overlaps() {
        let spec = Spec {
            seats: 3,
            rows: 4,
            cells: 9,
            tokens: 2,
            schema: 77,
        };
        let layout = spec.layout();
        for offset in [
            layout.seats,
            layout.tokens,
            layout.cells,
            layout.texts,
            layout.row_bytes,
        ] {
            assert_eq!(offset % LINE, 0);
        }
        assert!(layout.tokens >= layout.seats + 3 * SEAT_BYTES);
        assert!(layout.cells >= layout.tokens + 2 * 8);
        assert!(layout.texts >= layout.cells + 4 * 9 * 8);
    }
}
