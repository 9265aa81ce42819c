//! Descriptors that JavaScript names by their numbers.

use std::os::fd::BorrowedFd;

/// The descriptor of that number, for as long as the number is borrowed: one call. None if no descriptor can have such
/// a number.
pub(super) fn borrowed(fd: &i32) -> Option<BorrowedFd<'_>> {
    if *fd < 0 {
        return None;
    }
    // SAFETY: it is borrowed for one call only; a number that is not open makes the first system call fail.
    Some(unsafe { BorrowedFd::borrow_raw(*fd) })
}
