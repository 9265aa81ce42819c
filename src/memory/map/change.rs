//! How an entry changes.
//!
//! *Replace, count, delete*: the new entry is written into blocks of its own, then one compare-and-swap of the way
//! publishes it. Then its blocks are made live, and those of the old entry are freed. No lock is taken.
//!
//! *Insert*: the same, under the lock of the key's first set, so that no key is there twice.
//!
//! A reader sees the old value or the new one, whatever happens to the writer in between. `recover` says what is done
//! about a dead writer's blocks.

use std::thread;
use std::time::{Duration, Instant};

use super::entry::{self, Copies, Head};
use super::evict::{self, Room, Victim, touch};
use super::find::{Entry, Places, find};
use super::key::Key;
use super::kill::{Step, at};
use super::layout::{header, seat};
use super::lock::lock;
use super::patience::Within;
use super::publish;
use super::words::{Block, Way};
use super::{Bytes, Change, Current, Fixed, Map, MapError, Outcome, Put, clock};
use crate::sync::Ordering::Relaxed;

/// How long a writer waits if entries make room, but other living processes have all blocks of the map in hand.
const PATIENCE: Duration = Duration::from_millis(100);
/// Sets that are searched for entries whose time is over, if a map that evicts none is full.
const SWEEP: u32 = 2048;

/// Memory that one thread reuses for each of its calls.
#[derive(Debug, Default)]
pub struct Hands {
    /// The value of the entry that was found.
    pub(super) value: Vec<u64>,
    /// The blocks of that entry.
    old: Vec<Block>,
    /// The blocks of the new entry.
    new: Vec<Block>,
    /// The blocks of an entry that makes room.
    victim: Vec<Block>,
}

impl Hands {
    /// Gives back memory that only a long value needs.
    pub fn shrink(&mut self) {
        const KEPT: usize = (1 << 20) / 8;
        if self.value.capacity() > KEPT {
            self.value = Vec::new();
        }
    }
}

/// The result of one attempt.
enum Attempt {
    Done(Outcome),
    /// Another process has changed the entry meanwhile: try again.
    Lost,
}

impl Map {
    /// Changes the entry of a key as `decide` says. `decide` is given the present entry, and is called again if that
    /// has changed meanwhile. Without `value`, it is not given the bytes of the value.
    pub fn change<'v>(
        &self,
        hands: &mut Hands,
        key: &Key,
        value: bool,
        mut decide: impl FnMut(Option<Current<'_>>) -> Change<'v>,
    ) -> Result<Outcome, MapError> {
        let places = self.places(key);
        let done = loop {
            match self.attempt(hands, key, places, value, &mut decide) {
                Ok(Attempt::Lost) => {}
                Ok(Attempt::Done(outcome)) => break Ok(outcome),
                Err(error) => break Err(error),
            }
        };
        self.store.give_back(&self.cells, &mut hands.new);
        done
    }

    fn attempt<'v>(
        &self,
        hands: &mut Hands,
        key: &Key,
        places: Places,
        value: bool,
        decide: &mut impl FnMut(Option<Current<'_>>) -> Change<'v>,
    ) -> Result<Attempt, MapError> {
        let mut copies = Copies {
            value: value.then_some(&mut hands.value),
            blocks: Some(&mut hands.old),
            limit: self.options.max_value,
        };
        let found = find(&self.cells, key, places, &mut copies);
        let there = found.filter(|entry| !clock::is_over(entry.head.expires));
        let (word, kept);
        let words: &[u64] = if value { &hands.value } else { &[] };
        let put = match decide(there.map(|entry| Current::new(&entry, words))) {
            Change::Keep => return Ok(Attempt::Done(Outcome::Kept)),
            Change::Delete => {
                return Ok(match found {
                    None => Attempt::Done(Outcome::Kept),
                    Some(entry) if !self.remove(hands, entry) => Attempt::Lost,
                    // An entry whose time was over did not exist.
                    Some(_) if there.is_none() => Attempt::Done(Outcome::Kept),
                    Some(_) => Attempt::Done(Outcome::Deleted),
                });
            }
            Change::Put(put) => put,
            Change::Renew { expires, stale } => {
                let Some(entry) = there else {
                    return Ok(Attempt::Done(Outcome::Kept));
                };
                kept = std::mem::take(&mut hands.value);
                let bytes: &[u8] = bytemuck::cast_slice(&kept);
                Put {
                    tag: entry.head.tag,
                    value: Bytes::Slice(&bytes[..(entry.head.length as usize).min(bytes.len())]),
                    expires,
                    stale,
                }
            }
        };
        let bytes = match put.value {
            Bytes::Slice(bytes) => bytes,
            Bytes::Word(number) => {
                word = number.to_ne_bytes();
                &word
            }
        };
        if bytes.len() > self.options.max_value {
            return Err(MapError::LongValue);
        }
        if put.expires != 0 && self.cells.header(header::TIMED).load(Relaxed) == 0 {
            self.cells.header(header::TIMED).store(1, Relaxed);
        }
        let head = Head {
            hash: places.hash,
            length: bytes.len() as u32,
            tag: put.tag,
            key_length: key.length,
            space: key.space.0,
            expires: put.expires,
            stale: put.stale,
        };
        let there = if found.is_some() { hands.old.len() } else { 0 };
        self.supply(hands, head.blocks(), there)?;
        entry::write(&self.cells, &hands.new, &head, key, bytes);
        at(Step::Filled);
        match found {
            Some(entry) => Ok(self.replace(hands, places, entry)),
            None => self.insert(hands, key, places),
        }
    }

    /// Gets exactly `wanted` blocks in hand, for an entry that replaces one of `there` blocks.
    fn supply(&self, hands: &mut Hands, wanted: usize, there: usize) -> Result<(), MapError> {
        if hands.new.len() > wanted {
            let mut rest = hands.new.split_off(wanted);
            self.store.give_back(&self.cells, &mut rest);
        }
        if hands.new.len() == wanted {
            return Ok(());
        }
        let Fixed { evict, .. } = self.options;
        let more = wanted.saturating_sub(there);
        let allowed = || more == 0 || evict || self.store.allows(&self.cells, more);
        let may = allowed();
        if may && self.store.take(&self.cells, wanted, &mut hands.new, false) {
            return Ok(());
        }
        if evict {
            return self.supply_by_eviction(hands, wanted);
        }
        if self.cells.header(header::TIMED).load(Relaxed) != 0 {
            for _ in 0..SWEEP.min(self.cells.sets()) {
                self.make_room(hands, None);
            }
        }
        match (may || allowed()) && self.store.take(&self.cells, wanted, &mut hands.new, true) {
            true => Ok(()),
            false => Err(MapError::Full),
        }
    }

    /// Lets entries make room until there are `wanted` blocks in hand.
    fn supply_by_eviction(&self, hands: &mut Hands, wanted: usize) -> Result<(), MapError> {
        let mut since = None;
        loop {
            // The first time around takes the bits, and the second time the entries.
            for _ in 0..u64::from(self.cells.sets()) * 4 {
                self.make_room(hands, Some(wanted));
                if self.store.take(&self.cells, wanted, &mut hands.new, false) {
                    return Ok(());
                }
            }
            if self.store.take(&self.cells, wanted, &mut hands.new, true) {
                return Ok(());
            }
            // The other blocks are in the hands of processes that want more as well. All of them give back what they
            // have, and the first that comes again gets it.
            self.store.give_back(&self.cells, &mut hands.new);
            if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return Err(MapError::Busy);
            }
            thread::yield_now();
        }
    }

    /// Moves CLOCK to the next set. There, entries whose time is over make room, and if blocks are `wanted` in hand, so
    /// does one other entry.
    fn make_room(&self, hands: &mut Hands, wanted: Option<usize>) {
        let evict = wanted.is_some();
        let hand = self.cells.header(header::HAND).fetch_add(1, Relaxed);
        let set = (hand % u64::from(self.cells.sets())) as u32;
        let mut from = 0;
        while let Some(victim) = evict::next_in(
            &self.cells,
            set,
            from,
            evict,
            self.options.max_value,
            &mut hands.victim,
        ) {
            if self.swap(set, victim.way, victim.seen, Way::EMPTY) {
                self.gone(hands, &victim, wanted);
                if evict && !victim.expired {
                    return;
                }
            }
            from = victim.way + 1;
        }
    }

    /// A victim has gone. Its blocks become those that are wanted in hand, and the next ones of this process.
    fn gone(&self, hands: &mut Hands, victim: &Victim, wanted: Option<usize>) {
        at(Step::Evicted);
        self.count(if victim.expired {
            seat::EXPIRED
        } else {
            seat::EVICTED
        });
        let lacking = wanted.map_or(0, |wanted| wanted.saturating_sub(hands.new.len()));
        let (lacking, rest) = hands.victim.split_at(lacking.min(hands.victim.len()));
        self.store.retake(&self.cells, lacking, &mut hands.new);
        self.store.recycle(&self.cells, rest);
        self.changed(victim.set);
    }

    fn replace(&self, hands: &mut Hands, places: Places, entry: Entry) -> Attempt {
        let new = Way::new(places.tag(), hands.new[0]);
        if !self.swap(entry.set, entry.way, entry.seen, new) {
            return Attempt::Lost;
        }
        touch(&self.cells, entry.set, entry.way);
        let version = self.settle(hands, entry.set, entry.way, new);
        self.store.recycle(&self.cells, &hands.old);
        self.changed(entry.set);
        Attempt::Done(Outcome::Put(version))
    }

    fn insert(&self, hands: &mut Hands, key: &Key, places: Places) -> Result<Attempt, MapError> {
        let new = Way::new(places.tag(), hands.new[0]);
        let limit = self.options.max_value;
        let mut patience = Within::new(&self.cells);
        let Some(locked) = lock(&self.cells, places.first, self.owner, &mut patience) else {
            return Err(MapError::Busy);
        };
        if locked.stolen {
            self.count(seat::STOLEN);
        }
        at(Step::Locked);
        // Looks as `attempt` does, which runs again: both have the same idea of what can be an entry.
        let mut copies = Copies {
            value: None,
            blocks: Some(&mut hands.old),
            limit,
        };
        if find(&self.cells, key, places, &mut copies).is_some() {
            return Ok(Attempt::Lost);
        }
        let evict = self.options.evict;
        let (set, way, victim) = loop {
            let room = evict::room(&self.cells, places, evict, limit, &mut hands.victim);
            let (set, way, seen, victim) = match room {
                Room::Empty { set, way } => (set, way, Way::EMPTY, None),
                Room::Of(victim) => (victim.set, victim.way, victim.seen, Some(victim)),
                Room::Full => return Err(MapError::Full),
            };
            // Another process may have been faster. Then that one got on.
            if self.swap(set, way, seen, new) {
                break (set, way, victim);
            }
        };
        at(Step::Done);
        drop(locked);
        let version = self.settle(hands, set, way, new);
        if let Some(victim) = victim {
            self.gone(hands, &victim, None);
        }
        self.changed(set);
        // Entries whose time is over are removed little by little, so that they are not in the way when there is no
        // room.
        if self.cells.header(header::TIMED).load(Relaxed) != 0 {
            self.make_room(hands, None);
        }
        Ok(Attempt::Done(Outcome::Put(version)))
    }

    /// Removes an entry. Returns false if it has changed.
    fn remove(&self, hands: &Hands, entry: Entry) -> bool {
        if !self.swap(entry.set, entry.way, entry.seen, Way::EMPTY) {
            return false;
        }
        at(Step::Removed);
        self.store.recycle(&self.cells, &hands.old);
        self.changed(entry.set);
        true
    }

    fn swap(&self, set: u32, way: usize, from: Way, to: Way) -> bool {
        publish::swap(&self.cells.ways(set)[way], from, to)
    }

    /// A way names the new entry. Returns its version.
    fn settle(&self, hands: &mut Hands, set: u32, way: usize, new: Way) -> u64 {
        at(Step::Published);
        let word = &self.cells.ways(set)[way];
        publish::settle(&self.cells, word, new, &hands.new, self.owner);
        let version = hands.new[0].link();
        hands.new.clear();
        version
    }

    /// Removes every entry of the user. Entries that come meanwhile may stay.
    pub fn clear(&self, hands: &mut Hands) {
        for set in 0..self.cells.sets() {
            for way in 0..super::layout::WAYS {
                let limit = self.options.max_value;
                let found = evict::look(&self.cells, set, way, limit, &mut hands.old);
                if let Some((seen, head)) = found
                    && head.space == super::Space::USER.0
                    && self.swap(set, way, seen, Way::EMPTY)
                {
                    self.store.recycle(&self.cells, &hands.old);
                    self.changed(set);
                }
            }
        }
    }
}
