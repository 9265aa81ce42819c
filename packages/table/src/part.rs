//! The rows of one chunk as columns, and how the columns of all chunks become a table.

use rspool_task::{Context, Error, Result};

use crate::column::Column;
use crate::kind::{Field, Kind};
use crate::table::{BadRow, Table};

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

/// A column as found in a chunk.
#[derive(Debug)]
pub enum Found {
    /// Skipped.
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
    pub fn begin(plan: Plan) -> Self {
        match plan {
            Plan::Skip => Self::Nothing,
            Plan::Given(kind) | Plan::Inferred(kind) => Self::Column(Column::new(kind)),
        }
    }

    /// Whether an empty field in quotes is an empty text in this column.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Column(column) if matches!(column.kind(), Kind::Text | Kind::Dictionary))
    }

    /// Adds a field of an inferred column; `None` is a null.
    ///
    /// # Errors
    /// If there are too many texts.
    #[inline]
    pub fn infer(&mut self, field: Option<Field<'_>>) -> Result<()> {
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
pub fn fill(rows: &mut impl Fields, plans: &[Plan], part: &mut Part) -> Result<()> {
    part.columns = plans.iter().map(|plan| Found::begin(*plan)).collect();
    let given = |at: &usize| matches!(plans[*at], Plan::Given(_));
    loop {
        let mut refused = Vec::new();
        for at in (0..plans.len()).filter(given) {
            part.columns[at] = fill_given(rows, at, plans[at], &mut refused)?;
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
        let found = &mut part.columns[at];
        for row in 0..rows.rows() {
            found.infer(rows.field(row, at, found.is_text()))?;
        }
    }
    part.bad.sort_by_key(|bad| bad.row);
    part.skipped = part.bad.len();
    part.bad.truncate(MOST_BAD);
    Ok(())
}

/// Fills a column of a type that the user names.
fn fill_given(rows: &impl Fields, at: usize, plan: Plan, refused: &mut Vec<Bad>) -> Result<Found> {
    let mut found = Found::begin(plan);
    let text = found.is_text();
    let Found::Column(column) = &mut found else {
        return Ok(found);
    };
    for row in 0..rows.rows() {
        match rows.field(row, at, text) {
            None => column.push_null(),
            Some(field) if column.push(field, false)? => {}
            Some(field) => {
                let message = format!("{} is no {}", quoted(field.bytes), column.kind().name());
                refused.push(Bad {
                    row: rows.number(row),
                    column: Some(at),
                    message,
                });
            }
        }
    }
    Ok(found)
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

/// Reads all chunks by the plan. Then reads again those columns that turn out to have another type.
///
/// # Errors
/// `Cancelled`, or the first bad row if that ends the task.
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
        // Also the columns with a type from the user, because they decide which rows are bad.
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

/// Returns the first bad row as an error, if that ends the task.
///
/// # Errors
/// `ERR_RSPOOL_CORRUPT_INPUT`.
pub fn check(parts: &[Part], names: &[String], bad_rows: BadRows) -> Result<()> {
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
///
/// # Errors
/// `Cancelled`, `ERR_RSPOOL_OUTPUT_TOO_LARGE`.
pub fn join(
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
