//! `array.groupBy`.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::steps::Steps;
use super::elements::{made_of, map_pieces, numbers_of, refuse_big_ints, zeroed};
use super::order::{elements_of, keys_of, same_value};
use super::sample_sort::{self, AsIs};
use super::stats::Sum;
use rspool_task::{ArrayKind, Context, Error, Params, Record, TypedArray, Value, room_for};

/// Rows of a chunk: some tenths of a millisecond, or three milliseconds if each has another key.
const PIECE: usize = 32 * 1024;

/// The figure that is computed from the values of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Count,
    Sum,
    Mean,
    Min,
    Max,
}

/// Computes one figure from the values of each key.
///
/// - Input: `{ keys, values }`, typed arrays of the same length. Keys are of any class, and equal as those of a `Map`
///   are: one NaN, one zero. Values are numbers; NaN among them is skipped. For counts there may be none.
/// - Params: `how`, one of `count` (the rows of the key), `sum`, `mean`, `min` and `max`, default `count`.
/// - Result: `{ keys, values }`: the keys in order, an array of their class, and a `Float64Array`. Of no value the sum is
///   0, and the mean and the extremes are NaN.
/// - Counts: `rows`.
/// - Memory: about 80 bytes per key.
/// - Shared: from 1,048,576 rows on. The result is the same, bit for bit, however many workers take part.
/// - Errors: `ERR_RSPOOL_INVALID_ARGUMENT`.
pub(super) fn group_by(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let how = params.read(&["how"])?.choice(
        "how",
        &[
            ("count", How::Count),
            ("sum", How::Sum),
            ("mean", How::Mean),
            ("min", How::Min),
            ("max", How::Max),
        ],
    )?;
    let how = how.unwrap_or(How::Count);
    let (keys, values) = columns(input, how)?;
    let steps = Steps::new(context, keys.len());
    let parts = map_pieces(&keys, PIECE, context, &steps, |start, bytes| {
        let mut row_keys = Vec::new();
        keys_of(keys.kind, bytes, &mut row_keys);
        let mut row_values = Vec::new();
        if let Some(values) = &values {
            let size = values.kind.size();
            let range = start * size..(start + row_keys.len()) * size;
            values.bytes.with(range, &mut Vec::new(), |bytes| {
                numbers_of(values.kind, bytes, &mut row_values);
            });
        }
        Ok(groups_of(keys.kind, &row_keys, &row_values))
    })?;
    let groups = merged(parts, context)?;
    let values = made_of(ArrayKind::Float64, groups.len(), context, |row| {
        groups[row].1.figure(how)
    })?;
    let record = Record::new()
        .with(
            "keys",
            elements_of(keys.kind, groups.len(), context, |row| groups[row].0)?,
        )
        .with("values", values);
    Ok(Value::Record(record))
}

/// The groups of all parts, by key. Those of one key are merged in the order of the parts.
fn merged(
    parts: Vec<Vec<(u64, Group)>>,
    context: &Context<'_>,
) -> Result<Vec<(u64, Group)>, Error> {
    let length = parts.iter().map(Vec::len).sum();
    let (mut groups, mut places) = (room_for(length)?, room_for(length)?);
    for part in parts {
        context.check()?;
        for (key, group) in part {
            places.push(u128::from(key) << 64 | groups.len() as u128);
            groups.push(group);
        }
    }
    let mut sorted = zeroed(length)?;
    sample_sort::sort(&places, &mut sorted, AsIs, context, |_| ())?;
    drop(places);
    let mut merged: Vec<(u64, Group)> = Vec::new();
    for piece in sorted.chunks(PIECE) {
        context.check()?;
        for place in piece {
            let (key, group) = ((place >> 64) as u64, groups[*place as u64 as usize]);
            match merged.last_mut() {
                Some((last, all)) if *last == key => all.merge(group),
                _ => merged.push((key, group)),
            }
        }
    }
    Ok(merged)
}

fn columns(input: Value, how: How) -> Result<(TypedArray, Option<TypedArray>), Error> {
    let Value::Record(mut record) = input else {
        return Err(Error::invalid(format!(
            "input must be an object with the typed arrays keys and values, got {}",
            input.describe()
        )));
    };
    let keys = record.take_array("keys")?;
    let values = match record.take("values") {
        None if how == How::Count => None,
        values => Some(
            values
                .unwrap_or(Value::Undefined)
                .into_array("input.values")?,
        ),
    };
    record.end(&["keys", "values"])?;
    if let Some(values) = &values {
        refuse_big_ints(values, "input.values")?;
        if values.len() != keys.len() {
            let (values, keys) = (values.len(), keys.len());
            return Err(Error::invalid(format!(
                "input.values must be as long as input.keys, got {values} and {keys}"
            )));
        }
    }
    Ok((keys, values))
}

/// The groups of some rows, in the order in which their keys first occur.
fn groups_of(kind: ArrayKind, keys: &[u64], values: &[f64]) -> Vec<(u64, Group)> {
    let same = same_value(kind);
    let mut places: HashMap<u64, usize, RandomState> = HashMap::default();
    let mut groups: Vec<(u64, Group)> = Vec::new();
    for (row, key) in keys.iter().enumerate() {
        let key = same(*key);
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((key, Group::default()));
            groups.len() - 1
        });
        let group = &mut groups[place].1;
        group.rows += 1.0;
        if let Some(value) = values.get(row)
            && !value.is_nan()
        {
            group.known += 1.0;
            group.sum.add(*value);
            group.min = group.min.min(*value);
            group.max = group.max.max(*value);
        }
    }
    groups
}

#[derive(Debug, Clone, Copy)]
struct Group {
    rows: f64,
    /// Values that are not NaN.
    known: f64,
    sum: Sum,
    min: f64,
    max: f64,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            rows: 0.0,
            known: 0.0,
            sum: Sum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Group {
    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.known += other.known;
        self.sum.merge(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn figure(&self, how: How) -> f64 {
        match how {
            How::Count => self.rows,
            How::Sum => self.sum.total(),
            _ if self.known == 0.0 => f64::NAN,
            How::Mean => self.sum.total() / self.known,
            How::Min => self.min,
            How::Max => self.max,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{array, code, doubles, numbers, record, run};
    use super::*;

    fn grouped(
        keys: TypedArray<'static>,
        values: TypedArray<'static>,
        how: &str,
    ) -> (Vec<f64>, Vec<f64>) {
        let input = Record::new().with("keys", keys).with("values", values);
        let mut record = record(run(group_by, Value::Record(input), json!({ "how": how })));
        let mut take = |name| numbers(&record.take_array(name).unwrap());
        (take("keys"), take("values"))
    }

    #[test]
    fn there_may_be_as_many_keys_as_rows() {
        let keys: Vec<u32> = (0..300_000u32)
            .map(|row| row.wrapping_mul(2_654_435_761) >> 4)
            .collect();
        let values: Vec<f64> = (0..keys.len()).map(|row| row as f64).collect();
        let mut expected: BTreeMap<u32, f64> = BTreeMap::new();
        for (key, value) in keys.iter().zip(&values) {
            *expected.entry(*key).or_default() += value;
        }
        let (found, sums) = grouped(array(ArrayKind::Uint32, &keys), doubles(&values), "sum");
        assert!(
            found
                .iter()
                .copied()
                .eq(expected.keys().copied().map(f64::from))
        );
        assert!(sums.into_iter().eq(expected.into_values()));
    }

    #[test]
    fn each_figure_is_that_of_the_values_of_its_key() {
        let keys = array(ArrayKind::Int8, &[2i8, -1, 2, -1, 5]);
        let values = doubles(&[1.0, 4.0, 3.0, f64::NAN, f64::NAN]);
        let of = |how| grouped(keys.clone(), values.clone(), how).1;
        assert_eq!(
            grouped(keys.clone(), values.clone(), "count").0,
            [-1.0, 2.0, 5.0]
        );
        assert_eq!(of("count"), [2.0, 2.0, 1.0]);
        assert_eq!(of("sum"), [4.0, 4.0, 0.0]);
        assert_eq!(of("mean")[..2], [4.0, 2.0]);
        assert_eq!(of("min")[..2], [4.0, 1.0]);
        assert_eq!(of("max")[..2], [4.0, 3.0]);
        assert!(of("mean")[2].is_nan() && of("max")[2].is_nan());
    }

    #[test]
    fn keys_are_equal_as_those_of_a_map_are() {
        let signed = f64::from_bits(f64::NAN.to_bits() | 1 << 63 | 5);
        let keys = doubles(&[0.0, f64::NAN, -0.0, signed]);
        let (keys, counts) = grouped(keys, doubles(&[1.0; 4]), "sum");
        assert_eq!(keys[0].to_bits(), 0.0f64.to_bits());
        assert!(keys[1].is_nan());
        assert_eq!(counts, [2.0, 2.0]);
    }

    #[test]
    fn counts_need_no_values_and_the_other_figures_do() {
        let keys = || Record::new().with("keys", array(ArrayKind::Uint8, &[1u8, 1]));
        let counted = run(group_by, Value::Record(keys()), json!({}));
        assert_eq!(
            numbers(&record(counted).take_array("values").unwrap()),
            [2.0]
        );
        let refused = run(group_by, Value::Record(keys()), json!({ "how": "sum" }));
        assert_eq!(code(refused), "ERR_RSPOOL_INVALID_ARGUMENT");
        let longer = keys().with("values", doubles(&[1.0]));
        let refused = run(group_by, Value::Record(longer), json!({}));
        assert_eq!(code(refused), "ERR_RSPOOL_INVALID_ARGUMENT");
        let refused = run(group_by, Value::Null, json!({}));
        assert_eq!(code(refused), "ERR_RSPOOL_INVALID_ARGUMENT");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn sums_are_those_of_a_tree(rows in prop::collection::vec((any::<i8>(), -100i32..100), 0..500)) {
            let keys: Vec<i8> = rows.iter().map(|row| row.0).collect();
            let values: Vec<i32> = rows.iter().map(|row| row.1).collect();
            let mut expected = BTreeMap::new();
            for (key, value) in &rows {
                *expected.entry(*key).or_insert(0.0) += f64::from(*value);
            }
            let found = grouped(array(ArrayKind::Int8, &keys), array(ArrayKind::Int32, &values), "sum");
            prop_assert_eq!(found.0, expected.keys().map(|key| f64::from(*key)).collect::<Vec<_>>());
            prop_assert_eq!(found.1, expected.into_values().collect::<Vec<_>>());
        }
    }
}
