//! The errors of the tasks.

use std::fmt::Display;

use rspool_task::{CORRUPT_INPUT, Error};

/// The input is no image of a known format.
pub(crate) fn unknown() -> Error {
    Error::failed(
        "ERR_IMAGE_FORMAT",
        "the input is no image of a known format: JPEG, PNG, WebP and GIF are",
    )
}

/// The image uses a feature that the codec does not have.
pub(crate) fn unsupported(what: impl Display) -> Error {
    Error::failed("ERR_IMAGE_UNSUPPORTED", what.to_string())
}

/// The image is larger than the call allows.
pub(crate) fn too_large(width: u32, height: u32, max: u64) -> Error {
    Error::failed(
        "ERR_IMAGE_TOO_LARGE",
        format!("{width} × {height} pixels are more than maxPixels, {max}"),
    )
}

/// The image is damaged or cut short.
pub(crate) fn damaged(why: impl Display) -> Error {
    Error::failed(CORRUPT_INPUT, format!("the image is damaged: {why}"))
}

/// The most pixels of an image, unless a call says otherwise. sharp has the same limit.
const MAX_PIXELS: u64 = 0x3FFF * 0x3FFF;

/// Refuses more pixels than are allowed.
pub(crate) fn check_pixels(width: u32, height: u32, max: Option<u64>) -> Result<(), Error> {
    let max = max.unwrap_or(MAX_PIXELS);
    if width == 0 || height == 0 {
        return Err(damaged("it has no pixels"));
    }
    match u64::from(width) * u64::from(height) > max {
        true => Err(too_large(width, height, max)),
        false => Ok(()),
    }
}
