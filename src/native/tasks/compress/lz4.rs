//! `compress.lz4` and `decompress.lz4`: frames, as the command `lz4` reads and writes them.

use std::io::{self, Read, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::super::steps::{Rest, Steps};
use super::output::{Output, cut_short, limit_of};
use rspool_task::{BYTES, CHUNK, Context, Error, Params, Value};

/// A frame that readers skip begins with these bytes (with any last four bits), followed by its length.
const SKIPPABLE: u32 = 0x184D_2A50;
const SKIPPABLE_HEADER: usize = 8;
/// Why the encoder does not fail.
const TAKES_ALL: &str = "a vector takes all that is written";

/// Compresses into one LZ4 frame of independent blocks, with the length and the checksum of its content. The same input
/// gives the same bytes.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: none.
/// - Result: bytes.
/// - Counts: `bytes`, of the input.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: LZ4 Frame Format Description 1.6.4, LZ4 Block Format Description.
pub(in crate::native::tasks) fn compress(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    params.read(&[])?;
    let input = input.into_bytes()?;
    let mut output = Vec::new();
    output
        .try_reserve(input.len() / 2)
        .map_err(|_| Error::out_of_memory(input.len()))?;
    let info = FrameInfo::new()
        .block_size(BlockSize::Max1MB)
        .block_mode(BlockMode::Independent)
        .content_checksum(true)
        .content_size(Some(input.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, output);
    let mut buffer = Vec::new();
    let steps = Steps::new(context, input.len());
    for start in (0..input.len()).step_by(CHUNK) {
        context.check()?;
        let range = start..input.len().min(start + CHUNK);
        let bytes = range.len() as i64;
        input
            .with(range, &mut buffer, |chunk| encoder.write_all(chunk))
            .expect(TAKES_ALL);
        context.count(BYTES, bytes);
        steps.pass(bytes as usize);
    }
    let output = encoder.finish().expect(TAKES_ALL);
    Ok(Value::Bytes(output.into()))
}

/// Decompresses one LZ4 frame, or several one after another. Checksums are verified, skippable frames are skipped, and
/// frames that need a dictionary are refused.
///
/// - Input: bytes, which end with the last frame.
/// - Params, result, counts, errors: as of `decompress.gzip`. A block takes no more memory than 8 MiB, whatever its header
///   says.
/// - Source: as of `compress.lz4`.
pub(in crate::native::tasks) fn decompress(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let mut output = Output::new(limit_of(&params)?);
    let input = input.into_bytes()?;
    let input = input.contiguous(context)?;
    let steps = Steps::new(context, input.len());
    let mut rest = &input[..];
    if rest.is_empty() {
        return Err(cut_short("lz4"));
    }
    while !rest.is_empty() {
        context.check()?;
        if let Some(after) = skipped(rest)? {
            rest = after;
            continue;
        }
        let mut decoder = FrameDecoder::new(Reader {
            rest: Rest::new(rest, &steps),
            starved: false,
        });
        output.fill(&mut decoder, "lz4", context)?;
        let reader = decoder.into_inner();
        // The decoder takes an end between two blocks for the end of the frame.
        if reader.starved {
            return Err(cut_short("lz4"));
        }
        rest = reader.rest.bytes;
    }
    Ok(output.into())
}

/// The input after a skippable frame, if this is one.
fn skipped(input: &[u8]) -> Result<Option<&[u8]>, Error> {
    let magic = input
        .first_chunk::<4>()
        .map(|magic| u32::from_le_bytes(*magic));
    if magic.is_none_or(|magic| magic & !0xf != SKIPPABLE) {
        return Ok(None);
    }
    let length = input
        .get(4..SKIPPABLE_HEADER)
        .and_then(|length| length.first_chunk::<4>())
        .ok_or_else(|| cut_short("lz4"))?;
    let end = SKIPPABLE_HEADER.saturating_add(u32::from_le_bytes(*length) as usize);
    input.get(end..).map(Some).ok_or_else(|| cut_short("lz4"))
}

/// Reads, and notes when nothing was left to read.
struct Reader<'s, 'c, 'a> {
    rest: Rest<'s, 'c, 'a>,
    starved: bool,
}

impl Read for Reader<'_, '_, '_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.rest.bytes.is_empty() && !to.is_empty() {
            self.starved = true;
        }
        self.rest.read(to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use rspool_task::{CORRUPT_INPUT, OUTPUT_TOO_LARGE};

    fn packed(input: &[u8]) -> Vec<u8> {
        let input = Value::Bytes(input.to_vec().into());
        bytes(compress(input, Params::none(), &Context::detached())).unwrap()
    }

    fn unpacked(input: &[u8], most: u64) -> Result<Vec<u8>, Error> {
        let params = Params::try_from(json!({ "maxOutput": most })).unwrap();
        let input = Value::Bytes(input.to_vec().into());
        bytes(decompress(input, params, &Context::detached()))
    }

    fn bytes(value: Result<Value<'static>, Error>) -> Result<Vec<u8>, Error> {
        match value? {
            Value::Bytes(bytes) => Ok(bytes.into_vec()),
            other => panic!("not bytes: {other:?}"),
        }
    }

    /// The output of the command `lz4` for "hello".
    const HELLO: [u8; 24] = [
        0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0x05, 0x00, 0x00, 0x80, 0x68, 0x65, 0x6c, 0x6c,
        0x6f, 0x00, 0x00, 0x00, 0x00, 0xf9, 0x77, 0x00, 0xfb,
    ];

    #[test]
    fn known_data_come_out() {
        assert_eq!(unpacked(&HELLO, 100).unwrap(), b"hello");
    }

    #[test]
    fn frames_are_joined_and_skippable_ones_skipped() {
        let mut input = HELLO.to_vec();
        input.extend([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
        input.extend(packed(b" world"));
        assert_eq!(unpacked(&input, 100).unwrap(), b"hello world");
        input.extend([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9]);
        assert_eq!(unpacked(&input, 100).unwrap_err().code(), CORRUPT_INPUT);
    }

    #[test]
    fn every_cut_is_seen_also_between_blocks() {
        let input: Vec<u8> = (0..3_000_000u32)
            .map(|i| (i.wrapping_mul(i) >> 7) as u8)
            .collect();
        let packed = packed(&input);
        for end in (0..packed.len())
            .step_by(packed.len() / 50)
            .chain(packed.len() - 12..packed.len())
        {
            let error = unpacked(&packed[..end], 1 << 30).unwrap_err();
            assert_eq!(error.code(), CORRUPT_INPUT, "{end}");
        }
        for end in 0..HELLO.len() {
            assert_eq!(
                unpacked(&HELLO[..end], 100).unwrap_err().code(),
                CORRUPT_INPUT,
                "{end}"
            );
        }
        // After each block, as if the frame ended there.
        let mut end = 15;
        while end + 4 < packed.len() - 8 {
            let length = u32::from_le_bytes(packed[end..end + 4].try_into().unwrap());
            end += 4 + (length & 0x7fff_ffff) as usize;
            assert_eq!(
                unpacked(&packed[..end], 1 << 30).unwrap_err().code(),
                CORRUPT_INPUT
            );
        }
        assert_eq!(unpacked(&packed, 1 << 30).unwrap(), input);
    }

    #[test]
    fn damage_and_limits_are_seen() {
        let mut damaged = HELLO;
        damaged[12] ^= 1;
        assert_eq!(unpacked(&damaged, 100).unwrap_err().code(), CORRUPT_INPUT);
        assert_eq!(unpacked(&HELLO, 4).unwrap_err().code(), OUTPUT_TOO_LARGE);
        let bomb = packed(&vec![0; 10_000_000]);
        assert!(bomb.len() < 50_000);
        assert_eq!(
            unpacked(&bomb, 9_999_999).unwrap_err().code(),
            OUTPUT_TOO_LARGE
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_goes_in_comes_out(input in prop::collection::vec(0u8..8, 0..100_000)) {
            prop_assert_eq!(unpacked(&packed(&input), 1 << 30).unwrap(), input);
        }

        #[test]
        fn noise_is_an_error_and_never_a_panic(input in any::<Vec<u8>>(), headed: bool) {
            let input = if headed { [&HELLO[..7], &input].concat() } else { input };
            if let Err(error) = unpacked(&input, 1000) {
                prop_assert!([CORRUPT_INPUT, OUTPUT_TOO_LARGE].contains(&error.code()));
            }
        }
    }
}
