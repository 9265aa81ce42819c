//! `hash.*`: digests and checksums of bytes.

use blake3::Hasher as Blake3;
use crc32fast::Hasher as Crc32;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use crate::native::{
    context::TaskContext,
    error::TaskError,
    params::{Fields, Params},
    registry::NativeTask,
    value::Value,
};

/// The tasks of this family.
pub(super) const TASKS: &[NativeTask] = &[
    NativeTask {
        name: "hash.sha256",
        run: sha256,
    },
    NativeTask {
        name: "hash.blake3",
        run: blake3,
    },
    NativeTask {
        name: "hash.crc32",
        run: crc32,
    },
    NativeTask {
        name: "hash.xxh3",
        run: xxh3,
    },
];

/// SHA-256.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `encoding`, one of `'buffer'` (default), `'hex'`, `'base64'`, `'base64url'`.
/// - Result: 32 bytes, or a string in that encoding.
/// - Counts: `bytes`.
/// - Source: FIPS 180-4. Uses the processor's SHA instructions where it has them.
fn sha256(input: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    let encoding = encoding(&params.read(&["encoding"])?)?.unwrap_or(Encoding::Buffer);
    let mut hasher = Sha256::new();
    context.for_each_chunk(&input.into_bytes()?, |chunk| hasher.update(chunk))?;
    Ok(encoding.encode(&hasher.finalize()))
}

/// BLAKE3, with no key.
///
/// - Input, params and counts: as `hash.sha256`.
/// - Result: 32 bytes, or a string in that encoding.
/// - Source: the BLAKE3 specification of 2020. One core is used, with its vector instructions.
fn blake3(input: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    let encoding = encoding(&params.read(&["encoding"])?)?.unwrap_or(Encoding::Buffer);
    let mut hasher = Blake3::new();
    context.for_each_chunk(&input.into_bytes()?, |chunk| {
        hasher.update(chunk);
    })?;
    Ok(encoding.encode(hasher.finalize().as_bytes()))
}

/// The CRC-32 of zip, gzip and PNG, and of `zlib.crc32`.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `value`, the checksum so far of what came before this input, an integer from 0
///   (default) to 2³² − 1.
/// - Result: a number from 0 to 2³² − 1.
/// - Counts: `bytes`.
/// - Source: RFC 1952 §8 (polynomial 0xEDB88320, reflected).
fn crc32(input: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    let value = params
        .read(&["value"])?
        .integer("value", 0..=u32::MAX.into())?;
    let mut hasher = Crc32::new_with_initial(value.unwrap_or(0) as u32);
    context.for_each_chunk(&input.into_bytes()?, |chunk| hasher.update(chunk))?;
    Ok(Value::Number(hasher.finalize().into()))
}

/// XXH3, 64 bits. Fast and well spread, but no protection against somebody who wants collisions.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `seed`, an integer from 0 (default) to 2⁶⁴ − 1, as a number, a BigInt or a string of
///   digits; `encoding`, one of `'bigint'` (default), `'buffer'`, `'hex'`, `'base64'`,
///   `'base64url'`.
/// - Result: a BigInt from 0 to 2⁶⁴ − 1; or its 8 bytes, most significant first (the canonical
///   form of the specification), or these as a string.
/// - Counts: `bytes`.
/// - Source: the xxHash specification, XXH3 of version 0.8.
fn xxh3(input: Value, params: &Params, context: &TaskContext<'_>) -> Result<Value, TaskError> {
    use std::hash::Hasher;

    let fields = params.read(&["seed", "encoding"])?;
    let seed = fields.u64("seed")?.unwrap_or(0);
    let choices = [&ENCODINGS[..], &[("bigint", None)]].concat();
    let encoding = fields.choice("encoding", &choices)?.flatten();
    let mut hasher = XxHash3_64::with_seed(seed);
    context.for_each_chunk(&input.into_bytes()?, |chunk| hasher.write(chunk))?;
    let hash = hasher.finish();
    Ok(match encoding {
        None => Value::BigInt(hash.into()),
        Some(encoding) => encoding.encode(&hash.to_be_bytes()),
    })
}

/// How a digest is given.
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

fn encoding(fields: &Fields<'_>) -> Result<Option<Encoding>, TaskError> {
    Ok(fields.choice("encoding", &ENCODINGS)?.flatten())
}

impl Encoding {
    /// As `Buffer.prototype.toString` of Node.js: hex in lower case, base64 of RFC 4648 §4 with
    /// padding, base64url of §5 without.
    fn encode(self, digest: &[u8]) -> Value {
        match self {
            Self::Buffer => Value::Bytes(digest.to_vec()),
            Self::Hex => Value::String(HEXLOWER.encode(digest)),
            Self::Base64 => Value::String(BASE64.encode(digest)),
            Self::Base64Url => Value::String(BASE64URL_NOPAD.encode(digest)),
        }
    }
}
