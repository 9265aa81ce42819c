//! Every use of Node-API.
//!
//! `open` gives each environment that loads the package its own [`environment::Environment`]: a
//! mailbox, a doorbell, an outbox, and functions that are bound to them. The functions on the way
//! of a task take and give their numbers through the mailbox; the rest take arguments.

mod blob;
mod call;
#[cfg(unix)]
pub mod cluster;
mod doorbell;
mod drain;
mod environment;
mod hot;
mod mailbox;
mod member;
mod pool;
mod readings;
#[cfg(unix)]
pub mod region;
pub mod shapes;

use napi::bindgen_prelude::{Env, Function, Object, Uint8Array};
use napi::{JsValue, Result};
use napi_derive::napi;

/// The addon's version, equal to the package's.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Opens the calling environment: gives an object of functions that work with this mailbox, and
/// calls `on_ring` whenever something has come in.
#[napi]
pub fn open<'env>(
    env: &'env Env,
    mailbox: Uint8Array,
    on_ring: Function<'env, (), ()>,
) -> Result<Object<'env>> {
    let exports = Object::new(env)?;
    environment::open(env.raw(), &mailbox, on_ring.raw(), exports.raw())?;
    Ok(exports)
}
