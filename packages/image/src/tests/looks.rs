//! The looks of the results.

use rspool_task::{Record, Value};

use super::files::{jpeg, photo, png_of, quarters};
use super::{at, near, pixels_of, psnr, resized, run, trial};
use crate::pixels::Pixels;

/// The means of equal squares: another way to make an image smaller.
fn means(pixels: &Pixels, by: u32) -> Pixels {
    let mut small = Pixels::new(pixels.width / by, pixels.height / by, 3).unwrap();
    for y in 0..small.height {
        for x in 0..small.width {
            for channel in 0..3 {
                let square = (0..by * by).map(|at| (x * by + at % by, y * by + at / by));
                let sum: u32 = square
                    .map(|(x, y)| u32::from(at(pixels, x, y)[channel]))
                    .sum();
                let index = (y * small.width + x) as usize * 3 + channel;
                small.data[index] = u8::try_from(sum / (by * by)).unwrap();
            }
        }
    }
    small
}

#[test]
fn a_smaller_image_looks_as_the_large_one() {
    let photo = photo(640, 480);
    for kernel in ["linear", "cubic", "mitchell", "lanczos3"] {
        let fields = [("width", 160.into()), ("kernel", kernel.into())];
        let small = resized(&png_of(&photo), &fields).unwrap();
        let likeness = psnr(&small, &means(&photo, 4));
        assert!(likeness > 30.0, "{kernel}: {likeness}");
    }
}

#[test]
fn decoding_smaller_is_hardly_seen() {
    let file = jpeg(&photo(1280, 960), 92, |_| ());
    for width in [128, 160, 300, 500] {
        let quick = resized(&file, &[("width", width.into())]).unwrap();
        let fine = resized(
            &file,
            &[("width", width.into()), ("fastShrink", false.into())],
        )
        .unwrap();
        assert!(
            psnr(&quick, &fine) > 33.0,
            "{width}: {}",
            psnr(&quick, &fine)
        );
    }
}

#[test]
fn pieces_leave_no_seam() {
    // A slope: each row is a little brighter than the one before, whatever the number of pieces.
    let mut slope = Pixels::new(2000, 2000, 1).unwrap();
    for (y, row) in slope.data.chunks_exact_mut(2000).enumerate() {
        row.fill(u8::try_from(y * 255 / 1999).unwrap());
    }
    let small = resized(&png_of(&slope), &[("width", 500.into())]).unwrap();
    for y in 1..500 {
        let (before, now) = (at(&small, 250, y - 1)[0], at(&small, 250, y)[0]);
        assert!(now >= before && now - before <= 1, "{y}: {before} {now}");
    }
}

#[test]
fn odd_sizes_have_no_edge_of_their_own() {
    let white = |width: u32, height: u32| Pixels {
        width,
        height,
        channels: 3,
        data: vec![255; (width * height * 3) as usize],
    };
    for (width, height) in [(801, 601), (1, 1), (9, 1000), (1000, 9)] {
        let file = jpeg(&white(width, height), 95, |_| ());
        for to in [1, 7, 50, 100] {
            let pixels = resized(&file, &[("width", to.into())]).unwrap();
            assert!(
                pixels.data.iter().all(|byte| *byte >= 253),
                "{width} × {height} to {to}"
            );
        }
    }
}

#[test]
fn a_box_is_filled_with_the_background() {
    let fields = |background: &'static str| {
        [
            ("width", 96.into()),
            ("height", 96.into()),
            ("fit", "contain".into()),
            ("background", background.into()),
        ]
    };
    let file = png_of(&quarters());
    let on_colour = resized(&file, &fields("#102030")).unwrap();
    assert_eq!(
        (on_colour.width, on_colour.height, on_colour.channels),
        (96, 96, 3)
    );
    assert_eq!(
        (at(&on_colour, 0, 0), at(&on_colour, 95, 95)),
        (&[16, 32, 48][..], &[16, 32, 48][..])
    );
    assert!(near(at(&on_colour, 0, 20), &[255, 0, 0], 2));
    let clear = resized(&file, &fields("#00000000")).unwrap();
    assert_eq!((clear.channels, at(&clear, 0, 0)), (4, &[0; 4][..]));
}

#[test]
fn several_images_come_of_one_decode() {
    let file = jpeg(&photo(800, 600), 90, |_| ());
    let output = |fields: &[(&str, Value<'static>)]| {
        Value::Record(fields.iter().cloned().collect::<Record>())
    };
    let outputs = vec![
        output(&[("width", 100.into())]),
        output(&[("height", 60.into()), ("format", "png".into())]),
        output(&[("quality", 30.into())]),
    ];
    let fields = [
        ("width", 400.into()),
        ("format", "raw".into()),
        ("outputs", Value::List(outputs)),
    ];
    let outcome = run(&trial(), &file, &fields);
    let Ok(Value::Record(mut record)) = outcome.result else {
        panic!("no record");
    };
    let Some(Value::List(outputs)) = record.take("outputs") else {
        panic!("no list");
    };
    let sizes: Vec<_> = outputs
        .iter()
        .map(|output| match output {
            Value::Record(record) => {
                ["width", "height", "format"].map(|name| record.get(name).unwrap().clone())
            }
            _ => panic!("no record"),
        })
        .collect();
    assert_eq!(sizes[0], [100.into(), 75.into(), "raw".into()]);
    assert_eq!(sizes[1], [80.into(), 60.into(), "png".into()]);
    assert_eq!(sizes[2], [400.into(), 300.into(), "raw".into()]);
    // The largest output decides at which size the image is decoded: here at the whole size.
    let alone = resized(
        &file,
        &[("width", 400.into()), ("fastShrink", false.into())],
    )
    .unwrap();
    assert_eq!(pixels_of(record), alone);
    assert_eq!(outcome.progress.last(), Some(&1.0));
}
