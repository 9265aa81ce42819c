//! `test.*`: tasks that exist to test the pool. They are found only where the environment variable
//! `RSPOOL_TEST_TASKS` is `1`.

use std::hint::spin_loop;

use crate::native::{
    context::{ROWS, TaskContext},
    error::TaskError,
    params::Params,
    registry::NativeTask,
    value::Value,
};

pub(super) const TASKS: &[NativeTask] = &[
    NativeTask {
        name: "test.echo",
        run: echo,
    },
    NativeTask {
        name: "test.panic",
        run: panic,
    },
    NativeTask {
        name: "test.spin",
        run: spin,
    },
];

/// Gives its input back.
fn echo(input: Value, params: &Params, _: &TaskContext<'_>) -> Result<Value, TaskError> {
    params.read(&[])?;
    Ok(input)
}

/// Panics with its input in the message.
fn panic(input: Value, _: &Params, _: &TaskContext<'_>) -> Result<Value, TaskError> {
    panic!("asked to, with {}", input.describe());
}

/// Keeps a core busy until it is cancelled. Counts 1 into `rows` when it has started.
fn spin(_: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    params.read(&[])?;
    context.count(ROWS, 1);
    loop {
        context.check()?;
        spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        thread,
    };

    use super::*;

    fn task(name: &str) -> &'static NativeTask {
        TASKS.iter().find(|task| task.name == name).unwrap()
    }

    #[test]
    fn echo_gives_its_input_and_panic_panics() {
        let context = TaskContext::detached();
        let run = |name: &str| task(name).execute(Value::Number(4.0), &Params::none(), &context);
        assert_eq!(run("test.echo"), Ok(Value::Number(4.0)));
        let error = run("test.panic").unwrap_err();
        let message = "test.panic: the task panicked: asked to, with the number 4 (";
        assert!(error.to_string().starts_with(message), "{error}");
    }

    #[test]
    fn spin_ends_when_cancelled() {
        let cancel = AtomicU32::new(0);
        thread::scope(|scope| {
            let spinning = scope.spawn(|| {
                let context = TaskContext::new(&cancel, None);
                task("test.spin").execute(Value::Undefined, &Params::none(), &context)
            });
            cancel.store(1, Ordering::Relaxed);
            assert_eq!(spinning.join().unwrap(), Err(TaskError::Cancelled));
        });
    }
}
