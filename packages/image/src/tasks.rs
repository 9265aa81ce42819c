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
    let Header { info, icc } = Header::read(&bytes, context)?;
    let profile = colour::profile(icc.as_deref());
    Ok(Info {
        profile: profile.as_ref().and_then(colour::name),
        ..info
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
    errors::check_pixels(header.info.width, header.info.height, params.max_pixels)?;
    let turn = header.turn(params.auto_orient, params.rotate);
    let (width, height) = turn.size(header.info.width, header.info.height);

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
            let target = encode::target(&output, header.info.format);
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
    let shrink = match params.linear {
        // A JPEG that is decoded smaller has averages of stored values.
        true => 1,
        false => header.shrink(least / room),
    };
    let mut pixels = header.decode(&bytes, shrink, context)?;
    let mut icc = header.icc.as_deref();
    if params.linear {
        // Only of sRGB it is known how much light a value is.
        pixels = colour::to_srgb(pixels, icc.take(), context)?;
    }
    let decoded = Decoded {
        pixels,
        icc,
        shrink,
        whole: (header.info.width, header.info.height),
        turn,
        linear: params.linear,
    };

    let mut made = Vec::with_capacity(jobs.len());
    let (all, mut done) = (jobs.len() as f64, 0.0);
    for job in &jobs {
        made.push(picture(&decoded, job, context)?);
        done += 1.0;
        context.progress(0.8 + 0.2 * done / all);
    }
    let first = made.remove(0);
    pictures(first, made)
}

/// The decoded image, from which all others are made.
struct Decoded<'a> {
    pixels: Pixels,
    /// The profile of its colours, if they are not in sRGB.
    icc: Option<&'a [u8]>,
    /// How many times smaller it was decoded.
    shrink: u32,
    /// Its stored size.
    whole: (u32, u32),
    turn: Orientation,
    /// Whether light is averaged.
    linear: bool,
}

/// Makes one image from the decoded one.
fn picture(decoded: &Decoded<'_>, job: &Job, context: &Context<'_>) -> Result<Picture<'static>> {
    let (pixels, turn) = (&decoded.pixels, decoded.turn);
    let size = (pixels.width, pixels.height);
    let part = job
        .plan
        .stored_part(turn, decoded.whole, decoded.shrink, size);
    let (width, height) = job.plan.size;
    let kernel = job.params.kernel.unwrap_or(Kernel::Lanczos3);
    let resize = match decoded.linear {
        true => kernels::resize_light,
        false => kernels::resize,
    };
    let resized = resize(pixels, part, turn.size(width, height), kernel, context)?;
    let resized = colour::to_srgb(resized, decoded.icc, context)?.oriented(turn, context)?;
    let resized = match job.params.fit {
        Some(Fit::Contain) => on_canvas(resized, job, context)?,
        _ => resized,
    };
    encode::encode(resized, job.target, &job.params, context)
}

/// Puts the image in the middle, or at a side, of a background.
fn on_canvas(pixels: Pixels, job: &Job, context: &Context<'_>) -> Result<Pixels> {
    let (width, height) = job.plan.canvas;
    if (width, height) == (pixels.width, pixels.height) {
        return Ok(pixels);
    }
    let background = job.params.background.unwrap_or(Colour::BLACK);
    let [red, green, blue, alpha] = background.0;
    let grey = pixels.channels <= 2 && red == green && green == blue;
    let pixels = match (grey, pixels.has_alpha() || alpha < 255) {
        (true, false) => pixels.with_channels(1, context),
        (true, true) => pixels.with_channels(2, context),
        (false, false) => pixels.with_channels(3, context),
        (false, true) => pixels.with_channels(4, context),
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
    errors::check_pixels(header.info.width, header.info.height, params.max_pixels)?;
    let shrink = match least {
        0 => 1,
        _ => header.shrink(f64::from(header.info.width.min(header.info.height)) / f64::from(least)),
    };
    let pixels = header.decode(bytes, shrink, context)?;
    colour::to_srgb(pixels, header.icc.as_deref(), context)?
        .oriented(header.turn(params.auto_orient, 0), context)
}

pub(crate) fn pixels(
    input: Data,
    params: LookParams,
    context: &Context<'_>,
) -> Result<Picture<'static>> {
    let bytes = input.contiguous(context)?;
    let pixels = shown(&bytes, &params, 0, context)?.with_channels(4, context)?;
    Ok(Picture {
        width: pixels.width,
        height: pixels.height,
        channels: 4,
        format: Target::Raw,
        data: pixels.data.into(),
    })
}
