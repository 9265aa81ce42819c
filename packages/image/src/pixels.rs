//! Pixels in memory: rows of 8-bit channels, without a gap.

use rspool_task::{Context, Result, room_for};

/// Pixels of a chunk of work: about half a millisecond.
const PIECE: usize = 128 * 1024;

/// A decoded image. One channel is grey, two are grey and alpha, three are red, green and blue, four are these and
/// alpha.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: u8,
    pub(crate) data: Vec<u8>,
}

/// `len` zeros, or an error if there is no memory for them.
pub(crate) fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>> {
    let mut data = room_for(len)?;
    data.resize(len, T::default());
    Ok(data)
}

impl Pixels {
    /// An image with black pixels.
    pub(crate) fn new(width: u32, height: u32, channels: u8) -> Result<Self> {
        let len = size(width, height, channels);
        Ok(Self {
            width,
            height,
            channels,
            data: zeros(len)?,
        })
    }

    pub(crate) fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }

    /// Bytes of a pixel.
    pub(crate) fn step(&self) -> usize {
        usize::from(self.channels)
    }

    /// Bytes of a row.
    pub(crate) fn stride(&self) -> usize {
        self.width as usize * self.step()
    }

    /// The image with another number of channels: grey becomes colours, and alpha is added or dropped.
    pub(crate) fn with_channels(self, channels: u8, context: &Context<'_>) -> Result<Self> {
        if channels == self.channels {
            return Ok(self);
        }
        let mut pixels = Self::new(self.width, self.height, channels)?;
        let (from, to) = (self.step(), usize::from(channels));
        context.parallel_chunks_mut(&mut pixels.data, PIECE * to, |index, piece| {
            let source = self.data[index * PIECE * from..].chunks_exact(from);
            for (from, to) in source.zip(piece.chunks_exact_mut(to)) {
                convert(from, to);
            }
        })?;
        Ok(pixels)
    }

    /// The image on a colour, without alpha.
    pub(crate) fn flattened(
        self,
        [red, green, blue]: [u8; 3],
        context: &Context<'_>,
    ) -> Result<Self> {
        if !self.has_alpha() {
            return Ok(self);
        }
        let grey = self.channels == 2 && red == green && green == blue;
        let mut pixels = self.with_channels(4, context)?;
        context.parallel_chunks_mut(&mut pixels.data, PIECE * 4, |_, piece| {
            for pixel in piece.chunks_exact_mut(4) {
                let alpha = u16::from(pixel[3]);
                for (channel, behind) in pixel.iter_mut().zip([red, green, blue]) {
                    let mixed = u16::from(*channel) * alpha + u16::from(behind) * (255 - alpha);
                    #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes is one")]
                    let byte = ((mixed + 127) / 255) as u8;
                    *channel = byte;
                }
            }
        })?;
        pixels.with_channels(if grey { 1 } else { 3 }, context)
    }

    /// The image upright, from a stored image with this EXIF orientation.
    pub(crate) fn oriented(self, orientation: Orientation, context: &Context<'_>) -> Result<Self> {
        if orientation == Orientation::UPRIGHT {
            return Ok(self);
        }
        let (width, height) = orientation.size(self.width, self.height);
        let mut pixels = Self::new(width, height, self.channels)?;
        let (step, stride) = (self.step(), pixels.stride());
        let rows = (PIECE / width as usize).max(1);
        context.parallel_chunks_mut(&mut pixels.data, rows * stride, |index, piece| {
            for (row, y) in piece.chunks_exact_mut(stride).zip(index * rows..) {
                for (x, to) in row.chunks_exact_mut(step).enumerate() {
                    let (mut from_x, mut from_y) = if orientation.swap { (y, x) } else { (x, y) };
                    if orientation.flip_x {
                        from_x = self.width as usize - 1 - from_x;
                    }
                    if orientation.flip_y {
                        from_y = self.height as usize - 1 - from_y;
                    }
                    let at = (from_y * self.width as usize + from_x) * step;
                    to.copy_from_slice(&self.data[at..at + step]);
                }
            }
        })?;
        Ok(pixels)
    }
}

/// Writes a pixel with another number of channels.
fn convert(from: &[u8], to: &mut [u8]) {
    let (colours, alpha) = match *from {
        [grey] => ([grey; 3], 255),
        [grey, alpha] => ([grey; 3], alpha),
        [red, green, blue] => ([red, green, blue], 255),
        [red, green, blue, alpha] => ([red, green, blue], alpha),
        _ => unreachable!("an image has one to four channels"),
    };
    match to {
        [grey] => *grey = colours[0],
        [grey, opacity] => (*grey, *opacity) = (colours[0], alpha),
        [rest @ .., opacity] if rest.len() == 3 => {
            rest.copy_from_slice(&colours);
            *opacity = alpha;
        }
        rest => rest.copy_from_slice(&colours),
    }
}

/// The number of bytes of this many pixels.
pub(crate) fn size(width: u32, height: u32, channels: u8) -> usize {
    width as usize * height as usize * usize::from(channels)
}

/// How to get the upright image from the stored one: its axes may be swapped, and then each may be flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orientation {
    pub(crate) swap: bool,
    /// Whether the stored columns go from right to left.
    pub(crate) flip_x: bool,
    /// Whether the stored rows go from bottom to top.
    pub(crate) flip_y: bool,
}

impl Orientation {
    pub(crate) const UPRIGHT: Self = Self::new(false, false, false);

    const fn new(swap: bool, flip_x: bool, flip_y: bool) -> Self {
        Self {
            swap,
            flip_x,
            flip_y,
        }
    }

    /// The orientation with this number in EXIF, from 1 to 8.
    pub(crate) const fn of_exif(number: u8) -> Self {
        match number {
            2 => Self::new(false, true, false),
            3 => Self::new(false, true, true),
            4 => Self::new(false, false, true),
            5 => Self::new(true, false, false),
            6 => Self::new(true, false, true),
            7 => Self::new(true, true, true),
            8 => Self::new(true, true, false),
            _ => Self::UPRIGHT,
        }
    }

    /// The orientation followed by a quarter turn clockwise.
    pub(crate) const fn turned(self) -> Self {
        if self.swap {
            // What is across in the upright image is down in the stored one: the rows of the new image are its columns.
            Self::new(false, !self.flip_x, self.flip_y)
        } else {
            Self::new(true, self.flip_x, !self.flip_y)
        }
    }

    /// The upright size of a stored size, or the reverse.
    pub(crate) const fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.swap {
            (height, width)
        } else {
            (width, height)
        }
    }
}
