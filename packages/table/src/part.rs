//! The rows of one chunk, as columns, and how those of all chunks become a table.

use rspool_task::{Context, Error, Result};

use crate::column::Column;
use crate::kind::Kind;
use crate::table::{BadRow, Table};

/// What is to become of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Skip,
    /// Of the type that the user says. A field that is none is a fault of its row.
    Given(Kind),
    /// Of the type that holds all its fields: this one, as far as is known.
    Inferred(Kind),
}

/// A column of a chunk.
#[derive(Debug)]
pub enum Found {
    /// Skipped.
    Nothing,
    /// All fields were of its type.
    Column(Column),
    /// It has a field that is not of the type it was taken for. This type holds those that were looked at.
    Wider(Kind),
}

/// A row that cannot be taken, of a chunk.
#[derive(Debug)]
pub struct Bad {
    /// Among those of the chunk.
    pub row: usize,
    /// The column, if it is one.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// What a chunk has.
#[derive(Debug, Default)]
pub struct Part {
    /// One per column of the plan.
    pub columns: Vec<Found>,
    /// Rows, bad ones too.
    pub seen: usize,
    /// The bad ones: the first so many.
    pub bad: Vec<Bad>,
    /// How many rows were bad.
    pub skipped: usize,
}

/// What becomes of bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRows {
    /// The first one ends the task.
    Error,
    /// They are left out, and counted.
    Skip,
    /// They are left out, and the result says why.
    Collect,
}

/// Bad rows that a result tells of.
pub const MOST_BAD: usize = 1000;

impl Found {
    /// As the plan begins.
    #[must_use]
    pub fn begin(plan: Plan) -> Self {
        match plan {
            Plan::Skip => Self::Nothing,
            Plan::Given(kind) | Plan::Inferred(kind) => Self::Column(Column::new(kind)),
        }
    }

    /// Whether an empty field in quotes is an empty text here.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Column(column) if matches!(column.kind(), Kind::Text | Kind::Dictionary))
    }

    /// Adds a field of an inferred column; `None` is a null.
    ///
    /// # Errors
    /// There are too many texts.
    #[inline]
    pub fn infer(&mut self, field: Option<&[u8]>) -> Result<()> {
        match (&mut *self, field) {
            (Self::Nothing, _) | (Self::Wider(_), None) => {}
            (Self::Column(column), None) => column.push_null(),
            (Self::Column(column), Some(field)) => {
                if !column.push(field, true)? {
                    *self = Self::Wider(column.kind().join(Kind::of(field)));
                }
            }
            (Self::Wider(Kind::Text), _) => {}
            (Self::Wider(kind), Some(field)) => *kind = kind.join(Kind::of(field)),
        }
        Ok(())
    }
}

impl Part {
    /// The types that the inferred columns have when they hold what this part has, too.
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

/// Reads all chunks by the plan, and those columns again whose type turns out to be another.
///
/// # Errors
/// `Cancelled`; the first bad row, if it is to end the task.
pub fn read_all(
    names: &[String],
    mut plans: Vec<Plan>,
    bad_rows: BadRows,
    context: &Context<'_>,
    read: impl Fn(&[Plan]) -> Result<Vec<Part>>,
) -> Result<Table> {
    let mut parts = read(&plans)?;
    check(&parts, names, bad_rows)?;
    let before = plans.clone();
    let mut wider = false;
    for part in &parts {
        wider |= part.widen(&mut plans);
    }
    if wider {
        // Given columns again, since they decide which rows are bad.
        let again: Vec<Plan> = plans
            .iter()
            .zip(&before)
            .map(|(plan, before)| match plan {
                Plan::Inferred(_) if plan == before => Plan::Skip,
                plan => *plan,
            })
            .collect();
        for (part, second) in parts.iter_mut().zip(read(&again)?) {
            for (found, second) in part.columns.iter_mut().zip(second.columns) {
                if !matches!(second, Found::Nothing) {
                    *found = second;
                }
            }
        }
    }
    join(names, &plans, parts, bad_rows, context)
}

/// The first bad row as an error.
fn check(parts: &[Part], names: &[String], bad_rows: BadRows) -> Result<()> {
    if bad_rows != BadRows::Error {
        return Ok(());
    }
    let mut before = 0;
    for part in parts {
        if let Some(bad) = part.bad.first() {
            let bad = bad_row(bad, before, names);
            return Err(Error::failed(rspool_task::CORRUPT_INPUT, bad.to_string()));
        }
        before += part.seen;
    }
    Ok(())
}

fn bad_row(bad: &Bad, before: usize, names: &[String]) -> BadRow {
    BadRow {
        row: before + bad.row + 1,
        column: bad.column.and_then(|column| names.get(column).cloned()),
        message: bad.message.clone(),
    }
}

/// The table of all parts.
fn join(
    names: &[String],
    plans: &[Plan],
    parts: Vec<Part>,
    bad_rows: BadRows,
    context: &Context<'_>,
) -> Result<Table> {
    let (mut seen, mut skipped, mut bad) = (0, 0, Vec::new());
    let mut columns: Vec<Vec<Column>> = names
        .iter()
        .map(|_| Vec::with_capacity(parts.len()))
        .collect();
    for part in parts {
        if bad_rows == BadRows::Collect {
            let room = MOST_BAD - bad.len().min(MOST_BAD);
            bad.extend(
                part.bad
                    .iter()
                    .take(room)
                    .map(|bad| bad_row(bad, seen, names)),
            );
        }
        seen += part.seen;
        skipped += part.skipped;
        for (column, found) in columns.iter_mut().zip(part.columns) {
            match found {
                Found::Nothing => {}
                Found::Column(found) => column.push(found),
                Found::Wider(kind) => {
                    return Err(Error::new(format!(
                        "a column is wider than {}",
                        kind.name()
                    )));
                }
            }
        }
    }
    let rows = seen - skipped;
    if u32::try_from(rows).is_err() {
        return Err(Error::failed(
            rspool_task::OUTPUT_TOO_LARGE,
            "a table has 4294967295 rows at most: read fewer by maxRows",
        ));
    }
    let kept = names.iter().zip(plans).zip(columns);
    let kept = kept.filter_map(|((name, plan), parts)| match plan {
        Plan::Skip => None,
        Plan::Given(kind) | Plan::Inferred(kind) => Some((name, *kind, parts)),
    });
    let columns = context.map_items(kept.collect(), |_, (name, kind, parts)| {
        Ok((name.clone(), Column::concat(kind, parts)?))
    })?;
    Ok(Table {
        rows,
        columns,
        skipped,
        bad,
    })
}
