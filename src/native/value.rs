//! What a native task takes and gives: plain Rust data, copied from or moved into JavaScript by
//! the binding layer, and bytes that may be the caller's ([`Data`]).

use super::data::Data;
use super::error::TaskError;
use super::record::Record;

/// An input or a result of a native task.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `undefined`, and an input that was not given.
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
    String(String),
    /// A Buffer, a Uint8Array, a DataView or an ArrayBuffer; as a result a Buffer.
    Bytes(Data),
    /// Any other typed array, and a Uint8Array that is not a Buffer as a result.
    Array(TypedArray),
    /// A plain object or array.
    Json(serde_json::Value),
    /// A plain object with a member that JSON cannot carry.
    Record(Record),
    /// An array with an item that JSON cannot carry.
    List(Vec<Value>),
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<TypedArray> for Value {
    fn from(array: TypedArray) -> Self {
        Self::Array(array)
    }
}

/// A BigInt: its sign and its magnitude, least significant word first, as Node-API carries it.
/// Zero is no words, or only zero words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BigInt {
    /// Whether the number is below zero.
    pub negative: bool,
    /// The magnitude in 64-bit words, least significant first.
    pub words: Vec<u64>,
}

/// The elements of a typed array, in the byte order of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedArray {
    /// What the elements are.
    pub kind: ArrayKind,
    /// The elements' bytes; the length is a multiple of [`ArrayKind::size`].
    pub bytes: Data,
}

/// The kinds of typed array that tasks know. `Float16Array` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each name says its kind")]
pub enum ArrayKind {
    Int8,
    Uint8,
    Uint8Clamped,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Float32,
    Float64,
    BigInt64,
    BigUint64,
}

impl ArrayKind {
    /// Bytes per element.
    pub const fn size(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 | Self::Uint8Clamped => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Float64 | Self::BigInt64 | Self::BigUint64 => 8,
        }
    }

    /// The name of the JavaScript class.
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::Int8 => "Int8Array",
            Self::Uint8 => "Uint8Array",
            Self::Uint8Clamped => "Uint8ClampedArray",
            Self::Int16 => "Int16Array",
            Self::Uint16 => "Uint16Array",
            Self::Int32 => "Int32Array",
            Self::Uint32 => "Uint32Array",
            Self::Float32 => "Float32Array",
            Self::Float64 => "Float64Array",
            Self::BigInt64 => "BigInt64Array",
            Self::BigUint64 => "BigUint64Array",
        }
    }
}

impl TypedArray {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.kind.size()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
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

impl BigInt {
    /// The number, if it is from 0 to 2⁶⁴ − 1.
    pub fn to_u64(&self) -> Option<u64> {
        let (low, high) = match self.words.split_first() {
            Some((low, high)) => (*low, high),
            None => (0, &[][..]),
        };
        let fits = high.iter().all(|word| *word == 0) && (!self.negative || low == 0);
        fits.then_some(low)
    }
}

/// The largest integer that a JavaScript number holds exactly with all below it: 2⁵³ − 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

impl Value {
    /// The input of a task that takes bytes: bytes as they are, the memory of a typed array, a
    /// string as UTF-8. Nothing is copied.
    pub fn into_bytes(self) -> Result<Data, TaskError> {
        match self {
            Self::Bytes(bytes) | Self::Array(TypedArray { bytes, .. }) => Ok(bytes),
            Self::String(text) => Ok(text.into_bytes().into()),
            other => Err(TaskError::invalid(format!(
                "input must be a Buffer, a typed array, a DataView, an ArrayBuffer, a \
                 SharedArrayBuffer or a string, got {}",
                other.describe()
            ))),
        }
    }

    /// The input of a task that takes a typed array, called `what` in messages; a Buffer is one of bytes.
    pub fn into_array(self, what: &str) -> Result<TypedArray, TaskError> {
        match self {
            Self::Array(array) if array.bytes.len() % array.kind.size() == 0 => Ok(array),
            Self::Bytes(bytes) => Ok(TypedArray {
                kind: ArrayKind::Uint8,
                bytes,
            }),
            other => {
                let got = other.describe();
                Err(TaskError::invalid(format!(
                    "{what} must be a typed array (not a Float16Array), got {got}"
                )))
            }
        }
    }

    /// The value as an integer from 0 to 2⁵³ − 1, given as a number or a BigInt.
    pub fn to_safe_integer(&self) -> Option<u64> {
        match self {
            Self::Number(n) => safe_integer(*n),
            Self::BigInt(n) => n.to_u64().filter(|n| *n <= MAX_SAFE_INTEGER),
            _ => None,
        }
    }

    /// The value in a few words for an error message, e.g. `the number 1.5`.
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
            Self::Json(serde_json::Value::Array(_)) | Self::List(_) => "an array".into(),
            Self::Json(_) | Self::Record(_) => "an object".into(),
        }
    }
}

/// `n` as an integer from 0 to 2⁵³ − 1.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_inputs_keep_their_bytes() {
        let array = TypedArray {
            kind: ArrayKind::Uint16,
            bytes: vec![1, 2, 3, 4].into(),
        };
        assert_eq!(array.len(), 2);
        let bytes = |value: Value| value.into_bytes().unwrap().into_vec();
        assert_eq!(bytes(Value::Array(array)), [1, 2, 3, 4]);
        assert_eq!(bytes(Value::Bytes(vec![9].into())), [9]);
        assert_eq!(bytes(Value::String("é".into())), [0xc3, 0xa9]);
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
            (Value::BigInt(7.into()), "the BigInt 7n"),
            (Value::Json(serde_json::json!([])), "an array"),
            (Value::Json(serde_json::json!({})), "an object"),
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
        assert_eq!(number(MAX_SAFE_INTEGER as f64), Some(MAX_SAFE_INTEGER));
        for bad in [-1.0, 0.5, 2f64.powi(53), f64::NAN, f64::INFINITY] {
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
    fn long_strings_are_cut_at_a_character() {
        let shown = quote(&"é".repeat(50));
        assert_eq!(shown, format!("'{}…'", "é".repeat(40)));
    }
}
