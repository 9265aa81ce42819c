//! A table, as JavaScript gets it.

use std::fmt;

use rspool_task::{Array, Output, Record, Result, Value};

use crate::column::{Cells, Column};

/// Columns of the same length.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// The number of rows.
    pub rows: usize,
    /// The names and the columns, in order. No name occurs twice.
    pub columns: Vec<(String, Column)>,
    /// The number of bad rows, which are left out.
    pub skipped: usize,
    /// The first bad rows, if they are collected.
    pub bad: Vec<BadRow>,
}

/// A row that was left out.
#[derive(Debug, PartialEq)]
pub struct BadRow {
    /// The first row has number 1.
    pub row: usize,
    /// The name of the column that caused it, if there is one.
    pub column: Option<String>,
    /// Why.
    pub message: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(column) = &self.column {
            write!(f, ", column '{column}'")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The type of a column in TypeScript.
const COLUMN: &str = "(\
     | { type: 'null'; values?: undefined; valid: Uint8Array } \
     | { type: 'bool'; values: Uint8Array; valid?: Uint8Array } \
     | { type: 'i32'; values: Int32Array; valid?: Uint8Array } \
     | { type: 'i64'; values: BigInt64Array; valid?: Uint8Array } \
     | { type: 'f64' | 'timestamp'; values: Float64Array; valid?: Uint8Array } \
     | { type: 'text'; offsets: Uint32Array; data: Buffer; valid?: Uint8Array } \
     | { type: 'dictionary'; codes: Uint32Array; dictionary: string[]; valid?: Uint8Array })";

impl Table {
    /// The type in TypeScript.
    #[must_use]
    pub fn type_of() -> String {
        format!(
            "{{ rows: number; names: string[]; columns: Record<string, {COLUMN}>; skipped: number; \
             bad: {{ row: number; column: string | undefined; message: string }}[] }}"
        )
    }
}

impl Output for Table {
    fn type_of() -> String {
        Self::type_of()
    }

    #[expect(clippy::cast_precision_loss, reason = "no memory has so many rows")]
    fn into_value(self) -> Result<Value<'static>> {
        let names: Vec<Value> = self
            .columns
            .iter()
            .map(|(name, _)| name.clone().into())
            .collect();
        let mut columns = Record::new();
        for (name, column) in self.columns {
            columns.push(name, column.into_value()?);
        }
        let bad = self.bad.into_iter().map(|bad| {
            let mut record = Record::new();
            record.push("row", bad.row as f64);
            record.push("column", bad.column.into_value()?);
            record.push("message", bad.message);
            Ok(record.into())
        });
        let bad: Vec<Value> = bad.collect::<Result<_>>()?;
        let mut table = Record::new();
        table.push("rows", self.rows as f64);
        table.push("names", names);
        table.push("columns", columns);
        table.push("skipped", self.skipped as f64);
        table.push("bad", bad);
        Ok(table.into())
    }
}

impl Column {
    fn into_value(self) -> Result<Value<'static>> {
        let mut record = Record::new();
        record.push("type", self.kind().name());
        let valid = self.valid();
        let mut push =
            |name: &str, value: Result<Value<'static>>| value.map(|value| record.push(name, value));
        match self.cells {
            Cells::Null => {}
            Cells::Bool(cells) => push("values", Array::from(cells).into_value())?,
            Cells::I32(cells) => push("values", Array::from(cells).into_value())?,
            Cells::I64(cells) => push("values", Array::from(cells).into_value())?,
            Cells::F64(cells) => push("values", Array::from(cells).into_value())?,
            Cells::Timestamp(cells) => push("values", times(&cells, &self.nulls).into_value())?,
            Cells::Text(texts) => {
                push("offsets", Array::from(texts.offsets).into_value())?;
                push("data", Ok(texts.bytes.into()))?;
            }
            Cells::Dictionary(codes) => {
                let texts = codes.texts.into_iter();
                let texts: Vec<Value> = texts
                    .map(|text| String::from_utf8_lossy(&text).into_owned().into())
                    .collect();
                push("codes", Array::from(codes.codes).into_value())?;
                push("dictionary", Ok(texts.into()))?;
            }
        }
        if let Some(valid) = valid {
            push("valid", Array::from(valid).into_value())?;
        }
        Ok(record.into())
    }

    /// One bit per row, lowest first: 0 for a null. `None` if no row is null.
    #[must_use]
    pub fn valid(&self) -> Option<Vec<u8>> {
        if self.nulls.is_empty() {
            return None;
        }
        let mut bits = vec![0xff; self.len.div_ceil(8)];
        if let Some(last) = bits.last_mut().filter(|_| !self.len.is_multiple_of(8)) {
            *last = (1 << (self.len % 8)) - 1;
        }
        for row in &self.nulls {
            bits[*row as usize / 8] &= !(1 << (row % 8));
        }
        Some(bits)
    }
}

/// The times as `Date` has them. A null is NaN.
#[expect(
    clippy::cast_precision_loss,
    reason = "within the years of ISO 8601 they are exact"
)]
fn times(cells: &[i64], nulls: &[u32]) -> Array<'static, f64> {
    let mut times: Vec<f64> = cells.iter().map(|time| *time as f64).collect();
    for row in nulls {
        times[*row as usize] = f64::NAN;
    }
    times.into()
}
