//! `test.*`: tasks that exist to test the pool. They are found only if the environment variable `RSPOOL_TEST_TASKS` is
//! `1`.

use std::hint::spin_loop;

use rspool_task::{Context, Error, Params, ROWS, Value};

rspool_task::table! {
    "test.echo" => echo,
    "test.emit" => emit => Value,
    "test.panic" => panic,
    "test.spin" => spin,
}

/// Returns its input.
fn echo<'a>(input: Value<'a>, params: Params, _: &Context<'_>) -> Result<Value<'a>, Error> {
    params.read(&[])?;
    Ok(input)
}

/// Emits the numbers below its input, counts each as a row, and returns how many there were. With the param `bytes`,
/// each chunk is a buffer of so many bytes, all of which are the number's last; with `panicAt`, panics before that
/// number.
fn emit(to: u32, params: Params, context: &Context<'_>) -> Result<u32, Error> {
    let fields = params.read(&["bytes", "panicAt"])?;
    let bytes = fields.integer("bytes", 0..=1 << 30)?;
    let panic_at = fields.integer("panicAt", 0..=1 << 30)?;
    for n in 0..to {
        assert!(panic_at != Some(n.into()), "asked to, before {n}");
        match bytes {
            None => context.emit(n)?,
            Some(length) => context.emit(Value::from(vec![n as u8; length as usize]))?,
        }
        context.count(ROWS, 1);
    }
    Ok(to)
}

/// Panics with its input in the message.
fn panic(input: Value, _: Params, _: &Context<'_>) -> Result<Value<'static>, Error> {
    panic!("asked to, with {}", input.describe());
}

/// Keeps a core busy until it is cancelled. Counts 1 into `rows` when it has started.
fn spin(_: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    params.read(&[])?;
    context.count(ROWS, 1);
    loop {
        context.check()?;
        spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use rspool_task::testing::Trial;

    use super::*;

    #[test]
    fn echo_gives_its_input_and_panic_panics() {
        let run = |name: &str| {
            let trial = Trial::new();
            trial
                .run_named(&TABLE, name, Value::Number(4.0), Value::Undefined)
                .result
        };
        assert_eq!(run("test.echo"), Ok(Value::Number(4.0)));
        let error = run("test.panic").unwrap_err();
        let message = "the task panicked: asked to, with the number 4 (";
        assert!(error.to_string().starts_with(message), "{error}");
    }

    #[test]
    fn spin_ends_when_cancelled() {
        let trial = Trial::new().cancel_after(1);
        let outcome = trial.run_named(&TABLE, "test.spin", Value::Undefined, Value::Undefined);
        assert_eq!(outcome.result, Err(Error::Cancelled));
    }
}
