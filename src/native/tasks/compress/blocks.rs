//! Deflate in blocks that are compressed separately, as pigz does it. Each block begins at a byte and knows the 32 KiB
//! before it, so together they are hardly longer than if compressed in one go. Where blocks begin depends only on the
//! length of the input. So the same input gives the same bytes, whichever workers compress them.

use flate2::{Compress, Compression, FlushCompress, Status};
use parking_lot::Mutex;

use super::super::steps::Steps;
use rspool_task::{BYTES, Context, Error, Params, Value, room_for};

/// How far back deflate refers.
const WINDOW: usize = 32 * 1024;
/// Bytes between two checks. On input that is made to be slow, level 9 may go down to a few MB/s.
const STEP: usize = 8 * 1024;
/// The most bytes of a stored block, and the bytes of its header.
const STORED: usize = 65_535;
const STORED_HEADER: usize = 5;
/// With fewer blocks, another worker would come too late.
const WORTH_HELP: usize = 8;

/// Bytes of input per block: one to three milliseconds. With half as many, the blocks are 0.2 % longer at level 9.
const BLOCK: usize = 128 * 1024;

/// Compresses an input at the level in the params. `sum` makes something of the bytes of each block, on the worker that
/// compresses it. `wrap` makes the header and the trailer from the input, the level and these sums, in order.
pub(super) fn compress<S: Send, H: AsRef<[u8]>, T: AsRef<[u8]>>(
    input: Value,
    params: Params,
    context: &Context<'_>,
    sum: impl Fn(&[u8]) -> S + Sync,
    wrap: impl FnOnce(&[u8], u32, Vec<S>) -> Result<(H, T), Error>,
) -> Result<Value<'static>, Error> {
    let level = params.read(&["level"])?.integer("level", 0..=9)?;
    let level = level.unwrap_or(6) as u32;
    let input = input.into_bytes()?;
    let input = input.contiguous(context)?;
    let (blocks, sums) = deflate(&input, level, context, sum)?;
    let (header, trailer) = wrap(&input, level, sums)?;
    joined(header.as_ref(), &blocks, trailer.as_ref(), context)
}

/// All blocks as one, between a header and a trailer.
fn joined(
    header: &[u8],
    blocks: &[Vec<u8>],
    trailer: &[u8],
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let length: usize = blocks.iter().map(Vec::len).sum();
    let mut output = room_for(header.len() + length + trailer.len())?;
    output.extend_from_slice(header);
    for block in blocks {
        context.check()?;
        output.extend_from_slice(block);
    }
    output.extend_from_slice(trailer);
    Ok(Value::Bytes(output.into()))
}

/// Compresses `input` into the blocks of one stream of deflate, each with its sum. Counts the bytes of the input.
fn deflate<S: Send>(
    input: &[u8],
    level: u32,
    context: &Context<'_>,
    sum: impl Fn(&[u8]) -> S + Sync,
) -> Result<(Vec<Vec<u8>>, Vec<S>), Error> {
    let mut starts: Vec<usize> = (0..input.len()).step_by(BLOCK).collect();
    if starts.is_empty() {
        starts.push(0);
    }
    let last = starts.len() - 1;
    let compressors = Mutex::new(Vec::new());
    let steps = Steps::new(context, input.len());
    let context = context.with_help_if(starts.len() >= WORTH_HELP);
    let blocks = context.map_items(starts, |index, start: usize| {
        let end = input.len().min(start + BLOCK);
        let spare = compressors.lock().pop();
        let mut compressor = spare.unwrap_or_else(|| Compress::new(Compression::new(level), false));
        let block = Block {
            dictionary: &input[start.saturating_sub(WINDOW)..start],
            bytes: &input[start..end],
            last: index == last,
        };
        let compressed = block.compress(level, &mut compressor, &context)?;
        context.count(BYTES, block.bytes.len() as i64);
        steps.pass(block.bytes.len());
        compressors.lock().push(compressor);
        Ok((compressed, sum(block.bytes)))
    })?;
    Ok(blocks.into_iter().unzip())
}

struct Block<'a> {
    dictionary: &'a [u8],
    bytes: &'a [u8],
    last: bool,
}

impl Block<'_> {
    fn compress(
        &self,
        level: u32,
        compressor: &mut Compress,
        context: &Context<'_>,
    ) -> Result<Vec<u8>, Error> {
        let stored = self.stored_size();
        if level > 0
            && let Some(out) = self.squeeze(compressor, stored, context)?
        {
            return Ok(out);
        }
        self.store(stored)
    }

    /// The compressed block, unless it takes `limit` bytes or more.
    fn squeeze(
        &self,
        compressor: &mut Compress,
        limit: usize,
        context: &Context<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        compressor.reset();
        if !self.dictionary.is_empty() && compressor.set_dictionary(self.dictionary).is_err() {
            return Ok(None);
        }
        let mut out = room_for(limit)?;
        for step in self.bytes.chunks(STEP) {
            context.check()?;
            let mut rest = step;
            while !rest.is_empty() {
                let before = compressor.total_in();
                let status = compressor.compress_vec(rest, &mut out, FlushCompress::None);
                let read = (compressor.total_in() - before) as usize;
                rest = &rest[read..];
                if status.is_err() || (read == 0 && out.len() == out.capacity()) {
                    return Ok(None);
                }
            }
        }
        let flush = if self.last {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        let status = compressor.compress_vec(&[], &mut out, flush);
        let whole = match status {
            Ok(Status::StreamEnd) => self.last,
            // If there is room left in the output, nothing is left inside.
            Ok(_) => !self.last && out.len() < out.capacity(),
            Err(_) => false,
        };
        out.shrink_to_fit();
        Ok((whole && out.len() < limit).then_some(out))
    }

    fn stored_size(&self) -> usize {
        let blocks = self.bytes.len().div_ceil(STORED).max(1);
        self.bytes.len() + blocks * STORED_HEADER
    }

    fn store(&self, size: usize) -> Result<Vec<u8>, Error> {
        let mut out = room_for(size)?;
        let mut rest = self.bytes;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(STORED));
            rest = after;
            let length = piece.len() as u16;
            out.push(u8::from(self.last && rest.is_empty()));
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&(!length).to_le_bytes());
            out.extend_from_slice(piece);
            if rest.is_empty() {
                return Ok(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_hardly_longer_than_one_stream() {
        let mut text = String::new();
        for id in 0..40_000u32 {
            let name = id.wrapping_mul(7919) % 1000;
            text += &format!(
                "{{\"id\":{id},\"name\":\"user {name}\",\"seen\":{}}}\n",
                id * 31
            );
        }
        for level in [2, 6, 9] {
            let (blocks, _) =
                deflate(text.as_bytes(), level, &Context::detached(), |_| ()).unwrap();
            let in_blocks: usize = blocks.iter().map(Vec::len).sum();
            let mut whole = Vec::with_capacity(text.len());
            let mut compressor = Compress::new(Compression::new(level), false);
            let status =
                compressor.compress_vec(text.as_bytes(), &mut whole, FlushCompress::Finish);
            assert_eq!(status.unwrap(), Status::StreamEnd);
            let more = in_blocks as f64 / whole.len() as f64;
            assert!(more <= 1.001, "level {level}: {more}");
        }
    }

    #[test]
    fn noise_is_stored() {
        let mut state = 1u32;
        let noise: Vec<u8> = (0..3 * BLOCK)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let (blocks, _) = deflate(&noise, 6, &Context::detached(), |_| ()).unwrap();
        for block in blocks {
            assert_eq!(block.len(), BLOCK + 3 * STORED_HEADER);
        }
    }
}
