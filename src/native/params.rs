//! The params of a native task: one JSON object, read field by field. A field that is missing
//! takes the task's default; an unknown or wrong one is refused with its name, its value and what
//! is allowed. [`Fields`] also reads inputs that are objects.

use std::ops::RangeInclusive;

use serde_json::{Map, Value as Json};

use super::{
    error::TaskError,
    registry::nearest,
    value::{quote, safe_integer},
};

/// The params of one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Option<Map<String, Json>>);

impl Params {
    /// No params: every field takes its default. Allocates nothing.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Params from the JSON text of an object.
    pub fn from_json(text: &str) -> Result<Self, TaskError> {
        match serde_json::from_str::<Json>(text) {
            Ok(json) => Self::try_from(json),
            Err(error) => Err(TaskError::invalid(format!("params are not JSON: {error}"))),
        }
    }

    /// Starts reading. A field that is not in `known` is refused.
    pub fn read(&self, known: &'static [&'static str]) -> Result<Fields<'_>, TaskError> {
        Fields::new("params", self.0.as_ref(), known)
    }
}

impl TryFrom<Json> for Params {
    type Error = TaskError;

    fn try_from(json: Json) -> Result<Self, TaskError> {
        match json {
            Json::Null => Ok(Self(None)),
            Json::Object(map) => Ok(Self(Some(map))),
            other => Err(TaskError::invalid(format!(
                "params must be an object, got {}",
                describe(&other)
            ))),
        }
    }
}

/// Reads the fields of an object whose names are known.
#[derive(Debug)]
pub struct Fields<'a> {
    /// What the object is to the user: `params` or `input`.
    what: &'static str,
    map: Option<&'a Map<String, Json>>,
}

impl<'a> Fields<'a> {
    /// Starts reading `map`, called `what` in messages. A field that is not in `known` is refused.
    pub fn new(
        what: &'static str,
        map: Option<&'a Map<String, Json>>,
        known: &'static [&'static str],
    ) -> Result<Self, TaskError> {
        for name in map.into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                return Err(unknown(what, name, known));
            }
        }
        Ok(Self { what, map })
    }

    fn get(&self, name: &str) -> Option<&'a Json> {
        self.map.and_then(|map| map.get(name))
    }

    fn wrong(&self, name: &str, allowed: &str, value: &Json) -> TaskError {
        let (what, got) = (self.what, describe(value));
        TaskError::invalid(format!("{what}.{name} must be {allowed}, got {got}"))
    }

    /// A boolean.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, TaskError> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong(name, "true or false", other)),
        }
    }

    /// An integer within `range`, which ends at 2⁵³ − 1 or before.
    pub fn integer(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, TaskError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_f64().and_then(safe_integer) {
            Some(n) if range.contains(&n) => Ok(Some(n)),
            _ => {
                let allowed = format!("an integer from {} to {}", range.start(), range.end());
                Err(self.wrong(name, &allowed, value))
            }
        }
    }

    /// A number that is finite.
    pub fn number(&self, name: &str) -> Result<Option<f64>, TaskError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_f64().filter(|n| n.is_finite()) {
            Some(n) => Ok(Some(n)),
            None => Err(self.wrong(name, "a number", value)),
        }
    }

    /// A list of numbers within `range`.
    pub fn numbers(
        &self,
        name: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<Vec<f64>>, TaskError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let numbers = value.as_array().and_then(|list| {
            let number = |n: &Json| n.as_f64().filter(|n| range.contains(n));
            list.iter().map(number).collect()
        });
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

    /// An unsigned 64-bit integer: a number up to 2⁵³ − 1, or beyond it (and for a BigInt, which
    /// JSON cannot carry) a string of decimal digits or of hexadecimal digits after `0x`.
    pub fn u64(&self, name: &str) -> Result<Option<u64>, TaskError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let parsed = match value {
            Json::Number(n) => n.as_f64().and_then(safe_integer),
            Json::String(text) => parse_u64(text),
            _ => None,
        };
        let allowed = "an integer from 0 to 2^53 - 1, or a BigInt or string of digits below 2^64";
        match parsed {
            Some(n) => Ok(Some(n)),
            None => Err(self.wrong(name, allowed, value)),
        }
    }

    /// One of a few strings, each standing for a value.
    pub fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, TaskError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let found = value
            .as_str()
            .and_then(|text| choices.iter().find(|(choice, _)| *choice == text));
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

fn unknown(what: &str, name: &str, known: &[&'static str]) -> TaskError {
    let mut message = format!("{what}.{} is unknown", name);
    if let Some(near) = nearest(name, known.iter().copied()) {
        message += &format!(", did you mean {near}?");
    }
    if known.is_empty() {
        message += "; this task takes none";
    } else {
        message += &format!("; known are {}", known.join(", "));
    }
    TaskError::invalid(message)
}

fn describe(json: &Json) -> String {
    match json {
        Json::String(text) => quote(text),
        Json::Array(_) => "an array".into(),
        Json::Object(_) => "an object".into(),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(text: &str) -> Params {
        Params::from_json(text).unwrap()
    }

    fn message<T: std::fmt::Debug>(result: Result<T, TaskError>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
        error.to_string()
    }

    #[test]
    fn missing_fields_are_none() {
        for params in [Params::none(), params("{}"), params("null")] {
            let fields = params.read(&["level", "fast"]).unwrap();
            assert_eq!(fields.integer("level", 0..=9).unwrap(), None);
            assert_eq!(fields.boolean("fast").unwrap(), None);
        }
    }

    #[test]
    fn only_objects_are_params() {
        assert_eq!(
            message(Params::from_json("[1]")),
            "params must be an object, got an array"
        );
        assert!(message(Params::from_json("{")).starts_with("params are not JSON"));
    }

    #[test]
    fn unknown_fields_are_named_with_the_nearest() {
        let wrong = params(r#"{"levle":1}"#);
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
    fn integers_are_checked() {
        for (text, value) in [("0", 0), ("9", 9), ("9.0", 9), ("-0.0", 0)] {
            let params = params(&format!(r#"{{"level":{text}}}"#));
            let fields = params.read(&["level"]).unwrap();
            assert_eq!(fields.integer("level", 0..=9).unwrap(), Some(value));
        }
        for text in ["10", "-1", "1.5", "null", "true", "\"5\"", "1e300"] {
            let params = params(&format!(r#"{{"level":{text}}}"#));
            let fields = params.read(&["level"]).unwrap();
            let message = message(fields.integer("level", 0..=9));
            assert!(
                message.starts_with("params.level must be an integer from 0 to 9, got "),
                "{message}"
            );
        }
    }

    #[test]
    fn sixty_four_bits_go_through_strings() {
        let read = |text: &str| {
            let params = params(&format!(r#"{{"seed":{text}}}"#));
            params.read(&["seed"]).unwrap().u64("seed")
        };
        assert_eq!(read("7").unwrap(), Some(7));
        assert_eq!(read(r#""18446744073709551615""#).unwrap(), Some(u64::MAX));
        assert_eq!(read(r#""0xff""#).unwrap(), Some(255));
        for bad in [
            "-1",
            "9007199254740992",
            r#""18446744073709551616""#,
            r#""+1""#,
            r#""0x+1""#,
            r#""""#,
            "[]",
        ] {
            assert!(
                message(read(bad)).starts_with("params.seed must be"),
                "{bad}"
            );
        }
    }

    #[test]
    fn choices_list_what_is_allowed() {
        let choices = [("hex", 16), ("base64", 64), ("buffer", 256)];
        let read = |text: &str| {
            let params = params(&format!(r#"{{"encoding":{text}}}"#));
            params
                .read(&["encoding"])
                .unwrap()
                .choice("encoding", &choices)
        };
        assert_eq!(read(r#""base64""#).unwrap(), Some(64));
        assert_eq!(
            message(read(r#""HEX""#)),
            "params.encoding must be 'hex', 'base64' or 'buffer', got 'HEX'"
        );
        assert!(message(read("3")).ends_with("got 3"));
    }

    proptest! {
        /// Whatever text comes is params, or is refused with the code for that.
        #[test]
        fn any_text_is_params_or_is_refused(text in r#"[\{\}\[\]",:0-9a-z\\. -]{0,60}"#, key in "[a-z]{0,8}", number in any::<f64>()) {
            for text in [text.clone(), format!("{{\"{key}\":{number}}}"), format!("{{\"{key}\":{text}}}")] {
                let read = Params::from_json(&text).and_then(|params| {
                    params.read(&["level"])?.u64("level")
                });
                if let Err(error) = read {
                    prop_assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
                }
            }
        }
    }
}
