//! Cuts CSV into chunks of whole rows that can be read in parallel. Where a row ends depends on all quotes before it.
//! So each piece of the bytes is read as if it began outside of quotes and as if it began inside of them. Mostly the two
//! soon agree, since a quote in the middle of a field is an ordinary letter: the next row begins there, whatever comes
//! before. If they do not agree, the pieces before tell which of the two is right.

use std::ops::Range;

use memchr::{memchr, memchr2};
use rspool_task::{Context, Result};

/// The delimiter of fields, and the quote around them.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Separates two fields.
    pub delimiter: u8,
    /// Encloses a field that contains a delimiter, a quote or an end of line. A doubled quote is one quote of the
    /// field.
    pub quote: Option<u8>,
}

/// What a piece tells of itself.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// A row begins here, whatever comes before the piece.
    Row(usize),
    /// This if the piece begins outside of quotes, and that if it begins inside.
    Either([Cursor; 2]),
}

/// A place in the bytes, reached from quote to quote.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    at: usize,
    /// Whether the place is inside of quotes.
    inside: bool,
    /// Where the first row begins that was passed.
    row: Option<usize>,
}

/// Cuts `bytes`, which begin with a row, into chunks of whole rows, of about `size` bytes. In order they are all bytes.
///
/// # Errors
/// `Cancelled`.
pub fn split(
    bytes: &[u8],
    dialect: Dialect,
    size: usize,
    context: &Context<'_>,
) -> Result<Vec<Range<usize>>> {
    let pieces = pieces(bytes, dialect, size);
    let others: Vec<_> = pieces.iter().skip(1).cloned().collect();
    let seen = context.map_items(others.clone(), |_, piece| Ok(look(bytes, dialect, piece)))?;
    let mut starts = vec![0];
    let mut known = Cursor::new(0, false);
    for (piece, seen) in others.into_iter().zip(seen) {
        match seen {
            Seen::Row(row) => known = Cursor::new(row, false),
            Seen::Either(cursors) => {
                context.check()?;
                while known.step(bytes, dialect, piece.start) {}
                known = cursors[usize::from(known.inside)];
            }
        }
        starts.extend(match seen {
            Seen::Row(row) => Some(row),
            Seen::Either(_) => known.row.take(),
        });
    }
    starts.push(bytes.len());
    starts.dedup();
    let rows = starts.windows(2).map(|ends| ends[0]..ends[1]);
    Ok(rows.collect())
}

/// Pieces of about `size` bytes, none of which begins within a run of quotes.
fn pieces(bytes: &[u8], dialect: Dialect, size: usize) -> Vec<Range<usize>> {
    let is_quote = |at: usize| {
        dialect
            .quote
            .is_some_and(|quote| bytes.get(at) == Some(&quote))
    };
    let mut pieces = Vec::with_capacity(bytes.len() / size + 1);
    let mut start = 0;
    while start < bytes.len() {
        let mut end = bytes.len().min(start + size);
        while is_quote(end) || (end < bytes.len() && is_quote(end - 1)) {
            end += 1;
        }
        pieces.push(start..end);
        start = end;
    }
    pieces
}

fn look(bytes: &[u8], dialect: Dialect, piece: Range<usize>) -> Seen {
    let end = piece.end;
    let [mut outside, mut inside] = [false, true].map(|inside| Cursor::new(piece.start, inside));
    if dialect
        .quote
        .is_none_or(|quote| memchr(quote, &bytes[piece]).is_none())
    {
        let quote = None;
        outside.step(bytes, Dialect { quote, ..dialect }, end);
        inside.at = end;
        return Seen::Either([outside, inside]);
    }
    while !outside.is_at(&inside) {
        let behind = if outside.at <= inside.at {
            &mut outside
        } else {
            &mut inside
        };
        if !behind.step(bytes, dialect, end) {
            while outside.step(bytes, dialect, end) || inside.step(bytes, dialect, end) {}
            return Seen::Either([outside, inside]);
        }
    }
    // Both are the same from here on.
    let mut both = Cursor::new(outside.at, outside.inside);
    while both.row.is_none() && both.step(bytes, dialect, end) {}
    match both.row {
        Some(row) => Seen::Row(row),
        None => Seen::Either([outside, inside].map(|cursor| Cursor {
            row: cursor.row,
            ..both
        })),
    }
}

impl Cursor {
    fn new(at: usize, inside: bool) -> Self {
        Self {
            at,
            inside,
            row: None,
        }
    }

    fn is_at(&self, other: &Self) -> bool {
        (self.at, self.inside) == (other.at, other.inside)
    }

    /// Goes behind the next quote, or to the end: returns whether there is more.
    fn step(&mut self, bytes: &[u8], dialect: Dialect, end: usize) -> bool {
        if self.at >= end {
            return false;
        }
        let rest = &bytes[self.at..end];
        let quote = dialect.quote.and_then(|quote| memchr(quote, rest));
        let next = quote.unwrap_or(rest.len());
        if !self.inside && self.row.is_none() {
            let line = memchr2(b'\n', b'\r', &rest[..next]);
            self.row = line.map(|line| self.at + line + 1);
        }
        let at = self.at + next;
        self.at = end.min(at + 1);
        if quote.is_none() {
            return false;
        }
        if !self.inside {
            // In a field that does not begin with a quote, a quote is an ordinary letter.
            let before = at.checked_sub(1).map(|before| bytes[before]);
            self.inside = before
                .is_none_or(|byte| byte == dialect.delimiter || byte == b'\n' || byte == b'\r');
        } else if bytes.get(at + 1) == Some(&bytes[at]) {
            self.at = at + 2;
        } else {
            self.inside = false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::first_row;

    const DIALECT: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
    };

    fn rows_of(mut bytes: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        while let Some(row) = first_row(bytes, dialect) {
            all.push(row.fields);
            bytes = &bytes[row.end..];
        }
        all
    }

    #[test]
    fn a_row_with_ends_of_lines_in_quotes_is_one() {
        let bytes = b"a,\"b\nc\"\r\nd,\"e\"\"\nf\"\n";
        let chunks = split(bytes, DIALECT, 3, &Context::detached()).unwrap();
        assert_eq!(chunks, [0..8, 8..9, 9..19]);
    }

    #[test]
    fn no_row_begins_behind_a_quote_that_is_never_closed() {
        let chunks = split(b"aa\nb,\"b\nc", DIALECT, 2, &Context::detached()).unwrap();
        assert_eq!(chunks, [0..3, 3..9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any bytes in any order, even quotes in the middle of a field.
        #[test]
        fn any_size_of_pieces_gives_the_same_rows(
            letters in prop::collection::vec(prop::sample::select(b"\"\"\",,\n\rab'".to_vec()), 0..60),
            size in 1usize..20,
            quote in prop::sample::select(vec![Some(b'"'), Some(b'\''), None]),
        ) {
            let dialect = Dialect { delimiter: b',', quote };
            let chunks = split(&letters, dialect, size, &Context::detached()).unwrap();
            let ends: Vec<usize> = chunks.iter().map(|rows| rows.end).collect();
            let starts: Vec<usize> = chunks.iter().map(|rows| rows.start).collect();
            prop_assert_eq!(starts.first().copied().unwrap_or(0), 0);
            prop_assert_eq!(ends.last().copied().unwrap_or(0), letters.len());
            prop_assert!(ends.iter().zip(starts.iter().skip(1)).all(|(end, start)| end == start));
            let whole = rows_of(&letters, dialect);
            let cut: Vec<_> = chunks.iter().flat_map(|rows| rows_of(&letters[rows.clone()], dialect)).collect();
            prop_assert_eq!(cut, whole);
        }
    }
}
