//! Maps without free room.

use super::*;

/// Numbers that depend on a seed only.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    }
}

/// A writer that needs room finds it, even while others keep reading the entries, take room away, and hold free blocks.
#[test]
fn a_map_that_evicts_is_never_full_however_small_it_is_and_however_many_write() {
    let map = Map::create(Options {
        max_value: Some((1 << 14) / 4),
        ..options(1 << 14)
    })
    .unwrap();
    let turns = if cfg!(debug_assertions) { 1500 } else { 20_000 };
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let map = &map;
            scope.spawn(move || {
                let mut next = random(thread + 1);
                let mut hands = Hands::default();
                let value = vec![7; map.max_value()];
                for turn in 0..turns {
                    let name = format!("key {}", next(60));
                    match next(8) {
                        0 => drop(get(map, &name)),
                        1 => drop(delete(map, &name).unwrap()),
                        2 if turn % 64 == 0 => map.clear(&mut hands),
                        3 => insist(|| set(map, &name, &value)),
                        _ => {
                            let length = next(300);
                            insist(|| set(map, &name, &value[..length]));
                        }
                    }
                }
            });
        }
    });
    check(&map);
    map.clear(&mut Hands::default());
    assert_eq!(map.audit().live, 0);
}

#[test]
fn a_map_at_its_limit_takes_values_of_any_size_for_long() {
    let map = Map::create(options(1 << 19)).unwrap();
    let mut next = random(3);
    let value = vec![1; map.max_value()];
    let turns = if cfg!(debug_assertions) {
        20_000
    } else {
        200_000
    };
    for turn in 0..turns {
        let length = match next(20) {
            0 => next(map.max_value()),
            1 => 10_000,
            _ => next(200),
        };
        let name = format!("key {}", next(100_000));
        set(&map, &name, &value[..length]).unwrap();
        assert_eq!(get(&map, &name).unwrap().len(), length);
        if turn % 1000 == 999 {
            let Statistics { used, bytes, .. } = map.statistics();
            // The largest value takes a sixteenth of the map, and some of them may just have made room.
            assert!(turn < 5000 || used * 3 > bytes * 2, "{used} of {bytes}");
        }
    }
    check(&map);
}

#[test]
fn what_was_deleted_from_a_full_map_that_evicts_nothing_makes_room() {
    let map = Map::create(Options {
        evict: false,
        ..options(1 << 14)
    })
    .unwrap();
    let mut names = (0..).map(|n| format!("key {n}"));
    let mut last = names.next().unwrap();
    let mut there = Vec::new();
    while set(&map, &last, b"a value").is_ok() {
        there.push(std::mem::replace(&mut last, names.next().unwrap()));
    }
    for name in names.take(200) {
        assert!(matches!(set(&map, &last, b"a value"), Err(MapError::Full)));
        assert!(matches!(
            set(&map, &there[0], &[0; 1000]),
            Err(MapError::Full)
        ));
        let gone = there.pop().unwrap();
        assert_eq!(delete(&map, &gone).unwrap(), Outcome::Deleted);
        set(&map, &last, b"a value").unwrap();
        there.push(std::mem::replace(&mut last, name));
    }
    check(&map);
}

#[test]
fn a_time_that_is_too_long_to_count_is_for_ever() {
    let map = Map::create(options(1 << 14)).unwrap();
    for ttl in [Duration::MAX, Duration::from_secs(1 << 60)] {
        assert_eq!(map.end(Some(ttl), Duration::ZERO), 0);
        assert_eq!(map.end(Some(Duration::from_secs(1)), ttl), 0);
    }
    assert!(map.end(Some(Duration::ZERO), Duration::ZERO) > 0);
}
