//! Reads images: their format, the data in their header, and their pixels.

use rspool_task::{Context, Result};

use crate::choice::Format;
use crate::params::Info;
use crate::pixels::{Orientation, Pixels};
use crate::{errors, gif, jpeg, png, webp};

/// The data in the header of an image.
#[derive(Debug)]
pub(crate) struct Header {
    /// What `image.info` gives, but for the name of the profile.
    pub(crate) info: Info,
    pub(crate) icc: Option<Vec<u8>>,
}

impl Header {
    /// Reads as much of a file as it needs. Checks only the format.
    pub(crate) fn read(bytes: &[u8], context: &Context<'_>) -> Result<Self> {
        match format(bytes) {
            Some(Format::Jpeg) => jpeg::header(bytes, context),
            Some(Format::Png) => png::header(bytes, context),
            Some(Format::Webp) => webp::header(bytes, context),
            Some(Format::Gif) => gif::header(bytes, context),
            None => Err(errors::unknown()),
        }
    }

    /// The divisor (1, 2, 4 or 8) of the size at which the image is decoded, if it may be `most` times smaller.
    pub(crate) fn shrink(&self, most: f64) -> u32 {
        let parts = match self.info.format {
            Format::Jpeg => [8, 4, 2].as_slice(),
            // Their decoders cannot do that.
            Format::Png | Format::Webp | Format::Gif => &[],
        };
        let mut fitting = parts.iter().filter(|part| f64::from(**part) <= most);
        fitting.next().copied().unwrap_or(1)
    }

    /// The pixels of an image whose size was checked. A JPEG is decoded at its size divided by `shrink` (1, 2, 4 or 8).
    pub(crate) fn decode(
        &self,
        bytes: &[u8],
        shrink: u32,
        context: &Context<'_>,
    ) -> Result<Pixels> {
        let pixels = match self.info.format {
            Format::Jpeg => jpeg::decode(bytes, self, shrink, context),
            Format::Png => png::decode(bytes, self, context),
            Format::Webp => webp::decode(bytes, self, context),
            Format::Gif => gif::decode(bytes, self, context),
        }?;
        context.check()?;
        Ok(pixels)
    }

    /// How to turn the image: first by its own orientation, if wanted, and then by `degrees`.
    pub(crate) fn turn(&self, auto_orient: bool, degrees: u16) -> Orientation {
        let mut orientation = match auto_orient {
            true => Orientation::of_exif(self.info.orientation),
            false => Orientation::UPRIGHT,
        };
        for _ in 0..degrees / 90 {
            orientation = orientation.turned();
        }
        orientation
    }
}

/// The format, from the first bytes.
fn format(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Format::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Format::Webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
        _ => None,
    }
}

/// The orientation from EXIF, or upright if that cannot be read.
pub(crate) fn orientation(exif: Option<&[u8]>) -> u8 {
    let read = |exif: &[u8]| {
        let exif = exif::Reader::new().read_raw(exif.to_vec()).ok()?;
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
        u8::try_from(field.value.get_uint(0)?).ok()
    };
    exif.and_then(read)
        .filter(|number| (1..=8).contains(number))
        .unwrap_or(1)
}
