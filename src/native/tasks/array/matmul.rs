//! `array.matmul`.

use super::super::steps::Steps;
use super::elements::{aligned, zeroed};
use rspool_task::{ArrayKind, Context, Error, Params, ROWS, TypedArray, Value};

/// Rows and columns of the result that one chunk computes, and the products that it adds up between two checks: some
/// milliseconds.
const ROWS_AT_ONCE: usize = 64;
const COLUMNS_AT_ONCE: usize = 512;
const DEPTH_AT_ONCE: usize = 256;
/// From this many multiplications on, another worker comes in time.
const WORTH_HELP: usize = 8_000_000;

/// The product of two matrices whose rows are one after another.
///
/// - Input: `{ a, b }`: two `Float32Array`s or two `Float64Array`s, of `m` × `k` and `k` × `n` elements.
/// - Params: `k`, an integer from 1 on; `m` and `n`, which follow from the lengths and are checked if they are given.
/// - Result: an array of the same class, of `m` × `n` elements.
/// - Counts: `rows`, the elements of the result.
/// - Shared: from 8 million multiplications on. The result is the same, bit for bit, however many workers take part.
/// - Errors: `ERR_RSPOOL_INVALID_ARGUMENT`, `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: the kernels of the crate `matrixmultiply`, after Goto and van de Geijn, "Anatomy of high-performance matrix
///   multiplication", 2008.
pub(super) fn matmul(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let fields = params.read(&["m", "k", "n"])?;
    let size = |name| -> Result<Option<usize>, Error> {
        let size = fields.integer(name, 1..=u64::from(u32::MAX))?;
        Ok(size.map(|size| size as usize))
    };
    let (m, k, n) = (size("m")?, size("k")?, size("n")?);
    let k = k.ok_or_else(|| {
        Error::invalid("params.k is missing: the columns of a, which are the rows of b")
    })?;
    let (a, b) = factors(input)?;
    let kind = a.kind;
    let (rows, columns) = (a.len() / k, b.len() / k);
    if a.len() % k != 0 || m.is_some_and(|m| m != rows) {
        return Err(Error::invalid(format!(
            "input.a must have m × k elements, got {} with k = {k}",
            a.len()
        )));
    }
    if b.len() % k != 0 || n.is_some_and(|n| n != columns) {
        return Err(Error::invalid(format!(
            "input.b must have k × n elements, got {} with k = {k}",
            b.len()
        )));
    }
    let (a, b) = (a.bytes.contiguous(context)?, b.bytes.contiguous(context)?);
    let shape = Shape {
        rows,
        depth: k,
        columns,
    };
    let bytes = match kind {
        ArrayKind::Float32 => {
            bytemuck::cast_slice(&multiply::<f32>(&a, &b, shape, context)?).to_vec()
        }
        _ => bytemuck::cast_slice(&multiply::<f64>(&a, &b, shape, context)?).to_vec(),
    };
    Ok(Value::Array(TypedArray {
        kind,
        bytes: bytes.into(),
    }))
}

fn factors(input: Value) -> Result<(TypedArray, TypedArray), Error> {
    let Value::Record(mut record) = input else {
        return Err(Error::invalid(format!(
            "input must be an object with the typed arrays a and b, got {}",
            input.describe()
        )));
    };
    let (a, b) = (record.take_array("a")?, record.take_array("b")?);
    record.end(&["a", "b"])?;
    let floats = [ArrayKind::Float32, ArrayKind::Float64];
    if a.kind != b.kind || !floats.contains(&a.kind) {
        let (a, b) = (a.kind.class_name(), b.kind.class_name());
        return Err(Error::invalid(format!(
            "input.a and input.b must both be Float32Array or both Float64Array, got {a} and {b}"
        )));
    }
    Ok((a, b))
}

/// The rows of the first matrix; its columns, which are the rows of the second; and the columns of the second.
#[derive(Debug, Clone, Copy)]
struct Shape {
    rows: usize,
    depth: usize,
    columns: usize,
}

fn multiply<T: Factor>(
    a: &[u8],
    b: &[u8],
    shape: Shape,
    context: &Context<'_>,
) -> Result<Vec<T>, Error> {
    let (a, b) = (aligned::<T>(a), aligned::<T>(b));
    let Shape {
        rows,
        depth,
        columns,
    } = shape;
    let length = rows.saturating_mul(columns);
    let mut product = zeroed::<T>(length)?;
    if product.is_empty() {
        return Ok(product);
    }
    let work = length.saturating_mul(depth);
    let steps = Steps::new(context, length);
    let context = context.with_help_if(work >= WORTH_HELP);
    let bands: Vec<_> = product.chunks_mut(ROWS_AT_ONCE * columns).collect();
    context.parallel_items(bands, |index, band| {
        let first = index * ROWS_AT_ONCE;
        let height = band.len() / columns;
        let a = &a[first * depth..(first + height) * depth];
        for left in (0..columns).step_by(COLUMNS_AT_ONCE) {
            let width = COLUMNS_AT_ONCE.min(columns - left);
            for top in (0..depth).step_by(DEPTH_AT_ONCE) {
                context.check()?;
                let deep = DEPTH_AT_ONCE.min(depth - top);
                let tile = Tile {
                    height,
                    deep,
                    width,
                };
                T::add_product(
                    tile,
                    (&a[top..], depth),
                    (&b[top * columns + left..], columns),
                    (&mut band[left..], columns),
                );
            }
        }
        context.count(ROWS, band.len() as i64);
        steps.pass(band.len());
        Ok::<(), Error>(())
    })?;
    Ok(product)
}

/// The part of a product that is computed at once.
#[derive(Debug, Clone, Copy)]
struct Tile {
    height: usize,
    deep: usize,
    width: usize,
}

/// Whether `rows` rows of `width` elements, `stride` apart, fit in `length` elements.
fn fits(length: usize, rows: usize, width: usize, stride: usize) -> bool {
    rows == 0 || width <= stride && (rows - 1) * stride + width <= length
}

/// Elements of matrices.
trait Factor: bytemuck::Pod + Send + Sync {
    /// Adds the product of two matrices to a third. Each comes with the distance between its rows.
    fn add_product(tile: Tile, a: (&[Self], usize), b: (&[Self], usize), c: (&mut [Self], usize));
}

macro_rules! factor {
    ($type:ty, $multiply:path) => {
        impl Factor for $type {
            fn add_product(
                Tile {
                    height,
                    deep,
                    width,
                }: Tile,
                (a, a_row): (&[Self], usize),
                (b, b_row): (&[Self], usize),
                (c, c_row): (&mut [Self], usize),
            ) {
                assert!(fits(a.len(), height, deep, a_row));
                assert!(fits(b.len(), deep, width, b_row));
                assert!(fits(c.len(), height, width, c_row));
                let step = |row: usize| row as isize;
                // SAFETY: all rows are in their memories, as was asserted, and `c` is nobody else's.
                unsafe {
                    $multiply(
                        height,
                        deep,
                        width,
                        1.0,
                        a.as_ptr(),
                        step(a_row),
                        1,
                        b.as_ptr(),
                        step(b_row),
                        1,
                        1.0,
                        c.as_mut_ptr(),
                        step(c_row),
                        1,
                    )
                }
            }
        }
    };
}
factor!(f32, matrixmultiply::sgemm);
factor!(f64, matrixmultiply::dgemm);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{array, code, doubles, noise, numbers, run};
    use super::*;
    use rspool_task::Record;

    fn product(
        a: TypedArray<'static>,
        b: TypedArray<'static>,
        params: serde_json::Value,
    ) -> Result<Value<'static>, Error> {
        let input = Record::new().with("a", a).with("b", b);
        run(matmul, Value::Record(input), params)
    }

    fn elements(value: Result<Value<'static>, Error>) -> Vec<f64> {
        match value.unwrap() {
            Value::Array(array) => numbers(&array),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_known_product_comes_out() {
        let (a, b) = (
            doubles(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            doubles(&[7.0, 8.0, 9.0]),
        );
        assert_eq!(
            elements(product(a, b, json!({ "m": 2, "k": 3, "n": 1 }))),
            [50.0, 122.0]
        );
        let (a, b) = (
            array(ArrayKind::Float32, &[2.0f32]),
            array(ArrayKind::Float32, &[1.5f32, -1.0]),
        );
        assert_eq!(elements(product(a, b, json!({ "k": 1 }))), [3.0, -2.0]);
        assert!(elements(product(doubles(&[]), doubles(&[1.0]), json!({ "k": 1 }))).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let six = || doubles(&[0.0; 6]);
        for (a, b, params) in [
            (six(), six(), json!({})),
            (six(), six(), json!({ "k": 4 })),
            (six(), six(), json!({ "k": 3, "m": 3 })),
            (six(), six(), json!({ "k": 3, "n": 1 })),
            (
                six(),
                array(ArrayKind::Float32, &[0.0f32; 6]),
                json!({ "k": 3 }),
            ),
        ] {
            assert_eq!(code(product(a, b, params)), "ERR_RSPOOL_INVALID_ARGUMENT");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn it_is_that_of_three_loops(m in 1usize..150, k in 1usize..300, n in prop_oneof![1usize..9, 500usize..530]) {
            let (a, b) = (noise(m * k), noise(k * n));
            let found = elements(product(doubles(&a), doubles(&b), json!({ "k": k })));
            for row in 0..m {
                for column in [0, n / 2, n - 1] {
                    let expected: f64 = (0..k).map(|i| a[row * k + i] * b[i * n + column]).sum();
                    prop_assert!((found[row * n + column] - expected).abs() < 1e-9);
                }
            }
        }
    }
}
