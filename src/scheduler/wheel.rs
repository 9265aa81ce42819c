//! Times to come: a hierarchical timer wheel (Varghese & Lauck 1987, scheme 7), laid out as tokio's
//! (`tokio/src/runtime/time/wheel`).
//!
//! There are six levels of 64 slots. A slot of the lowest level is one tick, and a slot of each other level is
//! as long as all slots of the level below. An entry is in the level of the highest bits in which its tick
//! differs from the present, and moves down as its slot begins. A bit per slot says whether it has entries, so the next
//! entry is found by counting zeros. The entries of a slot are linked, so each can be taken out at once. So arming and
//! cancelling cost the same, however many alarms are armed.

use super::slab::{NIL, Slab};

const LEVELS: usize = 6;
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// Ticks that an entry is put ahead at most. An entry farther away is put ahead again until its tick has come.
const FARTHEST: u64 = 1 << (BITS as u64 * LEVELS as u64 - 1);

/// Names an entry of a wheel, as long as the entry is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId(u32);

impl EntryId {
    /// No entry.
    pub(super) const NONE: Self = Self(NIL);
}

#[derive(Debug)]
struct Entry<T> {
    tick: u64,
    next: u32,
    prev: u32,
    level: u8,
    slot: u8,
    item: T,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// Bit s is set while slot s has entries.
    filled: u64,
    heads: [u32; SLOTS],
}

/// Items by the tick at which each is due.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    levels: Box<[Level; LEVELS]>,
    entries: Slab<Entry<T>, 16>,
    /// All ticks before this one have fired. This one may have fired, too.
    present: u64,
}

impl<T> Wheel<T> {
    /// A wheel without entries.
    pub(super) fn new(present: u64) -> Self {
        let level = Level {
            filled: 0,
            heads: [NIL; SLOTS],
        };
        Self {
            levels: Box::new([level; LEVELS]),
            entries: Slab::default(),
            present,
        }
    }

    /// Adds an item. If its tick has already fired, the item is due at the next.
    pub(super) fn insert(&mut self, tick: u64, item: T) -> EntryId {
        let key = self.entries.insert(Entry {
            tick: tick.max(self.present + 1),
            next: NIL,
            prev: NIL,
            level: 0,
            slot: 0,
            item,
        });
        self.link(key);
        EntryId(key)
    }

    /// Takes an item out before it is due.
    pub(super) fn remove(&mut self, id: EntryId) -> T {
        self.unlink(id.0);
        self.entries.remove(id.0).item
    }

    /// The item of an entry.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn item(&self, id: EntryId) -> &T {
        &self.entries[id.0].item
    }

    /// The number of entries.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn len(&self) -> usize {
        self.entries.keys().count()
    }

    /// When an entry is due.
    pub(super) fn tick_of(&self, id: EntryId) -> u64 {
        self.entries[id.0].tick
    }

    /// Takes one item out that is due at `tick` or before, the earliest first.
    pub(super) fn pop(&mut self, tick: u64) -> Option<T> {
        loop {
            let Some((level, slot, start)) = self.first().filter(|&(.., start)| start <= tick)
            else {
                self.present = self.present.max(tick);
                return None;
            };
            self.present = self.present.max(start);
            let key = self.levels[level].heads[slot];
            if self.entries[key].tick <= self.present {
                self.unlink(key);
                return Some(self.entries.remove(key).item);
            }
            self.move_down(level, slot);
        }
    }

    /// A tick after the present, no later than that of the next item; none if there are no items.
    pub(super) fn next(&self) -> Option<u64> {
        self.first().map(|(.., start)| start)
    }

    /// Of the slots with entries, the one that begins next: its level, its number, and its first tick.
    fn first(&self) -> Option<(usize, usize, u64)> {
        // Entries on a level come before the next slot of the level above.
        let level = self.levels.iter().position(|level| level.filled != 0)?;
        let (shift, whole) = (shift(level), 1 << shift(level + 1));
        let now = (self.present >> shift) as usize % SLOTS;
        let ahead = self.levels[level]
            .filled
            .rotate_right(now as u32)
            .trailing_zeros() as usize;
        let slot = (now + ahead) % SLOTS;
        let mut start = (self.present & !(whole - 1)) + ((slot as u64) << shift);
        if slot < now {
            // A slot of the next turn, which only the highest level has.
            start += whole;
        }
        Some((level, slot, start))
    }

    /// Moves the entries of a slot that has begun to the levels where they are now due.
    fn move_down(&mut self, level: usize, slot: usize) {
        let mut key = std::mem::replace(&mut self.levels[level].heads[slot], NIL);
        self.levels[level].filled &= !(1 << slot);
        while key != NIL {
            let next = self.entries[key].next;
            self.link(key);
            key = next;
        }
    }

    fn link(&mut self, key: u32) {
        let tick = self.entries[key].tick.min(self.present + FARTHEST);
        let differs = (tick ^ self.present) | (SLOTS as u64 - 1);
        let level = (differs.ilog2() / BITS).min(LEVELS as u32 - 1) as usize;
        let slot = (tick >> shift(level)) as usize % SLOTS;
        let next = std::mem::replace(&mut self.levels[level].heads[slot], key);
        self.levels[level].filled |= 1 << slot;
        if next != NIL {
            self.entries[next].prev = key;
        }
        let entry = &mut self.entries[key];
        (entry.prev, entry.next) = (NIL, next);
        (entry.level, entry.slot) = (level as u8, slot as u8);
    }

    fn unlink(&mut self, key: u32) {
        let entry = &self.entries[key];
        let (level, slot) = (entry.level as usize, entry.slot as usize);
        let (prev, next) = (entry.prev, entry.next);
        if next != NIL {
            self.entries[next].prev = prev;
        }
        if prev != NIL {
            self.entries[prev].next = next;
            return;
        }
        self.levels[level].heads[slot] = next;
        if next == NIL {
            self.levels[level].filled &= !(1 << slot);
        }
    }
}

/// The number of tick bits below the slots of a level.
fn shift(level: usize) -> u32 {
    BITS * level as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs the wheel through every tick up to `until`, and returns each item with the tick at which it came.
    fn run(wheel: &mut Wheel<u64>, from: u64, until: u64) -> Vec<(u64, u64)> {
        (from..=until)
            .flat_map(|tick| {
                std::iter::from_fn(|| wheel.pop(tick))
                    .map(|item| (item, tick))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn each_item_is_due_at_its_tick_however_far_ahead_that_was() {
        // miri takes milliseconds per tick.
        let last: u64 = if cfg!(miri) { 4200 } else { 300_000 };
        let ticks = [1, 5, 63, 64, 65, 5 + 64 * 64, 4095, 4096, last / 33, last];
        let mut wheel = Wheel::new(0);
        for tick in ticks {
            wheel.insert(tick, tick);
        }
        let came = run(&mut wheel, 1, last + 1);
        assert!(came.iter().all(|(due, at)| due == at), "{came:?}");
        assert_eq!(came.len(), ticks.len());
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn what_is_armed_for_a_tick_that_has_fired_comes_with_the_next() {
        let mut wheel = Wheel::new(0);
        wheel.insert(10, 10);
        assert_eq!(wheel.pop(10), Some(10));
        wheel.insert(10, 11);
        wheel.insert(3, 12);
        assert_eq!(wheel.pop(10), None);
        assert_eq!(wheel.next(), Some(11));
        let mut came = [wheel.pop(11), wheel.pop(11)];
        came.sort_unstable();
        assert_eq!(came, [Some(11), Some(12)]);
    }

    #[test]
    fn an_item_years_ahead_is_due_then_and_the_wheel_wakes_seldom_until_then() {
        let mut wheel = Wheel::new(77);
        let far = 77 + (1 << 40);
        wheel.insert(far, 1);
        let mut wakes = 0;
        loop {
            let next = wheel.next().expect("it is there until it is due");
            wakes += 1;
            if let Some(item) = wheel.pop(next) {
                assert_eq!((item, next), (1, far));
                break;
            }
        }
        assert!(wakes < 64, "{wakes}");
    }

    proptest! {
        #[test]
        fn a_wheel_gives_what_a_sorted_list_gives(
            steps in prop::collection::vec((0u8..4, 0u64..(1 << 20), 0usize..8), 1..200),
            start in 0u64..(1 << 40),
        ) {
            let mut wheel = Wheel::new(start);
            let mut list: Vec<(u64, EntryId, u64)> = Vec::new();
            let (mut now, mut name) = (start, 0);
            for (kind, ticks, which) in steps {
                match kind {
                    0 | 1 => {
                        // Some are near, some far.
                        let tick = now + if kind == 0 { ticks % 100 } else { ticks << (which * 3) };
                        let id = wheel.insert(tick, name);
                        list.push((tick.max(wheel.present + 1), id, name));
                        name += 1;
                    }
                    2 if !list.is_empty() => {
                        let (_, id, name) = list.swap_remove(which % list.len());
                        prop_assert_eq!(wheel.remove(id), name);
                    }
                    _ => {
                        now += ticks >> (which * 2);
                        let mut came: Vec<u64> = std::iter::from_fn(|| wheel.pop(now)).collect();
                        came.sort_unstable();
                        let due = list.extract_if(.., |&mut (tick, ..)| tick <= now);
                        let mut expected: Vec<u64> = due.map(|(.., name)| name).collect();
                        expected.sort_unstable();
                        prop_assert_eq!(came, expected);
                    }
                }
                let earliest = list.iter().map(|&(tick, ..)| tick).min();
                prop_assert_eq!(wheel.next().is_some(), earliest.is_some());
                prop_assert!(wheel.next() <= earliest && wheel.next().is_none_or(|next| next > now || kind == 0 || kind == 1));
            }
        }
    }
}
