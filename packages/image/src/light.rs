//! The light that stored values stand for: sRGB stores more steps of what is dark.

use std::sync::LazyLock;

use rspool_task::{Context, Result};

use crate::pixels::{Pixels, zeros};

/// Values per chunk of work: about half a millisecond.
const PIECE: usize = 512 * 1024;
/// The most light.
const MOST: f64 = 65_535.0;

/// The light of each stored value, and the stored value of each light. Each of the 256 values comes back as it was.
static CURVE: LazyLock<([u16; 256], Vec<u8>)> = LazyLock::new(|| {
    let light = std::array::from_fn(|value| {
        let value = value as f64 / 255.0;
        let part = match value {
            ..=0.040_45 => value / 12.92,
            _ => ((value + 0.055) / 1.055).powf(2.4),
        };
        (part * MOST).round() as u16
    });
    let value = |light: u16| {
        let part = f64::from(light) / MOST;
        let value = match part {
            ..=0.003_130_8 => part * 12.92,
            _ => 1.055 * part.powf(1.0 / 2.4) - 0.055,
        };
        (value * 255.0).round() as u8
    };
    (light, (0..=u16::MAX).map(value).collect())
});

/// The light of an image in sRGB, and its alpha in as many bits.
pub(crate) fn of(pixels: &Pixels, context: &Context<'_>) -> Result<Vec<u16>> {
    let (curve, _) = &*CURVE;
    let (step, has_alpha) = (pixels.step(), pixels.has_alpha());
    let piece = PIECE / step * step;
    let mut light = zeros(pixels.data.len())?;
    context.parallel_chunks_mut(&mut light, piece, |index, light| {
        let values = &pixels.data[index * piece..];
        for (light, value) in light.iter_mut().zip(values) {
            *light = curve[usize::from(*value)];
        }
        if has_alpha {
            let alphas = light.chunks_exact_mut(step).zip(values.chunks_exact(step));
            for (light, pixel) in alphas {
                light[step - 1] = u16::from(pixel[step - 1]) * 257;
            }
        }
    })?;
    Ok(light)
}

/// Stores light as pixels.
pub(crate) fn store(light: &[u16], pixels: &mut Pixels, context: &Context<'_>) -> Result<()> {
    let (_, curve) = &*CURVE;
    let (step, has_alpha) = (pixels.step(), pixels.has_alpha());
    let piece = PIECE / step * step;
    context.parallel_chunks_mut(&mut pixels.data, piece, |index, values| {
        let light = &light[index * piece..];
        for (value, light) in values.iter_mut().zip(light) {
            *value = curve[usize::from(*light)];
        }
        if has_alpha {
            let alphas = values.chunks_exact_mut(step).zip(light.chunks_exact(step));
            for (pixel, light) in alphas {
                pixel[step - 1] = ((u32::from(light[step - 1]) + 128) / 257) as u8;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_comes_back_as_it_was() {
        for channels in 1..=4 {
            let values = (0..=255u8).flat_map(|value| vec![value; usize::from(channels)]);
            let pixels = Pixels {
                width: 256,
                height: 1,
                channels,
                data: values.collect(),
            };
            let context = Context::detached();
            let light = of(&pixels, &context).unwrap();
            let mut stored = Pixels::new(256, 1, channels).unwrap();
            store(&light, &mut stored, &context).unwrap();
            assert_eq!(stored, pixels);
        }
    }

    #[test]
    fn a_fifth_of_the_light_is_stored_as_the_middle() {
        let middle = f64::from(CURVE.0[128]) / MOST;
        assert!((middle - 0.2159).abs() < 0.001, "{middle}");
        assert_eq!((CURVE.0[0], CURVE.0[255]), (0, u16::MAX));
    }
}
