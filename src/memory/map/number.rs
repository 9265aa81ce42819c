//! Numbers as the values of entries, and how they are counted. A whole number has 64 bits, and counting it is exact; any
//! other is a double.

use super::{Bytes, Change, Hands, Key, Map, MapError, Put};
use crate::wire::tag;

/// Beyond this, a double does not hold every whole number.
pub const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number that is stored, or will be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i64),
    /// Any number.
    Other(f64),
}

/// Why nothing was counted.
#[derive(Debug)]
pub enum NotCounted {
    /// The value is no number, or no whole one where the sum is to be whole.
    NoNumber,
    /// The sum has more than 64 bits.
    Overflow,
    /// The map has refused the sum.
    Refused(MapError),
}

/// A step of counting.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// It is added.
    pub by: Number,
    /// It stands for the value of a key that is not there.
    pub initial: Number,
    /// Whether the sum has to be a whole number.
    pub whole: bool,
    /// When a new entry ends, in microseconds; 0 for never. The entry that is there ends when it would have.
    pub expires: u64,
}

impl Number {
    /// The number that is nearest to how JavaScript shows it: whole if that loses nothing, not even the sign of zero.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with what was given"
    )]
    pub fn of(number: f64) -> Number {
        let whole = number as i64;
        let exact = number.abs() <= EXACT && whole as f64 == number;
        if exact && (whole != 0 || number.is_sign_positive()) {
            return Number::Whole(whole);
        }
        Number::Other(number)
    }

    /// The number of a stored value, if it is one.
    pub fn stored(tag: u16, bytes: &[u8]) -> Option<Number> {
        let word = u64::from_ne_bytes(bytes.try_into().ok()?);
        match u32::from(tag) {
            tag::INT64 => Some(Number::Whole(word.cast_signed())),
            tag::NUMBER => Some(Number::Other(f64::from_bits(word))),
            _ => None,
        }
    }

    /// How it is stored: its tag and its eight bytes.
    pub fn store(self) -> (u16, u64) {
        match self {
            Number::Whole(whole) => (tag::INT64 as u16, whole.cast_unsigned()),
            Number::Other(number) => (tag::NUMBER as u16, number.to_bits()),
        }
    }

    /// The number as a whole one, if it is one.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
    fn whole(self) -> Option<i64> {
        const END: f64 = 9_223_372_036_854_775_808.0;
        match self {
            Number::Whole(whole) => Some(whole),
            Number::Other(number) => {
                (number.fract() == 0.0 && (-END..END).contains(&number)).then_some(number as i64)
            }
        }
    }

    fn double(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Other(number) => number,
        }
    }

    /// Whole numbers stay whole, and are exact: what is stored as one is never rounded by adding another.
    fn add(self, other: Number) -> Result<Number, NotCounted> {
        let exact = matches!((self, other), (Number::Whole(_), _) | (_, Number::Whole(_)));
        let has_fraction = |number: Number| number.double().fract() != 0.0;
        let wholes = self.whole().zip(other.whole());
        match wholes.and_then(|(one, two)| one.checked_add(two)) {
            Some(sum) => Ok(Number::Whole(sum)),
            None if exact && !has_fraction(self) && !has_fraction(other) => {
                Err(NotCounted::Overflow)
            }
            None => Ok(Number::Other(self.double() + other.double())),
        }
    }
}

impl Map {
    /// Adds to the number of a key, as one step. Returns the sum.
    pub fn count_up(&self, hands: &mut Hands, key: &Key, step: Step) -> Result<Number, NotCounted> {
        let mut sum = Err(NotCounted::NoNumber);
        self.change(hands, key, true, |entry| {
            let (before, expires, stale) = match entry.filter(|entry| entry.is_fresh()) {
                None => (Some(step.initial), step.expires, 0),
                Some(entry) => {
                    let number = Number::stored(entry.tag, entry.value());
                    (number, entry.expires, entry.stale)
                }
            };
            sum = before
                .ok_or(NotCounted::NoNumber)
                .and_then(|number| number.add(step.by))
                .and_then(|sum| match sum {
                    Number::Other(_) if step.whole => Err(NotCounted::NoNumber),
                    sum => Ok(sum),
                });
            let Ok(number) = &sum else {
                return Change::Keep;
            };
            let (tag, word) = number.store();
            Change::Put(Put {
                tag,
                value: Bytes::Word(word),
                expires,
                stale,
            })
        })
        .map_err(NotCounted::Refused)?;
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_stored_as_a_whole_number() {
        for number in [0.0, 1.0, -5.0, EXACT, -EXACT] {
            assert!(matches!(Number::of(number), Number::Whole(_)), "{number}");
        }
        for number in [-0.0, 0.5, EXACT * 2.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Number::of(number), Number::Other(_)), "{number}");
        }
        for number in [Number::Whole(i64::MIN), Number::Other(0.5)] {
            let (tag, word) = number.store();
            assert_eq!(Number::stored(tag, &word.to_ne_bytes()), Some(number));
        }
        assert_eq!(Number::stored(tag::INT64 as u16, &[1, 2]), None);
        assert_eq!(Number::stored(tag::LATIN1 as u16, &[0; 8]), None);
    }

    #[test]
    fn sums_of_whole_numbers_are_exact_or_refused() {
        let add = |one: Number, two: Number| one.add(two);
        let max = Number::Whole(i64::MAX);
        assert_eq!(
            add(max, Number::Whole(-1)).unwrap(),
            Number::Whole(i64::MAX - 1)
        );
        assert!(matches!(
            add(max, Number::Whole(1)),
            Err(NotCounted::Overflow)
        ));
        assert!(matches!(
            add(Number::Whole(i64::MIN), Number::Other(-1.0)),
            Err(NotCounted::Overflow)
        ));
        assert!(matches!(
            add(max, Number::Other(2f64.powi(63))),
            Err(NotCounted::Overflow)
        ));
        let large = Number::Other(2f64.powi(63));
        assert_eq!(add(large, large).unwrap(), Number::Other(2f64.powi(64)));
        assert_eq!(
            add(Number::Whole(1), Number::Other(0.5)).unwrap(),
            Number::Other(1.5)
        );
    }
}
