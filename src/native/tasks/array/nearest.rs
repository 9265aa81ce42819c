//! `array.nearest`.

use bytemuck::{AnyBitPattern, NoUninit};

use super::super::steps::Steps;
use super::elements::{PIECE, aligned, made_of};
use super::order::Order;
use super::sample_sort::Mapping;
use super::top_k::{Best, K, k_of, refuse_too_many};
use rspool_task::{ArrayKind, Context, Error, Params, ROWS, Record, TypedArray, Value};

/// How near two vectors are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    Dot,
    Cosine,
    L2,
}

/// Numbers that are added up side by side, so that no addition waits for the one before.
const LANES: usize = 16;

/// Finds the `k` rows of a matrix that are nearest to a vector, nearest first, by comparing all rows.
///
/// - Input: `{ matrix, query }`: two `Float32Array`s or two `Float64Array`s. A row of the matrix is as long as the query.
/// - Params: `k`, an integer from 1 to 2³² − 1; `metric`, one of `dot` (the dot product, greatest first), `cosine` (the
///   cosine of the angle, greatest first) and `l2` (the Euclidean distance, least first), default `cosine`.
/// - Result: `{ indices, values }`: a `Uint32Array` of rows, and a `Float64Array` of their products, cosines or distances.
///   A row whose figure is NaN is not among them; with a vector of zeros the cosine is 0.
/// - Counts: `rows`, of the matrix.
/// - Shared: from 1,048,576 elements on.
/// - Errors: `ERR_RSPOOL_INVALID_ARGUMENT`.
pub(super) fn nearest(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let fields = params.read(&["k", "metric"])?;
    let k = k_of(fields.integer("k", K)?)?;
    let metrics = [
        ("dot", Metric::Dot),
        ("cosine", Metric::Cosine),
        ("l2", Metric::L2),
    ];
    let metric = fields.choice("metric", &metrics)?.unwrap_or(Metric::Cosine);
    let (matrix, query) = matrix_and_query(input)?;
    let best = match matrix.kind {
        ArrayKind::Float32 => search::<f32>(&matrix, &query, k, metric, context)?,
        _ => search::<f64>(&matrix, &query, k, metric, context)?,
    };
    let indices = made_of(ArrayKind::Uint32, best.len(), context, |at| best[at].0)?;
    let values = made_of(ArrayKind::Float64, best.len(), context, |at| best[at].1)?;
    let record = Record::new()
        .with("indices", indices)
        .with("values", values);
    Ok(Value::Record(record))
}

fn matrix_and_query(input: Value) -> Result<(TypedArray, TypedArray), Error> {
    let Value::Record(mut record) = input else {
        return Err(Error::invalid(format!(
            "input must be an object with the typed arrays matrix and query, got {}",
            input.describe()
        )));
    };
    let (matrix, query) = (record.take_array("matrix")?, record.take_array("query")?);
    record.end(&["matrix", "query"])?;
    let floats = [ArrayKind::Float32, ArrayKind::Float64];
    if matrix.kind != query.kind || !floats.contains(&matrix.kind) {
        let (matrix, query) = (matrix.kind.class_name(), query.kind.class_name());
        return Err(Error::invalid(format!(
            "input.matrix and input.query must both be Float32Array or both Float64Array, got {matrix} and {query}"
        )));
    }
    if query.is_empty() || matrix.len() % query.len() != 0 {
        let (matrix, query) = (matrix.len(), query.len());
        return Err(Error::invalid(format!(
            "input.matrix must have whole rows, each as long as input.query, got {matrix} and {query} elements"
        )));
    }
    refuse_too_many(matrix.len() / query.len())?;
    Ok((matrix, query))
}

fn search<T: Element>(
    matrix: &TypedArray,
    query: &TypedArray,
    k: usize,
    metric: Metric,
    context: &Context<'_>,
) -> Result<Vec<(u32, f64)>, Error> {
    let query = query.bytes.contiguous(context)?;
    let query = aligned::<T>(&query);
    let matrix = matrix.bytes.contiguous(context)?;
    let matrix = aligned::<T>(&matrix);
    let width = query.len();
    let length = T::dot(&query, &query).sqrt();
    let order = Order::<u64>::new(ArrayKind::Float64, metric != Metric::L2);
    let rows_at_once = (PIECE / width).max(1);
    let steps = Steps::new(context, matrix.len());
    let context = context.with_help_if(matrix.len() >= 1024 * 1024);
    let parts = context.map_chunks(&matrix, rows_at_once * width, |index, rows| {
        let first = (index * rows_at_once) as u32;
        let mut best = Best::new(k);
        for (row, vector) in (first..).zip(rows.chunks_exact(width)) {
            let figure = match metric {
                Metric::Dot => T::dot(vector, &query),
                Metric::Cosine => cosine(
                    T::dot(vector, &query),
                    T::dot(vector, vector).sqrt(),
                    length,
                ),
                Metric::L2 => T::squared_distance(vector, &query).sqrt(),
            };
            if !figure.is_nan() {
                best.offer(order.key(figure.to_bits()), row);
            }
        }
        context.count(ROWS, (rows.len() / width) as i64);
        steps.pass(rows.len());
        Ok(best)
    })?;
    let best = Best::of_all(k, parts, &context)?;
    Ok(best
        .into_iter()
        .map(|(key, row)| (row, f64::from_bits(order.element(key))))
        .collect())
}

fn cosine(dot: f64, a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        return 0.0;
    }
    (dot / a / b).clamp(-1.0, 1.0)
}

trait Element: AnyBitPattern + NoUninit + Send + Sync {
    fn dot(a: &[Self], b: &[Self]) -> f64;
    fn squared_distance(a: &[Self], b: &[Self]) -> f64;
}

macro_rules! element {
    ($($type:ty),*) => { $(
        impl Element for $type {
            #[inline]
            fn dot(a: &[Self], b: &[Self]) -> f64 {
                added_up(a, b, |a, b| a * b)
            }

            #[inline]
            fn squared_distance(a: &[Self], b: &[Self]) -> f64 {
                added_up(a, b, |a, b| (a - b) * (a - b))
            }
        }
    )* };
}
element!(f32, f64);

#[inline]
fn added_up<T>(a: &[T], b: &[T], term: impl Fn(T, T) -> T) -> f64
where
    T: Copy + Default + std::ops::AddAssign + Into<f64>,
{
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b).into());
    sums.into_iter().map(Into::into).chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{array, code, doubles, noise, numbers, record, run};
    use super::*;

    fn found(
        matrix: TypedArray<'static>,
        query: TypedArray<'static>,
        params: serde_json::Value,
    ) -> (Vec<f64>, Vec<f64>) {
        let input = Record::new().with("matrix", matrix).with("query", query);
        let mut record = record(run(nearest, Value::Record(input), params));
        let mut take = |name| numbers(&record.take_array(name).unwrap());
        (take("indices"), take("values"))
    }

    #[test]
    fn each_metric_has_its_own_nearest() {
        let matrix = || doubles(&[1.0, 0.0, 10.0, 10.0, 0.0, 2.0, -3.0, 0.0]);
        let query = || doubles(&[0.0, 1.0]);
        let of = |metric| found(matrix(), query(), json!({ "k": 2, "metric": metric }));
        assert_eq!(of("dot"), (vec![1.0, 2.0], vec![10.0, 2.0]));
        assert_eq!(of("l2"), (vec![2.0, 0.0], vec![1.0, 2.0f64.sqrt()]));
        let (indices, cosines) = of("cosine");
        assert_eq!(indices, [2.0, 1.0]);
        assert!((cosines[0] - 1.0).abs() < 1e-12 && (cosines[1] - 0.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_vector_of_zeros_has_no_angle_and_nan_is_left_out() {
        let matrix = array(ArrayKind::Float32, &[0.0f32, 0.0, f32::NAN, 1.0, 1.0, 1.0]);
        let query = array(ArrayKind::Float32, &[-1.0f32, -1.0]);
        let (indices, cosines) = found(matrix, query, json!({ "k": 9 }));
        assert_eq!(indices, [0.0, 2.0]);
        assert_eq!(cosines[0], 0.0);
        assert!((cosines[1] + 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (matrix, query) in [
            (doubles(&[1.0; 5]), doubles(&[1.0; 2])),
            (doubles(&[1.0; 4]), doubles(&[])),
            (doubles(&[1.0; 4]), array(ArrayKind::Float32, &[1.0f32])),
            (
                array(ArrayKind::Int8, &[1i8]),
                array(ArrayKind::Int8, &[1i8]),
            ),
        ] {
            let input = Record::new().with("matrix", matrix).with("query", query);
            let result = run(nearest, Value::Record(input), json!({ "k": 1 }));
            assert_eq!(code(result), "ERR_RSPOOL_INVALID_ARGUMENT");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn they_are_those_of_a_plain_loop(width in 1usize..70) {
            let rows = noise(width * 300);
            let query = noise(width + 1)[1..].to_vec();
            let mut expected: Vec<(f64, usize)> = rows
                .chunks(width)
                .map(|row| row.iter().zip(&query).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt())
                .zip(0..)
                .collect();
            expected.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (_, distances) = found(doubles(&rows), doubles(&query), json!({ "k": 5, "metric": "l2" }));
            for (found, (expected, _)) in distances.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-9);
            }
        }
    }
}
