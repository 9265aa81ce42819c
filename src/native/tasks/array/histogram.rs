//! `array.histogram`.

use parking_lot::Mutex;

use super::super::steps::Steps;
use super::elements::{array_of, map_numbers};
use rspool_task::{ArrayKind, Context, Error, Fields, Params, Record, TypedArray, Value};

const MAX_BINS: u64 = 1_000_000;

/// Counts how many numbers of a typed array lie in each of some bins. A bin begins at its lower edge and ends before
/// its upper one; only the last bin includes its upper edge. Numbers outside, and NaN, are in no bin.
///
/// - Input: a typed array of numbers; a Buffer counts as a Uint8Array.
/// - Params: `bins`, an integer from 1 to 1,000,000, default 10, of equal width from `min` to `max`, numbers, by default
///   the least and the greatest of the input; or `edges`, two numbers or more, each greater than the one before.
/// - Result: `{ counts, edges }`, two `Float64Array`s; there is an edge more than counts.
/// - Counts: `rows`, the elements.
/// - Shared: from 1,048,576 elements on.
/// - Errors: `ERR_RSPOOL_INVALID_ARGUMENT`, also if the input has an infinity and `min` or `max` is not given.
/// - Source: as `numpy.histogram`.
pub(super) fn histogram(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let fields = params.read(&["bins", "edges", "min", "max"])?;
    let array = input.into_array("input")?;
    // Without both ends, the numbers are gone through to find them.
    let passes = match fields.number("min")?.and(fields.number("max")?) {
        None if fields.numbers("edges", f64::MIN..=f64::MAX)?.is_none() => 2,
        _ => 1,
    };
    let steps = Steps::new(context, array.len() * passes);
    let bins = match fields.numbers("edges", f64::MIN..=f64::MAX)? {
        Some(edges) => Bins::between(edges)?,
        None => equal_bins(&fields, &array, context, &steps)?,
    };
    let spare: Mutex<Vec<Vec<u64>>> = Mutex::default();
    map_numbers(&array, "input", context, &steps, |_, numbers| {
        let counts = spare.lock().pop();
        let mut counts = counts.unwrap_or_else(|| vec![0; bins.len()]);
        for number in numbers {
            if let Some(bin) = bins.find(*number) {
                counts[bin] += 1;
            }
        }
        spare.lock().push(counts);
    })?;
    let mut totals = vec![0u64; bins.len()];
    for counts in spare.into_inner() {
        for (total, count) in totals.iter_mut().zip(counts) {
            *total += count;
        }
    }
    let totals: Vec<f64> = totals.into_iter().map(|count| count as f64).collect();
    let record = Record::new()
        .with("counts", array_of(ArrayKind::Float64, &totals))
        .with("edges", array_of(ArrayKind::Float64, &bins.edges));
    Ok(Value::Record(record))
}

fn equal_bins(
    fields: &Fields<'_>,
    array: &TypedArray,
    context: &Context<'_>,
    steps: &Steps<'_, '_>,
) -> Result<Bins, Error> {
    let count = fields.integer("bins", 1..=MAX_BINS)?.unwrap_or(10);
    let (min, max) = (fields.number("min")?, fields.number("max")?);
    let (least, greatest) = match (min, max) {
        (Some(min), Some(max)) => (min, max),
        _ => {
            let (least, greatest) = extremes(array, context, steps)?;
            (min.unwrap_or(least), max.unwrap_or(greatest))
        }
    };
    if !least.is_finite() || !greatest.is_finite() {
        return Err(Error::invalid(
            "the input has an infinity: give params.min and params.max",
        ));
    }
    if least > greatest {
        return Err(Error::invalid(format!(
            "params.min must be at most params.max, got {least} and {greatest}"
        )));
    }
    Ok(Bins::equal(count as usize, least, greatest))
}

/// The least and the greatest number; 0 and 1 if there is none.
fn extremes(
    array: &TypedArray,
    context: &Context<'_>,
    steps: &Steps<'_, '_>,
) -> Result<(f64, f64), Error> {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    let wider = |(least, greatest): (f64, f64), (min, max)| (least.min(min), greatest.max(max));
    let uncounted = context.uncounted();
    let parts = map_numbers(array, "input", &uncounted, steps, |_, numbers| {
        let pairs = numbers.iter().map(|number| (*number, *number));
        pairs.fold(none, wider)
    })?;
    let found = parts.into_iter().fold(none, wider);
    Ok(if found == none { (0.0, 1.0) } else { found })
}

struct Bins {
    edges: Vec<f64>,
    /// Bins per unit, if all are equal.
    scale: Option<f64>,
}

impl Bins {
    fn between(edges: Vec<f64>) -> Result<Self, Error> {
        if edges.len() < 2 || edges.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::invalid(
                "params.edges must be two numbers or more, each greater than the one before",
            ));
        }
        Ok(Self { edges, scale: None })
    }

    fn equal(count: usize, min: f64, max: f64) -> Self {
        let (min, max) = if min == max {
            (min - 0.5, max + 0.5)
        } else {
            (min, max)
        };
        // Computed in halves, because the difference may be too large for a double.
        let step = (max / 2.0 - min / 2.0) / count as f64 * 2.0;
        let mut edges: Vec<f64> = (0..count).map(|i| min + i as f64 * step).collect();
        edges.push(max);
        let scale = 1.0 / step;
        let scale = scale.is_finite().then_some(scale);
        Self { edges, scale }
    }

    fn len(&self) -> usize {
        self.edges.len() - 1
    }

    fn find(&self, number: f64) -> Option<usize> {
        let last = self.len();
        if !(number >= self.edges[0] && number <= self.edges[last]) {
            return None;
        }
        let Some(scale) = self.scale else {
            let above = self.edges.partition_point(|edge| *edge <= number);
            return Some(above.min(last) - 1);
        };
        // Rounding may put it one bin off.
        let mut bin = (((number - self.edges[0]) * scale) as usize).min(last - 1);
        while number < self.edges[bin] {
            bin -= 1;
        }
        while bin + 1 < last && number >= self.edges[bin + 1] {
            bin += 1;
        }
        Some(bin)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{code, doubles, noise, numbers, record, run};
    use super::*;

    fn counts(input: &[f64], params: serde_json::Value) -> (Vec<f64>, Vec<f64>) {
        let mut record = record(run(histogram, doubles(input), params));
        let mut take = |name| numbers(&record.take_array(name).unwrap());
        (take("counts"), take("edges"))
    }

    #[test]
    fn a_bin_has_its_lower_edge_and_the_last_its_upper_one_too() {
        let input = [1.0, 2.0, 3.0, 4.0, f64::NAN];
        let (found, edges) = counts(&input, json!({ "bins": 3 }));
        assert_eq!(found, [1.0, 1.0, 2.0]);
        assert_eq!(edges, [1.0, 2.0, 3.0, 4.0]);
        let (found, _) = counts(&input, json!({ "edges": [0, 1, 3, 3.5] }));
        assert_eq!(found, [0.0, 2.0, 1.0]);
        let (found, _) = counts(&input, json!({ "bins": 2, "min": 2, "max": 3 }));
        assert_eq!(found, [1.0, 1.0]);
    }

    #[test]
    fn one_value_and_none_have_bins_as_well() {
        assert_eq!(
            counts(&[7.0], json!({ "bins": 2 })),
            (vec![0.0, 1.0], vec![6.5, 7.0, 7.5])
        );
        assert_eq!(
            counts(&[], json!({ "bins": 1 })),
            (vec![0.0], vec![0.0, 1.0])
        );
    }

    #[test]
    fn every_number_is_in_the_bin_that_its_edges_say() {
        let input = noise(5000);
        let (found, edges) = counts(&input, json!({ "bins": 137 }));
        for (bin, count) in found.iter().enumerate() {
            let last = bin + 1 == found.len();
            let inside = input
                .iter()
                .filter(|number| **number >= edges[bin] && (**number < edges[bin + 1] || last));
            assert_eq!(inside.count() as f64, *count, "{bin}");
        }
    }

    #[test]
    fn the_widest_range_has_bins() {
        let (found, edges) = counts(&[f64::MIN, 0.0, f64::MAX], json!({ "bins": 2 }));
        assert_eq!(found, [1.0, 2.0]);
        assert_eq!(edges[1], 0.0);
    }

    #[test]
    fn what_makes_no_bins_is_refused() {
        for params in [
            json!({ "bins": 0 }),
            json!({ "edges": [1] }),
            json!({ "edges": [1, 1] }),
            json!({ "edges": "1" }),
            json!({ "min": 2, "max": 1 }),
            json!({}),
        ] {
            let found = run(histogram, doubles(&[f64::INFINITY]), params.clone());
            assert_eq!(code(found), "ERR_RSPOOL_INVALID_ARGUMENT", "{params}");
        }
    }
}
