//! The words of a ring that say where its records are.

/// The state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its publisher is writing it.
    Claimed,
    /// It is whole.
    Whole,
    /// Readers have passed over it while its publisher was writing. The slots belong to the publisher until it has
    /// finished.
    Skipped,
    /// It will never be whole, and no publisher writes it any more.
    Given,
}

const STATES: [State; 4] = [State::Claimed, State::Whole, State::Skipped, State::Given];
const SEAT_BITS: u32 = 12;
const SLOTS_BITS: u32 = 18;

/// The seats that a head can name.
pub(super) const SEATS: u32 = 1 << SEAT_BITS;
/// The most slots that one record may have.
pub(super) const MOST_SLOTS: u32 = (1 << SLOTS_BITS) - 1;

/// The head of a record, in its first slot. It is one word, so one compare-and-swap claims the whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Where the record begins: the number of slots since the ring was made, without its upper bits.
    pub(super) position: u32,
    /// The number of its slots; 0 in a slot where no record ever began.
    pub(super) slots: u32,
    /// The seat of its publisher.
    pub(super) seat: u32,
    pub(super) state: State,
}

impl Head {
    pub(super) fn word(self) -> u64 {
        u64::from(self.position) << 32
            | u64::from(self.slots) << (SEAT_BITS + 2)
            | u64::from(self.seat) << 2
            | self.state as u64
    }

    pub(super) fn of(word: u64) -> Head {
        Head {
            position: (word >> 32) as u32,
            slots: (word >> (SEAT_BITS + 2)) as u32 & MOST_SLOTS,
            seat: (word >> 2) as u32 & (SEATS - 1),
            state: STATES[word as usize & 3],
        }
    }

    /// Whether the record that begins at `position` has been claimed, or one after it.
    pub(super) fn relation(self, position: u32) -> Relation {
        if self.slots == 0 {
            return Relation::Before;
        }
        match self.position.wrapping_sub(position).cast_signed() {
            0 => Relation::Same,
            ..0 => Relation::Before,
            _ => Relation::After,
        }
    }
}

/// Where a head's record is, relative to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Before,
    Same,
    After,
}

/// A place between two records, and the number of records before it. Both wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) position: u32,
    pub(super) records: u32,
}

impl Mark {
    pub(super) fn word(self) -> u64 {
        u64::from(self.position) << 32 | u64::from(self.records)
    }

    pub(super) fn of(word: u64) -> Mark {
        Mark {
            position: (word >> 32) as u32,
            records: word as u32,
        }
    }

    /// The place after a record of this many slots.
    pub(super) fn after(self, slots: u32) -> Mark {
        Mark {
            position: self.position.wrapping_add(slots),
            records: self.records.wrapping_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_from_its_word() {
        for state in STATES {
            let head = Head {
                position: u32::MAX - 1,
                slots: MOST_SLOTS,
                seat: SEATS - 1,
                state,
            };
            assert_eq!(Head::of(head.word()), head);
        }
    }

    #[test]
    fn positions_are_compared_over_the_end_of_their_numbers() {
        let head = |position| Head {
            position,
            slots: 1,
            seat: 0,
            state: State::Whole,
        };
        assert_eq!(head(3).relation(u32::MAX - 3), Relation::After);
        assert_eq!(head(u32::MAX - 3).relation(3), Relation::Before);
        assert_eq!(head(7).relation(7), Relation::Same);
        assert_eq!(Head::of(0).relation(0), Relation::Before);
    }
}
