//! The processes that have the map open, and whether they are alive.
//!
//! A process has one seat for all its threads: none of them can end alone within a call. A seat is identified with its
//! generation, which rises with each process that takes the seat. So everything that a former process has left behind
//! is recognized as a dead one's, however long ago that was.
//!
//! A process is alive if the system has a process with its number that began at the same time. A stopped process is
//! alive. A number only has a meaning in its pid namespace. So the map assumes that a process in another namespace is
//! alive, until the primary says otherwise ([`retire`]).

use super::cells::Cells;
use super::layout::seat::{IDENTITY, NAMESPACE, STARTED};
use super::words::Owner;
use crate::supervise::handle::is_alive;
use crate::supervise::reading;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};

fn generation(identity: u64) -> u32 {
    (identity >> 32) as u32
}

/// Takes a seat, whatever process had it: the caller knows that no living one has it.
pub(super) fn take(cells: &Cells, seat: u16) -> Owner {
    let words = cells.seat(seat.into());
    let before = words[IDENTITY].load(Acquire);
    let owner = Owner {
        seat,
        generation: generation(before).wrapping_add(1),
    };
    // For a moment the seat has no process. What is written next must not be taken for the former process.
    words[IDENTITY].store(u64::from(owner.generation) << 32, Release);
    words[STARTED].store(reading::started(std::process::id()).unwrap_or(0), Relaxed);
    words[NAMESPACE].store(namespace(), Relaxed);
    let identity = u64::from(owner.generation) << 32 | u64::from(std::process::id());
    words[IDENTITY].store(identity, Release);
    owner
}

/// The process that had the seat has ended: the seat is free.
pub(super) fn retire(cells: &Cells, seat: u16) {
    let word = &cells.seat(seat.into())[IDENTITY];
    let seen = word.load(Acquire);
    let empty = u64::from(generation(seen)) << 32;
    // If this fails, another process has taken the seat, which also says that the former one is dead.
    let _ = word.compare_exchange(seen, empty, AcqRel, Relaxed);
}

/// Whether an owner that a lock names has died.
pub(super) fn is_dead(cells: &Cells, owner: Owner) -> bool {
    judge(cells, owner.seat, |generation| {
        generation == owner.generation
    })
}

/// Whether an owner that a state names, by the low bits of its generation, has died.
pub(super) fn is_dead_by_state(cells: &Cells, owner: Owner) -> bool {
    judge(cells, owner.seat, |generation| {
        Owner {
            seat: owner.seat,
            generation,
        }
        .is(owner)
    })
}

fn judge(cells: &Cells, seat: u16, is_of: impl Fn(u32) -> bool) -> bool {
    if u32::from(seat) >= cells.layout().seats {
        return true;
    }
    let words = cells.seat(seat.into());
    let identity = words[IDENTITY].load(Acquire);
    let pid = identity as u32;
    if pid == 0 || !is_of(generation(identity)) {
        return true;
    }
    if words[NAMESPACE].load(Relaxed) != namespace() || pid == std::process::id() {
        return false;
    }
    let started = words[STARTED].load(Relaxed);
    // If another process has just taken the seat, these words may be its own; but then the former one has died.
    !is_alive(pid, (started != 0).then_some(started))
}

/// The pid namespace of this process; 0 where there are none.
fn namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;
    use std::sync::OnceLock;
    static OWN: OnceLock<u64> = OnceLock::new();
    *OWN.get_or_init(|| std::fs::metadata("/proc/self/ns/pid").map_or(0, |it| it.ino()))
}
