//! CSV to a table.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rspool_task::{Context, Error, ROWS, Result};

use crate::kind::Kind;
use crate::part::{Bad, BadRows, Found, MOST_BAD, Part, Plan, read_all};
use crate::rows::{Row, Rows};
use crate::split::{Chunks, Dialect, split};
use crate::table::Table;

/// How CSV is read.
#[derive(Debug, Clone)]
pub struct Options {
    /// What separates fields and encloses them.
    pub dialect: Dialect,
    /// Whether the first row has the names of the columns.
    pub header: bool,
    /// The names of the columns, instead of those in the header.
    pub names: Option<Vec<String>>,
    /// The types of some columns.
    pub types: Vec<(String, Kind)>,
    /// Whether the types of the others are found by looking at their fields; if not they are texts.
    pub infer: bool,
    /// The columns that are wanted, if not all.
    pub select: Option<Vec<String>>,
    /// Fields that are null, beside empty ones.
    pub nulls: Vec<String>,
    /// Rows that are read at most.
    pub max_rows: Option<usize>,
    /// Bytes that a field has at most.
    pub max_field: usize,
    /// What becomes of bad rows.
    pub bad_rows: BadRows,
    /// Bytes of a chunk.
    pub chunk: usize,
}

/// Bytes of a chunk: the work of a millisecond.
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
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::failed(
            rspool_task::CORRUPT_INPUT,
            "the input is UTF-16. It must be UTF-8: new TextDecoder('utf-16').decode(input)",
        ));
    }
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let (names, bytes) = header(bytes, options, context)?;
    let bytes = first_rows(bytes, options);
    let mut plans = plans(&names, options)?;
    let chunks = split(bytes, options.dialect, options.chunk, context)?;
    let Some(first) = chunks.rows.first() else {
        let no_parts = |_: &[Plan]| Ok(Vec::new());
        return read_all(&names, plans, options.bad_rows, context, no_parts);
    };
    let reader = Reader {
        bytes,
        chunks: &chunks,
        nulls: options.nulls.iter().map(String::as_bytes).collect(),
        options,
    };
    reader
        .chunk(first.clone(), &plans, SAMPLE)?
        .widen(&mut plans);
    read_all(&names, plans, options.bad_rows, context, |plans| {
        reader.all(plans, context)
    })
}

/// The names of the columns, and the rows behind the header.
fn header<'a>(
    bytes: &'a [u8],
    options: &Options,
    context: &Context<'_>,
) -> Result<(Vec<String>, &'a [u8])> {
    let mut rows = Rows::new(bytes, options.dialect);
    let Some(first) = rows.next_row() else {
        return Ok((options.names.clone().unwrap_or_default(), b""));
    };
    let in_header = (0..first.count()).map(|at| match options.header {
        true => String::from_utf8_lossy(first.field(at)).into_owned(),
        false => String::new(),
    });
    let names = options.names.clone().unwrap_or_else(|| in_header.collect());
    if names.len() != first.count() {
        let (names, fields) = (names.len(), first.count());
        return Err(Error::invalid(format!(
            "params.names has {names} names, and the first row has {fields} fields"
        )));
    }
    if !options.header {
        return Ok((distinct(names), bytes));
    }
    let (header, rest) = bytes.split_at(rows.position());
    if split(header, options.dialect, header.len(), context)?.open {
        return Err(Error::failed(
            rspool_task::CORRUPT_INPUT,
            "the header: a quote is opened and never closed",
        ));
    }
    Ok((distinct(names), rest))
}

/// Each name once: those that are empty are called by their number, and of several that are the same all but the first
/// have a number behind them.
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

/// The bytes of as many rows as are wanted.
fn first_rows<'a>(bytes: &'a [u8], options: &Options) -> &'a [u8] {
    let Some(most) = options.max_rows else {
        return bytes;
    };
    let mut rows = Rows::new(bytes, options.dialect);
    for _ in 0..most {
        if rows.next_row().is_none() {
            break;
        }
    }
    &bytes[..rows.position()]
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
    bytes: &'a [u8],
    chunks: &'a Chunks,
    options: &'a Options,
    nulls: Vec<&'a [u8]>,
}

impl Reader<'_> {
    fn all(&self, plans: &[Plan], context: &Context<'_>) -> Result<Vec<Part>> {
        // Behind the first bad row nothing is wanted.
        let bad = AtomicUsize::new(usize::MAX);
        context.map_items(self.chunks.rows.clone(), |index, rows| {
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
        let open = self.chunks.open && chunk.end == self.bytes.len();
        let bytes = &self.bytes[chunk];
        let utf8 = std::str::from_utf8(bytes).is_ok();
        let order = order(plans);
        let mut part = Part {
            columns: plans.iter().map(|plan| Found::begin(*plan)).collect(),
            ..Part::default()
        };
        let mut rows = Rows::new(bytes, self.options.dialect);
        let mut read = 0;
        while part.seen < most {
            let Some(row) = rows.next_row() else { break };
            let end = row.source.len();
            read += end;
            let fault = if open && read == bytes.len() {
                Some((None, "a quote is opened and never closed".into()))
            } else {
                self.fault(row, plans.len(), utf8)
            };
            let fault = match fault {
                None => self.take(
                    row,
                    &order,
                    plans,
                    part.seen - part.skipped,
                    &mut part.columns,
                )?,
                fault => fault,
            };
            if let Some((column, message)) = fault {
                part.skipped += 1;
                if part.bad.len() < MOST_BAD {
                    part.bad.push(Bad {
                        row: part.seen,
                        column,
                        message,
                    });
                }
                if self.options.bad_rows == BadRows::Error {
                    break;
                }
            }
            part.seen += 1;
        }
        Ok(part)
    }

    /// What is wrong with a row, whatever the types of its columns.
    fn fault(&self, row: Row<'_>, columns: usize, utf8: bool) -> Option<Fault> {
        if row.count() != columns {
            return Some((
                None,
                format!(
                    "it has {} fields, and there are {columns} columns",
                    row.count()
                ),
            ));
        }
        if !utf8 && std::str::from_utf8(row.source).is_err() {
            return Some((None, "it is not UTF-8".into()));
        }
        if row.source.len() > self.options.max_field {
            let long = (0..columns).find(|at| row.field(*at).len() > self.options.max_field)?;
            let message = format!(
                "it has {} bytes, and maxField is {}",
                row.field(long).len(),
                self.options.max_field
            );
            return Some((Some(long), message));
        }
        None
    }

    /// Adds a row to the columns. If it is bad they are as before.
    #[inline]
    fn take(
        &self,
        row: Row<'_>,
        order: &[usize],
        plans: &[Plan],
        len: usize,
        columns: &mut [Found],
    ) -> Result<Option<Fault>> {
        for (done, at) in order.iter().enumerate() {
            let field = row.field(*at);
            let field = if field.is_empty() {
                // An empty text, if somebody has written quotes for it.
                Some(field).filter(|_| {
                    columns[*at].is_text() && !self.is_null(field) && row.is_quoted(*at)
                })
            } else {
                Some(field).filter(|field| !self.is_null(field))
            };
            match (plans[*at], &mut columns[*at]) {
                (Plan::Given(kind), Found::Column(column)) => match field {
                    None => column.push_null(),
                    Some(field) if column.push(field, false)? => {}
                    Some(field) => {
                        for at in &order[..done] {
                            if let Found::Column(column) = &mut columns[*at] {
                                column.truncate(len);
                            }
                        }
                        return Ok(Some((
                            Some(*at),
                            format!("{} is no {}", quoted(field), kind.name()),
                        )));
                    }
                },
                (_, found) => found.infer(field)?,
            }
        }
        Ok(None)
    }

    fn is_null(&self, field: &[u8]) -> bool {
        self.nulls.contains(&field)
    }
}

/// What is wrong with a row: the column, if it is one, and the message.
type Fault = (Option<usize>, String);

/// The columns in the order in which a row is added to them: first those that may refuse it, so that a bad row leaves
/// nothing behind in the others.
fn order(plans: &[Plan]) -> Vec<usize> {
    let rank = |at: &usize| match plans[*at] {
        Plan::Given(Kind::Text | Kind::Dictionary) => 1,
        Plan::Given(_) => 0,
        Plan::Inferred(_) => 2,
        Plan::Skip => 3,
    };
    let mut order: Vec<usize> = (0..plans.len()).filter(|at| rank(at) < 3).collect();
    order.sort_by_key(rank);
    order
}

/// A field in a message.
fn quoted(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{shown}'")
}
