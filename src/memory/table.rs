//! A table of 64-bit values by key, in memory of several processes: for facts about a key that fit into one word.
//!
//! A key is identified by a seeded digest of 128 bits, so nobody can find two keys with the same one. The key may be in
//! its *home* set or in the seven that follow, in the first way that was free when it came. A value is changed by one
//! compare-and-swap, without a lock. A new key is put in under the lock of its home set, so that no key is there twice:
//!
//! | step | what others see | and if the writer dies here |
//! |---|---|---|
//! | it has the lock | keys that are there change as ever | the next one takes the lock over: there is nothing to repair |
//! | it has claimed a way, by a compare-and-swap of a value that nobody needs any more | that key has gone | [`Table::recover`] empties the way |
//! | it has written the key | the same: a way that is claimed is no key's | the same |
//! | it has written the value | the new key | – |
//!
//! A value that is *over* is as good as none, so its way may be claimed. The caller says which values are over.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use super::region::{Region, Section};

/// Ways of a set.
const WAYS: usize = 16;
/// Words of a way: two of its key, and its value.
const WAY_WORDS: usize = 3;
/// Bytes of a set: a cache line with its lock, then the ways.
pub(super) const SET_BYTES: usize = 64 + WAYS * WAY_WORDS * 8;
const FIRST: usize = 8;
/// The number of sets in which a key may be.
const REACH: usize = 8;
/// The first word of the key in a way that was claimed by a process which has died. No key has this word.
const NOBODY: u64 = u64::MAX;
/// A value which says that its way is being filled. The seat of the process is in its low bits.
const CLAIMED: u64 = 1 << 63;
/// How long to wait for a living process that puts a key into the same set.
const PATIENCE: Duration = Duration::from_millis(100);
/// The seat number of the primary, which has no seat.
pub const PRIMARY: u32 = 0xffff;

/// The number of sets for this many keys, half full: then no key finds all of its ways taken.
pub(super) fn sets_for(keys: u32) -> usize {
    match keys {
        0 => 0,
        keys => (keys as usize * 2).div_ceil(WAYS).max(REACH),
    }
}

/// The digest of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Neither 0 nor `NOBODY`.
    first: u64,
    second: u64,
}

impl Key {
    /// The key with a digest, whose bits are as good as random.
    pub fn of_digest(digest: [u64; 2]) -> Key {
        Key {
            first: digest[0].clamp(1, NOBODY - 1),
            second: digest[1],
        }
    }
}

/// Why a key could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All ways have values that are needed.
    Full,
    /// A process that does not run has the lock.
    Busy,
}

/// What should become of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    Keep,
    /// It is this value from now on: above 0, and below 2⁶³.
    Put(u64),
}

/// Whether a way with a value may be given to another key. The way with the least value goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evict {
    /// Only if the value is over.
    Over,
    /// Also if it is not over.
    Any,
}

/// The table as one process has it.
#[derive(Debug)]
pub struct Table<'a> {
    region: &'a Region,
    section: Section,
    seat: u32,
    pid: u32,
}

/// One way of a set.
#[derive(Clone, Copy)]
struct Way<'a> {
    first: &'a AtomicU64,
    second: &'a AtomicU64,
    value: &'a AtomicU64,
}

impl Way<'_> {
    fn is_of(self, key: Key) -> bool {
        self.first.load(Acquire) == key.first && self.second.load(Acquire) == key.second
    }
}

/// A locked set. Dropping this unlocks it.
struct Locked<'a> {
    word: &'a AtomicU64,
    mine: u64,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let _ = self.word.compare_exchange(self.mine, 0, Release, Relaxed);
    }
}

impl<'a> Table<'a> {
    /// The table in a section, for the process `pid`, which has the seat.
    pub fn new(region: &'a Region, section: Section, seat: u32, pid: u32) -> Table<'a> {
        Table {
            region,
            section,
            seat,
            pid,
        }
    }

    /// Changes the value of a key as `decide` says. `decide` is given the present value, or none if that is `over`, and
    /// is called again if the value has changed meanwhile. `has_ended` says whether a process has ended.
    pub fn change(
        &self,
        key: Key,
        evict: Evict,
        over: impl Fn(u64) -> bool,
        has_ended: impl Fn(u32) -> bool,
        mut decide: impl FnMut(Option<u64>) -> Change,
    ) -> Result<(), Refusal> {
        if self.section.count == 0 {
            return Err(Refusal::Full);
        }
        loop {
            match self.change_there(key, &over, &mut decide) {
                Some(true) => return Ok(()),
                Some(false) => continue,
                None => {}
            }
            let Change::Put(value) = decide(None) else {
                return Ok(());
            };
            let _locked = self.lock(key, &has_ended)?;
            // Another process may have added it meanwhile.
            if self.find(key).is_some() {
                continue;
            }
            return self.insert(key, value, evict, &over);
        }
    }

    /// Returns nothing if the key is not there, false if its value has changed meanwhile.
    fn change_there(
        &self,
        key: Key,
        over: &impl Fn(u64) -> bool,
        decide: &mut impl FnMut(Option<u64>) -> Change,
    ) -> Option<bool> {
        let (way, seen) = self.find(key)?;
        let Change::Put(value) = decide((!over(seen)).then_some(seen)) else {
            return Some(true);
        };
        // This fails if the way was claimed in between: the value of the key that then has it is a later moment.
        let swapped = way.value.compare_exchange(seen, value, AcqRel, Relaxed);
        Some(swapped.is_ok())
    }

    fn insert(
        &self,
        key: Key,
        value: u64,
        evict: Evict,
        over: &impl Fn(u64) -> bool,
    ) -> Result<(), Refusal> {
        loop {
            let mut least: Option<(Way<'_>, u64)> = None;
            let mut free = None;
            for way in self.ways(key) {
                let seen = way.value.load(Acquire);
                if seen & CLAIMED != 0 {
                    continue;
                }
                if seen == 0 || over(seen) {
                    free = Some((way, seen));
                    break;
                }
                if least.is_none_or(|(_, value)| seen < value) {
                    least = Some((way, seen));
                }
            }
            let (way, seen) = match (free, evict) {
                (Some(free), _) => free,
                (None, Evict::Any) => least.ok_or(Refusal::Busy)?,
                (None, Evict::Over) => return Err(Refusal::Full),
            };
            let claim = CLAIMED | u64::from(self.seat);
            if way
                .value
                .compare_exchange(seen, claim, AcqRel, Relaxed)
                .is_ok()
            {
                way.first.store(key.first, Release);
                way.second.store(key.second, Release);
                way.value.store(value, Release);
                return Ok(());
            }
        }
    }

    fn find(&self, key: Key) -> Option<(Way<'a>, u64)> {
        for way in self.ways(key) {
            let there = way.first.load(Acquire);
            if there == 0 && way.value.load(Acquire) == 0 {
                // This way was never used, so no key is beyond it.
                return None;
            }
            if there == key.first && way.is_of(key) {
                let value = way.value.load(Acquire);
                // A process claims a way before it writes another key. So if the key is still the same, the value
                // belongs to it.
                if value & CLAIMED == 0 && value != 0 && way.is_of(key) {
                    return Some((way, value));
                }
            }
        }
        None
    }

    fn ways(&self, key: Key) -> impl Iterator<Item = Way<'a>> {
        let home = self.home(key);
        let (region, section) = (self.region, self.section);
        (0..REACH * WAYS).map(move |at| {
            let set = (home + at / WAYS) % section.count;
            way_of(region, section, set, at % WAYS)
        })
    }

    fn home(&self, key: Key) -> usize {
        // Multiplies the upper half, which needs no division.
        (((key.first >> 32) * self.section.count as u64) >> 32) as usize
    }

    fn lock(&self, key: Key, has_ended: &impl Fn(u32) -> bool) -> Result<Locked<'a>, Refusal> {
        let word = self.region.word_of(self.section, self.home(key), 0);
        let mine = u64::from(self.pid) << 32 | u64::from(self.seat + 1);
        let mut since = None;
        loop {
            let seen = word.load(Relaxed);
            let is_free = seen == 0 || (since.is_some() && has_ended((seen >> 32) as u32));
            if is_free && word.compare_exchange(seen, mine, Acquire, Relaxed).is_ok() {
                return Ok(Locked { word, mine });
            }
            let began: &mut Instant = since.get_or_insert_with(Instant::now);
            if began.elapsed() > PATIENCE {
                return Err(Refusal::Busy);
            }
            std::thread::yield_now();
        }
    }

    /// Empties the ways that an ended process had claimed, and opens its locks. To be called before another process has
    /// the seat.
    pub fn recover(region: &Region, section: Section, seat: u32) {
        let claim = CLAIMED | u64::from(seat);
        for set in 0..section.count {
            let lock = region.word_of(section, set, 0);
            let seen = lock.load(Acquire);
            if seen as u32 == seat + 1 {
                let _ = lock.compare_exchange(seen, 0, AcqRel, Relaxed);
            }
            for at in 0..WAYS {
                let way = way_of(region, section, set, at);
                if way.value.load(Acquire) == claim {
                    // Keys may be beyond this way, so it must not look as if it was never used.
                    way.first.store(NOBODY, Release);
                    let _ = way.value.compare_exchange(claim, 0, AcqRel, Relaxed);
                }
            }
        }
    }
}

fn way_of(region: &Region, section: Section, set: usize, at: usize) -> Way<'_> {
    let word = |word| region.word_of(section, set, FIRST + at * WAY_WORDS + word);
    Way {
        first: word(0),
        second: word(1),
        value: word(2),
    }
}

/// The same for all tables of a region.
pub fn recover(region: &Region, seat: u32) {
    let layout = region.layout();
    for section in [layout.once, layout.limits] {
        Table::recover(region, section, seat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::region::Spec;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    fn region(once: u32) -> Region {
        let spec = Spec {
            seats: 9,
            once,
            ..Spec::default()
        };
        Region::create(spec, "").unwrap()
    }

    fn table(region: &Region, seat: u32) -> Table<'_> {
        Table::new(region, region.layout().once, seat, 1000 + seat)
    }

    /// Spread as evenly as digests are.
    fn digest(key: u64) -> Key {
        let first = key.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        Key::of_digest([first, key])
    }

    fn first(table: &Table<'_>, key: u64) -> Result<bool, Refusal> {
        let mut was = false;
        let decide = |seen: Option<u64>| {
            was = seen.is_none();
            if was { Change::Put(7) } else { Change::Keep }
        };
        table.change(digest(key), Evict::Over, |_| false, |_| false, decide)?;
        Ok(was)
    }

    #[test]
    fn each_key_is_new_once_whoever_asks() {
        const KEYS: u64 = 2000;
        let region = region(KEYS as u32);
        let news = AtomicUsize::new(0);
        thread::scope(|scope| {
            for seat in 0..4 {
                let (region, news) = (&region, &news);
                scope.spawn(move || {
                    let table = table(region, seat);
                    for key in 0..KEYS * 3 {
                        news.fetch_add(usize::from(first(&table, key % KEYS).unwrap()), Relaxed);
                    }
                });
            }
        });
        assert_eq!(news.into_inner(), KEYS as usize);
    }

    #[test]
    fn keys_that_have_half_of_their_digests_in_common_are_two() {
        let region = region(16);
        let table = table(&region, 0);
        let ask = |key| {
            let mut was = false;
            let decide = |seen: Option<u64>| {
                was = seen.is_none();
                Change::Put(7)
            };
            table
                .change(key, Evict::Over, |_| false, |_| false, decide)
                .unwrap();
            was
        };
        for words in [[5, 6], [5, 7], [4, 6]] {
            assert!(ask(Key::of_digest(words)));
            assert!(!ask(Key::of_digest(words)));
        }
    }

    #[test]
    fn so_many_keys_as_were_asked_for_find_room() {
        for keys in [1, 100, 50_000] {
            let region = region(keys);
            let table = table(&region, 0);
            for key in 0..u64::from(keys) {
                assert_eq!(first(&table, key), Ok(true));
            }
        }
    }

    #[test]
    fn a_key_is_found_beyond_a_way_that_a_dead_process_had_claimed() {
        let region = region(16);
        let table = table(&region, 0);
        let way = table.ways(digest(5)).next().unwrap();
        way.value.store(CLAIMED | 3, Release);
        assert_eq!(first(&table, 5), Ok(true));
        Table::recover(&region, region.layout().once, 3);
        assert_eq!(first(&table, 5), Ok(false));
    }

    #[test]
    fn additions_of_many_are_all_there_while_keys_make_room_for_others() {
        let region = region(64);
        thread::scope(|scope| {
            for seat in 0..4 {
                let region = &region;
                scope.spawn(move || {
                    let table = table(region, seat);
                    for turn in 0..5000u64 {
                        let add = |seen: Option<u64>| Change::Put(seen.unwrap_or(1 << 40) + 1);
                        let keep = |value: u64| value < 1 << 40;
                        table
                            .change(digest(1), Evict::Any, keep, |_| false, add)
                            .unwrap();
                        // These have the least values, so they are evicted first.
                        let key = digest(100 + turn % 200 + u64::from(seat) * 1000);
                        table
                            .change(key, Evict::Any, |_| false, |_| false, |_| Change::Put(3))
                            .unwrap();
                    }
                });
            }
        });
        let mut sum = None;
        let look = |seen| {
            sum = seen;
            Change::Keep
        };
        table(&region, 0)
            .change(digest(1), Evict::Any, |_| false, |_| false, look)
            .unwrap();
        assert_eq!(sum, Some((1 << 40) + 4 * 5000));
    }

    #[test]
    fn where_nothing_makes_room_the_table_is_full() {
        let region = region(16);
        let table = table(&region, 0);
        let results: Vec<_> = (0..200).map(|key| first(&table, key)).collect();
        assert!(results.contains(&Err(Refusal::Full)));
        assert!(results.iter().filter(|it| **it == Ok(true)).count() >= 16);
    }

    #[test]
    fn the_lock_and_the_claims_of_a_dead_process_are_in_nobodys_way() {
        let region = region(16);
        let (dead, alive) = (table(&region, 3), table(&region, 4));
        std::mem::forget(dead.lock(digest(5), &|_| false).unwrap());
        let way = dead.ways(digest(5)).next().unwrap();
        way.value.store(CLAIMED | 3, Release);
        way.first.store(digest(5).first, Release);
        assert_eq!(first(&alive, 5), Err(Refusal::Busy));
        // As far as the table knows, the process lives. Later it has ended.
        let put = |_: Option<u64>| Change::Put(9);
        let ended = |pid| pid == 1003;
        alive
            .change(digest(5), Evict::Over, |_| false, ended, put)
            .unwrap();
        std::mem::forget(dead.lock(digest(5), &|_| false).unwrap());
        Table::recover(&region, region.layout().once, 3);
        assert_eq!(way.value.load(Acquire), 0);
        assert_eq!(first(&alive, 5), Ok(false));
        assert_eq!(first(&alive, 6), Ok(true));
    }
}
