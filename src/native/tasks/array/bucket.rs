//! Sorts keys that fit a core's second cache: two passes of a radix sort (Knuth, TAOCP 3, §5.2.5) over the highest bits
//! in which the keys differ, and then the few keys whose bits are equal there, by comparing them.

use super::sample_sort::SortKey;

/// With fewer keys, comparing them is faster.
const FEW: usize = 512;
/// How many more bits two digits have than it takes to number the keys: so few keys are equal in them.
const SPARE: u32 = 6;

/// What the sort works in, for one bucket after another.
#[derive(Debug)]
pub(super) struct Room<K> {
    keys: Vec<K>,
    places: Vec<u32>,
}

impl<K> Default for Room<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            places: Vec::new(),
        }
    }
}

/// Sorts keys, fewer than 2³².
pub(super) fn sort<K: SortKey>(keys: &mut [K], room: &mut Room<K>) {
    let Some((&first, rest)) = keys.split_first() else {
        return;
    };
    let (low, high) = rest.iter().fold((first, first), |(low, high), key| {
        (low.min(*key), high.max(*key))
    });
    if keys.len() < FEW {
        return keys.sort_unstable();
    }
    let bits = (keys.len().ilog2() + SPARE).div_ceil(2);
    let digits = Digits {
        low,
        shift: low.bits_to(high).saturating_sub(2 * bits),
        bits,
    };
    digits.sort(keys, room);
    // Runs of keys that are equal in both digits.
    for run in keys.chunk_by_mut(|a, b| digits.of(*a) == digits.of(*b)) {
        if run.len() > 1 {
            run.sort_unstable();
        }
    }
}

/// The two digits by which keys are sorted.
struct Digits<K> {
    low: K,
    /// The bits below the digits.
    shift: u32,
    /// The bits of each digit.
    bits: u32,
}

impl<K: SortKey> Digits<K> {
    /// Both digits of a key as one number.
    #[inline]
    fn of(&self, key: K) -> usize {
        key.part_above(self.low, self.shift)
    }

    fn sort(&self, keys: &mut [K], room: &mut Room<K>) {
        let Room {
            keys: other,
            places,
        } = room;
        let values = 1 << self.bits;
        other.resize(keys.len().max(other.len()), self.low);
        places.clear();
        places.resize(2 * values, 0);
        let (lower, upper) = places.split_at_mut(values);
        for key in &*keys {
            let digits = self.of(*key);
            lower[digits & (values - 1)] += 1;
            upper[digits >> self.bits & (values - 1)] += 1;
        }
        begins(lower);
        begins(upper);
        let other = &mut other[..keys.len()];
        distribute(keys, other, lower, |key| self.of(key) & (values - 1));
        distribute(other, keys, upper, |key| {
            self.of(key) >> self.bits & (values - 1)
        });
    }
}

/// From how often each digit occurs: where the keys with that digit begin.
fn begins(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += std::mem::replace(count, sum);
    }
}

/// Puts each key behind those of a lower digit, and behind the earlier ones of the same digit.
fn distribute<K: SortKey>(
    from: &[K],
    to: &mut [K],
    places: &mut [u32],
    digit: impl Fn(K) -> usize,
) {
    for key in from {
        let place = &mut places[digit(*key)];
        to[*place as usize] = *key;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check<K: SortKey + std::fmt::Debug>(mut keys: Vec<K>, room: &mut Room<K>) {
        let mut expected = keys.clone();
        expected.sort_unstable();
        sort(&mut keys, room);
        assert_eq!(keys, expected);
    }

    #[test]
    fn the_ends_of_the_range_are_sorted() {
        let mut room = Room::default();
        for few in [vec![], vec![7], vec![u64::MAX, 0]] {
            check(few, &mut room);
        }
        check(
            (0..5000)
                .map(|i| if i % 2 == 0 { u64::MAX } else { 0 })
                .collect(),
            &mut room,
        );
        check(vec![u64::MAX; 5000], &mut room);
        check((0..5000u64).rev().collect(), &mut room);
        check(
            (0..5000u64).map(|i| (i << 59) | (i % 3)).collect(),
            &mut room,
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn it_agrees_with_the_standard_library(
            words in prop::collection::vec(any::<u64>(), 0..3 * FEW), times in 1usize..20, mask: u64, down in 0u32..64,
        ) {
            let keys: Vec<u64> = words
                .iter()
                .cycle()
                .take(words.len() * times)
                .enumerate()
                .map(|(index, word)| (word.wrapping_mul(2 * index as u64 + 1) & mask) >> down)
                .collect();
            check(keys.iter().map(|key| *key as u8).collect(), &mut Room::default());
            check(keys.iter().map(|key| *key as u32).collect(), &mut Room::default());
            check(keys.iter().map(|key| u128::from(*key) << down).collect(), &mut Room::default());
            check(keys, &mut Room::default());
        }
    }
}
