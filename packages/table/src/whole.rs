//! A table that grows part by part.

use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rspool_task::{Context, Error, Result};

use crate::column::Column;
use crate::kind::Kind;
use crate::part::{BadRows, Found, MOST_BAD, Part, Plan, bad_row};
use crate::table::{BadRow, Table};

/// Columns of parts, whose memory the next parts take over. Memory that is new costs more than to fill it.
#[derive(Debug, Default)]
pub struct Spare(Mutex<Vec<Column>>);

impl Spare {
    /// An empty column.
    #[must_use]
    pub fn column(&self, kind: Kind) -> Column {
        let mut columns = self.columns();
        let found = columns.iter().rposition(|column| column.kind() == kind);
        found.map_or_else(|| Column::new(kind), |at| columns.swap_remove(at))
    }

    fn add(&self, parts: Vec<Found>) {
        let columns = parts.into_iter().filter_map(Found::column);
        self.columns().extend(columns.map(|mut column| {
            column.clear();
            column
        }));
    }

    fn columns(&self) -> MutexGuard<'_, Vec<Column>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of several parts.
#[derive(Debug, Default)]
pub struct Totals {
    /// The number of rows, including bad ones.
    pub seen: usize,
    /// The number of bad rows.
    pub skipped: usize,
    /// The first bad rows, if they are collected.
    pub bad: Vec<BadRow>,
}

impl Totals {
    /// Adds the rows of the next part.
    pub fn add(&mut self, part: &Part, names: &[String], bad_rows: BadRows) {
        if bad_rows == BadRows::Collect {
            let room = MOST_BAD - self.bad.len().min(MOST_BAD);
            let bad = part.bad.iter().take(room);
            self.bad
                .extend(bad.map(|bad| bad_row(bad, self.seen, names)));
        }
        self.seen += part.seen;
        self.skipped += part.skipped;
    }
}

/// The columns of all parts so far.
#[derive(Debug)]
pub struct Whole {
    columns: Vec<Found>,
}

impl Whole {
    /// Columns without rows.
    #[must_use]
    pub fn new(plans: &[Plan]) -> Self {
        let none = Spare::default();
        let columns = plans.iter().map(|plan| Found::begin(*plan, &none));
        Self {
            columns: columns.collect(),
        }
    }

    /// Makes a column new, as if there were no parts yet.
    pub fn begin(&mut self, at: usize, plan: Plan) {
        self.columns[at] = Found::begin(plan, &Spare::default());
    }

    /// Adds the columns of the next parts, as far as they have been read. A column of which one is wider is given up. The
    /// parts have one of `share` parts of all rows.
    ///
    /// # Errors
    /// `Cancelled`, `ERR_RSPOOL_OUTPUT_TOO_LARGE`.
    pub fn add(
        &mut self,
        parts: &mut [Part],
        share: f64,
        spare: &Spare,
        context: &Context<'_>,
    ) -> Result<()> {
        let columns = self.columns.iter_mut().enumerate();
        let columns = columns.filter(|(_, column)| matches!(column, Found::Column(_)));
        let columns = columns.map(|(at, column)| {
            let parts = parts.iter_mut().filter_map(|part| part.columns.get_mut(at));
            let parts: Vec<Found> = parts.map(take).collect();
            (column, parts)
        });
        context.parallel_items(columns.collect(), |_, (column, parts)| {
            column.append(&parts, share)?;
            spare.add(parts);
            Ok(())
        })
    }

    /// The table.
    ///
    /// # Errors
    /// `ERR_RSPOOL_OUTPUT_TOO_LARGE`.
    pub fn into_table(self, names: &[String], totals: Totals) -> Result<Table> {
        let Totals { seen, skipped, bad } = totals;
        let rows = seen - skipped;
        if u32::try_from(rows).is_err() {
            return Err(Error::failed(
                rspool_task::OUTPUT_TOO_LARGE,
                "a table has 4294967295 rows at most: read fewer by maxRows",
            ));
        }
        let columns = names.iter().zip(self.columns);
        let columns = columns.filter_map(|(name, found)| {
            let mut column = found.column()?;
            column.shrink();
            Some((name.clone(), column))
        });
        Ok(Table {
            rows,
            columns: columns.collect(),
            skipped,
            bad,
        })
    }
}

impl Found {
    /// The column, if there is one.
    fn column(self) -> Option<Column> {
        match self {
            Self::Column(column) => Some(column),
            Self::Nothing | Self::Wider(_) => None,
        }
    }

    fn append(&mut self, parts: &[Self], share: f64) -> Result<()> {
        let wider = parts.iter().find_map(|part| match part {
            Self::Wider(kind) => Some(*kind),
            _ => None,
        });
        if let Some(kind) = wider {
            *self = Self::Wider(kind);
        }
        let Self::Column(column) = self else {
            return Ok(());
        };
        let parts: Vec<&Column> = parts
            .iter()
            .filter_map(|part| match part {
                Self::Column(part) => Some(part),
                _ => None,
            })
            .collect();
        if column.len == 0 {
            column.reserve(&parts, share);
        }
        for part in parts {
            column.append(part, 0..part.len)?;
        }
        Ok(())
    }
}
