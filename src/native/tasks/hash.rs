//! `hash.*`: digests and checksums of bytes.

use blake3::Hasher as Blake3;
use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use crc32fast::Hasher as Crc32;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use super::steps::Steps;
use rspool_task::{Context, Error, Fields, Params, Value};

rspool_task::table! {
    "hash.sha256" => sha256,
    "hash.blake3" => blake3,
    "hash.crc32" => crc32,
    "hash.xxh3" => xxh3,
}

/// SHA-256.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `encoding`, one of `'buffer'` (default), `'hex'`, `'base64'`, `'base64url'`.
/// - Result: 32 bytes, or a string in that encoding.
/// - Counts: `bytes`.
/// - Source: FIPS 180-4. Uses the processor's SHA instructions where it has them.
fn sha256(input: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    let encoding = encoding(&params.read(&["encoding"])?)?.unwrap_or(Encoding::Buffer);
    let mut hasher = Sha256::new();
    let input = input.into_bytes()?;
    let steps = Steps::new(context, input.len());
    context.for_each_chunk(&input, |chunk| {
        hasher.update(chunk);
        steps.pass(chunk.len());
    })?;
    Ok(encoding.encode(&hasher.finalize()))
}

/// BLAKE3, with no key.
///
/// - Input, params and counts: as `hash.sha256`.
/// - Result: 32 bytes, or a string in that encoding.
/// - Shared: from 16 MiB on.
/// - Source: the BLAKE3 specification of 2020. Uses the processor's vector instructions.
fn blake3(input: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    let encoding = encoding(&params.read(&["encoding"])?)?.unwrap_or(Encoding::Buffer);
    let input = input.into_bytes()?;
    let steps = Steps::new(context, input.len());
    if input.len() <= SUBTREE {
        let mut hasher = Blake3::new();
        context.for_each_chunk(&input, |chunk| {
            hasher.update(chunk);
            steps.pass(chunk.len());
        })?;
        return Ok(encoding.encode(hasher.finalize().as_bytes()));
    }
    let helped = context.with_help_if(input.len() >= 16 * SUBTREE);
    let values = helped.map_pieces(&input, SUBTREE, |index, piece| {
        let mut hasher = Blake3::new();
        hasher.set_input_offset((index * SUBTREE) as u64);
        let value = hasher.update(piece).finalize_non_root();
        steps.pass(piece.len());
        value
    })?;
    let (left, right) = values.split_at(left_of(values.len()));
    let root = merge_subtrees_root(&merge(left), &merge(right), Mode::Hash);
    Ok(encoding.encode(root.as_bytes()))
}

/// Bytes of a BLAKE3 subtree: a power of two, some tenths of a millisecond.
const SUBTREE: usize = 1 << 20;

/// How many of two or more subtrees are to the left of the root. The tree is full there.
fn left_of(subtrees: usize) -> usize {
    1 << (subtrees - 1).ilog2()
}

/// The chaining value of neighbouring subtrees, all but the last of which are full.
fn merge(values: &[ChainingValue]) -> ChainingValue {
    match values {
        [one] => *one,
        _ => {
            let (left, right) = values.split_at(left_of(values.len()));
            merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
        }
    }
}

/// The CRC-32 of zip, gzip and PNG, and of `zlib.crc32`.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `value`, the checksum so far of what came before this input, an integer from 0
///   (default) to 2³² − 1.
/// - Result: a number from 0 to 2³² − 1.
/// - Counts: `bytes`.
/// - Shared: from 64 MiB on.
/// - Source: RFC 1952 §8 (polynomial 0xEDB88320, reflected).
fn crc32(input: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    let value = params
        .read(&["value"])?
        .integer("value", 0..=u32::MAX.into())?;
    let mut hasher = Crc32::new_with_initial(value.unwrap_or(0) as u32);
    let input = input.into_bytes()?;
    let steps = Steps::new(context, input.len());
    if input.len() < 16 * CRC_PIECE {
        context.for_each_chunk(&input, |chunk| {
            hasher.update(chunk);
            steps.pass(chunk.len());
        })?;
        return Ok(Value::Number(hasher.finalize().into()));
    }
    let pieces = context.map_pieces(&input, CRC_PIECE, |_, piece| {
        let mut hasher = Crc32::new();
        hasher.update(piece);
        steps.pass(piece.len());
        hasher
    })?;
    for piece in &pieces {
        hasher.combine(piece);
    }
    Ok(Value::Number(hasher.finalize().into()))
}

/// Bytes whose checksum takes some tenths of a millisecond.
const CRC_PIECE: usize = 4 << 20;

/// XXH3, 64 bits. Fast and well spread, but not collision-resistant against an attacker.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `seed`, an integer from 0 (default) to 2⁶⁴ − 1, as a number, a BigInt or a string of
///   digits; `encoding`, one of `'bigint'` (default), `'buffer'`, `'hex'`, `'base64'`,
///   `'base64url'`.
/// - Result: a BigInt from 0 to 2⁶⁴ − 1; or its 8 bytes, most significant first (the canonical
///   form of the specification), or these as a string.
/// - Counts: `bytes`.
/// - Source: the xxHash specification, XXH3 of version 0.8.
fn xxh3(input: Value, params: Params, context: &Context<'_>) -> Result<Value<'static>, Error> {
    use std::hash::Hasher;

    let fields = params.read(&["seed", "encoding"])?;
    let seed = fields.u64("seed")?.unwrap_or(0);
    let choices = [&ENCODINGS[..], &[("bigint", None)]].concat();
    let encoding = fields.choice("encoding", &choices)?.flatten();
    let mut hasher = XxHash3_64::with_seed(seed);
    let input = input.into_bytes()?;
    let steps = Steps::new(context, input.len());
    context.for_each_chunk(&input, |chunk| {
        hasher.write(chunk);
        steps.pass(chunk.len());
    })?;
    let hash = hasher.finish();
    Ok(match encoding {
        None => Value::BigInt(hash.into()),
        Some(encoding) => encoding.encode(&hash.to_be_bytes()),
    })
}

/// The form in which a digest is given.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    Buffer,
    Hex,
    Base64,
    Base64Url,
}

const ENCODINGS: [(&str, Option<Encoding>); 4] = [
    ("buffer", Some(Encoding::Buffer)),
    ("hex", Some(Encoding::Hex)),
    ("base64", Some(Encoding::Base64)),
    ("base64url", Some(Encoding::Base64Url)),
];

fn encoding(fields: &Fields<'_>) -> Result<Option<Encoding>, Error> {
    Ok(fields.choice("encoding", &ENCODINGS)?.flatten())
}

impl Encoding {
    /// As `Buffer.prototype.toString` of Node.js: hex in lower case, base64 of RFC 4648 §4 with padding, base64url of
    /// §5 without.
    fn encode(self, digest: &[u8]) -> Value<'static> {
        match self {
            Self::Buffer => digest.to_vec().into(),
            Self::Hex => HEXLOWER.encode(digest).into(),
            Self::Base64 => BASE64.encode(digest).into(),
            Self::Base64Url => BASE64URL_NOPAD.encode(digest).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rspool_task::CHUNK;
    use rspool_task::testing::Trial;

    const NAMES: [&str; 4] = ["hash.sha256", "hash.blake3", "hash.crc32", "hash.xxh3"];

    fn run(
        task: &str,
        input: Value<'static>,
        params: serde_json::Value,
    ) -> Result<Value<'static>, Error> {
        let trial = Trial::new();
        trial.run_named(&TABLE, task, input, params.into()).result
    }

    fn hex(task: &str, input: &[u8]) -> String {
        let input = Value::Bytes(input.to_vec().into());
        match run(task, input, json!({ "encoding": "hex" })) {
            Ok(Value::String(hex)) => hex.into_string(),
            other => panic!("no string: {other:?}"),
        }
    }

    fn crc(input: &[u8], value: u32) -> Value<'static> {
        let input = Value::Bytes(input.to_vec().into());
        run("hash.crc32", input, json!({ "value": value })).unwrap()
    }

    /// More than a chunk, and not a multiple of one: the bytes 0 to 250 repeated, as in the official vectors of BLAKE3.
    fn counting(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn sha256_of_the_standards_examples() {
        // NIST, "Examples with Intermediate Values", SHA-256; the empty message from its CAVS.
        for (input, digest) in [
            (
                "",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ] {
            assert_eq!(hex("hash.sha256", input.as_bytes()), digest);
        }
        let million_a = vec![b'a'; 1_000_000];
        assert_eq!(
            hex("hash.sha256", &million_a),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }

    #[test]
    fn blake3_of_the_official_vectors() {
        for (len, digest) in [
            (
                0,
                "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            ),
            (
                1,
                "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
            ),
            (
                102_400,
                "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
            ),
        ] {
            assert_eq!(hex("hash.blake3", &counting(len)), digest, "{len}");
        }
    }

    #[test]
    fn crc32_of_the_check_value_and_in_parts() {
        assert_eq!(crc(b"", 0), Value::Number(0.0));
        assert_eq!(
            crc(b"123456789", 0),
            Value::Number(f64::from(0xcbf4_3926u32))
        );
        let Value::Number(first) = crc(b"12345", 0) else {
            panic!("no number");
        };
        assert_eq!(crc(b"6789", first as u32), crc(b"123456789", 0));
    }

    #[test]
    fn xxh3_of_the_reference() {
        // The first is in the specification's sanity checks; the empty input with seed 0.
        let empty = run("hash.xxh3", Value::Bytes(Vec::new().into()), json!(null));
        assert_eq!(empty, Ok(Value::BigInt(0x2d06_8005_38d3_94c2_u64.into())));
        assert_eq!(hex("hash.xxh3", b""), "2d06800538d394c2");
        let bytes = run(
            "hash.xxh3",
            Value::Bytes(Vec::new().into()),
            json!({ "encoding": "buffer" }),
        );
        let expected = vec![0x2d, 0x06, 0x80, 0x05, 0x38, 0xd3, 0x94, 0xc2];
        assert_eq!(bytes, Ok(Value::Bytes(expected.into())));
        let seeded = |seed: serde_json::Value| {
            run(
                "hash.xxh3",
                Value::String("abc".into()),
                json!({ "seed": seed }),
            )
            .unwrap()
        };
        assert_ne!(seeded(json!(0)), seeded(json!(1)));
        assert_eq!(seeded(json!(255)), seeded(json!("0xff")));
    }

    #[test]
    fn chunks_do_not_show() {
        let input = counting(2 * CHUNK + 77);
        let digest = Sha256::digest(&input);
        assert_eq!(hex("hash.sha256", &input), HEXLOWER.encode(&digest));
        let digest = blake3::hash(&input);
        assert_eq!(hex("hash.blake3", &input), digest.to_hex().as_str());
        let whole = XxHash3_64::oneshot(&input);
        assert_eq!(hex("hash.xxh3", &input), format!("{whole:016x}"));
        assert_eq!(
            crc(&input, 0),
            Value::Number(crc32fast::hash(&input).into())
        );
    }

    #[test]
    fn subtrees_do_not_show() {
        for len in [1, 2, 3, 5, 8, 16, 17] {
            for extra in [0, 1, 1023, 1025, SUBTREE - 1] {
                let input = counting(len * SUBTREE + extra);
                let digest = blake3::hash(&input);
                assert_eq!(
                    hex("hash.blake3", &input),
                    digest.to_hex().as_str(),
                    "{len} {extra}"
                );
            }
        }
    }

    #[test]
    fn pieces_of_a_checksum_do_not_show() {
        let input = counting(16 * CRC_PIECE + 77);
        for value in [0, 1, u32::MAX] {
            let mut whole = Crc32::new_with_initial(value);
            whole.update(&input);
            assert_eq!(crc(&input, value), Value::Number(whole.finalize().into()));
        }
    }

    #[test]
    fn encodings_are_those_of_buffer() {
        let of = |params| run("hash.sha256", Value::String("abc".into()), params).unwrap();
        let Value::Bytes(digest) = of(json!(null)) else {
            panic!("no bytes");
        };
        assert_eq!((digest.len(), digest.as_slice().unwrap()[0]), (32, 0xba));
        assert_eq!(of(json!({ "encoding": "buffer" })), Value::Bytes(digest));
        for (encoding, expected) in [
            ("base64", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
            ("base64url", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"),
        ] {
            let expected = Value::String(expected.into());
            assert_eq!(of(json!({ "encoding": encoding })), expected);
        }
    }

    #[test]
    fn wrong_calls_are_refused() {
        for name in NAMES {
            for (input, params) in [
                (Value::Number(1.0), json!(null)),
                (Value::Undefined, json!(null)),
                (
                    Value::Bytes(Vec::new().into()),
                    json!({ "encodnig": "hex" }),
                ),
                (
                    Value::Bytes(Vec::new().into()),
                    json!({ "encoding": "latin1" }),
                ),
                (Value::Bytes(Vec::new().into()), json!({ "value": -1 })),
                (Value::Bytes(Vec::new().into()), json!({ "seed": 1.5 })),
            ] {
                let error = run(name, input, params).unwrap_err();
                assert_eq!(
                    error.code(),
                    "ERR_RSPOOL_INVALID_ARGUMENT",
                    "{name}: {error}"
                );
            }
        }
    }

    #[test]
    fn all_stop_when_cancelled() {
        for name in NAMES {
            let trial = Trial::new().cancelled();
            let outcome = trial.run_named(&TABLE, name, vec![0; 10].into(), Value::Undefined);
            assert_eq!(outcome.result, Err(Error::Cancelled), "{name}");
        }
    }
}
