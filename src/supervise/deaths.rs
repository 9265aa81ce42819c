//! A thread of the primary that hears of the end of each process at once. It puts in order what the process has left in
//! the region (tokens of the budget, locks, messages, keys) and in the maps of the cluster. It does nothing else, so
//! nothing holds it up.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::budget::Budget;
use super::handle::ProcessHandle;
use super::wake::Wake;
use crate::manner;
use crate::memory::map::Map;
use crate::memory::region::Region;
use crate::memory::{locks, ring, table};

/// How often the thread looks on systems that do not tell of a death.
const LOOK_AGAIN: Duration = match cfg!(target_os = "linux") {
    true => Duration::from_secs(3600),
    false => Duration::from_millis(250),
};

#[derive(Debug, Default)]
struct State {
    /// The processes that are not known to have ended.
    alive: HashMap<usize, Arc<ProcessHandle>>,
    /// The seats whose maps have to be put in order.
    ended: Vec<usize>,
    /// The seats whose ends the thread has seen.
    known: HashSet<usize>,
    stopped: bool,
}

#[derive(Debug)]
struct Shared {
    region: Region,
    maps: Vec<Arc<Map>>,
    state: Mutex<State>,
    wake: Wake,
}

/// The running thread. Dropping this stops it.
#[derive(Debug)]
pub(super) struct Deaths {
    shared: Arc<Shared>,
}

impl Deaths {
    pub(super) fn start(region: Region, maps: Vec<Arc<Map>>) -> io::Result<Deaths> {
        let shared = Arc::new(Shared {
            region,
            maps,
            state: Mutex::default(),
            wake: Wake::new()?,
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("rspool-deaths".into())
            .stack_size(128 * 1024)
            .spawn(move || run(&theirs))?;
        Ok(Deaths { shared })
    }

    pub(super) fn add(&self, seat: usize, handle: Arc<ProcessHandle>) {
        let mut state = self.shared.state.lock();
        state.known.remove(&seat);
        state.alive.insert(seat, handle);
        drop(state);
        self.shared.wake.ring();
    }

    /// From now on the seat may be given to another process.
    pub(super) fn remove(&self, seat: usize) {
        let mut state = self.shared.state.lock();
        state.alive.remove(&seat);
        if !state.known.remove(&seat) {
            state.ended.push(seat);
            drop(state);
            self.shared.wake.ring();
        }
    }
}

impl Drop for Deaths {
    fn drop(&mut self) {
        self.shared.state.lock().stopped = true;
        self.shared.wake.ring();
    }
}

fn run(shared: &Shared) {
    manner::hurry();
    loop {
        let mut state = shared.state.lock();
        if state.stopped {
            return;
        }
        let mut ended = std::mem::take(&mut state.ended);
        let State { alive, known, .. } = &mut *state;
        // Under the lock, no seat is given to another process.
        alive.retain(|&seat, handle| {
            let has_ended = handle.wait(Duration::ZERO);
            if has_ended {
                put_in_order(&shared.region, seat as u32);
                for map in &shared.maps {
                    map.retire(seat as u16);
                }
                ended.push(seat);
                known.insert(seat);
            }
            !has_ended
        });
        let alive: Vec<_> = state.alive.values().cloned().collect();
        drop(state);
        // This takes longer, and may be done while another process has the seat.
        for seat in ended {
            for map in &shared.maps {
                map.recover(seat as u16);
            }
        }
        shared.wake.sleep(&alive, LOOK_AGAIN);
    }
}

/// The locks come first, because others wait for them.
fn put_in_order(region: &Region, seat: u32) {
    locks::recover(region, seat);
    Budget::reclaim(region, seat);
    ring::recover(region, seat);
    table::recover(region, seat);
}
