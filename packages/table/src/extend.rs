//! Adds the fields of many rows to a column, with one loop per type.

use std::ops::Range;

use rspool_task::Result;

use crate::column::{Cells, Column, Texts};
use crate::kind::{self, Field};

impl Column {
    /// Adds the fields of these rows; `None` is a null. Stops at the first field that the column cannot hold, and
    /// returns its row. If `strictly`, follows the rules of [`Kind::of`](kind::Kind::of), so that an inferred type does
    /// not depend on which fields were looked at first.
    ///
    /// # Errors
    /// If there are too many texts.
    pub fn extend<'a>(
        &mut self,
        rows: Range<usize>,
        strictly: bool,
        field: impl Fn(usize) -> Option<Field<'a>>,
    ) -> Result<Option<usize>> {
        let to = Nulls {
            rows: &mut self.nulls,
            before: self.len,
        };
        let is_number =
            |field: Field<'_>| !field.text && (!strictly || kind::is_number(field.bytes));
        let all = rows.clone();
        let refused = match &mut self.cells {
            Cells::Null => values(&mut Vec::new(), (), to, all, field, |_| None),
            Cells::Bool(cells) => values(cells, 0, to, all, field, |field| {
                let truth = kind::boolean(field.bytes).filter(|_| !field.text);
                truth.map(u8::from)
            }),
            Cells::I32(cells) => values(cells, 0, to, all, field, |field| {
                let number = kind::integer(field.bytes).filter(|_| is_number(field))?;
                i32::try_from(number).ok()
            }),
            Cells::I64(cells) => values(cells, 0, to, all, field, |field| {
                kind::integer(field.bytes).filter(|_| is_number(field))
            }),
            Cells::F64(cells) => values(cells, f64::NAN, to, all, field, |field| {
                kind::float(field.bytes).filter(|_| is_number(field))
            }),
            Cells::Timestamp(cells) => values(cells, 0, to, all, field, |field| {
                kind::timestamp(field.bytes)
            }),
            Cells::Dictionary(codes) => {
                let mut cells = std::mem::take(&mut codes.codes);
                let code = |field: Field<'_>| Some(codes.code(field.bytes));
                values(&mut cells, 0, to, all, field, code);
                codes.codes = cells;
                None
            }
            Cells::Text(cells) => {
                texts(cells, to, all, field)?;
                None
            }
        };
        self.len += refused.unwrap_or(rows.end) - rows.start;
        Ok(refused)
    }
}

/// The nulls of a column that has cells before these rows.
struct Nulls<'a> {
    rows: &'a mut Vec<u32>,
    before: usize,
}

impl Nulls<'_> {
    #[inline(always)]
    fn add(&mut self, row: usize) {
        self.rows.push((self.before + row) as u32);
    }
}

/// Adds cells, up to the first field without a value, whose row it returns.
#[inline(always)]
fn values<'a, T: Copy>(
    cells: &mut Vec<T>,
    null: T,
    mut nulls: Nulls<'_>,
    rows: Range<usize>,
    field: impl Fn(usize) -> Option<Field<'a>>,
    mut value: impl FnMut(Field<'a>) -> Option<T>,
) -> Option<usize> {
    cells.reserve(rows.len());
    let first = rows.start;
    for row in rows {
        let cell = match field(row) {
            None => {
                nulls.add(row - first);
                null
            }
            Some(field) => match value(field) {
                Some(cell) => cell,
                None => return Some(row),
            },
        };
        cells.push(cell);
    }
    None
}

fn texts<'a>(
    texts: &mut Texts,
    mut nulls: Nulls<'_>,
    rows: Range<usize>,
    field: impl Fn(usize) -> Option<Field<'a>>,
) -> Result<()> {
    let mut at = texts.bytes.len();
    let mut end = at;
    texts.offsets.reserve(rows.len());
    for row in rows.clone() {
        match field(row) {
            None => nulls.add(row - rows.start),
            Some(field) => end += field.bytes.len(),
        }
        texts.offsets.push(end as u32);
    }
    Texts::check_size(end)?;
    texts.bytes.resize(end, 0);
    for field in rows.filter_map(field) {
        let next = at + field.bytes.len();
        copy(field.bytes, &mut texts.bytes[at..next]);
        at = next;
    }
    Ok(())
}

/// Copies a text. Most are short: then two words that may overlap are faster than a call of `memcpy`.
#[inline(always)]
fn copy(text: &[u8], to: &mut [u8]) {
    fn ends<const N: usize>(text: &[u8], to: &mut [u8]) -> Option<()> {
        *to.first_chunk_mut::<N>()? = *text.first_chunk()?;
        *to.last_chunk_mut::<N>()? = *text.last_chunk()?;
        Some(())
    }
    let copied = match text.len() {
        8..=16 => ends::<8>(text, to),
        17..=32 => ends::<16>(text, to),
        4..=7 => ends::<4>(text, to),
        _ => None,
    };
    if copied.is_none() {
        to.copy_from_slice(text);
    }
}
