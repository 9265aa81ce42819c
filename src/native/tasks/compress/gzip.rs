//! `compress.gzip` and `decompress.gzip`.

use crc32fast::Hasher as Crc32;
use flate2::bufread::GzDecoder;

use super::super::steps::{Rest, Steps};
use super::blocks;
use super::output::{Output, limit_of};
use rspool_task::{Context, Error, Params, Value};

/// The most bytes that a byte of deflate can stand for: a match of 258 bytes takes two bits.
const MAX_RATIO: usize = 1032;

/// Compresses into one gzip member. The same input gives the same bytes, however many workers take
/// part: the header has no name, no time (MTIME 0) and no system (OS 255, as RFC 1952 asks for if
/// unknown), and where blocks begin depends on the input's length alone.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `level`, an integer from 0 (stored) to 9 (smallest), default 6.
/// - Result: bytes.
/// - Counts: `bytes`, of the input.
/// - Shared: from 1 MiB on.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: RFC 1951, RFC 1952.
pub(in crate::native::tasks) fn gzip(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let wrap = |input: &[u8], _, sums: Vec<Crc32>| {
        let mut checksum = Crc32::new();
        sums.iter().for_each(|sum| checksum.combine(sum));
        let mut trailer = [0; 8];
        trailer[..4].copy_from_slice(&checksum.finalize().to_le_bytes());
        trailer[4..].copy_from_slice(&(input.len() as u32).to_le_bytes());
        Ok((GZIP_HEADER, trailer))
    };
    blocks::compress(input, params, context, checksum_of, wrap)
}

/// The CRC-32 of bytes.
fn checksum_of(bytes: &[u8]) -> Crc32 {
    let mut checksum = Crc32::new();
    checksum.update(bytes);
    checksum
}

/// Deflate; no flags, no time, no level, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Decompresses gzip: one member, or several one after another, which give their contents one
/// after another. Zero bytes after the last member are skipped (tape and tar padding); anything
/// else there is an error.
///
/// - Input: bytes.
/// - Params: `maxOutput`, the most bytes to give, an integer from 0 to 2⁵³ − 1, default
///   268435456 (256 MiB). Memory is taken as the output grows, not for what a header claims.
/// - Result: bytes.
/// - Counts: `bytes`, of the output.
/// - Errors: `ERR_RSPOOL_CORRUPT_INPUT` if the input is no gzip, damaged (its checksum and length
///   are verified) or cut short; `ERR_RSPOOL_OUTPUT_TOO_LARGE` as soon as the output passes
///   `maxOutput`; `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: RFC 1951, RFC 1952.
pub(in crate::native::tasks) fn gunzip(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let limit = limit_of(&params)?;
    let input = input.into_bytes()?;
    let input = input.contiguous(context)?;
    let mut output = Output::new(limit);
    output.reserve(claimed_size(&input).min(limit))?;
    let steps = Steps::new(context, input.len());
    let mut rest = Rest::new(&input, &steps);
    loop {
        let mut member = GzDecoder::new(rest);
        output.fill(&mut member, "gzip", context)?;
        rest = member.into_inner();
        if rest.bytes.iter().all(|byte| *byte == 0) {
            return Ok(output.into());
        }
    }
}

/// The length that the last member claims (in its last four bytes), as far as this input could reach it: a guess that
/// saves growing the output, and is limited in case it is a lie.
fn claimed_size(input: &[u8]) -> usize {
    let Some(size) = input.last_chunk::<4>() else {
        return 0;
    };
    let possible = input.len().saturating_mul(MAX_RATIO);
    (u32::from_le_bytes(*size) as usize).min(possible)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    };

    use proptest::prelude::*;

    use super::super::output::STEP;
    use super::*;
    use crate::memory::{borrowed::Borrowed, counters::CounterSet};
    use rspool_task::{BYTES, CORRUPT_INPUT, OUTPUT_TOO_LARGE};

    fn params(json: serde_json::Value) -> Params {
        Params::try_from(json).unwrap()
    }

    fn bytes(value: Value) -> Vec<u8> {
        let Value::Bytes(bytes) = value else {
            panic!("not bytes: {value:?}");
        };
        bytes.into_vec()
    }

    fn compress(input: &[u8], level: u32) -> Vec<u8> {
        let params = params(serde_json::json!({ "level": level }));
        let input = Value::Bytes(input.to_vec().into());
        bytes(gzip(input, params, &Context::detached()).unwrap())
    }

    fn decompress(input: &[u8], max: Option<u64>) -> Result<Vec<u8>, Error> {
        let params = match max {
            Some(max) => params(serde_json::json!({ "maxOutput": max })),
            None => Params::none(),
        };
        let input = Value::Bytes(input.to_vec().into());
        gunzip(input, params, &Context::detached()).map(bytes)
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        result.unwrap_err().code().into()
    }

    /// The output of `printf hello | gzip -n`.
    const HELLO: [u8; 25] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
        0x07, 0x00, 0x86, 0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
    ];

    #[test]
    fn known_data_come_out() {
        assert_eq!(decompress(&HELLO, None).unwrap(), b"hello");
    }

    #[test]
    fn the_header_depends_on_nothing_but_the_level() {
        let compressed = compress(b"hello", 6);
        assert_eq!(compressed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!(compressed[10..], HELLO[10..]);
        assert_eq!(compress(b"hello", 6), compressed);
    }

    #[test]
    fn every_level_comes_back_and_the_default_is_6() {
        let text = b"One pool for all the CPU work. ".repeat(5000);
        for level in 0..=9 {
            let compressed = compress(&text, level);
            assert_eq!(decompress(&compressed, None).unwrap(), text);
            assert_eq!(compressed.len() > text.len(), level == 0);
        }
        let default = gzip(
            Value::Bytes(text.clone().into()),
            Params::none(),
            &Context::detached(),
        );
        assert_eq!(bytes(default.unwrap()), compress(&text, 6));
    }

    #[test]
    fn empty_input() {
        let compressed = compress(b"", 6);
        assert_eq!(decompress(&compressed, None).unwrap(), b"");
        assert_eq!(code(decompress(b"", None)), CORRUPT_INPUT);
    }

    #[test]
    fn members_are_joined_and_zero_padding_is_skipped() {
        let mut input = HELLO.to_vec();
        input.extend(compress(b"", 1));
        input.extend(compress(b" world", 9));
        assert_eq!(decompress(&input, None).unwrap(), b"hello world");
        input.extend([0; 1000]);
        assert_eq!(decompress(&input, None).unwrap(), b"hello world");
        input.push(7);
        assert_eq!(code(decompress(&input, None)), CORRUPT_INPUT);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_of_the_body_is_seen() {
        for end in 0..HELLO.len() {
            assert_eq!(
                code(decompress(&HELLO[..end], None)),
                CORRUPT_INPUT,
                "{end}"
            );
        }
        assert!(
            decompress(&HELLO[..20], None)
                .unwrap_err()
                .to_string()
                .contains("cut short")
        );
        for bit in 80..HELLO.len() * 8 {
            let mut damaged = HELLO;
            damaged[bit / 8] ^= 1 << (bit % 8);
            match decompress(&damaged, None) {
                // Byte 16 ends in bits that only fill the last byte of deflate and mean nothing.
                Ok(output) => assert_eq!((bit / 8, &output[..]), (16, &b"hello"[..])),
                Err(error) => assert_eq!(error.code(), CORRUPT_INPUT, "{bit}"),
            }
        }
        assert_eq!(code(decompress(b"no gzip at all", None)), CORRUPT_INPUT);
    }

    #[test]
    fn the_limit_is_exact() {
        assert_eq!(decompress(&HELLO, Some(5)).unwrap(), b"hello");
        let error = decompress(&HELLO, Some(4)).unwrap_err();
        assert_eq!(error.code(), OUTPUT_TOO_LARGE);
        assert!(error.to_string().contains("params.maxOutput, 4 bytes"));
        assert_eq!(decompress(&compress(b"", 6), Some(0)).unwrap(), b"");
    }

    #[test]
    fn a_bomb_is_stopped_at_the_default_limit() {
        // Each member stands for 64 MiB of zeros in 80 kB; five are past 256 MiB.
        let member = compress(&vec![0; 64 << 20], 9);
        assert!(member.len() < 100_000);
        let bomb = member.repeat(5);
        assert_eq!(code(decompress(&bomb, None)), OUTPUT_TOO_LARGE);
    }

    #[test]
    fn a_claimed_length_takes_no_memory_beyond_what_is_possible() {
        let mut lying = HELLO;
        lying[21..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(claimed_size(&lying), HELLO.len() * MAX_RATIO);
        assert_eq!(claimed_size(&[1, 2]), 0);
        assert_eq!(code(decompress(&lying, None)), CORRUPT_INPUT);
    }

    #[test]
    fn wrong_params_and_inputs_are_refused() {
        let context = Context::detached();
        for bad in [
            serde_json::json!({ "level": 10 }),
            serde_json::json!({ "level": "6" }),
            serde_json::json!({ "maxOutput": 5 }),
        ] {
            let result = gzip(Value::Bytes(Vec::new().into()), params(bad), &context);
            assert_eq!(code(result), "ERR_RSPOOL_INVALID_ARGUMENT");
        }
        let result = gunzip(
            Value::Bytes(Vec::new().into()),
            params(serde_json::json!({ "maxOutput": -1 })),
            &context,
        );
        assert_eq!(code(result), "ERR_RSPOOL_INVALID_ARGUMENT");
        assert_eq!(
            code(gzip(Value::Number(1.0), Params::none(), &context)),
            "ERR_RSPOOL_INVALID_ARGUMENT"
        );
    }

    /// Counters whose memory lives as long as the process.
    fn counters() -> CounterSet {
        let memory: &'static [AtomicI64] = Vec::leak((0..8).map(|_| AtomicI64::new(0)).collect());
        // SAFETY: the memory is never freed and only used atomically.
        let cells = unsafe { Borrowed::new(memory.as_ptr().cast_mut().cast(), memory.len()) };
        CounterSet::new([BYTES], Arc::new(cells.unwrap())).unwrap()
    }

    #[test]
    fn progress_is_counted_and_a_cancel_stops_midway() {
        let text = vec![b'a'; STEP * 40];
        let counters = counters();
        let cancel = AtomicU32::new(0);
        let context = Context::new(&cancel, Some(&counters));
        let compressed =
            bytes(gzip(Value::Bytes(text.clone().into()), Params::none(), &context).unwrap());
        assert_eq!(counters.get(BYTES), Some(text.len() as i64));
        gunzip(
            Value::Bytes(compressed.clone().into()),
            Params::none(),
            &context,
        )
        .unwrap();
        assert_eq!(counters.get(BYTES), Some(2 * text.len() as i64));

        // A thread that waits for progress cancels. The endless members would run for minutes.
        let endless = compressed.repeat(10_000);
        let before = counters.get(BYTES);
        std::thread::scope(|scope| {
            let params = params(serde_json::json!({ "maxOutput": 1u64 << 40 }));
            let run = scope.spawn(move || gunzip(Value::Bytes(endless.into()), params, &context));
            while counters.get(BYTES) == before {
                std::thread::yield_now();
            }
            cancel.store(1, Ordering::Relaxed);
            assert_eq!(run.join().unwrap(), Err(Error::Cancelled));
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_goes_in_comes_out(input in proptest::collection::vec(0u8..8, 0..100_000), level in 0u32..=9) {
            prop_assert_eq!(decompress(&compress(&input, level), None).unwrap(), input);
        }

        #[test]
        fn noise_is_an_error_and_never_a_panic(input in any::<Vec<u8>>()) {
            let mut headed = HELLO[..10].to_vec();
            headed.extend(&input);
            for noise in [input, headed] {
                if let Err(error) = decompress(&noise, Some(1000)) {
                    prop_assert!([CORRUPT_INPUT, OUTPUT_TOO_LARGE].contains(&error.code()));
                }
            }
        }
    }
}
