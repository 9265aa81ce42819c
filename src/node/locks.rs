//! The locks of a cluster for JavaScript. One process has one seat, and uses its locks on one thread.

use super::call::{Call, Fault, Returned, make_numbers};
use super::descriptor::borrowed;
use super::environment::Environment;
use crate::memory::locks::Locks;
use crate::memory::region::Region;
use crate::scheduler::{Bell, Ring};
use crate::supervise::hearing::Hearing;
use crate::supervise::succession::Succession;

super::call::exports! {
    c"openLocks" OpenLocks = open;
    c"enterLock" EnterLock = enter;
    c"holdsLock" HoldsLock = holds;
    c"lookAtLocks" LookAtLocks = look;
    c"leaveLock" LeaveLock = leave;
    c"closeLocks" CloseLocks = close;
}

/// The locks, and the threads that hear when a lock has come free.
pub(super) struct Open {
    locks: Locks,
    succession: Succession,
    _hearing: Hearing,
}

/// `openLocks(fd, seat)`: opens the locks of the region behind a descriptor, for the process in the seat.
fn open(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (fd, seat) = (call.int(args[0])?, call.index(args[1])?);
    let file = borrowed(&fd).ok_or(Fault("no descriptor"))?;
    let region = || Region::open(file).map_err(|_| Fault("not the region of this cluster"));
    if seat as usize >= region()?.layout().seats.count {
        return Err(Fault("no such seat"));
    }
    let on_ring = || {
        let doorbell = std::sync::Arc::clone(&environment.doorbell);
        move || doorbell.ring(Ring::Locks)
    };
    let no_thread = |_| Fault("the system gives no thread");
    *environment.locks.borrow_mut() = Some(Open {
        locks: Locks::new(region()?, seat, std::process::id()),
        succession: Succession::start(region()?, seat, on_ring()).map_err(no_thread)?,
        _hearing: Hearing::start(region()?, seat, on_ring()).map_err(no_thread)?,
    });
    Ok(None)
}

fn with<T>(environment: &Environment, f: impl FnOnce(&mut Open) -> T) -> Result<T, Fault> {
    match &mut *environment.locks.borrow_mut() {
        Some(open) => Ok(f(open)),
        None => Err(Fault("the locks are not open")),
    }
}

/// Below 2⁵³: no cluster lives to see more tickets.
#[expect(clippy::cast_precision_loss, reason = "as said above")]
fn number(ticket: u64) -> f64 {
    ticket as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ticket that was given"
)]
fn ticket(call: &Call) -> Result<u64, Fault> {
    Ok(call.number(call.args()[0])? as u64)
}

/// `enterLock(name) -> ticket`: 0 if there is no room.
fn enter(environment: &Environment, call: &Call) -> Returned {
    let name = call
        .string(call.args()[0])
        .ok_or(Fault("expected a string"))?;
    let ticket = with(
        environment,
        |Open {
             locks, succession, ..
         }| {
            let ticket = locks.enter(&name);
            if ticket.is_some_and(|ticket| !locks.holds(ticket)) {
                succession.look();
            }
            ticket
        },
    )?;
    call.make_number(ticket.map_or(0.0, number))
}

/// `holdsLock(ticket) -> boolean`
fn holds(environment: &Environment, call: &Call) -> Returned {
    let ticket = ticket(call)?;
    call.make_boolean(with(environment, |open| open.locks.holds(ticket))?)
}

/// `lookAtLocks() -> tickets`: those that now hold their locks.
fn look(environment: &Environment, call: &Call) -> Returned {
    let tickets = with(environment, |open| open.locks.look())?;
    make_numbers(call, tickets.into_iter().map(number))
}

/// `leaveLock(ticket) -> ticket`: the next ticket of this process that now holds the lock, or 0.
fn leave(environment: &Environment, call: &Call) -> Returned {
    let ticket = ticket(call)?;
    let next = with(environment, |open| open.locks.leave(ticket))?;
    call.make_number(next.map_or(0.0, number))
}

/// `closeLocks()`: lets go of all locks that are held.
fn close(environment: &Environment, _: &Call) -> Returned {
    if let Some(open) = environment.locks.borrow_mut().take() {
        open.locks.close();
    }
    Ok(None)
}
