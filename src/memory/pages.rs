//! The pages of large memory.

/// Asks the system for large pages where `length` bytes from `base` on cover some. Memory that is used for the first time
/// costs a fault per page, which for 80 MB is 30 ms with pages of 4 KiB and some ms with pages of 2 MiB. Nothing else
/// changes, and a system may ignore it.
#[cfg(target_os = "linux")]
pub fn prefer_large(base: *mut u8, length: usize) {
    use rustix::mm::{Advice, madvise};

    const LARGE: usize = 2 << 20;
    let Some(start) = base.addr().checked_next_multiple_of(LARGE) else {
        return;
    };
    let end = (base.addr() + length) / LARGE * LARGE;
    if start < end {
        let first = base.wrapping_add(start - base.addr()).cast();
        // SAFETY: pages of memory that the caller has; the advice changes no byte of it.
        let _ = unsafe { madvise(first, end - start, Advice::LinuxHugepage) };
    }
}

/// Other systems decide by themselves.
#[cfg(not(target_os = "linux"))]
pub fn prefer_large(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_stay_as_they_are() {
        let mut bytes = vec![7u8; 9 << 20];
        for (skip, length) in [(0, 9 << 20), (1, 5 << 20), (4096, 100), (0, 0)] {
            prefer_large(bytes[skip..].as_mut_ptr(), length);
        }
        assert!(bytes.iter().all(|byte| *byte == 7));
    }
}
