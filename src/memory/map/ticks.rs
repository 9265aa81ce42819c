//! A coarse clock in the memory of a map. Reading it is a load, whereas reading the clock of the system takes as long
//! as two look-ups in a JavaScript `Map`.
//!
//! It is the monotonic clock in ticks. Each process that keeps decoded entries with an end turns it, by one thread for
//! all its maps. It only goes forward. A reader knows by it that an entry has not ended if the end is [`MARGIN`] ticks
//! later or more; for any other entry it reads the exact clock. So times are exact as long as the coarse clock is less
//! than that late: some two seconds in which no process that turns it had the CPU at all.
//!
//! [`MARGIN`]: crate::wire::map_tick::MARGIN

use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::layout::header;
use super::{Map, clock};
use crate::manner;
use crate::trust::Trust;
use crate::wire::map_tick;

/// A fraction of the margin.
const TURN_EVERY: Duration = Duration::from_millis(250);

/// The maps whose clocks the thread of this process turns. The thread ends when there are none.
static TURNED: Mutex<Turned> = Mutex::new(Turned {
    maps: Vec::new(),
    has_thread: false,
});

struct Turned {
    maps: Vec<Weak<Map>>,
    has_thread: bool,
}

impl Map {
    /// From now on the coarse clock of the map runs, as long as the map is open here. Returns false if the system gives
    /// no thread: then nobody may use the clock.
    pub fn keep_time(self: &Arc<Self>) -> bool {
        if self.ticks.load(Relaxed) {
            return true;
        }
        let mut turned = TURNED.lock();
        if !turned.has_thread {
            turned.has_thread = thread::Builder::new()
                .name("rspool-ticks".into())
                .stack_size(64 * 1024)
                .spawn(turn_all)
                .is_ok();
        }
        if turned.has_thread && !self.ticks.swap(true, AcqRel) {
            self.turn_clock();
            turned.maps.push(Arc::downgrade(self));
        }
        turned.has_thread
    }

    fn turn_clock(&self) {
        let now = clock::now() / u64::from(map_tick::MICROSECONDS);
        self.cells.header(header::TICKS).fetch_max(now, AcqRel);
    }
}

fn turn_all() {
    let _trust = Trust::new("turning the clocks of shared maps");
    manner::hurry();
    loop {
        // Maps that only this list still has are dropped after the lock is released.
        let mut last = Vec::new();
        let mut turned = TURNED.lock();
        turned.maps.retain(|map| {
            let map = map.upgrade();
            if let Some(map) = &map {
                map.turn_clock();
            }
            let is_open = map.is_some();
            last.extend(map);
            is_open
        });
        if turned.maps.is_empty() {
            turned.has_thread = false;
            return;
        }
        drop(turned);
        drop(last);
        thread::sleep(TURN_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    fn map() -> Arc<Map> {
        let options = Options {
            bytes: 1 << 16,
            seats: 2,
            ttl: None,
            evict: true,
            max_value: None,
        };
        Arc::new(Map::create(options).unwrap())
    }

    fn ticks(map: &Map) -> u64 {
        map.cells.header(header::TICKS).load(Relaxed)
    }

    #[test]
    fn the_clock_is_right_from_the_first_moment_on_and_goes_while_the_map_is_open() {
        let (one, two) = (map(), map());
        assert_eq!(ticks(&one), 0);
        for map in [&one, &two] {
            let before = clock::now() / u64::from(map_tick::MICROSECONDS);
            assert!(map.keep_time() && map.keep_time());
            assert!(ticks(map) >= before);
        }
        drop(one);
        let first = ticks(&two);
        while ticks(&two) < first + 2 {
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn the_clock_never_goes_back() {
        let map = map();
        map.cells.header(header::TICKS).store(u64::MAX, Relaxed);
        map.turn_clock();
        assert_eq!(ticks(&map), u64::MAX);
    }
}
