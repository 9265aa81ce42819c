//! Reads the rows of CSV by `csv-core`: one after another, and many at once.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::memchr;

use crate::split::Dialect;

/// A reader of rows. Rows end with `\n`, `\r\n` or `\r`; an empty line is not a row.
fn reader(dialect: Dialect) -> Reader {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(dialect.delimiter);
    match dialect.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.build();
    // Otherwise it would skip a byte order mark, but that may well begin a row within a file.
    reader.read_record(b"\n", &mut [0], &mut [0]);
    reader
}

/// Reads rows, and stores those that are kept.
pub struct Batch<'a> {
    source: &'a [u8],
    at: usize,
    dialect: Dialect,
    reader: Reader,
    /// The fields that a row must have to be kept.
    columns: usize,
    /// The fields of all rows, without quotes, one after another.
    fields: Vec<u8>,
    written: usize,
    /// Where in its row each field ends.
    ends: Vec<usize>,
    ended: usize,
    kept: Vec<Kept>,
}

/// A row that is kept.
#[derive(Clone, Copy)]
struct Kept {
    /// Where its fields begin in `fields`.
    fields: usize,
    /// Where it begins in the source.
    source: usize,
    /// The index of the first of its `ends`.
    ends: usize,
    /// Its number among all rows.
    number: usize,
}

/// A row that was read.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The number of its fields.
    pub count: usize,
    /// The row as it is in the input, maybe with ends of lines around it.
    pub source: &'a [u8],
    /// Where its fields begin, and where they end.
    fields: (usize, usize),
}

impl<'a> Batch<'a> {
    /// A reader of `source`, which begins with a row.
    #[must_use]
    pub fn new(source: &'a [u8], dialect: Dialect, columns: usize) -> Self {
        Self {
            source,
            at: 0,
            dialect,
            reader: reader(dialect),
            columns,
            // The fields have no more bytes than the source.
            fields: vec![0; source.len()],
            written: 0,
            ends: vec![0; 64 + source.len() / 8],
            ended: 0,
            kept: Vec::new(),
        }
    }

    /// Reads the next row. It takes the place of the last one if that was not kept.
    pub fn read(&mut self) -> Option<Row<'a>> {
        let (start, mut written, mut ended) = (self.at, self.written, self.ended);
        loop {
            let (result, read, more, ends) = self.reader.read_record(
                &self.source[self.at..],
                &mut self.fields[written..],
                &mut self.ends[ended..],
            );
            self.at += read;
            written += more;
            ended += ends;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
                // The next read gets no bytes, which means the end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len() + 1, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            }
        }
        Some(Row {
            count: ended - self.ended,
            source: &self.source[start..self.at],
            fields: (self.written, written),
        })
    }

    /// Whether the last row was read to the end of the source.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.at == self.source.len()
    }

    /// The first field of the row just read with more than `most` bytes, and its length.
    #[must_use]
    pub fn longer_than(&self, most: usize, row: Row<'_>) -> Option<(usize, usize)> {
        if row.fields.1 - row.fields.0 <= most {
            return None;
        }
        let mut start = 0;
        let sizes = self.ends[self.ended..self.ended + row.count]
            .iter()
            .map(|end| {
                let size = end - start;
                start = *end;
                size
            });
        sizes.enumerate().find(|(_, size)| *size > most)
    }

    /// Keeps the row just read. It has this number, and as many fields as there are columns.
    pub fn keep(&mut self, number: usize, row: Row<'_>) {
        self.kept.push(Kept {
            fields: self.written,
            source: self.at - row.source.len(),
            ends: self.ended,
            number,
        });
        self.written = row.fields.1;
        self.ended += self.columns;
    }

    /// The number of kept rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.kept.len()
    }

    /// The number of a row.
    #[must_use]
    pub fn number(&self, row: usize) -> usize {
        self.kept[row].number
    }

    /// Drops the rows with these numbers, which are in order.
    pub fn remove(&mut self, numbers: impl Iterator<Item = usize>) {
        let mut numbers = numbers.peekable();
        self.kept
            .retain(|kept| numbers.next_if(|number| *number == kept.number).is_none());
    }

    /// A field, without its quotes.
    #[must_use]
    #[inline]
    pub fn field(&self, row: usize, column: usize) -> &[u8] {
        let kept = self.kept[row];
        let start = column
            .checked_sub(1)
            .map_or(0, |before| self.ends[kept.ends + before]);
        &self.fields[kept.fields + start..kept.fields + self.ends[kept.ends + column]]
    }

    /// Whether an empty field is in quotes. Scans the row in the input.
    #[must_use]
    pub fn is_quoted(&self, row: usize, column: usize) -> bool {
        let Some(quote) = self.dialect.quote else {
            return false;
        };
        let is_end = |byte: &u8| *byte == b'\n' || *byte == b'\r';
        let source = &self.source[self.kept[row].source..];
        let lines = source.iter().take_while(|byte| is_end(byte)).count();
        let mut rest = &source[lines..];
        for _ in 0..column {
            rest = behind_field(rest, self.dialect.delimiter, quote);
        }
        rest.first() == Some(&quote)
    }
}

/// The rest of the source after a field and its delimiter.
fn behind_field(mut source: &[u8], delimiter: u8, quote: u8) -> &[u8] {
    if let Some(mut quoted) = source.strip_prefix(&[quote]) {
        loop {
            let end = memchr(quote, quoted).map_or(quoted.len(), |end| end + 1);
            quoted = &quoted[end..];
            match quoted.strip_prefix(&[quote]) {
                Some(rest) => quoted = rest,
                None => break,
            }
        }
        source = quoted;
    }
    let end = memchr(delimiter, source).map_or(source.len(), |end| end + 1);
    &source[end..]
}

/// The first rows of `source`, up to `most`: their fields, and where they end.
#[must_use]
pub fn first_row(source: &[u8], dialect: Dialect) -> Option<(Vec<Vec<u8>>, usize)> {
    let end = end_of_rows(source, dialect, 1);
    let mut batch = Batch::new(&source[..end], dialect, 0);
    let row = batch.read()?;
    batch.columns = row.count;
    batch.keep(0, row);
    let fields = (0..row.count).map(|at| batch.field(0, at).to_vec());
    Some((fields.collect(), end))
}

/// Where the first `most` rows end.
#[must_use]
pub fn end_of_rows(source: &[u8], dialect: Dialect, most: usize) -> usize {
    let (mut reader, mut at, mut rows) = (reader(dialect), 0, 0);
    let (mut fields, mut ends) = ([0; 1024], [0; 64]);
    while rows < most {
        let (result, read, ..) = reader.read_record(&source[at..], &mut fields, &mut ends);
        at += read;
        match result {
            ReadRecordResult::Record => rows += 1,
            ReadRecordResult::End => break,
            // Their contents are not needed.
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
    };

    fn first(text: &str) -> Vec<Vec<u8>> {
        first_row(text.as_bytes(), DIALECT).unwrap().0
    }

    #[test]
    fn fields_of_any_size_are_whole() {
        let long = "x".repeat(10_000);
        let many = vec!["1"; 500].join(",");
        let text = format!("a,\"{long}\"\r\n\r\n{many}");
        assert_eq!(first(&text), [b"a".to_vec(), long.clone().into_bytes()]);
        let end = end_of_rows(text.as_bytes(), DIALECT, 1);
        assert_eq!(first(&text[end..]).len(), 500);
        assert_eq!(end_of_rows(text.as_bytes(), DIALECT, 5), text.len());
    }

    #[test]
    fn a_mark_of_byte_order_within_the_rows_stays() {
        assert_eq!(first("\u{feff}a"), ["\u{feff}a".as_bytes()]);
    }

    #[test]
    fn an_empty_field_knows_whether_it_was_quoted() {
        let source = b"\n\"a,\"\"\",\"\",,\"\"\r\nb,,,c\"\r\n";
        let mut batch = Batch::new(source, DIALECT, 4);
        for number in 0..2 {
            let row = batch.read().unwrap();
            batch.keep(number, row);
        }
        let quoted: Vec<bool> = (1..4).map(|at| batch.is_quoted(0, at)).collect();
        assert_eq!(quoted, [true, false, true]);
        assert!(!batch.is_quoted(1, 1) && !batch.is_quoted(1, 2));
    }

    #[test]
    fn what_is_not_kept_leaves_no_trace() {
        let mut batch = Batch::new(b"a,b\nc\nd,e\nf,g", DIALECT, 2);
        for number in 0..4 {
            let row = batch.read().unwrap();
            if row.count == 2 {
                batch.keep(number, row);
            }
        }
        batch.remove([2].into_iter());
        assert!(batch.read().is_none() && batch.at_end());
        let rows: Vec<_> = (0..batch.rows())
            .map(|row| (batch.number(row), batch.field(row, 1)))
            .collect();
        assert_eq!(rows, [(0, &b"b"[..]), (3, &b"g"[..])]);
    }
}
