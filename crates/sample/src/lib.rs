//! A plugin for the tests of rspool: tasks of each kind, well and badly behaved.

use std::cell::Cell;
use std::process::abort;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use std::time::Duration;

use rspool_task::{Array, Bytes, Context, Error, Map, Result, Text, Value, record};

record! {
    /// What the plugin is told.
    struct Config {
        start: u32 = 0,
        /// Why no state can be made.
        refuse: Option<String>,
    }

    /// The params of `sample.upper`.
    struct Upper {
        /// Letters that are left as they are.
        skip: u32 = 0,
    }

    /// Keys, and a value for each.
    struct Pairs<'a> { keys: Array<'a, u32>, values: Array<'a, f64> }

    struct Sums<'a> { keys: Array<'a, u32>, sums: Array<'a, f64>, name: String }
}

record! {
    /// A map among other members.
    struct Counting { counts: Map, words: Vec<String>, at: Vec<u32> = Vec::new() }

    /// The params of `sample.mapCall`.
    struct MapCall {
        call: String,
        ttl: Option<f64>,
        initial: i64 = 0,
    }
}

/// Workers' states that are there.
static STATES: AtomicU32 = AtomicU32::new(0);

/// The state of a worker.
struct Counter {
    next: Cell<u32>,
    thread: std::thread::ThreadId,
}

impl Drop for Counter {
    fn drop(&mut self) {
        assert_eq!(
            self.thread,
            std::thread::current().id(),
            "dropped where it was made"
        );
        STATES.fetch_sub(1, Relaxed);
    }
}

fn counter(config: Config) -> Result<Counter> {
    if let Some(why) = config.refuse {
        return Err(Error::failed("ERR_SAMPLE_REFUSED", why));
    }
    STATES.fetch_add(1, Relaxed);
    Ok(Counter {
        next: Cell::new(config.start),
        thread: std::thread::current().id(),
    })
}

fn shared(_: Config) -> Result<AtomicU32> {
    Ok(AtomicU32::new(0))
}

fn add((a, b): (f64, f64), _: (), _: &Context) -> Result<f64> {
    Ok(a + b)
}

fn upper(text: Text, params: Upper, context: &Context) -> Result<String> {
    context.check()?;
    let skip = params.skip as usize;
    let rest = text.chars().skip(skip).flat_map(char::to_uppercase);
    Ok(text.chars().take(skip).chain(rest).collect())
}

fn double(mut array: Array<f64>, _: (), _: &Context) -> Result<Array<'static, f64>> {
    array.to_mut().iter_mut().for_each(|x| *x *= 2.0);
    Ok(array.into_owned())
}

fn sums(pairs: Pairs, _: (), context: &Context) -> Result<Sums<'static>> {
    let mut keys: Vec<u32> = pairs.keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut sums = vec![0.0; keys.len()];
    for (key, value) in pairs.keys.iter().zip(pairs.values.iter()) {
        if let Ok(place) = keys.binary_search(key) {
            sums[place] += value;
        }
    }
    context.count("rows", pairs.keys.len() as i64);
    Ok(Sums {
        keys: keys.into(),
        sums: sums.into(),
        name: "sums".into(),
    })
}

fn echo<'a>(value: Value<'a>, _: (), _: &Context) -> Result<Value<'a>> {
    Ok(value)
}

fn sum(array: Array<f64>, _: (), context: &Context) -> Result<f64> {
    let sums = context.map_chunks(&array, 4096, |_, piece| Ok(piece.iter().sum::<f64>()))?;
    Ok(sums.iter().sum())
}

fn zeros(count: u32, _: (), _: &Context) -> Result<Bytes<'static>> {
    Ok(vec![0; count as usize].into())
}

/// Splits a text into its lines. As a stream it sends them one by one, otherwise it returns their number alone.
fn lines(text: Text, _: (), context: &Context) -> Result<usize> {
    let stream = context.is_stream();
    let mut count = 0;
    for line in text.lines() {
        if stream {
            context.emit(line)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Sends typed arrays, records of them, and what else there is.
fn kinds(_: (), _: (), context: &Context) -> Result<()> {
    context.emit(Array::from(vec![1.5, 2.5]))?;
    context.emit(Sums {
        keys: vec![1].into(),
        sums: vec![2.0].into(),
        name: "x".repeat(100_000),
    })?;
    context.emit(Bytes::from(vec![7; 100_000]))?;
    context.emit("grüße")?;
    context.emit(())?;
    context.emit(vec![true, false])
}

/// Adds numbers by rayon.
fn by_rayon(array: Array<f64>, _: (), context: &Context) -> Result<f64> {
    fn sum(numbers: &[f64]) -> f64 {
        if numbers.len() <= 1024 {
            return numbers.iter().sum();
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        let (left, right) = rayon_core::join(|| sum(left), || sum(right));
        left + right
    }
    context.with_rayon(|| sum(&array))
}

fn rayon_panics(message: String, _: (), context: &Context) -> Result<()> {
    context.with_rayon(|| {
        rayon_core::join(|| (), || panic!("{message}"));
    })
}

/// Sends from where it must not.
fn elsewhere(_: (), _: (), context: &Context) -> Result<()> {
    let other = std::thread::scope(|scope| scope.spawn(|| context.emit(1)).join());
    let error = other.expect("no panic").expect_err("refused");
    context.emit(error.to_string())?;
    let error = context
        .parallel(8, |_| context.emit(1))
        .expect_err("refused");
    context.emit(error.to_string())
}

/// Tells of so many steps.
fn steps(count: u32, _: (), context: &Context) -> Result<u32> {
    for step in 1..=count {
        context.check()?;
        context.progress(f64::from(step) / f64::from(count));
    }
    Ok(count)
}

fn spin(_: (), _: (), context: &Context) -> Result<()> {
    context.count("rows", 1);
    loop {
        context.check()?;
        std::hint::spin_loop();
    }
}

/// Whether stubborn tasks are to end.
static LET_GO: AtomicBool = AtomicBool::new(false);

/// Does not look whether it is to stop.
fn stubborn(_: (), _: (), context: &Context) -> Result<()> {
    context.count("rows", 1);
    while !LET_GO.load(Relaxed) {
        std::thread::yield_now();
    }
    Ok(())
}

fn let_go(_: (), _: (), _: &Context) -> Result<()> {
    LET_GO.store(true, Relaxed);
    Ok(())
}

fn fail(message: String, _: (), _: &Context) -> Result<()> {
    Err(Error::failed("ERR_SAMPLE", message))
}

fn panics(message: String, _: (), _: &Context) -> Result<()> {
    panic!("{message}")
}

fn panics_in_a_chunk(_: (), _: (), context: &Context) -> Result<()> {
    context.parallel(100, |index| assert!(index != 50, "chunk {index}"))
}

fn crash(_: (), _: (), _: &Context) -> Result<()> {
    abort()
}

fn next(_: (), _: (), context: &Context) -> Result<u32> {
    let counter = context.state::<Counter>();
    counter.next.set(counter.next.get() + 1);
    Ok(counter.next.get())
}

fn next_of_all(_: (), _: (), context: &Context) -> Result<u32> {
    Ok(context.shared::<AtomicU32>().fetch_add(1, Relaxed) + 1)
}

fn states(_: (), _: (), _: &Context) -> Result<u32> {
    Ok(STATES.load(Relaxed))
}

/// Counts words into a map.
fn count_words(input: Counting, _: (), context: &Context) -> Result<usize> {
    for word in &input.words {
        context.check()?;
        input.counts.increment(word, 1)?;
    }
    Ok(input.words.len() + input.at.len())
}

/// Makes one call of a map.
fn map_call(
    (map, key, values): (Map, String, Vec<Value>),
    params: MapCall,
    _: &Context,
) -> Result<Value<'static>> {
    let values: Vec<Value<'static>> = values.into_iter().map(Value::into_owned).collect();
    let value = |at: usize| values.get(at).cloned().unwrap_or_default();
    let time = |ms: f64| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX);
    let number = || match value(0) {
        Value::Number(number) => number as i64,
        Value::BigInt(number) => number.to_i64().unwrap_or(0),
        _ => 1,
    };
    let map = match params.ttl {
        Some(ttl) => map.lasting(time(ttl)),
        None => map,
    };
    Ok(match &*params.call {
        "get" => map.get(&key)?.unwrap_or_default(),
        "has" => map.has(&key)?.into(),
        "set" => map.set(&key, value(0))?.into(),
        "add" => map.add(&key, value(0))?.into(),
        "compareAndSet" => map.compare_and_set(&key, value(0), value(1))?.into(),
        "increment" => {
            let sum = map.increment_from(&key, number(), params.initial)?;
            Value::BigInt(sum.into())
        }
        "update" => {
            let twice = map.update(&key, |n: Option<f64>| Ok(n.map(|n| n * 2.0)))?;
            twice.map_or(Value::Undefined, Value::from)
        }
        "delete" => map.delete(&key)?.into(),
        "expire" => map
            .expire(&key, time(params.ttl.unwrap_or(f64::INFINITY)))?
            .into(),
        "ttl" => match map.ttl(&key)? {
            None => Value::Undefined,
            Some(Duration::MAX) => f64::INFINITY.into(),
            Some(left) => (left.as_secs_f64() * 1000.0).into(),
        },
        other => return Err(Error::invalid(format!("unknown call {other}"))),
    })
}

/// Adds 1 to the number of a key again and again.
fn hammer((map, key, times): (Map, String, u32), _: (), context: &Context) -> Result<()> {
    for _ in 0..times {
        context.check()?;
        map.increment(&key, 1)?;
    }
    Ok(())
}

/// Says that it has begun, and counts `done` once it is let go.
fn await_go(map: Map, _: (), context: &Context) -> Result<i64> {
    context.count("rows", 1);
    while !LET_GO.load(Relaxed) {
        context.check()?;
        std::thread::yield_now();
    }
    map.increment("done", 1)
}

rspool_task::plugin! {
    state = counter;
    shared = shared;
    /// Adds two numbers.
    "sample.add" => add,
    /// Makes letters capitals.
    "sample.upper" => upper,
    "sample.double" => double,
    /// Adds the values of each key.
    "sample.sums" => sums,
    "sample.echo" => echo,
    "sample.sum" => sum,
    "sample.zeros" => zeros,
    /// Splits a text into its lines.
    "sample.lines" => lines => String,
    "sample.kinds" => kinds => Value,
    "sample.byRayon" => by_rayon,
    "sample.rayonPanics" => rayon_panics,
    "sample.elsewhere" => elsewhere => String,
    "sample.steps" => steps,
    "sample.spin" => spin,
    "sample.stubborn" => stubborn,
    "sample.letGo" => let_go,
    "sample.fail" => fail,
    "sample.panics" => panics,
    "sample.panicsInAChunk" => panics_in_a_chunk,
    "sample.crash" => crash,
    "sample.next" => next,
    "sample.nextOfAll" => next_of_all,
    "sample.states" => states,
    /// Counts words into a map.
    "sample.countWords" => count_words,
    "sample.mapCall" => map_call,
    "sample.hammer" => hammer,
    "sample.awaitGo" => await_go,
}
