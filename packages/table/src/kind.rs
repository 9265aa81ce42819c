//! The types of columns: the fields that each can have, and which type holds all fields of a column.

use rspool_task::{Input, Result, Value, must_be};
use speedate::{Date, DateTime};

use crate::few::Few;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing but nulls.
    Null,
    /// `true` and `false`, in any case.
    Bool,
    /// Integers of 32 bits.
    I32,
    /// Integers of 64 bits.
    I64,
    /// Numbers.
    F64,
    /// Dates and times of ISO 8601, in milliseconds since 1970. UTC if they name no time zone.
    Timestamp,
    /// Texts.
    Text,
    /// Texts, many of which are the same.
    Dictionary,
}

/// The field of a row in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The bytes as they are written; those of a text without its quotes.
    pub bytes: &'a [u8],
    /// Whether it must be a text, even if it looks like a number. CSV does not say so.
    pub text: bool,
}

/// The names of the types for users.
const NAMES: [(&str, Kind); 8] = [
    ("null", Kind::Null),
    ("bool", Kind::Bool),
    ("i32", Kind::I32),
    ("i64", Kind::I64),
    ("f64", Kind::F64),
    ("timestamp", Kind::Timestamp),
    ("text", Kind::Text),
    ("dictionary", Kind::Dictionary),
];

impl Kind {
    /// The name for users.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(_, kind)| *kind == self);
        known.map_or("text", |(name, _)| name)
    }

    /// The type that holds the values of both types.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        use Kind::{Dictionary, F64, I32, I64, Null, Text};
        match (self, other) {
            (one, two) if one == two => one,
            (Null, kind) | (kind, Null) => kind,
            (I32, I64) | (I64, I32) => I64,
            (I32 | I64, F64) | (F64, I32 | I64) => F64,
            (Dictionary, _) | (_, Dictionary) => Dictionary,
            _ => Text,
        }
    }

    /// The narrowest type that holds this field.
    #[must_use]
    pub fn of(field: Field<'_>) -> Self {
        let Field { bytes: field, text } = field;
        if text {
            return match timestamp(field) {
                Some(_) => Self::Timestamp,
                None => Self::Text,
            };
        }
        if is_number(field) {
            match integer(field) {
                Some(n) if i32::try_from(n).is_ok() => return Self::I32,
                Some(_) => return Self::I64,
                None if float(field).is_some() => return Self::F64,
                None => {}
            }
        }
        if boolean(field).is_some() {
            Self::Bool
        } else if timestamp(field).is_some() {
            Self::Timestamp
        } else {
            Self::Text
        }
    }
}

impl<'a> Input<'a> for Kind {
    fn type_of() -> String {
        "'bool' | 'i32' | 'i64' | 'f64' | 'timestamp' | 'text' | 'dictionary'".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let known = NAMES[1..]
            .iter()
            .find(|(name, _)| matches!(&value, Value::String(given) if **given == **name));
        match known {
            Some((_, kind)) => Ok(*kind),
            None => must_be(
                what,
                "'bool', 'i32', 'i64', 'f64', 'timestamp', 'text' or 'dictionary'",
                &value,
            ),
        }
    }
}

/// Whether a field looks like a number and not like a text. `01234` (a postcode), `+49…` (a phone number), `1_000` and
/// `nan` do not.
#[must_use]
pub fn is_number(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    match digits {
        [b'0', b'0'..=b'9', ..] => false,
        [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => true,
        _ => false,
    }
}

/// The field as an integer of 64 bits.
#[must_use]
#[inline]
pub fn integer(field: &[u8]) -> Option<i64> {
    let (negative, digits) = match field {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, field),
    };
    if let Some(few) = Few::new(digits) {
        let number = i64::from(few.integer()?);
        return Some(if negative { -number } else { number });
    }
    if digits.is_empty() {
        return None;
    }
    // Summed below zero, where there is one more number.
    let mut sum: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = if digits.len() < 19 {
            sum * 10 - i64::from(digit)
        } else {
            sum.checked_mul(10)?.checked_sub(i64::from(digit))?
        };
    }
    if negative {
        Some(sum)
    } else {
        sum.checked_neg()
    }
}

/// The field as a number.
#[must_use]
#[inline]
pub fn float(field: &[u8]) -> Option<f64> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    match Few::new(digits).and_then(Few::decimal) {
        Some(size) if digits.len() < field.len() => Some(-size),
        None => fast_float2::parse(field).ok(),
        size => size,
    }
}

/// The field as a boolean.
#[must_use]
pub fn boolean(field: &[u8]) -> Option<bool> {
    match field.len() {
        4 if field.eq_ignore_ascii_case(b"true") => Some(true),
        5 if field.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// The field as milliseconds since 1970: `2024-01-31`, `2024-01-31T12:30:00.5Z`, `2024-01-31 12:30:00+02:00`.
#[must_use]
pub fn timestamp(field: &[u8]) -> Option<i64> {
    // Refuses most other fields quickly.
    if field.len() < 10 || field[4] != b'-' {
        return None;
    }
    if field.len() == 10 {
        return Some(Date::parse_bytes_rfc3339(field).ok()?.timestamp() * 1000);
    }
    let time = DateTime::parse_bytes_rfc3339(field).ok()?;
    Some(time.timestamp_tz() * 1000 + i64::from(time.time.microsecond / 1000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_narrowest_type_holds_a_field() {
        for (field, kind) in [
            ("0", Kind::I32),
            ("-2147483648", Kind::I32),
            ("2147483648", Kind::I64),
            ("-9223372036854775808", Kind::I64),
            ("9223372036854775808", Kind::F64),
            ("0.5", Kind::F64),
            ("-.5", Kind::F64),
            ("1e-3", Kind::F64),
            ("007", Kind::Text),
            ("-01", Kind::Text),
            ("+49123", Kind::Text),
            ("1.2.3", Kind::Text),
            ("nan", Kind::Text),
            ("inf", Kind::Text),
            ("TRUE", Kind::Bool),
            ("false", Kind::Bool),
            ("2024-01-31", Kind::Timestamp),
            ("2024-01-31T12:30:00Z", Kind::Timestamp),
            ("2024-13-31", Kind::Text),
            ("2024", Kind::I32),
            (" 1", Kind::Text),
            ("-", Kind::Text),
        ] {
            let field = |text| Field {
                bytes: field.as_bytes(),
                text,
            };
            assert_eq!(Kind::of(field(false)), kind, "{:?}", field(false));
            let as_text = if kind == Kind::Timestamp {
                kind
            } else {
                Kind::Text
            };
            assert_eq!(Kind::of(field(true)), as_text, "{:?}", field(true));
        }
    }

    #[test]
    fn integers_end_where_64_bits_end() {
        assert_eq!(integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer(b"9223372036854775808"), None);
        assert_eq!(integer(b"0000000000000000000007"), Some(7));
        assert_eq!(integer(b"+7"), Some(7));
        for wrong in ["", "-", "+", "1 ", "1.0", "12345678901234567890123"] {
            assert_eq!(integer(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_are_those_of_the_standard_library(text in "-?[0-9]{0,18}\\.?[0-9]{0,18}(e-?[0-9]{1,3})?|[-.0-9/:]{0,9}") {
            let expected: Option<f64> = text.parse().ok();
            let found = float(text.as_bytes());
            prop_assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits));
            prop_assert_eq!(integer(text.as_bytes()), text.parse().ok());
        }
    }

    #[test]
    fn times_are_milliseconds_of_utc() {
        assert_eq!(timestamp(b"1970-01-01"), Some(0));
        assert_eq!(timestamp(b"1970-01-01T00:00:01.25Z"), Some(1250));
        assert_eq!(timestamp(b"1970-01-01 02:00:00+02:00"), Some(0));
        assert_eq!(timestamp(b"1969-12-31T23:59:59.5"), Some(-500));
        assert_eq!(timestamp(b"2024-02-30"), None);
    }

    #[test]
    fn a_join_holds_both_and_their_order_does_not_matter() {
        let kinds = NAMES.map(|(_, kind)| kind);
        for a in kinds {
            assert_eq!(a.join(a), a);
            for b in kinds {
                assert_eq!(a.join(b), b.join(a));
                for c in kinds {
                    assert_eq!(a.join(b).join(c), a.join(b.join(c)), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}
