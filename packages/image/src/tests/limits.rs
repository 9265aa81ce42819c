//! Damaged and hostile files, and tasks that are given up.

use rspool_task::Error;
use rspool_task::testing::Trial;

use super::files::{gif, jpeg, photo, png_of, webp_of};
use super::{resized, run, trial};
use crate::worker::Worker;

fn code(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().code().to_owned()
}

#[test]
fn what_is_no_image_is_refused() {
    for bytes in [
        &b""[..],
        b"GIF8",
        b"<svg></svg>",
        b"\0\0\0\x1cftypavif",
        b"%PDF-1.7",
    ] {
        assert_eq!(code(resized(bytes, &[])), "ERR_IMAGE_FORMAT");
    }
}

#[test]
fn what_is_cut_short_is_refused_wherever_it_is_cut() {
    let photo = photo(120, 90);
    let files = [
        jpeg(&photo, 90, |_| ()),
        jpeg(&photo, 90, |it| it.set_progressive(true)),
        png_of(&photo),
        webp_of(&photo),
    ];
    for file in files {
        // The last bytes of a file may be unused.
        for end in (12..file.len() - 16).step_by(file.len() / 60) {
            let result = resized(&file[..end], &[("width", 40.into())]);
            assert_eq!(
                code(result),
                "ERR_RSPOOL_CORRUPT_INPUT",
                "{end} of {}",
                file.len()
            );
        }
    }
}

#[test]
fn no_damage_does_harm() {
    let photo = photo(64, 48);
    let files = [
        jpeg(&photo, 90, |_| ()),
        jpeg(&photo, 90, |it| it.set_progressive(true)),
        png_of(&photo),
        webp_of(&photo),
        gif(2),
    ];
    let mut random = 1_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap()
    };
    let worker = trial();
    for file in files {
        for _ in 0..300 {
            let mut damaged = file.clone();
            for _ in 0..=next() % 8 {
                let at = next() % damaged.len();
                damaged[at] = u8::try_from(next() % 256).unwrap();
            }
            let outcome = run(
                &worker,
                &damaged,
                &[("width", 20.into()), ("maxPixels", 100_000.into())],
            );
            if let Err(error) = outcome.result {
                assert!(!matches!(error, Error::Panicked(_)), "{error}");
            }
        }
    }
}

#[test]
fn a_size_is_checked_before_there_are_pixels() {
    let file = jpeg(&photo(100, 50), 90, |_| ());
    let at_most =
        |pixels: u32| resized(&file, &[("maxPixels", pixels.into()), ("width", 10.into())]);
    assert!(at_most(5000).is_ok());
    assert_eq!(code(at_most(4999)), "ERR_IMAGE_TOO_LARGE");
    assert_eq!(
        code(resized(
            &file,
            &[("maxPixels", 5000.into()), ("width", 200.into())]
        )),
        "ERR_IMAGE_TOO_LARGE"
    );
    // A header that lies: 65,500 × 65,500 pixels, which would be 13 GB.
    let mut bomb = file;
    let at = bomb.windows(2).position(|it| it == [0xFF, 0xC0]).unwrap();
    bomb[at + 5..at + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    assert_eq!(
        code(resized(&bomb, &[("width", 10.into())])),
        "ERR_IMAGE_TOO_LARGE"
    );
}

#[test]
fn scans_are_counted() {
    let file = jpeg(&photo(64, 64), 90, |it| it.set_progressive(true));
    let first = file.windows(2).position(|it| it == [0xFF, 0xDA]).unwrap();
    let second = file[first + 2..]
        .windows(2)
        .position(|it| it == [0xFF, 0xDA])
        .unwrap()
        + first
        + 2;
    let mut bomb = file[..first].to_vec();
    for _ in 0..101 {
        bomb.extend(&file[first..second]);
    }
    bomb.extend(&file[second..]);
    assert_eq!(code(resized(&bomb, &[])), "ERR_IMAGE_UNSUPPORTED");
}

#[test]
fn a_task_that_is_given_up_ends() {
    let photo = photo(1200, 900);
    for file in [jpeg(&photo, 95, |_| ()), png_of(&photo), webp_of(&photo)] {
        let cancelled = Trial::new()
            .cancelled()
            .with_state(Worker::new, ())
            .unwrap();
        assert_eq!(run(&cancelled, &file, &[]).result, Err(Error::Cancelled));
        let soon = trial().cancel_after(1);
        let outcome = run(&soon, &file, &[("width", 1000.into())]);
        assert_eq!(outcome.result, Err(Error::Cancelled));
        assert_eq!(outcome.progress.len(), 1);
        assert!(outcome.progress[0] < 0.8, "{:?}", outcome.progress);
    }
}

#[test]
fn impossible_params_are_refused() {
    let file = png_of(&photo(10, 10));
    for (name, value) in [
        ("quality", 0.into()),
        ("quality", 101.into()),
        ("width", 0.into()),
        ("width", (-1).into()),
        ("fit", "covr".into()),
        ("background", "red".into()),
        ("witdh", 10.into()),
    ] {
        assert_eq!(
            code(resized(&file, &[(name, value)])),
            "ERR_RSPOOL_INVALID_ARGUMENT",
            "{name}"
        );
    }
    let long = [
        ("width", 70_000.into()),
        ("height", 1.into()),
        ("format", "jpeg".into()),
    ];
    assert_eq!(
        code(run(&trial(), &file, &long).result),
        "ERR_RSPOOL_INVALID_ARGUMENT"
    );
}
