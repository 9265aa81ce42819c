//! Memory that another process has overwritten: whatever its words are, every call ends.

use proptest::prelude::*;

use super::*;
use crate::memory::map::words::{Block, State, Way};
use layout::{BLOCK_WORDS, SEAT_WORDS, SET_WORDS};

/// A word that is written.
#[derive(Clone, Debug)]
enum Wrong {
    /// Any number.
    Any(u64),
    /// A small one.
    Small(u64),
    /// The word from another place.
    Copy(prop::sample::Index),
    /// A way or a link to some block, or the state of one.
    Way(u16, u32, u32),
    Link(u32, u32),
    Live(u32),
    Owned(u32, Owner),
}

/// The place: a seat, a state, a set, one of the first blocks, or any word that may change.
#[derive(Clone, Debug)]
enum Where {
    Head(prop::sample::Index),
    Seats(prop::sample::Index),
    States(prop::sample::Index),
    Sets(prop::sample::Index),
    Blocks(prop::sample::Index),
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        any::<u64>().prop_map(Wrong::Any),
        (0..4096u64).prop_map(Wrong::Small),
        any::<prop::sample::Index>().prop_map(Wrong::Copy),
        (any::<u16>(), 0..200u32, 0..4u32).prop_map(|(tag, to, life)| Wrong::Way(tag, to, life)),
        (0..200u32, 0..4u32).prop_map(|(to, life)| Wrong::Link(to, life)),
        (0..4u32).prop_map(Wrong::Live),
        (0..4u32, 0..6u16).prop_map(|(life, seat)| {
            let generation = 1;
            Wrong::Owned(life, Owner { seat, generation })
        }),
    ]
}

fn place() -> impl Strategy<Value = Where> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        1 => any().prop_map(Where::Head),
        1 => any().prop_map(Where::Seats),
        3 => any().prop_map(Where::States),
        3 => any().prop_map(Where::Sets),
        4 => any().prop_map(Where::Blocks),
    ]
}

/// Writes the word through another mapping of the same memory.
fn spoil(map: &Map, words: &Words, at: &Where, wrong: &Wrong) {
    let layout = map.cells.layout();
    let from =
        |start: usize, words: usize, index: &prop::sample::Index| start + index.index(words) * 8;
    let offset = match at {
        Where::Head(index) => from(header::HAND * 8, 24, index),
        Where::Seats(index) => from(
            layout::HEADER_BYTES,
            layout.seats as usize * SEAT_WORDS,
            index,
        ),
        Where::States(index) => from(layout.states_at, layout.blocks as usize, index),
        Where::Sets(index) => from(layout.sets_at, layout.sets as usize * SET_WORDS, index),
        Where::Blocks(index) => from(
            layout.blocks_at,
            layout.blocks as usize * BLOCK_WORDS,
            index,
        ),
    };
    let value = match *wrong {
        Wrong::Any(value) | Wrong::Small(value) => value,
        Wrong::Copy(ref index) => words.mapping.load(index.index(layout.total / 8) * 8),
        Wrong::Way(tag, index, generation) => Way::new(tag, Block { index, generation }).0,
        Wrong::Link(index, generation) => Block { index, generation }.link(),
        Wrong::Live(generation) => State::live(generation).0,
        Wrong::Owned(generation, owner) => State::owned(generation, owner).0,
    };
    words.mapping.u64(offset).store(value, Relaxed);
}

/// Makes every call of a map. Each returns a result or an error.
fn use_all(map: &Map) {
    let mut hands = Hands::default();
    for n in 0..24 {
        let name = format!("key {n}");
        let _ = get(map, &name);
        let _ = map
            .get(&mut hands, &key(&name))
            .map(|read| map.place(&read));
        let _ = map
            .peek(&key(&name))
            .map(|entry| (map.version_number(entry.version), entry.is_stale()));
        let _ = match n % 6 {
            0 => set(map, &name, b"short"),
            1 => set(map, &name, &[3; 700]),
            2 => delete(map, &name),
            3 => map.change(&mut hands, &key(&name), true, |_| Change::Renew {
                expires: clock::now() + 1,
                stale: 0,
            }),
            4 => map.change(&mut hands, &key(&name), true, |entry| {
                assert!(entry.is_none_or(|entry| entry.value().len() == entry.length));
                Change::Keep
            }),
            _ => set(map, &format!("new {n}"), &[4; 200]),
        };
        map.announce(&key(&name));
    }
    let mut from = Some(0);
    while let Some(at) = from {
        from = map.keys(at, 3, b"", |_| {});
    }
    map.statistics();
    for seat in 0..map.seats() as u16 {
        map.retire(seat);
        map.recover(seat);
    }
    map.wake();
    map.clear(&mut hands);
    let _ = set(map, "last", b"value");
}

fn full(evict: bool) -> Map {
    let map = Map::create(Options {
        evict,
        ..options(1 << 14)
    })
    .unwrap();
    for n in 0..70 {
        let _ = set(&map, &format!("key {n}"), &vec![n; n as usize * 5]);
    }
    map
}

proptest! {
    #[test]
    fn no_damage_to_the_words_crashes_or_holds_anybody(
        evict in any::<bool>(),
        damage in prop::collection::vec((place(), wrong()), 1..300),
    ) {
        let map = full(evict);
        let words = map.remap(true).unwrap();
        for (at, wrong) in &damage {
            spoil(&map, &words, at, wrong);
        }
        use_all(&map);
        // Other processes come now, and more words are spoilt meanwhile.
        if let Ok(other) = Map::open(map.file(), 1) {
            for (at, wrong) in &damage {
                spoil(&map, &words, at, wrong);
            }
            use_all(&other);
        }
        use_all(&map);
    }

    #[test]
    fn memory_of_any_bytes_is_a_map_or_is_refused(
        seed in any::<u64>(),
        spoils_header in any::<bool>(),
        header in prop::collection::vec((0..16usize, prop_oneof![any::<u64>(), 0..300_000u64]), 0..4),
    ) {
        let map = full(true);
        let words = map.remap(true).unwrap();
        let mut state = seed | 1;
        let from = if spoils_header { header::SEED * 8 } else { layout::HEADER_BYTES };
        for at in (from..map.cells.layout().total).step_by(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            words.mapping.u64(at).store(state, Relaxed);
        }
        for (word, value) in header {
            words.mapping.u64(word * 8).store(value, Relaxed);
        }
        use_all(&map);
        if let Ok(other) = Map::open(map.file(), 1) {
            use_all(&other);
        }
    }
}
