//! Write tasks for rspool: plain Rust functions that run on the threads of a pool, in a Node.js app that needs no
//! compiler to use them.
//!
//! A task is a function `fn(Input, Params, &Context) -> Result<Output>`. Inputs and outputs are bytes, strings,
//! numbers, typed arrays, and tuples and [records](record!) of these. [`plugin!`] makes a plugin from such functions;
//! [`testing`] runs them in plain `cargo test`. This crate knows nothing of Node.js and has no dependencies. With the
//! feature `serde`, [`Json`] can be an input, params and an output too. With the feature `rayon`, `Context::with_rayon`
//! runs crates that insist on rayon.

pub mod abi;
mod array;
mod bytes;
mod context;
mod data;
mod emit;
mod error;
mod input;
#[cfg(feature = "serde")]
mod json;
mod map;
mod output;
pub mod panics;
mod parallel;
mod params;
mod plugin;
mod raw;
pub mod record;
mod reply;
#[doc(hidden)]
pub mod shim;
#[doc(hidden)]
pub mod state;
pub mod testing;
mod value;
#[cfg(feature = "rayon")]
mod with_rayon;

pub use array::{Array, ArrayKind, Element, TypedArray};
pub use bytes::{Bytes, Text};
pub use context::{BYTES, CHUNK, Context, DONE, ROWS, Watcher};
pub use data::{Data, Pieces, Shared, room_for};
pub use error::{
    CORRUPT_INPUT, Error, INVALID_ARGUMENT, NOT_A_STREAM, OUT_OF_MEMORY, OUTPUT_TOO_LARGE,
    PANICKED, Result, TASK_FAILED, UNSUPPORTED,
};
pub use input::{Input, TaskParams, must_be};
#[cfg(feature = "serde")]
pub use json::{Json, to_json};
pub use map::Map;
pub use output::Output;
pub use parallel::ChunkResult;
#[doc(hidden)]
pub use params::nearest;
pub use params::{Fields, Params};
pub use raw::{MAX_DEPTH, Malformed};
pub use value::{BigInt, MAX_SAFE_INTEGER, Record, Value};
