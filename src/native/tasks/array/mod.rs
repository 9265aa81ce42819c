//! `array.*`: work on typed arrays, one file per task.

mod argsort;
mod bucket;
mod elements;
mod group_by;
mod histogram;
mod matmul;
mod nearest;
mod order;
mod sample_sort;
mod sort;
#[cfg(all(test, unix))]
mod sort_measure;
mod stats;
mod top_k;

rspool_task::table! {
    "array.sort" => sort::sort,
    "array.argsort" => argsort::argsort,
    "array.stats" => stats::stats,
    "array.histogram" => histogram::histogram,
    "array.groupBy" => group_by::group_by,
    "array.topK" => top_k::top_k,
    "array.nearest" => nearest::nearest,
    "array.matmul" => matmul::matmul,
}

#[cfg(test)]
mod testing {
    //! Shared by the tests of these tasks.

    use bytemuck::NoUninit;
    use rspool_task::testing::Trial;
    use serde_json::Value as Json;

    use super::elements::{array_of, numbers_of};
    use rspool_task::{ArrayKind, Context, Error, Params, Record, TypedArray, Value};

    /// Runs a task through its table, as a worker does.
    pub(super) fn run(
        task: impl FnOnce(Value<'static>, Params, &Context<'_>) -> Result<Value<'static>, Error>,
        input: impl Into<Value<'static>>,
        params: Json,
    ) -> Result<Value<'static>, Error> {
        let params = Params::try_from(params).unwrap();
        Trial::new().run(task, input.into(), params).result
    }

    pub(super) fn array<T: NoUninit>(kind: ArrayKind, elements: &[T]) -> TypedArray<'static> {
        array_of(kind, elements)
    }

    pub(super) fn doubles(elements: &[f64]) -> TypedArray<'static> {
        array_of(ArrayKind::Float64, elements)
    }

    pub(super) fn numbers(array: &TypedArray) -> Vec<f64> {
        let mut numbers = Vec::new();
        let bytes = array.bytes.clone().into_vec();
        numbers_of(array.kind, &bytes, &mut numbers);
        numbers
    }

    pub(super) fn record(value: Result<Value<'static>, Error>) -> Record<'static> {
        match value.unwrap() {
            Value::Record(record) => record,
            other => panic!("not a record: {other:?}"),
        }
    }

    pub(super) fn code(value: Result<Value<'static>, Error>) -> String {
        value.unwrap_err().code().into()
    }

    /// Numbers that look random.
    pub(super) fn noise(length: usize) -> Vec<f64> {
        let mut state = 7u64;
        (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .collect()
    }
}
