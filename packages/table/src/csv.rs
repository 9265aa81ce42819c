//! Reads CSV into a table.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rspool_task::{Context, Error, ROWS, Result};

use crate::kind::{Field, Kind};
use crate::part::{Bad, BadRows, Fields, Part, Plan, fill};
use crate::rows::{Batch, LONGEST, Memory, end_of_rows, first_row};
use crate::source::Source;
use crate::split::{Dialect, split};
use crate::table::Table;
use crate::whole::Spare;

/// How CSV is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The delimiter and the quote.
    pub dialect: Dialect,
    /// Whether the first row has the names of the columns.
    pub header: bool,
    /// The names of the columns, instead of those in the header.
    pub names: Option<Vec<String>>,
    /// The types of some columns.
    pub types: Vec<(String, Kind)>,
    /// Whether the types of the other columns are inferred from their fields. If not, they are texts.
    pub infer: bool,
    /// The wanted columns, if not all.
    pub select: Option<Vec<String>>,
    /// Fields that count as null, besides empty ones.
    pub nulls: Vec<String>,
    /// The most rows to read.
    pub max_rows: Option<usize>,
    /// The most bytes of a field.
    pub max_field: usize,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// Bytes of a chunk.
    pub chunk: usize,
}

/// Bytes of a chunk: half a millisecond of work.
pub const CHUNK: usize = 128 * 1024;
/// Rows from which the types are guessed.
const SAMPLE: usize = 100;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads CSV.
///
/// # Errors
/// `Cancelled`, `ERR_RSPOOL_INVALID_ARGUMENT` for options that do not fit the input, `ERR_RSPOOL_CORRUPT_INPUT` for the
/// first bad row, `ERR_RSPOOL_OUTPUT_TOO_LARGE`.
pub fn read(bytes: &[u8], options: &Options, context: &Context<'_>) -> Result<Table> {
    let reader = Reader::new(bytes, options, context)?;
    let read = |chunks, plans: &[Plan], context: &Context<'_>| reader.parts(chunks, plans, context);
    reader.source().read(context, read)
}

/// Reads CSV, and sends it in chunks of `rows` rows, or of any size.
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
    let reader = Reader::new(bytes, options, context)?;
    let mut source = reader.source();
    let read = |chunks, plans: &[Plan], context: &Context<'_>| reader.parts(chunks, plans, context);
    source.widen(|chunks, plans| read(chunks, plans, &context.uncounted()))?;
    source.send(rows, |chunks, plans| read(chunks, plans, context), send)
}

/// The names of the columns, and the rows after the header.
fn header<'a>(bytes: &'a [u8], options: &Options) -> Result<(Vec<String>, &'a [u8])> {
    let Some(first) = first_row(bytes, options.dialect) else {
        return Ok((options.names.clone().unwrap_or_default(), b""));
    };
    let in_header = first.fields.iter().map(|field| match options.header {
        true => String::from_utf8_lossy(field).into_owned(),
        false => String::new(),
    });
    let names = options.names.clone().unwrap_or_else(|| in_header.collect());
    if names.len() != first.fields.len() {
        let (names, fields) = (names.len(), first.fields.len());
        return Err(Error::invalid(format!(
            "params.names has {names} names, and the first row has {fields} fields"
        )));
    }
    if !options.header {
        return Ok((distinct(names), bytes));
    }
    if first.open {
        return Err(Error::failed(
            rspool_task::CORRUPT_INPUT,
            "the header: a quote is opened and never closed",
        ));
    }
    Ok((distinct(names), &bytes[first.end..]))
}

/// Makes names distinct. An empty name becomes its number. If several names are the same, all but the first get a
/// number at the end.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let all: HashSet<String> = names.iter().cloned().collect();
    let name = |(at, name): (usize, String)| {
        let name = if name.is_empty() {
            format!("column_{}", at + 1)
        } else {
            name
        };
        let mut free = name.clone();
        let mut number = 2;
        while !taken.insert(free.clone()) {
            free = format!("{name}_{number}");
            while all.contains(&free) {
                number += 1;
                free = format!("{name}_{number}");
            }
            number += 1;
        }
        free
    };
    names.into_iter().enumerate().map(name).collect()
}

fn plans(names: &[String], options: &Options) -> Result<Vec<Plan>> {
    let asked = options
        .types
        .iter()
        .map(|(name, _)| name)
        .chain(options.select.iter().flatten());
    if let Some(unknown) = asked.into_iter().find(|name| !names.contains(name)) {
        return Err(Error::invalid(format!(
            "there is no column '{unknown}'; there are {}",
            listed(names)
        )));
    }
    let plan = |name: &String| {
        let given = options.types.iter().find(|(known, _)| known == name);
        match given {
            _ if options
                .select
                .as_ref()
                .is_some_and(|select| !select.contains(name)) =>
            {
                Plan::Skip
            }
            Some((_, kind)) => Plan::Given(*kind),
            None if options.infer => Plan::Inferred(Kind::Null),
            None => Plan::Given(Kind::Text),
        }
    };
    Ok(names.iter().map(plan).collect())
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(20)
        .map(|name| format!("'{name}'"))
        .collect();
    if shown.is_empty() {
        "none".into()
    } else {
        shown.join(", ")
    }
}

struct Reader<'a> {
    names: Vec<String>,
    /// The types of the first rows are known.
    plans: Vec<Plan>,
    bytes: &'a [u8],
    chunks: Vec<Range<usize>>,
    options: &'a Options,
    nulls: Vec<&'a [u8]>,
    /// Of the chunks that were read.
    memory: Mutex<Vec<Memory>>,
    spare: Spare,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], options: &'a Options, context: &Context<'_>) -> Result<Self> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::failed(
                rspool_task::CORRUPT_INPUT,
                "the input is UTF-16. It must be UTF-8: new TextDecoder('utf-16').decode(input)",
            ));
        }
        let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
        let (names, bytes) = header(bytes, options)?;
        let bytes = match options.max_rows {
            Some(most) => &bytes[..end_of_rows(bytes, options.dialect, most, context)?],
            None => bytes,
        };
        let mut reader = Self {
            plans: plans(&names, options)?,
            names,
            bytes,
            chunks: split(bytes, options.dialect, options.chunk, context)?,
            options,
            nulls: options.nulls.iter().map(String::as_bytes).collect(),
            memory: Mutex::default(),
            spare: Spare::default(),
        };
        if let Some(first) = reader.chunks.first() {
            let first = reader.chunk(first.clone(), &reader.plans, SAMPLE)?;
            first.widen(&mut reader.plans);
        }
        Ok(reader)
    }

    fn source(&self) -> Source<'_> {
        Source {
            names: &self.names,
            plans: self.plans.clone(),
            chunks: self.chunks.len(),
            bad_rows: self.options.bad_rows,
            spare: &self.spare,
        }
    }

    fn parts(
        &self,
        chunks: Range<usize>,
        plans: &[Plan],
        context: &Context<'_>,
    ) -> Result<Vec<Part>> {
        // Nothing after the first bad row is wanted.
        let bad = AtomicUsize::new(usize::MAX);
        context.map_items(self.chunks[chunks].to_vec(), |index, rows| {
            if bad.load(Relaxed) < index {
                return Ok(Part::default());
            }
            let size = rows.len();
            let part = self.chunk(rows, plans, usize::MAX)?;
            if self.options.bad_rows == BadRows::Error && !part.bad.is_empty() {
                bad.fetch_min(index, Relaxed);
            }
            context.count(ROWS, part.seen as i64);
            context.count(rspool_task::BYTES, size as i64);
            Ok(part)
        })
    }

    /// The rows of a chunk, up to `most`.
    fn chunk(&self, chunk: Range<usize>, plans: &[Plan], most: usize) -> Result<Part> {
        let mut part = Part::default();
        let memory = self.memory().pop().unwrap_or_default();
        let batch = self.batch(&self.bytes[chunk], plans.len(), most, memory, &mut part);
        let mut batch = Present {
            batch,
            nulls: &self.nulls,
        };
        fill(&mut batch, plans, &self.spare, &mut part)?;
        self.memory().push(batch.batch.into_memory());
        Ok(part)
    }

    fn memory(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the rows with as many fields as there are columns. The others become bad rows of the part.
    fn batch<'b>(
        &self,
        bytes: &'b [u8],
        columns: usize,
        most: usize,
        memory: Memory,
        part: &mut Part,
    ) -> Batch<'b> {
        let utf8 = simdutf8::basic::from_utf8(bytes).is_ok();
        let mut rows = Batch::new(bytes, self.options.dialect, columns, memory);
        let mut bad = |row, column, message| {
            part.bad.push(Bad {
                row,
                column,
                message,
            })
        };
        while part.seen < most {
            let Some(row) = rows.read() else { break };
            if row.open {
                bad(part.seen, None, "a quote is opened and never closed".into());
            } else if rows.is_too_long() {
                let message = format!("it has more than {LONGEST} bytes");
                bad(part.seen, None, message);
            } else if row.count != columns {
                let message = format!(
                    "it has {} fields, and there are {columns} columns",
                    row.count
                );
                bad(part.seen, None, message);
            } else if !utf8 && std::str::from_utf8(row.source).is_err() {
                bad(part.seen, None, "it is not UTF-8".into());
            } else if let Some((column, size)) = rows.longer_than(self.options.max_field, row) {
                let message = format!(
                    "it has {size} bytes, and maxField is {}",
                    self.options.max_field
                );
                bad(part.seen, Some(column), message);
            } else {
                rows.keep(part.seen);
            }
            part.seen += 1;
        }
        rows
    }
}

/// The rows of a chunk, with the fields that count as null for the user.
struct Present<'a> {
    batch: Batch<'a>,
    nulls: &'a [&'a [u8]],
}

impl Fields for Present<'_> {
    fn rows(&self) -> usize {
        self.batch.rows()
    }

    fn number(&self, row: usize) -> usize {
        self.batch.number(row)
    }

    fn remove(&mut self, numbers: impl Iterator<Item = usize>) {
        self.batch.remove(numbers);
    }

    /// An empty field in quotes is an empty text.
    #[inline(always)]
    fn field(&self, row: usize, column: usize, text: bool) -> Option<Field<'_>> {
        let (bytes, quoted) = self.batch.field(row, column);
        let present = !bytes.is_empty() || (text && quoted);
        let present = present && (self.nulls.is_empty() || !self.nulls.contains(&bytes));
        present.then_some(Field { bytes, text: false })
    }
}
