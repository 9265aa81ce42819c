use std::hint::black_box;
use std::time::Instant;

use rspool_task::{Context, panics};

use super::*;
use crate::native::plugins::{Listed, Table};

#[path = "../../../crates/task/tests/version_1/mod.rs"]
mod version_1;

/// The surroundings in a worker that has no other request.
fn around<'a>(cancelled: &'a AtomicU32, tally: &'a Tally) -> Surroundings<'a> {
    Surroundings {
        cancelled,
        counters: None,
        tally,
        listener: None,
        crew: None,
        reader: None,
        states: Pair::NONE,
    }
}

fn execute(
    task: &NativeTask,
    input: Value<'static>,
    cancelled: u32,
) -> Result<Value<'static>, Error> {
    let (cancelled, tally) = (AtomicU32::new(cancelled), Tally::default());
    task.execute(input, Params::none(), &around(&cancelled, &tally))
}

/// The tasks of a table.
fn read(table: *const abi::Plugin) -> impl Fn(&str) -> NativeTask {
    // SAFETY: a static table, by the rules of `abi`.
    let tasks = unsafe { Table::read(table) }.unwrap().tasks;
    move |name| {
        let found = tasks.iter().find(|known| known.name == name);
        let &Listed { name, run, emits } = found.expect("a task of this name");
        NativeTask {
            name,
            run,
            emits,
            plugin: None,
        }
    }
}

fn double(number: f64, _: (), _: &Context) -> Result<f64, Error> {
    Ok(number * 2.0)
}

fn never(_: (), _: (), _: &Context) -> Result<(), Error> {
    unreachable!()
}

rspool_task::table! {
    "t.double" => double,
    "t.never" => never,
}

#[test]
fn errors_name_their_task_and_have_a_code() {
    let task = read(&raw const TABLE)("t.never");
    let error = task.blame(Error::failed("MY_CODE", "no"));
    assert_eq!(
        (error.code(), error.to_string()),
        ("MY_CODE", "t.never: no".into())
    );
    for bad in ["", "my code", "A\nB", &"A".repeat(65)] {
        let error = task.blame(Error::failed(bad.to_owned(), "no"));
        assert_eq!(error.code(), rspool_task::TASK_FAILED, "{bad}");
    }
}

#[test]
fn a_cancelled_task_does_not_start() {
    let task = read(&raw const TABLE)("t.never");
    assert_eq!(execute(&task, Value::Null, 1), Err(Error::Cancelled));
}

#[test]
fn a_plugin_of_the_first_version_is_read_and_called() {
    let task = read((&raw const version_1::PLUGIN.0).cast());
    let list = Value::List(vec![1.into(), 2.5.into()]);
    assert_eq!(execute(&task("frozen.add"), list, 0), Ok(3.5.into()));
    let bytes = Value::from(vec![1, 2, 3]);
    assert_eq!(execute(&task("frozen.echo"), bytes.clone(), 0), Ok(bytes));
    assert_eq!(execute(&task("frozen.work"), 20.into(), 0), Ok(20.into()));
    let error = execute(&task("frozen.fail"), Value::Null, 0).unwrap_err();
    assert_eq!(error.code(), "ERR_FROZEN");
}

/// Measures what a call through a table costs over one of a plain function, which built-in tasks once were: `cargo test
/// --release --lib call_costs -- --ignored --nocapture`. 50 ns are allowed.
#[test]
#[ignore = "a measurement"]
fn call_costs() {
    type Plain = fn(Value<'static>, &Params, &Context<'_>) -> Result<Value<'static>, Error>;
    const CALLS: u32 = 2_000;
    let time = |call: &mut dyn FnMut()| {
        // The least of many short rounds, because on a busy machine most are interrupted.
        (0..5_000)
            .map(|_| {
                let start = Instant::now();
                (0..CALLS).for_each(|_| call());
                start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
            })
            .fold(f64::INFINITY, f64::min)
    };
    let plain: Plain = black_box(|input, _, context| {
        context.check()?;
        match input {
            Value::Number(number) => Ok(Value::Number(number * 2.0)),
            other => Err(Error::invalid(other.describe())),
        }
    });
    let context = Context::detached();
    let before = time(&mut || {
        let result = panics::contained(|| {
            context.check()?;
            plain(black_box(Value::Number(4.0)), &Params::none(), &context)
        });
        assert!(black_box(result).is_ok());
    });
    let task = read(&raw const TABLE)("t.double");
    let (cancelled, tally) = (AtomicU32::new(0), Tally::default());
    let around = around(&cancelled, &tally);
    let after = time(&mut || {
        let result = task.execute(black_box(Value::Number(4.0)), Params::none(), &around);
        assert!(black_box(result).is_ok());
    });
    let over = after - before;
    println!("plain {before:.1} ns, by a table {after:.1} ns: {over:.1} ns more per call");
}

#[test]
fn a_plugin_that_was_built_before_there_were_maps_gets_none() {
    // SAFETY: a static table, by the rules of `abi`.
    let minor = unsafe { Table::read((&raw const version_1::PLUGIN.0).cast()) }
        .unwrap()
        .minor;
    let map = || Value::from(rspool_task::testing::map());
    for value in [map(), vec![Value::Null, vec![map()].into()].into()] {
        assert!(is_unknown(&value, minor));
        assert!(!is_unknown(&value, abi::MINOR));
    }
    assert!(!is_unknown(&vec![Value::Null].into(), minor));
}
