//! `array.*`: work on typed arrays, a file a task.

mod argsort;
mod elements;
mod group_by;
mod histogram;
mod matmul;
mod nearest;
mod order;
mod sample_sort;
mod sort;
mod stats;
mod top_k;

use crate::native::registry::NativeTask;

/// The tasks of this family.
pub(super) const TASKS: &[NativeTask] = &[
    NativeTask {
        name: "array.sort",
        run: sort::sort,
    },
    NativeTask {
        name: "array.argsort",
        run: argsort::argsort,
    },
    NativeTask {
        name: "array.stats",
        run: stats::stats,
    },
    NativeTask {
        name: "array.histogram",
        run: histogram::histogram,
    },
    NativeTask {
        name: "array.groupBy",
        run: group_by::group_by,
    },
    NativeTask {
        name: "array.topK",
        run: top_k::top_k,
    },
    NativeTask {
        name: "array.nearest",
        run: nearest::nearest,
    },
    NativeTask {
        name: "array.matmul",
        run: matmul::matmul,
    },
];

#[cfg(test)]
mod testing {
    //! What the tests of these tasks share.

    use bytemuck::NoUninit;
    use serde_json::Value as Json;

    use super::elements::{array_of, numbers_of};
    use crate::native::{
        context::TaskContext,
        error::TaskError,
        params::Params,
        record::Record,
        registry::Run,
        value::{ArrayKind, TypedArray, Value},
    };

    pub(super) fn run(
        task: Run,
        input: impl Into<Value>,
        params: Json,
    ) -> Result<Value, TaskError> {
        let params = Params::try_from(params).unwrap();
        task(input.into(), &params, &TaskContext::detached())
    }

    pub(super) fn array<T: NoUninit>(kind: ArrayKind, elements: &[T]) -> TypedArray {
        array_of(kind, elements)
    }

    pub(super) fn doubles(elements: &[f64]) -> TypedArray {
        array_of(ArrayKind::Float64, elements)
    }

    pub(super) fn numbers(array: &TypedArray) -> Vec<f64> {
        let mut numbers = Vec::new();
        let bytes = array.bytes.clone().into_vec();
        numbers_of(array.kind, &bytes, &mut numbers);
        numbers
    }

    pub(super) fn record(value: Result<Value, TaskError>) -> Record {
        match value.unwrap() {
            Value::Record(record) => record,
            other => panic!("not a record: {other:?}"),
        }
    }

    pub(super) fn code(value: Result<Value, TaskError>) -> String {
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
