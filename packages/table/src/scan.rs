//! Finds where the fields of CSV end, 64 bytes at a time.

use memchr::memchr;
use wide::u8x16;

use crate::split::Dialect;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// A place in the source, from which fields are read one after another. What ends a field within quotes does not end
/// it, and quotes matter only where a field begins.
pub struct Scanner<'a> {
    source: &'a [u8],
    quote: Option<u8>,
    ends: [u8x16; 3],
    /// Where the block begins that is looked at.
    block: usize,
    /// A bit for each byte of the block that ends a field and is still to come.
    rest: u64,
    /// Where the next field begins.
    at: usize,
}

/// Where a field is, with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
    /// Its quotes.
    pub quotes: Quotes,
}

/// The quotes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// It does not begin with one.
    None,
    /// It is in quotes, and there are no others.
    Around,
    /// There are more quotes in it, or there is text behind them: see [`unquote`].
    More,
    /// Its quote is never closed.
    Open,
}

impl<'a> Scanner<'a> {
    /// Reads from the first byte on.
    #[must_use]
    pub fn new(source: &'a [u8], dialect: Dialect) -> Self {
        let mut scanner = Self {
            source,
            quote: dialect.quote,
            ends: [dialect.delimiter, b'\n', b'\r'].map(u8x16::splat),
            block: 0,
            rest: 0,
            at: 0,
        };
        scanner.rest = scanner.ends_from(0);
        scanner
    }

    /// Where the next field begins: the end of the source if there is none.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next field. What ends it is skipped.
    #[inline(always)]
    pub fn field(&mut self) -> Found {
        let start = self.at;
        let (end, quotes) = match self.source.get(start) {
            Some(first) if Some(*first) == self.quote => self.quoted(start, *first),
            _ => (self.next_end(), Quotes::None),
        };
        self.at = self.source.len().min(end + 1);
        Found { start, end, quotes }
    }

    #[inline]
    fn quoted(&mut self, start: usize, quote: u8) -> (usize, Quotes) {
        let (mut at, mut quotes) = (start + 1, Quotes::Around);
        loop {
            let Some(next) = memchr(quote, &self.source[at..]) else {
                self.skip_to(self.source.len());
                return (self.source.len(), Quotes::Open);
            };
            at += next + 1;
            if self.source.get(at) != Some(&quote) {
                break;
            }
            at += 1;
            quotes = Quotes::More;
        }
        self.skip_to(at);
        let end = self.next_end();
        (end, if end == at { quotes } else { Quotes::More })
    }

    /// Where the field ends in which the scanner is.
    #[inline(always)]
    fn next_end(&mut self) -> usize {
        while self.rest == 0 {
            if self.block + BLOCK >= self.source.len() {
                return self.source.len();
            }
            self.block += BLOCK;
            self.rest = self.ends_from(self.block);
        }
        let end = self.block + self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        end
    }

    #[inline]
    fn skip_to(&mut self, at: usize) {
        let block = at - at % BLOCK;
        if block != self.block {
            self.block = block;
            self.rest = self.ends_from(block);
        }
        self.rest &= u64::MAX << (at % BLOCK);
    }

    #[inline(always)]
    fn ends_from(&self, start: usize) -> u64 {
        let source = &self.source[start..];
        match source.first_chunk::<BLOCK>() {
            Some(block) => self.ends_in(block),
            None => {
                // 0 ends no field.
                let mut block = [0; BLOCK];
                block[..source.len()].copy_from_slice(source);
                self.ends_in(&block)
            }
        }
    }

    #[inline(always)]
    fn ends_in(&self, block: &[u8; BLOCK]) -> u64 {
        let [delimiter, line, carriage] = self.ends;
        let (lanes, _) = block.as_chunks::<16>();
        lanes.iter().rev().fold(0, |bits, lane| {
            let lane = u8x16::new(*lane);
            let ends = lane.simd_eq(delimiter) | lane.simd_eq(line) | lane.simd_eq(carriage);
            bits << 16 | u64::from(ends.to_bitmask())
        })
    }
}

/// The text of a field that begins with a quote, added to `text`: doubled quotes within the quotes are one, and what is
/// behind them is as it is.
pub fn unquote(field: &[u8], quote: u8, text: &mut Vec<u8>) {
    let mut rest = &field[1..];
    while let Some(next) = memchr(quote, rest) {
        text.extend_from_slice(&rest[..next]);
        rest = &rest[next + 1..];
        if rest.first() != Some(&quote) {
            break;
        }
        text.push(quote);
        rest = &rest[1..];
    }
    text.extend_from_slice(rest);
}
