//! The CPU budget on systems without regions: no pool has a share in one, so none of this is ever called.

/// There is none.
#[derive(Debug)]
pub enum Budget {}

/// None.
pub fn current() -> Option<&'static Budget> {
    None
}

impl Budget {
    /// Takes a token if one is free.
    #[must_use]
    pub fn try_acquire(&self) -> bool {
        match *self {}
    }

    /// Gives a token back.
    pub fn release(&self) {
        match *self {}
    }

    /// The number of tokens that nobody holds.
    pub fn free(&self) -> usize {
        match *self {}
    }

    /// Asks for one call when a token is free.
    #[must_use]
    pub fn want(&self) -> bool {
        match *self {}
    }

    /// Registers the function to call.
    pub fn on_free(&self, _: impl Fn() + Send + Sync + 'static) {
        match *self {}
    }
}
