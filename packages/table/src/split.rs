//! Cuts CSV into chunks of whole rows that can be read in parallel. Where a row ends depends on all quotes before it.
//! So each piece of the bytes is scanned twice, once as if it began outside of quotes and once as if inside. Which of
//! the two is right is known when the pieces before it have been scanned.

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

/// The result of a scan of a piece, if it begins inside or outside of quotes.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Where the first row begins that follows an end of line in this piece.
    first_row: Option<usize>,
    /// Whether the piece ends inside quotes.
    inside: bool,
}

/// Chunks of whole rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunks {
    /// In order. Together they are all bytes.
    pub rows: Vec<Range<usize>>,
    /// Whether the last row ends inside quotes.
    pub open: bool,
}

/// Cuts `bytes`, which begin with a row, into chunks of about `size` bytes.
///
/// # Errors
/// `Cancelled`.
pub fn split(bytes: &[u8], dialect: Dialect, size: usize, context: &Context<'_>) -> Result<Chunks> {
    let pieces = pieces(bytes, dialect, size);
    let seen = context.map_items(pieces, |_, piece| {
        let outside = look(bytes, dialect, piece.clone(), false);
        // Without a quote in the piece, no row ends inside of quotes.
        let quote = dialect
            .quote
            .and_then(|quote| memchr(quote, &bytes[piece.clone()]));
        let inside = match quote {
            None => Seen {
                first_row: None,
                inside: true,
            },
            Some(_) => look(bytes, dialect, piece, true),
        };
        Ok([outside, inside])
    })?;
    let mut open = false;
    let mut starts = vec![0];
    for (index, both) in seen.iter().enumerate() {
        let seen = both[usize::from(open)];
        open = seen.inside;
        // The first chunk begins with the first byte.
        starts.extend(seen.first_row.filter(|_| index > 0));
    }
    starts.dedup();
    starts.push(bytes.len());
    let rows = starts.windows(2).map(|ends| ends[0]..ends[1]);
    let rows = rows.filter(|rows| !rows.is_empty()).collect();
    Ok(Chunks { rows, open })
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

/// Scans a piece, from quote to quote.
fn look(bytes: &[u8], dialect: Dialect, piece: Range<usize>, mut inside: bool) -> Seen {
    let mut first_row = None;
    let Some(quote) = dialect.quote else {
        let end = memchr2(b'\n', b'\r', &bytes[piece.clone()]);
        let first_row = end.map(|end| piece.start + end + 1);
        return Seen {
            first_row,
            inside: false,
        };
    };
    let mut at = piece.start;
    while at < piece.end {
        let next = memchr(quote, &bytes[at..piece.end]).map_or(piece.end, |next| at + next);
        if !inside && first_row.is_none() {
            let end = memchr2(b'\n', b'\r', &bytes[at..next]);
            first_row = end.map(|end| at + end + 1);
        }
        if next == piece.end {
            break;
        }
        at = next + 1;
        if !inside {
            // In a field that does not begin with a quote, a quote is an ordinary letter.
            let before = next.checked_sub(1).map(|before| bytes[before]);
            inside = before
                .is_none_or(|byte| byte == dialect.delimiter || byte == b'\n' || byte == b'\r');
        } else if bytes.get(at) == Some(&quote) {
            at += 1;
        } else {
            inside = false;
        }
    }
    Seen { first_row, inside }
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
        while let Some((row, end)) = first_row(bytes, dialect) {
            all.push(row);
            bytes = &bytes[end..];
        }
        all
    }

    #[test]
    fn a_row_with_ends_of_lines_in_quotes_is_one() {
        let bytes = b"a,\"b\nc\"\r\nd,\"e\"\"\nf\"\n";
        let chunks = split(bytes, DIALECT, 3, &Context::detached()).unwrap();
        assert_eq!(
            chunks,
            Chunks {
                rows: vec![0..8, 8..9, 9..19],
                open: false
            }
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told() {
        let chunks = split(b"aa\nb,\"b\nc", DIALECT, 2, &Context::detached()).unwrap();
        assert_eq!(
            chunks,
            Chunks {
                rows: vec![0..3, 3..9],
                open: true
            }
        );
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
            let ends: Vec<usize> = chunks.rows.iter().map(|rows| rows.end).collect();
            let starts: Vec<usize> = chunks.rows.iter().map(|rows| rows.start).collect();
            prop_assert_eq!(starts.first().copied().unwrap_or(0), 0);
            prop_assert_eq!(ends.last().copied().unwrap_or(0), letters.len());
            prop_assert!(ends.iter().zip(starts.iter().skip(1)).all(|(end, start)| end == start));
            let whole = rows_of(&letters, dialect);
            let cut: Vec<_> = chunks.rows.iter().flat_map(|rows| rows_of(&letters[rows.clone()], dialect)).collect();
            prop_assert_eq!(cut, whole);
        }
    }
}
