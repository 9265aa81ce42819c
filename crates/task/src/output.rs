//! The types that the result of a task can have.

use crate::array::{Array, Element, TypedArray};
use crate::bytes::{Bytes, Text};
use crate::data::Data;
use crate::error::{Error, Result};
use crate::params::Params;
use crate::value::{BigInt, MAX_SAFE_INTEGER, Record, Value};

/// A type of results, and of the values in them.
pub trait Output {
    /// The type in TypeScript.
    fn type_of() -> String;

    /// The result.
    fn into_value(self) -> Result<Value<'static>>;
}

/// Results that are values: their names in TypeScript.
macro_rules! output {
    ($($ts:literal: $($type:ty),+;)+) => {
        $($(
            impl Output for $type {
                fn type_of() -> String {
                    $ts.into()
                }

                fn into_value(self) -> Result<Value<'static>> {
                    Ok(self.into())
                }
            }
        )+)+
    };
}

output! {
    "undefined": ();
    "boolean": bool;
    "number": f64, f32, u8, u16, u32, i8, i16, i32;
    "bigint": BigInt;
    "string": String, &str;
}

/// Results that may borrow from the input: the lent parts are copied.
macro_rules! owned {
    ($($type:ident, $ts:literal;)+) => {
        $(
            impl Output for $type<'_> {
                fn type_of() -> String {
                    $ts.into()
                }

                fn into_value(self) -> Result<Value<'static>> {
                    Ok(self.into_owned().into())
                }
            }
        )+
    };
}

owned! {
    Value, "unknown";
    Text, "string";
    Bytes, "Buffer";
    Data, "Buffer";
    TypedArray, "TypedArrays[keyof TypedArrays]";
    Record, "object";
}

impl Output for Params {
    fn type_of() -> String {
        "object | undefined".into()
    }

    fn into_value(self) -> Result<Value<'static>> {
        Ok(self.into())
    }
}

/// Integers that become a number if a number holds them exactly, and a BigInt otherwise.
macro_rules! wide {
    ($($type:ty),+) => {
        $(
            impl Output for $type {
                fn type_of() -> String {
                    "number".into()
                }

                #[expect(clippy::cast_precision_loss, reason = "it has been compared")]
                fn into_value(self) -> Result<Value<'static>> {
                    let safe = -(MAX_SAFE_INTEGER as i128)..=MAX_SAFE_INTEGER as i128;
                    if !safe.contains(&(self as i128)) {
                        let message = format!("the result {self} is no exact number: give it as a BigInt");
                        return Err(Error::new(message));
                    }
                    Ok(Value::Number(self as f64))
                }
            }
        )+
    };
}

wide! { u64, usize, i64, isize }

impl<T: Element> Output for Array<'_, T> {
    fn type_of() -> String {
        T::KIND.class_name().into()
    }

    fn into_value(self) -> Result<Value<'static>> {
        Ok(self.into_owned().into_typed_array().into())
    }
}

impl<T: Output> Output for Option<T> {
    fn type_of() -> String {
        format!("{} | undefined", T::type_of())
    }

    fn into_value(self) -> Result<Value<'static>> {
        self.map_or(Ok(Value::Undefined), Output::into_value)
    }
}

impl<T: Output> Output for Vec<T> {
    fn type_of() -> String {
        format!("({})[]", T::type_of())
    }

    fn into_value(self) -> Result<Value<'static>> {
        let items = self.into_iter().map(Output::into_value);
        Ok(Value::List(items.collect::<Result<_>>()?))
    }
}

macro_rules! tuples {
    ($($($type:ident $name:ident),+;)+) => {
        $(
            impl<$($type: Output),+> Output for ($($type,)+) {
                fn type_of() -> String {
                    format!("[{}]", [$($type::type_of()),+].join(", "))
                }

                fn into_value(self) -> Result<Value<'static>> {
                    let ($($name,)+) = self;
                    Ok(Value::List(vec![$($name.into_value()?),+]))
                }
            }
        )+
    };
}

tuples! {
    A a;
    A a, B b;
    A a, B b, C c;
    A a, B b, C c, D d;
    A a, B b, C c, D d, E e;
    A a, B b, C c, D d, E e, F f;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_that_no_number_holds_are_refused() {
        assert_eq!(
            MAX_SAFE_INTEGER.into_value(),
            Ok(Value::Number(9_007_199_254_740_991.0))
        );
        assert_eq!((-5i64).into_value(), Ok(Value::Number(-5.0)));
        let error = (1u64 << 53).into_value().unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_TASK_FAILED");
        assert!(i64::MIN.into_value().is_err());
    }

    #[test]
    fn lists_and_tuples_keep_their_order() {
        let value = (1u8, "a", vec![true, false], None::<f64>).into_value();
        let list = Value::List(vec![
            1.into(),
            "a".into(),
            vec![Value::Bool(true), Value::Bool(false)].into(),
            Value::Undefined,
        ]);
        assert_eq!(value, Ok(list));
        assert_eq!(<(Bytes, Array<f64>)>::type_of(), "[Buffer, Float64Array]");
    }
}
