//! Locks that the processes of a cluster share, by name.
//!
//! There is no lease: a lock belongs to its holder until the holder lets it go or has ended, and the kernel says which
//! process has ended. A paused process keeps its locks, so two never hold one lock. Each ticket is a fencing token:
//! each holder of a lock has a higher one than the holders before.
//!
//! A process has one claim (see [`claim`]) on each name that it wants, however many callers in the process want that
//! name. The callers stand in a line of their own behind the claim, each with a ticket drawn when it came. When the
//! first is done, the claim goes on with the next caller's ticket. So tickets are served in order across all processes,
//! and names take room for claims, not waiting callers.

mod claim;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicU64;

use self::claim::{Board, Claim, Name};
use super::region::Region;
use crate::wire::region::shared;

impl Board for Region {
    fn claims(&self) -> usize {
        self.layout().claims.count
    }

    fn word(&self, claim: usize, word: usize) -> &AtomicU64 {
        self.claim_word(claim, word)
    }

    fn used(&self) -> &AtomicU64 {
        self.shared_u64(shared::CLAIMS_USED)
    }

    fn tickets(&self) -> &AtomicU64 {
        self.shared_u64(shared::TICKETS)
    }

    fn ring(&self, seat: u32) {
        Region::ring(self, seat as usize);
    }
}

/// The callers in this process that want one name.
#[derive(Debug)]
struct Line {
    claim: Claim,
    /// In rising order. The first is that of the claim.
    tickets: VecDeque<u64>,
    held: bool,
}

/// The locks as one process sees them.
#[derive(Debug)]
pub struct Locks {
    region: Region,
    seat: u32,
    pid: u32,
    lines: HashMap<Name, Line>,
    names: HashMap<u64, Name>,
}

impl Locks {
    /// The locks of a region, for the process `pid`, which has the seat.
    pub fn new(region: Region, seat: u32, pid: u32) -> Locks {
        Locks {
            region,
            seat,
            pid,
            lines: HashMap::new(),
            names: HashMap::new(),
        }
    }

    /// Gets in line for a name. Returns the ticket, or none if there is no room for a further name.
    pub fn enter(&mut self, name: &str) -> Option<u64> {
        let name = digest(name);
        let ticket = if let Some(line) = self.lines.get_mut(&name) {
            let ticket = claim::next_ticket(&self.region);
            line.tickets.push_back(ticket);
            ticket
        } else {
            let claim = Claim::take(&self.region, self.seat, self.pid, name)?;
            let ticket = claim.choose(&self.region);
            let held = claim.is_first(&self.region, ticket);
            let tickets = VecDeque::from([ticket]);
            let line = Line {
                claim,
                tickets,
                held,
            };
            self.lines.insert(name, line);
            ticket
        };
        self.names.insert(ticket, name);
        Some(ticket)
    }

    /// Whether the caller with the ticket now holds the lock for which it is in line.
    pub fn holds(&self, ticket: u64) -> bool {
        let line = self.names.get(&ticket).and_then(|it| self.lines.get(it));
        line.is_some_and(|line| line.held && line.tickets.front() == Some(&ticket))
    }

    /// The tickets that have come to hold a lock since the last call, of claims that were rung for it.
    pub fn look(&mut self) -> Vec<u64> {
        let waiting = self.lines.values_mut().filter(|line| !line.held);
        waiting
            .filter(|line| line.claim.was_called(&self.region))
            .filter_map(|line| {
                let ticket = line.tickets[0];
                line.held = line.claim.is_first(&self.region, ticket);
                line.held.then_some(ticket)
            })
            .collect()
    }

    /// Leaves the line, or lets the lock go. Returns the ticket of the next caller in this process, if that one now
    /// holds the lock.
    pub fn leave(&mut self, ticket: u64) -> Option<u64> {
        let name = self.names.remove(&ticket)?;
        let line = self.lines.get_mut(&name)?;
        if line.tickets.front() != Some(&ticket) {
            line.tickets.retain(|&other| other != ticket);
            return None;
        }
        line.tickets.pop_front();
        let Some(&next) = line.tickets.front() else {
            self.lines.remove(&name)?.claim.leave(&self.region);
            return None;
        };
        line.claim.pass_to(&self.region, next);
        line.held = line.claim.is_first(&self.region, next);
        line.held.then_some(next)
    }

    /// Lets go of all locks. Otherwise this happens when the process has ended, so that work under a lock may go on
    /// until then.
    pub fn close(mut self) {
        for (_, line) in self.lines.drain() {
            line.claim.leave(&self.region);
        }
    }
}

/// Lets go of the locks that an ended process held, and calls the waiters. To be called before another process has the
/// seat.
pub fn recover(region: &Region, seat: u32) -> usize {
    claim::recover(region, seat)
}

/// The same for all processes of which `has_ended` returns true.
pub fn recover_dead(region: &Region, has_ended: impl Fn(u32) -> bool) -> usize {
    claim::recover_dead(region, has_ended)
}

/// The processes right before this seat's, in the lines for the locks for which it waits; nothing if it waits for none.
pub fn before(region: &Region, seat: u32) -> Option<Vec<u32>> {
    claim::before(region, seat)
}

/// Nobody can find two names with the same digest.
fn digest(name: &str) -> Name {
    let hash = blake3::hash(name.as_bytes());
    let word = |at: usize| {
        let bytes = hash.as_bytes()[at..at + 8].try_into();
        u64::from_le_bytes(bytes.expect("eight bytes"))
    };
    [word(0), word(8)]
}

#[cfg(test)]
mod tests;
