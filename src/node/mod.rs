//! Every use of Node-API.
//!
//! `open` gives each environment that loads the package its own [`environment::Environment`]: memories, a doorbell, an
//! outbox, and functions that are bound to them. The functions that every task needs pass their numbers through the
//! memories; the others take arguments.

mod blob;
mod call;
#[cfg(unix)]
pub mod cluster;
#[cfg(unix)]
mod descriptor;
mod doorbell;
mod drain;
mod environment;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod first_bytes;
mod hot;
#[cfg(unix)]
mod limits;
#[cfg(unix)]
mod locks;
#[cfg(unix)]
mod map;
mod member;
mod memory;
mod plugins;
mod pool;
mod readings;
#[cfg(unix)]
pub mod region;
#[cfg(unix)]
mod ring;
pub mod shapes;
mod text;

use napi::bindgen_prelude::{Env, Function, Object, Uint8Array};
use napi::{Error, JsValue, Result};
use napi_derive::napi;

use memory::Memories;

/// The version of the addon, which equals that of the package.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Opens the calling environment. Returns an object with functions that work with these memories. `on_ring` is called
/// whenever something has come in. `on_turn` is called after each requested turn of the event loop, if the turn does
/// not come as a ring.
#[napi]
pub fn open<'env>(
    env: &'env Env,
    call: Uint8Array,
    scratch: Uint8Array,
    input: Uint8Array,
    notices: Uint8Array,
    on_ring: Function<'env, (), ()>,
    on_turn: Function<'env, (), ()>,
) -> Result<Object<'env>> {
    let exports = Object::new(env)?;
    // SAFETY: `lib/native/memory.js` keeps the memories for as long as the environment lives, each is a buffer of its
    // own, and it never transfers them and hands them to nobody; they are not resizable, so they stay where they are.
    let memories = unsafe { Memories::new(&call, &scratch, &input, &notices) }
        .ok_or_else(|| Error::from_reason("the memories are not those of this version"))?;
    environment::open(
        env.raw(),
        memories,
        on_ring.raw(),
        on_turn.raw(),
        exports.raw(),
    )?;
    Ok(exports)
}
