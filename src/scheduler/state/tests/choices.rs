//! The choices of which a simulated history is made: what is done next, to which task, by which worker.

/// The source of a history's choices.
pub(super) enum Choices {
    /// A number that is not 0.
    Seed(u32),
    /// A list; when that is used up, each choice is the first.
    List(std::vec::IntoIter<u32>),
}

impl Choices {
    pub(super) fn below(&mut self, n: u32) -> u32 {
        match self {
            Self::Seed(number) => {
                *number ^= *number << 13;
                *number ^= *number >> 17;
                *number ^= *number << 5;
                *number % n
            }
            Self::List(list) => list.next().unwrap_or(0) % n,
        }
    }

    pub(super) fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == n - 1
    }

    pub(super) fn one_of<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        let at = self.below(u32::try_from(list.len()).unwrap().max(1));
        list.get(at as usize).copied()
    }

    pub(super) fn are_used_up(&self) -> bool {
        matches!(self, Self::List(list) if list.len() == 0)
    }
}
