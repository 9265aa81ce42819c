//! The tasks.

use rspool_task::{Context, Data, Error, Result};

use crate::choice::{Fit, Kernel, Target};
use crate::colour::{self, Colour};
use crate::decode::Header;
use crate::fit::Plan;
use crate::params::{Info, LookParams, OutputParams, Picture, Pictures, ResizeParams, pictures};
use crate::pixels::{Orientation, Pixels};
use crate::{encode, errors, resize as kernels};

/// How many times the decoded image must be larger than the result: for speed, and for the best quality.
const FAST: f64 = 1.2;
const FINE: f64 = 2.0;

pub(crate) fn info(input: Data, _: (), context: &Context<'_>) -> Result<Info> {
    let bytes = input.contiguous(context)?;
    let header = Header::read(&bytes, context)?;
    let profile = colour::profile(header.icc.as_deref());
    Ok(Info {
        format: header.format,
        width: header.width,
        height: header.height,
        channels: header.channels,
        depth: header.depth,
        has_alpha: header.has_alpha,
        orientation: header.orientation,
        animated: header.animated,
        progressive: header.progressive,
        profile: profile.as_ref().and_then(colour::name),
    })
}

/// One image to make.
struct Job {
    plan: Plan,
    target: Target,
    params: OutputParams,
}

pub(crate) fn resize(
    input: Data,
    params: ResizeParams,
    context: &Context<'_>,
) -> Result<Pictures<'static>> {
    if !matches!(params.rotate, 0 | 90 | 180 | 270) {
        return Err(Error::invalid(format!(
            "params.rotate must be 0, 90, 180 or 270, got {}",
            params.rotate
        )));
    }
    let bytes = input.contiguous(context)?;
    let header = Header::read(&bytes, context)?;
    errors::check_pixels(header.width, header.height, params.max_pixels)?;
    let turn = header.turn(params.auto_orient, params.rotate);
    let (width, height) = turn.size(header.width, header.height);

    let first = params.first();
    let more = params
        .outputs
        .iter()
        .flatten()
        .map(|more| more.clone().or(&first));
    let jobs = std::iter::once(first.clone())
        .chain(more)
        .map(|output| {
            let plan = Plan::new(width, height, &output, params.max_pixels)?;
            let target = encode::target(&output, header.format);
            encode::check(&output, target, plan.canvas)?;
            Ok(Job {
                plan,
                target,
                params: output,
            })
        })
        .collect::<Result<Vec<Job>>>()?;

    let least = jobs.iter().map(|job| job.plan.shrink());
    let least = least.fold(f64::INFINITY, f64::min);
    let room = if params.fast_shrink { FAST } else { FINE };
    let shrink = header.shrink(least / room);
    let pixels = header.decode(&bytes, shrink, context)?;

    let mut made = Vec::with_capacity(jobs.len());
    let (all, mut done) = (jobs.len() as f64, 0.0);
    for job in &jobs {
        made.push(picture(&pixels, &header, turn, shrink, job, context)?);
        done += 1.0;
        context.progress(0.8 + 0.2 * done / all);
    }
    let first = made.remove(0);
    pictures(first, made)
}

/// Makes one image from the decoded one.
fn picture(
    pixels: &Pixels,
    header: &Header,
    turn: Orientation,
    shrink: u32,
    job: &Job,
    context: &Context<'_>,
) -> Result<Picture<'static>> {
    let whole = (header.width, header.height);
    let part = job
        .plan
        .stored_part(turn, whole, shrink, (pixels.width, pixels.height));
    let (width, height) = job.plan.size;
    let kernel = job.params.kernel.unwrap_or(Kernel::Lanczos3);
    let resized = kernels::resize(pixels, part, turn.size(width, height), kernel, context)?;
    let resized = colour::to_srgb(resized, header.icc.as_deref(), context)?.oriented(turn)?;
    let resized = match job.params.fit {
        Some(Fit::Contain) => on_canvas(resized, job)?,
        _ => resized,
    };
    encode::encode(resized, job.target, &job.params, context)
}

/// Puts the image in the middle, or at a side, of a background.
fn on_canvas(pixels: Pixels, job: &Job) -> Result<Pixels> {
    let (width, height) = job.plan.canvas;
    if (width, height) == (pixels.width, pixels.height) {
        return Ok(pixels);
    }
    let background = job.params.background.unwrap_or(Colour::BLACK);
    let [red, green, blue, alpha] = background.0;
    let grey = pixels.channels <= 2 && red == green && green == blue;
    let pixels = match (grey, pixels.has_alpha() || alpha < 255) {
        (true, false) => pixels.with_channels(1),
        (true, true) => pixels.with_channels(2),
        (false, false) => pixels.with_channels(3),
        (false, true) => pixels.with_channels(4),
    }?;
    let colour: &[u8] = match pixels.channels {
        1 => &[red],
        2 => &[red, alpha],
        3 => &[red, green, blue],
        _ => &background.0,
    };
    let mut canvas = Pixels::new(width, height, pixels.channels)?;
    for pixel in canvas.data.chunks_exact_mut(colour.len()) {
        pixel.copy_from_slice(colour);
    }
    let (left, top) = (job.plan.place.0 as usize, job.plan.place.1 as usize);
    let stride = canvas.stride();
    for (row, y) in pixels.data.chunks_exact(pixels.stride()).zip(top..) {
        let at = y * stride + left * colour.len();
        canvas.data[at..at + row.len()].copy_from_slice(row);
    }
    Ok(canvas)
}

/// An image upright, in sRGB. A JPEG may be decoded smaller, with at least `least` pixels along each side.
pub(crate) fn shown(
    bytes: &[u8],
    params: &LookParams,
    least: u32,
    context: &Context<'_>,
) -> Result<Pixels> {
    let header = Header::read(bytes, context)?;
    errors::check_pixels(header.width, header.height, params.max_pixels)?;
    let shrink = match least {
        0 => 1,
        _ => header.shrink(f64::from(header.width.min(header.height)) / f64::from(least)),
    };
    let pixels = header.decode(bytes, shrink, context)?;
    colour::to_srgb(pixels, header.icc.as_deref(), context)?
        .oriented(header.turn(params.auto_orient, 0))
}

pub(crate) fn pixels(
    input: Data,
    params: LookParams,
    context: &Context<'_>,
) -> Result<Picture<'static>> {
    let bytes = input.contiguous(context)?;
    let pixels = shown(&bytes, &params, 0, context)?.with_channels(4)?;
    Ok(Picture {
        width: pixels.width,
        height: pixels.height,
        channels: 4,
        format: Target::Raw,
        data: pixels.data.into(),
    })
}
