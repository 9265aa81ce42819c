use std::collections::HashMap;

use super::*;

#[cfg(target_os = "linux")]
mod kills;
mod room;
#[cfg(not(miri))]
mod spoilt;

fn options(bytes: usize) -> Options {
    Options {
        bytes,
        seats: 4,
        ttl: None,
        evict: true,
        max_value: None,
    }
}

fn key(name: &str) -> Key {
    Key::new(name.as_bytes()).unwrap()
}

fn put(bytes: &[u8]) -> Change<'_> {
    Change::Put(Put {
        tag: 7,
        value: Bytes::Slice(bytes),
        expires: 0,
        stale: 0,
    })
}

fn set(map: &Map, name: &str, bytes: &[u8]) -> Result<Outcome, MapError> {
    map.change(&mut Hands::default(), &key(name), false, |_| put(bytes))
}

fn get(map: &Map, name: &str) -> Option<Vec<u8>> {
    let mut hands = Hands::default();
    map.get(&mut hands, &key(name))
        .map(|read| read.entry.value().to_vec())
}

fn delete(map: &Map, name: &str) -> Result<Outcome, MapError> {
    map.change(&mut Hands::default(), &key(name), false, |_| Change::Delete)
}

/// Adds 1 to a number.
fn count(map: &Map, hands: &mut Hands, name: &str) -> Result<Outcome, MapError> {
    map.change(hands, &key(name), true, |entry| {
        let sum = entry.map_or(0, |entry| {
            u64::from_ne_bytes(entry.value().try_into().unwrap())
        });
        Change::Put(Put {
            tag: 1,
            value: Bytes::Word(sum + 1),
            expires: 0,
            stale: 0,
        })
    })
}

/// Tries again while another process that is in the way has no CPU.
fn insist(mut put: impl FnMut() -> Result<Outcome, MapError>) {
    loop {
        match put() {
            Err(MapError::Busy) => {}
            done => {
                done.unwrap();
                return;
            }
        }
    }
}

/// Every block is free, kept by a process, or part of an entry that a way names. No key is there twice.
fn check(map: &Map) {
    let mut audit = map.audit();
    assert_eq!(audit.live, audit.named, "{audit:?}");
    assert_eq!(
        audit.free + audit.owned + audit.live,
        map.cells.blocks() as usize
    );
    assert!(audit.owned <= layout::MAGAZINE * map.seats(), "{audit:?}");
    let entries = audit.hashes.len();
    audit.hashes.sort_unstable();
    audit.hashes.dedup();
    assert_eq!(audit.hashes.len(), entries, "a key is there twice");
}

#[test]
fn what_is_put_is_there_until_it_is_deleted() {
    let map = Map::create(options(1 << 20)).unwrap();
    let lengths = [0, 1, 7, 8, 9, 87, 88, 89, 200, 5000, 60_000];
    for (n, &length) in lengths.iter().enumerate() {
        let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + n) as u8).collect();
        set(&map, &format!("key {n}"), &bytes).unwrap();
        assert_eq!(get(&map, &format!("key {n}")), Some(bytes));
    }
    check(&map);
    for n in 0..lengths.len() {
        assert_eq!(delete(&map, &format!("key {n}")).unwrap(), Outcome::Deleted);
        assert_eq!(delete(&map, &format!("key {n}")).unwrap(), Outcome::Kept);
        assert_eq!(get(&map, &format!("key {n}")), None);
    }
    check(&map);
    assert_eq!(map.audit().live, 0);
}

#[test]
fn a_map_does_what_a_hash_map_does() {
    let map = Map::create(options(1 << 20)).unwrap();
    let mut model: HashMap<String, Vec<u8>> = HashMap::new();
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for _ in 0..20_000 {
        let name = format!("a key {}", next() % 300);
        match next() % 4 {
            0 => {
                let there = model.remove(&name).is_some();
                let done = delete(&map, &name).unwrap();
                assert_eq!(done == Outcome::Deleted, there);
            }
            1 => assert_eq!(get(&map, &name), model.get(&name).cloned()),
            _ => {
                let bytes = vec![next() as u8; next() % 400];
                set(&map, &name, &bytes).unwrap();
                model.insert(name, bytes);
            }
        }
    }
    let mut keys = Vec::new();
    let mut from = Some(0);
    while let Some(at) = from {
        from = map.keys(at, 10, b"a key", |key| {
            keys.push(String::from_utf8(key.to_vec()).unwrap());
        });
    }
    keys.sort();
    let mut all: Vec<_> = model.keys().cloned().collect();
    all.sort();
    assert_eq!(keys, all);
    assert_eq!(map.statistics().entries as usize, all.len());
    check(&map);
    map.clear(&mut Hands::default());
    assert_eq!(map.statistics().entries, 0);
    check(&map);
}

#[test]
fn a_full_map_makes_room_by_what_was_not_read() {
    let map = Map::create(options(1 << 16)).unwrap();
    for n in 0..5000 {
        set(&map, &format!("often {}", n % 20), b"this stays").unwrap();
        get(&map, &format!("often {}", n % 20)).unwrap();
        set(&map, &format!("once {n}"), &[n as u8; 100]).unwrap();
        if n % 50 == 0 {
            set(&map, "large", &[1; 4000]).unwrap();
        }
    }
    check(&map);
    assert!(map.statistics().evicted > 4000);
}

#[test]
fn a_map_that_evicts_nothing_has_room_for_what_it_was_asked_for() {
    let map = Map::create(Options {
        evict: false,
        ..options(1 << 18)
    })
    .unwrap();
    let room = ((1 << 18) - layout::HEADER_BYTES) / 160;
    for n in 0..room {
        set(&map, &format!("key {n}"), b"a value").unwrap();
    }
    let refused = (room..room + 100).filter(|n| {
        matches!(
            set(&map, &format!("key {n}"), b"a value"),
            Err(MapError::Full)
        )
    });
    assert!(refused.count() > 0);
    assert!((0..room).all(|n| get(&map, &format!("key {n}")).is_some()));
    // Replacing needs no more room than there is.
    for n in 0..room {
        set(&map, &format!("key {n}"), b"another").unwrap();
    }
    check(&map);
    delete(&map, "key 0").unwrap();
    set(&map, "one more", b"a value").unwrap();
}

#[test]
fn threads_count_exactly_and_lose_no_key() {
    let map = Arc::new(Map::create(options(1 << 20)).unwrap());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let map = &map;
            scope.spawn(move || {
                let mut hands = Hands::default();
                for n in 0..5000_u64 {
                    insist(|| count(map, &mut hands, &format!("count {}", n % 3)));
                    insist(|| set(map, &format!("{thread} {}", n % 100), &n.to_ne_bytes()));
                    if n % 7 == 0 {
                        delete(map, &format!("all {}", n % 5)).unwrap();
                    } else {
                        let value = vec![3; n as usize % 500];
                        insist(|| set(map, &format!("all {}", n % 5), &value));
                    }
                }
            });
        }
    });
    let sum: u64 = (0..3)
        .map(|n| {
            let bytes = get(&map, &format!("count {n}")).unwrap();
            u64::from_ne_bytes(bytes.try_into().unwrap())
        })
        .sum();
    assert_eq!(sum, 20_000);
    check(&map);
}

#[test]
fn an_entry_ends_when_its_time_is_over_and_makes_room_then() {
    let map = Map::create(Options {
        evict: false,
        ..options(1 << 16)
    })
    .unwrap();
    let mut hands = Hands::default();
    let timed = |ms: u64, name: &str, hands: &mut Hands| {
        let expires = map.end(Some(Duration::from_millis(ms)), Duration::ZERO);
        map.change(hands, &key(name), false, |_| {
            Change::Put(Put {
                tag: 7,
                value: Bytes::Slice(b"for a while"),
                expires,
                stale: 0,
            })
        })
    };
    for n in 0..200 {
        timed(30, &format!("short {n}"), &mut hands).unwrap();
    }
    timed(3_600_000, "long", &mut hands).unwrap();
    while get(&map, "short 199").is_some() {
        std::thread::yield_now();
    }
    assert!((0..200).all(|n| get(&map, &format!("short {n}")).is_none()));
    assert!(get(&map, "long").is_some());
    for n in 0..350 {
        timed(3_600_000, &format!("next {n}"), &mut hands).unwrap();
    }
    check(&map);
}

#[test]
fn what_is_no_map_is_refused() {
    let map = Map::create(options(1 << 16)).unwrap();
    assert!(matches!(
        Map::open(map.file(), 9),
        Err(MapError::Mismatch(_))
    ));
    for word in [header::MAGIC, header::VERSION, header::SETS, header::TOTAL] {
        let before = map.cells.header(word).swap(7, Relaxed);
        assert!(Map::open(map.file(), 0).is_err());
        map.cells.header(word).store(before, Relaxed);
    }
    assert!(Map::open(map.file(), 0).is_ok());
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(Map::open(file.as_fd(), 0).is_err());
}

/// How long `recover` and `statistics` take for a full map: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn recovery_of_a_full_map() {
    let map = Map::create(options(1 << 26)).unwrap();
    for n in 0..600_000 {
        set(&map, &format!("key {n}"), &[0; 40]).unwrap();
    }
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let found = map.recover(0);
        let recovery = start.elapsed();
        let statistics = map.statistics();
        println!(
            "{recovery:?} {found:?}, {:?} {statistics:?}",
            start.elapsed() - recovery
        );
    }
}

/// What the calls cost: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn times_of_calls() {
    let map = Map::create(options(1 << 26)).unwrap();
    let names: Vec<String> = (0..1000).map(|n| format!("user:{n}:profile")).collect();
    let mut hands = Hands::default();
    let time = |what: &str, f: &mut dyn FnMut(usize)| {
        let start = std::time::Instant::now();
        for n in 0..200_000 {
            f(n % 1000);
        }
        println!("{what}: {} ns", start.elapsed().as_nanos() / 200_000);
    };
    time("key", &mut |n| {
        std::hint::black_box(key(&names[n]));
    });
    time("hash", &mut |n| {
        std::hint::black_box(key(&names[n]).hash([1, 2]));
    });
    time("set", &mut |n| {
        map.change(&mut hands, &key(&names[n]), false, |_| put(&[7; 100]))
            .unwrap();
    });
    time("get", &mut |n| {
        std::hint::black_box(map.get(&mut hands, &key(&names[n])).unwrap());
    });
    time("peek", &mut |n| {
        std::hint::black_box(map.peek(&key(&names[n])).unwrap());
    });
    time("missing", &mut |n| {
        std::hint::black_box(map.peek(&key(&format!("no {n}"))));
    });
}
