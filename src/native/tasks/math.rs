//! `math.*`: integer work that keeps a core busy.

use super::steps::Steps;
use rspool_task::{Context, Error, Fields, MAX_SAFE_INTEGER, Params, ROWS, Value};

rspool_task::table! {
    "math.countPrimes" => count_primes,
    "math.fibonacci" => fibonacci,
}

/// Counts the prime numbers up to and including a number, or within a range.
///
/// - Input: an integer from 0 to 2⁵³ − 1, for the primes p ≤ n; or `{ from, to }`, two such
///   integers, `from` 0 by default, for the primes from ≤ p ≤ to. An empty range has none.
/// - Params: none.
/// - Result: a number.
/// - Counts: `rows`, the numbers sieved.
/// - Memory: 20 bytes for each prime up to the square root of the end: 1.6 MB at 10¹², 110 MB at
///   2⁵³.
/// - Source: the sieve of Eratosthenes over odd numbers, in segments (Bays and Hudson, BIT 17,
///   1977).
fn count_primes(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    params.read(&[])?;
    let (from, to) = range(&input)?;
    let mut count = u64::from(from <= 2 && to >= 2);
    let mut sieve = Sieve::new(from.max(3), to, context)?;
    let steps = Steps::new(context, (to - sieve.start.min(to)) as usize + 1);
    while let Some(primes) = sieve.next_segment(context)? {
        count += primes;
        steps.pass(SEGMENT as usize);
    }
    Ok(Value::Number(count as f64))
}

fn range<'a>(input: &'a Value<'a>) -> Result<(u64, u64), Error> {
    if let Value::Record(record) = input {
        let fields = Fields::new("input", Some(record), &["from", "to"])?;
        let from = fields.integer("from", 0..=MAX_SAFE_INTEGER)?.unwrap_or(0);
        let to = fields.integer("to", 0..=MAX_SAFE_INTEGER)?;
        let to = to.ok_or_else(|| Error::invalid("input.to is missing"))?;
        return Ok((from, to));
    }
    let to = input.to_safe_integer().ok_or_else(|| {
        Error::invalid(format!(
            "input must be an integer from 0 to {MAX_SAFE_INTEGER} or {{ from, to }}, got {}",
            input.describe()
        ))
    })?;
    Ok((0, to))
}

/// Numbers per segment: one bit per odd number, 32 kB in all, which stay in a core's first cache.
const SEGMENT: u64 = 64 * WORDS as u64 * 2;
const WORDS: usize = 4096;

/// Strikes out multiples, segment by segment.
struct Sieve {
    /// The odd number that the first bit of the next segment stands for.
    start: u64,
    /// The last number, inclusive.
    end: u64,
    /// A bit per odd number, set once it is known to be composite.
    composite: Box<[u64; WORDS]>,
    /// The odd primes up to the square root of the end, in order, each with the next number that
    /// it strikes out.
    strikers: Vec<(u32, u64)>,
}

impl Sieve {
    /// A sieve of the odd numbers from `from` (at least 3) to `to`.
    fn new(from: u64, to: u64, context: &Context<'_>) -> Result<Self, Error> {
        let start = from | 1;
        let mut strikers = Vec::new();
        if start <= to {
            for primes in base_primes(to.isqrt(), context)?.chunks(1 << 16) {
                context.check()?;
                let next = |prime: &u32| (*prime, first_strike((*prime).into(), start));
                strikers.extend(primes.iter().map(next));
            }
        }
        Ok(Self {
            start,
            end: to,
            composite: Box::new([0; WORDS]),
            strikers,
        })
    }

    /// Sieves one segment, and returns the number of its primes; `None` after the last.
    fn next_segment(&mut self, context: &Context<'_>) -> Result<Option<u64>, Error> {
        context.check()?;
        if self.start > self.end {
            return Ok(None);
        }
        let numbers = (self.end - self.start + 1).min(SEGMENT);
        let bits = numbers.div_ceil(2);
        self.strike(bits, context)?;
        let composites: u64 = self
            .composite
            .iter()
            .map(|w| u64::from(w.count_ones()))
            .sum();
        self.start += SEGMENT;
        context.count(ROWS, numbers as i64);
        Ok(Some(bits - composites))
    }

    /// Marks the composites among the first `bits`.
    fn strike(&mut self, bits: u64, context: &Context<'_>) -> Result<(), Error> {
        self.composite.fill(0);
        let last = self.start + 2 * (bits - 1);
        let needed = self
            .strikers
            .partition_point(|(prime, _)| u64::from(*prime).pow(2) <= last);
        // For large numbers there are millions of strikers, most without a multiple in the segment.
        for strikers in self.strikers[..needed].chunks_mut(1 << 16) {
            context.check()?;
            for (prime, next) in strikers {
                let step = u64::from(*prime);
                let mut bit = (*next - self.start) / 2;
                while bit < bits {
                    self.composite[(bit / 64) as usize] |= 1 << (bit % 64);
                    bit += step;
                }
                *next = self.start + 2 * bit;
            }
        }
        Ok(())
    }

    /// The primes of the segment that was struck last. `first` is its first number.
    fn primes(&self, first: u64, bits: u64) -> impl Iterator<Item = u64> {
        (0..bits)
            .filter(|bit| self.composite[(bit / 64) as usize] & (1 << (bit % 64)) == 0)
            .map(move |bit| first + 2 * bit)
    }
}

/// The first odd multiple of `prime` that is not below the odd number `start` nor below the square of `prime`: smaller
/// multiples have smaller factors.
fn first_strike(prime: u64, start: u64) -> u64 {
    prime * (start.div_ceil(prime).max(prime) | 1)
}

/// The odd primes up to `limit`, which is below 2³².
fn base_primes(limit: u64, context: &Context<'_>) -> Result<Vec<u32>, Error> {
    let mut primes = Vec::new();
    if limit < 3 {
        return Ok(primes);
    }
    let mut sieve = Sieve::new(3, limit, context)?;
    loop {
        let first = sieve.start;
        if sieve.next_segment(context)?.is_none() {
            return Ok(primes);
        }
        let bits = (limit - first + 1).min(SEGMENT).div_ceil(2);
        primes.extend(sieve.primes(first, bits).map(|prime| prime as u32));
    }
}

/// The largest n whose recursion ends in a reasonable time (under a minute).
const MAX_RECURSIVE: u64 = 50;
/// The largest n whose Fibonacci number is below 2⁵³.
const MAX_EXACT: u64 = 78;

/// The n-th Fibonacci number: F(0) = 0, F(1) = 1, F(n) = F(n − 1) + F(n − 2).
///
/// By default it is computed by that recursion, as in the tutorials that use it as a CPU load: the
/// time grows by 1.6 with each n. That makes it fit to be compared with the same function in
/// JavaScript. `method: 'iterative'` gives the number at once.
///
/// - Input: an integer, from 0 to 50 for `'recursive'`, to 78 for `'iterative'`.
/// - Params: `method`, `'recursive'` (default) or `'iterative'`.
/// - Result: a number, exact.
/// - Source: Liber Abaci, 1202; limits: F(78) is the last one below 2⁵³.
fn fibonacci(input: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    let choices = [("recursive", MAX_RECURSIVE), ("iterative", MAX_EXACT)];
    let fields = params.read(&["method"])?;
    let max = fields.choice("method", &choices)?.unwrap_or(MAX_RECURSIVE);
    let n = input.to_safe_integer().filter(|n| *n <= max);
    let n = n.ok_or_else(|| {
        let hint = match input.to_safe_integer() {
            Some(n) if n <= MAX_EXACT => " (or params.method 'iterative')",
            _ => "",
        };
        let got = input.describe();
        Error::invalid(format!(
            "input must be an integer from 0 to {max}, got {got}{hint}"
        ))
    })?;
    let number = match max {
        MAX_RECURSIVE => recursive(n as u32, context)?,
        _ => (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0,
    };
    Ok(Value::Number(number as f64))
}

/// The recursion, with a check at each call above 25: F(25) takes less than a millisecond.
fn recursive(n: u32, context: &Context<'_>) -> Result<u64, Error> {
    if n <= 25 {
        context.check()?;
        return Ok(unchecked(n));
    }
    Ok(recursive(n - 1, context)? + recursive(n - 2, context)?)
}

fn unchecked(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    unchecked(n - 1) + unchecked(n - 2)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        thread,
    };

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    type Run = fn(Value<'static>, Params, &Context<'_>) -> Result<Value<'static>, Error>;

    fn primes(input: Value) -> Result<f64, Error> {
        let result = count_primes(input, Params::none(), &Context::detached())?;
        let Value::Number(n) = result else {
            panic!("not a number: {result:?}");
        };
        Ok(n)
    }

    fn primes_between(from: u64, to: u64) -> f64 {
        primes(Value::from(json!({ "from": from, "to": to }))).unwrap()
    }

    fn is_prime(n: u64) -> bool {
        n >= 2 && (2..=n.isqrt()).all(|d| !n.is_multiple_of(d))
    }

    #[test]
    fn counts_up_to_and_including() {
        let expected = [0., 0., 1., 2., 2., 3., 3., 4., 4., 4., 4., 5.];
        for (n, count) in expected.into_iter().enumerate() {
            assert_eq!(primes(Value::Number(n as f64)), Ok(count), "{n}");
        }
        // OEIS A006880, the number of primes below 10^n.
        for (n, count) in [
            (1e3, 168.),
            (1e4, 1229.),
            (1e5, 9592.),
            (1e6, 78498.),
            (1e7, 664579.),
        ] {
            assert_eq!(primes(Value::Number(n)), Ok(count), "{n}");
        }
    }

    #[test]
    fn counts_around_the_borders_of_segments() {
        let reference: Vec<bool> = (0..3 * SEGMENT).map(is_prime).collect();
        for border in [SEGMENT, SEGMENT + 3, 2 * SEGMENT, 2 * SEGMENT + 3] {
            for from in [0, 3, 4, border - 3] {
                for to in border - 3..border + 3 {
                    let expected = (from..=to).filter(|n| reference[*n as usize]).count();
                    assert_eq!(primes_between(from, to), expected as f64, "{from} to {to}");
                }
            }
        }
    }

    #[test]
    fn ranges_may_be_empty_or_far_up() {
        assert_eq!(primes_between(10, 9), 0.0);
        assert_eq!(primes_between(24, 28), 0.0);
        assert_eq!(primes_between(2, 2), 1.0);
        assert_eq!(primes_between(7, 7), 1.0);
        let near = 1_000_000_000_000;
        let expected = (near..=near + 300).filter(|n| is_prime(*n)).count();
        assert_eq!(primes_between(near, near + 300), expected as f64);
        assert_eq!(primes(Value::from(json!({ "to": 100 }))), Ok(25.0));
    }

    #[test]
    fn wrong_inputs_are_refused() {
        for bad in [
            Value::Undefined,
            Value::Number(-1.0),
            Value::Number(1.5),
            Value::Number(f64::NAN),
            Value::Number(2f64.powi(53)),
            Value::String("100".into()),
            Value::from(json!({})),
            Value::from(json!({ "from": 1 })),
            Value::from(json!({ "from": 1, "too": 2 })),
            Value::from(json!({ "to": "5" })),
            Value::from(json!([1, 2])),
        ] {
            let error = primes(bad).unwrap_err();
            assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT", "{error}");
        }
    }

    fn fib(n: f64, method: Option<&str>) -> Result<Value<'static>, Error> {
        let params = match method {
            Some(method) => Params::try_from(json!({ "method": method })).unwrap(),
            None => Params::none(),
        };
        fibonacci(Value::Number(n), params, &Context::detached())
    }

    #[test]
    fn both_methods_give_the_same_numbers() {
        for n in 0..=27 {
            let n = f64::from(n);
            assert_eq!(fib(n, None), fib(n, Some("iterative")));
        }
        assert_eq!(fib(0.0, None), Ok(Value::Number(0.0)));
        assert_eq!(fib(27.0, None), Ok(Value::Number(196_418.0)));
        let largest = Value::Number(8_944_394_323_791_464.0);
        assert_eq!(fib(78.0, Some("iterative")), Ok(largest));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let message = |n, method| fib(n, method).unwrap_err().to_string();
        assert_eq!(
            message(51.0, None),
            "input must be an integer from 0 to 50, got the number 51 (or params.method 'iterative')"
        );
        assert_eq!(
            message(79.0, Some("iterative")),
            "input must be an integer from 0 to 78, got the number 79"
        );
        for bad in [-1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert!(fib(bad, None).is_err());
        }
        assert!(message(1.0, Some("fast")).contains("'recursive' or 'iterative'"));
    }

    #[test]
    fn both_tasks_stop_when_cancelled() {
        let cases = [
            (count_primes as Run, MAX_SAFE_INTEGER),
            (fibonacci, MAX_RECURSIVE),
        ];
        for (run, input) in cases {
            let cancel = AtomicU32::new(0);
            thread::scope(|scope| {
                let running = scope.spawn(|| {
                    let context = Context::new(&cancel, None);
                    run(Value::Number(input as f64), Params::none(), &context)
                });
                cancel.store(1, Ordering::Relaxed);
                assert_eq!(running.join().unwrap(), Err(Error::Cancelled));
            });
        }
    }

    proptest! {
        #[test]
        fn agrees_with_trial_division(from in 0u64..2_000_000, length in 0u64..2_000) {
            let expected = (from..=from + length).filter(|n| is_prime(*n)).count();
            prop_assert_eq!(primes_between(from, from + length), expected as f64);
        }

        #[test]
        fn the_first_strike_is_the_first_odd_multiple_from_the_square(
            prime in prop::sample::select(vec![3u64, 5, 7, 11, 101, 7919]),
            half in 1u64..1_000_000,
        ) {
            let start = 2 * half + 1;
            let first = first_strike(prime, start);
            let expected = (start.max(prime * prime)..).find(|n| n % 2 == 1 && n % prime == 0);
            prop_assert_eq!(Some(first), expected);
        }
    }
}
