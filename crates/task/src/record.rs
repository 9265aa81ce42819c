//! Records: structs that are objects in JavaScript.

use crate::error::Result;
use crate::input::Input;
use crate::params::unknown;
use crate::value::{Record, Value};

/// Declares structs that are objects in JavaScript. They may be inputs, params, results, and fields of one another. The
/// field `max_words` is `maxWords` in JavaScript. A field with a default may be left out, and so may an `Option`; every
/// other field must be given, and an unknown field is refused.
///
/// ```
/// rspool_task::record! {
///     /// The params of `words.count`.
///     #[derive(Debug)]
///     pub struct Count {
///         /// Count each word once.
///         pub unique: bool = false,
///         /// Letters that a word has at least.
///         pub min_letters: u32 = 1,
///         /// Count this word only.
///         pub only: Option<String>,
///     }
/// }
/// ```
///
/// A struct with bytes or arrays of an input names their lifetime: `struct Pair<'a> { keys: Array<'a, u32>, … }`.
#[macro_export]
macro_rules! record {
    ($(
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident $(<$life:lifetime>)? {
            $(
                $(#[doc = $doc:literal])*
                $field_visibility:vis $field:ident: $type:ty $(= $default:expr)?
            ),* $(,)?
        }
    )+) => {
        $(
            $(#[$meta])*
            $visibility struct $name $(<$life>)? {
                $($(#[doc = $doc])* $field_visibility $field: $type,)*
            }

            $crate::record! { @impl ($(<$life>)?) $name {
                $($(#[doc = $doc])* $field: $type $(= $default)?,)*
            } }

            impl$(<$life>)? $crate::Output for $name $(<$life>)? {
                fn type_of() -> String {
                    $crate::record::type_of(&[$((
                        concat!($($doc, "\n"),*),
                        stringify!($field),
                        <$type as $crate::Output>::type_of(),
                        None,
                    )),*])
                }

                fn into_value(self) -> $crate::Result<$crate::Value<'static>> {
                    #[allow(unused_mut, reason = "a record without fields")]
                    let mut record = $crate::Record::new();
                    $(record.push(
                        $crate::record::camel(stringify!($field)),
                        <$type as $crate::Output>::into_value(self.$field)?,
                    );)*
                    Ok(record.into())
                }
            }
        )+
    };
    (@impl () $name:ident { $($fields:tt)* }) => {
        $crate::record! { @input ['input] [$name] $name { $($fields)* } }

        impl $crate::TaskParams for $name {
            fn type_of() -> String {
                <Self as $crate::Input>::type_of()
            }

            fn read(params: $crate::Params, what: &'static str) -> $crate::Result<Self> {
                <Self as $crate::Input>::from_value(params.into_record().into(), what)
            }
        }
    };
    (@impl (<$life:lifetime>) $name:ident { $($fields:tt)* }) => {
        $crate::record! { @input [$life] [$name<$life>] $name { $($fields)* } }
    };
    (@input [$life:lifetime] [$self:ty] $name:ident {
        $($(#[doc = $doc:literal])* $field:ident: $type:ty $(= $default:expr)?,)*
    }) => {
        impl<$life> $crate::Input<$life> for $self {
            fn type_of() -> String {
                $crate::record::type_of(&[$((
                    concat!($($doc, "\n"),*),
                    stringify!($field),
                    <$type as $crate::Input<$life>>::type_of(),
                    $crate::record!(@text $($default)?),
                )),*])
            }

            fn from_value(value: $crate::Value<$life>, what: &str) -> $crate::Result<Self> {
                #[allow(unused_mut, reason = "a record without fields")]
                let mut record = <$crate::Record<$life> as $crate::Input<$life>>::from_value(value, what)?;
                $crate::record::check(&record, what, &[$(stringify!($field)),*])?;
                Ok(Self {
                    $($field: $crate::record::field(
                        &mut record,
                        what,
                        stringify!($field),
                        $crate::record!(@default $type $(, $default)?),
                    )?,)*
                })
            }
        }
    };
    (@default $type:ty) => { None::<fn() -> $type> };
    (@default $type:ty, $default:expr) => { Some(|| -> $type { $default }) };
    (@text) => { None };
    (@text $default:expr) => { Some(stringify!($default)) };
}

/// The name of a field in JavaScript.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel: String = words.next().unwrap_or_default().into();
    for word in words {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        camel += &first.to_uppercase();
        camel += rest;
    }
    camel
}

/// Refuses unknown fields.
///
/// # Errors
/// [`Error::InvalidInput`](crate::Error::InvalidInput).
pub fn check(record: &Record<'_>, what: &str, fields: &[&str]) -> Result<()> {
    if record.iter().next().is_none() {
        return Ok(());
    }
    let known: Vec<String> = fields.iter().map(|field| camel(field)).collect();
    let known: Vec<&str> = known.iter().map(|field| &**field).collect();
    match record.iter().find(|(name, _)| !known.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(unknown(what, name, &known)),
    }
}

/// The value of a field, or its default.
///
/// # Errors
/// [`Error::InvalidInput`](crate::Error::InvalidInput).
pub fn field<'a, T: Input<'a>>(
    record: &mut Record<'a>,
    what: &str,
    name: &str,
    default: Option<impl Fn() -> T>,
) -> Result<T> {
    let given = record.iter().next().is_some();
    let value = if given {
        record.take(&camel(name))
    } else {
        None
    };
    match (value.unwrap_or_default(), default) {
        (Value::Undefined, Some(default)) => Ok(default()),
        (value, _) => T::from_value(value, &format!("{what}.{}", camel(name))),
    }
}

/// An object type in TypeScript, of `(doc, name, type, default)`.
#[must_use]
pub fn type_of(fields: &[(&str, &str, String, Option<&str>)]) -> String {
    let mut text = String::from("{");
    for (doc, name, of, default) in fields {
        let doc: Vec<&str> = doc
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let default = default.map(|default| format!("@default {default}"));
        let doc: Vec<&str> = doc.into_iter().chain(default.as_deref()).collect();
        if !doc.is_empty() {
            text += &format!(" /** {} */", doc.join(" ").replace("*/", "* /"));
        }
        let optional = default.is_some() || of.ends_with("| undefined");
        let (mark, undefined) = match (optional, of.ends_with("| undefined")) {
            (true, false) => ("?", " | undefined"),
            (true, true) => ("?", ""),
            _ => ("", ""),
        };
        text += &format!(" {}{mark}: {of}{undefined};", camel(name));
    }
    text + " }"
}

#[cfg(test)]
mod tests {
    use crate::{Array, Bytes, Input, Output, Params, Record, TaskParams, Text, Value};

    record! {
        /// What a test takes.
        #[derive(Debug, PartialEq)]
        struct Given {
            /// Each word once.
            unique: bool = false,
            min_letters: u32 = 1,
            only: Option<String>,
            text: String,
        }

        #[derive(Debug, PartialEq)]
        struct Point { x: f64, y: f64, }

        struct Empty {}

        #[derive(Debug)]
        struct Pair<'a> { keys: Array<'a, u32>, names: Vec<Text<'a>> = Vec::new() }
    }

    fn record(fields: &[(&str, Value<'static>)]) -> Record<'static> {
        fields.iter().cloned().collect()
    }

    #[test]
    fn fields_are_read_by_their_names_in_javascript() {
        let given = record(&[("minLetters", 3.into()), ("text", "abc".into())]);
        let expected = Given {
            unique: false,
            min_letters: 3,
            only: None,
            text: "abc".into(),
        };
        assert_eq!(Given::read(given.into(), "params"), Ok(expected));
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_named() {
        let message = |fields: &[(&str, Value<'static>)]| {
            let read = Given::read(Params::from(record(fields)), "params");
            read.unwrap_err().to_string()
        };
        assert_eq!(message(&[]), "params.text must be a string, got undefined");
        assert_eq!(
            message(&[("text", "".into()), ("minLetters", (-1).into())]),
            "params.minLetters must be an integer from 0 to 4294967295, got the number -1"
        );
        assert_eq!(
            message(&[("txet", "".into())]),
            "params.txet is unknown, did you mean text?; known are unique, minLetters, only, text"
        );
    }

    #[test]
    fn a_record_goes_and_comes_back() {
        let value = Point { x: 1.0, y: -2.5 }.into_value().unwrap();
        assert_eq!(
            value,
            Value::Record(record(&[("x", 1.into()), ("y", (-2.5).into())]))
        );
        assert_eq!(
            Point::from_value(value, "input"),
            Ok(Point { x: 1.0, y: -2.5 })
        );
        assert!(Empty {}.into_value().is_ok());
        let keys = Array::from(vec![1u32, 2]).into_typed_array();
        let pair = Pair::from_value(record(&[("keys", keys.into())]).into(), "input").unwrap();
        assert_eq!((&*pair.keys, pair.names.len()), (&[1, 2][..], 0));
    }

    #[test]
    fn types_say_what_may_be_left_out() {
        assert_eq!(
            <Given as Input>::type_of(),
            "{ /** Each word once. @default false */ unique?: boolean | undefined; \
             /** @default 1 */ minLetters?: number | bigint | undefined; only?: string | null | undefined; \
             text: string; }"
        );
        assert_eq!(<Point as Output>::type_of(), "{ x: number; y: number; }");
        assert_eq!(<(Empty, Bytes) as Output>::type_of(), "[{ }, Buffer]");
    }
}
