//! The steps of shared maps: whoever reads sees one entry or the other, a new key is there once, and nothing is lost
//! and nothing taken that is somebody's, also beside who puts in order what the dead have left.

use loom::sync::Arc;
use loom::thread;

use super::blocks::{make_live, release, retake, take};
use super::cells::Cells;
use super::entry::{self, Copies, Head};
use super::find::{Entry, Places, find, places_of};
use super::key::Key;
use super::lock::{Patience, lock};
use super::publish::{settle, swap};
use super::recover::{Recovered, recover};
use super::words::{Block, Kind, Owner, State, Way};
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::sync::{AtomicU32, AtomicU64};

const HASH: u64 = 0xabc << 52;
const LIMIT: usize = 64;
const DEAD: Owner = owner(7);

const fn owner(seat: u16) -> Owner {
    Owner {
        seat,
        generation: 1,
    }
}

fn places() -> Places {
    places_of(HASH, 2)
}

fn key() -> Key {
    Key::of(5)
}

/// Every order in which each thread is interrupted at most so often where it need not be.
fn bounded(interruptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Writes an entry into a block: its value is twice the same word.
fn write(cells: &Cells, block: Block, word: u64) {
    let head = Head {
        hash: HASH,
        length: 16,
        key_length: 8,
        ..Head::default()
    };
    let value: Vec<u8> = [word, word].iter().flat_map(|it| it.to_ne_bytes()).collect();
    entry::write(cells, &[block], &head, &key(), &value);
}

/// A block that `who` has taken, with an entry in it.
fn written(cells: &Cells, index: u32, who: Owner, word: u64) -> Block {
    let block = take(cells, index, who).unwrap();
    write(cells, block, word);
    block
}

fn way_of(block: Block) -> Way {
    Way::new(places().tag(), block)
}

fn first_way(cells: &Cells) -> &AtomicU64 {
    &cells.ways(places().first)[0]
}

/// The entry of the key is in a block, and its writer has got on.
fn put_first(cells: &Cells, index: u32, word: u64) -> Block {
    let block = written(cells, index, owner(0), word);
    first_way(cells).store(way_of(block).0, SeqCst);
    make_live(cells, block, owner(0));
    block
}

/// The entry, and its word.
fn look(cells: &Cells) -> Option<(Entry, u64)> {
    let mut value = Vec::new();
    let mut copies = Copies {
        value: Some(&mut value),
        blocks: None,
        limit: LIMIT,
    };
    let entry = find(cells, &key(), places(), &mut copies)?;
    assert_eq!(value.len(), 2);
    assert_eq!(value[0], value[1], "a torn value");
    Some((entry, value[0]))
}

/// As `Map::replace`: false if somebody else was faster.
fn replace(cells: &Cells, who: Owner, index: u32, word: u64) -> bool {
    let (entry, _) = look(cells).unwrap();
    let block = written(cells, index, who, word);
    let way = &cells.ways(entry.set)[entry.way];
    if !swap(way, entry.seen, way_of(block)) {
        release(cells, block);
        return false;
    }
    settle(cells, way, way_of(block), &[block], who);
    if let Some(own) = retake(cells, entry.block, who) {
        release(cells, own);
    }
    true
}

fn states(cells: &Cells) -> Vec<Kind> {
    let kind = |block| State(cells.state(block).load(SeqCst)).kind();
    (0..cells.blocks()).map(kind).collect()
}

/// Every block but that of the entry is free, and there is nothing to put in order.
fn check(cells: &Cells) {
    let entry = look(cells).map(|(entry, _)| entry.block.index);
    for (index, kind) in states(cells).into_iter().enumerate() {
        let is_there = entry == Some(index as u32);
        assert_eq!(kind, if is_there { Kind::Live } else { Kind::Free });
    }
    let found = recover(cells, |owner| DEAD.is(owner));
    assert_eq!(found, Recovered::default());
}

#[test]
fn a_block_is_taken_by_one_and_freed_once() {
    loom::model(|| {
        let cells = Arc::new(Cells::new(1));
        let other = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || take(&cells, 0, owner(1)).is_some())
        };
        let mine = take(&cells, 0, owner(0));
        assert!(mine.is_some() != other.join().unwrap());
        let generation = 1;
        let block = Block {
            index: 0,
            generation,
        };
        let other = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || release(&cells, block))
        };
        let mine = release(&cells, block);
        assert!(mine != other.join().unwrap());
    });
}

#[test]
fn a_reader_sees_the_old_value_or_the_new_one_and_never_what_is_written_next_into_its_block() {
    bounded(2, || {
        let cells = Arc::new(Cells::new(2));
        let old = put_first(&cells, 0, 1);
        let writer = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || {
                let block = written(&cells, 1, owner(1), 2);
                assert!(swap(first_way(&cells), way_of(old), way_of(block)));
                settle(&cells, first_way(&cells), way_of(block), &[block], owner(1));
                // The old block is the next entry's.
                let again = retake(&cells, old, owner(1)).unwrap();
                write(&cells, again, 3);
            })
        };
        let (_, word) = look(&cells).unwrap();
        assert!(word == 1 || word == 2, "{word}");
        writer.join().unwrap();
    });
}

#[test]
fn of_two_that_replace_an_entry_each_frees_what_it_has_replaced() {
    bounded(2, || {
        let cells = Arc::new(Cells::new(3));
        put_first(&cells, 0, 1);
        let other = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || replace(&cells, owner(1), 1, 2))
        };
        let mine = replace(&cells, owner(0), 2, 3);
        let theirs = other.join().unwrap();
        assert!(mine || theirs);
        check(&cells);
    });
}

/// A process that lives, and waits for as long as it takes.
struct Patient;

impl Patience for Patient {
    fn is_dead(&mut self, holder: Option<Owner>) -> bool {
        holder == Some(DEAD)
    }

    fn wait(&mut self) -> bool {
        thread::yield_now();
        true
    }
}

#[test]
fn the_lock_of_a_dead_holder_goes_to_one_and_then_to_the_next() {
    bounded(3, || {
        let cells = Arc::new(Cells::new(1));
        let inside = Arc::new(AtomicU32::new(0));
        cells.lock(0).store(DEAD.lock(), SeqCst);
        let enter = |cells: &Cells, inside: &AtomicU32, who: Owner| {
            let locked = lock(cells, 0, who, &mut Patient).unwrap();
            assert_eq!(inside.fetch_add(1, Relaxed), 0, "two are inside");
            inside.fetch_sub(1, Relaxed);
            locked.stolen
        };
        let other = {
            let (cells, inside) = (Arc::clone(&cells), Arc::clone(&inside));
            thread::spawn(move || enter(&cells, &inside, owner(1)))
        };
        let mine = enter(&cells, &inside, owner(0));
        assert!(mine | other.join().unwrap());
        assert_eq!(cells.lock(0).load(SeqCst), 0);
    });
}

#[test]
fn two_that_put_the_same_new_key_find_it_there_once() {
    /// As `Map::insert`: whether it was this one.
    fn insert(cells: &Cells, who: Owner, index: u32) -> bool {
        let block = written(cells, index, who, u64::from(index));
        let locked = lock(cells, places().first, who, &mut Patient).unwrap();
        if look(cells).is_some() {
            drop(locked);
            release(cells, block);
            return false;
        }
        let way = first_way(cells);
        assert!(swap(way, Way::EMPTY, way_of(block)));
        drop(locked);
        settle(cells, way, way_of(block), &[block], who);
        true
    }
    bounded(2, || {
        let cells = Arc::new(Cells::new(2));
        let other = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || insert(&cells, owner(1), 1))
        };
        let mine = insert(&cells, owner(0), 0);
        assert!(mine != other.join().unwrap(), "both, or neither");
        check(&cells);
    });
}

#[test]
fn what_the_dead_have_published_is_put_in_order_beside_who_replaces_it() {
    bounded(2, || {
        let cells = Arc::new(Cells::new(3));
        // It was killed after it had replaced an entry: the new one is not live yet, and the old one not free.
        let old = put_first(&cells, 0, 1);
        let block = written(&cells, 1, DEAD, 2);
        assert!(swap(first_way(&cells), way_of(old), way_of(block)));
        let watcher = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || {
                recover(&cells, |owner| DEAD.is(owner));
            })
        };
        assert!(replace(&cells, owner(0), 2, 3));
        watcher.join().unwrap();
        check(&cells);
    });
}

#[test]
fn what_was_replaced_before_it_was_live_by_one_that_has_died_is_left_to_nobody() {
    bounded(3, || {
        let cells = Arc::new(Cells::new(2));
        let block = written(&cells, 0, owner(0), 1);
        assert!(swap(first_way(&cells), Way::EMPTY, way_of(block)));
        let watcher = {
            let cells = Arc::clone(&cells);
            thread::spawn(move || {
                // Another has replaced it, and was killed before it had freed what it saw.
                let next = written(&cells, 1, DEAD, 2);
                assert!(swap(first_way(&cells), way_of(block), way_of(next)));
                recover(&cells, |owner| DEAD.is(owner));
            })
        };
        settle(&cells, first_way(&cells), way_of(block), &[block], owner(0));
        watcher.join().unwrap();
        check(&cells);
    });
}
