//! 64-bit cells in memory that a JavaScript environment owns, behind a gate.
//!
//! 1. The environment keeps the memory (a SharedArrayBuffer: it cannot be detached or moved) and
//!    makes a [`Borrowed`] over it, shared by `Arc` with the threads that use the cells.
//! 2. Every use holds the gate's lock while it touches a cell.
//! 3. Before the memory can go, the environment's clean-up calls [`Borrowed::close`]. Since that
//!    takes the same lock, no use is under way when it returns; later uses find the gate closed
//!    and do nothing.
//!
//! The lock makes a use cost tens of nanoseconds: fit for progress, which is counted per chunk of
//! work. JavaScript uses the same cells by `Atomics`, without the lock.

use std::{
    fmt,
    ptr::NonNull,
    sync::atomic::{AtomicI64, Ordering},
};

use parking_lot::Mutex;

/// Cells of borrowed memory. See the module for the protocol.
#[derive(Debug)]
pub struct Borrowed {
    gate: Mutex<Option<Cells>>,
}

#[derive(Debug)]
struct Cells {
    base: NonNull<i64>,
    len: usize,
}

// SAFETY: `Cells` is a pointer to memory which, by the contract of `Borrowed::new`, is valid for
// every thread while the gate is open and is accessed only atomically.
unsafe impl Send for Cells {}

/// Why memory cannot be borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BorrowError {
    /// The pointer is null.
    Null,
    /// The address is not a multiple of 8.
    Misaligned,
}

impl fmt::Display for BorrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "the memory has no address",
            Self::Misaligned => "the address of the memory is not a multiple of 8",
        })
    }
}

impl std::error::Error for BorrowError {}

impl Borrowed {
    /// Borrows `len` cells from `base` on.
    ///
    /// # Safety
    /// Until [`close`](Self::close) has returned or the value is dropped, the cells must be valid
    /// for reads and writes, and all other accesses to them must be atomic (`Atomics` in
    /// JavaScript, `AtomicI64` here).
    pub unsafe fn new(base: *mut i64, len: usize) -> Result<Self, BorrowError> {
        let base = NonNull::new(base).ok_or(BorrowError::Null)?;
        if !base.cast::<AtomicI64>().is_aligned() {
            return Err(BorrowError::Misaligned);
        }
        let gate = Mutex::new(Some(Cells { base, len }));
        Ok(Self { gate })
    }

    /// Ends the loan. When this returns, no thread touches the cells or will.
    pub fn close(&self) {
        *self.gate.lock() = None;
    }

    /// Whether the loan has not ended.
    pub fn is_open(&self) -> bool {
        self.gate.lock().is_some()
    }

    /// The number of cells; 0 when closed.
    pub fn len(&self) -> usize {
        self.gate.lock().as_ref().map_or(0, |cells| cells.len)
    }

    /// Whether there is no cell, or the gate is closed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `n` to a cell, wrapping at 64 bits, and gives its value before. `None`, and nothing
    /// is changed, if the gate is closed or there is no such cell.
    pub fn add(&self, index: usize, n: i64) -> Option<i64> {
        self.with(index, |cell| cell.fetch_add(n, Ordering::SeqCst))
    }

    /// Reads a cell. `None` if the gate is closed or there is no such cell.
    pub fn load(&self, index: usize) -> Option<i64> {
        self.with(index, |cell| cell.load(Ordering::SeqCst))
    }

    /// The uses above are `SeqCst`, as JavaScript's `Atomics` are, so that both sides see one order of all changes.
    fn with<T>(&self, index: usize, action: impl FnOnce(&AtomicI64) -> T) -> Option<T> {
        let gate = self.gate.lock();
        let cells = gate.as_ref().filter(|cells| index < cells.len)?;
        // SAFETY: the index is below the length, so the cell lies in memory that is valid while
        // the gate is open, and the lock, held to the end of this function, keeps it open. The
        // base is aligned for `AtomicI64`, and so is every cell at a multiple of its size. All
        // other accesses are atomic by the contract of `new`, and the reference to the cell
        // cannot leave `action`.
        let cell = unsafe { AtomicI64::from_ptr(cells.base.add(index).as_ptr()) };
        Some(action(cell))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    fn cells(count: usize) -> Box<[AtomicI64]> {
        (0..count).map(|_| AtomicI64::new(0)).collect()
    }

    fn borrow(memory: &[AtomicI64]) -> Borrowed {
        // SAFETY: the tests keep the memory longer than the loan and use it atomically.
        unsafe { Borrowed::new(memory.as_ptr().cast_mut().cast(), memory.len()) }.unwrap()
    }

    #[test]
    fn adds_and_loads_within_bounds() {
        let memory = cells(2);
        let borrowed = borrow(&memory);
        assert_eq!(borrowed.len(), 2);
        assert_eq!(borrowed.add(1, 5), Some(0));
        assert_eq!(borrowed.add(1, -7), Some(5));
        assert_eq!(borrowed.load(1), Some(-2));
        assert_eq!(memory[1].load(Ordering::SeqCst), -2);
        assert_eq!(borrowed.add(2, 1), None);
        assert_eq!(borrowed.load(usize::MAX), None);
    }

    #[test]
    fn wraps_at_64_bits() {
        let memory = cells(1);
        let borrowed = borrow(&memory);
        borrowed.add(0, i64::MAX);
        borrowed.add(0, 1);
        assert_eq!(borrowed.load(0), Some(i64::MIN));
    }

    #[test]
    fn a_closed_gate_lets_nothing_through() {
        let memory = cells(1);
        let borrowed = borrow(&memory);
        borrowed.close();
        assert!(!borrowed.is_open() && borrowed.is_empty());
        drop(memory);
        assert_eq!(borrowed.add(0, 1), None);
        assert_eq!(borrowed.load(0), None);
        borrowed.close();
    }

    #[test]
    fn wrong_addresses_are_refused() {
        let memory = cells(2);
        let base = memory.as_ptr().cast_mut().cast::<i64>();
        // SAFETY: both are refused before they are used.
        let (null, odd) = unsafe {
            let odd = base.byte_add(4);
            (
                Borrowed::new(std::ptr::null_mut(), 1),
                Borrowed::new(odd, 1),
            )
        };
        assert_eq!(null.unwrap_err(), BorrowError::Null);
        assert_eq!(odd.unwrap_err(), BorrowError::Misaligned);
    }

    #[test]
    fn the_memory_can_go_while_threads_still_count() {
        let rounds = if cfg!(miri) { 3 } else { 200 };
        for _ in 0..rounds {
            let memory = cells(1);
            let borrowed = Arc::new(borrow(&memory));
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let borrowed = Arc::clone(&borrowed);
                    thread::spawn(move || {
                        let mut added = 0;
                        while borrowed.add(0, 1).is_some() {
                            added += 1;
                        }
                        added
                    })
                })
                .collect();
            while borrowed.load(0) < Some(10) {
                thread::yield_now();
            }
            borrowed.close();
            let total = memory[0].load(Ordering::SeqCst);
            drop(memory);
            let added: i64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
            assert_eq!(added, total);
        }
    }
}
