//! The rows of one chunk as columns.

use rspool_task::{Error, Result};

use crate::column::Column;
use crate::kind::{Field, Kind};
use crate::table::BadRow;
use crate::whole::Spare;

/// The plan for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// It is not wanted.
    Skip,
    /// It has the type that the user names. A field that does not fit makes its row a bad one.
    Given(Kind),
    /// It has the type that holds all its fields: this one, as far as is known.
    Inferred(Kind),
}

impl Plan {
    /// The type of a column that is wanted.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Skip => None,
            Self::Given(kind) | Self::Inferred(kind) => Some(kind),
        }
    }
}

/// A column as found in a chunk.
#[derive(Debug, Default)]
pub enum Found {
    /// Skipped.
    #[default]
    Nothing,
    /// All fields were of the planned type.
    Column(Column),
    /// It has a field that is not of the planned type. This type holds the fields that were looked at.
    Wider(Kind),
}

/// A bad row of a chunk.
#[derive(Debug)]
pub struct Bad {
    /// Its number in the chunk.
    pub row: usize,
    /// The column that caused it, if there is one.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// The contents of a chunk.
#[derive(Debug, Default)]
pub struct Part {
    /// One per column of the plan.
    pub columns: Vec<Found>,
    /// The number of rows, including bad ones.
    pub seen: usize,
    /// The first bad rows.
    pub bad: Vec<Bad>,
    /// The number of bad rows.
    pub skipped: usize,
}

/// What happens to bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRows {
    /// The first one ends the task.
    Error,
    /// They are left out, and counted.
    Skip,
    /// They are left out, and the result says why.
    Collect,
}

/// The most bad rows that a result lists.
pub const MOST_BAD: usize = 1000;

impl Found {
    /// An empty column for a plan.
    #[must_use]
    pub fn begin(plan: Plan, spare: &Spare) -> Self {
        match plan.kind() {
            None => Self::Nothing,
            Some(kind) => Self::Column(spare.column(kind)),
        }
    }

    /// Whether an empty field in quotes is an empty text in this column.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Column(column) if matches!(column.kind(), Kind::Text | Kind::Dictionary))
    }
}

impl Part {
    /// The columns that are wanted.
    ///
    /// # Errors
    /// If one of them has another type.
    pub fn into_columns(self) -> Result<Vec<Column>> {
        let columns = self.columns.into_iter().filter_map(|found| match found {
            Found::Nothing => None,
            Found::Column(column) => Some(Ok(column)),
            Found::Wider(kind) => {
                let message = format!("a column is wider than {}", kind.name());
                Some(Err(Error::new(message)))
            }
        });
        columns.collect()
    }

    /// Forgets the other columns.
    pub fn keep(&mut self, wanted: impl Fn(usize) -> bool) {
        for (at, column) in self.columns.iter_mut().enumerate() {
            if !wanted(at) {
                *column = Found::Nothing;
            }
        }
    }

    /// Widens the types of the inferred columns, so that they hold the fields of this part, too.
    pub fn widen(&self, plans: &mut [Plan]) -> bool {
        let mut wider = false;
        for (plan, found) in plans.iter_mut().zip(&self.columns) {
            if let (Plan::Inferred(kind), Found::Wider(more)) = (plan, found) {
                *kind = kind.join(*more);
                wider = true;
            }
        }
        wider
    }
}

/// The rows of a chunk.
pub trait Fields {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The number of a row in the chunk.
    fn number(&self, row: usize) -> usize;

    /// Removes the rows with these numbers, which are in order.
    fn remove(&mut self, numbers: impl Iterator<Item = usize>);

    /// The field of a row in a column. `text` says whether the column may have texts. `None` is a null.
    fn field(&self, row: usize, column: usize, text: bool) -> Option<Field<'_>>;
}

/// Makes columns from rows. Rows with fields that do not fit a type from the user become bad rows, and none of their
/// fields is in any column.
///
/// # Errors
/// If there are too many texts.
pub fn fill(rows: &mut impl Fields, plans: &[Plan], spare: &Spare, part: &mut Part) -> Result<()> {
    part.columns = plans
        .iter()
        .map(|plan| Found::begin(*plan, spare))
        .collect();
    let given = |at: &usize| matches!(plans[*at], Plan::Given(_));
    loop {
        let mut refused = Vec::new();
        for at in (0..plans.len()).filter(given) {
            fill_given(rows, at, &mut part.columns[at], &mut refused)?;
        }
        if refused.is_empty() {
            break;
        }
        // If several columns refuse their fields in one row, the first column counts.
        refused.sort_by_key(|bad| bad.row);
        refused.dedup_by_key(|bad| bad.row);
        rows.remove(refused.iter().map(|bad| bad.row));
        part.bad.extend(refused);
    }
    for at in (0..plans.len()).filter(|at| matches!(plans[*at], Plan::Inferred(_))) {
        infer(rows, at, &mut part.columns[at])?;
    }
    part.bad.sort_by_key(|bad| bad.row);
    part.skipped = part.bad.len();
    part.bad.truncate(MOST_BAD);
    Ok(())
}

/// Fills a column of a type that the user names.
fn fill_given(
    rows: &impl Fields,
    at: usize,
    found: &mut Found,
    refused: &mut Vec<Bad>,
) -> Result<()> {
    let text = found.is_text();
    let Found::Column(column) = found else {
        return Ok(());
    };
    column.clear();
    let mut from = 0;
    while let Some(row) =
        column.extend(from..rows.rows(), false, |row| rows.field(row, at, text))?
    {
        let field = rows
            .field(row, at, text)
            .map_or(&b""[..], |field| field.bytes);
        refused.push(Bad {
            row: rows.number(row),
            column: Some(at),
            message: format!("{} is no {}", quoted(field), column.kind().name()),
        });
        from = row + 1;
    }
    Ok(())
}

/// Fills a column whose type is inferred.
fn infer(rows: &impl Fields, at: usize, found: &mut Found) -> Result<()> {
    let text = found.is_text();
    let Found::Column(column) = found else {
        return Ok(());
    };
    let refused = column.extend(0..rows.rows(), true, |row| rows.field(row, at, text))?;
    let Some(first) = refused else {
        return Ok(());
    };
    let mut kind = column.kind();
    for row in first..rows.rows() {
        if kind == Kind::Text {
            break;
        }
        if let Some(field) = rows.field(row, at, false) {
            kind = kind.join(Kind::of(field));
        }
    }
    *found = Found::Wider(kind);
    Ok(())
}

/// A field, quoted for a message.
fn quoted(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("'{shown}'")
}

/// Returns the first bad row as an error, if that ends the task. There are this many rows before the parts.
///
/// # Errors
/// `ERR_RSPOOL_CORRUPT_INPUT`.
pub fn check(parts: &[Part], mut before: usize, names: &[String], bad_rows: BadRows) -> Result<()> {
    if bad_rows != BadRows::Error {
        return Ok(());
    }
    for part in parts {
        if let Some(bad) = part.bad.first() {
            let bad = bad_row(bad, before, names);
            return Err(Error::failed(rspool_task::CORRUPT_INPUT, bad.to_string()));
        }
        before += part.seen;
    }
    Ok(())
}

pub(crate) fn bad_row(bad: &Bad, before: usize, names: &[String]) -> BadRow {
    BadRow {
        row: before + bad.row + 1,
        column: bad.column.and_then(|column| names.get(column).cloned()),
        message: bad.message.clone(),
    }
}
