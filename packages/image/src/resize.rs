//! Resizes images.

use bytemuck::{cast_slice, cast_slice_mut};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use rspool_task::{Context, Error, Result};

use crate::choice::Kernel;
use crate::fit::Rect;
use crate::light;
use crate::pixels::{Pixels, zeros};

/// Pixels of the input for one chunk of work: about a millisecond.
const PIECE: f64 = 500_000.0;

fn algorithm(kernel: Kernel) -> ResizeAlg {
    ResizeAlg::Convolution(match kernel {
        Kernel::Nearest => return ResizeAlg::Nearest,
        Kernel::Linear => FilterType::Bilinear,
        Kernel::Cubic => FilterType::CatmullRom,
        Kernel::Mitchell => FilterType::Mitchell,
        Kernel::Lanczos3 => FilterType::Lanczos3,
    })
}

/// A part of an image at another size. The colours are weighted by alpha.
pub(crate) fn resize(
    pixels: &Pixels,
    part: Rect,
    size: (u32, u32),
    kernel: Kernel,
    context: &Context<'_>,
) -> Result<Pixels> {
    let mut result = Pixels::new(size.0, size.1, pixels.channels)?;
    let kind = match pixels.channels {
        1 => PixelType::U8,
        2 => PixelType::U8x2,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let source = (pixels.width, pixels.height, &pixels.data[..]);
    convolve(source, part, size, &mut result.data, kind, kernel, context)?;
    Ok(result)
}

/// As [`resize`], but the light is averaged that the stored values stand for.
pub(crate) fn resize_light(
    pixels: &Pixels,
    part: Rect,
    size: (u32, u32),
    kernel: Kernel,
    context: &Context<'_>,
) -> Result<Pixels> {
    let mut result = Pixels::new(size.0, size.1, pixels.channels)?;
    let kind = match pixels.channels {
        1 => PixelType::U16,
        2 => PixelType::U16x2,
        3 => PixelType::U16x3,
        _ => PixelType::U16x4,
    };
    let light = light::of(pixels, context)?;
    let mut resized = zeros(result.data.len())?;
    let source = (pixels.width, pixels.height, cast_slice(&light));
    let target = cast_slice_mut(&mut resized);
    convolve(source, part, size, target, kind, kernel, context)?;
    light::store(&resized, &mut result, context)?;
    Ok(result)
}

/// Writes a part of the source, which is a width, a height and the bytes of pixels, as `size` pixels of the same kind.
fn convolve(
    (full_width, full_height, source): (u32, u32, &[u8]),
    part: Rect,
    (width, height): (u32, u32),
    target: &mut [u8],
    kind: PixelType,
    kernel: Kernel,
    context: &Context<'_>,
) -> Result<()> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::new(format!("it could not be resized: {error}"));
    let source =
        ImageRef::new(full_width, full_height, source, kind).map_err(|error| wrong(&error))?;
    let stride = width as usize * kind.size();
    let rows = rows_of_a_piece(part, height);
    context.parallel_chunks_mut(target, rows * stride, |index, piece| {
        #[expect(clippy::cast_possible_truncation, reason = "as many as the image has")]
        let (first, count) = ((index * rows) as u32, (piece.len() / stride) as u32);
        // If the kernel wants them, rows around the part are read too, so that no seam is visible.
        let per_row = part.height / f64::from(height);
        let top = part.top + per_row * f64::from(first);
        let tall = (per_row * f64::from(count)).min(f64::from(full_height) - top);
        let options = ResizeOptions::new()
            .resize_alg(algorithm(kernel))
            .crop(part.left, top, part.width, tall);
        let mut target =
            Image::from_slice_u8(width, count, piece, kind).map_err(|error| wrong(&error))?;
        Resizer::new()
            .resize(&source, &mut target, &options)
            .map_err(|error| wrong(&error))
    })
}

/// Rows of the result per piece. A piece should be short, but two pieces should read few rows twice.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates"
)]
fn rows_of_a_piece(part: Rect, height: u32) -> usize {
    let pieces = (part.width * part.height / PIECE).max(1.0);
    ((f64::from(height) / pieces) as usize).max(16)
}
