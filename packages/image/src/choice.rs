//! Params that are one of a few strings.

/// Declares an enum whose values are strings in JavaScript.
macro_rules! choice {
    ($(
        $(#[$meta:meta])*
        pub(crate) enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+
        }
    )+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) enum $name {
                $($(#[$variant_meta])* $variant,)+
            }

            impl $name {
                pub(crate) const fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $text,)+
                    }
                }
            }

            impl<'a> rspool_task::Input<'a> for $name {
                fn type_of() -> String {
                    [$(concat!("'", $text, "'")),+].join(" | ")
                }

                fn from_value(value: rspool_task::Value<'a>, what: &str) -> rspool_task::Result<Self> {
                    let text = match &value {
                        rspool_task::Value::String(text) => &**text,
                        _ => "",
                    };
                    match text {
                        $($text => Ok(Self::$variant),)+
                        _ => {
                            let allowed = [$(concat!("'", $text, "'")),+].join(", ");
                            rspool_task::must_be(what, &format!("one of {allowed}"), &value)
                        }
                    }
                }
            }

            impl rspool_task::Output for $name {
                fn type_of() -> String {
                    <Self as rspool_task::Input>::type_of()
                }

                fn into_value(self) -> rspool_task::Result<rspool_task::Value<'static>> {
                    Ok(self.as_str().into())
                }
            }
        )+
    };
}

choice! {
    /// How an image is stored.
    pub(crate) enum Format {
        Jpeg = "jpeg",
        Png = "png",
        Webp = "webp",
        Gif = "gif",
    }

    /// What an image is written as.
    pub(crate) enum Target {
        Jpeg = "jpeg",
        Png = "png",
        Webp = "webp",
        Raw = "raw",
    }

    /// How an image comes into the box of `width` and `height`.
    pub(crate) enum Fit {
        Cover = "cover",
        Contain = "contain",
        Fill = "fill",
        Inside = "inside",
        Outside = "outside",
    }

    /// Which side of an image is kept where it is cropped, or where it is put in a larger box.
    pub(crate) enum Position {
        Centre = "centre",
        Top = "top",
        Right = "right",
        Bottom = "bottom",
        Left = "left",
    }

    /// What makes one pixel of many.
    pub(crate) enum Kernel {
        Nearest = "nearest",
        Linear = "linear",
        Cubic = "cubic",
        Mitchell = "mitchell",
        Lanczos3 = "lanczos3",
    }

    /// How hard it is tried to make a file small without loss.
    pub(crate) enum Compression {
        Fast = "fast",
        Balanced = "balanced",
        High = "high",
    }

    /// How a hash comes from an image: from its coarse waves, or from where it gets brighter.
    pub(crate) enum HashKind {
        Phash = "phash",
        Dhash = "dhash",
    }

    /// How a placeholder is written.
    pub(crate) enum PlaceholderKind {
        Thumbhash = "thumbhash",
        Blurhash = "blurhash",
    }
}

impl Position {
    /// Which fraction of the remaining space comes before the image: across, and down.
    pub(crate) const fn before(self) -> (f64, f64) {
        match self {
            Self::Centre => (0.5, 0.5),
            Self::Top => (0.5, 0.0),
            Self::Right => (1.0, 0.5),
            Self::Bottom => (0.5, 1.0),
            Self::Left => (0.0, 0.5),
        }
    }
}
