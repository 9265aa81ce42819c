//! `compress.zlib`, `compress.deflate` and their reverse: the data of gzip with another wrapping, and without one.

use flate2::{Decompress, FlushDecompress, Status};
use simd_adler32::Adler32;

use super::super::steps::Steps;
use super::blocks;
use super::output::{Output, STEP, corrupt, cut_short, limit_of};
use rspool_task::{CHUNK, Context, Error, Params, Value};

/// Compresses into the zlib format, which HTTP calls `deflate`, and which `deflate()` of `node:zlib` makes. The same
/// input gives the same bytes, however many workers take part.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `level`, an integer from 0 (stored) to 9 (smallest), default 6.
/// - Result: bytes.
/// - Counts: `bytes`, of the input.
/// - Shared: from 1 MiB on.
/// - Errors: `ERR_RSPOOL_OUT_OF_MEMORY`.
/// - Source: RFC 1950, RFC 1951.
pub(in crate::native::tasks) fn zlib(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    let wrap = |input: &[u8], level, _| {
        let mut checksum = Adler32::new();
        for chunk in input.chunks(CHUNK) {
            context.check()?;
            checksum.write(chunk);
        }
        Ok((header_of(level), checksum.finish().to_be_bytes()))
    };
    blocks::compress(input, params, context, |_| (), wrap)
}

/// Deflate with a window of 32 KiB, and the compression effort. Together a multiple of 31.
fn header_of(level: u32) -> [u8; 2] {
    let effort = match level {
        0..=1 => 0x01,
        2..=5 => 0x5e,
        6 => 0x9c,
        _ => 0xda,
    };
    [0x78, effort]
}

/// Compresses into raw deflate, which has neither a length nor a checksum. The same input gives the same bytes.
///
/// - Input, params, result, counts, errors: as of `compress.zlib`.
/// - Source: RFC 1951.
pub(in crate::native::tasks) fn deflate(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    blocks::compress(input, params, context, |_| (), |_, _, _| Ok(([], [])))
}

/// Decompresses the zlib format. Its checksum is verified.
///
/// - Input: bytes, which end with the data.
/// - Params, result, counts, errors: as of `decompress.gzip`.
/// - Source: RFC 1950, RFC 1951.
pub(in crate::native::tasks) fn unzlib(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    decompress(input, params, context, Format::Zlib)
}

/// Decompresses raw deflate.
///
/// - Input: bytes, which end with the data.
/// - Params, result, counts, errors: as of `decompress.gzip`; damage is seen only where it makes no sense, since there is
///   no checksum.
/// - Source: RFC 1951.
pub(in crate::native::tasks) fn inflate(
    input: Value,
    params: Params,
    context: &Context<'_>,
) -> Result<Value<'static>, Error> {
    decompress(input, params, context, Format::Deflate)
}

/// How deflate is wrapped.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Zlib,
    Deflate,
}

fn decompress(
    input: Value,
    params: Params,
    context: &Context<'_>,
    format: Format,
) -> Result<Value<'static>, Error> {
    let mut output = Output::new(limit_of(&params)?);
    let input = input.into_bytes()?;
    let input = input.contiguous(context)?;
    let name = match format {
        Format::Zlib => "zlib",
        Format::Deflate => "deflate",
    };
    let mut decoder = Decompress::new(format == Format::Zlib);
    let mut step = [0; STEP];
    let steps = Steps::new(context, input.len());
    loop {
        context.check()?;
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let rest = &input[read as usize..];
        let status = decoder.decompress(rest, &mut step, FlushDecompress::None);
        let status = status.map_err(|error| corrupt(name, error))?;
        let written = (decoder.total_out() - written) as usize;
        output.take(&step[..written], context)?;
        steps.pass((decoder.total_in() - read) as usize);
        if status == Status::StreamEnd {
            break;
        }
        if written == 0 && decoder.total_in() == read {
            return Err(cut_short(name));
        }
    }
    match input.len() - decoder.total_in() as usize {
        0 => Ok(output.into()),
        more => Err(corrupt(name, format_args!("{more} bytes follow their end"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use rspool_task::{CORRUPT_INPUT, OUTPUT_TOO_LARGE};

    type Run = for<'a> fn(Value<'a>, Params, &Context<'_>) -> Result<Value<'static>, Error>;

    fn run(task: Run, input: &[u8], params: serde_json::Value) -> Result<Vec<u8>, Error> {
        let params = Params::try_from(params).unwrap();
        let input = Value::Bytes(input.to_vec().into());
        match task(input, params, &Context::detached())? {
            Value::Bytes(bytes) => Ok(bytes.into_vec()),
            other => panic!("not bytes: {other:?}"),
        }
    }

    fn none() -> serde_json::Value {
        json!({})
    }

    /// The output of zlib 1.3 for "hello".
    const HELLO: [u8; 13] = [
        0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x06, 0x2c, 0x02, 0x15,
    ];

    #[test]
    fn known_data_come_out_and_go_in() {
        assert_eq!(run(unzlib, &HELLO, none()).unwrap(), b"hello");
        assert_eq!(run(inflate, &HELLO[2..9], none()).unwrap(), b"hello");
        assert_eq!(run(zlib, b"hello", none()).unwrap(), HELLO);
        assert_eq!(run(deflate, b"hello", none()).unwrap(), HELLO[2..9]);
    }

    #[test]
    fn the_header_is_one_that_zlib_writes() {
        for level in 0..=9 {
            let [first, second] = header_of(level);
            assert_eq!(
                (u32::from(first) * 256 + u32::from(second)) % 31,
                0,
                "{level}"
            );
        }
    }

    #[test]
    fn every_cut_is_seen_and_so_is_what_follows() {
        for end in 0..HELLO.len() {
            let error = run(unzlib, &HELLO[..end], none()).unwrap_err();
            assert_eq!(error.code(), CORRUPT_INPUT, "{end}");
            assert!(error.to_string().contains("cut short"), "{end}: {error}");
        }
        for end in 2..9 {
            let error = run(inflate, &HELLO[2..end], none()).unwrap_err();
            assert!(error.to_string().contains("cut short"), "{end}: {error}");
        }
        let longer = [&HELLO[..], &[0]].concat();
        let error = run(unzlib, &longer, none()).unwrap_err();
        assert!(
            error.to_string().contains("1 bytes follow their end"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_checksum_is_seen() {
        let mut damaged = HELLO;
        damaged[12] ^= 1;
        assert_eq!(
            run(unzlib, &damaged, none()).unwrap_err().code(),
            CORRUPT_INPUT
        );
    }

    #[test]
    fn the_limit_is_exact() {
        let limit = |most: u32| json!({ "maxOutput": most });
        assert_eq!(run(unzlib, &HELLO, limit(5)).unwrap(), b"hello");
        let error = run(unzlib, &HELLO, limit(4)).unwrap_err();
        assert_eq!(error.code(), OUTPUT_TOO_LARGE);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_goes_in_comes_out(input in prop::collection::vec(0u8..8, 0..300_000), level in 0u32..=9) {
            for (there, back) in [(zlib as Run, unzlib as Run), (deflate, inflate)] {
                let small = run(there, &input, json!({ "level": level })).unwrap();
                prop_assert_eq!(&run(back, &small, none()).unwrap(), &input);
            }
        }

        #[test]
        fn noise_is_an_error_and_never_a_panic(input in any::<Vec<u8>>()) {
            for task in [unzlib as Run, inflate] {
                if let Err(error) = run(task, &input, json!({ "maxOutput": 1000 })) {
                    prop_assert!([CORRUPT_INPUT, OUTPUT_TOO_LARGE].contains(&error.code()));
                }
            }
        }
    }
}
