//! Sorting by samples (Frazer and McKellar, "Samplesort", JACM 17, 1970; the branchless search and the buckets of equal
//! keys are those of Sanders and Winkel, "Super Scalar Sample Sort", ESA 2004). One flat loop finds the bucket of each
//! key, a second one puts the keys there, and a third one sorts the buckets, by `bucket`. Each loop can be stopped after
//! a chunk, and shared.

use bytemuck::Pod;
use parking_lot::Mutex;

use super::bucket::{self, Room};
use super::elements::zeroed;
use rspool_task::{Context, Error, room_for};

/// Keys that are sorted in one go, in about a millisecond.
pub(super) const SMALL: usize = 64 * 1024;
/// Keys of a chunk: it takes some tenths of a millisecond.
const PIECE: usize = 64 * 1024;
/// Keys of a bucket, if there can be enough buckets.
const BUCKET: usize = 32 * 1024;
/// The most buckets: their number fits a byte, the places to fill fit the first cache, and ten million keys have buckets
/// that fit the second one.
const BUCKETS: usize = 256;
/// Keys that are sampled per border between two buckets.
const OVERSAMPLING: usize = 32;
/// How often the keys of a bucket that is too large are distributed again.
const DEPTH: u32 = 3;
/// With fewer keys, another worker would come too late.
pub(super) const WORTH_HELP: usize = 256 * 1024;

/// A key that sorts as its number does.
pub(super) trait SortKey: Pod + Ord + Send + Sync {
    const MAX: Self;
    /// How many bits it takes to write by how much `high`, which is not less, is greater than this key.
    fn bits_to(self, high: Self) -> u32;
    /// By how much this key is greater than `low`, without the lowest bits.
    fn part_above(self, low: Self, bits: u32) -> usize;
}

macro_rules! sort_key {
    ($($type:ty),*) => { $(
        impl SortKey for $type {
            const MAX: Self = <$type>::MAX;
            #[inline]
            fn bits_to(self, high: Self) -> u32 {
                <$type>::BITS - (high - self).leading_zeros()
            }
            #[inline]
            fn part_above(self, low: Self, bits: u32) -> usize {
                ((self - low) >> bits) as usize
            }
        }
    )* };
}
sort_key!(u8, u16, u32, u64, u128);

/// Converts elements to keys, and keys to elements.
pub(super) trait Mapping<K>: Copy + Send + Sync {
    fn key(self, element: K) -> K;
    fn element(self, key: K) -> K;
}

/// Elements that are their own keys.
#[derive(Clone, Copy)]
pub(super) struct AsIs;

impl<K> Mapping<K> for AsIs {
    fn key(self, element: K) -> K {
        element
    }
    fn element(self, key: K) -> K {
        key
    }
}

/// Sorts the elements of `from` into `to`, which is as long. `done` hears, on any thread, of how many the place is final.
pub(super) fn sort<K: SortKey>(
    from: &[K],
    to: &mut [K],
    mapping: impl Mapping<K>,
    context: &Context<'_>,
    done: impl Fn(usize) + Sync,
) -> Result<(), Error> {
    let context = context.with_help_if(from.len() >= WORTH_HELP);
    share_out(from, to, mapping, &context, &done, DEPTH)
}

fn share_out<K: SortKey>(
    from: &[K],
    to: &mut [K],
    mapping: impl Mapping<K>,
    context: &Context<'_>,
    done: &(impl Fn(usize) + Sync),
    depth: u32,
) -> Result<(), Error> {
    if from.len() <= SMALL || depth == 0 {
        context.check()?;
        for (to, from) in to.iter_mut().zip(from) {
            *to = mapping.key(*from);
        }
        finish(to, mapping, &mut Room::default());
        done(to.len());
        return Ok(());
    }
    let borders = Borders::of(from, mapping);
    let mut buckets: Vec<u8> = zeroed(from.len())?;
    let pieces = from.chunks(PIECE).zip(buckets.chunks_mut(PIECE)).collect();
    let counts = context.map_items(pieces, |_, (from, buckets): (&[K], &mut [u8])| {
        Ok(borders.find(from, buckets, mapping))
    })?;
    let (starts, ends) = places(counts);
    // Each piece fills its own part of each bucket.
    let places = Places(to.as_mut_ptr());
    let pieces = from.chunks(PIECE).zip(buckets.chunks(PIECE)).zip(starts);
    context.parallel_items(pieces.collect(), |_, ((from, buckets), mut next)| {
        for (element, bucket) in from.iter().zip(buckets) {
            let place = &mut next[*bucket as usize];
            // SAFETY: `places` gives each key of each piece a place of its own, in bounds: as many as `find` has counted,
            // and `buckets` is what it counted. Nobody else uses `to` meanwhile.
            unsafe { places.at(*place).write(mapping.key(*element)) };
            *place += 1;
        }
    })?;
    drop(buckets);
    let equal = |bucket: usize| borders.equal && bucket % 2 == 1;
    let (groups, large) = groups(to, &ends, equal);
    let rooms = Mutex::new(Vec::new());
    context.parallel_items(groups, |_, group| {
        let mut room: Room<K> = rooms.lock().pop().unwrap_or_default();
        for (keys, sorted) in group {
            if sorted {
                keys.iter_mut().for_each(|key| *key = mapping.element(*key));
            } else {
                finish(keys, mapping, &mut room);
            }
            done(keys.len());
        }
        rooms.lock().push(room);
    })?;
    for keys in large {
        let mut copy = room_for(keys.len())?;
        copy.extend(keys.iter().map(|key| mapping.element(*key)));
        share_out(&copy, keys, mapping, context, done, depth - 1)?;
    }
    Ok(())
}

/// Sorts keys, and turns them into elements.
fn finish<K: SortKey>(keys: &mut [K], mapping: impl Mapping<K>, room: &mut Room<K>) {
    bucket::sort(keys, room);
    keys.iter_mut().for_each(|key| *key = mapping.element(*key));
}

/// Where keys are put, by several threads.
struct Places<K>(*mut K);

// SAFETY: each thread writes to places of its own.
unsafe impl<K: Send> Sync for Places<K> {}

impl<K> Places<K> {
    /// # Safety
    /// In bounds.
    unsafe fn at(&self, place: usize) -> *mut K {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(place) }
    }
}

/// From the number of keys that each piece has for each bucket: where each piece begins in each bucket, and where each
/// bucket ends.
fn places(mut counts: Vec<Vec<usize>>) -> (Vec<Vec<usize>>, Vec<usize>) {
    let buckets = counts.first().map_or(0, Vec::len);
    let (mut sum, mut ends) = (0, Vec::with_capacity(buckets));
    for bucket in 0..buckets {
        for piece in &mut counts {
            let count = piece[bucket];
            piece[bucket] = sum;
            sum += count;
        }
        ends.push(sum);
    }
    (counts, ends)
}

/// Keys, and whether they are sorted already.
type Bucket<'a, K> = (&'a mut [K], bool);

/// The buckets, in groups that are worth a chunk, and separately the buckets that are too large for one.
fn groups<'a, K>(
    mut keys: &'a mut [K],
    ends: &[usize],
    equal: impl Fn(usize) -> bool,
) -> (Vec<Vec<Bucket<'a, K>>>, Vec<&'a mut [K]>) {
    let (mut groups, mut large) = (Vec::new(), Vec::new());
    let (mut group, mut size, mut start) = (Vec::new(), 0, 0);
    for (bucket, &end) in ends.iter().enumerate() {
        let (mut head, rest) = keys.split_at_mut(end - start);
        (keys, start) = (rest, end);
        if equal(bucket) {
            // These may have any size, and take one pass each.
            while head.len() > PIECE {
                let (piece, rest) = head.split_at_mut(PIECE);
                groups.push(vec![(piece, true)]);
                head = rest;
            }
        } else if head.len() > 2 * SMALL {
            large.push(head);
            continue;
        }
        size += head.len();
        group.push((head, equal(bucket)));
        if size >= BUCKET / 2 {
            groups.push(std::mem::take(&mut group));
            size = 0;
        }
    }
    groups.push(group);
    (groups, large)
}

/// The keys that separate the buckets.
struct Borders<K> {
    /// The borders in the order of a search: the middle one, those of the quarters, and so on. The first index is 1.
    tree: Box<[K; BUCKETS]>,
    /// The borders in order, followed by the greatest key.
    sorted: Box<[K; BUCKETS]>,
    /// One more than the borders: a power of two.
    leaves: usize,
    /// Whether keys that equal a border have buckets of their own, because some key occurs often.
    equal: bool,
}

impl<K: SortKey> Borders<K> {
    fn of(from: &[K], mapping: impl Mapping<K>) -> Self {
        let buckets = (from.len() / BUCKET).next_power_of_two().clamp(4, BUCKETS);
        let many = buckets * OVERSAMPLING;
        // As good as random to the author of the input, but the same each time.
        let place =
            |i: usize| (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) as u128 * from.len() as u128;
        let mut sample: Vec<K> = (1..=many)
            .map(|i| mapping.key(from[(place(i) >> 64) as usize]))
            .collect();
        sample.sort_unstable();
        let mut sorted: Vec<K> = (1..buckets).map(|i| sample[i * OVERSAMPLING]).collect();
        sorted.dedup();
        let equal = sorted.len() + 1 < buckets;
        let leaves = if equal {
            // There are two buckets per border.
            while sorted.len() >= BUCKETS / 2 {
                let mut index = 0;
                sorted.retain(|_| {
                    index += 1;
                    index % 2 == 0
                });
            }
            (sorted.len() + 1).next_power_of_two()
        } else {
            buckets
        };
        let mut borders = Box::new([K::MAX; BUCKETS]);
        borders[..sorted.len()].copy_from_slice(&sorted);
        let mut tree = Box::new([K::MAX; BUCKETS]);
        fill(&mut *tree, 1, &borders[..leaves - 1]);
        Self {
            tree,
            sorted: borders,
            leaves,
            equal,
        }
    }

    /// Finds the bucket of each element, and counts the elements of each bucket.
    fn find(&self, from: &[K], buckets: &mut [u8], mapping: impl Mapping<K>) -> Vec<usize> {
        const AT_ONCE: usize = 8;
        let mut counts = vec![0; self.leaves << u32::from(self.equal)];
        let (rows, rest) = from.as_chunks::<AT_ONCE>();
        let (row_buckets, rest_buckets) = buckets.as_chunks_mut::<AT_ONCE>();
        // Several searches at once, so that each waits only for its own comparisons.
        for (row, buckets) in rows.iter().zip(row_buckets) {
            let keys = row.map(|element| mapping.key(element));
            *buckets = self.search(keys);
            for bucket in buckets {
                counts[*bucket as usize] += 1;
            }
        }
        for (element, bucket) in rest.iter().zip(rest_buckets) {
            [*bucket] = self.search([mapping.key(*element)]);
            counts[*bucket as usize] += 1;
        }
        counts
    }

    #[inline]
    fn search<const N: usize>(&self, keys: [K; N]) -> [u8; N] {
        let mut at = [1usize; N];
        for _ in 0..self.leaves.trailing_zeros() {
            for (at, key) in at.iter_mut().zip(&keys) {
                *at = 2 * *at + usize::from(self.tree[*at & (BUCKETS - 1)] < *key);
            }
        }
        std::array::from_fn(|i| {
            let bucket = at[i] & (self.leaves - 1) & (BUCKETS - 1);
            if self.equal {
                let is_border = self.sorted[bucket] == keys[i];
                (2 * bucket + usize::from(is_border)) as u8
            } else {
                bucket as u8
            }
        })
    }
}

/// Fills a search tree below a place with sorted borders. Their number is one less than a power of two.
fn fill<K: Copy>(tree: &mut [K], at: usize, sorted: &[K]) {
    let middle = sorted.len() / 2;
    if let Some(border) = sorted.get(middle) {
        tree[at] = *border;
        fill(tree, 2 * at, &sorted[..middle]);
        fill(tree, 2 * at + 1, &sorted[middle + 1..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &[u64]) {
        let mut to = vec![0; from.len()];
        sort(from, &mut to, AsIs, &Context::detached(), |_| ()).unwrap();
        let mut expected = from.to_vec();
        expected.sort_unstable();
        assert!(to == expected);
    }

    fn random(len: usize, mask: u64) -> Vec<u64> {
        let mut state = 88_172_645_463_325_252u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state & mask
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn random_keys_are_sorted() {
        for len in [SMALL + 1, 5 * PIECE + 3, 1_000_000] {
            check(&random(len, u64::MAX));
        }
    }

    #[test]
    fn few_distinct_keys_are_sorted() {
        let len = 1_000_000;
        check(&vec![7; len]);
        check(&vec![u64::MAX; len]);
        check(&vec![0; len]);
        for mask in [1, 3, 0xff, 0xffff] {
            check(&random(len, mask));
            let high: Vec<u64> = random(len, mask).iter().map(|key| !key).collect();
            check(&high);
        }
    }

    #[test]
    fn half_of_them_equal_and_the_others_not() {
        let mut keys = random(1_000_000, u64::MAX);
        for key in keys.iter_mut().step_by(2) {
            *key = u64::MAX / 3;
        }
        check(&keys);
    }

    #[test]
    fn sorted_and_reversed_keys_are_sorted() {
        let up: Vec<u64> = (0..700_000).collect();
        let down: Vec<u64> = up.iter().rev().copied().collect();
        check(&up);
        check(&down);
        let pipes: Vec<u64> = up.iter().map(|i| i.min(&(700_000 - i)) * 5).collect();
        check(&pipes);
    }

    #[test]
    fn keys_of_which_the_samples_tell_nothing_are_sorted() {
        // All sampled keys are small; all others are within one bucket.
        let len = 1_500_000;
        let mut keys = random(len, 0xffff_ffff);
        keys.iter_mut().for_each(|key| *key += 1 << 40);
        let buckets = (len / BUCKET).next_power_of_two().clamp(4, BUCKETS);
        for i in 1..=buckets * OVERSAMPLING {
            let place = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) as u128 * len as u128;
            keys[(place >> 64) as usize] = i as u64;
        }
        check(&keys);
    }
}
