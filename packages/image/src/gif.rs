//! Reads the first frame of a GIF.

use gif::{ColorOutput, DecodeOptions, Decoder, MemoryLimit};
use rspool_task::{Context, Result};

use crate::choice::Format;
use crate::decode::Header;
use crate::errors;
use crate::params::Info;
use crate::pixels::Pixels;
use crate::watched::{Source, failure};

fn open<'a>(
    bytes: &'a [u8],
    context: &'a Context<'a>,
    share: f64,
    header_only: bool,
) -> Result<Decoder<Source<'a>>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // The size that the file claims is checked where the pixels are read.
    options.set_memory_limit(MemoryLimit::Unlimited);
    options.skip_frame_decoding(header_only);
    options
        .read_info(Source::new(bytes, context, share))
        .map_err(|error| failure(context, &error))
}

pub(crate) fn header(bytes: &[u8], context: &Context<'_>) -> Result<Header> {
    let mut decoder = open(bytes, context, 0.0, true)?;
    let (width, height) = (decoder.width().into(), decoder.height().into());
    let icc = decoder.icc_profile().map(<[u8]>::to_vec);
    let mut frames = 0;
    // A file that is cut short after its first frame counts as one with one frame.
    while frames < 2 && matches!(decoder.next_frame_info(), Ok(Some(_))) {
        frames += 1;
    }
    context.check()?;
    Ok(Header {
        info: Info {
            format: Format::Gif,
            width,
            height,
            channels: 4,
            depth: 8,
            has_alpha: true,
            orientation: 1,
            animated: frames > 1,
            progressive: false,
            profile: None,
        },
        icc,
    })
}

pub(crate) fn decode(bytes: &[u8], header: &Header, context: &Context<'_>) -> Result<Pixels> {
    let mut decoder = open(bytes, context, 0.8, false)?;
    let wrong = |error| failure(context, &error);
    let Some(frame) = decoder.next_frame_info().map_err(wrong)? else {
        return Err(errors::damaged("it has no frame"));
    };
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (width, height) = (frame.width, frame.height);
    let mut pixels = Pixels::new(header.info.width, header.info.height, 4)?;
    if left + usize::from(width) > header.info.width as usize
        || top + usize::from(height) > header.info.height as usize
    {
        return Err(errors::damaged("its frame is larger than it"));
    }
    let mut part = Pixels::new(width.into(), height.into(), 4)?;
    decoder.read_into_buffer(&mut part.data).map_err(wrong)?;
    let stride = pixels.stride();
    for (row, y) in part.data.chunks_exact(part.stride().max(1)).zip(top..) {
        let at = y * stride + left * 4;
        pixels.data[at..at + row.len()].copy_from_slice(row);
    }
    Ok(pixels)
}
