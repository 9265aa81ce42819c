//! Files for tests.

use jpeg_encoder::{ColorType, Encoder};

use crate::pixels::Pixels;

/// Waves of colour, like the light and dark of a photograph, and a little noise.
pub(super) fn photo(width: u32, height: u32) -> Pixels {
    let mut pixels = Pixels::new(width, height, 3).unwrap();
    let mut noise = 12_345_u32;
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (f64::from(x), f64::from(y));
            for (channel, phase) in [0.0, 2.0, 4.0].into_iter().enumerate() {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let waves = (fx / 37.0 + phase).sin() * 50.0 + (fy / 23.0 + phase).cos() * 40.0;
                let value = 128.0 + waves + f64::from(noise >> 29);
                let index = (y * width + x) as usize * 3 + channel;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it saturates"
                )]
                let byte = value as u8;
                pixels.data[index] = byte;
            }
        }
    }
    pixels
}

/// Light and dark of all sizes: random numbers at the corners of cells, interpolated within.
pub(super) fn clouds(width: u32, height: u32) -> Pixels {
    let mut pixels = Pixels::new(width, height, 3).unwrap();
    // A random number for each corner, which is always the same.
    let corner = |x: u32, y: u32, cell: u32| {
        let mixed = (x * 73 + y * 179 + cell * 283).wrapping_mul(2_654_435_761);
        f64::from(mixed >> 16 & 0xFF)
    };
    for y in 0..height {
        for x in 0..width {
            let mut value = 0.0;
            for (cell, weight) in [(160, 0.5), (80, 0.3), (40, 0.2)] {
                let (left, top) = (x / cell, y / cell);
                let across = f64::from(x % cell) / f64::from(cell);
                let down = f64::from(y % cell) / f64::from(cell);
                let row =
                    |y| corner(left, y, cell) * (1.0 - across) + corner(left + 1, y, cell) * across;
                value += weight * (row(top) * (1.0 - down) + row(top + 1) * down);
            }
            let at = (y * width + x) as usize * 3;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it saturates"
            )]
            pixels.data[at..at + 3].fill(value as u8);
        }
    }
    pixels
}

/// A wide image with red, green, blue and white quarters, clockwise from the upper left one.
pub(super) fn quarters() -> Pixels {
    let mut pixels = Pixels::new(96, 64, 3).unwrap();
    for y in 0..64_usize {
        for x in 0..96_usize {
            let colour = match (x < 48, y < 32) {
                (true, true) => [255, 0, 0],
                (false, true) => [0, 255, 0],
                (false, false) => [0, 0, 255],
                (true, false) => [255, 255, 255],
            };
            let at = (y * 96 + x) * 3;
            pixels.data[at..at + 3].copy_from_slice(&colour);
        }
    }
    pixels
}

/// A JPEG, with the settings that `more` makes in its encoder.
pub(super) fn jpeg(
    pixels: &Pixels,
    quality: u8,
    more: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let color = match pixels.channels {
        1 => ColorType::Luma,
        3 => ColorType::Rgb,
        _ => ColorType::Cmyk,
    };
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality);
    more(&mut encoder);
    let side = |side: u32| u16::try_from(side).unwrap();
    encoder
        .encode(&pixels.data, side(pixels.width), side(pixels.height), color)
        .unwrap();
    file
}

/// EXIF with nothing but an orientation.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

/// A PNG of these rows, with the settings that `more` makes in its encoder.
pub(super) fn png(
    (width, height): (u32, u32),
    color: png::ColorType,
    depth: png::BitDepth,
    data: &[u8],
    more: impl FnOnce(&mut png::Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    more(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    file
}

/// A PNG of these pixels.
pub(super) fn png_of(pixels: &Pixels) -> Vec<u8> {
    let color = match pixels.channels {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    };
    let size = (pixels.width, pixels.height);
    png(size, color, png::BitDepth::Eight, &pixels.data, |_| ())
}

/// A lossless WebP with colours.
pub(super) fn webp_of(pixels: &Pixels) -> Vec<u8> {
    let mut file = Vec::new();
    image_webp::WebPEncoder::new(&mut file)
        .encode(
            &pixels.data,
            pixels.width,
            pixels.height,
            image_webp::ColorType::Rgb8,
        )
        .unwrap();
    file
}

/// A GIF with this many frames. The first is red, in the upper left quarter of a transparent image of 8 × 8.
pub(super) fn gif(frames: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let palette = [255, 0, 0, 0, 0, 255];
    let mut encoder = gif::Encoder::new(&mut file, 8, 8, &palette).unwrap();
    for colour in 0..frames {
        let frame = gif::Frame {
            width: 4,
            height: 4,
            buffer: vec![u8::from(colour > 0); 16].into(),
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

/// A PNG with two frames, each of one colour.
pub(super) fn animated_png(first: [u8; 3], second: [u8; 3]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 4);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for colour in [first, second] {
        writer.write_image_data(&colour.repeat(16)).unwrap();
    }
    writer.finish().unwrap();
    file
}

/// A WebP with two frames: the pixels, which are opaque, and red.
pub(super) fn animated_webp(first: &Pixels) -> Vec<u8> {
    let (width, height) = (first.width, first.height);
    let red = Pixels {
        data: [255, 0, 0].repeat((width * height) as usize),
        ..first.clone()
    };
    let part = |name: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap();
        [
            &name[..],
            &length.to_le_bytes(),
            data,
            &[0][..data.len() % 2],
        ]
        .concat()
    };
    let less_one = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let size = [less_one(width), less_one(height)].concat();
    let frame = |pixels: &Pixels| {
        // At the left upper corner, for 100 ms; the data are those of a file with one image, behind its head.
        let head = [&[0; 6], &size[..], &[100, 0, 0, 0]].concat();
        part(b"ANMF", &[&head, &webp_of(pixels)[12..]].concat())
    };
    let parts = [
        b"WEBP".to_vec(),
        part(b"VP8X", &[&[2, 0, 0, 0], &size[..]].concat()),
        part(b"ANIM", &[0; 6]),
        frame(first),
        frame(&red),
    ];
    part(b"RIFF", &parts.concat())
}
