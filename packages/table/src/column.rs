//! A column while it is read, and when it is complete.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use foldhash::fast::RandomState;
use rspool_task::{Error, Result};

use crate::kind::Kind;

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
#[derive(Debug, Clone, PartialEq)]
pub struct Texts {
    /// UTF-8.
    pub bytes: Vec<u8>,
    /// Where each text begins, and then where the last one ends.
    pub offsets: Vec<u32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            offsets: vec![0],
        }
    }
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
    /// An error if texts cannot have so many bytes.
    pub(crate) fn check_size(size: usize) -> Result<()> {
        if size <= MOST {
            return Ok(());
        }
        Err(Error::failed(
            rspool_task::OUTPUT_TOO_LARGE,
            "the texts of a column have more than 2 GiB. Make it a dictionary, or read fewer rows",
        ))
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    fn append(&mut self, more: &Self, rows: Range<usize>) -> Result<()> {
        let offsets = &more.offsets[rows.start..=rows.end];
        let (start, end) = (offsets[0], offsets[rows.len()]);
        let before = self.bytes.len();
        let bytes = &more.bytes[start as usize..end as usize];
        Self::check_size(before + bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        let moved = (before as u32).wrapping_sub(start);
        let ends = offsets[1..].iter();
        self.offsets.extend(ends.map(|end| end.wrapping_add(moved)));
        Ok(())
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

    pub(crate) fn code(&mut self, text: &[u8]) -> u32 {
        if let Some(code) = self.known.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        self.texts.push(text.into());
        self.known.insert(text.into(), code);
        code
    }

    /// As if the rows had been read into these codes: only texts of these rows are added, in their order.
    fn append(&mut self, more: &Self, rows: Range<usize>, nulls: &[u32]) {
        let mut nulls = nulls.iter().peekable();
        let mut known: Vec<Option<u32>> = vec![None; more.texts.len()];
        self.codes.reserve(rows.len());
        for row in rows {
            let code = if nulls.next_if(|null| **null as usize == row).is_some() {
                0
            } else {
                let code = more.codes[row] as usize;
                *known[code].get_or_insert_with(|| self.code(&more.texts[code]))
            };
            self.codes.push(code);
        }
    }
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
                    taken.bytes.extend_from_slice(texts.get(*row as usize));
                    Texts::check_size(taken.bytes.len())?;
                    taken.offsets.push(taken.bytes.len() as u32);
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

    /// Makes room for these parts, and for others like them, of which there are `share` times as many in all. Room that is
    /// not filled is no memory yet.
    pub fn reserve(&mut self, parts: &[&Self], share: f64) {
        // If there is no room now, it is found or missed when it is needed.
        fn room<T>(cells: &mut Vec<T>, size: usize, share: f64) {
            let _ = cells.try_reserve(MOST.min((size as f64 * share) as usize));
        }
        let len = parts.iter().map(|part| part.len).sum();
        match &mut self.cells {
            Cells::Null => {}
            Cells::Bool(cells) => room(cells, len, share),
            Cells::I32(cells) => room(cells, len, share),
            Cells::I64(cells) | Cells::Timestamp(cells) => room(cells, len, share),
            Cells::F64(cells) => room(cells, len, share),
            Cells::Text(texts) => {
                let size = |part: &&Self| match &part.cells {
                    Cells::Text(texts) => texts.bytes.len(),
                    _ => 0,
                };
                let size = parts.iter().map(size).sum();
                room(&mut texts.bytes, size, share);
                room(&mut texts.offsets, len, share);
            }
            Cells::Dictionary(codes) => room(&mut codes.codes, len, share),
        }
    }

    /// Gives back room, if it is much.
    pub fn shrink(&mut self) {
        fn shrink<T>(cells: &mut Vec<T>) {
            if cells.capacity() - cells.len() > cells.len() / 8 {
                cells.shrink_to_fit();
            }
        }
        match &mut self.cells {
            Cells::Null => {}
            Cells::Bool(cells) => shrink(cells),
            Cells::I32(cells) => shrink(cells),
            Cells::I64(cells) | Cells::Timestamp(cells) => shrink(cells),
            Cells::F64(cells) => shrink(cells),
            Cells::Text(texts) => {
                shrink(&mut texts.bytes);
                shrink(&mut texts.offsets);
            }
            Cells::Dictionary(codes) => shrink(&mut codes.codes),
        }
    }

    /// Removes all rows, and keeps the memory.
    pub fn clear(&mut self) {
        match &mut self.cells {
            Cells::Null => {}
            Cells::Bool(cells) => cells.clear(),
            Cells::I32(cells) => cells.clear(),
            Cells::I64(cells) | Cells::Timestamp(cells) => cells.clear(),
            Cells::F64(cells) => cells.clear(),
            Cells::Text(texts) => {
                texts.bytes.clear();
                texts.offsets.truncate(1);
            }
            Cells::Dictionary(codes) => {
                codes.codes.clear();
                codes.texts.clear();
                codes.known.clear();
            }
        }
        self.nulls.clear();
        self.len = 0;
    }

    /// Adds these rows of a column of the same type.
    ///
    /// # Errors
    /// If there are too many texts.
    pub fn append(&mut self, part: &Self, rows: Range<usize>) -> Result<()> {
        let at = |row: usize| part.nulls.partition_point(|null| (*null as usize) < row);
        let nulls = &part.nulls[at(rows.start)..at(rows.end)];
        match (&mut self.cells, &part.cells) {
            (Cells::Null, Cells::Null) => {}
            (Cells::Bool(cells), Cells::Bool(more)) => cells.extend_from_slice(&more[rows.clone()]),
            (Cells::I32(cells), Cells::I32(more)) => cells.extend_from_slice(&more[rows.clone()]),
            (Cells::I64(cells), Cells::I64(more))
            | (Cells::Timestamp(cells), Cells::Timestamp(more)) => {
                cells.extend_from_slice(&more[rows.clone()]);
            }
            (Cells::F64(cells), Cells::F64(more)) => cells.extend_from_slice(&more[rows.clone()]),
            (Cells::Text(texts), Cells::Text(more)) => texts.append(more, rows.clone())?,
            (Cells::Dictionary(codes), Cells::Dictionary(more)) => {
                codes.append(more, rows.clone(), nulls);
            }
            _ => return Err(Error::new("the parts of a column are of one type")),
        }
        let (before, start) = (self.len as u32, rows.start as u32);
        self.nulls
            .extend(nulls.iter().map(|row| row - start + before));
        self.len += rows.len();
        Ok(())
    }
}
