//! Hashes and placeholders.

use rspool_task::{Result, Value};

use super::files::{clouds, exif, jpeg, png_of, quarters};
use super::{near, params, trial};
use crate::glance;

fn hash(file: &[u8], kind: &'static str) -> u64 {
    let params = params(&[("kind", kind.into())]);
    match trial()
        .run(glance::hash, Value::from(file.to_vec()), params)
        .result
    {
        Ok(Value::BigInt(hash)) => hash.to_u64().unwrap(),
        other => panic!("no hash: {other:?}"),
    }
}

fn placeholder(file: &[u8], fields: &[(&str, Value<'static>)]) -> Result<String> {
    let result = trial()
        .run(
            glance::placeholder,
            Value::from(file.to_vec()),
            params(fields),
        )
        .result?;
    match result {
        Value::String(text) => Ok(text.into_string()),
        other => panic!("no text: {other:?}"),
    }
}

#[test]
fn images_that_look_alike_have_hashes_that_are_alike() {
    let fine = png_of(&clouds(640, 480));
    let coarse = super::file(
        &fine,
        &[
            ("width", 200.into()),
            ("format", "jpeg".into()),
            ("quality", 40.into()),
        ],
    );
    for kind in ["phash", "dhash"] {
        let (one, like, other) = (
            hash(&fine, kind),
            hash(&coarse, kind),
            hash(&png_of(&quarters()), kind),
        );
        assert!((one ^ like).count_ones() <= 6, "{kind}: {one:x} {like:x}");
        assert!(
            (one ^ other).count_ones() >= 16,
            "{kind}: {one:x} {other:x}"
        );
    }
}

#[test]
fn a_hash_is_of_the_image_as_it_is_shown() {
    let turned = jpeg(&quarters(), 95, |it| {
        it.add_exif_metadata(&exif(3)).unwrap()
    });
    let upright = super::file(&turned, &[("format", "png".into())]);
    assert!((hash(&turned, "dhash") ^ hash(&upright, "dhash")).count_ones() <= 4);
}

#[test]
fn a_thumbhash_becomes_an_image_like_the_one() {
    let text = placeholder(&png_of(&quarters()), &[]).unwrap();
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
    let (width, height, rgba) = thumbhash::thumb_hash_to_rgba(&bytes).unwrap();
    assert!(width > height);
    let at = |x: usize, y: usize| &rgba[(y * width + x) * 4..][..3];
    assert!(
        near(at(width / 4, height / 4), &[255, 0, 0], 90),
        "{:?}",
        at(width / 4, height / 4)
    );
    assert!(near(at(width * 3 / 4, height * 3 / 4), &[0, 0, 255], 90));
}

#[test]
fn a_blurhash_becomes_an_image_like_the_one() {
    let file = png_of(&quarters());
    let fields = [
        ("kind", "blurhash".into()),
        ("componentsX", 5.into()),
        ("componentsY", 5.into()),
    ];
    let text = placeholder(&file, &fields).unwrap();
    assert_eq!(text.len(), 6 + 2 * 24);
    let rgba = blurhash::decode(&text, 12, 8, 1.0).unwrap();
    let [red, green, blue] = [0, 1, 2].map(|channel| rgba[(2 * 12 + 3) * 4 + channel]);
    assert!(
        red > 150 && green < 120 && blue < 120,
        "{red} {green} {blue}"
    );
    let wrong = [("kind", "blurhash".into()), ("componentsX", 10.into())];
    assert_eq!(
        placeholder(&file, &wrong).unwrap_err().code(),
        "ERR_RSPOOL_INVALID_ARGUMENT"
    );
}
