//! Runs the tasks on images that are made here.

mod files;
mod formats;
mod glances;
mod limits;
mod looks;
mod traps;

use rspool_task::testing::{Outcome, Trial};
use rspool_task::{Error, Params, Record, Result, Value};

use crate::choice::Target;
use crate::pixels::Pixels;
use crate::tasks;
use crate::worker::Worker;

fn trial() -> Trial {
    Trial::new().with_state(Worker::new, ()).unwrap()
}

fn params(fields: &[(&str, Value<'static>)]) -> Params {
    fields.iter().cloned().collect::<Record>().into()
}

/// Runs `image.resize`.
fn run(trial: &Trial, file: &[u8], fields: &[(&str, Value<'static>)]) -> Outcome {
    trial.run(tasks::resize, Value::from(file.to_vec()), params(fields))
}

/// The result of `image.resize` as pixels.
fn resized(file: &[u8], fields: &[(&str, Value<'static>)]) -> Result<Pixels> {
    let mut fields = fields.to_vec();
    fields.push(("format", Target::Raw.as_str().into()));
    let Value::Record(record) = run(&trial(), file, &fields).result? else {
        return Err(Error::new("no record"));
    };
    Ok(pixels_of(record))
}

fn pixels_of(mut record: Record<'static>) -> Pixels {
    let mut number =
        |name: &str| u32::try_from(record.take(name).unwrap().to_safe_integer().unwrap()).unwrap();
    let (width, height, channels) = (number("width"), number("height"), number("channels"));
    Pixels {
        width,
        height,
        channels: u8::try_from(channels).unwrap(),
        data: bytes_of(record),
    }
}

fn bytes_of(mut record: Record<'static>) -> Vec<u8> {
    match record.take("data") {
        Some(Value::Bytes(data)) => data.into_vec(),
        other => panic!("no bytes: {other:?}"),
    }
}

/// The file that `image.resize` makes.
fn file(file: &[u8], fields: &[(&str, Value<'static>)]) -> Vec<u8> {
    match run(&trial(), file, fields).result {
        Ok(Value::Record(record)) => bytes_of(record),
        other => panic!("no record: {other:?}"),
    }
}

/// A field of the result of `image.info`.
fn info(file: &[u8], field: &str) -> Value<'static> {
    match trial()
        .run(tasks::info, Value::from(file.to_vec()), ())
        .result
    {
        Ok(Value::Record(mut record)) => record.take(field).unwrap(),
        other => panic!("no record: {other:?}"),
    }
}

/// How similar two images are, in decibels.
fn psnr(one: &Pixels, other: &Pixels) -> f64 {
    assert_eq!(
        (one.width, one.height, one.channels),
        (other.width, other.height, other.channels)
    );
    let squares = one.data.iter().zip(&other.data);
    let sum: f64 = squares
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 * one.data.len() as f64 / sum).log10()
}

/// The colour of a pixel.
fn at(pixels: &Pixels, x: u32, y: u32) -> &[u8] {
    let step = pixels.step();
    let start = y as usize * pixels.stride() + x as usize * step;
    &pixels.data[start..start + step]
}

fn near(colour: &[u8], expected: &[u8], by: u8) -> bool {
    colour.len() == expected.len()
        && colour
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(*b) <= by)
}
