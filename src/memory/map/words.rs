//! The central words of a map, and how they are packed. Each changes by one atomic operation.
//!
//! ```text
//! state of a block   generation 32 | kind 2 | generation of the owner 14 | seat of the owner 16
//! way of a set       tag 12 | low bits of the block's generation 20 | block + 1, 32
//! lock of a set      generation of the holder 32 | seat of the holder + 1, 32
//! link to a block    generation 32 | block + 1, 32
//! ```
//!
//! A generation counts the lives of a block: it rises whenever a process takes the block. So a word that names a block
//! in an earlier life is never mistaken for one that names its present life.

/// The bits of a block's generation that fit into a way.
const SHORT: u32 = 0xf_ffff;
/// The bits of a seat's generation that fit into a state.
const OWNER: u32 = 0x3fff;

/// A block in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Block {
    /// The block as a link.
    pub(super) fn link(self) -> u64 {
        u64::from(self.generation) << 32 | (u64::from(self.index) + 1)
    }

    /// The block that a link names; nothing for 0.
    pub(super) fn from_link(link: u64) -> Option<Block> {
        let index = (link as u32).checked_sub(1)?;
        Some(Block {
            index,
            generation: (link >> 32) as u32,
        })
    }
}

/// The owner of blocks or locks: a seat in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The seat.
    pub seat: u16,
    /// The number of former owners of the seat.
    pub generation: u32,
}

impl Owner {
    /// The owner as the lock of a set names it.
    pub(super) fn lock(self) -> u64 {
        u64::from(self.generation) << 32 | (u64::from(self.seat) + 1)
    }

    /// The holder that a lock names. A word that names none is wrong, as is one with an impossible seat.
    pub(super) fn from_lock(word: u64) -> Option<Owner> {
        let seat = u16::try_from((word as u32).checked_sub(1)?).ok()?;
        Some(Owner {
            seat,
            generation: (word >> 32) as u32,
        })
    }

    /// Whether this is the owner that a state names by the low bits of the generation.
    pub(super) fn is(self, of_state: Owner) -> bool {
        self.seat == of_state.seat && self.generation & OWNER == of_state.generation
    }
}

/// The state of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The block belongs to nobody.
    Free,
    /// A process fills it, or keeps it for its next entry.
    Owned,
    /// It is part of an entry.
    Live,
}

/// The state of a block. Any number is valid: an unknown kind counts as live, and such a block is never taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(pub(super) u64);

impl State {
    pub(super) fn free(generation: u32) -> State {
        State(u64::from(generation) << 32)
    }

    pub(super) fn owned(generation: u32, owner: Owner) -> State {
        let (life, seat) = (owner.generation & OWNER, owner.seat);
        State(u64::from(generation) << 32 | 1 << 30 | u64::from(life) << 16 | u64::from(seat))
    }

    pub(super) fn live(generation: u32) -> State {
        State(u64::from(generation) << 32 | 2 << 30)
    }

    pub(super) fn kind(self) -> Kind {
        match self.0 >> 30 & 3 {
            0 => Kind::Free,
            1 => Kind::Owned,
            _ => Kind::Live,
        }
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The owner of the block, with the low bits of the generation.
    pub(super) fn owner(self) -> Owner {
        Owner {
            seat: self.0 as u16,
            generation: self.0 as u32 >> 16 & OWNER,
        }
    }
}

/// A way of a set: 0, or the entry in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way(pub(super) u64);

impl Way {
    pub(super) const EMPTY: Way = Way(0);

    pub(super) fn new(tag: u16, head: Block) -> Way {
        let short = u64::from(head.generation & SHORT);
        Way(u64::from(tag) << 52 | short << 32 | (u64::from(head.index) + 1))
    }

    pub(super) fn tag(self) -> u16 {
        (self.0 >> 52) as u16
    }

    /// The first block of the entry.
    pub(super) fn index(self) -> Option<u32> {
        (self.0 as u32).checked_sub(1)
    }

    /// Whether it names this life of its block.
    pub(super) fn is_of(self, generation: u32) -> bool {
        (self.0 >> 32) as u32 & SHORT == generation & SHORT
    }

    /// The bits of a generation by which a way names a block, plus one bit that says that it does.
    pub(super) fn short(generation: u32) -> u32 {
        generation & SHORT | 1 << 31
    }

    /// The same bits of this way.
    pub(super) fn bits(self) -> u32 {
        Way::short((self.0 >> 32) as u32)
    }

    pub(super) fn names(self, block: Block) -> bool {
        self.index() == Some(block.index) && self.is_of(block.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block = Block {
        index: 0x00ff_ffff,
        generation: 0xfff5_4321,
    };
    const ME: Owner = Owner {
        seat: 2041,
        generation: 0x1_2345,
    };

    #[test]
    fn what_is_packed_is_unpacked() {
        assert_eq!(Block::from_link(BLOCK.link()), Some(BLOCK));
        assert_eq!(Block::from_link(0), None);
        assert_eq!(Owner::from_lock(ME.lock()), Some(ME));
        assert_eq!(Owner::from_lock(0), None);
        let state = State::owned(7, ME);
        assert_eq!((state.kind(), state.generation()), (Kind::Owned, 7));
        assert!(ME.is(state.owner()));
        let next = Owner {
            generation: ME.generation + 1,
            ..ME
        };
        assert!(!next.is(state.owner()));
        assert_eq!(State::free(7).kind(), Kind::Free);
        assert_eq!(State::live(7).kind(), Kind::Live);
        assert_eq!(State(u64::MAX).kind(), Kind::Live);
    }

    #[test]
    fn a_way_names_one_life_of_a_block() {
        let way = Way::new(0xabc, BLOCK);
        assert_eq!((way.tag(), way.index()), (0xabc, Some(BLOCK.index)));
        assert!(way.names(BLOCK));
        assert!(!way.names(Block {
            generation: BLOCK.generation + 1,
            ..BLOCK
        }));
        assert_eq!(Way::EMPTY.index(), None);
    }
}
