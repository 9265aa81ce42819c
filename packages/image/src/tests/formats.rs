//! The content of files: orientation, profiles, inks, palettes, depths, alpha.

use jpeg_encoder::SamplingFactor;
use moxcms::ColorProfile;
use png::{BitDepth, ColorType};
use rspool_task::Context;

use super::files::{exif, gif, jpeg, photo, png, png_of, quarters, webp_of};
use super::{at, file, info, near, psnr, resized};
use crate::pixels::Pixels;

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];

/// The corners: left upper, right upper, right lower, left lower.
fn corners(pixels: &Pixels) -> [&[u8]; 4] {
    let (right, bottom) = (pixels.width - 1, pixels.height - 1);
    [(0, 0), (right, 0), (right, bottom), (0, bottom)].map(|(x, y)| at(pixels, x, y))
}

#[test]
fn each_of_the_eight_orientations_is_shown_upright() {
    let expected = [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [BLUE, WHITE, RED, GREEN]),
        (4, [WHITE, BLUE, GREEN, RED]),
        (5, [RED, WHITE, BLUE, GREEN]),
        (6, [WHITE, RED, GREEN, BLUE]),
        (7, [BLUE, GREEN, RED, WHITE]),
        (8, [GREEN, BLUE, WHITE, RED]),
    ];
    for (orientation, colours) in expected {
        let file = jpeg(&quarters(), 95, |it| {
            it.add_exif_metadata(&exif(orientation)).unwrap()
        });
        assert_eq!(info(&file, "orientation"), orientation.into());
        let size = if orientation < 5 { (48, 32) } else { (32, 48) };
        let pixels = resized(&file, &[("width", size.0.into())]).unwrap();
        assert_eq!((pixels.width, pixels.height), size, "{orientation}");
        for (colour, expected) in corners(&pixels).into_iter().zip(colours) {
            assert!(
                near(colour, &expected, 12),
                "{orientation}: {colour:?}, not {expected:?}"
            );
        }
        let as_stored = resized(&file, &[("autoOrient", false.into())]).unwrap();
        assert!(near(at(&as_stored, 0, 0), &RED, 12));
    }
}

#[test]
fn turns_come_after_the_orientation() {
    let file = jpeg(&quarters(), 95, |it| {
        it.add_exif_metadata(&exif(6)).unwrap()
    });
    for (degrees, first) in [(0, WHITE), (90, BLUE), (180, GREEN), (270, RED)] {
        let pixels = resized(&file, &[("rotate", degrees.into())]).unwrap();
        assert!(near(at(&pixels, 0, 0), &first, 12), "{degrees}");
    }
    assert!(resized(&file, &[("rotate", 45.into())]).is_err());
}

#[test]
fn what_is_cropped_of_a_turned_image_is_what_is_shown() {
    let file = jpeg(&quarters(), 95, |it| {
        it.add_exif_metadata(&exif(6)).unwrap()
    });
    // Upright, it is 64 × 96, with white and red above, blue and green below.
    let fields = |position: &'static str| {
        [
            ("width", 64.into()),
            ("height", 32.into()),
            ("position", position.into()),
        ]
    };
    let top = resized(&file, &fields("top")).unwrap();
    assert!(near(at(&top, 0, 31), &WHITE, 12) && near(at(&top, 63, 31), &RED, 12));
    let bottom = resized(&file, &fields("bottom")).unwrap();
    assert!(near(at(&bottom, 0, 0), &BLUE, 12) && near(at(&bottom, 63, 0), &GREEN, 12));
}

#[test]
fn colours_of_a_profile_come_to_srgb() {
    let flat = Pixels {
        data: [180, 80, 60].repeat(64),
        width: 8,
        height: 8,
        channels: 3,
    };
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let jpeg = jpeg(&flat, 100, |it| {
        it.set_sampling_factor(SamplingFactor::F_1_1);
        it.add_icc_profile(&profile).unwrap();
    });
    let png = png((8, 8), ColorType::Rgb, BitDepth::Eight, &flat.data, |_| ());
    assert_eq!(info(&jpeg, "profile"), "Display P3".into());
    assert!(near(
        at(&resized(&png, &[]).unwrap(), 3, 3),
        &[180, 80, 60],
        0
    ));
    // From the definition of both spaces: they have one curve, and different primaries.
    let linear = |byte: f64| ((byte / 255.0 + 0.055) / 1.055).powf(2.4);
    let curved = |light: f64| (1.055 * light.powf(1.0 / 2.4) - 0.055) * 255.0;
    let [r, g, b] = [180.0, 80.0, 60.0].map(linear);
    let expected = [
        1.2249 * r - 0.2247 * g,
        -0.0420 * r + 1.0419 * g,
        -0.0197 * r - 0.0786 * g + 1.0979 * b,
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    let expected = expected.map(|light| curved(light).round() as u8);
    let pixels = resized(&jpeg, &[]).unwrap();
    assert!(
        near(at(&pixels, 3, 3), &expected, 3),
        "{:?}, not {expected:?}",
        at(&pixels, 3, 3)
    );
}

#[test]
fn a_profile_that_cannot_be_read_is_as_none() {
    let file = jpeg(&quarters(), 95, |it| it.add_icc_profile(&[7; 200]).unwrap());
    assert!(near(at(&resized(&file, &[]).unwrap(), 0, 0), &RED, 12));
}

#[test]
fn inks_become_light() {
    let inks = Pixels {
        width: 16,
        height: 16,
        channels: 4,
        // All of cyan, and no other ink.
        data: [255, 0, 0, 0].repeat(256),
    };
    let file = jpeg(&inks, 100, |_| ());
    assert_eq!(info(&file, "channels"), 4.into());
    let pixels = resized(&file, &[]).unwrap();
    assert!(near(at(&pixels, 8, 8), &[0, 255, 255], 3));
}

#[test]
fn progressive_and_grey_ones_are_as_others() {
    let photo = photo(640, 480);
    let plain = jpeg(&photo, 90, |_| ());
    let progressive = jpeg(&photo, 90, |it| it.set_progressive(true));
    assert_eq!(info(&progressive, "progressive"), true.into());
    for width in [640, 200, 60] {
        let size = [("width", width.into())];
        let (one, other) = (
            resized(&plain, &size).unwrap(),
            resized(&progressive, &size).unwrap(),
        );
        assert!(psnr(&one, &other) > 45.0, "{width}");
    }
    let grey = photo.with_channels(1, &Context::detached()).unwrap();
    let pixels = resized(&jpeg(&grey, 95, |_| ()), &[]).unwrap();
    assert_eq!(pixels.channels, 1);
    assert!(psnr(&pixels, &grey) > 35.0);
}

#[test]
fn palettes_depths_and_transparent_colours_of_png() {
    let palette = png(
        (4, 1),
        ColorType::Indexed,
        BitDepth::Two,
        &[0b0001_1011],
        |it| {
            it.set_palette(&[255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9][..]);
            it.set_trns(&[255, 128, 255, 0][..]);
        },
    );
    assert_eq!(info(&palette, "hasAlpha"), true.into());
    let pixels = resized(&palette, &[("kernel", "nearest".into())]).unwrap();
    assert_eq!(
        pixels.data,
        [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 255, 9, 9, 9, 0]
    );

    let deep: Vec<u8> = [0x1234_u16, 0xFFFF, 0x8001]
        .iter()
        .flat_map(|it| it.to_be_bytes())
        .collect();
    let deep = png((1, 1), ColorType::Rgb, BitDepth::Sixteen, &deep, |_| ());
    assert_eq!(info(&deep, "depth"), 16.into());
    assert_eq!(resized(&deep, &[]).unwrap().data, [0x12, 0xFF, 0x80]);

    let bits = png(
        (8, 1),
        ColorType::Grayscale,
        BitDepth::One,
        &[0b1010_0000],
        |_| (),
    );
    assert_eq!(
        resized(&bits, &[]).unwrap().data,
        [255, 0, 255, 0, 0, 0, 0, 0]
    );
}

#[test]
fn nothing_shines_through_from_what_is_transparent() {
    let pixels = Pixels {
        width: 2,
        height: 2,
        channels: 4,
        data: [
            [255, 0, 0, 0],
            [0, 0, 255, 255],
            [0, 0, 255, 255],
            [255, 0, 0, 0],
        ]
        .concat(),
    };
    let file = png_of(&pixels);
    let one = resized(
        &file,
        &[
            ("width", 1.into()),
            ("height", 1.into()),
            ("fit", "fill".into()),
        ],
    )
    .unwrap();
    assert!(near(&one.data, &[0, 0, 255, 128], 1), "{:?}", one.data);
}

#[test]
fn what_is_behind_is_seen_where_a_format_has_no_alpha() {
    let pixels = Pixels {
        width: 16,
        height: 16,
        channels: 4,
        data: [200, 100, 0, 0].repeat(256),
    };
    let png = png_of(&pixels);
    let on = |fields: &[_]| at(&resized(&file(&png, fields), &[]).unwrap(), 8, 8).to_vec();
    assert!(near(&on(&[("format", "jpeg".into())]), &[0, 0, 0], 2));
    let white = [("format", "jpeg".into()), ("background", "#ffffff".into())];
    assert!(near(&on(&white), &WHITE, 2));
}

#[test]
fn files_without_loss_come_back_as_they_were() {
    let photo = photo(60, 40);
    for file in [png_of(&photo), webp_of(&photo)] {
        assert_eq!(resized(&file, &[]).unwrap(), photo);
        for format in ["png", "webp"] {
            let again = super::file(&file, &[("format", format.into())]);
            assert_eq!(info(&again, "format"), format.into());
            assert_eq!(resized(&again, &[]).unwrap(), photo, "{format}");
        }
    }
}

#[test]
fn the_first_frame_of_a_gif_is_seen_at_its_place() {
    let file = gif(2);
    assert_eq!(
        (info(&file, "animated"), info(&gif(1), "animated")),
        (true.into(), false.into())
    );
    let pixels = resized(&file, &[]).unwrap();
    assert_eq!(
        (at(&pixels, 3, 3), at(&pixels, 4, 4)),
        (&[255, 0, 0, 255][..], &[0; 4][..])
    );
    assert_eq!(info(&super::file(&file, &[]), "format"), "png".into());
}
