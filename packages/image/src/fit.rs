//! Decides which part of an image gets which size, and where it is put. Only computes numbers.

use rspool_task::{Error, Result};

use crate::choice::{Fit, Position};
use crate::errors;
use crate::params::OutputParams;
use crate::pixels::Orientation;

/// A part of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The plan for an image: a part of it is resized, and put on a canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) part: Rect,
    pub(crate) size: (u32, u32),
    pub(crate) canvas: (u32, u32),
    /// The position on the canvas: left and top.
    pub(crate) place: (u32, u32),
}

impl Plan {
    /// The plan for an image of this size, which is its size when upright.
    pub(crate) fn new(
        width: u32,
        height: u32,
        params: &OutputParams,
        max: Option<u64>,
    ) -> Result<Self> {
        let (full_width, full_height) = (f64::from(width), f64::from(height));
        let (box_width, box_height) = box_of(width, height, params)?;
        let mut across = box_width / full_width;
        let mut down = box_height / full_height;
        let fit = match (params.width, params.height) {
            (Some(_), Some(_)) => params.fit.unwrap_or(Fit::Cover),
            // The box has the proportions of the image.
            _ => Fit::Fill,
        };
        match fit {
            Fit::Fill => {}
            Fit::Cover | Fit::Outside => (across, down) = (across.max(down), across.max(down)),
            Fit::Contain | Fit::Inside => (across, down) = (across.min(down), across.min(down)),
        }
        if params.without_enlargement == Some(true) {
            (across, down) = (across.min(1.0), down.min(1.0));
        }
        let (mut new_width, mut new_height) = (full_width * across, full_height * down);
        let (before_x, before_y) = params.position.unwrap_or(Position::Centre).before();
        let mut part = Rect {
            left: 0.0,
            top: 0.0,
            width: full_width,
            height: full_height,
        };
        if fit == Fit::Cover {
            (new_width, new_height) = (new_width.min(box_width), new_height.min(box_height));
            part.width = (new_width / across).min(full_width);
            part.height = (new_height / down).min(full_height);
            part.left = (full_width - part.width) * before_x;
            part.top = (full_height - part.height) * before_y;
        }
        let size = (pixels(new_width), pixels(new_height));
        let (mut canvas, mut place) = (size, (0, 0));
        if fit == Fit::Contain {
            canvas = (
                pixels(box_width).max(size.0),
                pixels(box_height).max(size.1),
            );
            place = (
                floor(f64::from(canvas.0 - size.0) * before_x),
                floor(f64::from(canvas.1 - size.1) * before_y),
            );
        }
        errors::check_pixels(canvas.0, canvas.1, max)?;
        Ok(Self {
            part,
            size,
            canvas,
            place,
        })
    }

    /// How many pixels of the image become one, along the side where they are fewer.
    pub(crate) fn shrink(&self) -> f64 {
        let across = self.part.width / f64::from(self.size.0);
        let down = self.part.height / f64::from(self.size.1);
        across.min(down)
    }

    /// The part, in pixels of an image that was decoded smaller and is stored turned. `width` and `height` are those of
    /// the whole stored image, `decoded` those of the decoded one.
    pub(crate) fn stored_part(
        &self,
        orientation: Orientation,
        (width, height): (u32, u32),
        shrink: u32,
        decoded: (u32, u32),
    ) -> Rect {
        let mut part = self.part;
        if orientation.swap {
            part = Rect {
                left: part.top,
                top: part.left,
                width: part.height,
                height: part.width,
            };
        }
        if orientation.flip_x {
            part.left = f64::from(width) - part.left - part.width;
        }
        if orientation.flip_y {
            part.top = f64::from(height) - part.top - part.height;
        }
        let shrink = f64::from(shrink);
        let (most_x, most_y) = (f64::from(decoded.0), f64::from(decoded.1));
        let left = (part.left / shrink).clamp(0.0, most_x);
        let top = (part.top / shrink).clamp(0.0, most_y);
        Rect {
            left,
            top,
            width: (part.width / shrink).min(most_x - left),
            height: (part.height / shrink).min(most_y - top),
        }
    }
}

/// The box from the params.
fn box_of(width: u32, height: u32, params: &OutputParams) -> Result<(f64, f64)> {
    for (side, given) in [("width", params.width), ("height", params.height)] {
        if given == Some(0) {
            return Err(Error::invalid(format!(
                "params.{side} must be an integer from 1 on, got 0"
            )));
        }
    }
    let (full_width, full_height) = (f64::from(width), f64::from(height));
    Ok(
        match (params.width.map(f64::from), params.height.map(f64::from)) {
            (None, None) => (full_width, full_height),
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, (full_height * width / full_width).max(1.0)),
            (None, Some(height)) => ((full_width * height / full_height).max(1.0), height),
        },
    )
}

/// The nearest number of pixels, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates"
)]
fn pixels(length: f64) -> u32 {
    (length.round() as u32).max(1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates"
)]
fn floor(length: f64) -> u32 {
    length as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(size: (u32, u32), to: (Option<u32>, Option<u32>), fit: Fit, larger: bool) -> Plan {
        let params = OutputParams {
            width: to.0,
            height: to.1,
            fit: Some(fit),
            position: None,
            kernel: None,
            without_enlargement: Some(!larger),
            format: None,
            quality: None,
            progressive: None,
            compression: None,
            background: None,
        };
        Plan::new(size.0, size.1, &params, None).unwrap()
    }

    #[test]
    fn one_side_keeps_the_proportions() {
        let sizes = [
            ((4000, 3000), (Some(320), None), (320, 240)),
            ((4000, 3000), (None, Some(300)), (400, 300)),
            ((10_000, 1), (Some(10), None), (10, 1)),
            ((3, 2), (None, None), (3, 2)),
        ];
        for (from, to, expected) in sizes {
            let plan = plan(from, to, Fit::Cover, true);
            assert_eq!((plan.size, plan.canvas), (expected, expected));
            assert_eq!(plan.part.width, f64::from(from.0));
        }
    }

    #[test]
    fn fits_are_those_of_css() {
        let to = (Some(200), Some(200));
        let cover = plan((400, 200), to, Fit::Cover, true);
        assert_eq!(
            (cover.part.left, cover.part.width, cover.size),
            (100.0, 200.0, (200, 200))
        );
        let contain = plan((400, 200), to, Fit::Contain, true);
        assert_eq!(
            (contain.size, contain.canvas, contain.place),
            ((200, 100), (200, 200), (0, 50))
        );
        assert_eq!(plan((400, 200), to, Fit::Inside, true).canvas, (200, 100));
        assert_eq!(plan((400, 200), to, Fit::Outside, true).canvas, (400, 200));
        assert_eq!(plan((400, 200), to, Fit::Fill, true).canvas, (200, 200));
    }

    #[test]
    fn nothing_is_enlarged_unless_it_may() {
        let to = (Some(200), Some(200));
        assert_eq!(plan((100, 50), to, Fit::Inside, true).canvas, (200, 100));
        assert_eq!(plan((100, 50), to, Fit::Inside, false).canvas, (100, 50));
        assert_eq!(plan((100, 50), to, Fit::Cover, false).canvas, (100, 50));
        let tall = plan((100, 400), to, Fit::Cover, false);
        assert_eq!((tall.canvas, tall.part.height), ((100, 200), 200.0));
    }

    #[test]
    fn the_part_is_found_in_a_turned_image() {
        let whole = (400, 200);
        let params = plan((200, 400), (Some(100), Some(100)), Fit::Cover, true);
        let part = params.stored_part(Orientation::of_exif(6), whole, 2, (200, 100));
        assert_eq!(
            (part.left, part.top, part.width, part.height),
            (50.0, 0.0, 100.0, 100.0)
        );
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let mut params = OutputParams {
            width: Some(0),
            height: None,
            fit: None,
            position: None,
            kernel: None,
            without_enlargement: None,
            format: None,
            quality: None,
            progressive: None,
            compression: None,
            background: None,
        };
        assert!(Plan::new(10, 10, &params, Some(100)).is_err());
        params.width = Some(u32::MAX);
        let error = Plan::new(10, 10, &params, Some(100)).unwrap_err();
        assert_eq!(error.code(), "ERR_IMAGE_TOO_LARGE");
    }
}
