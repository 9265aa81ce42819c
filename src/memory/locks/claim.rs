//! How claims on a name are ordered: Lamport's bakery, over memory of several processes.
//!
//! A claim is a row of words that a process has taken. Only that process writes it, or after its death a process that
//! knows of that. So another process never half-finishes anything, and a kill at any instruction leaves a claim that is
//! either not in the running, or is removed with its owner.
//!
//! | stage | what it is | who may follow |
//! |---|---|---|
//! | `FREE` | nobody's | `TAKEN`, by a compare-and-swap |
//! | `TAKEN` | its words are being written; it is not in the running | `CHOOSING` |
//! | `CHOOSING` | it is about to draw a ticket: nobody knows yet whether it goes before others | `WAITING` |
//! | `WAITING` | it has its ticket | `HOLDING` once it is the first, or `FREE` |
//! | `HOLDING` | the same, and its owner has seen that it is the first | `WAITING` with a later ticket, or `FREE` |
//!
//! 1. A claim says that it chooses, then draws a ticket, the next number of one counter.
//! 2. A claim is the first if no claim on the same name chooses, and none has an earlier ticket. A claim that starts to
//!    choose after that look draws a later ticket. So two are never the first, tickets are served in order, and the
//!    ticket of a holder is later than that of every holder before.
//! 3. A process that leaves, has drawn its ticket, or has taken a later one, looks which claim is the first now, and
//!    calls it. Each has a fence between its write and its look, so of two that look at each other one sees the other.
//!
//! A paused holder keeps its lock. A claim that is paused while it chooses holds up only its own name.

use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// The words of a claim.
pub(super) mod word {
    /// The number of former owners (32 bits), the owner's seat plus 1 (24), and the stage (8).
    pub(crate) const STATE: usize = 0;
    pub(crate) const TICKET: usize = 1;
    /// Two words.
    pub(crate) const NAME: usize = 2;
    /// The process of its owner.
    pub(crate) const PID: usize = 4;
    /// 1 if it may have become the first since its owner last looked.
    pub(crate) const CALLED: usize = 5;
}

const FREE: u64 = 0;
const TAKEN: u64 = 1;
const CHOOSING: u64 = 2;
const WAITING: u64 = 3;
const HOLDING: u64 = 4;

/// The digest of a name.
pub(super) type Name = [u64; 2];

/// The memory of the claims.
pub(super) trait Board {
    /// The number of claims that there is room for.
    fn claims(&self) -> usize;
    fn word(&self, claim: usize, word: usize) -> &AtomicU64;
    /// How many of the claims were ever taken. The others need not be looked at.
    fn used(&self) -> &AtomicU64;
    /// The last ticket.
    fn tickets(&self) -> &AtomicU64;
    /// Wakes the process in a seat.
    fn ring(&self, seat: u32);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State(u64);

impl State {
    fn stage(self) -> u64 {
        self.0 & 0xff
    }

    fn seat(self) -> u32 {
        ((self.0 >> 8) as u32 & 0x00ff_ffff).wrapping_sub(1)
    }

    fn with(self, stage: u64) -> State {
        State(self.0 & !0xff | stage)
    }

    fn taken_by(self, seat: u32) -> State {
        let turn = (self.0 >> 32).wrapping_add(1) as u32;
        State(u64::from(turn) << 32 | u64::from(seat + 1) << 8 | TAKEN)
    }
}

/// A claim as another process sees it, with words that belong together.
struct Seen {
    index: usize,
    state: State,
    name: Name,
    ticket: u64,
    pid: u32,
}

impl Seen {
    fn read(board: &impl Board, index: usize) -> Option<Seen> {
        let word = |word| board.word(index, word);
        loop {
            let state = State(word(word::STATE).load(Acquire));
            if state.stage() < CHOOSING {
                return None;
            }
            let seen = Seen {
                index,
                state,
                name: [
                    word(word::NAME).load(Relaxed),
                    word(word::NAME + 1).load(Relaxed),
                ],
                ticket: word(word::TICKET).load(Relaxed),
                pid: word(word::PID).load(Relaxed) as u32,
            };
            fence(Acquire);
            if word(word::STATE).load(Relaxed) == state.0 {
                return Some(seen);
            }
        }
    }
}

fn in_the_running(board: &impl Board) -> impl Iterator<Item = Seen> {
    let used = (board.used().load(Acquire) as usize).min(board.claims());
    (0..used).filter_map(|index| Seen::read(board, index))
}

/// A claim of this process.
#[derive(Debug)]
pub(super) struct Claim {
    index: usize,
    state: State,
    name: Name,
}

impl Claim {
    /// Takes a claim for the process `pid` in the seat. None if all are taken.
    pub(super) fn take(board: &impl Board, seat: u32, pid: u32, name: Name) -> Option<Claim> {
        let claim = (0..board.claims()).find_map(|index| {
            let was = State(board.word(index, word::STATE).load(Relaxed));
            let state = was.taken_by(seat);
            (was.stage() == FREE
                && board
                    .word(index, word::STATE)
                    .compare_exchange(was.0, state.0, AcqRel, Relaxed)
                    .is_ok())
            .then_some(Claim { index, state, name })
        })?;
        board.used().fetch_max(claim.index as u64 + 1, AcqRel);
        let put = |word, value| board.word(claim.index, word).store(value, Relaxed);
        put(word::NAME, name[0]);
        put(word::NAME + 1, name[1]);
        put(word::PID, pid.into());
        put(word::CALLED, 0);
        Some(claim)
    }

    /// Draws its ticket.
    pub(super) fn choose(&self, board: &impl Board) -> u64 {
        self.become_(board, CHOOSING);
        // A process that draws a later ticket sees, through this counter, that this one chooses.
        let ticket = next_ticket(board);
        board.word(self.index, word::TICKET).store(ticket, Relaxed);
        self.become_(board, WAITING);
        self.call_first(board);
        ticket
    }

    /// Whether no other claim may go before it. Then it holds the lock.
    pub(super) fn is_first(&self, board: &impl Board, ticket: u64) -> bool {
        // Pairs with the fence in `call_first`.
        fence(crate::sync::Ordering::SeqCst);
        let first = in_the_running(board)
            .filter(|other| other.name == self.name && other.index != self.index)
            .all(|other| other.state.stage() != CHOOSING && other.ticket > ticket);
        if first {
            self.become_(board, HOLDING);
        }
        first
    }

    /// Whether it was called since the last call of this.
    pub(super) fn was_called(&self, board: &impl Board) -> bool {
        let called = board.word(self.index, word::CALLED);
        called.load(Relaxed) != 0 && called.swap(0, AcqRel) != 0
    }

    /// Goes on with a later ticket of the same process, which has been in line behind the present one.
    pub(super) fn pass_to(&self, board: &impl Board, ticket: u64) {
        self.become_(board, WAITING);
        board.word(self.index, word::TICKET).store(ticket, Release);
        self.call_first(board);
    }

    /// Gives the claim back.
    pub(super) fn leave(self, board: &impl Board) {
        self.become_(board, FREE);
        self.call_first(board);
    }

    fn become_(&self, board: &impl Board, stage: u64) {
        board
            .word(self.index, word::STATE)
            .store(self.state.with(stage).0, Release);
    }

    /// Calls the first claim on the name, unless that is this one or knows already that it is the first.
    fn call_first(&self, board: &impl Board) {
        // Pairs with the fences of the others: a claim that is not seen here sees what was written before.
        fence(crate::sync::Ordering::SeqCst);
        let first = in_the_running(board)
            .filter(|other| other.name == self.name && other.state.stage() != CHOOSING)
            .min_by_key(|other| other.ticket);
        if let Some(first) = first
            && first.index != self.index
        {
            call(board, &first);
        }
    }
}

fn call(board: &impl Board, claim: &Seen) {
    if claim.state.stage() == WAITING {
        board.word(claim.index, word::CALLED).store(1, Release);
        board.ring(claim.state.seat());
    }
}

/// A ticket for a caller that stands in line behind a claim of its own process.
pub(super) fn next_ticket(board: &impl Board) -> u64 {
    board.tickets().fetch_add(1, AcqRel) + 1
}

/// Frees the claims of an ended process, and calls the first claim on every name, because the process may have died
/// before such a call. To be called before another process has the seat. Returns the number of freed claims.
pub(super) fn recover(board: &impl Board, seat: u32) -> usize {
    let used = (board.used().load(Acquire) as usize).min(board.claims());
    let freed = (0..used)
        .filter(|&index| {
            let state = State(board.word(index, word::STATE).load(Acquire));
            state.stage() != FREE && state.seat() == seat && free(board, index, state)
        })
        .count();
    call_firsts(board);
    freed
}

/// The same for every process of which `has_ended` returns true. Any process may call this at any time: it frees
/// exactly the claim that was looked at. A claim that is just being taken is left to [`recover`].
pub(super) fn recover_dead(board: &impl Board, has_ended: impl Fn(u32) -> bool) -> usize {
    let freed = in_the_running(board)
        .filter(|claim| has_ended(claim.pid) && free(board, claim.index, claim.state))
        .count();
    if freed > 0 {
        call_firsts(board);
    }
    freed
}

fn free(board: &impl Board, index: usize, state: State) -> bool {
    board
        .word(index, word::STATE)
        .compare_exchange(state.0, state.with(FREE).0, AcqRel, Relaxed)
        .is_ok()
}

/// A claim that chooses will itself call the first when it has its ticket.
fn call_firsts(board: &impl Board) {
    // As in `call_first`.
    fence(crate::sync::Ordering::SeqCst);
    let mut all: Vec<Seen> = in_the_running(board)
        .filter(|claim| claim.state.stage() != CHOOSING)
        .collect();
    all.sort_unstable_by_key(|claim| (claim.name, claim.ticket));
    all.dedup_by_key(|claim| claim.name);
    for claim in &all {
        call(board, claim);
    }
}

/// For each waiting claim of a seat, the process of the claim right before it, unless that has the same seat. Nothing
/// if none waits.
pub(super) fn before(board: &impl Board, seat: u32) -> Option<Vec<u32>> {
    let all: Vec<Seen> = in_the_running(board).collect();
    let waiting = |claim: &&Seen| claim.state.seat() == seat && claim.state.stage() == WAITING;
    all.iter().any(|claim| waiting(&claim)).then(|| {
        let right_before = |claim: &Seen| {
            all.iter()
                .filter(|other| other.name == claim.name && other.ticket < claim.ticket)
                .filter(|other| other.state.stage() != CHOOSING && other.state.seat() != seat)
                .max_by_key(|other| other.ticket)
        };
        all.iter()
            .filter(waiting)
            .filter_map(|claim| right_before(claim).map(|other| other.pid))
            .collect()
    })
}
