//! The file behind a region: it has no name, all its pages exist, and nobody can change its size.
//!
//! Linux has all of that (`memfd` and its seals). On other systems the file loses its name as soon as it is open, and
//! is trusted to stay as it is.

use std::os::fd::OwnedFd;

#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::fs;

use super::RegionError;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::memory) fn anonymous_file(name: &std::ffi::CStr) -> Result<OwnedFd, RegionError> {
    use fs::MemfdFlags;
    Ok(fs::memfd_create(
        name,
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(in crate::memory) fn anonymous_file(_: &std::ffi::CStr) -> Result<OwnedFd, RegionError> {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!(
        "rspool-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Relaxed)
    );
    let path = std::env::temp_dir().join(name);
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(RegionError::Io)?;
    std::fs::remove_file(&path).map_err(RegionError::Io)?;
    Ok(file.into())
}

/// Pages that exist cannot run out later: a full tmpfs is an error here, and never a SIGBUS later.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::memory) fn reserve(file: &OwnedFd, bytes: usize) -> Result<(), RegionError> {
    Ok(fs::fallocate(
        file,
        fs::FallocateFlags::empty(),
        0,
        bytes as u64,
    )?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(in crate::memory) fn reserve(_: &OwnedFd, _: usize) -> Result<(), RegionError> {
    Ok(())
}

/// Fixes the size for good.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::memory) fn seal(file: &OwnedFd) -> Result<(), RegionError> {
    use fs::SealFlags;
    Ok(fs::fcntl_add_seals(
        file,
        SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
    )?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(in crate::memory) fn seal(_: &OwnedFd) -> Result<(), RegionError> {
    Ok(())
}

/// Refuses a file whose size is not fixed.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(in crate::memory) fn check_seal(file: &OwnedFd) -> Result<(), RegionError> {
    match fs::fcntl_get_seals(file) {
        Ok(seals) if seals.contains(fs::SealFlags::SHRINK) => Ok(()),
        _ => Err(RegionError::Mismatch("its size is not sealed".into())),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(in crate::memory) fn check_seal(_: &OwnedFd) -> Result<(), RegionError> {
    Ok(())
}
