//! JSON, with the feature `serde`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value as Plain};

use crate::error::{Error, Result};
use crate::input::{Input, TaskParams};
use crate::output::Output;
use crate::params::Params;
use crate::value::Value;

/// An input, params or a result of any type that serde knows. It cannot contain values that JSON does not have (bytes,
/// BigInts, undefined).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl From<Plain> for Value<'_> {
    fn from(plain: Plain) -> Self {
        match plain {
            Plain::Null => Self::Null,
            Plain::Bool(value) => Self::Bool(value),
            // Its numbers are 64-bit integers and floats.
            Plain::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Plain::String(text) => Self::String(text.into()),
            Plain::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Plain::Object(fields) => Self::Record(fields.into_iter().collect()),
        }
    }
}

/// The value as JSON. As in `JSON.stringify`, undefined is left out of records and is null in lists; NaN and the
/// infinities are null too.
///
/// # Errors
/// The value, or the part of it, that JSON cannot express.
pub fn to_json(value: Value<'_>) -> Result<Plain, Value<'_>> {
    Ok(match value {
        Value::Undefined | Value::Null => Plain::Null,
        Value::Bool(value) => Plain::Bool(value),
        Value::Number(number) => number_of(number),
        Value::String(text) => Plain::String(text.into_string()),
        Value::List(items) => {
            Plain::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        Value::Record(record) => {
            let fields = record
                .into_iter()
                .filter(|(_, value)| *value != Value::Undefined);
            let fields = fields.map(|(name, value)| Ok((name, to_json(value)?)));
            Plain::Object(fields.collect::<Result<Map<_, _>, Value<'_>>>()?)
        }
        other @ (Value::BigInt(_) | Value::Bytes(_) | Value::Array(_) | Value::Map(_)) => {
            return Err(other);
        }
    })
}

/// An integer stays an integer, as JavaScript writes it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "compared"
)]
fn number_of(number: f64) -> Plain {
    let whole = number as i64;
    if whole as f64 == number && whole.unsigned_abs() <= crate::MAX_SAFE_INTEGER {
        return Plain::Number(whole.into());
    }
    Number::from_f64(number).map_or(Plain::Null, Plain::Number)
}

impl TryFrom<Plain> for Params {
    type Error = Error;

    fn try_from(plain: Plain) -> Result<Self> {
        Self::from_value(plain.into())
    }
}

impl<'a, T: DeserializeOwned> Input<'a> for Json<T> {
    fn type_of() -> String {
        "any".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let plain = to_json(value).map_err(|other| {
            Error::invalid(format!(
                "{what} must be plain data, and has {}",
                other.describe()
            ))
        })?;
        let read = serde_json::from_value(plain);
        read.map(Self)
            .map_err(|error| Error::invalid(format!("{what}: {error}")))
    }
}

impl<T: DeserializeOwned> TaskParams for Json<T> {
    fn type_of() -> String {
        "Record<string, any>".into()
    }

    fn read(params: Params, what: &'static str) -> Result<Self> {
        Self::from_value(params.into_record().into(), what)
    }
}

impl<T: Serialize> Output for Json<T> {
    fn type_of() -> String {
        "any".into()
    }

    fn into_value(self) -> Result<Value<'static>> {
        let plain = serde_json::to_value(self.0);
        Ok(plain
            .map_err(|error| Error::new(format!("the result: {error}")))?
            .into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn plain_data_goes_and_comes_back() {
        let plain = json!({"a": [1, -2.5, null, true], "b": {"c": "grüße"}});
        assert_eq!(to_json(plain.clone().into()), Ok(plain));
    }

    #[test]
    fn types_of_serde_are_inputs_params_and_results() {
        let value = Json(BTreeMap::from([("a", 1)])).into_value().unwrap();
        let read: Json<BTreeMap<String, i32>> = Json::from_value(value, "input").unwrap();
        assert_eq!(read.0["a"], 1);
        let params = Params::try_from(json!({"n": 7})).unwrap();
        let read: Json<BTreeMap<String, u8>> = Json::read(params, "params").unwrap();
        assert_eq!(read.0["n"], 7);
        let wrong: Result<Json<Vec<u8>>> = Json::from_value("x".into(), "input");
        assert!(
            wrong
                .unwrap_err()
                .to_string()
                .starts_with("input: invalid type")
        );
        let bytes: Result<Json<u8>> = Json::from_value(vec![1].into(), "input");
        assert_eq!(
            bytes.unwrap_err().to_string(),
            "input must be plain data, and has 1 bytes"
        );
    }

    #[test]
    fn what_json_cannot_say_is_as_in_javascript() {
        let record: crate::Record = [("gone", Value::Undefined), ("nan", f64::NAN.into())]
            .into_iter()
            .collect();
        assert_eq!(to_json(record.into()), Ok(json!({"nan": null})));
        assert_eq!(to_json((-0.0).into()).unwrap().to_string(), "0");
        assert_eq!(to_json(1e300.into()).unwrap().to_string(), "1e+300");
    }
}
