//! The rows of CSV, one after another, by `csv-core`.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::split::Dialect;

/// Reads rows. Ends of lines are `\n`, `\r\n` and `\r`; an empty line is no row.
pub struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
    reader: Reader,
    /// The fields of a row, without quotes, one after another.
    fields: Vec<u8>,
    ends: Vec<usize>,
}

/// A row.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// As it stands in the input, maybe with ends of lines around it.
    pub source: &'a [u8],
    fields: &'a [u8],
    ends: &'a [usize],
    dialect: Dialect,
}

impl<'a> Rows<'a> {
    /// The rows of `bytes`, which begin with one.
    pub fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        let mut reader = reader(dialect);
        // Otherwise it would skip a mark of byte order, which may well begin a row that does not begin a file.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            bytes,
            at: 0,
            dialect,
            reader,
            fields: vec![0; 4096],
            ends: vec![0; 64],
        }
    }

    /// Where the next row begins, if not with ends of lines.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next row.
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        let (start, mut written, mut ended) = (self.at, 0, 0);
        loop {
            let (result, read, more, ends) = self.reader.read_record(
                &self.bytes[self.at..],
                &mut self.fields[written..],
                &mut self.ends[ended..],
            );
            self.at += read;
            written += more;
            ended += ends;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
                // The next one is of no bytes, which is the end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            }
        }
        Some(Row {
            source: &self.bytes[start..self.at],
            fields: &self.fields[..written],
            ends: &self.ends[..ended],
            dialect: self.dialect,
        })
    }
}

fn reader(dialect: Dialect) -> Reader {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(dialect.delimiter);
    match dialect.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    builder.build()
}

impl Row<'_> {
    /// How many fields it has.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// A field, without its quotes.
    pub fn field(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fields[start..self.ends[index]]
    }

    /// Whether an empty field stands in quotes. Seldom asked: the row is read once more.
    pub fn is_quoted(&self, index: usize) -> bool {
        let Some(quote) = self
            .dialect
            .quote
            .filter(|quote| self.source.contains(quote))
        else {
            return false;
        };
        let blank = |byte: &u8| *byte == b'\n' || *byte == b'\r';
        let lines = self.source.iter().take_while(|byte| blank(byte)).count();
        let (mut reader, mut at) = (reader(self.dialect), lines);
        let mut field = vec![0; self.fields.len() + 1];
        for _ in 0..index {
            at += reader.read_field(&self.source[at..], &mut field).1;
        }
        self.source.get(at) == Some(&quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
    };

    #[test]
    fn fields_of_any_size_are_whole() {
        let long = "x".repeat(10_000);
        let many = vec!["1"; 500].join(",");
        let text = format!("a,\"{long}\"\r\n\r\n{many}");
        let mut rows = Rows::new(text.as_bytes(), DIALECT);
        let row = rows.next_row().unwrap();
        assert_eq!((row.count(), row.field(0)), (2, &b"a"[..]));
        assert_eq!(row.field(1), long.as_bytes());
        assert_eq!(rows.next_row().unwrap().count(), 500);
        assert!(rows.next_row().is_none());
    }

    #[test]
    fn a_mark_of_byte_order_within_the_rows_stays() {
        let mut rows = Rows::new("\u{feff}a".as_bytes(), DIALECT);
        assert_eq!(rows.next_row().unwrap().field(0), "\u{feff}a".as_bytes());
    }

    #[test]
    fn an_empty_field_knows_whether_it_was_quoted() {
        let mut rows = Rows::new(b"\n\"a,\"\"\",\"\",,\"\"\r\n", DIALECT);
        let row = rows.next_row().unwrap();
        let quoted: Vec<bool> = (1..4).map(|at| row.is_quoted(at)).collect();
        assert_eq!(quoted, [true, false, true]);
    }
}
