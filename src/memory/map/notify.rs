//! How the waiters for a change are woken.
//!
//! A waiter writes into the set of its key until when it will look again by itself, *before* it looks at the entry once
//! more. A writer looks there *after* it has changed a way. Both steps of the writer are sequentially consistent, and
//! the waiter has a fence between its steps, so one sees the other. A writer that sees a waiter raises the turn of the
//! map and wakes all that sleep on it. Each of them looks whether its key has changed.
//!
//! A waiter that dies is forgotten when its time is over: nothing has to be repaired.

use std::fmt;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{Key, Map, clock};
use crate::memory::futex;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::fence;
use crate::trust::Trust;

/// A waiter looks by itself after this time, and announces itself again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long an announcement lasts, in microseconds.
const ANNOUNCED: u64 = 1_000_000;

type Callback = Box<dyn Fn() + Send + Sync>;

/// The waiting of one process: a thread that sleeps on the turn of the map while the process waits for any change.
#[derive(Default)]
pub(super) struct Notifier {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// How many callers wait.
    interest: usize,
    has_thread: bool,
    closed: bool,
    callbacks: Vec<(u64, Callback)>,
    last: u64,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").finish_non_exhaustive()
    }
}

impl Notifier {
    /// The map is gone: the thread ends.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_one();
    }
}

impl Map {
    /// Calls back, on a thread of the map, whenever something that a caller waits for may have changed, and now and
    /// then. Returns a number by which to end that.
    pub fn on_change(&self, callback: impl Fn() + Send + Sync + 'static) -> u64 {
        let mut state = self.notifier.state.lock();
        state.last += 1;
        let number = state.last;
        state.callbacks.push((number, Box::new(callback)));
        number
    }

    /// Ends the callbacks with this number.
    pub fn forget(&self, number: u64) {
        self.notifier
            .state
            .lock()
            .callbacks
            .retain(|(is, _)| *is != number);
    }

    /// One more caller in this process waits, or one less. Returns false if the system gives no thread: then the caller
    /// has to look by itself.
    pub fn wait_for_changes(self: &Arc<Self>, waits: bool) -> bool {
        let mut state = self.notifier.state.lock();
        if !waits {
            state.interest = state.interest.saturating_sub(1);
            return true;
        }
        state.interest += 1;
        if !state.has_thread {
            let notifier = Arc::clone(&self.notifier);
            let map = Arc::downgrade(self);
            let builder = thread::Builder::new()
                .name("rspool-map".into())
                .stack_size(64 * 1024);
            // The thread waits for the lock, so the interest is there when it looks.
            state.has_thread = builder
                .spawn(move || sleep_and_call(&notifier, &map))
                .is_ok();
        }
        self.notifier.bell.notify_one();
        state.has_thread
    }

    /// Announces that a caller waits for a change of a key. After this the caller looks at the key once more.
    pub fn announce(&self, key: &Key) {
        let places = self.places(key);
        for set in places.sets() {
            self.cells
                .waited(set)
                .store(clock::now() + ANNOUNCED, SeqCst);
        }
        // The look at the way, which comes next, is an acquire load: without this fence it might come first.
        fence(SeqCst);
    }

    /// A way of the set has changed. This is one load, unless there are waiters.
    pub(super) fn changed(&self, set: u32) {
        let waited = self.cells.waited(set);
        let until = waited.load(SeqCst);
        if until == 0 {
            return;
        }
        if clock::now() > until {
            // No waiter has announced itself again.
            let _ = waited.compare_exchange(until, 0, Relaxed, Relaxed);
            return;
        }
        self.wake();
    }

    /// Wakes all waiters.
    pub fn wake(&self) {
        self.cells.turn().fetch_add(1, SeqCst);
        futex::wake_all(self.cells.turn());
    }
}

/// The thread: it sleeps while no caller waits, and ends with the map.
fn sleep_and_call(notifier: &Notifier, map: &Weak<Map>) {
    let _trust = Trust::new("waiting for a change in a shared map");
    let mut seen = None;
    loop {
        let mut state = notifier.state.lock();
        while state.interest == 0 && !state.closed {
            notifier.bell.wait(&mut state);
        }
        if state.closed {
            return;
        }
        drop(state);
        let Some(map) = map.upgrade() else {
            return;
        };
        let turn = map.cells.turn();
        if let Some(seen) = seen {
            // Ends at once if the turn has changed by now.
            futex::sleep(turn, seen, LOOK_AGAIN);
        }
        seen = Some(turn.load(SeqCst));
        for (_, callback) in &notifier.state.lock().callbacks {
            callback();
        }
    }
}
