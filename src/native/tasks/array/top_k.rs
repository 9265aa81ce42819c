//! `array.topK`, and the choice of the best elements for other tasks.

use std::collections::BinaryHeap;

use super::super::steps::Steps;
use super::elements::{PIECE, made_of, map_pieces, zeroed};
use super::order::{elements_of, keys_of, last_number};
use super::sample_sort::{self, AsIs};
use rspool_task::{ArrayKind, Context, Error, Params, Record, Value, room_for};

const MAX_K: u64 = u32::MAX as u64;

/// The number of elements that a call asks for.
pub(super) fn k_of(k: Option<u64>) -> Result<usize, Error> {
    match k {
        Some(k) => Ok(usize::try_from(k).unwrap_or(usize::MAX)),
        None => Err(Error::invalid(
            "params.k is missing: how many there are to be",
        )),
    }
}

/// The allowed values of `params.k`.
pub(super) const K: std::ops::RangeInclusive<u64> = 1..=MAX_K;

/// Finds the `k` greatest (or least) elements of a typed array and their places. The first is the greatest; of equal
/// elements, the earlier comes first. NaN is never among them.
///
/// - Input: a typed array; a Buffer counts as a Uint8Array.
/// - Params: `k`, an integer from 1 to 2³² − 1; `smallest`, a boolean, default false.
/// - Result: `{ indices, values }`: a `Uint32Array`, and an array of the input's class. Both are shorter than `k` if there
///   are not so many.
/// - Counts: `rows`, the elements.
/// - Shared: from 1,048,576 elements on.
/// - Errors: `ERR_RSPOOL_INVALID_ARGUMENT`.
pub(super) fn top_k(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let fields = params.read(&["k", "smallest"])?;
    let k = k_of(fields.integer("k", K)?)?;
    let smallest = fields.boolean("smallest")?.unwrap_or(false);
    let array = input.into_array("input")?;
    refuse_too_many(array.len())?;
    let last = last_number(array.kind);
    let flip = if smallest { 0 } else { u64::MAX };
    let steps = Steps::new(context, array.len());
    let parts = map_pieces(&array, PIECE, context, &steps, |start, bytes| {
        let mut keys = Vec::new();
        keys_of(array.kind, bytes, &mut keys);
        let mut best = Best::new(k);
        for (place, key) in (start as u32..).zip(keys) {
            if key <= last {
                best.offer(key ^ flip, place);
            }
        }
        Ok(best)
    })?;
    let best = Best::of_all(k, parts, context)?;
    let indices = made_of(ArrayKind::Uint32, best.len(), context, |at| best[at].1)?;
    let values = elements_of(array.kind, best.len(), context, |at| best[at].0 ^ flip)?;
    let record = Record::new()
        .with("indices", indices)
        .with("values", values);
    Ok(Value::Record(record))
}

/// Places are 32-bit numbers.
pub(super) fn refuse_too_many(places: usize) -> Result<(), Error> {
    if u32::try_from(places).is_ok() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "input must have fewer than 2^32 elements or rows, got {places}"
    )))
}

/// The least of the offered keys, each with its place. Of equal keys, the one at the lower place.
pub(super) struct Best {
    k: usize,
    /// The greatest is on top.
    heap: BinaryHeap<(u64, u32)>,
}

impl Best {
    pub(super) fn new(k: usize) -> Self {
        let heap = BinaryHeap::new();
        Self { k, heap }
    }

    #[inline]
    pub(super) fn offer(&mut self, key: u64, place: u32) {
        if self.heap.len() < self.k {
            self.heap.push((key, place));
        } else if let Some(mut greatest) = self.heap.peek_mut()
            && (key, place) < *greatest
        {
            *greatest = (key, place);
        }
    }

    /// The best of several parts, in order.
    pub(super) fn of_all(
        k: usize,
        parts: Vec<Self>,
        context: &Context<'_>,
    ) -> Result<Vec<(u64, u32)>, Error> {
        let mut all: Vec<u128> = room_for(parts.iter().map(|part| part.heap.len()).sum())?;
        for part in parts {
            context.check()?;
            let pairs = part.heap.into_iter();
            all.extend(pairs.map(|(key, place)| u128::from(key) << 32 | u128::from(place)));
        }
        let mut sorted = zeroed(all.len())?;
        sample_sort::sort(&all, &mut sorted, AsIs, context, |_| ())?;
        drop(all);
        let mut best = room_for(k.min(sorted.len()))?;
        for piece in sorted[..k.min(sorted.len())].chunks(PIECE) {
            context.check()?;
            best.extend(piece.iter().map(|pair| ((pair >> 32) as u64, *pair as u32)));
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{array, code, doubles, noise, numbers, record, run};
    use super::*;
    use rspool_task::TypedArray;

    fn best(input: TypedArray<'static>, params: serde_json::Value) -> (Vec<f64>, Vec<f64>) {
        let mut record = record(run(top_k, input, params));
        let mut take = |name| numbers(&record.take_array(name).unwrap());
        (take("indices"), take("values"))
    }

    #[test]
    fn the_greatest_come_first_and_of_equal_ones_the_earlier() {
        let input = doubles(&[1.0, 9.0, f64::NAN, 9.0, f64::INFINITY, -3.0]);
        let (indices, values) = best(input.clone(), json!({ "k": 3 }));
        assert_eq!(
            (indices, values),
            (vec![4.0, 1.0, 3.0], vec![f64::INFINITY, 9.0, 9.0])
        );
        let (indices, values) = best(input.clone(), json!({ "k": 2, "smallest": true }));
        assert_eq!((indices, values), (vec![5.0, 0.0], vec![-3.0, 1.0]));
        let (indices, _) = best(input, json!({ "k": 100 }));
        assert_eq!(indices, [4.0, 1.0, 3.0, 0.0, 5.0]);
    }

    #[test]
    fn every_class_keeps_its_values() {
        let input = array(ArrayKind::Int16, &[-5i16, 7, 300]);
        assert_eq!(best(input, json!({ "k": 2 })).1, [300.0, 7.0]);
        let input = array(ArrayKind::Float32, &[-0.5f32, 0.25]);
        assert_eq!(best(input, json!({ "k": 1, "smallest": true })).1, [-0.5]);
    }

    #[test]
    fn it_is_told_how_many_there_are_to_be() {
        for params in [json!({}), json!({ "k": 0 }), json!({ "k": 1.5 })] {
            let found = run(top_k, doubles(&[1.0]), params);
            assert_eq!(code(found), "ERR_RSPOOL_INVALID_ARGUMENT");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn they_are_those_of_a_sort(k in 1usize..2000) {
            let input = noise(2 * PIECE + 100);
            let mut expected: Vec<usize> = (0..input.len()).collect();
            expected.sort_by(|a, b| input[*b].total_cmp(&input[*a]));
            let expected: Vec<f64> = expected[..k].iter().map(|place| *place as f64).collect();
            prop_assert_eq!(best(doubles(&input), json!({ "k": k })).0, expected);
        }
    }
}
