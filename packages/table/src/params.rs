//! The params of the tasks.

use rspool_task::{Context, Error, Input, Output, Record, Result, Value, must_be, record};

use crate::csv::{CHUNK, Options};
use crate::kind::Kind;
use crate::ndjson;
use crate::part::BadRows;
use crate::split::Dialect;

record! {
    /// The params of `table.csv`.
    #[derive(Debug, Default)]
    pub struct Csv {
        /// Between two fields: one character of ASCII. A comma if it is not given.
        pub delimiter: Option<String>,
        /// Around a field that has a delimiter, an end of line or a quote in it, which is doubled there: one character of
        /// ASCII, or '' for none. " if it is not given.
        pub quote: Option<String>,
        /// Whether the first row has the names of the columns.
        pub header: bool = true,
        /// The names of the columns, instead of those in the header.
        pub names: Option<Vec<String>>,
        /// The types of columns by name. A field that is none of its type makes its row a bad one.
        pub columns: Option<Types>,
        /// Whether the types of the other columns are found by looking at all their fields. If not, they are texts.
        pub infer: bool = true,
        /// The columns that are wanted, if not all.
        pub select: Option<Vec<String>>,
        /// What a field may be to be null, beside empty.
        pub nulls: Option<Vec<String>>,
        /// Rows that are read at most.
        pub max_rows: Option<usize>,
        /// Bytes that a field may have.
        pub max_field: usize = 1_048_576,
        /// What becomes of rows with a fault: 'error' rejects with the first, 'skip' leaves them out, 'collect' also says
        /// which they were, the first 1000. 'error' if it is not given.
        pub bad_rows: Option<BadRows>,
        /// Rows of a chunk of a stream. If it is not given, chunks are of any size.
        pub chunk_rows: Option<usize>,
    }

    /// The params of `table.ndjson`.
    #[derive(Debug, Default)]
    pub struct Ndjson {
        /// The types of columns by name. A value that is none of its type makes its row a bad one.
        pub columns: Option<Types>,
        /// The columns that are wanted, if not all.
        pub select: Option<Vec<String>>,
        /// Rows that are read at most.
        pub max_rows: Option<usize>,
        /// Bytes that a value may have.
        pub max_field: usize = 1_048_576,
        /// What becomes of lines with a fault: 'error' rejects with the first, 'skip' leaves them out, 'collect' also says
        /// which they were, the first 1000. 'error' if it is not given.
        pub bad_rows: Option<BadRows>,
        /// Rows of a chunk of a stream. If it is not given, chunks are of any size.
        pub chunk_rows: Option<usize>,
    }
}

impl Ndjson {
    /// Converts the params to options.
    #[must_use]
    pub fn options(self) -> ndjson::Options {
        ndjson::Options {
            types: self.columns.unwrap_or_default().0,
            select: self.select,
            max_rows: self.max_rows,
            max_field: self.max_field,
            bad_rows: self.bad_rows.unwrap_or(BadRows::Error),
            chunk: CHUNK,
        }
    }
}

impl Csv {
    /// Converts the params to options.
    ///
    /// # Errors
    /// `ERR_RSPOOL_INVALID_ARGUMENT`.
    pub fn options(self) -> Result<Options> {
        let delimiter = letter("delimiter", self.delimiter.as_deref().unwrap_or(","))?;
        let quote = match self.quote.as_deref() {
            None => Some(b'"'),
            Some("") => None,
            Some(quote) => Some(letter("quote", quote)?),
        };
        if quote == Some(delimiter) {
            return Err(Error::invalid(
                "params.quote and params.delimiter must be two characters",
            ));
        }
        Ok(Options {
            dialect: Dialect { delimiter, quote },
            header: self.header,
            names: self.names,
            types: self.columns.unwrap_or_default().0,
            infer: self.infer,
            select: self.select,
            nulls: self.nulls.unwrap_or_default(),
            max_rows: self.max_rows,
            max_field: self.max_field,
            bad_rows: self.bad_rows.unwrap_or(BadRows::Error),
            chunk: CHUNK,
        })
    }
}

/// The rows of a chunk, if they are given.
///
/// # Errors
/// `ERR_RSPOOL_INVALID_ARGUMENT`.
pub fn rows_of_chunk(rows: Option<usize>, context: &Context<'_>) -> Result<Option<usize>> {
    match rows {
        Some(_) if !context.is_stream() => Err(Error::invalid(
            "params.chunkRows is for chunks: call the task by pool.stream()",
        )),
        Some(0) => Err(Error::invalid("params.chunkRows must be 1 or more, got 0")),
        rows => Ok(rows),
    }
}

/// A character of one byte, which is not an end of line.
fn letter(name: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(Error::invalid(format!(
            "params.{name} must be one character of ASCII that is no end of line, got the string '{text}'"
        ))),
    }
}

/// Types of columns by name.
#[derive(Debug, Default)]
pub struct Types(pub Vec<(String, Kind)>);

impl<'a> Input<'a> for Types {
    fn type_of() -> String {
        format!("Record<string, {}>", Kind::type_of())
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let record = Record::from_value(value, what)?;
        let types = record.into_iter().map(|(name, kind)| {
            let kind = Kind::from_value(kind, &format!("{what}.{name}"))?;
            Ok((name, kind))
        });
        types.collect::<Result<_>>().map(Self)
    }
}

impl Output for Types {
    fn type_of() -> String {
        <Self as Input>::type_of()
    }

    fn into_value(self) -> Result<Value<'static>> {
        let types = self.0.into_iter().map(|(name, kind)| (name, kind.name()));
        Ok(types.collect::<Record>().into())
    }
}

const BAD_ROWS: [(&str, BadRows); 3] = [
    ("error", BadRows::Error),
    ("skip", BadRows::Skip),
    ("collect", BadRows::Collect),
];

impl<'a> Input<'a> for BadRows {
    fn type_of() -> String {
        "'error' | 'skip' | 'collect'".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let known = BAD_ROWS
            .iter()
            .find(|(name, _)| matches!(&value, Value::String(given) if **given == **name));
        match known {
            Some((_, bad_rows)) => Ok(*bad_rows),
            None => must_be(what, "'error', 'skip' or 'collect'", &value),
        }
    }
}

impl Output for BadRows {
    fn type_of() -> String {
        <Self as Input>::type_of()
    }

    fn into_value(self) -> Result<Value<'static>> {
        let known = BAD_ROWS.iter().find(|(_, bad_rows)| *bad_rows == self);
        known.map_or("error", |(name, _)| name).into_value()
    }
}
