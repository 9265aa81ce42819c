//! `test.*`: tasks that exist to test the pool. They are found only if the environment variable `RSPOOL_TEST_TASKS` is
//! `1`.

use std::hint::spin_loop;

use rspool_task::{Context, Error, Map, Params, ROWS, Value};

rspool_task::table! {
    "test.echo" => echo,
    "test.emit" => emit => Value,
    "test.panic" => panic,
    "test.spin" => spin,
    "test.useMap" => use_map,
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

/// Counts a key of a map, and puts texts that are there anew. A map that is busy is asked again.
fn use_map(
    (map, prefix, times): (Map, String, u32),
    _: (),
    context: &Context<'_>,
) -> Result<(), Error> {
    let is_busy = |done: &Result<_, Error>| {
        done.as_ref()
            .is_err_and(|error: &Error| error.code() == "ERR_RSPOOL_MAP_BUSY")
    };
    for n in 0..times {
        context.check()?;
        loop {
            let counted = map.increment("count:native", 1).map(drop);
            if !is_busy(&counted) {
                break counted?;
            }
        }
        let name = format!("{prefix}{}", n.wrapping_mul(0x9e37_79b9) % 500);
        // The value may be an object of JavaScript, which Rust does not read.
        if let Ok(Some(Value::String(text))) = map.get::<Value<'_>>(&name) {
            let put = map.set(&name, text);
            if !is_busy(&put) {
                put?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rspool_task::testing::{self, Trial};

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
    fn a_map_is_used_as_often_as_told() {
        let map = testing::map();
        map.set("all:0", "text").unwrap();
        let input = Value::List(vec![map.clone().into(), "all:".into(), 10.into()]);
        let outcome = Trial::new().run_named(&TABLE, "test.useMap", input, Value::Undefined);
        assert_eq!(outcome.result, Ok(Value::Undefined));
        assert_eq!(map.get("count:native"), Ok(Some(10)));
        assert_eq!(map.get("all:0"), Ok(Some("text".to_owned())));
    }

    #[test]
    fn spin_ends_when_cancelled() {
        let trial = Trial::new().cancel_after(1);
        let outcome = trial.run_named(&TABLE, "test.spin", Value::Undefined, Value::Undefined);
        assert_eq!(outcome.result, Err(Error::Cancelled));
    }
}
