//! `compress.*` and `decompress.*`, a file a format.

mod blocks;
mod gzip;
mod lz4;
mod output;
mod zlib;

use crate::native::registry::NativeTask;

/// The tasks of this family.
pub(super) const TASKS: &[NativeTask] = &[
    NativeTask {
        name: "compress.gzip",
        run: gzip::gzip,
    },
    NativeTask {
        name: "compress.zlib",
        run: zlib::zlib,
    },
    NativeTask {
        name: "compress.deflate",
        run: zlib::deflate,
    },
    NativeTask {
        name: "compress.lz4",
        run: lz4::compress,
    },
    NativeTask {
        name: "decompress.gzip",
        run: gzip::gunzip,
    },
    NativeTask {
        name: "decompress.zlib",
        run: zlib::unzlib,
    },
    NativeTask {
        name: "decompress.deflate",
        run: zlib::inflate,
    },
    NativeTask {
        name: "decompress.lz4",
        run: lz4::decompress,
    },
];
