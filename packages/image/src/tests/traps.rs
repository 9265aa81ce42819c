//! What goes wrong easily when images are resized.

use jpeg_encoder::{ColorType as JpegColor, Encoder};
use png::{BitDepth, ColorType};

use super::files::{animated_png, animated_webp, jpeg, photo, png, png_of};
use super::{at, info, near, resized};
use crate::pixels::Pixels;

/// Black and white pixels by turns, of so many channels. The last channel of two or four is full alpha.
fn chess(side: u32, channels: u8) -> Pixels {
    let mut pixels = Pixels::new(side, side, channels).unwrap();
    let step = pixels.step();
    for (index, pixel) in pixels.data.chunks_exact_mut(step).enumerate() {
        let (x, y) = (index % side as usize, index / side as usize);
        pixel.fill(if (x + y) % 2 == 0 { 255 } else { 0 });
        if channels.is_multiple_of(2) {
            pixel[step - 1] = 255;
        }
    }
    pixels
}

#[test]
fn half_of_the_light_is_brighter_than_half_of_the_value() {
    for channels in 1..=4 {
        let file = png_of(&chess(64, channels));
        for kernel in ["linear", "mitchell", "lanczos3"] {
            let fields = [("width", 8.into()), ("kernel", kernel.into())];
            let stored = resized(&file, &fields).unwrap();
            assert!(at(&stored, 4, 4)[0].abs_diff(128) <= 2, "{kernel}");
            let linear = [&fields[..], &[("linear", true.into())]].concat();
            let light = resized(&file, &linear).unwrap();
            assert!(at(&light, 4, 4)[0].abs_diff(188) <= 2, "{kernel}");
            assert_eq!(light.channels, channels);
        }
    }
}

#[test]
fn the_light_of_a_jpeg_is_that_of_all_its_pixels() {
    let file = jpeg(&chess(256, 1), 100, |_| ());
    let fields = [("width", 16.into()), ("linear", true.into())];
    let light = resized(&file, &fields).unwrap();
    assert!(
        at(&light, 8, 8)[0].abs_diff(188) <= 4,
        "{:?}",
        at(&light, 8, 8)
    );
}

#[test]
fn light_is_weighed_by_alpha() {
    let pixels = Pixels {
        width: 2,
        height: 1,
        channels: 4,
        data: vec![255, 0, 0, 0, 0, 0, 255, 255],
    };
    let fields = [
        ("width", 1.into()),
        ("height", 1.into()),
        ("fit", "fill".into()),
        ("linear", true.into()),
    ];
    let one = resized(&png_of(&pixels), &fields).unwrap();
    assert!(near(&one.data, &[0, 0, 255, 128], 1), "{:?}", one.data);
}

#[test]
fn inks_are_the_same_however_they_are_stored() {
    // No cyan, half of magenta, all of yellow, and a fifth of black. The encoder stores the inverse, as Adobe does.
    let inks = [0, 128, 255, 51].repeat(256);
    let colours = [JpegColor::Cmyk, JpegColor::CmykAsYcck].map(|color| {
        let mut file = Vec::new();
        let encoder = Encoder::new(&mut file, 100);
        encoder.encode(&inks, 16, 16, color).unwrap();
        assert_eq!(info(&file, "channels"), 4.into());
        at(&resized(&file, &[]).unwrap(), 8, 8).to_vec()
    });
    for colour in colours {
        assert!(near(&colour, &[204, 102, 0], 4), "{colour:?}");
    }
}

#[test]
fn of_animations_the_first_frame_is_seen() {
    let file = animated_png([10, 20, 30], [255, 0, 0]);
    assert_eq!(info(&file, "animated"), true.into());
    assert_eq!(at(&resized(&file, &[]).unwrap(), 2, 2), [10, 20, 30]);
    let photo = photo(40, 30);
    let file = animated_webp(&photo);
    assert_eq!(info(&file, "animated"), true.into());
    let pixels = resized(&file, &[]).unwrap();
    assert_eq!((pixels.width, pixels.height), (40, 30));
    assert!(near(&at(&pixels, 7, 9)[..3], at(&photo, 7, 9), 1));
}

#[test]
fn an_image_may_be_a_line() {
    let line = |width: u32, height: u32| Pixels {
        data: [90, 160, 30].repeat((width * height) as usize),
        width,
        height,
        channels: 3,
    };
    for (width, height) in [(2_000, 1), (1, 2_000), (2_000, 2), (3, 2_000)] {
        let file = png_of(&line(width, height));
        for linear in [false, true] {
            for side in ["width", "height"] {
                let fields = [(side, 20.into()), ("linear", linear.into())];
                let pixels = resized(&file, &fields).unwrap();
                let by_side = match side {
                    "width" => pixels.width,
                    _ => pixels.height,
                };
                assert_eq!(by_side, 20);
                assert!(near(at(&pixels, 0, 0), &[90, 160, 30], 1));
            }
        }
    }
}

#[test]
fn a_fine_grid_becomes_grey_and_makes_no_pattern() {
    // One dark line in three: sampling without averaging would give waves of light and dark.
    let mut grid = Pixels::new(1200, 900, 3).unwrap();
    for (index, pixel) in grid.data.chunks_exact_mut(3).enumerate() {
        pixel.fill(if index % 1200 % 3 == 0 { 0 } else { 240 });
    }
    for file in [png_of(&grid), jpeg(&grid, 95, |_| ())] {
        for width in [100, 130, 290] {
            let small = resized(&file, &[("width", width.into())]).unwrap();
            for x in 5..width - 5 {
                let light = at(&small, x, small.height / 2)[0];
                assert!(light.abs_diff(160) <= 12, "{width}: {x}: {light}");
            }
        }
    }
}

#[test]
fn parts_that_become_huge_are_not_unpacked() {
    // Text of 80 MiB in 80 kB.
    let pixels = photo(8, 8);
    let zeros = vec![0; 80 << 20];
    let bomb = png(
        (8, 8),
        ColorType::Rgb,
        BitDepth::Eight,
        &pixels.data,
        |it| {
            it.add_ztxt_chunk("Comment".into(), String::from_utf8(zeros.clone()).unwrap())
                .unwrap();
        },
    );
    assert!(bomb.len() < 1 << 20);
    assert_eq!(resized(&bomb, &[]).unwrap(), pixels);
}
