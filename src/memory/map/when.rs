//! A value that is put if its entry is as its caller expects it to be.

use super::{Bytes, Change, Hands, Key, Map, MapError, Outcome, Put};

/// When a value is put.
#[derive(Clone, Copy, Debug)]
pub enum When<'a> {
    /// Always.
    Always,
    /// If the key has none.
    Absent,
    /// If the entry has this [`Map::version_number`]; 0 for no entry.
    Version(u64),
    /// If the key has this value: its tag and its bytes.
    Holds(u16, &'a [u8]),
}

/// The value.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The meaning of the bytes.
    pub tag: u16,
    /// The value.
    pub value: Bytes<'a>,
    /// When the entry ends and for how long before that it is stale, as [`Map::times`] says.
    pub times: (u64, u64),
    /// Whether an entry that is there ends when it would have.
    pub keeps_times: bool,
}

impl Map {
    /// Puts a value if the entry is as it should be. Returns false if it is not.
    pub fn put(
        &self,
        hands: &mut Hands,
        key: &Key,
        when: When<'_>,
        new: New<'_>,
    ) -> Result<bool, MapError> {
        let reads = matches!(when, When::Holds(..));
        let done = self.change(hands, key, reads, |entry| {
            let fresh = entry.filter(|entry| entry.is_fresh());
            let takes = match when {
                When::Always => true,
                When::Absent => fresh.is_none(),
                When::Version(version) => {
                    fresh.map_or(0, |entry| self.version_number(entry.version)) == version
                }
                When::Holds(tag, bytes) => {
                    fresh.is_some_and(|entry| entry.tag == tag && entry.value() == bytes)
                }
            };
            if !takes {
                return Change::Keep;
            }
            let (expires, stale) = match fresh {
                Some(entry) if new.keeps_times => (entry.expires, entry.stale),
                _ => new.times,
            };
            Change::Put(Put {
                tag: new.tag,
                value: new.value,
                expires,
                stale,
            })
        })?;
        Ok(matches!(done, Outcome::Put(_)))
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove_key(&self, hands: &mut Hands, key: &Key) -> bool {
        let mut fresh = false;
        let done = self.change(hands, key, false, |entry| {
            fresh = entry.is_some_and(|entry| entry.is_fresh());
            Change::Delete
        });
        fresh && matches!(done, Ok(Outcome::Deleted))
    }

    /// Changes when a key ends, as [`Map::times`] says. Returns false if it is not there.
    pub fn renew(
        &self,
        hands: &mut Hands,
        key: &Key,
        (expires, stale): (u64, u64),
    ) -> Result<bool, MapError> {
        let done = self.change(hands, key, true, |entry| {
            match entry.filter(|entry| entry.is_fresh()) {
                Some(_) => Change::Renew { expires, stale },
                None => Change::Keep,
            }
        })?;
        Ok(matches!(done, Outcome::Put(_)))
    }
}
