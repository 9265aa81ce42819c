//! The params of a task: an object that is read field by field. A missing field takes the task's default. An unknown or
//! wrong field is refused with its name, its value and what is allowed. [`Fields`] also reads inputs that are objects.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::value::{Record, Value, quote, safe_integer};

/// The params of one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Option<Record<'static>>);

impl Params {
    /// No params: every field takes its default. Nothing is allocated.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Params from an object. `undefined` and `null` mean no params.
    pub fn from_value(value: Value<'static>) -> Result<Self> {
        match value {
            Value::Undefined | Value::Null => Ok(Self(None)),
            Value::Record(record) => Ok(Self(Some(record))),
            other => Err(Error::invalid(format!(
                "params must be an object, got {}",
                plainly(&other)
            ))),
        }
    }

    /// Starts to read. A field that is not in `known` is refused.
    pub fn read(&self, known: &'static [&'static str]) -> Result<Fields<'_>> {
        Fields::new("params", self.0.as_ref(), known)
    }

    /// The fields that were given.
    #[must_use]
    pub fn into_record(self) -> Record<'static> {
        self.0.unwrap_or_default()
    }
}

impl From<Record<'static>> for Params {
    fn from(record: Record<'static>) -> Self {
        Self(Some(record))
    }
}

impl From<()> for Params {
    fn from((): ()) -> Self {
        Self(None)
    }
}

impl From<Params> for Value<'_> {
    fn from(params: Params) -> Self {
        params.0.map_or(Self::Undefined, Self::Record)
    }
}

/// Reads the fields of an object whose names are known.
#[derive(Debug)]
pub struct Fields<'a> {
    /// What the user calls the object: `params` or `input`.
    what: &'static str,
    record: Option<&'a Record<'a>>,
}

impl<'a> Fields<'a> {
    /// Starts to read `record`, called `what` in messages. A field that is not in `known` is refused.
    pub fn new(
        what: &'static str,
        record: Option<&'a Record<'a>>,
        known: &'static [&'static str],
    ) -> Result<Self> {
        for (name, _) in record.into_iter().flat_map(Record::iter) {
            if !known.contains(&name) {
                return Err(unknown(what, name, known));
            }
        }
        Ok(Self { what, record })
    }

    fn get(&self, name: &str) -> Option<&'a Value<'a>> {
        self.record
            .and_then(|record| record.get(name))
            .filter(|value| **value != Value::Undefined)
    }

    fn wrong(&self, name: &str, allowed: &str, value: &Value<'_>) -> Error {
        let (what, got) = (self.what, plainly(value));
        Error::invalid(format!("{what}.{name} must be {allowed}, got {got}"))
    }

    /// A boolean.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong(name, "true or false", other)),
        }
    }

    /// An integer within `range`, which ends at 2⁵³ − 1 or before.
    pub fn integer(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.to_safe_integer() {
            Some(n) if range.contains(&n) => Ok(Some(n)),
            _ => {
                let allowed = format!("an integer from {} to {}", range.start(), range.end());
                Err(self.wrong(name, &allowed, value))
            }
        }
    }

    /// A finite number.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value {
            Value::Number(n) if n.is_finite() => Ok(Some(*n)),
            _ => Err(self.wrong(name, "a number", value)),
        }
    }

    /// A list of numbers within `range`.
    pub fn numbers(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = |item: &Value<'_>| match item {
            Value::Number(n) => Some(*n).filter(|n| range.contains(n)),
            _ => None,
        };
        let numbers = match value {
            Value::List(items) => items.iter().map(number).collect::<Option<Vec<f64>>>(),
            _ => None,
        };
        if numbers.is_some() {
            return Ok(numbers);
        }
        let allowed = if *range.end() == f64::MAX {
            "a list of numbers".into()
        } else {
            format!(
                "a list of numbers from {} to {}",
                range.start(),
                range.end()
            )
        };
        Err(self.wrong(name, &allowed, value))
    }

    /// An unsigned 64-bit integer: a number up to 2⁵³ − 1, a BigInt, or a string of decimal digits or of hexadecimal
    /// digits after `0x`.
    pub fn u64(&self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let parsed = match value {
            Value::Number(n) => safe_integer(*n),
            Value::BigInt(n) => n.to_u64(),
            Value::String(text) => parse_u64(text),
            _ => None,
        };
        let allowed = "an integer from 0 to 2^53 - 1, or a BigInt or string of digits below 2^64";
        match parsed {
            Some(n) => Ok(Some(n)),
            None => Err(self.wrong(name, allowed, value)),
        }
    }

    /// One of a few strings, each standing for a value.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let found = match value {
            Value::String(text) => choices.iter().find(|(choice, _)| *choice == &**text),
            _ => None,
        };
        if let Some((_, meaning)) = found {
            return Ok(Some(*meaning));
        }
        let names: Vec<String> = choices.iter().map(|(choice, _)| quote(choice)).collect();
        Err(self.wrong(name, &one_of(&names), value))
    }
}

/// Digits only, so that no sign, space or underscore slips through.
fn parse_u64(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let clean = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    u64::from_str_radix(digits, radix).ok().filter(|_| clean)
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "absent".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> Error {
    let mut message = format!("{what}.{name} is unknown");
    if let Some(near) = nearest(name, known) {
        message += &format!(", did you mean {near}?");
    }
    if known.is_empty() {
        message += "; this task takes none";
    } else {
        message += &format!("; known are {}", known.join(", "));
    }
    Error::invalid(message)
}

/// The name in `known` that differs from `name` in at most a third of its letters. rspool itself uses it too.
#[doc(hidden)]
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer than any known name. The distance takes quadratic time, and `name` comes from the user.
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .iter()
        .map(|known| (distance(&known.to_lowercase(), &lower), *known))
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Optimal string alignment: insertions, deletions, changes, and exchanges of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = [Vec::new(), Vec::new(), (0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        rows.rotate_left(1);
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[1][j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[0][j - 2] + 1);
            }
            row.push(least);
        }
        rows[2] = row;
    }
    rows[2][b.len()]
}

/// A value in a message about a param, as the user wrote it in JSON.
fn plainly(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Number(n) if n.is_finite() => n.to_string(),
        other => other.describe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(name: &str, value: impl Into<Value<'static>>) -> Params {
        Record::from_iter([(name, value)]).into()
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
        error.to_string()
    }

    #[test]
    fn missing_fields_are_none() {
        for params in [
            Params::none(),
            Record::new().into(),
            params("level", Value::Undefined),
            Params::from_value(Value::Null).unwrap(),
        ] {
            let fields = params.read(&["level", "fast"]).unwrap();
            assert_eq!(fields.integer("level", 0..=9).unwrap(), None);
            assert_eq!(fields.boolean("fast").unwrap(), None);
        }
    }

    #[test]
    fn only_objects_are_params() {
        assert_eq!(
            message(Params::from_value(Value::List(Vec::new()))),
            "params must be an object, got an array"
        );
    }

    #[test]
    fn unknown_fields_are_named_with_the_nearest() {
        let wrong = params("levle", 1);
        assert_eq!(
            message(wrong.read(&["level"])),
            "params.levle is unknown, did you mean level?; known are level"
        );
        assert_eq!(
            message(wrong.read(&[])),
            "params.levle is unknown; this task takes none"
        );
    }

    #[test]
    fn distances_are_those_of_single_slips() {
        for (a, b, expected) in [
            ("level", "level", 0),
            ("level", "levle", 1),
            ("level", "lvel", 1),
            ("level", "levels", 1),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn integers_are_checked() {
        let read = |value: Value<'static>| {
            params("level", value)
                .read(&["level"])?
                .integer("level", 0..=9)
        };
        for (given, value) in [(0.0, 0), (9.0, 9), (-0.0, 0)] {
            assert_eq!(read(given.into()).unwrap(), Some(value));
        }
        assert_eq!(read(crate::BigInt::from(3u64).into()).unwrap(), Some(3));
        for (given, shown) in [
            (Value::Number(10.0), "10"),
            (Value::Number(-1.0), "-1"),
            (Value::Number(1.5), "1.5"),
            (Value::Number(f64::NAN), "the number NaN"),
            (Value::Null, "null"),
            (Value::Bool(true), "true"),
            (Value::from("5"), "'5'"),
        ] {
            assert_eq!(
                message(read(given)),
                format!("params.level must be an integer from 0 to 9, got {shown}")
            );
        }
    }

    #[test]
    fn sixty_four_bits_go_through_strings_and_big_ints() {
        let read =
            |value: Value<'static>| params("seed", value).read(&["seed"]).unwrap().u64("seed");
        assert_eq!(read(7.into()).unwrap(), Some(7));
        assert_eq!(read("18446744073709551615".into()).unwrap(), Some(u64::MAX));
        assert_eq!(read("0xff".into()).unwrap(), Some(255));
        assert_eq!(
            read(crate::BigInt::from(u64::MAX).into()).unwrap(),
            Some(u64::MAX)
        );
        for bad in ["18446744073709551616", "+1", "0x+1", ""] {
            assert!(message(read(bad.into())).starts_with("params.seed must be"));
        }
        assert!(message(read((-1).into())).starts_with("params.seed must be"));
        assert!(message(read(2f64.powi(53).into())).starts_with("params.seed must be"));
    }

    #[test]
    fn choices_list_what_is_allowed() {
        let choices = [("hex", 16), ("base64", 64), ("buffer", 256)];
        let read = |value: Value<'static>| {
            params("encoding", value)
                .read(&["encoding"])
                .unwrap()
                .choice("encoding", &choices)
        };
        assert_eq!(read("base64".into()).unwrap(), Some(64));
        assert_eq!(
            message(read("HEX".into())),
            "params.encoding must be 'hex', 'base64' or 'buffer', got 'HEX'"
        );
        assert!(message(read(3.into())).ends_with("got 3"));
    }
}
