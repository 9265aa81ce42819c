//! `array.*`: work on typed arrays.

use bytemuck::Pod;

use crate::native::{
    context::{ROWS, TaskContext},
    error::TaskError,
    params::Params,
    registry::NativeTask,
    value::{ArrayKind, TypedArray, Value},
};

/// The tasks of this family.
pub(super) const TASKS: &[NativeTask] = &[NativeTask {
    name: "array.sort",
    run: sort,
}];

/// Sorts the elements of a typed array by value, in the order of `TypedArray.prototype.sort`
/// without a comparator: -0 before +0, every NaN after Infinity.
///
/// - Input: a typed array, `Float16Array` excepted; a Buffer counts as a Uint8Array.
/// - Params: `descending`, a boolean, default false; true gives exactly the reverse, so that NaN
///   comes first and +0 before -0.
/// - Result: a typed array of the same kind and length. The input is not changed.
/// - Counts: `rows`, the elements.
/// - Memory: as much again as the input, above 32,768 elements.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: ECMA-262 §23.2.3.29 (order); above 32,768 elements a radix sort from the least
///   significant byte (Knuth, TAOCP 3, §5.2.5), below it the standard library's.
fn sort(input: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    let descending = params.read(&["descending"])?.boolean("descending")?;
    let mut array = match input {
        Value::Array(array) if array.bytes.len() % array.kind.size() == 0 => array,
        Value::Bytes(bytes) => TypedArray {
            kind: ArrayKind::Uint8,
            bytes,
        },
        other => {
            let got = other.describe();
            return Err(TaskError::invalid(format!(
                "input must be a typed array (not a Float16Array), got {got}"
            )));
        }
    };
    let order = Order {
        kind: array.kind,
        descending: descending.unwrap_or(false),
    };
    match array.kind.size() {
        1 => sort_bytes::<u8>(&mut array.bytes, order, context)?,
        2 => sort_bytes::<u16>(&mut array.bytes, order, context)?,
        4 => sort_bytes::<u32>(&mut array.bytes, order, context)?,
        _ => sort_bytes::<u64>(&mut array.bytes, order, context)?,
    }
    Ok(Value::Array(array))
}

/// Elements between two checks, and the most that are sorted in one go: about a millisecond.
const STEP: usize = 32 * 1024;

/// What order the elements take.
#[derive(Debug, Clone, Copy)]
struct Order {
    kind: ArrayKind,
    descending: bool,
}

/// The bits of an element as an unsigned integer.
trait Key: Pod + Ord {
    const BITS: u32;
    const SIGN: Self;
    fn not(self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn is_negative(self) -> bool;
    /// Whether these bits, as a float, are a NaN of either sign.
    fn is_nan(self) -> bool;
    /// The byte above the lowest `shift` bits.
    fn byte(self, shift: u32) -> usize;
}

macro_rules! key {
    ($type:ty, $is_nan:expr) => {
        impl Key for $type {
            const BITS: u32 = <$type>::BITS;
            const SIGN: Self = 1 << (<$type>::BITS - 1);
            fn not(self) -> Self {
                !self
            }
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            fn is_negative(self) -> bool {
                self & Self::SIGN != 0
            }
            fn is_nan(self) -> bool {
                $is_nan(self)
            }
            fn byte(self, shift: u32) -> usize {
                (self >> shift) as u8 as usize
            }
        }
    };
}

key!(u8, |_| false);
key!(u16, |_| false);
key!(u32, |bits| f32::from_bits(bits).is_nan());
key!(u64, |bits| f64::from_bits(bits).is_nan());

impl Order {
    /// Bits of an element to a key that sorts as the element does. NaN loses its sign, which
    /// JavaScript cannot see, so that all come last.
    fn key<K: Key>(self, bits: K) -> K {
        let key = match self.kind {
            ArrayKind::Int8 | ArrayKind::Int16 | ArrayKind::Int32 | ArrayKind::BigInt64 => {
                bits.xor(K::SIGN)
            }
            ArrayKind::Float32 | ArrayKind::Float64 => {
                if bits.is_negative() && !bits.is_nan() {
                    bits.not()
                } else if bits.is_negative() {
                    bits
                } else {
                    bits.xor(K::SIGN)
                }
            }
            _ => bits,
        };
        if self.descending { key.not() } else { key }
    }

    /// The reverse of `key`.
    fn element<K: Key>(self, key: K) -> K {
        let key = if self.descending { key.not() } else { key };
        match self.kind {
            ArrayKind::Int8 | ArrayKind::Int16 | ArrayKind::Int32 | ArrayKind::BigInt64 => {
                key.xor(K::SIGN)
            }
            ArrayKind::Float32 | ArrayKind::Float64 => {
                if key.is_negative() {
                    key.xor(K::SIGN)
                } else {
                    key.not()
                }
            }
            _ => key,
        }
    }
}

/// Sorts elements given as bytes, in place if they are aligned, as those of a typed array are.
fn sort_bytes<K: Key>(
    bytes: &mut [u8],
    order: Order,
    context: &TaskContext<'_>,
) -> Result<(), TaskError> {
    if let Ok(elements) = bytemuck::try_cast_slice_mut(bytes) {
        return sort_elements::<K>(elements, order, context);
    }
    let mut elements: Vec<K> = bytes
        .chunks_exact(size_of::<K>())
        .map(bytemuck::pod_read_unaligned)
        .collect();
    sort_elements(&mut elements, order, context)?;
    bytes.copy_from_slice(bytemuck::cast_slice(&elements));
    Ok(())
}

fn sort_elements<K: Key>(
    elements: &mut [K],
    order: Order,
    context: &TaskContext<'_>,
) -> Result<(), TaskError> {
    for step in elements.chunks_mut(STEP) {
        context.check()?;
        step.iter_mut().for_each(|bits| *bits = order.key(*bits));
    }
    if elements.len() <= STEP {
        elements.sort_unstable();
    } else {
        radix_sort(elements, context)?;
    }
    for step in elements.chunks_mut(STEP) {
        context.check()?;
        step.iter_mut().for_each(|key| *key = order.element(*key));
        context.count(ROWS, step.len() as i64);
    }
    Ok(())
}

/// Sorts by one byte after another, from the least significant on, with a second array to sort
/// into. A byte that is the same in all keys takes no pass.
fn radix_sort<K: Key>(keys: &mut [K], context: &TaskContext<'_>) -> Result<(), TaskError> {
    let counts = count_bytes(keys, context)?;
    let mut scratch = zeroed::<K>(keys.len(), context)?;
    let (mut from, mut to) = (&mut *keys, &mut scratch[..]);
    let mut swapped = false;
    for (pass, counts) in counts.iter().enumerate() {
        if counts.contains(&from.len()) {
            continue;
        }
        let mut next = offsets(counts);
        for step in from.chunks(STEP) {
            context.check()?;
            for key in step {
                let place = &mut next[key.byte(8 * pass as u32)];
                to[*place] = *key;
                *place += 1;
            }
        }
        (from, to) = (to, from);
        swapped = !swapped;
    }
    if swapped {
        for (to, from) in to.chunks_mut(STEP).zip(from.chunks(STEP)) {
            context.check()?;
            to.copy_from_slice(from);
        }
    }
    Ok(())
}

/// How often each value of each byte occurs.
fn count_bytes<K: Key>(
    keys: &[K],
    context: &TaskContext<'_>,
) -> Result<Vec<[usize; 256]>, TaskError> {
    let mut counts = vec![[0; 256]; size_of::<K>()];
    for step in keys.chunks(STEP) {
        context.check()?;
        for key in step {
            for (byte, shift) in (0..K::BITS).step_by(8).enumerate() {
                counts[byte][key.byte(shift)] += 1;
            }
        }
    }
    Ok(counts)
}

/// Where the keys of each byte value begin.
fn offsets(counts: &[usize; 256]) -> [usize; 256] {
    let mut sum = 0;
    counts.map(|count| {
        let offset = sum;
        sum += count;
        offset
    })
}

fn zeroed<K: Key>(len: usize, context: &TaskContext<'_>) -> Result<Vec<K>, TaskError> {
    let mut keys = Vec::new();
    keys.try_reserve_exact(len)
        .map_err(|_| TaskError::out_of_memory(size_of::<K>().saturating_mul(len)))?;
    while keys.len() < len {
        context.check()?;
        keys.resize(len.min(keys.len() + STEP), K::zeroed());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::{
        cmp::Ordering,
        sync::atomic::{AtomicU32, Ordering::Relaxed},
        thread,
    };

    use proptest::prelude::*;

    use super::*;

    fn array<T: Pod>(kind: ArrayKind, elements: &[T]) -> Value {
        let bytes = bytemuck::cast_slice(elements).to_vec();
        Value::Array(TypedArray { kind, bytes })
    }

    fn sorted<T: Pod>(kind: ArrayKind, elements: &[T], descending: bool) -> Vec<T> {
        let params = Params::try_from(serde_json::json!({ "descending": descending })).unwrap();
        let result = sort(array(kind, elements), &params, &TaskContext::detached());
        let Value::Array(result) = result.unwrap() else {
            panic!("not an array");
        };
        assert_eq!(result.kind, kind);
        let size = result.kind.size();
        let elements = result.bytes.chunks_exact(size);
        elements.map(bytemuck::pod_read_unaligned).collect()
    }

    /// The order of ECMA-262, written down another way.
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
        let context = TaskContext::detached();
        let result = sort(Value::Bytes(vec![3, 1, 2]), &Params::none(), &context);
        assert_eq!(result, Ok(array(ArrayKind::Uint8, &[1u8, 2, 3])));
    }

    #[test]
    fn elements_that_are_not_aligned_are_sorted_too() {
        let elements: Vec<u64> = (0..1000).rev().collect();
        let mut bytes = vec![0; 8008];
        for offset in 0..8 {
            let bytes = &mut bytes[offset..offset + 8000];
            bytes.copy_from_slice(bytemuck::cast_slice(&elements));
            let order = Order {
                kind: ArrayKind::BigUint64,
                descending: false,
            };
            sort_bytes::<u64>(bytes, order, &TaskContext::detached()).unwrap();
            let first: u64 = bytemuck::pod_read_unaligned(&bytes[..8]);
            let last: u64 = bytemuck::pod_read_unaligned(&bytes[7992..]);
            assert_eq!((first, last), (0, 999), "{offset}");
        }
    }

    #[test]
    fn other_inputs_are_refused() {
        for bad in [
            Value::Undefined,
            Value::String("cba".into()),
            Value::Json(serde_json::json!([3, 2, 1])),
            Value::Array(TypedArray {
                kind: ArrayKind::Int32,
                bytes: vec![1, 2, 3],
            }),
        ] {
            let error = sort(bad, &Params::none(), &TaskContext::detached()).unwrap_err();
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
                let context = TaskContext::new(&cancel, None);
                // Over and over, so that the flag is always seen in the middle of a sort.
                let mut input = input;
                loop {
                    match sort(input, &Params::none(), &context) {
                        Ok(again) => input = again,
                        Err(error) => return error,
                    }
                }
            });
            cancel.store(1, Relaxed);
            assert_eq!(running.join().unwrap(), TaskError::Cancelled);
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn floats_agree_with_a_comparison(words in prop::collection::vec(any::<u64>(), 0..2 * STEP)) {
            let floats: Vec<f64> = words.iter().map(|word| f64::from_bits(*word)).collect();
            let mut expected = floats.clone();
            expected.sort_by(js_order);
            prop_assert_eq!(bits(&sorted(ArrayKind::Float64, &floats, false)), bits(&expected));
        }

        #[test]
        fn integers_agree_with_the_standard_library(
            seed in any::<u32>(), mask in any::<i32>(), len in STEP - 10..3 * STEP, descending: bool,
        ) {
            // A mask leaves some bytes the same in all keys, which then take no pass.
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
