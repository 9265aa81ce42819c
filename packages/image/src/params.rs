//! The params and results of the tasks.

use rspool_task::{Bytes, Result, record};

use crate::choice::{
    Compression, Fit, Format, HashKind, Kernel, PlaceholderKind, Position, Target,
};
use crate::colour::Colour;

/// A record with the params of one output image, and more fields.
macro_rules! output_params {
    ($(#[$meta:meta])* $name:ident { $($rest:tt)* }) => {
        record! {
            $(#[$meta])*
            #[derive(Clone)]
            pub(crate) struct $name {
                /// Pixels. Without it, and with a height, what keeps the proportions.
                pub(crate) width: Option<u32>,
                /// Pixels. Without it, and with a width, what keeps the proportions.
                pub(crate) height: Option<u32>,
                /// How the image comes into that box: it covers it and is cropped (`'cover'`, the default), is whole within it on
                /// a background (`'contain'`), is stretched (`'fill'`), is at most so large (`'inside'`) or at least (`'outside'`).
                pub(crate) fit: Option<Fit>,
                /// What is kept if it is cropped, and where it is on a background. `'centre'` by default.
                pub(crate) position: Option<Position>,
                /// What makes one pixel of many. `'lanczos3'` by default.
                pub(crate) kernel: Option<Kernel>,
                /// Never more pixels than there are. False by default.
                pub(crate) without_enlargement: Option<bool>,
                /// By default that of the input, or PNG for a GIF. WebP is lossless. `'raw'` is pixels, row by row.
                pub(crate) format: Option<Target>,
                /// From 1 to 100, for JPEG. 80 by default.
                pub(crate) quality: Option<u8>,
                /// Whether a JPEG is shown roughly before all of it has come. False by default.
                pub(crate) progressive: Option<bool>,
                /// For PNG. `'balanced'` by default.
                pub(crate) compression: Option<Compression>,
                /// `#rrggbb` or `#rrggbbaa`: what is seen beside the image, and through it where the format has no alpha. Black by
                /// default.
                pub(crate) background: Option<Colour>,
                $($rest)*
            }
        }
    };
}

output_params! {
    /// What is said of one of several images.
    OutputParams {}
}

output_params! {
    /// The params of `image.resize`.
    ResizeParams {
        /// More images of the same decode: what one does not say is as above.
        pub(crate) outputs: Option<Vec<OutputParams>>,
        /// Turn the image as its EXIF orientation says.
        pub(crate) auto_orient: bool = true,
        /// Degrees clockwise, after that: 0, 90, 180 or 270.
        pub(crate) rotate: u16 = 0,
        /// Decode a JPEG at a half, a quarter or an eighth of its size, as close to the target as 1.2 times. Without it, twice.
        pub(crate) fast_shrink: bool = true,
        /// Average the light that the stored values stand for, as a camera that is farther away would. Fine bright details
        /// stay bright. The decode is always whole.
        pub(crate) linear: bool = false,
        /// The most pixels of the input, and of each image that is made. 268402689 by default.
        pub(crate) max_pixels: Option<u64>,
    }
}

impl ResizeParams {
    /// The params of the first image.
    pub(crate) fn first(&self) -> OutputParams {
        OutputParams {
            width: self.width,
            height: self.height,
            fit: self.fit,
            position: self.position,
            kernel: self.kernel,
            without_enlargement: self.without_enlargement,
            format: self.format,
            quality: self.quality,
            progressive: self.progressive,
            compression: self.compression,
            background: self.background,
        }
    }
}

impl OutputParams {
    /// These params, with those of `other` where a field is missing. Width and height belong together.
    pub(crate) fn or(self, other: &Self) -> Self {
        let sized = self.width.is_some() || self.height.is_some();
        Self {
            width: if sized { self.width } else { other.width },
            height: if sized { self.height } else { other.height },
            fit: self.fit.or(other.fit),
            position: self.position.or(other.position),
            kernel: self.kernel.or(other.kernel),
            without_enlargement: self.without_enlargement.or(other.without_enlargement),
            format: self.format.or(other.format),
            quality: self.quality.or(other.quality),
            progressive: self.progressive.or(other.progressive),
            compression: self.compression.or(other.compression),
            background: self.background.or(other.background),
        }
    }
}

record! {
    /// The params of the tasks that only look at an image.
    pub(crate) struct LookParams {
        /// Turn the image as its EXIF orientation says.
        pub(crate) auto_orient: bool = true,
        /// The most pixels of the input. 268402689 by default.
        pub(crate) max_pixels: Option<u64>,
    }

    /// The params of `image.hash`.
    pub(crate) struct HashParams {
        /// `'phash'` (the default) bears other sizes, qualities and light; `'dhash'` is finer.
        pub(crate) kind: Option<HashKind>,
        /// Turn the image as its EXIF orientation says.
        pub(crate) auto_orient: bool = true,
        /// The most pixels of the input. 268402689 by default.
        pub(crate) max_pixels: Option<u64>,
    }

    /// The params of `image.placeholder`.
    pub(crate) struct PlaceholderParams {
        /// `'thumbhash'` (the default), in base64, or `'blurhash'`.
        pub(crate) kind: Option<PlaceholderKind>,
        /// Waves of a blurhash from side to side, 1 to 9.
        pub(crate) components_x: u8 = 4,
        /// Waves of a blurhash from top to bottom, 1 to 9.
        pub(crate) components_y: u8 = 3,
        /// Turn the image as its EXIF orientation says.
        pub(crate) auto_orient: bool = true,
        /// The most pixels of the input. 268402689 by default.
        pub(crate) max_pixels: Option<u64>,
    }

    /// What `image.info` gives.
    #[derive(Debug)]
    pub(crate) struct Info {
        pub(crate) format: Format,
        /// Pixels, as they are stored: before the EXIF orientation.
        pub(crate) width: u32,
        /// Pixels, as they are stored.
        pub(crate) height: u32,
        /// Of the file: 1 for grey, 2 with alpha, 3 for colours, 4 with alpha or for CMYK.
        pub(crate) channels: u8,
        /// Bits of each.
        pub(crate) depth: u8,
        pub(crate) has_alpha: bool,
        /// From 1 to 8, as EXIF counts; 1 is upright.
        pub(crate) orientation: u8,
        /// Whether it has several frames, of which the tasks see the first.
        pub(crate) animated: bool,
        pub(crate) progressive: bool,
        /// What the colour profile calls itself, if there is one.
        pub(crate) profile: Option<String>,
    }

    /// An image that was made.
    pub(crate) struct Picture<'a> {
        pub(crate) data: Bytes<'a>,
        pub(crate) width: u32,
        pub(crate) height: u32,
        pub(crate) channels: u8,
        pub(crate) format: Target,
    }

    /// What `image.resize` gives.
    pub(crate) struct Pictures<'a> {
        pub(crate) data: Bytes<'a>,
        pub(crate) width: u32,
        pub(crate) height: u32,
        pub(crate) channels: u8,
        pub(crate) format: Target,
        /// Those of the param `outputs`, in its order.
        pub(crate) outputs: Vec<Picture<'a>>,
    }
}

/// Makes the result from a picture and the others beside it.
pub(crate) fn pictures(
    first: Picture<'static>,
    outputs: Vec<Picture<'static>>,
) -> Result<Pictures<'static>> {
    let Picture {
        data,
        width,
        height,
        channels,
        format,
    } = first;
    Ok(Pictures {
        data,
        width,
        height,
        channels,
        format,
        outputs,
    })
}
