//! Reads JPEG.

use jpeg_decoder::{CodingProcess, Decoder, Error as JpegError, PixelFormat};
use rspool_task::{Context, Error, Result, panics};

use crate::choice::Format;
use crate::decode::{Header, orientation};
use crate::params::Info;
use crate::pixels::Pixels;
use crate::watched::{Source, failure};
use crate::worker::Worker;
use crate::{colour, errors};

/// The most scans of one image. A few bytes can be a scan of the whole image; cameras and encoders write about ten.
const MAX_SCANS: usize = 100;

fn wrong(context: &Context<'_>, error: &JpegError) -> Error {
    match error {
        JpegError::Unsupported(what) if !context.is_cancelled() => {
            errors::unsupported(format!("a JPEG with {what:?}"))
        }
        _ => failure(context, error),
    }
}

pub(crate) fn header(bytes: &[u8], context: &Context<'_>) -> Result<Header> {
    let mut decoder = Decoder::new(Source::new(bytes, context, 0.0));
    decoder
        .read_info()
        .map_err(|error| wrong(context, &error))?;
    let Some(info) = decoder.info() else {
        return Err(errors::damaged("it has no header"));
    };
    let (channels, depth) = match info.pixel_format {
        PixelFormat::L8 => (1, 8),
        PixelFormat::L16 => (1, 16),
        PixelFormat::RGB24 => (3, 8),
        PixelFormat::CMYK32 => (4, 8),
    };
    Ok(Header {
        info: Info {
            format: Format::Jpeg,
            width: info.width.into(),
            height: info.height.into(),
            channels,
            depth,
            has_alpha: false,
            orientation: orientation(decoder.exif_data()),
            animated: false,
            progressive: info.coding_process == CodingProcess::DctProgressive,
            profile: None,
        },
        icc: decoder.icc_profile(),
    })
}

pub(crate) fn decode(
    bytes: &[u8],
    header: &Header,
    shrink: u32,
    context: &Context<'_>,
) -> Result<Pixels> {
    // In other JPEGs, each scan has bits for each block.
    let scans = bytes.windows(2).filter(|marker| *marker == [0xFF, 0xDA]);
    if header.info.progressive && scans.take(MAX_SCANS + 1).count() > MAX_SCANS {
        return Err(errors::unsupported(format!(
            "a JPEG of more than {MAX_SCANS} scans"
        )));
    }
    let pool = context.state::<Worker>().pool()?;
    // The library's work goes to this one thread, and the task's thread waits for it: only one of the two runs.
    let (pixels, format) =
        pool.install(|| panics::contained(|| pixels(bytes, header, shrink, context)))?;
    match format {
        PixelFormat::CMYK32 => colour::ink_to_srgb(&pixels, header.icc.as_deref(), context),
        _ => Ok(pixels),
    }
}

fn pixels(
    bytes: &[u8],
    header: &Header,
    shrink: u32,
    context: &Context<'_>,
) -> Result<(Pixels, PixelFormat)> {
    let wrong = |error: JpegError| wrong(context, &error);
    let mut decoder = Decoder::new(Source::new(bytes, context, 0.8));
    let part = |side: u32| u16::try_from(side.div_ceil(shrink)).unwrap_or(u16::MAX);
    let (width, height) = decoder
        .scale(part(header.info.width), part(header.info.height))
        .map_err(wrong)?;
    let mut data = decoder.decode().map_err(wrong)?;
    let Some(info) = decoder.info() else {
        return Err(errors::damaged("it has no header"));
    };
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::L16 => {
            data = data
                .chunks_exact(2)
                .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]).to_be_bytes()[0])
                .collect();
            1
        }
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
    };
    let pixels = Pixels {
        width: width.into(),
        height: height.into(),
        channels,
        data,
    };
    if pixels.data.len() != pixels.stride() * pixels.height as usize {
        return Err(errors::damaged("it has too few pixels"));
    }
    Ok((pixels, info.pixel_format))
}
