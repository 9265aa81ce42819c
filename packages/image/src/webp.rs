//! Reads WebP, lossy and lossless.

use image_webp::WebPDecoder;
use rspool_task::{Context, Result};

use crate::choice::Format;
use crate::decode::{Header, orientation};
use crate::errors;
use crate::params::Info;
use crate::pixels::Pixels;
use crate::watched::{Source, failure};

/// The most bytes that the library may allocate: for profiles, EXIF.
const LIMIT: usize = 64 << 20;

fn open<'a>(
    bytes: &'a [u8],
    context: &'a Context<'a>,
    share: f64,
) -> Result<WebPDecoder<Source<'a>>> {
    let mut decoder = WebPDecoder::new(Source::new(bytes, context, share))
        .map_err(|error| failure(context, &error))?;
    decoder.set_memory_limit(LIMIT);
    Ok(decoder)
}

pub(crate) fn header(bytes: &[u8], context: &Context<'_>) -> Result<Header> {
    let mut decoder = open(bytes, context, 0.0)?;
    let (width, height) = decoder.dimensions();
    // A damaged profile or EXIF counts as none.
    let exif = decoder.exif_metadata().ok().flatten();
    let icc = decoder.icc_profile().ok().flatten();
    Ok(Header {
        info: Info {
            format: Format::Webp,
            width,
            height,
            channels: if decoder.has_alpha() { 4 } else { 3 },
            depth: 8,
            has_alpha: decoder.has_alpha(),
            orientation: orientation(exif.as_deref()),
            animated: decoder.is_animated(),
            progressive: false,
            profile: None,
        },
        icc,
    })
}

pub(crate) fn decode(bytes: &[u8], header: &Header, context: &Context<'_>) -> Result<Pixels> {
    let mut decoder = open(bytes, context, 0.8)?;
    let mut pixels = Pixels::new(header.info.width, header.info.height, header.info.channels)?;
    if decoder.output_buffer_size() != Some(pixels.data.len()) {
        return Err(errors::damaged("its parts are of different sizes"));
    }
    decoder
        .read_image(&mut pixels.data)
        .map_err(|error| failure(context, &error))?;
    Ok(pixels)
}
