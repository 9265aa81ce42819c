//! A table from JavaScript, as `table.csv` returns it.

use rspool_task::{Array, Bytes, Error, Input, Record, Result, Value};

use crate::column::{Cells, Codes, Column, Texts};
use crate::table::Table;

/// A table that was given.
#[derive(Debug)]
pub struct Given(pub Table);

impl<'a> Input<'a> for Given {
    fn type_of() -> String {
        let table = Table::type_of();
        format!("Pick<{table}, 'rows' | 'names' | 'columns'>")
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let mut table = Record::from_value(value, what)?;
        let mut take = |name: &str| table.take(name).unwrap_or_default();
        let rows = usize::from_value(take("rows"), &format!("{what}.rows"))?;
        let names = Vec::<String>::from_value(take("names"), &format!("{what}.names"))?;
        let mut columns = Record::from_value(take("columns"), &format!("{what}.columns"))?;
        if u32::try_from(rows).is_err() {
            return Err(Error::invalid(format!(
                "{what}.rows must be below 2^32, got {rows}"
            )));
        }
        let columns = names.into_iter().map(|name| {
            let what = format!("{what}.columns.{name}");
            let value = columns.take(&name).unwrap_or_default();
            let column = column(Record::from_value(value, &what)?, rows, &what)?;
            Ok((name, column))
        });
        Ok(Self(Table {
            rows,
            columns: columns.collect::<Result<_>>()?,
            skipped: 0,
            bad: Vec::new(),
        }))
    }
}

fn column(mut record: Record<'_>, rows: usize, what: &str) -> Result<Column> {
    let mut take = |name: &str| {
        (
            record.take(name).unwrap_or_default(),
            format!("{what}.{name}"),
        )
    };
    let (kind, kind_is) = take("type");
    let kind = String::from_value(kind, &kind_is)?;
    let (valid, valid_is) = take("valid");
    let valid = Option::<Array<u8>>::from_value(valid, &valid_is)?;
    let (values, values_are) = take("values");
    let cells = match &*kind {
        "null" => Cells::Null,
        "bool" => Cells::Bool(
            Array::<u8>::from_value(values, &values_are)?
                .iter()
                .map(|cell| u8::from(*cell != 0))
                .collect(),
        ),
        "i32" => Cells::I32(Array::from_value(values, &values_are)?.to_vec()),
        "i64" => Cells::I64(Array::from_value(values, &values_are)?.to_vec()),
        "f64" => Cells::F64(Array::from_value(values, &values_are)?.to_vec()),
        "timestamp" => Cells::Timestamp(
            Array::<f64>::from_value(values, &values_are)?
                .iter()
                .map(|time| *time as i64)
                .collect(),
        ),
        "text" => {
            let ((offsets, offsets_are), (data, data_is)) = (take("offsets"), take("data"));
            let offsets = Array::<u32>::from_value(offsets, &offsets_are)?;
            let bytes = Bytes::from_value(data, &data_is)?.to_vec();
            let in_order = offsets.first() == Some(&0) && offsets.is_sorted();
            if !in_order
                || offsets
                    .last()
                    .is_some_and(|end| *end as usize > bytes.len())
            {
                return Err(Error::invalid(format!(
                    "{offsets_are} must be 0 and the ends of the texts in {data_is}"
                )));
            }
            Cells::Text(Texts {
                bytes,
                offsets: offsets.to_vec(),
            })
        }
        "dictionary" => {
            let ((codes, codes_are), (texts, texts_are)) = (take("codes"), take("dictionary"));
            let codes = Array::<u32>::from_value(codes, &codes_are)?.to_vec();
            let texts = Vec::<String>::from_value(texts, &texts_are)?;
            let most = codes.iter().max().map_or(0, |code| *code as usize);
            // A column of nulls has no texts.
            if most > 0 && most >= texts.len() {
                return Err(Error::invalid(format!(
                    "{codes_are} must be places in {texts_are}, got {most}"
                )));
            }
            Cells::Dictionary(Codes::new(codes, texts))
        }
        _ => {
            return Err(Error::invalid(format!(
                "{kind_is} must be the type of a column, got the string '{kind}'"
            )));
        }
    };
    let len = match &cells {
        Cells::Null => rows,
        Cells::Bool(cells) => cells.len(),
        Cells::I32(cells) => cells.len(),
        Cells::I64(cells) | Cells::Timestamp(cells) => cells.len(),
        Cells::F64(cells) => cells.len(),
        Cells::Text(texts) => texts.len(),
        Cells::Dictionary(codes) => codes.codes.len(),
    };
    if len != rows
        || valid
            .as_ref()
            .is_some_and(|valid| valid.len() != rows.div_ceil(8))
    {
        return Err(Error::invalid(format!(
            "{what} must have {rows} rows, as the table has, got {len}"
        )));
    }
    let is_null = |row: &u32| match &valid {
        None => matches!(cells, Cells::Null),
        Some(valid) => valid[*row as usize / 8] >> (row % 8) & 1 == 0,
    };
    let nulls: Vec<u32> = (0..rows as u32).filter(is_null).collect();
    if let (Cells::Dictionary(codes), true) = (&cells, nulls.len() < rows)
        && codes.texts.is_empty()
    {
        return Err(Error::invalid(format!(
            "{what} has rows that are not null, and no texts"
        )));
    }
    Ok(Column { cells, nulls, len })
}
