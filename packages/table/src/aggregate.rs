//! Groups rows, and computes figures of each group.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use rspool_task::{Context, Error, Input, Output, ROWS, Result, Value, must_be, record};

use crate::column::{Cells, Column};
use crate::table::Table;

record! {
    /// The params of `table.aggregate`.
    #[derive(Debug)]
    pub struct Aggregates {
        /// The columns whose rows with the same values are a group. Without one, all rows are.
        pub by: Vec<String> = Vec::new(),
        /// What is computed of each group.
        pub values: Vec<Aggregate>,
    }

    /// A column of the result.
    #[derive(Debug)]
    pub struct Aggregate {
        /// What is computed, of the values that are not null. 'count' without a column counts rows.
        pub how: How,
        /// Of which column.
        pub column: Option<String>,
        /// The name of the result: that of the column and what is computed, as `price_sum`, if it is not given.
        pub name: Option<String>,
    }
}

/// What is computed of the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// How many there are.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

const HOWS: [(&str, How); 5] = [
    ("count", How::Count),
    ("sum", How::Sum),
    ("mean", How::Mean),
    ("min", How::Min),
    ("max", How::Max),
];

impl How {
    fn name(self) -> &'static str {
        let known = HOWS.iter().find(|(_, how)| *how == self);
        known.map_or("count", |(name, _)| name)
    }
}

impl<'a> Input<'a> for How {
    fn type_of() -> String {
        "'count' | 'sum' | 'mean' | 'min' | 'max'".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let known = HOWS
            .iter()
            .find(|(name, _)| matches!(&value, Value::String(given) if **given == **name));
        match known {
            Some((_, how)) => Ok(*how),
            None => must_be(what, "'count', 'sum', 'mean', 'min' or 'max'", &value),
        }
    }
}

impl Output for How {
    fn type_of() -> String {
        <Self as Input>::type_of()
    }

    fn into_value(self) -> Result<Value<'static>> {
        self.name().into_value()
    }
}

/// Rows between two checks whether the task should end.
const STEP: usize = 64 * 1024;

/// Computes one row per group, in the order of the groups' first rows.
///
/// # Errors
/// `Cancelled`, or `ERR_RSPOOL_INVALID_ARGUMENT` for a column that does not exist or has no numbers.
pub fn aggregate(table: &Table, params: &Aggregates, context: &Context<'_>) -> Result<Table> {
    let mut groups = Groups {
        of: vec![0; table.rows],
        first: vec![0; table.rows.min(1)],
    };
    let mut columns = Vec::new();
    for name in &params.by {
        groups.split(find(table, name)?, context)?;
    }
    for name in &params.by {
        columns.push((name.clone(), find(table, name)?.take(&groups.first)?));
    }
    context.count(ROWS, table.rows as i64);
    let values = context.map_items(params.values.iter().collect(), |_, value: &Aggregate| {
        let column = match &value.column {
            Some(name) => Some((&**name, find(table, name)?)),
            None => None,
        };
        let result = compute(value.how, column, &groups, context)?;
        let name = value.name.clone().unwrap_or_else(|| match &value.column {
            Some(column) => format!("{column}_{}", value.how.name()),
            None => value.how.name().into(),
        });
        Ok((name, result))
    })?;
    columns.extend(values);
    for (at, (name, _)) in columns.iter().enumerate() {
        if columns[..at].iter().any(|(known, _)| known == name) {
            return Err(Error::invalid(format!(
                "two columns of the result are called '{name}': name one of them"
            )));
        }
    }
    Ok(Table {
        rows: groups.first.len(),
        columns,
        skipped: 0,
        bad: Vec::new(),
    })
}

fn find<'a>(table: &'a Table, name: &str) -> Result<&'a Column> {
    let found = table.columns.iter().find(|(known, _)| known == name);
    match found {
        Some((_, column)) => Ok(column),
        None => Err(Error::invalid(format!("there is no column '{name}'"))),
    }
}

/// The group of each row.
struct Groups {
    of: Vec<u32>,
    /// The first row of each group.
    first: Vec<u32>,
}

impl Groups {
    /// Splits the groups further by the values of this column.
    fn split(&mut self, column: &Column, context: &Context<'_>) -> Result<()> {
        match &column.cells {
            Cells::Null => Ok(()),
            Cells::Bool(cells) => self.by(column, |row| cells[row], context),
            Cells::I32(cells) => self.by(column, |row| cells[row], context),
            Cells::I64(cells) | Cells::Timestamp(cells) => {
                self.by(column, |row| cells[row], context)
            }
            // 0 and -0 are one group, and so are all NaNs.
            Cells::F64(cells) => self.by(
                column,
                |row| match cells[row] {
                    number if number.is_nan() => f64::NAN.to_bits(),
                    number => (number + 0.0).to_bits(),
                },
                context,
            ),
            Cells::Text(texts) => self.by(column, |row| texts.get(row), context),
            Cells::Dictionary(codes) => self.by(column, |row| codes.codes[row], context),
        }
    }

    fn by<K: Hash + Eq>(
        &mut self,
        column: &Column,
        key: impl Fn(usize) -> K,
        context: &Context<'_>,
    ) -> Result<()> {
        let mut known: HashMap<(u32, Option<K>), u32, RandomState> = HashMap::default();
        let mut nulls = column.nulls.iter().peekable();
        self.first.clear();
        for (row, group) in self.of.iter_mut().enumerate() {
            if row.is_multiple_of(STEP) {
                context.check()?;
            }
            let key = match nulls.next_if(|null| **null as usize == row) {
                Some(_) => None,
                None => Some(key(row)),
            };
            let next = self.first.len() as u32;
            *group = *known.entry((*group, key)).or_insert(next);
            if *group == next {
                self.first.push(row as u32);
            }
        }
        Ok(())
    }
}

fn compute(
    how: How,
    column: Option<(&str, &Column)>,
    groups: &Groups,
    context: &Context<'_>,
) -> Result<Column> {
    let Some((name, column)) = column else {
        if how != How::Count {
            return Err(Error::invalid(format!(
                "params.values: '{}' needs a column",
                how.name()
            )));
        }
        let mut counts = vec![0.0; groups.first.len()];
        groups
            .of
            .iter()
            .for_each(|group| counts[*group as usize] += 1.0);
        return Ok(numbers(counts));
    };
    if matches!(how, How::Min | How::Max) {
        return extremes(how == How::Max, name, column, groups, context);
    }
    let mut sums = Sums::new(groups.first.len());
    let mut add = |value: &dyn Fn(usize) -> f64| sums.add(column, value, groups, context);
    match &column.cells {
        _ if how == How::Count => add(&|_| 0.0)?,
        Cells::Null => {}
        Cells::Bool(cells) => add(&|row| f64::from(cells[row]))?,
        Cells::I32(cells) => add(&|row| f64::from(cells[row]))?,
        Cells::F64(cells) => add(&|row| cells[row])?,
        Cells::I64(cells) => add(&|row| cells[row] as f64)?,
        _ => return Err(of_numbers(how.name(), name, column)),
    }
    match how {
        How::Count => return Ok(numbers(sums.counts)),
        How::Mean => sums
            .sums
            .iter_mut()
            .zip(&sums.counts)
            .for_each(|(sum, count)| *sum /= count),
        _ => {}
    }
    let empty = (0..).zip(&sums.counts).filter(|(_, count)| **count == 0.0);
    let nulls: Vec<u32> = empty.map(|(at, _)| at).collect();
    nulls
        .iter()
        .for_each(|row| sums.sums[*row as usize] = f64::NAN);
    Ok(Column {
        nulls,
        ..numbers(sums.sums)
    })
}

fn of_numbers(how: &str, name: &str, column: &Column) -> Error {
    let kind = column.kind().name();
    Error::invalid(format!(
        "params.values: '{how}' is of numbers, and column '{name}' is of type '{kind}'"
    ))
}

fn numbers(cells: Vec<f64>) -> Column {
    Column {
        len: cells.len(),
        nulls: Vec::new(),
        cells: Cells::F64(cells),
    }
}

/// The least or the greatest value of each group, with the type of the column.
fn extremes(
    greatest: bool,
    name: &str,
    column: &Column,
    groups: &Groups,
    context: &Context<'_>,
) -> Result<Column> {
    let rows = match &column.cells {
        Cells::Null => vec![None; groups.first.len()],
        Cells::Bool(cells) => extreme(greatest, cells, column, groups, context)?,
        Cells::I32(cells) => extreme(greatest, cells, column, groups, context)?,
        Cells::I64(cells) | Cells::Timestamp(cells) => {
            extreme(greatest, cells, column, groups, context)?
        }
        Cells::F64(cells) => extreme(greatest, cells, column, groups, context)?,
        _ => {
            return Err(of_numbers(
                if greatest { "max" } else { "min" },
                name,
                column,
            ));
        }
    };
    // For a group without values, the first row, which is null.
    let places = rows
        .iter()
        .zip(&groups.first)
        .map(|(row, first)| row.unwrap_or(*first));
    column.take(&places.collect::<Vec<u32>>())
}

/// The row of the least or the greatest value of each group. NaN counts only if a group has nothing else.
fn extreme<T: PartialOrd>(
    greatest: bool,
    cells: &[T],
    column: &Column,
    groups: &Groups,
    context: &Context<'_>,
) -> Result<Vec<Option<u32>>> {
    let mut best: Vec<Option<u32>> = vec![None; groups.first.len()];
    for_each_value(column, groups, context, |row, group| {
        let value = &cells[row];
        let better = best[group].is_none_or(|known| {
            let known = &cells[known as usize];
            let is_nan = known.partial_cmp(known).is_none();
            is_nan
                || if greatest {
                    value > known
                } else {
                    value < known
                }
        });
        if better {
            best[group] = Some(row as u32);
        }
    })?;
    Ok(best)
}

/// Calls `work` with each row that is not null, and its group.
fn for_each_value(
    column: &Column,
    groups: &Groups,
    context: &Context<'_>,
    mut work: impl FnMut(usize, usize),
) -> Result<()> {
    let mut nulls = column.nulls.iter().peekable();
    for (row, group) in groups.of.iter().enumerate() {
        if row.is_multiple_of(STEP) {
            context.check()?;
        }
        if nulls.next_if(|null| **null as usize == row).is_none() {
            work(row, *group as usize);
        }
    }
    Ok(())
}

/// Sums and counts per group.
struct Sums {
    counts: Vec<f64>,
    sums: Vec<f64>,
    /// The rounding error of each sum, as in Neumaier's method.
    rests: Vec<f64>,
}

impl Sums {
    fn new(groups: usize) -> Self {
        Self {
            counts: vec![0.0; groups],
            sums: vec![0.0; groups],
            rests: vec![0.0; groups],
        }
    }

    fn add(
        &mut self,
        column: &Column,
        value: &dyn Fn(usize) -> f64,
        groups: &Groups,
        context: &Context<'_>,
    ) -> Result<()> {
        for_each_value(column, groups, context, |row, group| {
            let value = value(row);
            self.counts[group] += 1.0;
            let known = self.sums[group];
            let sum = known + value;
            let (large, small) = if known.abs() >= value.abs() {
                (known, value)
            } else {
                (value, known)
            };
            if sum.is_finite() {
                self.rests[group] += (large - sum) + small;
            }
            self.sums[group] = sum;
        })?;
        for (sum, rest) in self.sums.iter_mut().zip(&self.rests) {
            if sum.is_finite() {
                *sum += rest;
            }
        }
        Ok(())
    }
}
