//! The rows of CSV: one after another, and many at once.

use rspool_task::{Context, Result};

use crate::scan::{Found, Quotes, Scanner, unquote};
use crate::split::Dialect;

/// The most bytes of a row, so that the places of its fields are small numbers.
pub const LONGEST: usize = 1 << 30;

/// Memory for the rows of a chunk, which the next chunk takes over.
#[derive(Debug, Default)]
pub struct Memory {
    spans: Vec<Span>,
    unquoted: Vec<u8>,
    numbers: Vec<usize>,
}

/// Where the text of a field is.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    /// Its bytes, and two flags.
    size: u32,
}

impl Span {
    const QUOTED: u32 = 1 << 31;
    /// The text is not in the source as it is, but in `unquoted`.
    const ELSEWHERE: u32 = 1 << 30;
    const SIZE: u32 = Self::ELSEWHERE - 1;

    #[inline(always)]
    fn size(self) -> usize {
        (self.size & Self::SIZE) as usize
    }
}

/// Reads rows, and keeps where the fields are of those that are wanted. Rows end with `\n`, `\r\n` or `\r`; an empty line
/// is no row.
pub struct Batch<'a> {
    source: &'a [u8],
    dialect: Dialect,
    scanner: Scanner<'a>,
    /// The fields that a row must have to be kept.
    columns: usize,
    /// The fields of all rows that are kept, and then those of the last row.
    spans: Vec<Span>,
    /// The number of spans, and the bytes in `unquoted`, of rows that are kept.
    kept: (usize, usize),
    unquoted: Vec<u8>,
    /// The numbers of the rows that are kept.
    numbers: Vec<usize>,
}

/// A row that was read.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The number of its fields.
    pub count: usize,
    /// The row as it is in the input, without what ends it.
    pub source: &'a [u8],
    /// Whether its last field has a quote that is never closed.
    pub open: bool,
}

impl<'a> Batch<'a> {
    /// A reader of `source`, which begins with a row.
    #[must_use]
    pub fn new(source: &'a [u8], dialect: Dialect, columns: usize, memory: Memory) -> Self {
        let Memory {
            mut spans,
            mut unquoted,
            mut numbers,
        } = memory;
        spans.clear();
        unquoted.clear();
        numbers.clear();
        Self {
            source,
            dialect,
            scanner: Scanner::new(source, dialect),
            columns,
            spans,
            kept: (0, 0),
            unquoted,
            numbers,
        }
    }

    /// Gives the memory to the next chunk.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        Memory {
            spans: self.spans,
            unquoted: self.unquoted,
            numbers: self.numbers,
        }
    }

    /// Reads the next row. It takes the place of the last one if that was not kept.
    #[inline]
    pub fn read(&mut self) -> Option<Row<'a>> {
        self.spans.truncate(self.kept.0);
        self.unquoted.truncate(self.kept.1);
        let mut start = self.scanner.at();
        loop {
            if start == self.source.len() {
                return None;
            }
            let Found {
                start: field,
                end,
                quotes,
            } = self.scanner.field();
            let more = self.source.get(end) == Some(&self.dialect.delimiter);
            if !more && end == start {
                // An empty line.
                start = self.scanner.at();
                continue;
            }
            let span = if quotes == Quotes::None {
                Span {
                    start: field as u32,
                    size: (end - field) as u32 & Span::SIZE,
                }
            } else {
                self.quoted(field, end, quotes)
            };
            self.spans.push(span);
            if !more {
                return Some(Row {
                    count: self.spans.len() - self.kept.0,
                    source: &self.source[start..end],
                    open: quotes == Quotes::Open,
                });
            }
        }
    }

    fn quoted(&mut self, start: usize, end: usize, quotes: Quotes) -> Span {
        let (start, size, flags) = match quotes {
            Quotes::Around => (start + 1, end - start - 2, Span::QUOTED),
            Quotes::More => {
                let before = self.unquoted.len();
                let quote = self.source[start];
                unquote(&self.source[start..end], quote, &mut self.unquoted);
                let size = self.unquoted.len() - before;
                (before, size, Span::QUOTED | Span::ELSEWHERE)
            }
            // Nobody reads it.
            Quotes::None | Quotes::Open => (start, 0, Span::QUOTED),
        };
        Span {
            start: start as u32,
            size: size as u32 & Span::SIZE | flags,
        }
    }

    /// Whether the last row is too long to be kept.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.scanner.at() > LONGEST
    }

    /// The first field of the row just read with more than `most` bytes, and its length.
    #[must_use]
    pub fn longer_than(&self, most: usize, row: Row<'_>) -> Option<(usize, usize)> {
        if row.source.len() <= most {
            return None;
        }
        let sizes = self.spans[self.kept.0..].iter().map(|span| span.size());
        sizes.enumerate().find(|(_, size)| *size > most)
    }

    /// Keeps the row just read. It has this number, and as many fields as there are columns.
    #[inline]
    pub fn keep(&mut self, number: usize) {
        self.kept = (self.spans.len(), self.unquoted.len());
        self.numbers.push(number);
    }

    /// The number of kept rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.numbers.len()
    }

    /// The number of a row.
    #[must_use]
    pub fn number(&self, row: usize) -> usize {
        self.numbers[row]
    }

    /// Drops the rows with these numbers, which are in order. Called when all rows are read.
    pub fn remove(&mut self, numbers: impl Iterator<Item = usize>) {
        let mut numbers = numbers.peekable();
        let mut kept = 0;
        for row in 0..self.numbers.len() {
            let number = self.numbers[row];
            if numbers.next_if_eq(&number).is_none() {
                let fields = row * self.columns..(row + 1) * self.columns;
                self.spans.copy_within(fields, kept * self.columns);
                self.numbers[kept] = number;
                kept += 1;
            }
        }
        self.numbers.truncate(kept);
        self.spans.truncate(kept * self.columns);
        self.kept.0 = self.spans.len();
    }

    /// A field without its quotes, and whether it had any.
    #[must_use]
    #[inline(always)]
    pub fn field(&self, row: usize, column: usize) -> (&[u8], bool) {
        self.text(self.spans[row * self.columns + column])
    }

    #[inline(always)]
    fn text(&self, span: Span) -> (&[u8], bool) {
        let start = span.start as usize;
        let quoted = span.size & Span::QUOTED != 0;
        let from = if span.size & Span::ELSEWHERE == 0 {
            self.source
        } else {
            &self.unquoted
        };
        (&from[start..start + span.size()], quoted)
    }
}

/// The first row of a source.
#[derive(Debug)]
pub struct First {
    /// Its fields, without quotes.
    pub fields: Vec<Vec<u8>>,
    /// Where the next row begins, or an empty line.
    pub end: usize,
    /// Whether it has a quote that is never closed.
    pub open: bool,
}

/// The first row of `source`, if there is one.
#[must_use]
pub fn first_row(source: &[u8], dialect: Dialect) -> Option<First> {
    let mut batch = Batch::new(source, dialect, 0, Memory::default());
    let row = batch.read()?;
    let fields = batch.spans.iter().map(|span| batch.text(*span).0.to_vec());
    Some(First {
        fields: fields.collect(),
        end: batch.scanner.at(),
        open: row.open,
    })
}

/// Where the first `most` rows end.
///
/// # Errors
/// `Cancelled`.
pub fn end_of_rows(
    source: &[u8],
    dialect: Dialect,
    most: usize,
    context: &Context<'_>,
) -> Result<usize> {
    let mut batch = Batch::new(source, dialect, 0, Memory::default());
    for row in 0..most {
        if row.is_multiple_of(1024) {
            context.check()?;
        }
        if batch.read().is_none() {
            break;
        }
    }
    Ok(batch.scanner.at())
}

#[cfg(test)]
mod tests {
    use csv_core::{ReadRecordResult, ReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
    };

    fn first(text: &str) -> Vec<Vec<u8>> {
        first_row(text.as_bytes(), DIALECT).unwrap().fields
    }

    type Rows = Vec<Vec<Vec<u8>>>;

    /// All rows, and whether the last field is open.
    fn all(source: &[u8], dialect: Dialect) -> (Rows, bool) {
        let mut batch = Batch::new(source, dialect, 0, Memory::default());
        let (mut rows, mut open) = (Vec::new(), false);
        while let Some(row) = batch.read() {
            let fields = batch.spans.iter().map(|span| batch.text(*span).0.to_vec());
            rows.push(fields.collect());
            assert!(!open, "only the last row is open");
            open = row.open;
        }
        (rows, open)
    }

    /// The same rows, read by csv-core.
    fn by_csv_core(source: &[u8], dialect: Dialect) -> Rows {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(dialect.delimiter);
        match dialect.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        let mut reader = builder.build();
        // Otherwise it would skip a mark of byte order.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        let (mut fields, mut ends) = (vec![0; source.len() + 1], vec![0; source.len() + 2]);
        let (mut at, mut rows) = (0, Vec::new());
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, more, row) =
                reader.read_record(&source[at..], &mut fields[written..], &mut ends[ended..]);
            (at, written, ended) = (at + read, written + more, ended + row);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => {
                    let starts = std::iter::once(0).chain(ends[..ended].iter().copied());
                    let row = starts
                        .zip(&ends[..ended])
                        .map(|(start, end)| fields[start..*end].to_vec());
                    rows.push(row.collect());
                    (written, ended) = (0, 0);
                }
                ReadRecordResult::End => return rows,
                full => panic!("{full:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any bytes in any order, across several blocks, with quotes wherever they may be.
        #[test]
        fn rows_are_those_of_csv_core(
            letters in prop::collection::vec(prop::sample::select(b"\"\"\",,\n\rab'\xef\xbb\xbf".to_vec()), 0..300),
            filling in prop::collection::vec(0usize..100, 0..4),
            quote in prop::sample::select(vec![Some(b'"'), Some(b'\''), None]),
        ) {
            let dialect = Dialect { delimiter: b',', quote };
            let mut source = letters.clone();
            for at in filling {
                // Long fields, so that blocks are skipped.
                let at = at % (source.len() + 1);
                source.splice(at..at, std::iter::repeat_n(b'x', 100));
            }
            let ((mut rows, open), mut expected) = (all(&source, dialect), by_csv_core(&source, dialect));
            if open {
                // Its text is nobody's.
                rows.last_mut().map(Vec::pop);
                expected.last_mut().map(Vec::pop);
            }
            prop_assert_eq!(rows, expected);
        }
    }

    #[test]
    fn fields_of_any_size_are_whole() {
        let long = "x".repeat(10_000);
        let many = vec!["1"; 500].join(",");
        let text = format!("a,\"{long}\"\r\n\r\n{many}");
        assert_eq!(first(&text), [b"a".to_vec(), long.clone().into_bytes()]);
        let end = |most| end_of_rows(text.as_bytes(), DIALECT, most, &Context::detached()).unwrap();
        assert_eq!(first(&text[end(1)..]).len(), 500);
        assert_eq!(end(5), text.len());
    }

    #[test]
    fn a_mark_of_byte_order_within_the_rows_stays() {
        assert_eq!(first("\u{feff}a"), ["\u{feff}a".as_bytes()]);
    }

    #[test]
    fn a_field_knows_whether_it_was_quoted() {
        let source = b"\n\"a,\"\"\",\"\",,\"\"\r\nb,,,c\"\r\n";
        let mut batch = Batch::new(source, DIALECT, 4, Memory::default());
        for number in 0..2 {
            batch.read().unwrap();
            batch.keep(number);
        }
        let quoted = |row| [0, 1, 2, 3].map(|at| batch.field(row, at).1);
        assert_eq!(quoted(0), [true, true, false, true]);
        assert_eq!(quoted(1), [false; 4]);
    }

    #[test]
    fn what_is_not_kept_leaves_no_trace() {
        let mut batch = Batch::new(b"a,b\nc\nd,e\nf,\"g\"\"\"", DIALECT, 2, Memory::default());
        for number in 0..4 {
            let row = batch.read().unwrap();
            if row.count == 2 {
                batch.keep(number);
            }
        }
        batch.remove([2].into_iter());
        assert!(batch.read().is_none());
        let rows: Vec<_> = (0..batch.rows())
            .map(|row| (batch.number(row), batch.field(row, 1).0))
            .collect();
        assert_eq!(rows, [(0, &b"b"[..]), (3, &b"g\""[..])]);
    }
}
