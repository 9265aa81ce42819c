//! `compress.*`, one file per format. Each task is beside the one that undoes it (`decompress.*`).

mod blocks;
pub(super) mod gzip;
pub(super) mod lz4;
mod output;
pub(super) mod zlib;

rspool_task::table! {
    "compress.gzip" => gzip::gzip,
    "compress.zlib" => zlib::zlib,
    "compress.deflate" => zlib::deflate,
    "compress.lz4" => lz4::compress,
}
