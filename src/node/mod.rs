//! Everything that touches Node-API.

use napi_derive::napi;

/// The addon's version, equal to the package's.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
