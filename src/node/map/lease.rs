//! Leases: a lease says who computes the value of a key. It is an entry beside that of the key, and names the process
//! and a number. If the process has died or the environment has ended, the next caller gets the lease at once. If the
//! process lives, the lease lasts as long as it is renewed, so that a hanging loop keeps it for a while and not for
//! ever.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

use crate::memory::map::{Bytes, Change, Current, Hands, Key, Map, MapError, Outcome, Owner, Put};

/// How long a lease lasts without a renewal.
const LASTS: Duration = Duration::from_secs(30);
const BYTES: usize = 24;

/// The leases that environments of this process have.
static HELD: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
static LAST: AtomicU64 = AtomicU64::new(0);

fn held<T>(f: impl FnOnce(&mut HashSet<u64>) -> T) -> T {
    f(&mut HELD.lock())
}

/// The leases of an environment, by number.
#[derive(Default)]
pub(super) struct Leases {
    keys: HashMap<u64, Key>,
}

fn encode(owner: Owner, token: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&u64::from(owner.seat).to_ne_bytes());
    bytes[8..16].copy_from_slice(&u64::from(owner.generation).to_ne_bytes());
    bytes[16..].copy_from_slice(&token.to_ne_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(Owner, u64)> {
    let word = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let owner = Owner {
        seat: word(0)? as u16,
        generation: word(8)? as u32,
    };
    Some((owner, word(16)?))
}

/// Whether a living environment has the lease.
fn is_held(map: &Map, entry: &Current<'_>) -> bool {
    decode(entry.value()).is_some_and(|(owner, token)| match owner == map.owner() {
        true => held(|held| held.contains(&token)),
        false => !map.is_dead(owner),
    })
}

impl Leases {
    /// Takes the lease of a key. Returns 0 if another has it.
    pub(super) fn take(&mut self, map: &Map, hands: &mut Hands, key: Key) -> Result<u64, MapError> {
        let token = LAST.fetch_add(1, Relaxed) + 1;
        let value = encode(map.owner(), token);
        held(|held| held.insert(token));
        let done = map.change(hands, &key, true, |entry| {
            match entry.is_some_and(|entry| is_held(map, &entry)) {
                true => Change::Keep,
                false => written(map, &value),
            }
        });
        if let Ok(Outcome::Put(_)) = done {
            self.keys.insert(token, key);
            return Ok(token);
        }
        held(|held| held.remove(&token));
        done.map(|_| 0)
    }

    /// Whether a living environment has the lease of a key.
    pub(super) fn is_taken(map: &Map, hands: &mut Hands, key: &Key) -> bool {
        map.get(hands, key)
            .is_some_and(|read| is_held(map, &read.entry))
    }

    /// The lease lasts on, if it is still the caller's.
    pub(super) fn renew(&mut self, map: &Map, hands: &mut Hands, token: u64) {
        let Some(key) = self.keys.get(&token) else {
            return;
        };
        let value = encode(map.owner(), token);
        let _ = map.change(hands, key, true, |entry| {
            match entry.is_some_and(|entry| entry.value() == value) {
                true => written(map, &value),
                false => Change::Keep,
            }
        });
    }

    /// Ends the lease.
    pub(super) fn end(&mut self, map: &Map, hands: &mut Hands, token: u64) {
        let Some(key) = self.keys.remove(&token) else {
            return;
        };
        held(|held| held.remove(&token));
        let value = encode(map.owner(), token);
        let _ = map.change(hands, &key, true, |entry| {
            match entry.is_some_and(|entry| entry.value() == value) {
                true => Change::Delete,
                false => Change::Keep,
            }
        });
    }

    /// Gives up all leases of an environment that ends.
    pub(super) fn give_up(&mut self, map: &Map) {
        let mut hands = Hands::default();
        let tokens: Vec<u64> = self.keys.keys().copied().collect();
        for token in tokens {
            self.end(map, &mut hands, token);
        }
    }
}

fn written<'v>(map: &Map, value: &'v [u8]) -> Change<'v> {
    Change::Put(Put {
        tag: 0,
        value: Bytes::Slice(value),
        expires: map.end(Some(LASTS), Duration::ZERO),
        stale: 0,
    })
}
