//! Hashes by which similar images are found, and placeholders.

use std::f64::consts::PI;

use data_encoding::BASE64;
use rspool_task::{BigInt, Context, Data, Error, Result};

use crate::choice::{HashKind, Kernel, PlaceholderKind};
use crate::fit::Rect;
use crate::params::{HashParams, LookParams, PlaceholderParams};
use crate::pixels::Pixels;
use crate::resize::resize;
use crate::tasks::shown;

/// Pixels along each side from which `phash` computes the frequencies.
const WIDE: usize = 32;
/// Frequencies per axis that are kept.
const KEPT: usize = 8;

/// The whole image at another size.
fn at_size(pixels: &Pixels, size: (u32, u32), context: &Context<'_>) -> Result<Pixels> {
    let part = Rect {
        left: 0.0,
        top: 0.0,
        width: pixels.width.into(),
        height: pixels.height.into(),
    };
    resize(pixels, part, size, Kernel::Linear, context)
}

pub(crate) fn hash(input: Data, params: HashParams, context: &Context<'_>) -> Result<BigInt> {
    let bytes = input.contiguous(context)?;
    let look = LookParams {
        auto_orient: params.auto_orient,
        max_pixels: params.max_pixels,
    };
    // Transparent parts count as white.
    let pixels = shown(&bytes, &look, 4 * WIDE as u32, context)?.flattened([255; 3], context)?;
    Ok(match params.kind.unwrap_or(HashKind::Phash) {
        HashKind::Phash => frequencies(&grey(at_size(
            &pixels,
            (WIDE as u32, WIDE as u32),
            context,
        )?)),
        HashKind::Dhash => slopes(&grey(at_size(&pixels, (9, 8), context)?)),
    }
    .into())
}

/// The brightness of each pixel.
fn grey(pixels: Pixels) -> Vec<f64> {
    let step = pixels.step();
    let light = |pixel: &[u8]| match *pixel {
        [red, green, blue] => {
            0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)
        }
        _ => f64::from(pixel[0]),
    };
    pixels.data.chunks_exact(step).map(light).collect()
}

/// One bit per low frequency: whether it is above the median.
fn frequencies(light: &[f64]) -> u64 {
    let mut waves = [[0.0; WIDE]; KEPT];
    for (frequency, wave) in waves.iter_mut().enumerate() {
        for (at, value) in wave.iter_mut().enumerate() {
            *value = (PI * frequency as f64 * (at as f64 + 0.5) / WIDE as f64).cos();
        }
    }
    let mut found = [0.0; KEPT * KEPT];
    for (index, value) in found.iter_mut().enumerate() {
        let (down, across) = (&waves[index / KEPT], &waves[index % KEPT]);
        *value = light
            .chunks_exact(WIDE)
            .zip(down)
            .map(|(row, weight)| weight * row.iter().zip(across).map(|(a, b)| a * b).sum::<f64>())
            .sum();
    }
    let mut sorted = found;
    sorted.sort_by(f64::total_cmp);
    let middle = f64::midpoint(sorted[31], sorted[32]);
    bits(found.iter().map(|value| *value > middle))
}

/// One bit per pixel, in rows of nine: whether the next pixel is brighter.
fn slopes(light: &[f64]) -> u64 {
    bits(
        light
            .chunks_exact(9)
            .flat_map(|row| row.windows(2).map(|pair| pair[1] > pair[0])),
    )
}

/// The bits as a number. The first bit is the highest.
fn bits(bits: impl Iterator<Item = bool>) -> u64 {
    bits.fold(0, |hash, bit| hash << 1 | u64::from(bit))
}

pub(crate) fn placeholder(
    input: Data,
    params: PlaceholderParams,
    context: &Context<'_>,
) -> Result<String> {
    for (name, count) in [
        ("componentsX", params.components_x),
        ("componentsY", params.components_y),
    ] {
        if !(1..=9).contains(&count) {
            return Err(Error::invalid(format!(
                "params.{name} must be an integer from 1 to 9, got {count}"
            )));
        }
    }
    let bytes = input.contiguous(context)?;
    let look = LookParams {
        auto_orient: params.auto_orient,
        max_pixels: params.max_pixels,
    };
    let kind = params.kind.unwrap_or(PlaceholderKind::Thumbhash);
    let most = match kind {
        PlaceholderKind::Thumbhash => 100,
        PlaceholderKind::Blurhash => 64,
    };
    let pixels = shown(&bytes, &look, most, context)?;
    let longest = pixels.width.max(pixels.height);
    let side = |side: u32| match longest > most {
        true => (u64::from(side) * u64::from(most)).div_ceil(u64::from(longest)) as u32,
        false => side,
    };
    let small = at_size(&pixels, (side(pixels.width), side(pixels.height)), context)?
        .with_channels(4, context)?;
    Ok(match kind {
        PlaceholderKind::Thumbhash => {
            let (width, height) = (small.width as usize, small.height as usize);
            BASE64.encode(&thumbhash::rgba_to_thumb_hash(width, height, &small.data))
        }
        PlaceholderKind::Blurhash => {
            let (x, y) = (params.components_x, params.components_y);
            blurhash::encode(x.into(), y.into(), small.width, small.height, &small.data)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_slopes_from_left_to_right() {
        let row = [0.0, 1.0, 2.0, 1.0, 1.0, 3.0, 2.0, 4.0, 4.0];
        assert_eq!(slopes(&row.repeat(8)), u64::from_be_bytes([0b1100_1010; 8]));
    }

    #[test]
    fn a_wave_is_its_own_frequency() {
        let wave = |at: usize| (PI * 3.0 * (at as f64 + 0.5) / WIDE as f64).cos();
        let light: Vec<f64> = (0..WIDE * WIDE).map(|at| wave(at % WIDE)).collect();
        let hash = frequencies(&light);
        // The fourth frequency of the first row. The others are about zero.
        assert_eq!(hash >> 60 & 1, 1);
    }
}
