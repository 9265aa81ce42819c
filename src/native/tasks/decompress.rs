//! `decompress.*`: the tasks that undo those of `compress.*`. Their code is in `compress`, too.

use super::compress::{gzip, lz4, zlib};

rspool_task::table! {
    "decompress.gzip" => gzip::gunzip,
    "decompress.zlib" => zlib::unzlib,
    "decompress.deflate" => zlib::inflate,
    "decompress.lz4" => lz4::decompress,
}
