//! `array.stats`.

use super::super::steps::Steps;
use super::elements::{PIECE, map_numbers, numbers_of, refuse_big_ints, zeroed};
use super::order::Order;
use super::sample_sort;
use rspool_task::{ArrayKind, Context, Error, Params, Record, TypedArray, Value, room_for};

/// Statistics of the numbers of a typed array. NaN is counted separately, and is part of nothing else.
///
/// - Input: a typed array of numbers; a Buffer counts as a Uint8Array.
/// - Params: `quantiles`, a list of numbers from 0 to 1, default none.
/// - Result: `{ count, nan, min, max, sum, mean, variance, quantiles }`. The variance is that of the whole population;
///   a quantile between two elements is interpolated. Of no numbers `sum` is 0, and all but the counts are NaN.
/// - Counts: `rows`, the elements.
/// - Memory: with quantiles 17 bytes per element.
/// - Shared: from 1,048,576 elements on. The result is the same, bit for bit, however many workers take part.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: sums by A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54,
///   1974; variances are merged as in Chan, Golub and LeVeque, "Updating formulae", 1979; quantiles are of type 7 in
///   Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
pub(super) fn stats(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let quantiles = params
        .read(&["quantiles"])?
        .numbers("quantiles", 0.0..=1.0)?;
    let array = input.into_array("input")?;
    let passes = if quantiles.is_some() { 2 } else { 1 };
    let steps = Steps::new(context, array.len() * passes);
    let parts = map_numbers(&array, "input", context, &steps, |_, numbers| {
        Summary::of(numbers)
    })?;
    let all = parts.into_iter().fold(Summary::default(), Summary::merge);
    let mut result = Record::new()
        .with("count", all.count)
        .with("nan", all.nan)
        .with("min", all.or_nan(all.min))
        .with("max", all.or_nan(all.max))
        .with("sum", all.sum.total())
        .with("mean", all.or_nan(all.sum.total() / all.count))
        .with("variance", all.or_nan(all.squares / all.count));
    if let Some(quantiles) = quantiles {
        let sorted = sorted_numbers(&array, context, &steps)?;
        let quantiles = quantiles.into_iter().map(|q| quantile(&sorted, q).into());
        result = result.with("quantiles", Value::List(quantiles.collect()));
    }
    Ok(Value::Record(result))
}

/// A sum, and what was lost by rounding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    #[inline]
    pub(super) fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        self.lost += if self.sum.abs() >= number.abs() {
            (self.sum - sum) + number
        } else {
            (number - sum) + self.sum
        };
        self.sum = sum;
    }

    pub(super) fn merge(&mut self, other: Sum) {
        self.add(other.sum);
        self.lost += other.lost;
    }

    pub(super) fn total(self) -> f64 {
        // With an infinity, the lost part is not a number.
        if self.sum.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        }
    }
}

/// The statistics of some of the numbers.
#[derive(Debug, Clone, Copy)]
struct Summary {
    count: f64,
    nan: f64,
    min: f64,
    max: f64,
    sum: Sum,
    /// The sum of the squared differences from the mean.
    squares: f64,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            count: 0.0,
            nan: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: Sum::default(),
            squares: 0.0,
        }
    }
}

impl Summary {
    fn of(numbers: &[f64]) -> Self {
        let mut all = Self::default();
        for number in numbers {
            if number.is_nan() {
                all.nan += 1.0;
                continue;
            }
            all.count += 1.0;
            all.min = all.min.min(*number);
            all.max = all.max.max(*number);
            all.sum.add(*number);
        }
        let mean = all.sum.total() / all.count;
        let known = numbers.iter().filter(|number| !number.is_nan());
        all.squares = known.map(|number| (number - mean) * (number - mean)).sum();
        all
    }

    fn merge(self, other: Self) -> Self {
        if self.count == 0.0 || other.count == 0.0 {
            let (nan, known) = (
                self.nan + other.nan,
                if self.count == 0.0 { other } else { self },
            );
            return Self { nan, ..known };
        }
        let count = self.count + other.count;
        let apart = other.sum.total() / other.count - self.sum.total() / self.count;
        let mut sum = self.sum;
        sum.merge(other.sum);
        Self {
            count,
            nan: self.nan + other.nan,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            sum,
            squares: self.squares
                + other.squares
                + apart * apart * (self.count / count * other.count),
        }
    }

    /// A figure, or NaN if there are no numbers.
    fn or_nan(&self, figure: f64) -> f64 {
        if self.count == 0.0 { f64::NAN } else { figure }
    }
}

/// The numbers that are not NaN, in order.
fn sorted_numbers(
    array: &TypedArray,
    context: &Context<'_>,
    steps: &Steps<'_, '_>,
) -> Result<Vec<f64>, Error> {
    refuse_big_ints(array, "input")?;
    let mut numbers = room_for(array.len())?;
    let (mut buffer, mut piece) = (Vec::new(), Vec::new());
    for start in (0..array.len()).step_by(PIECE) {
        context.check()?;
        let size = array.kind.size();
        let bytes = start * size..array.len().min(start + PIECE) * size;
        piece.clear();
        array.bytes.with(bytes, &mut buffer, |bytes| {
            numbers_of(array.kind, bytes, &mut piece);
        });
        numbers.extend(piece.iter().filter(|number| !number.is_nan()));
    }
    let bits: &[u64] = bytemuck::cast_slice::<f64, u64>(&numbers);
    let mut sorted = zeroed::<u64>(bits.len())?;
    sample_sort::sort(
        bits,
        &mut sorted,
        Order::new(ArrayKind::Float64, false),
        context,
        |numbers| steps.pass(numbers),
    )?;
    drop(numbers);
    Ok(bytemuck::allocation::cast_vec(sorted))
}

/// The number below which a fraction `q` of the others lies.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = q * last as f64;
    let below = (place.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[last.min(below + 1)]);
    let part = place - below as f64;
    if low == high || part == 0.0 {
        return low;
    }
    low + (high - low) * part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{array, code, doubles, noise, record, run};
    use super::*;

    fn figures(input: &[f64], quantiles: &[f64]) -> Vec<f64> {
        let params = serde_json::json!({ "quantiles": quantiles });
        let mut record = record(run(stats, doubles(input), params));
        let mut figures = Vec::new();
        for name in ["count", "nan", "min", "max", "sum", "mean", "variance"] {
            match record.take(name) {
                Some(Value::Number(number)) => figures.push(number),
                other => panic!("{name}: {other:?}"),
            }
        }
        if let Some(Value::List(list)) = record.take("quantiles") {
            figures.extend(list.into_iter().map(|value| match value {
                Value::Number(number) => number,
                other => panic!("{other:?}"),
            }));
        }
        figures
    }

    #[test]
    fn known_figures_come_out() {
        let input = [1.0, f64::NAN, 10.0, -4.0, 0.5, 0.5];
        let found = figures(&input, &[0.0, 0.75, 0.875, 1.0]);
        let expected = [5.0, 1.0, -4.0, 10.0, 8.0, 1.6, 20.94, -4.0, 1.0, 5.5, 10.0];
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        }
    }

    #[test]
    fn a_sum_loses_nothing_by_rounding() {
        let found = figures(&[1.0, 1e100, 1.0, -1e100], &[]);
        assert_eq!(found[4], 2.0);
    }

    #[test]
    fn of_no_numbers_there_is_nothing_to_say() {
        let found = figures(&[f64::NAN], &[0.5]);
        assert_eq!(&found[..2], [0.0, 1.0]);
        assert_eq!(found[4], 0.0);
        for place in [2, 3, 5, 6, 7] {
            assert!(found[place].is_nan(), "{place}");
        }
    }

    #[test]
    fn infinities_are_numbers() {
        let found = figures(&[f64::INFINITY, 1.0], &[0.0]);
        assert_eq!(found[3], f64::INFINITY);
        assert_eq!(found[4], f64::INFINITY);
        assert_eq!(found[7], 1.0);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let big = array(ArrayKind::BigInt64, &[1i64]);
        assert_eq!(
            code(run(stats, big, serde_json::json!({}))),
            "ERR_RSPOOL_INVALID_ARGUMENT"
        );
        let bad = run(
            stats,
            doubles(&[]),
            serde_json::json!({ "quantiles": [1.5] }),
        );
        assert_eq!(code(bad), "ERR_RSPOOL_INVALID_ARGUMENT");
    }

    #[test]
    fn many_pieces_give_what_one_would() {
        let input = noise(3 * PIECE + 17);
        let found = figures(&input, &[0.5]);
        let mean = input.iter().sum::<f64>() / input.len() as f64;
        let variance = input.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / input.len() as f64;
        let mut sorted = input.clone();
        sorted.sort_by(f64::total_cmp);
        assert!((found[5] - mean).abs() < 1e-12);
        assert!((found[6] - variance).abs() < 1e-12);
        assert_eq!(found[7], sorted[input.len() / 2]);
    }

    proptest! {
        #[test]
        fn the_extremes_are_elements(values in prop::collection::vec(-1e9f64..1e9, 1..200)) {
            let found = figures(&values, &[0.0, 1.0]);
            prop_assert_eq!(found[2], values.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(found[3], values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            prop_assert_eq!((found[7], found[8]), (found[2], found[3]));
        }
    }
}
