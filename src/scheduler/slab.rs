//! Storage with small integer keys, in chunks that never move. Growing to a million entries copies nothing, and the
//! entry that was freed last is reused first, because it is warm in the cache.

/// Entries per chunk, if there may be very many.
const MANY: usize = 64;

/// No entry; also the end of a list.
pub(super) const NIL: u32 = u32::MAX;

/// Entries of `T` under `u32` keys, with room for `CHUNK` more at a time.
#[derive(Debug)]
pub(super) struct Slab<T, const CHUNK: usize = MANY> {
    chunks: Vec<Box<[Slot<T>]>>,
    free: u32,
}

#[derive(Debug)]
enum Slot<T> {
    Free(u32),
    Used(T),
}

impl<T, const CHUNK: usize> Default for Slab<T, CHUNK> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: NIL,
        }
    }
}

impl<T, const CHUNK: usize> Slab<T, CHUNK> {
    /// Stores `value` and gives its key.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if self.free == NIL {
            self.grow();
        }
        let key = self.free;
        let slot = self.slot(key);
        let Slot::Free(next) = *slot else {
            unreachable!("the free list holds free slots")
        };
        *slot = Slot::Used(value);
        self.free = next;
        key
    }

    /// Takes the entry out; its key is free again.
    pub(super) fn remove(&mut self, key: u32) -> T {
        let next = self.free;
        let Slot::Used(value) = std::mem::replace(self.slot(key), Slot::Free(next)) else {
            panic!("slab key {key} is not in use")
        };
        self.free = key;
        value
    }

    /// Drops the entry where it is; its key is free again.
    pub(super) fn drop(&mut self, key: u32) {
        let next = self.free;
        let slot = self.slot(key);
        assert!(
            matches!(slot, Slot::Used(_)),
            "slab key {key} is not in use"
        );
        *slot = Slot::Free(next);
        self.free = key;
    }

    /// The entry of `key`, if it is in use.
    pub(super) fn get(&self, key: u32) -> Option<&T> {
        match self
            .chunks
            .get(key as usize / CHUNK)?
            .get(key as usize % CHUNK)?
        {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// As [`get`](Self::get), to change it.
    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        match self
            .chunks
            .get_mut(key as usize / CHUNK)?
            .get_mut(key as usize % CHUNK)?
        {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// All keys in use, in no particular order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u32> + '_ {
        self.chunks.iter().enumerate().flat_map(|(chunk, slots)| {
            slots
                .iter()
                .enumerate()
                .filter(|(_, slot)| matches!(slot, Slot::Used(_)))
                .map(move |(i, _)| (chunk * CHUNK + i) as u32)
        })
    }

    fn slot(&mut self, key: u32) -> &mut Slot<T> {
        &mut self.chunks[key as usize / CHUNK][key as usize % CHUNK]
    }

    fn grow(&mut self) {
        let base = self.chunks.len() * CHUNK;
        assert!(
            base + CHUNK < NIL as usize,
            "more tasks than a 32-bit key can name"
        );
        let slots = (0..CHUNK).map(|i| {
            Slot::Free(if i + 1 == CHUNK {
                NIL
            } else {
                (base + i + 1) as u32
            })
        });
        self.chunks.push(slots.collect());
        self.free = base as u32;
    }
}

impl<T, const CHUNK: usize> std::ops::Index<u32> for Slab<T, CHUNK> {
    type Output = T;

    fn index(&self, key: u32) -> &T {
        self.get(key).expect("slab key in use")
    }
}

impl<T, const CHUNK: usize> std::ops::IndexMut<u32> for Slab<T, CHUNK> {
    fn index_mut(&mut self, key: u32) -> &mut T {
        self.get_mut(key).expect("slab key in use")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dense_and_reused_last_freed_first() {
        let mut slab = Slab::<char>::default();
        assert_eq!(
            (slab.insert('a'), slab.insert('b'), slab.insert('c')),
            (0, 1, 2)
        );
        assert_eq!(slab.remove(1), 'b');
        slab.drop(2);
        assert_eq!(slab.get(2), None);
        assert_eq!(slab.insert('c'), 2);
        assert_eq!(slab.remove(0), 'a');
        assert_eq!((slab.insert('d'), slab.insert('e')), (0, 1));
        assert_eq!(slab.get(7), None);
        assert_eq!(slab.keys().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn growing_keeps_what_is_there() {
        let mut slab = Slab::<usize>::default();
        let keys: Vec<u32> = (0..5000).map(|i| slab.insert(i)).collect();
        assert!(keys.iter().enumerate().all(|(i, &key)| slab[key] == i));
    }
}
