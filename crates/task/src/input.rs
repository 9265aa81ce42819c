//! The types that the input of a task can have, and its params.

use crate::array::{Array, Element, TypedArray};
use crate::bytes::{Bytes, Text};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::params::Params;
use crate::value::{BigInt, MAX_SAFE_INTEGER, Record, Value};

/// A type of inputs, and of the values in them.
pub trait Input<'a>: Sized {
    /// The type in TypeScript.
    fn type_of() -> String;

    /// The input, or an [`Error::InvalidInput`] that says what `what` (`input`, `params.level`) must be.
    fn from_value(value: Value<'a>, what: &str) -> Result<Self>;
}

/// A type of params: [`Params`], `()` for none, or a [`record!`](crate::record!).
pub trait TaskParams: Sized {
    /// The type in TypeScript.
    fn type_of() -> String;

    /// The params, called `what` in messages.
    fn read(params: Params, what: &'static str) -> Result<Self>;
}

/// The error for a value of another type.
pub fn must_be<T>(what: &str, allowed: &str, got: &Value<'_>) -> Result<T> {
    let got = got.describe();
    Err(Error::invalid(format!(
        "{what} must be {allowed}, got {got}"
    )))
}

impl TaskParams for Params {
    fn type_of() -> String {
        "Record<string, unknown>".into()
    }

    fn read(params: Params, _: &'static str) -> Result<Self> {
        Ok(params)
    }
}

impl TaskParams for () {
    fn type_of() -> String {
        "NoParams".into()
    }

    fn read(params: Params, what: &'static str) -> Result<Self> {
        let record = params.into_record();
        match record.iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(crate::params::unknown(what, name, &[])),
        }
    }
}

/// An input of some type: its name in TypeScript, the allowed values in words, and the patterns that match them.
macro_rules! input {
    ($($type:ty, $ts:literal, $allowed:literal: $($pattern:pat => $value:expr),+;)+) => {
        $(
            impl<'a> Input<'a> for $type {
                fn type_of() -> String {
                    $ts.into()
                }

                fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
                    match value {
                        $($pattern => Ok($value),)+
                        #[allow(unreachable_patterns, reason = "one of them takes all")]
                        other => must_be(what, $allowed, &other),
                    }
                }
            }
        )+
    };
}

input! {
    Value<'a>, "unknown", "anything": value => value;
    (), "undefined", "absent": Value::Undefined => (), Value::Null => ();
    bool, "boolean", "true or false": Value::Bool(value) => value;
    f64, "number", "a number": Value::Number(value) => value;
    BigInt, "bigint", "a BigInt": Value::BigInt(value) => value;
    Record<'a>, "object", "an object": Value::Record(value) => value;
}

impl<'a> Input<'a> for f32 {
    fn type_of() -> String {
        <f64 as Input>::type_of()
    }

    #[expect(clippy::cast_possible_truncation, reason = "the nearest there is")]
    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        Ok(<f64 as Input>::from_value(value, what)? as f32)
    }
}

/// Integers, given as a number or as a BigInt.
macro_rules! integers {
    ($($type:ty),+) => {
        $(
            impl<'a> Input<'a> for $type {
                fn type_of() -> String {
                    "number | bigint".into()
                }

                fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
                    let number = match &value {
                        Value::Number(n) => integer(*n),
                        Value::BigInt(n) => n.to_u64().map(i128::from).or(n.to_i64().map(i128::from)),
                        _ => None,
                    };
                    let number = number.and_then(|n| <$type>::try_from(n).ok());
                    number.map_or_else(|| must_be(what, &range(<$type>::MIN as i128, <$type>::MAX as i128), &value), Ok)
                }
            }
        )+
    };
}

integers! { u8, u16, u32, u64, usize, i8, i16, i32, i64, isize }

/// The number as an integer, if it is one and a number holds it exactly.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "it has been compared"
)]
fn integer(n: f64) -> Option<i128> {
    (n.fract() == 0.0 && n.abs() <= MAX_SAFE_INTEGER as f64).then_some(n as i128)
}

fn range(least: i128, most: i128) -> String {
    let safe = i128::from(MAX_SAFE_INTEGER);
    if most <= safe {
        return format!("an integer from {least} to {most}");
    }
    let least = least.max(-safe);
    format!("an integer from {least} to 2^53 - 1, or a BigInt of 64 bits")
}

impl<'a> Input<'a> for String {
    fn type_of() -> String {
        "string".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::String(text) => Ok(text.into_string()),
            other => must_be(what, "a string", &other),
        }
    }
}

impl<'a> Input<'a> for char {
    fn type_of() -> String {
        <String as Input>::type_of()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match &value {
            Value::String(text) if text.chars().count() == 1 => {
                Ok(text.chars().next().unwrap_or_default())
            }
            _ => must_be(what, "a string of one character", &value),
        }
    }
}

impl<'a> Input<'a> for Data<'a> {
    fn type_of() -> String {
        "BytesLike".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::Bytes(data) | Value::Array(TypedArray { bytes: data, .. }) => Ok(data),
            other => Ok(Bytes::from_value(other, what)?.into()),
        }
    }
}

impl<'a> Input<'a> for Text<'a> {
    /// Bytes are accepted too if they are UTF-8, such as the contents of a file.
    fn type_of() -> String {
        "BytesLike".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        if let Value::String(text) = value {
            return Ok(text);
        }
        let bytes = Bytes::from_value(value, what)?;
        Self::from_utf8(bytes)
            .or_else(|bytes| must_be(what, "a string, or bytes of UTF-8", &bytes.into()))
    }
}

impl<'a> Input<'a> for Bytes<'a> {
    fn type_of() -> String {
        "BytesLike".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        const ALLOWED: &str =
            "a Buffer, a typed array, a DataView, an ArrayBuffer, a SharedArrayBuffer or a string";
        match value {
            Value::Bytes(data) | Value::Array(TypedArray { bytes: data, .. }) => {
                Ok(data.into_bytes())
            }
            Value::String(text) => Ok(text.into_bytes()),
            other => must_be(what, ALLOWED, &other),
        }
    }
}

impl<'a> Input<'a> for TypedArray<'a> {
    fn type_of() -> String {
        "TypedArrays[keyof TypedArrays]".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::Array(array) if array.bytes.len().is_multiple_of(array.kind.size()) => Ok(array),
            Value::Bytes(bytes) => Ok(Self {
                kind: u8::KIND,
                bytes,
            }),
            other => must_be(what, "a typed array (not a Float16Array)", &other),
        }
    }
}

impl<'a, T: Element> Input<'a> for Array<'a, T> {
    fn type_of() -> String {
        T::KIND.class_name().into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::Array(array) if array.kind == T::KIND => {
                Ok(Self::from_bytes(array.bytes.into_bytes()))
            }
            // A Buffer is a Uint8Array.
            Value::Bytes(data) if T::KIND == u8::KIND => Ok(Self::from_bytes(data.into_bytes())),
            other => must_be(what, &format!("a {}", T::KIND.class_name()), &other),
        }
    }
}

impl<'a, T: Input<'a>> Input<'a> for Option<T> {
    fn type_of() -> String {
        format!("{} | null | undefined", T::type_of())
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        match value {
            Value::Undefined | Value::Null => Ok(None),
            value => T::from_value(value, what).map(Some),
        }
    }
}

impl<'a, T: Input<'a>> Input<'a> for Vec<T> {
    fn type_of() -> String {
        format!("readonly ({})[]", T::type_of())
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let Value::List(items) = value else {
            return must_be(what, "an array", &value);
        };
        let item = |(at, item)| T::from_value(item, &format!("{what}[{at}]"));
        items.into_iter().enumerate().map(item).collect()
    }
}

/// Inputs of several values: an array of exactly this length.
macro_rules! tuples {
    ($($count:literal: $($type:ident $at:literal),+;)+) => {
        $(
            impl<'a, $($type: Input<'a>),+> Input<'a> for ($($type,)+) {
                fn type_of() -> String {
                    format!("readonly [{}]", [$($type::type_of()),+].join(", "))
                }

                fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
                    let allowed = concat!("an array of ", $count, " values");
                    match value {
                        Value::List(items) if items.len() == $count => {
                            let mut items = items.into_iter();
                            Ok(($(
                                $type::from_value(items.next().unwrap_or_default(), &format!("{what}[{}]", $at))?,
                            )+))
                        }
                        Value::List(items) => {
                            let got = items.len();
                            Err(Error::invalid(format!("{what} must be {allowed}, got one of {got}")))
                        }
                        other => must_be(what, allowed, &other),
                    }
                }
            }
        )+
    };
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: Input<'static> + std::fmt::Debug>(value: impl Into<Value<'static>>) -> String {
        let error = T::from_value(value.into(), "input").unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_INVALID_ARGUMENT");
        error.to_string()
    }

    #[test]
    fn numbers_are_integers_of_their_range() {
        assert_eq!(u8::from_value(255.into(), "input"), Ok(255));
        assert_eq!(i8::from_value((-128).into(), "input"), Ok(-128));
        assert_eq!(
            u64::from_value(BigInt::from(u64::MAX).into(), "input"),
            Ok(u64::MAX)
        );
        assert_eq!(
            i64::from_value(BigInt::from(i64::MIN).into(), "input"),
            Ok(i64::MIN)
        );
        assert_eq!(
            message::<u8>(256),
            "input must be an integer from 0 to 255, got the number 256"
        );
        assert_eq!(
            message::<i8>(0.5),
            "input must be an integer from -128 to 127, got the number 0.5"
        );
        assert_eq!(
            message::<u64>(-1),
            "input must be an integer from 0 to 2^53 - 1, or a BigInt of 64 bits, got the number -1"
        );
        assert_eq!(
            message::<i64>(2f64.powi(60)).split(',').next_back(),
            Some(" got the number 1152921504606847000")
        );
    }

    #[test]
    fn arrays_are_of_their_kind() {
        let floats = Value::Array(Array::from(vec![1.0, 2.0]).into_typed_array());
        assert_eq!(
            &*Array::<f64>::from_value(floats.clone(), "input").unwrap(),
            [1.0, 2.0]
        );
        assert_eq!(
            message::<Array<f32>>(floats),
            "input must be a Float32Array, got a Float64Array of length 2"
        );
        let bytes = Array::<u8>::from_value(vec![1, 2].into(), "input").unwrap();
        assert_eq!(&*bytes, [1, 2]);
        assert_eq!(
            message::<TypedArray>("abc"),
            "input must be a typed array (not a Float16Array), got the string 'abc'"
        );
    }

    #[test]
    fn texts_are_strings_or_utf_8() {
        assert_eq!(Text::from_value("grüße".into(), "input").unwrap(), "grüße");
        assert_eq!(
            Text::from_value("grüße".as_bytes().to_vec().into(), "input").unwrap(),
            "grüße"
        );
        assert_eq!(
            message::<Text>(vec![0xff]),
            "input must be a string, or bytes of UTF-8, got 1 bytes"
        );
        assert_eq!(
            message::<String>(vec![0xff]),
            "input must be a string, got 1 bytes"
        );
    }

    #[test]
    fn tuples_and_lists_name_the_place() {
        let list = |values: &[i32]| Value::List(values.iter().map(|n| (*n).into()).collect());
        assert_eq!(<(u8, i8)>::from_value(list(&[1, -1]), "input"), Ok((1, -1)));
        assert_eq!(
            message::<(u8, u8)>(list(&[1, -1])),
            "input[1] must be an integer from 0 to 255, got the number -1"
        );
        assert_eq!(
            message::<(u8, u8)>(list(&[1])),
            "input must be an array of 2 values, got one of 1"
        );
        assert_eq!(
            Vec::<u8>::from_value(list(&[1, 2]), "input"),
            Ok(vec![1, 2])
        );
        assert_eq!(
            message::<Vec<u8>>(7),
            "input must be an array, got the number 7"
        );
        assert_eq!(Option::<u8>::from_value(Value::Null, "input"), Ok(None));
        assert_eq!(
            <(Bytes, Vec<u8>) as Input>::type_of(),
            "readonly [BytesLike, readonly (number | bigint)[]]"
        );
    }

    #[test]
    fn no_params_refuse_any() {
        assert_eq!(<()>::read(Params::none(), "params"), Ok(()));
        let given: Params = Record::from_iter([("a", 1)]).into();
        assert_eq!(
            <()>::read(given, "params").unwrap_err().to_string(),
            "params.a is unknown; this task takes none"
        );
    }
}
