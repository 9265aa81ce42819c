//! A table that is read some chunks at a time: as a whole, or sent in chunks of rows while it is read.

use std::collections::VecDeque;
use std::mem::take;
use std::ops::Range;

use rspool_task::{Context, Result};

use crate::column::Column;
use crate::part::{BadRows, Part, Plan, check};
use crate::table::Table;
use crate::whole::{Spare, Totals, Whole};

/// Chunks of the input that are read at a time. Their rows are in memory, and no others.
const WINDOW: usize = 16;

/// A table that is read in parts.
#[derive(Debug)]
pub struct Source<'a> {
    /// The names of all columns.
    pub names: &'a [String],
    /// What is planned for them.
    pub plans: Vec<Plan>,
    /// The number of chunks.
    pub chunks: usize,
    /// What happens to bad rows.
    pub bad_rows: BadRows,
    /// The memory of parts.
    pub spare: &'a Spare,
}

impl Source<'_> {
    /// Reads all chunks by the plan. Then reads again those columns that turn out to have another type.
    ///
    /// # Errors
    /// `Cancelled`, `ERR_RSPOOL_OUTPUT_TOO_LARGE`, or the first bad row if that ends the task.
    pub fn read(
        mut self,
        context: &Context<'_>,
        read: impl Fn(Range<usize>, &[Plan], &Context<'_>) -> Result<Vec<Part>>,
    ) -> Result<Table> {
        let planned = self.plans.clone();
        let mut whole = Whole::new(&planned);
        let mut totals = Totals::default();
        for chunks in windows(self.chunks) {
            let share = self.share(&chunks);
            let mut parts = read(chunks, &self.plans, context)?;
            check(&parts, totals.seen, self.names, self.bad_rows)?;
            for part in &parts {
                totals.add(part, self.names, self.bad_rows);
                part.widen(&mut self.plans);
            }
            whole.add(&mut parts, share, self.spare, context)?;
        }
        let is_wider = |at: usize| self.plans[at] != planned[at];
        let wider: Vec<usize> = (0..planned.len()).filter(|at| is_wider(*at)).collect();
        if wider.is_empty() {
            return whole.into_table(self.names, totals);
        }
        for at in &wider {
            whole.begin(*at, self.plans[*at]);
        }
        // Also the columns with a type from the user, because they decide which rows are bad.
        let again = self.plans.iter().enumerate().map(|(at, plan)| match plan {
            Plan::Inferred(_) if !is_wider(at) => Plan::Skip,
            plan => *plan,
        });
        let again: Vec<Plan> = again.collect();
        for chunks in windows(self.chunks) {
            let share = self.share(&chunks);
            let mut parts = read(chunks, &again, &context.uncounted())?;
            for part in &mut parts {
                part.keep(is_wider);
            }
            whole.add(&mut parts, share, self.spare, context)?;
        }
        whole.into_table(self.names, totals)
    }

    /// How many times as much there is as in these chunks, and a little more.
    fn share(&self, chunks: &Range<usize>) -> f64 {
        match chunks.len() {
            some if some == self.chunks => 1.0,
            some => 1.02 * self.chunks as f64 / some as f64,
        }
    }

    /// Sends all rows, `rows` in each chunk if it is given. Returns how many there were, without columns. The types must
    /// hold all fields.
    ///
    /// # Errors
    /// `Cancelled`, the first bad row if that ends the task, or the error of `send`.
    pub fn send(
        self,
        rows: Option<usize>,
        read: impl Fn(Range<usize>, &[Plan]) -> Result<Vec<Part>>,
        send: impl FnMut(Table) -> Result<()>,
    ) -> Result<Table> {
        let mut sender = Sender {
            source: &self,
            rows,
            send,
            parts: VecDeque::new(),
            waiting: 0,
            totals: Totals::default(),
            told: 0,
            any: false,
        };
        for chunks in windows(self.chunks) {
            let parts = read(chunks, &self.plans)?;
            check(&parts, sender.totals.seen, self.names, self.bad_rows)?;
            for part in parts {
                sender.add(part)?;
            }
        }
        sender.end()
    }

    /// Widens the types that are inferred, so that they hold all fields.
    ///
    /// # Errors
    /// `Cancelled`, or the first bad row if that ends the task.
    pub fn widen(
        &mut self,
        read: impl Fn(Range<usize>, &[Plan]) -> Result<Vec<Part>>,
    ) -> Result<()> {
        if !self
            .plans
            .iter()
            .any(|plan| matches!(plan, Plan::Inferred(_)))
        {
            return Ok(());
        }
        let mut seen = 0;
        for chunks in windows(self.chunks) {
            let parts = read(chunks, &self.plans)?;
            check(&parts, seen, self.names, self.bad_rows)?;
            for part in parts {
                part.widen(&mut self.plans);
                seen += part.seen;
            }
        }
        Ok(())
    }
}

/// The chunks that are read at a time.
pub fn windows(chunks: usize) -> impl Iterator<Item = Range<usize>> {
    (0..chunks)
        .step_by(WINDOW)
        .map(move |start| start..chunks.min(start + WINDOW))
}

/// Makes chunks of rows from parts of any size.
struct Sender<'a, S> {
    source: &'a Source<'a>,
    rows: Option<usize>,
    send: S,
    /// Rows that are not sent yet.
    parts: VecDeque<Rows>,
    /// How many they are.
    waiting: usize,
    totals: Totals,
    /// The bad rows that chunks have counted.
    told: usize,
    /// Whether a chunk was sent.
    any: bool,
}

/// Some rows of columns.
struct Rows {
    columns: Vec<Column>,
    rows: Range<usize>,
}

impl<S: FnMut(Table) -> Result<()>> Sender<'_, S> {
    fn add(&mut self, part: Part) -> Result<()> {
        self.totals
            .add(&part, self.source.names, self.source.bad_rows);
        let rows = part.seen - part.skipped;
        if rows > 0 {
            let columns = part.into_columns()?;
            let rows = 0..rows;
            self.waiting += rows.len();
            self.parts.push_back(Rows { columns, rows });
        }
        let size = self.rows.unwrap_or(self.waiting).max(1);
        while self.waiting >= size {
            self.send(size)?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Table> {
        // At least one, which has the names and the types.
        if self.waiting > 0 || self.told < self.totals.skipped || !self.any {
            self.send(self.waiting)?;
        }
        let Totals { seen, skipped, .. } = self.totals;
        Ok(Table {
            rows: seen - skipped,
            columns: Vec::new(),
            skipped,
            bad: Vec::new(),
        })
    }

    /// Sends the next rows.
    fn send(&mut self, rows: usize) -> Result<()> {
        let columns = self.take(rows)?;
        let skipped = self.totals.skipped - self.told;
        self.told = self.totals.skipped;
        self.any = true;
        let wanted = self.source.names.iter().zip(&self.source.plans);
        let names = wanted.filter_map(|(name, plan)| plan.kind().map(|_| name.clone()));
        (self.send)(Table {
            rows,
            columns: names.zip(columns).collect(),
            skipped,
            bad: take(&mut self.totals.bad),
        })
    }

    fn take(&mut self, rows: usize) -> Result<Vec<Column>> {
        self.waiting -= rows;
        if let Some(first) = self.parts.pop_front_if(|first| first.rows == (0..rows)) {
            return Ok(first.columns);
        }
        let kinds = self.source.plans.iter().filter_map(|plan| plan.kind());
        let mut columns: Vec<Column> = kinds.map(Column::new).collect();
        let mut missing = rows;
        while let Some(first) = self.parts.front_mut().filter(|_| missing > 0) {
            let start = first.rows.start;
            let next = start..first.rows.end.min(start + missing);
            for (column, part) in columns.iter_mut().zip(&first.columns) {
                column.append(part, next.clone())?;
            }
            missing -= next.len();
            first.rows.start = next.end;
            if first.rows.is_empty() {
                self.parts.pop_front();
            }
        }
        Ok(columns)
    }
}
