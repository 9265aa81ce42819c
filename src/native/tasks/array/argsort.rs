//! `array.argsort`.

use super::super::steps::Steps;
use super::elements::{PIECE, aligned, made_of, zeroed};
use super::order::{Bits, Order};
use super::sample_sort::{self, AsIs, Mapping, SortKey};
use rspool_task::{ArrayKind, Context, Error, Params, ROWS, TypedArray, Value, room_for};

/// The places of the elements, in the order in which `array.sort` would put them. The order is stable: equal elements
/// keep their order among each other, even if it is descending.
///
/// - Input: as of `array.sort`, of fewer than 2³² elements.
/// - Params: `descending`, a boolean, default false.
/// - Result: a `Uint32Array` of places.
/// - Counts: `rows`, the elements.
/// - Memory: 20 bytes per element of up to four bytes, 36 of eight.
/// - Shared: from 262,144 elements on.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
pub(super) fn argsort(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let descending = params.read(&["descending"])?.boolean("descending")?;
    let descending = descending.unwrap_or(false);
    let TypedArray { kind, bytes } = input.into_array("input")?;
    let bytes = bytes.contiguous(context)?;
    match kind.size() {
        1 => narrow::<u8>(kind, &bytes, descending, context),
        2 => narrow::<u16>(kind, &bytes, descending, context),
        4 => narrow::<u32>(kind, &bytes, descending, context),
        _ => {
            let order = Order::<u64>::new(kind, descending);
            places(&bytes, context, |bits: u64, place| {
                u128::from(order.key(bits)) << 32 | u128::from(place)
            })
        }
    }
}

fn narrow<K: Bits + Into<u64>>(
    kind: ArrayKind,
    bytes: &[u8],
    descending: bool,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let order = Order::<K>::new(kind, descending);
    let key = |bits: K, place| order.key(bits).into() << 32 | u64::from(place);
    places(bytes, context, key)
}

/// A key whose low bits are the place of the element.
trait Placed: SortKey {
    fn place(self) -> u32;
}

impl Placed for u64 {
    fn place(self) -> u32 {
        self as u32
    }
}

impl Placed for u128 {
    fn place(self) -> u32 {
        self as u32
    }
}

fn places<K: Bits, P: Placed>(
    bytes: &[u8],
    context: &Context<'_>,
    key: impl Fn(K, u32) -> P,
) -> Result<Value<'static>, Error> {
    let elements = aligned::<K>(bytes);
    if u32::try_from(elements.len()).is_err() {
        return Err(Error::invalid(format!(
            "input must have fewer than 2^32 elements, got {}",
            elements.len()
        )));
    }
    let mut keys = room_for(elements.len())?;
    for (index, chunk) in elements.chunks(PIECE).enumerate() {
        context.check()?;
        let first = (index * PIECE) as u32;
        keys.extend((first..).zip(chunk).map(|(place, bits)| key(*bits, place)));
    }
    let mut sorted = zeroed(keys.len())?;
    let steps = Steps::new(context, keys.len());
    sample_sort::sort(&keys, &mut sorted, AsIs, context, |keys| {
        context.count(ROWS, keys as i64);
        steps.pass(keys);
    })?;
    drop(keys);
    let place = |index: usize| sorted[index].place();
    Ok(made_of(ArrayKind::Uint32, sorted.len(), context, place)?.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{array, doubles, numbers, run};
    use super::*;

    fn order(input: TypedArray<'static>, descending: bool) -> Vec<f64> {
        let params = serde_json::json!({ "descending": descending });
        match run(argsort, input, params).unwrap() {
            Value::Array(places) => numbers(&places),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_elements_keep_their_order_both_ways() {
        let bytes = array(ArrayKind::Uint8, &[2u8, 1, 2, 1]);
        assert_eq!(order(bytes.clone(), false), [1.0, 3.0, 0.0, 2.0]);
        assert_eq!(order(bytes, true), [0.0, 2.0, 1.0, 3.0]);
        let floats = doubles(&[0.0, f64::NAN, -0.0, -1.0]);
        assert_eq!(order(floats, false), [3.0, 2.0, 0.0, 1.0]);
        assert!(order(doubles(&[]), false).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn it_is_a_stable_sort(values in prop::collection::vec(-50i32..50, 0..3000), wide: bool) {
            let mut expected: Vec<usize> = (0..values.len()).collect();
            expected.sort_by_key(|place| values[*place]);
            let expected: Vec<f64> = expected.into_iter().map(|place| place as f64).collect();
            let input = if wide {
                let wide: Vec<i64> = values.iter().map(|value| i64::from(*value)).collect();
                array(ArrayKind::BigInt64, &wide)
            } else {
                array(ArrayKind::Int32, &values)
            };
            prop_assert_eq!(order(input, false), expected);
        }
    }
}
