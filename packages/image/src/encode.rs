//! Writes images.

use std::io::Write;

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType as JpegColor, Encoder as JpegEncoder};
use png::{BitDepth, ColorType as PngColor, Compression as PngCompression, Encoder as PngEncoder};
use rspool_task::{Context, Error, Result};

use crate::choice::{Compression, Format, Target};
use crate::colour::Colour;
use crate::params::{OutputParams, Picture};
use crate::pixels::Pixels;
use crate::watched::{Sink, failure, given_up};

/// The bytes of a part of a PNG.
const PART: usize = 64 * 1024;

/// The format in which an image is written, if the params do not name one.
pub(crate) fn target(params: &OutputParams, from: Format) -> Target {
    params.format.unwrap_or(match from {
        Format::Jpeg => Target::Jpeg,
        Format::Png | Format::Gif => Target::Png,
        Format::Webp => Target::Webp,
    })
}

/// Refuses an image that the format cannot hold, before anything is decoded.
pub(crate) fn check(
    params: &OutputParams,
    target: Target,
    (width, height): (u32, u32),
) -> Result<()> {
    if let Some(quality) = params.quality.filter(|it| !(1..=100).contains(it)) {
        return Err(Error::invalid(format!(
            "params.quality must be an integer from 1 to 100, got {quality}"
        )));
    }
    let most = match target {
        Target::Jpeg => 65_535,
        Target::Webp => 16_383,
        Target::Png | Target::Raw => return Ok(()),
    };
    match width.max(height) > most {
        true => Err(Error::invalid(format!(
            "a {} has at most {most} pixels along each side, and this one would have {width} × {height}",
            target.as_str()
        ))),
        false => Ok(()),
    }
}

pub(crate) fn encode(
    pixels: Pixels,
    target: Target,
    params: &OutputParams,
    context: &Context<'_>,
) -> Result<Picture<'static>> {
    context.check()?;
    let pixels = match target {
        Target::Jpeg => {
            pixels.flattened(params.background.unwrap_or(Colour::BLACK).rgb(), context)?
        }
        _ => pixels,
    };
    let (width, height, channels) = (pixels.width, pixels.height, pixels.channels);
    let data = match target {
        Target::Jpeg => jpeg(&pixels, params, context)?,
        Target::Png => png(&pixels, params, context)?,
        Target::Webp => webp(&pixels, context)?,
        Target::Raw => pixels.data,
    };
    Ok(Picture {
        data: data.into(),
        width,
        height,
        channels,
        format: target,
    })
}

fn jpeg(pixels: &Pixels, params: &OutputParams, context: &Context<'_>) -> Result<Vec<u8>> {
    let color = match pixels.channels {
        1 => JpegColor::Luma,
        _ => JpegColor::Rgb,
    };
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let mut sink = Sink::new(context);
    let mut encoder = JpegEncoder::new(&mut sink, params.quality.unwrap_or(80));
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_progressive(params.progressive.unwrap_or(false));
    encoder
        .encode(&pixels.data, side(pixels.width), side(pixels.height), color)
        .map_err(|error| failure(context, &error))?;
    Ok(sink.into_bytes())
}

fn png(pixels: &Pixels, params: &OutputParams, context: &Context<'_>) -> Result<Vec<u8>> {
    let mut sink = Sink::new(context);
    let mut encoder = PngEncoder::new(&mut sink, pixels.width, pixels.height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_color(match pixels.channels {
        1 => PngColor::Grayscale,
        2 => PngColor::GrayscaleAlpha,
        3 => PngColor::Rgb,
        _ => PngColor::Rgba,
    });
    encoder.set_compression(match params.compression.unwrap_or(Compression::Balanced) {
        Compression::Fast => PngCompression::Fast,
        Compression::Balanced => PngCompression::Balanced,
        Compression::High => PngCompression::High,
    });
    encoder
        .write_header()
        .and_then(|mut writer| {
            // Row by row, since the library makes nothing known while it compresses all of them.
            let mut rows = writer.stream_writer_with_size(PART)?;
            for row in pixels.data.chunks_exact(pixels.stride()) {
                given_up(context)?;
                rows.write_all(row)?;
            }
            rows.finish()?;
            writer.finish()
        })
        .map_err(|error| failure(context, &error))?;
    Ok(sink.into_bytes())
}

fn webp(pixels: &Pixels, context: &Context<'_>) -> Result<Vec<u8>> {
    let color = match pixels.channels {
        1 => image_webp::ColorType::L8,
        2 => image_webp::ColorType::La8,
        3 => image_webp::ColorType::Rgb8,
        _ => image_webp::ColorType::Rgba8,
    };
    let mut sink = Sink::new(context);
    image_webp::WebPEncoder::new(&mut sink)
        .encode(&pixels.data, pixels.width, pixels.height, color)
        .map_err(|error| failure(context, &error))?;
    Ok(sink.into_bytes())
}
