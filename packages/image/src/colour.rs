//! Colours of the params, and colour profiles.

use moxcms::{ColorProfile, DataColorSpace, Layout, ProfileText, TransformOptions};
use rspool_task::{Context, Input, Output, Result, Value, must_be};

use crate::errors;
use crate::pixels::Pixels;

/// Red, green, blue and alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) [u8; 4]);

impl Colour {
    pub(crate) const BLACK: Self = Self([0, 0, 0, 255]);

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => Some(Self((number << 8 | 255).to_be_bytes())),
            8 => Some(Self(number.to_be_bytes())),
            _ => None,
        }
    }

    pub(crate) const fn rgb(self) -> [u8; 3] {
        let [red, green, blue, _] = self.0;
        [red, green, blue]
    }
}

impl<'a> Input<'a> for Colour {
    fn type_of() -> String {
        "`#${string}`".into()
    }

    fn from_value(value: Value<'a>, what: &str) -> Result<Self> {
        let colour = match &value {
            Value::String(text) => Self::parse(text),
            _ => None,
        };
        colour.map_or_else(|| must_be(what, "#rrggbb or #rrggbbaa", &value), Ok)
    }
}

impl Output for Colour {
    fn type_of() -> String {
        <Self as Input>::type_of()
    }

    fn into_value(self) -> Result<Value<'static>> {
        let number = u32::from_be_bytes(self.0);
        Ok(format!("#{number:08x}").into())
    }
}

/// The profile of an image, if it can be read. As in browsers, one that cannot be read counts as none.
pub(crate) fn profile(icc: Option<&[u8]>) -> Option<ColorProfile> {
    ColorProfile::new_from_slice(icc?).ok()
}

/// The name that a profile gives itself.
pub(crate) fn name(profile: &ColorProfile) -> Option<String> {
    let text = match profile.description.as_ref()? {
        ProfileText::PlainString(text) => text.clone(),
        ProfileText::Localizable(texts) => texts.first()?.value.clone(),
        ProfileText::Description(text) => text.ascii_string.clone(),
    };
    Some(text.trim_end_matches('\0').to_owned())
}

/// Converts the colours of an image to sRGB. An image without a profile is in sRGB already.
pub(crate) fn to_srgb(pixels: Pixels, icc: Option<&[u8]>, context: &Context<'_>) -> Result<Pixels> {
    let Some(profile) = profile(icc) else {
        return Ok(pixels);
    };
    let is_srgb = name(&profile).is_some_and(|name| name.starts_with("sRGB"));
    let (from, to) = match (profile.color_space, pixels.channels) {
        (DataColorSpace::Rgb, 3) if !is_srgb => (Layout::Rgb, 3),
        (DataColorSpace::Rgb, 4) if !is_srgb => (Layout::Rgba, 4),
        (DataColorSpace::Gray, 1) => (Layout::Gray, 3),
        (DataColorSpace::Gray, 2) => (Layout::GrayAlpha, 4),
        _ => return Ok(pixels),
    };
    let channels = pixels.channels;
    transformed(&pixels, &profile, from, to, context)?.with_channels(channels, context)
}

/// Converts ink to sRGB: by its profile, or by how much of white light it leaves.
pub(crate) fn ink_to_srgb(
    inks: &Pixels,
    icc: Option<&[u8]>,
    context: &Context<'_>,
) -> Result<Pixels> {
    if let Some(profile) = profile(icc).filter(|it| it.color_space == DataColorSpace::Cmyk) {
        // The library has no separate layout for four inks.
        return transformed(inks, &profile, Layout::Rgba, 3, context);
    }
    let mut pixels = Pixels::new(inks.width, inks.height, 3)?;
    let (from, to) = (inks.stride(), pixels.stride());
    for (inks, row) in inks
        .data
        .chunks_exact(from)
        .zip(pixels.data.chunks_exact_mut(to))
    {
        context.check()?;
        for (inks, pixel) in inks.chunks_exact(4).zip(row.chunks_exact_mut(3)) {
            let white = u16::from(255 - inks[3]);
            for (channel, ink) in pixel.iter_mut().zip(inks) {
                #[expect(clippy::cast_possible_truncation, reason = "a part of a byte is one")]
                let byte = ((u16::from(255 - ink) * white + 127) / 255) as u8;
                *channel = byte;
            }
        }
    }
    Ok(pixels)
}

fn transformed(
    pixels: &Pixels,
    profile: &ColorProfile,
    from: Layout,
    channels: u8,
    context: &Context<'_>,
) -> Result<Pixels> {
    let to = if channels == 4 {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let srgb = ColorProfile::new_srgb();
    let transform = profile
        .create_transform_8bit(from, &srgb, to, TransformOptions::default())
        .map_err(|error| errors::unsupported(format!("its colour profile: {error}")))?;
    let mut result = Pixels::new(pixels.width, pixels.height, channels)?;
    let (from, to) = (pixels.stride(), result.stride());
    for (from, to) in pixels
        .data
        .chunks_exact(from)
        .zip(result.data.chunks_exact_mut(to))
    {
        context.check()?;
        transform.transform(from, to).map_err(errors::damaged)?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_or_eight_digits() {
        assert_eq!(Colour::parse("#ff8000"), Some(Colour([255, 128, 0, 255])));
        assert_eq!(Colour::parse("#FF800010"), Some(Colour([255, 128, 0, 16])));
        for wrong in ["", "#", "ff8000", "#ff80", "#+f8000", "#ff80000", "#gg8000"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ink_takes_from_white() {
        let inks = |data: [u8; 8]| Pixels {
            width: 2,
            height: 1,
            channels: 4,
            data: data.into(),
        };
        let context = Context::detached();
        let pixels = ink_to_srgb(&inks([0, 0, 0, 0, 255, 0, 0, 128]), None, &context).unwrap();
        assert_eq!(pixels.data, [255, 255, 255, 0, 127, 127]);
    }
}
