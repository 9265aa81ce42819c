//! A column while it is read, and when it is complete.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;
use rspool_task::{Error, Result};

use crate::kind::{self, Field, Kind};

/// The cells of a column. A null has a cell, too.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Nulls only.
    Null,
    /// 0 and 1.
    Bool(Vec<u8>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
    /// Integers of 64 bits.
    I64(Vec<i64>),
    /// Numbers.
    F64(Vec<f64>),
    /// Milliseconds since 1970.
    Timestamp(Vec<i64>),
    /// Texts.
    Text(Texts),
    /// Texts as numbers of distinct texts.
    Dictionary(Codes),
}

/// Texts one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Texts {
    /// UTF-8.
    pub bytes: Vec<u8>,
    /// Where each text ends.
    pub ends: Vec<u32>,
}

/// Texts by number.
#[derive(Clone, Default)]
pub struct Codes {
    /// The number of each row's text.
    pub codes: Vec<u32>,
    /// The distinct texts, in the order of their first rows.
    pub texts: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, u32, RandomState>,
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.texts.iter().map(|text| String::from_utf8_lossy(text));
        f.debug_list().entries(texts).finish()?;
        self.codes.fmt(f)
    }
}

impl PartialEq for Codes {
    fn eq(&self, other: &Self) -> bool {
        self.codes == other.codes && self.texts == other.texts
    }
}

/// A column, or a part of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The cells, one per row.
    pub cells: Cells,
    /// The rows that are null, in order.
    pub nulls: Vec<u32>,
    /// The number of rows.
    pub len: usize,
}

/// The most bytes that the texts of one column may have.
const MOST: usize = i32::MAX as usize;

impl Texts {
    fn push(&mut self, text: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(text);
        if self.bytes.len() > MOST {
            return Err(too_large());
        }
        self.ends.push(self.bytes.len() as u32);
        Ok(())
    }

    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[row] as usize]
    }
}

impl Codes {
    /// Rows of these texts. The texts are distinct.
    #[must_use]
    pub fn new(codes: Vec<u32>, texts: Vec<String>) -> Self {
        Self {
            codes,
            texts: texts
                .into_iter()
                .map(|text| text.into_bytes().into())
                .collect(),
            known: HashMap::default(),
        }
    }

    fn push(&mut self, text: &[u8]) {
        let code = self.code(text);
        self.codes.push(code);
    }

    fn code(&mut self, text: &[u8]) -> u32 {
        if let Some(code) = self.known.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        self.texts.push(text.into());
        self.known.insert(text.into(), code);
        code
    }
}

fn too_large() -> Error {
    Error::failed(
        rspool_task::OUTPUT_TOO_LARGE,
        "the texts of a column have more than 2 GiB. Make it a dictionary, or read fewer rows",
    )
}

impl Column {
    /// A column without rows.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let cells = match kind {
            Kind::Null => Cells::Null,
            Kind::Bool => Cells::Bool(Vec::new()),
            Kind::I32 => Cells::I32(Vec::new()),
            Kind::I64 => Cells::I64(Vec::new()),
            Kind::F64 => Cells::F64(Vec::new()),
            Kind::Timestamp => Cells::Timestamp(Vec::new()),
            Kind::Text => Cells::Text(Texts::default()),
            Kind::Dictionary => Cells::Dictionary(Codes::default()),
        };
        Self {
            cells,
            nulls: Vec::new(),
            len: 0,
        }
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.cells {
            Cells::Null => Kind::Null,
            Cells::Bool(_) => Kind::Bool,
            Cells::I32(_) => Kind::I32,
            Cells::I64(_) => Kind::I64,
            Cells::F64(_) => Kind::F64,
            Cells::Timestamp(_) => Kind::Timestamp,
            Cells::Text(_) => Kind::Text,
            Cells::Dictionary(_) => Kind::Dictionary,
        }
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        match &mut self.cells {
            Cells::Null => {}
            Cells::Bool(cells) => cells.push(0),
            Cells::I32(cells) => cells.push(0),
            Cells::I64(cells) | Cells::Timestamp(cells) => cells.push(0),
            Cells::F64(cells) => cells.push(f64::NAN),
            Cells::Text(texts) => texts.ends.push(texts.bytes.len() as u32),
            Cells::Dictionary(codes) => codes.codes.push(0),
        }
        self.nulls.push(self.len as u32);
        self.len += 1;
    }

    /// Adds a field, if the column can hold it. If `strictly`, follows the rules of [`Kind::of`], so that an inferred
    /// type does not depend on which fields were looked at first.
    ///
    /// # Errors
    /// If there are too many texts.
    #[inline(always)]
    pub fn push(&mut self, field: Field<'_>, strictly: bool) -> Result<bool> {
        let Field { bytes: field, text } = field;
        let number = !text && (!strictly || kind::is_number(field));
        match &mut self.cells {
            Cells::Text(texts) => texts.push(field)?,
            Cells::Dictionary(codes) => codes.push(field),
            Cells::I32(cells) => match kind::integer(field).and_then(|n| i32::try_from(n).ok()) {
                Some(n) if number => cells.push(n),
                _ => return Ok(false),
            },
            Cells::I64(cells) => match kind::integer(field) {
                Some(n) if number => cells.push(n),
                _ => return Ok(false),
            },
            Cells::F64(cells) => match kind::float(field) {
                Some(n) if number => cells.push(n),
                _ => return Ok(false),
            },
            Cells::Bool(cells) => match kind::boolean(field) {
                Some(truth) if !text => cells.push(u8::from(truth)),
                _ => return Ok(false),
            },
            Cells::Timestamp(cells) => match kind::timestamp(field) {
                Some(time) => cells.push(time),
                None => return Ok(false),
            },
            Cells::Null => return Ok(false),
        }
        self.len += 1;
        Ok(true)
    }

    /// The column of these rows.
    ///
    /// # Errors
    /// If there are too many texts.
    pub fn take(&self, rows: &[u32]) -> Result<Self> {
        fn of<T: Copy>(cells: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| cells[*row as usize]).collect()
        }
        let cells = match &self.cells {
            Cells::Null => Cells::Null,
            Cells::Bool(cells) => Cells::Bool(of(cells, rows)),
            Cells::I32(cells) => Cells::I32(of(cells, rows)),
            Cells::I64(cells) => Cells::I64(of(cells, rows)),
            Cells::F64(cells) => Cells::F64(of(cells, rows)),
            Cells::Timestamp(cells) => Cells::Timestamp(of(cells, rows)),
            Cells::Text(texts) => {
                let mut taken = Texts::default();
                for row in rows {
                    taken.push(texts.get(*row as usize))?;
                }
                Cells::Text(taken)
            }
            Cells::Dictionary(codes) => Cells::Dictionary(Codes {
                codes: of(&codes.codes, rows),
                ..codes.clone()
            }),
        };
        let nulls = (0..)
            .zip(rows)
            .filter(|(_, row)| self.is_null(**row))
            .map(|(at, _)| at)
            .collect();
        Ok(Self {
            cells,
            nulls,
            len: rows.len(),
        })
    }

    /// Whether a row is null.
    #[must_use]
    pub fn is_null(&self, row: u32) -> bool {
        self.nulls.binary_search(&row).is_ok()
    }

    /// Joins several parts of the same type to one column.
    ///
    /// # Errors
    /// If there are too many texts.
    pub fn concat(kind: Kind, mut parts: Vec<Self>) -> Result<Self> {
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let mut whole = Self::new(kind);
        let len = parts.iter().map(|part| part.len).sum();
        whole
            .nulls
            .reserve(parts.iter().map(|part| part.nulls.len()).sum());
        match &mut whole.cells {
            Cells::Null => {}
            Cells::Bool(cells) => cells.reserve(len),
            Cells::I32(cells) => cells.reserve(len),
            Cells::I64(cells) | Cells::Timestamp(cells) => cells.reserve(len),
            Cells::F64(cells) => cells.reserve(len),
            Cells::Text(texts) => {
                let size = |part: &Self| match &part.cells {
                    Cells::Text(texts) => texts.bytes.len(),
                    _ => 0,
                };
                texts.bytes.reserve(parts.iter().map(size).sum());
                texts.ends.reserve(len);
            }
            Cells::Dictionary(codes) => codes.codes.reserve(len),
        }
        for part in parts {
            whole.append(part)?;
        }
        Ok(whole)
    }

    fn append(&mut self, part: Self) -> Result<()> {
        match (&mut self.cells, part.cells) {
            (Cells::Null, Cells::Null) => {}
            (Cells::Bool(cells), Cells::Bool(more)) => cells.extend_from_slice(&more),
            (Cells::I32(cells), Cells::I32(more)) => cells.extend_from_slice(&more),
            (Cells::I64(cells), Cells::I64(more))
            | (Cells::Timestamp(cells), Cells::Timestamp(more)) => {
                cells.extend_from_slice(&more);
            }
            (Cells::F64(cells), Cells::F64(more)) => cells.extend_from_slice(&more),
            (Cells::Text(texts), Cells::Text(more)) => {
                let before = texts.bytes.len();
                if before + more.bytes.len() > MOST {
                    return Err(too_large());
                }
                texts.bytes.extend_from_slice(&more.bytes);
                texts
                    .ends
                    .extend(more.ends.iter().map(|end| end + before as u32));
            }
            (Cells::Dictionary(codes), Cells::Dictionary(more)) => {
                let numbers: Vec<u32> = more.texts.iter().map(|text| codes.code(text)).collect();
                let before = codes.codes.len();
                let number = |code: &u32| numbers.get(*code as usize).copied().unwrap_or(0);
                codes.codes.extend(more.codes.iter().map(number));
                // The same as if all rows had been read at once.
                for row in &part.nulls {
                    codes.codes[before + *row as usize] = 0;
                }
            }
            _ => return Err(Error::new("the parts of a column are of one type")),
        }
        let before = self.len as u32;
        self.nulls.extend(part.nulls.iter().map(|row| row + before));
        self.len += part.len;
        Ok(())
    }
}
