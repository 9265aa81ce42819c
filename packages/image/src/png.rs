//! Reads PNG.

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};
use rspool_task::{Context, Error, Result};

use crate::choice::Format;
use crate::decode::{Header, orientation};
use crate::errors;
use crate::params::Info;
use crate::pixels::Pixels;
use crate::watched::{Source, failure};

/// The most bytes that the library may allocate: for rows, palettes, profiles.
const LIMITS: Limits = Limits { bytes: 64 << 20 };

fn wrong(context: &Context<'_>, error: &DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded if !context.is_cancelled() => {
            errors::unsupported("a PNG with a part of more than 64 MiB")
        }
        _ => failure(context, error),
    }
}

fn open<'a>(bytes: &'a [u8], context: &'a Context<'a>, share: f64) -> Result<Reader<Source<'a>>> {
    let mut decoder = Decoder::new_with_limits(Source::new(bytes, context, share), LIMITS);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.read_info().map_err(|error| wrong(context, &error))
}

pub(crate) fn header(bytes: &[u8], context: &Context<'_>) -> Result<Header> {
    let reader = open(bytes, context, 0.0)?;
    let info = reader.info();
    let channels = match info.color_type {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb | ColorType::Indexed => 3,
        ColorType::Rgba => 4,
    };
    // A transparent colour, or a palette with transparent colours.
    let keyed = u8::from(info.trns.is_some() && channels % 2 == 1);
    Ok(Header {
        info: Info {
            format: Format::Png,
            width: info.width,
            height: info.height,
            channels: channels + keyed,
            depth: match info.bit_depth {
                _ if info.color_type == ColorType::Indexed => 8,
                BitDepth::One => 1,
                BitDepth::Two => 2,
                BitDepth::Four => 4,
                BitDepth::Eight => 8,
                BitDepth::Sixteen => 16,
            },
            has_alpha: (channels + keyed) % 2 == 0,
            orientation: orientation(info.exif_metadata.as_deref()),
            animated: info.animation_control.is_some(),
            progressive: info.interlaced,
            profile: None,
        },
        icc: info.icc_profile.as_deref().map(<[u8]>::to_vec),
    })
}

pub(crate) fn decode(bytes: &[u8], header: &Header, context: &Context<'_>) -> Result<Pixels> {
    let mut reader = open(bytes, context, 0.8)?;
    let (color, _) = reader.output_color_type();
    let channels = match color {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err(errors::damaged("it has no palette")),
    };
    let mut pixels = Pixels::new(header.info.width, header.info.height, channels)?;
    reader
        .next_frame(&mut pixels.data)
        .map_err(|error| wrong(context, &error))?;
    Ok(pixels)
}
