//! Who has the map open, and whether they still live.
//!
//! A process has one seat, and all its threads have it together: none of them can end inside of a call alone. A seat
//! is known by its generation, which rises with each process that takes it. So whatever a former one has left behind
//! is known as a dead one's, however long ago that was.
//!
//! A process lives if the system has one of its number that began when it began. One that is stopped lives. A number
//! means something in its pid namespace only: of a process in another one the map believes that it lives, until its
//! primary says otherwise ([`retire`]).

use super::cells::Cells;
use super::layout::seat::{IDENTITY, NAMESPACE, STARTED};
use super::words::Owner;
use crate::supervise::handle::is_alive;
use crate::supervise::reading;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};

fn generation(identity: u64) -> u32 {
    (identity >> 32) as u32
}

/// Takes a seat, whoever had it: the caller knows that no living process has.
pub(super) fn take(cells: &Cells, seat: u16) -> Owner {
    let words = cells.seat(seat.into());
    let before = words[IDENTITY].load(Acquire);
    let owner = Owner {
        seat,
        generation: generation(before).wrapping_add(1),
    };
    // A moment without a process: what is written next is not to be taken for what is known of the former one.
    words[IDENTITY].store(u64::from(owner.generation) << 32, Release);
    words[STARTED].store(reading::started(std::process::id()).unwrap_or(0), Relaxed);
    words[NAMESPACE].store(namespace(), Relaxed);
    let identity = u64::from(owner.generation) << 32 | u64::from(std::process::id());
    words[IDENTITY].store(identity, Release);
    owner
}

/// Nobody has the seat any more: the process that had it has ended.
pub(super) fn retire(cells: &Cells, seat: u16) {
    let word = &cells.seat(seat.into())[IDENTITY];
    let seen = word.load(Acquire);
    let empty = u64::from(generation(seen)) << 32;
    // If it fails another has taken the seat, which says the same of the former one.
    let _ = word.compare_exchange(seen, empty, AcqRel, Relaxed);
}

/// Whether an owner has died, as a lock names it.
pub(super) fn is_dead(cells: &Cells, owner: Owner) -> bool {
    judge(cells, owner.seat, |generation| {
        generation == owner.generation
    })
}

/// Whether an owner has died, as a state names it: by the low bits of its generation.
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
    // Where another process has just taken the seat, these words may be its; but then the former one has died.
    !is_alive(pid, (started != 0).then_some(started))
}

/// The pid namespace of this process; 0 where there are none.
fn namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;
    use std::sync::OnceLock;
    static OWN: OnceLock<u64> = OnceLock::new();
    *OWN.get_or_init(|| std::fs::metadata("/proc/self/ns/pid").map_or(0, |it| it.ino()))
}
