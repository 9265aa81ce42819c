//! Resizes images.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use rspool_task::{Context, Error, Result};

use crate::choice::Kernel;
use crate::fit::Rect;
use crate::pixels::Pixels;

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
    (width, height): (u32, u32),
    kernel: Kernel,
    context: &Context<'_>,
) -> Result<Pixels> {
    let kind = match pixels.channels {
        1 => PixelType::U8,
        2 => PixelType::U8x2,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let wrong =
        |error: &dyn std::fmt::Display| Error::new(format!("it could not be resized: {error}"));
    let source = ImageRef::new(pixels.width, pixels.height, &pixels.data, kind)
        .map_err(|error| wrong(&error))?;
    let mut result = Pixels::new(width, height, pixels.channels)?;
    let stride = result.stride();
    let rows = rows_of_a_piece(part, height);
    context.parallel_chunks_mut(&mut result.data, rows * stride, |index, piece| {
        #[expect(clippy::cast_possible_truncation, reason = "as many as the image has")]
        let (first, count) = ((index * rows) as u32, (piece.len() / stride) as u32);
        // If the kernel wants them, rows around the part are read too, so that no seam is visible.
        let per_row = part.height / f64::from(height);
        let top = part.top + per_row * f64::from(first);
        let tall = (per_row * f64::from(count)).min(f64::from(pixels.height) - top);
        let options = ResizeOptions::new()
            .resize_alg(algorithm(kernel))
            .crop(part.left, top, part.width, tall);
        let mut target =
            Image::from_slice_u8(width, count, piece, kind).map_err(|error| wrong(&error))?;
        Resizer::new()
            .resize(&source, &mut target, &options)
            .map_err(|error| wrong(&error))
    })?;
    Ok(result)
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
