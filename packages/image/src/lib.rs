//! Native tasks for images in rspool. Images are read, turned, resized and written in plain Rust, by codecs of others.
//! The code here decides what is done when, and makes sure that a task that is given up ends.

mod choice;
mod colour;
mod decode;
mod encode;
mod errors;
mod fit;
mod gif;
mod glance;
mod jpeg;
mod light;
mod params;
mod pixels;
mod png;
mod resize;
mod tasks;
#[cfg(test)]
mod tests;
mod watched;
mod webp;
mod worker;

rspool_task::plugin! {
    state = worker::Worker::new;
    /// What the header of an image says: JPEG, PNG, WebP or GIF. Decodes nothing.
    "image.info" => tasks::info,
    /// Images of other sizes or formats, upright, in sRGB and without metadata. Tells its progress.
    "image.resize" => tasks::resize,
    /// The pixels of an image, four bytes each: red, green, blue, alpha. Upright and in sRGB.
    "image.pixels" => tasks::pixels,
    /// 64 bits by which images that look alike are found: count the bits in which two hashes differ.
    "image.hash" => glance::hash,
    /// Some dozens of characters that become a blurred image, to be seen until the image itself has come.
    "image.placeholder" => glance::placeholder,
}
