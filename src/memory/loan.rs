//! Bytes in memory of a JavaScript environment that a task reads in place.
//!
//! 1. The environment keeps the memory, by a reference to its buffer, and makes a [`Loan`] over it.
//! 2. A [`Lent`] names the memory on its way to a task. When the last one is gone, the environment lets go of the
//!    buffer, at the latest when it hears how the task has ended.
//! 3. A task [reads](Lent::read) the memory while it has a [`Reading`]. There is none once the environment has ended.
//! 4. Before the memory can go, the environment's clean-up [closes](Loan::close) the loan, which waits for the
//!    readings. It has given up their tasks first, so these end at their next check. There is no other way to end in
//!    time: the engine frees the memory next, even if a thread reads it.

use std::fmt;
use std::ptr;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rspool_task::Shared;

use crate::sync::{Condvar, Mutex};

/// Memory that an environment lends. See the module for the protocol.
pub struct Loan {
    base: *const u8,
    length: usize,
    shared: bool,
    users: Mutex<Users>,
    left: Condvar,
    id: u64,
    returned: Arc<Returned>,
}

/// The ids of an environment's loans that nobody names any more. Any thread returns one, and the environment takes
/// them.
#[derive(Debug)]
pub struct Returned {
    sender: Sender<u64>,
    receiver: Receiver<u64>,
}

impl Default for Returned {
    fn default() -> Self {
        let (sender, receiver) = unbounded();
        Self { sender, receiver }
    }
}

impl Returned {
    /// Takes the ids out.
    pub fn take(&self) -> impl Iterator<Item = u64> {
        self.receiver.try_iter()
    }

    fn add(&self, id: u64) {
        // Cannot fail: the receiver is here.
        let _ = self.sender.send(id);
    }
}

#[derive(Debug, Default)]
struct Users {
    /// The number of `Lent`s that name the memory.
    lent: u32,
    /// The number of readings.
    reading: u32,
    closed: bool,
}

// SAFETY: the memory may be read from any thread while a reading is there, as the caller of `new` promises; all else is
// behind the lock.
unsafe impl Send for Loan {}
// SAFETY: as above.
unsafe impl Sync for Loan {}

impl fmt::Debug for Loan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, shared, .. } = self;
        write!(f, "Loan of {length} bytes, shared: {shared}")
    }
}

impl Loan {
    /// Lends `length` bytes from `base` on. If they are `shared`, others may write them at the same time. When nobody
    /// names the bytes any more, `id` is in `returned`.
    ///
    /// # Safety
    /// Until [`close`](Self::close) has returned or nobody names them any more, the bytes must be there, and must not
    /// be written, unless they are `shared`.
    pub unsafe fn new(
        base: *const u8,
        length: usize,
        shared: bool,
        id: u64,
        returned: Arc<Returned>,
    ) -> Arc<Self> {
        Arc::new(Self {
            base,
            length,
            shared,
            users: Mutex::default(),
            left: Condvar::default(),
            id,
            returned,
        })
    }

    /// Makes a name for the memory.
    #[must_use]
    pub fn lend(self: &Arc<Self>) -> Lent {
        self.users.lock().lent += 1;
        Lent(Arc::clone(self))
    }

    /// Ends the loan. When this returns, no thread reads the memory or ever will.
    pub fn close(&self) {
        let mut users = self.users.lock();
        users.closed = true;
        while users.reading > 0 {
            self.left.wait(&mut users);
        }
    }
}

/// A name for lent memory.
#[derive(Debug)]
pub struct Lent(Arc<Loan>);

impl Lent {
    /// The bytes, to read them from now on. None once the environment has ended.
    #[must_use]
    pub fn read(&self) -> Option<Reading> {
        let mut users = self.0.users.lock();
        if users.closed {
            return None;
        }
        users.reading += 1;
        drop(users);
        Some(Reading(self.clone()))
    }
}

impl Clone for Lent {
    fn clone(&self) -> Self {
        self.0.lend()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut users = self.0.users.lock();
        users.lent -= 1;
        let last = users.lent == 0;
        drop(users);
        if last {
            self.0.returned.add(self.0.id);
        }
    }
}

/// Lent bytes while they are read.
#[derive(Debug)]
pub struct Reading(Lent);

impl Reading {
    fn loan(&self) -> &Loan {
        &self.0.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.loan().length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. None if others may write them at the same time.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        let Loan { base, length, .. } = *self.loan();
        if self.loan().shared {
            return None;
        }
        if length == 0 {
            return Some(&[]);
        }
        // SAFETY: the loan is not closed while this is there, so the bytes are, and nobody writes them.
        Some(unsafe { std::slice::from_raw_parts(base, length) })
    }

    /// The address of the bytes.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.loan().base
    }

    /// Copies the bytes from `offset` on. Of a write at the same time, each byte may be seen or not.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) {
        let Loan { base, length, .. } = *self.loan();
        // SAFETY: the loan is not closed while this is there, so the bytes are. Others write them as JavaScript does.
        let shared = unsafe { Shared::from_parts(base, length, ptr::null_mut(), None) };
        shared.copy_to(offset, to);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let loan = self.loan();
        let mut users = loan.users.lock();
        users.reading -= 1;
        if users.reading == 0 {
            loan.left.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::thread;

    use super::*;

    fn loan(memory: &[u8], shared: bool) -> Arc<Loan> {
        // SAFETY: the tests keep the memory longer than the loan, and do not write it.
        unsafe { Loan::new(memory.as_ptr(), memory.len(), shared, 5, Arc::default()) }
    }

    #[test]
    fn it_is_returned_when_nobody_names_the_memory_any_more() {
        let memory = vec![7u8; 100];
        let loan = loan(&memory, false);
        let lent = loan.lend();
        let again = lent.clone();
        let reading = lent.read().unwrap();
        assert_eq!(reading.as_slice(), Some(&memory[..]));
        drop((lent, again));
        assert_eq!(loan.returned.take().count(), 0);
        drop(reading);
        assert!(loan.returned.take().eq([5]));
        assert_eq!(loan.returned.take().count(), 0);
    }

    #[test]
    fn shared_bytes_are_copied_from_any_place_to_any_place() {
        let memory: Vec<u8> = (0..200).collect();
        let loan = loan(&memory, true);
        let reading = loan.lend().read().unwrap();
        assert_eq!(reading.as_slice(), None);
        for (offset, length) in [
            (0, 200),
            (1, 199),
            (3, 4),
            (5, 30),
            (8, 16),
            (199, 1),
            (200, 0),
        ] {
            let mut copy = vec![0; length];
            reading.copy_to(offset, &mut copy);
            assert_eq!(copy, memory[offset..offset + length]);
        }
    }

    #[test]
    #[should_panic(expected = "within the bytes")]
    fn no_byte_beyond_them_is_read() {
        let memory = [0u8; 8];
        let loan = loan(&memory, true);
        loan.lend().read().unwrap().copy_to(4, &mut [0; 5]);
    }

    #[test]
    fn nothing_is_read_once_the_loan_is_closed_and_the_close_waits() {
        let memory = vec![1u8; 1000].into_boxed_slice();
        let loan = loan(&memory, false);
        let lent = loan.lend();
        let reading = lent.read().unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let done = &done;
            scope.spawn(move || {
                let sum: u32 = reading
                    .as_slice()
                    .unwrap()
                    .iter()
                    .map(|&b| u32::from(b))
                    .sum();
                assert_eq!(sum, 1000);
                done.store(true, SeqCst);
                drop(reading);
            });
            loan.close();
            assert!(done.load(SeqCst));
        });
        drop(memory);
        assert!(lent.read().is_none());
    }
}
