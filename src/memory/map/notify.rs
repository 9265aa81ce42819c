//! How those are woken that wait for a change.
//!
//! A waiter says in the set of its key until when it looks again by itself, *before* it looks at the entry once more. A
//! writer looks there *after* it has changed a way. Both steps of the writer are sequentially consistent, and a fence is
//! between those of the waiter, so one sees the other. A writer that sees somebody raises the turn of the map and wakes
//! all that sleep on it; each looks whether its key has changed.
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

/// A waiter looks by itself after so long, and says again that it waits.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What a waiter says lasts so long.
const ANNOUNCED: u64 = 1_000_000;

type Callback = Box<dyn Fn() + Send + Sync>;

/// The waiting of one process: a thread that sleeps on the turn of the map, while anybody waits.
#[derive(Default)]
pub(super) struct Notifier {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// How many wait.
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
    /// The map is no more: the thread ends.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_one();
    }
}

impl Map {
    /// Calls back, on a thread of the map, whenever something may have changed that is waited for, and now and then.
    /// Gives a number by which to end that.
    pub fn on_change(&self, callback: impl Fn() + Send + Sync + 'static) -> u64 {
        let mut state = self.notifier.state.lock();
        state.last += 1;
        let number = state.last;
        state.callbacks.push((number, Box::new(callback)));
        number
    }

    /// Ends the callbacks of this number.
    pub fn forget(&self, number: u64) {
        self.notifier
            .state
            .lock()
            .callbacks
            .retain(|(is, _)| *is != number);
    }

    /// Somebody in this process waits from now on, or not any more. False if the system gives no thread: then the
    /// caller has to look by itself.
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
            // It waits for the lock, so the interest is there when it looks.
            state.has_thread = builder
                .spawn(move || sleep_and_call(&notifier, &map))
                .is_ok();
        }
        self.notifier.bell.notify_one();
        state.has_thread
    }

    /// Says that somebody waits for a change of a key. After this the caller looks at it once more.
    pub fn announce(&self, key: &Key) {
        let places = self.places(key);
        for set in places.sets() {
            self.cells
                .waited(set)
                .store(clock::now() + ANNOUNCED, SeqCst);
        }
        // The look at the way, which comes now, is an acquire: without this it might come first.
        fence(SeqCst);
    }

    /// A way of the set has changed. One load, unless somebody waits.
    pub(super) fn changed(&self, set: u32) {
        let waited = self.cells.waited(set);
        let until = waited.load(SeqCst);
        if until == 0 {
            return;
        }
        if clock::now() > until {
            // Nobody has said so again.
            let _ = waited.compare_exchange(until, 0, Relaxed, Relaxed);
            return;
        }
        self.wake();
    }

    /// Wakes all that wait for something.
    pub fn wake(&self) {
        self.cells.turn().fetch_add(1, SeqCst);
        futex::wake_all(self.cells.turn());
    }
}

/// The thread: it sleeps while nobody waits, and ends with the map.
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
            // Ends at once if the turn is another one by now.
            futex::sleep(turn, seen, LOOK_AGAIN);
        }
        seen = Some(turn.load(SeqCst));
        for (_, callback) in &notifier.state.lock().callbacks {
            callback();
        }
    }
}
