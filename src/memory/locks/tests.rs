use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;
use crate::memory::region::Spec;

const ROOM: u32 = 16;

fn region() -> Region {
    let spec = Spec {
        seats: 8,
        claims: ROOM,
        ..Spec::default()
    };
    Region::create(spec, "").unwrap()
}

/// A process that has the seat.
fn process(region: &Region, seat: u32) -> Locks {
    Locks::new(region.remap().unwrap(), seat, 1000 + seat)
}

#[test]
fn one_holds_a_name_and_the_others_follow_in_the_order_of_their_coming() {
    let region = region();
    let (mut one, mut two, mut three) = (
        process(&region, 0),
        process(&region, 1),
        process(&region, 2),
    );
    let first = one.enter("a").unwrap();
    let second = two.enter("a").unwrap();
    let third = one.enter("a").unwrap();
    let fourth = three.enter("a").unwrap();
    assert!(first < second && second < third && third < fourth);
    assert!(one.holds(first) && !two.holds(second) && !three.holds(fourth));
    assert_eq!(one.leave(first), None);
    assert_eq!(two.look(), [second]);
    assert_eq!((one.look(), three.look()), (vec![], vec![]));
    two.leave(second);
    assert_eq!(one.look(), [third]);
    one.leave(third);
    assert_eq!(three.look(), [fourth]);
    assert!(three.holds(fourth));
}

#[test]
fn of_one_process_the_next_holds_at_once() {
    let region = region();
    let mut one = process(&region, 0);
    let tickets: Vec<_> = (0..5).map(|_| one.enter("a").unwrap()).collect();
    for pair in tickets.windows(2) {
        assert!(one.holds(pair[0]) && !one.holds(pair[1]));
        assert_eq!(one.leave(pair[0]), Some(pair[1]));
    }
    assert_eq!(one.leave(tickets[4]), None);
    assert_eq!(one.leave(tickets[4]), None);
}

#[test]
fn names_do_not_disturb_each_other() {
    let region = region();
    let (mut one, mut two) = (process(&region, 0), process(&region, 1));
    let (a, b) = (one.enter("a").unwrap(), two.enter("b").unwrap());
    assert!(one.holds(a) && two.holds(b));
}

#[test]
fn whoever_leaves_the_line_is_passed_over() {
    let region = region();
    let (mut one, mut two) = (process(&region, 0), process(&region, 1));
    let first = one.enter("a").unwrap();
    let gone = two.enter("a").unwrap();
    let last = two.enter("a").unwrap();
    let middle = one.enter("a").unwrap();
    two.leave(gone);
    one.leave(middle);
    assert!(!two.holds(last));
    one.leave(first);
    assert_eq!(two.look(), [last]);
}

#[test]
fn what_the_dead_held_goes_to_the_next_and_what_the_paused_hold_does_not() {
    let region = region();
    let (mut dead, mut next) = (process(&region, 3), process(&region, 4));
    let held = dead.enter("a").unwrap();
    let wanted = next.enter("a").unwrap();
    // Nothing was heard of the process for any length of time.
    assert!(dead.holds(held));
    assert!(next.look().is_empty());
    drop(dead);
    assert_eq!(recover(&region, 3), 1);
    assert_eq!(recover(&region, 3), 0);
    assert_eq!(next.look(), [wanted]);
}

#[test]
fn the_processes_themselves_see_that_a_holder_has_ended() {
    let region = region();
    let (mut dead, mut next, mut other) = (
        process(&region, 3),
        process(&region, 4),
        process(&region, 5),
    );
    dead.enter("a").unwrap();
    let wanted = next.enter("a").unwrap();
    let kept = other.enter("b").unwrap();
    drop(dead);
    assert_eq!(recover_dead(&region, |pid| pid == 1003), 1);
    assert_eq!(recover_dead(&region, |pid| pid == 1003), 0);
    assert_eq!(next.look(), [wanted]);
    assert!(other.holds(kept));
}

#[test]
fn one_that_died_before_it_called_the_next_leaves_nobody_waiting() {
    let region = region();
    let mut next = process(&region, 4);
    let held = claim::Claim::take(&region, 3, 1003, digest("a")).unwrap();
    held.choose(&region);
    let wanted = next.enter("a").unwrap();
    // Its claim is free, and the process was killed before it made the call.
    region
        .claim_word(0, claim::word::STATE)
        .store(0, Ordering::SeqCst);
    assert!(next.look().is_empty());
    recover(&region, 3);
    assert_eq!(next.look(), [wanted]);
}

#[test]
fn one_that_died_while_it_drew_its_ticket_is_in_nobodys_way() {
    let region = region();
    for stage in [1, 2] {
        claim::Claim::take(&region, 3, 1003, digest("a")).unwrap();
        let state = region.claim_word(0, claim::word::STATE);
        state.store(
            state.load(Ordering::SeqCst) & !0xff | stage,
            Ordering::SeqCst,
        );
        let mut next = process(&region, 4);
        let wanted = next.enter("a").unwrap();
        let chooses = stage == 2;
        assert_eq!(next.holds(wanted), !chooses);
        // A process that chooses may have the earlier ticket, and holds up no other name.
        let other = next.enter("b").unwrap();
        assert!(next.holds(other));
        assert_eq!(recover(&region, 3), 1);
        assert_eq!(next.look().len(), usize::from(chooses));
        next.close();
    }
}

#[test]
fn there_is_room_for_so_many_names_and_for_any_number_of_waiters() {
    let region = region();
    let mut one = process(&region, 0);
    for name in 0..ROOM {
        assert!(one.enter(&name.to_string()).is_some());
    }
    assert_eq!(one.enter("one more"), None);
    let tickets: Vec<_> = (0..1000).map(|_| one.enter("0").unwrap()).collect();
    let mut two = process(&region, 1);
    assert_eq!(two.enter("0"), None);
    for ticket in tickets {
        one.leave(ticket);
    }
    one.close();
    assert!(two.enter("one more").is_some());
}

/// The purpose of a fencing token: this number never falls.
struct Guarded {
    inside: AtomicU64,
    last: AtomicU64,
}

impl Guarded {
    fn enter(&self, ticket: u64) {
        assert_eq!(self.inside.swap(ticket, Ordering::SeqCst), 0, "two hold it");
        assert!(
            self.last.swap(ticket, Ordering::SeqCst) < ticket,
            "a token fell"
        );
    }

    fn leave(&self, ticket: u64) {
        assert_eq!(self.inside.swap(0, Ordering::SeqCst), ticket, "two held it");
    }
}

#[test]
fn of_many_processes_that_come_leave_and_die_never_two_hold_a_name() {
    const NAMES: usize = 3;
    let region = region();
    let guarded: Vec<_> = (0..NAMES)
        .map(|_| Guarded {
            inside: AtomicU64::new(0),
            last: AtomicU64::new(0),
        })
        .collect();
    let total: usize = thread::scope(|scope| {
        // Waiters are rung: none of these threads looks before that.
        let processes: Vec<_> = (0..4u32)
            .map(|seat| {
                let (region, guarded) = (&region, &guarded);
                scope.spawn(move || {
                    let mut random = seat + 1;
                    let mut roll = |sides: u32| {
                        random ^= random << 13;
                        random ^= random >> 17;
                        random ^= random << 5;
                        random % sides
                    };
                    let mut entered = 0;
                    let mut locks = process(region, seat);
                    while entered < 3000 {
                        let name = roll(NAMES as u32);
                        let ticket = locks.enter(&name.to_string()).unwrap();
                        let gives_up = roll(10) == 0;
                        let mut held = locks.holds(ticket);
                        while !held && !gives_up {
                            let bell = region.bell(seat as usize);
                            let heard = bell.load(Ordering::SeqCst);
                            held = locks.look() == [ticket];
                            while !held && bell.load(Ordering::SeqCst) == heard {
                                thread::yield_now();
                            }
                        }
                        if held {
                            entered += 1;
                            guarded[name as usize].enter(ticket);
                            guarded[name as usize].leave(ticket);
                        }
                        if roll(50) == 0 {
                            // The process is killed at this point, and its seat is used again.
                            locks = process(region, seat);
                            recover(region, seat);
                        } else {
                            locks.leave(ticket);
                        }
                    }
                    locks.close();
                    entered
                })
            })
            .collect();
        processes.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(total, 4 * 3000);
    let tickets: HashSet<_> = guarded
        .iter()
        .map(|it| it.last.load(Ordering::SeqCst))
        .collect();
    assert_eq!(tickets.len(), NAMES);
}
