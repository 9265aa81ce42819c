//! The values that a task takes and gives, whatever its type: plain Rust data.

use crate::array::TypedArray;
use crate::bytes::{Bytes, Text};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::input::Input;
use crate::map::Map;
use crate::params::Fields;

/// An input, a param or a result of a task. The parts that are lent from an input live as long as its call.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// `undefined`, or a value that was not given.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A BigInt of any size.
    BigInt(BigInt),
    /// A string. A lone surrogate has become U+FFFD, as in `TextEncoder`.
    String(Text<'a>),
    /// A Buffer, a Uint8Array, a DataView or an ArrayBuffer; as a result a Buffer.
    Bytes(Data<'a>),
    /// Any other typed array. In a result, also a Uint8Array that is not a Buffer.
    Array(TypedArray<'a>),
    /// An array.
    List(Vec<Value<'a>>),
    /// A plain object.
    Record(Record<'a>),
    /// A SharedMap; as a result what its `share()` gives.
    Map(Map),
}

/// The fields of a plain object, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record<'a>(Vec<(String, Value<'a>)>);

impl<'a> Record<'a> {
    /// No field.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a field. If two fields have one name, the last one counts.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Value<'a>>) {
        self.0.push((name.into(), value.into()));
    }

    /// The record with one more field.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value<'a>>) -> Self {
        self.push(name, value);
        self
    }

    /// Takes a field of an input out, which must be a typed array or a Buffer.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the field is something else or missing.
    pub fn take_array(&mut self, name: &str) -> Result<TypedArray<'a>> {
        self.take(name)
            .unwrap_or_default()
            .into_array(&format!("input.{name}"))
    }

    /// Refuses an input with fields that are not in `known`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`].
    pub fn end(&self, known: &'static [&'static str]) -> Result<()> {
        Fields::new("input", Some(self), known).map(drop)
    }

    /// The value of this field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.iter()
            .rev()
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The value of this field, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        let mut fields = self.0.iter_mut().rev();
        fields.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Takes the value of this field out.
    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let mut fields = self.0.iter_mut().rev();
        fields.find_map(|(known, value)| (known == name).then(|| std::mem::take(value)))
    }

    /// The record without the limit of the call: the lent parts are copied.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let fields = self.into_iter();
        Record(
            fields
                .map(|(name, value)| (name, value.into_owned()))
                .collect(),
        )
    }

    /// Names and values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

impl<'a> IntoIterator for Record<'a> {
    type Item = (String, Value<'a>);
    type IntoIter = std::vec::IntoIter<(String, Value<'a>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, N: Into<String>, V: Into<Value<'a>>> FromIterator<(N, V)> for Record<'a> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        Self(
            fields
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// A BigInt: its sign and its magnitude, least significant word first. Zero has no words, or only zero words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BigInt {
    /// Whether the number is below zero.
    pub negative: bool,
    /// The magnitude in 64-bit words, least significant first.
    pub words: Vec<u64>,
}

impl From<u64> for BigInt {
    fn from(n: u64) -> Self {
        let words = if n == 0 { Vec::new() } else { vec![n] };
        Self {
            negative: false,
            words,
        }
    }
}

impl From<i64> for BigInt {
    fn from(n: i64) -> Self {
        Self {
            negative: n < 0,
            ..n.unsigned_abs().into()
        }
    }
}

impl BigInt {
    /// The number, if it is from 0 to 2⁶⁴ − 1.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        let (low, high) = match self.words.split_first() {
            Some((low, high)) => (*low, high),
            None => (0, &[][..]),
        };
        let fits = high.iter().all(|word| *word == 0) && (!self.negative || low == 0);
        fits.then_some(low)
    }

    /// The number, if it is from −2⁶³ to 2⁶³ − 1.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let magnitude = Self {
            negative: false,
            words: self.words.clone(),
        }
        .to_u64()?;
        let number = i128::from(magnitude);
        i64::try_from(if self.negative { -number } else { number }).ok()
    }
}

/// The largest integer up to which a JavaScript number holds every integer exactly: 2⁵³ − 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

impl<'a> Value<'a> {
    /// The input of a task that takes bytes: bytes as they are, the memory of a typed array, or the UTF-8 of a string.
    /// Nothing is copied.
    pub fn into_bytes(self) -> Result<Data<'a>> {
        match self {
            Self::Bytes(bytes) | Self::Array(TypedArray { bytes, .. }) => Ok(bytes),
            Self::String(text) => Ok(text.into_bytes().into()),
            other => Err(Error::invalid(format!(
                "input must be a Buffer, a typed array, a DataView, an ArrayBuffer, a SharedArrayBuffer or a string, \
                 got {}",
                other.describe()
            ))),
        }
    }

    /// The input of a task that takes a typed array of any kind, called `what` in messages. A Buffer counts as an array
    /// of bytes.
    ///
    /// # Errors
    /// [`Error::InvalidInput`].
    pub fn into_array(self, what: &str) -> Result<TypedArray<'a>> {
        TypedArray::from_value(self, what)
    }

    /// The value without the limit of the call: the lent parts are copied.
    #[inline]
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Undefined => Value::Undefined,
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(number) => Value::Number(number),
            other => other.into_owned_memory(),
        }
    }

    fn into_owned_memory(self) -> Value<'static> {
        match self {
            Self::BigInt(number) => Value::BigInt(number),
            Self::String(text) => Value::String(text.into_owned()),
            Self::Bytes(data) => Value::Bytes(data.into_owned()),
            Self::Array(array) => Value::Array(array.into_owned()),
            Self::List(items) => Value::List(items.into_iter().map(Self::into_owned).collect()),
            Self::Record(record) => Value::Record(record.into_owned()),
            Self::Map(map) => Value::Map(map),
            plain => plain.into_owned(),
        }
    }

    /// The value as an integer from 0 to 2⁵³ − 1, given as a number or a BigInt.
    #[must_use]
    pub fn to_safe_integer(&self) -> Option<u64> {
        match self {
            Self::Number(n) => safe_integer(*n),
            Self::BigInt(n) => n.to_u64().filter(|n| *n <= MAX_SAFE_INTEGER),
            _ => None,
        }
    }

    /// The value in a few words for an error message, e.g. `the number 1.5`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Undefined => "undefined".into(),
            Self::Null => "null".into(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) if n.is_infinite() => {
                if *n > 0.0 { "Infinity" } else { "-Infinity" }.into()
            }
            Self::Number(n) => format!("the number {n}"),
            Self::BigInt(n) => match (n.negative, n.to_u64()) {
                (false, Some(n)) => format!("the BigInt {n}n"),
                (true, _) => "a negative BigInt".into(),
                (false, None) => "a BigInt above 64 bits".into(),
            },
            Self::String(s) => format!("the string {}", quote(s)),
            Self::Bytes(b) => format!("{} bytes", b.len()),
            Self::Array(a) => format!("a {} of length {}", a.kind.class_name(), a.len()),
            Self::List(_) => "an array".into(),
            Self::Record(_) => "an object".into(),
            Self::Map(_) => "a SharedMap".into(),
        }
    }
}

/// `n` as an integer from 0 to 2⁵³ − 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "it has been compared"
)]
pub(crate) fn safe_integer(n: f64) -> Option<u64> {
    (n.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER as f64).contains(&n)).then_some(n as u64)
}

/// `text` in single quotes, cut after 40 characters.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{shown}'")
}

macro_rules! from {
    ($($variant:ident: $($type:ty),+;)+) => {
        $($(
            impl<'a> From<$type> for Value<'a> {
                fn from(value: $type) -> Self {
                    Self::$variant(value.into())
                }
            }
        )+)+
    };
}

from! {
    Bool: bool;
    Number: f64, f32, u8, u16, u32, i8, i16, i32;
    BigInt: BigInt;
    String: Text<'a>, String, &str;
    Bytes: Data<'a>, Bytes<'a>, Vec<u8>;
    Array: TypedArray<'a>;
    List: Vec<Value<'a>>;
    Record: Record<'a>;
    Map: Map;
}

impl From<()> for Value<'_> {
    fn from((): ()) -> Self {
        Self::Undefined
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::ArrayKind;

    #[test]
    fn byte_inputs_keep_their_bytes() {
        let array = TypedArray {
            kind: ArrayKind::Uint16,
            bytes: vec![1, 2, 3, 4].into(),
        };
        assert_eq!(array.len(), 2);
        let bytes = |value: Value| value.into_bytes().unwrap().into_vec();
        assert_eq!(bytes(Value::Array(array)), [1, 2, 3, 4]);
        assert_eq!(bytes(vec![9].into()), [9]);
        assert_eq!(bytes("é".into()), [0xc3, 0xa9]);
    }

    #[test]
    fn other_inputs_are_refused_as_bytes_and_described() {
        for (value, words) in [
            (Value::Undefined, "undefined"),
            (Value::Null, "null"),
            (Value::Bool(true), "true"),
            (Value::Number(1.5), "the number 1.5"),
            (Value::Number(f64::NAN), "the number NaN"),
            (Value::Number(f64::NEG_INFINITY), "-Infinity"),
            (Value::BigInt(7u64.into()), "the BigInt 7n"),
            (Value::List(Vec::new()), "an array"),
            (Value::Record(Record::new()), "an object"),
        ] {
            let error = value.into_bytes().unwrap_err();
            assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
            assert!(error.to_string().ends_with(&format!("got {words}")));
        }
    }

    #[test]
    fn safe_integers_end_at_two_to_the_53() {
        let number = |n: f64| Value::Number(n).to_safe_integer();
        assert_eq!(number(0.0), Some(0));
        assert_eq!(number(-0.0), Some(0));
        let too_large = 9_007_199_254_740_992.0;
        assert_eq!(number(too_large - 1.0), Some(MAX_SAFE_INTEGER));
        for bad in [-1.0, 0.5, too_large, f64::NAN, f64::INFINITY] {
            assert_eq!(number(bad), None, "{bad}");
        }
        let big = |negative, words: &[u64]| {
            let words = words.to_vec();
            Value::BigInt(BigInt { negative, words }).to_safe_integer()
        };
        assert_eq!(big(false, &[]), Some(0));
        assert_eq!(big(true, &[0]), Some(0));
        assert_eq!(big(false, &[5, 0]), Some(5));
        assert_eq!(big(true, &[5]), None);
        assert_eq!(big(false, &[5, 1]), None);
        assert_eq!(big(false, &[1 << 53]), None);
    }

    #[test]
    fn signed_integers_of_64_bits_come_back() {
        for n in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(BigInt::from(n).to_i64(), Some(n));
        }
        assert_eq!(BigInt::from(u64::MAX).to_i64(), None);
    }

    #[test]
    fn long_strings_are_cut_at_a_character() {
        let shown = quote(&"é".repeat(50));
        assert_eq!(shown, format!("'{}…'", "é".repeat(40)));
    }

    #[test]
    fn the_last_of_two_fields_with_one_name_counts() {
        let mut record: Record = [("a", 1.0), ("a", 2.0)].into_iter().collect();
        assert_eq!(record.get("a"), Some(&Value::Number(2.0)));
        assert_eq!(record.take("a"), Some(Value::Number(2.0)));
        assert_eq!(record.take("b"), None);
    }

    #[test]
    fn members_are_taken_by_name_and_none_is_left_over() {
        let array = TypedArray {
            kind: ArrayKind::Int32,
            bytes: vec![0; 8].into(),
        };
        let mut record = Record::new().with("keys", array).with("valeus", 1.0);
        assert_eq!(record.take_array("keys").unwrap().len(), 2);
        let message = record.take_array("values").unwrap_err().to_string();
        assert!(
            message.starts_with("input.values must be a typed array"),
            "{message}"
        );
        assert!(message.ends_with("got undefined"), "{message}");
        let message = record.end(&["keys", "values"]).unwrap_err().to_string();
        assert_eq!(
            message,
            "input.valeus is unknown, did you mean values?; known are keys, values"
        );
    }
}
