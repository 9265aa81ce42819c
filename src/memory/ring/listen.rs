//! A process that hears the messages of a ring. It has a thread that sleeps until there is a message, and the reader,
//! which belongs to the event loop.
//!
//! The thread calls once, then leaves the reader to the event loop until the loop has found nothing more. So a busy
//! loop is not called a second time, and publishers need not wake the thread.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::{Condvar, Mutex};

use super::{MessageRing, Next, Reader};
use crate::memory::region::Region;
use crate::trust::Trust;

/// Hears messages until it is dropped.
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ring: MessageRing<Region>,
    state: Mutex<State>,
    asked: Condvar,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct State {
    reader: Reader,
    topics: HashSet<String>,
    /// The event loop has read everything, and wants a call when there is more.
    asks: bool,
}

impl Listener {
    /// Hears what is published from now on. `call` is called on another thread when there is a message to read, and
    /// again only after [`next`](Self::next) has returned [`Next::Nothing`].
    pub fn start(
        ring: MessageRing<Region>,
        call: impl Fn() + Send + 'static,
    ) -> io::Result<Listener> {
        let state = State {
            reader: Reader::new(&ring),
            topics: HashSet::new(),
            asks: true,
        };
        let shared = Arc::new(Shared {
            ring,
            state: Mutex::new(state),
            asked: Condvar::new(),
            stopped: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-messages".into())
            .stack_size(64 * 1024)
            .spawn(move || theirs.wait_and_call(call))?;
        Ok(Listener { shared })
    }

    /// Sets whether messages of a topic are wanted. At first no topic is.
    pub fn want(&self, topic: String, wanted: bool) {
        let mut state = self.shared.state.lock();
        if wanted {
            state.topics.insert(topic);
        } else {
            state.topics.remove(&topic);
        }
    }

    /// Takes the next message or count of missed ones; never [`Next::Other`].
    pub fn next(&self) -> Next {
        let mut state = self.shared.state.lock();
        let State { reader, topics, .. } = &mut *state;
        loop {
            match reader.next(&self.shared.ring, |topic| topics.contains(topic)) {
                Next::Other => {}
                Next::Nothing => break,
                next => return next,
            }
        }
        state.asks = true;
        self.shared.asked.notify_one();
        Next::Nothing
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Under the lock, so that the thread is not just about to wait.
        drop(self.shared.state.lock());
        self.shared.asked.notify_one();
        self.shared.ring.take_turn();
    }
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn wait_and_call(&self, call: impl Fn()) {
        let _trust = Trust::new("waiting for a message of the cluster");
        loop {
            let mut state = self.state.lock();
            while !state.asks && !self.is_stopped() {
                self.asked.wait(&mut state);
            }
            let reader = state.reader;
            drop(state);
            self.ring.wait(reader, || self.is_stopped());
            if self.is_stopped() {
                return;
            }
            // The event loop may have read on by itself. Then it finds nothing, and asks again.
            self.state.lock().asks = false;
            call();
        }
    }
}
