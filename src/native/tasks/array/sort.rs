//! `array.sort`.

use super::super::steps::Steps;
use super::elements::{aligned, zeroed};
use super::order::{Bits, Order};
use super::sample_sort::{self, Mapping};
use rspool_task::{Context, Error, Params, ROWS, TypedArray, Value};

/// Sorts the elements of a typed array by value, in the order of `TypedArray.prototype.sort`
/// without a comparator: -0 before +0, every NaN after Infinity.
///
/// - Input: a typed array, `Float16Array` excepted; a Buffer counts as a Uint8Array.
/// - Params: `descending`, a boolean, default false; true gives exactly the reverse, so that NaN
///   comes first and +0 before -0.
/// - Result: a typed array of the same kind and length. The input is not changed.
/// - Counts: `rows`, the elements.
/// - Memory: the result, a byte for each element of more than two bytes, and up to 2 MiB for each
///   worker that takes part.
/// - Shared: from 262,144 elements on.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: ECMA-262 §23.2.3.29 (order); elements of one or two bytes are counted, the others
///   distributed by samples and then sorted by radix.
pub(super) fn sort(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let descending = params.read(&["descending"])?.boolean("descending")?;
    let TypedArray { kind, bytes } = input.into_array("input")?;
    let descending = descending.unwrap_or(false);
    let from = bytes.contiguous(context)?;
    let steps = Steps::new(context, from.len() / kind.size());
    let done = |elements: usize| {
        context.count(ROWS, elements as i64);
        steps.pass(elements);
    };
    let sorted = match kind.size() {
        1 => {
            let order = Order::<u8>::new(kind, descending);
            sort_bytes(&from, |from, to| count(from, to, order, context, done))?
        }
        2 => {
            let order = Order::<u16>::new(kind, descending);
            sort_bytes(&from, |from, to| count(from, to, order, context, done))?
        }
        4 => {
            let order = Order::<u32>::new(kind, descending);
            let sort = |from: &_, to: &mut _| sample_sort::sort(from, to, order, context, done);
            sort_bytes(&from, sort)?
        }
        _ => {
            let order = Order::<u64>::new(kind, descending);
            let sort = |from: &_, to: &mut _| sample_sort::sort(from, to, order, context, done);
            sort_bytes(&from, sort)?
        }
    };
    Ok(Value::Array(TypedArray {
        kind,
        bytes: sorted.into(),
    }))
}

/// Elements of a chunk that is counted or filled: it takes some tenths of a millisecond.
const PIECE: usize = 256 * 1024;

/// Sorts elements given as bytes, by a function from one memory into another. The elements are read in place if they are
/// aligned, as those of a typed array are.
fn sort_bytes<K: Bits>(
    bytes: &[u8],
    sort: impl FnOnce(&[K], &mut [K]) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let from = aligned(bytes);
    let mut sorted: Vec<u8> = zeroed(bytes.len())?;
    if let Ok(to) = bytemuck::try_cast_slice_mut(&mut sorted) {
        sort(&from, to)?;
        return Ok(sorted);
    }
    let mut to: Vec<K> = zeroed(from.len())?;
    sort(&from, &mut to)?;
    sorted.copy_from_slice(bytemuck::cast_slice(&to));
    Ok(sorted)
}

/// Sorts by counting, if there are few different keys.
fn count<K: Bits>(
    from: &[K],
    to: &mut [K],
    order: Order<K>,
    context: &Context<'_>,
    done: impl Fn(usize) + Sync,
) -> Result<(), Error> {
    let context = context.with_help_if(from.len() >= 16 * PIECE);
    let keys = 1 << (8 * size_of::<K>());
    let counts = context.map_chunks(from, PIECE, |_, piece| {
        let mut counts = vec![0usize; keys];
        for element in piece {
            counts[order.key(*element).to_index()] += 1;
        }
        Ok(counts)
    })?;
    let mut ends = vec![0; keys];
    for piece in counts {
        for (end, count) in ends.iter_mut().zip(piece) {
            *end += count;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    context.parallel_chunks_mut(to, PIECE, |index, piece| {
        let (start, length) = (index * PIECE, piece.len());
        let first = ends.partition_point(|end| *end <= start);
        let mut filled = 0;
        for (key, end) in (first..).zip(&ends[first..]) {
            let until = end.saturating_sub(start).min(length);
            piece[filled..until].fill(order.element(K::from_index(key)));
            filled = until;
            if filled == length {
                break;
            }
        }
        done(length);
    })
}

#[cfg(test)]
mod tests {
    use std::{
        cmp::Ordering,
        sync::atomic::{AtomicU32, Ordering::Relaxed},
        thread,
    };

    use bytemuck::Pod;
    use proptest::prelude::*;

    use super::super::sample_sort::SMALL;
    use super::*;
    use rspool_task::ArrayKind;

    fn array<T: Pod>(kind: ArrayKind, elements: &[T]) -> Value<'static> {
        let bytes = bytemuck::cast_slice(elements).to_vec().into();
        Value::Array(TypedArray { kind, bytes })
    }

    fn sorted<T: Pod>(kind: ArrayKind, elements: &[T], descending: bool) -> Vec<T> {
        let params = Params::try_from(serde_json::json!({ "descending": descending })).unwrap();
        let result = sort(array(kind, elements), params, &Context::detached());
        let Value::Array(result) = result.unwrap() else {
            panic!("not an array");
        };
        assert_eq!(result.kind, kind);
        let size = result.kind.size();
        let bytes = result.bytes.into_vec();
        let elements = bytes.chunks_exact(size);
        elements.map(bytemuck::pod_read_unaligned).collect()
    }

    /// The order of ECMA-262, written in another way.
    fn js_order(a: &f64, b: &f64) -> Ordering {
        match (a.is_nan(), b.is_nan()) {
            (false, false) => a.total_cmp(b),
            (a, b) => a.cmp(&b),
        }
    }

    fn bits(floats: &[f64]) -> Vec<u64> {
        let canonical = |f: &f64| if f.is_nan() { f64::NAN } else { *f };
        floats.iter().map(|f| canonical(f).to_bits()).collect()
    }

    #[test]
    fn floats_take_the_order_of_javascript() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let input = [nan, 1.5, 0.0, -inf, -nan, -0.0, inf, -1.5, 5e-324, nan];
        let expected = [-inf, -1.5, -0.0, 0.0, 5e-324, 1.5, inf, nan, nan, nan];
        let result = sorted(ArrayKind::Float64, &input, false);
        assert_eq!(bits(&result), bits(&expected));
        let mut reversed = sorted(ArrayKind::Float64, &input, true);
        reversed.reverse();
        assert_eq!(bits(&reversed), bits(&expected));

        let input = [f32::NAN, 2.0, -0.0, 0.0, f32::NEG_INFINITY, -2.0];
        let result = sorted(ArrayKind::Float32, &input, false);
        assert!(result[5].is_nan());
        let shown: Vec<String> = result[..5].iter().map(f32::to_string).collect();
        assert_eq!(shown, ["-inf", "-2", "-0", "0", "2"]);
    }

    #[test]
    fn integers_of_all_kinds() {
        use ArrayKind::*;
        assert_eq!(
            sorted(Int8, &[1i8, -128, 127, 0, -1], false),
            [-128, -1, 0, 1, 127]
        );
        assert_eq!(sorted(Uint8, &[200u8, 3, 255, 0], true), [255, 200, 3, 0]);
        assert_eq!(sorted(Uint8Clamped, &[200u8, 3], false), [3, 200]);
        assert_eq!(
            sorted(Int16, &[1i16, i16::MIN, -1], false),
            [i16::MIN, -1, 1]
        );
        assert_eq!(sorted(Uint16, &[u16::MAX, 0, 9], false), [0, 9, u16::MAX]);
        assert_eq!(
            sorted(Int32, &[1i32, i32::MIN, -1], true),
            [1, -1, i32::MIN]
        );
        assert_eq!(sorted(Uint32, &[u32::MAX, 0, 9], false), [0, 9, u32::MAX]);
        assert_eq!(
            sorted(BigInt64, &[1i64, i64::MIN, -1], false),
            [i64::MIN, -1, 1]
        );
        assert_eq!(
            sorted(BigUint64, &[u64::MAX, 0, 9], false),
            [0, 9, u64::MAX]
        );
        assert!(sorted::<f64>(Float64, &[], false).is_empty());
    }

    #[test]
    fn a_buffer_counts_as_a_uint8_array() {
        let context = Context::detached();
        let result = sort(Value::Bytes(vec![3, 1, 2].into()), Params::none(), &context);
        assert_eq!(result, Ok(array(ArrayKind::Uint8, &[1u8, 2, 3])));
    }

    #[test]
    fn elements_that_are_not_aligned_are_sorted_too() {
        let elements: Vec<u64> = (0..1000).rev().collect();
        let mut bytes = vec![0; 8008];
        for offset in 0..8 {
            let bytes = &mut bytes[offset..offset + 8000];
            bytes.copy_from_slice(bytemuck::cast_slice(&elements));
            let order = Order::new(ArrayKind::BigUint64, false);
            let context = Context::detached();
            let sort = |from: &_, to: &mut _| sample_sort::sort(from, to, order, &context, |_| ());
            let sorted = sort_bytes::<u64>(bytes, sort).unwrap();
            let first: u64 = bytemuck::pod_read_unaligned(&sorted[..8]);
            let last: u64 = bytemuck::pod_read_unaligned(&sorted[7992..]);
            assert_eq!((first, last), (0, 999), "{offset}");
        }
    }

    #[test]
    fn other_inputs_are_refused() {
        for bad in [
            Value::Undefined,
            Value::String("cba".into()),
            Value::from(serde_json::json!([3, 2, 1])),
            Value::Array(TypedArray {
                kind: ArrayKind::Int32,
                bytes: vec![1, 2, 3].into(),
            }),
        ] {
            let error = sort(bad, Params::none(), &Context::detached()).unwrap_err();
            assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
        }
    }

    #[test]
    fn stops_when_cancelled() {
        let elements: Vec<u64> = (0..4_000_000u64).map(|i| i.wrapping_mul(i)).collect();
        let cancel = AtomicU32::new(0);
        thread::scope(|scope| {
            let input = array(ArrayKind::BigUint64, &elements);
            let running = scope.spawn(|| {
                let context = Context::new(&cancel, None);
                // Repeated, so that the flag is always seen in the middle of a sort.
                let mut input = input;
                loop {
                    match sort(input, Params::none(), &context) {
                        Ok(again) => input = again,
                        Err(error) => return error,
                    }
                }
            });
            cancel.store(1, Relaxed);
            assert_eq!(running.join().unwrap(), Error::Cancelled);
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn floats_agree_with_a_comparison(words in prop::collection::vec(any::<u64>(), 0..2 * SMALL)) {
            let floats: Vec<f64> = words.iter().map(|word| f64::from_bits(*word)).collect();
            let mut expected = floats.clone();
            expected.sort_by(js_order);
            prop_assert_eq!(bits(&sorted(ArrayKind::Float64, &floats, false)), bits(&expected));
        }

        #[test]
        fn integers_agree_with_the_standard_library(
            seed in any::<u32>(), mask in any::<i32>(), len in SMALL - 10..3 * SMALL, descending: bool,
        ) {
            // A mask leaves few distinct keys.
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state as i32 & mask
            };
            let input: Vec<i32> = (0..len).map(|_| next()).collect();
            let mut expected = input.clone();
            expected.sort();
            if descending {
                expected.reverse();
            }
            prop_assert_eq!(sorted(ArrayKind::Int32, &input, descending), expected);
            let small: Vec<i16> = input.iter().map(|n| *n as i16).collect();
            let mut expected = small.clone();
            expected.sort();
            if descending {
                expected.reverse();
            }
            prop_assert_eq!(sorted(ArrayKind::Int16, &small, descending), expected);
        }
    }
}
