//! Reads NDJSON (one object per line) into a table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memchr::memchr;
use rspool_task::{Context, Error, ROWS, Result};
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::csv::CHUNK;
use crate::kind::{Field, Kind};
use crate::part::{Bad, BadRows, Fields, Part, Plan, check, fill};
use crate::source::{Source, windows};
use crate::table::Table;
use crate::whole::{Spare, Totals, Whole};

/// How NDJSON is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The types of some columns.
    pub types: Vec<(String, Kind)>,
    /// The wanted columns, if not all.
    pub select: Option<Vec<String>>,
    /// The most rows to read.
    pub max_rows: Option<usize>,
    /// The most bytes of a value.
    pub max_field: usize,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// Bytes of a chunk.
    pub chunk: usize,
}

/// Lines from which names and types are guessed.
const SAMPLE: usize = 16 * 1024;
/// The most columns of a table: each row has a cell in each column.
const MOST_COLUMNS: usize = 10_000;

impl Default for Options {
    fn default() -> Self {
        Self {
            types: Vec::new(),
            select: None,
            max_rows: None,
            max_field: 1 << 20,
            bad_rows: BadRows::Error,
            chunk: CHUNK,
        }
    }
}

/// Reads NDJSON. The columns are the names in all objects, in the order of their first rows.
///
/// # Errors
/// `Cancelled`, `ERR_RSPOOL_CORRUPT_INPUT` for the first bad row, `ERR_RSPOOL_OUTPUT_TOO_LARGE`.
pub fn read(bytes: &[u8], options: &Options, context: &Context<'_>) -> Result<Table> {
    let mut reader = Reader::new(bytes, options, context)?;
    let mut context = *context;
    loop {
        let (mut parts, more) = reader.parts(0..reader.chunks.len(), &context)?;
        check(&parts, 0, &reader.columns.names, options.bad_rows)?;
        if !more {
            let Columns { names, plans, .. } = &reader.columns;
            let mut totals = Totals::default();
            for part in &parts {
                totals.add(part, names, options.bad_rows);
            }
            let mut whole = Whole::new(plans);
            whole.add(&mut parts, 1.0, &reader.spare, &context)?;
            return whole.into_table(names, totals);
        }
        context = context.uncounted();
    }
}

/// Reads NDJSON, and sends it in chunks of `rows` rows, or of any size.
///
/// # Errors
/// As for [`read`], and the errors of `send`.
pub fn stream(
    bytes: &[u8],
    options: &Options,
    rows: Option<usize>,
    context: &Context<'_>,
    send: impl FnMut(Table) -> Result<()>,
) -> Result<Table> {
    let mut reader = Reader::new(bytes, options, context)?;
    let mut seen = 0;
    for chunks in windows(reader.chunks.len()) {
        let parts = loop {
            let (parts, more) = reader.parts(chunks.clone(), &context.uncounted())?;
            check(&parts, seen, &reader.columns.names, options.bad_rows)?;
            if !more {
                break parts;
            }
        };
        seen += parts.iter().map(|part| part.seen).sum::<usize>();
    }
    let Columns { names, plans, .. } = &reader.columns;
    let source = Source {
        names,
        plans: plans.clone(),
        chunks: reader.chunks.len(),
        bad_rows: options.bad_rows,
        spare: &reader.spare,
    };
    let read = |chunks, _: &[Plan]| {
        let read = reader.read(chunks, context)?;
        Ok(read.into_iter().map(|read| read.part).collect())
    };
    source.send(rows, read, send)
}

struct Reader<'a> {
    bytes: &'a [u8],
    chunks: Vec<Range<usize>>,
    columns: Columns,
    options: &'a Options,
    spare: Spare,
}

impl<'a> Reader<'a> {
    /// Knows the columns of the first lines.
    fn new(bytes: &'a [u8], options: &'a Options, context: &Context<'_>) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let bytes = first_lines(bytes, options.max_rows, context)?;
        let mut columns = Columns::default();
        let sample = 0..end_of_line(bytes, SAMPLE.min(bytes.len()));
        let spare = Spare::default();
        columns.add(&chunk(bytes, sample, &columns, options, &spare)?, options)?;
        Ok(Self {
            bytes,
            chunks: chunks(bytes, options.chunk),
            columns,
            options,
            spare,
        })
    }

    /// Reads chunks, and adds what is new in them to the columns. Returns whether anything is, for which they are to be
    /// read again.
    fn parts(&mut self, chunks: Range<usize>, context: &Context<'_>) -> Result<(Vec<Part>, bool)> {
        let (mut parts, mut more) = (Vec::new(), false);
        for read in self.read(chunks, context)? {
            more |= self.columns.add(&read, self.options)?;
            parts.push(read.part);
        }
        Ok((parts, more))
    }

    fn read(&self, chunks: Range<usize>, context: &Context<'_>) -> Result<Vec<Read>> {
        // Nothing after the first bad row is wanted.
        let bad = AtomicUsize::new(usize::MAX);
        context.map_items(self.chunks[chunks].to_vec(), |index, lines| {
            if bad.load(Relaxed) < index {
                return Ok(Read::default());
            }
            let size = lines.len();
            let read = chunk(self.bytes, lines, &self.columns, self.options, &self.spare)?;
            if self.options.bad_rows == BadRows::Error && !read.part.bad.is_empty() {
                bad.fetch_min(index, Relaxed);
            }
            context.count(ROWS, read.part.seen as i64);
            context.count(rspool_task::BYTES, size as i64);
            Ok(read)
        })
    }
}

/// The columns that are known so far.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    plans: Vec<Plan>,
    places: HashMap<String, usize, foldhash::fast::RandomState>,
}

/// The contents of a chunk, and the new names in it.
#[derive(Default)]
struct Read {
    part: Part,
    new: Vec<String>,
}

impl Columns {
    /// Adds the names and types of a chunk. Returns whether any of them is new.
    fn add(&mut self, read: &Read, options: &Options) -> Result<bool> {
        let mut more = read.part.widen(&mut self.plans);
        for name in &read.new {
            if self.places.contains_key(name) {
                continue;
            }
            if self.names.len() == MOST_COLUMNS {
                let message = format!("the objects have more than {MOST_COLUMNS} names");
                return Err(Error::failed(rspool_task::OUTPUT_TOO_LARGE, message));
            }
            let given = options.types.iter().find(|(known, _)| known == name);
            let plan = match given {
                _ if options
                    .select
                    .as_ref()
                    .is_some_and(|select| !select.contains(name)) =>
                {
                    Plan::Skip
                }
                Some((_, kind)) => Plan::Given(*kind),
                None => Plan::Inferred(Kind::Null),
            };
            self.places.insert(name.clone(), self.names.len());
            self.names.push(name.clone());
            self.plans.push(plan);
            more = true;
        }
        Ok(more)
    }
}

/// Reads the lines of a chunk.
fn chunk(
    bytes: &[u8],
    lines: Range<usize>,
    columns: &Columns,
    options: &Options,
    spare: &Spare,
) -> Result<Read> {
    let mut read = Read::default();
    let mut batch = Objects {
        columns: columns.names.len(),
        values: Vec::new(),
        rows: Vec::new(),
    };
    let mut rest = &bytes[lines];
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (line, behind) = rest.split_at(end);
        rest = behind;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = read.part.seen;
        read.part.seen += 1;
        let start = batch.values.len();
        batch.values.resize(start + batch.columns, None);
        let object = Object {
            columns,
            values: &mut batch.values[start..],
            new: Vec::new(),
            most: options.max_field,
        };
        match object.read(line) {
            Ok(new) => {
                read.new.extend(new);
                batch.rows.push((start, number));
            }
            Err(message) => {
                batch.values.truncate(start);
                read.part.bad.push(Bad {
                    row: number,
                    column: None,
                    message,
                });
                if options.bad_rows == BadRows::Error {
                    break;
                }
            }
        }
    }
    fill(&mut batch, &columns.plans, spare, &mut read.part)?;
    Ok(read)
}

/// The values of many rows.
struct Objects<'a> {
    columns: usize,
    values: Vec<Option<Cell<'a>>>,
    /// Where the values of each row begin, and the row's number.
    rows: Vec<(usize, usize)>,
}

/// A value that is not null.
#[derive(Debug, Clone)]
enum Cell<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// Any other value, as it is written.
    Plain(&'a str),
}

impl Fields for Objects<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn number(&self, row: usize) -> usize {
        self.rows[row].1
    }

    fn remove(&mut self, numbers: impl Iterator<Item = usize>) {
        let mut numbers = numbers.peekable();
        self.rows
            .retain(|(_, row)| numbers.next_if_eq(row).is_none());
    }

    #[inline]
    fn field(&self, row: usize, column: usize, _: bool) -> Option<Field<'_>> {
        self.values[self.rows[row].0 + column]
            .as_ref()
            .map(|cell| match cell {
                Cell::Text(text) => Field {
                    bytes: text.as_bytes(),
                    text: true,
                },
                Cell::Plain(text) => Field {
                    bytes: text.as_bytes(),
                    text: false,
                },
            })
    }
}

/// Reads an object into the values of its row.
struct Object<'a, 'b> {
    columns: &'b Columns,
    values: &'b mut [Option<Cell<'a>>],
    new: Vec<String>,
    most: usize,
}

impl<'a> Object<'a, '_> {
    /// Returns the names that have no column yet, or what is wrong with the line.
    fn read(mut self, line: &'a [u8]) -> Result<Vec<String>, String> {
        let mut json = serde_json::Deserializer::from_slice(line);
        let read = serde::Deserializer::deserialize_map(&mut json, &mut self);
        read.and_then(|()| json.end()).map_err(|error| {
            let message = error.to_string();
            // There is only one line.
            message.replace(" at line 1 column ", ", at column ")
        })?;
        Ok(self.new)
    }
}

impl<'a> Visitor<'a> for &mut Object<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key_seed(Name(self.columns))? {
            let value: &RawValue = map.next_value()?;
            let value = value.get();
            if value.len() > self.most {
                let (size, most) = (value.len(), self.most);
                return Err(serde::de::Error::custom(format!(
                    "a value has {size} bytes, and maxField is {most}"
                )));
            }
            match name {
                Ok(place) => self.values[place] = cell(value).map_err(serde::de::Error::custom)?,
                Err(name) => self.new.push(name),
            }
        }
        Ok(())
    }
}

fn cell(value: &str) -> serde_json::Result<Option<Cell<'_>>> {
    Ok(match value.strip_prefix('"') {
        Some(_) if value.contains('\\') => {
            Some(Cell::Text(Cow::Owned(serde_json::from_str(value)?)))
        }
        Some(text) => Some(Cell::Text(Cow::Borrowed(
            text.strip_suffix('"').unwrap_or(text),
        ))),
        None if value == "null" => None,
        None => Some(Cell::Plain(value)),
    })
}

/// Reads a name as the index of its column, if it has one.
struct Name<'b>(&'b Columns);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: serde::Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.places.get(name).copied().ok_or_else(|| name.into()))
    }
}

/// Chunks of whole lines. No string in NDJSON contains an end of line.
fn chunks(bytes: &[u8], size: usize) -> Vec<Range<usize>> {
    let mut chunks = Vec::with_capacity(bytes.len() / size + 1);
    let mut start = 0;
    while start < bytes.len() {
        let end = end_of_line(bytes, bytes.len().min(start + size));
        chunks.push(start..end);
        start = end;
    }
    chunks
}

/// Where the line with the byte before `at` ends.
fn end_of_line(bytes: &[u8], at: usize) -> usize {
    match at.checked_sub(1) {
        None => 0,
        Some(before) => memchr(b'\n', &bytes[before..]).map_or(bytes.len(), |end| before + end + 1),
    }
}

/// The first lines that are not empty.
fn first_lines<'a>(
    bytes: &'a [u8],
    most: Option<usize>,
    context: &Context<'_>,
) -> Result<&'a [u8]> {
    let Some(most) = most else {
        return Ok(bytes);
    };
    let (mut at, mut rows) = (0, 0);
    while rows < most && at < bytes.len() {
        if rows.is_multiple_of(1024) {
            context.check()?;
        }
        let end = end_of_line(bytes, at + 1);
        rows += usize::from(!bytes[at..end].trim_ascii().is_empty());
        at = end;
    }
    Ok(&bytes[..at])
}
