//! Texts that are too long for the memories, as engine strings over Rust memory, if the engine has such strings.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::LazyLock;

use napi::sys;

use super::call::{Fault, Returned, check};
use crate::memory::bytes::Bytes;

/// From this many bytes on, a string uses the bytes in place. For a shorter one, that takes longer than a copy.
const LONG: usize = 1 << 16;

type Finalize = unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void);

/// Makes a string over memory of characters `C`. The finalizer gives the memory back.
type External<C> = unsafe extern "C" fn(
    sys::napi_env,
    *const C,
    usize,
    Finalize,
    *mut c_void,
    *mut sys::napi_value,
    *mut bool,
) -> sys::napi_status;

/// Makes a string from a copy.
type Copied<C> =
    unsafe fn(sys::napi_env, *const C, isize, *mut sys::napi_value) -> sys::napi_status;

/// Functions that not every engine has, and some only since a certain version. There is no other way to ask for them.
struct Externals {
    latin1: Option<External<c_char>>,
    utf16: Option<External<u16>>,
}

static EXTERNALS: LazyLock<Externals> = LazyLock::new(|| {
    // SAFETY: the types are those of the functions with these names.
    unsafe {
        Externals {
            latin1: symbol(b"node_api_create_external_string_latin1\0"),
            utf16: symbol(b"node_api_create_external_string_utf16\0"),
        }
    }
});

/// A function of the program that has loaded the addon.
///
/// # Safety
/// `F` is the type of the function, if there is one.
unsafe fn symbol<F: Copy>(name: &[u8]) -> Option<F> {
    #[cfg(unix)]
    let host = libloading::os::unix::Library::this();
    #[cfg(windows)]
    let host = libloading::os::windows::Library::this().ok()?;
    // SAFETY: as the caller promises; the program is never unloaded, so the function outlives the handle.
    unsafe { host.get::<F>(name).ok().map(|symbol| *symbol) }
}

/// A string from bytes that are characters.
pub(super) fn latin1(env: sys::napi_env, bytes: Bytes) -> Returned {
    // SAFETY: the functions make strings of one byte a character.
    unsafe { make::<c_char>(env, bytes, EXTERNALS.latin1, sys::napi_create_string_latin1) }
}

/// A string from characters of two bytes.
pub(super) fn utf16(env: sys::napi_env, bytes: Bytes) -> Returned {
    // SAFETY: the functions make strings of two bytes a character.
    unsafe { make::<u16>(env, bytes, EXTERNALS.utf16, sys::napi_create_string_utf16) }
}

/// # Safety
/// The functions make strings of characters `C`.
unsafe fn make<C>(
    env: sys::napi_env,
    bytes: Bytes,
    external: Option<External<C>>,
    copied: Copied<C>,
) -> Returned {
    let data = bytes.as_ptr().cast::<C>();
    let length = bytes.len() / size_of::<C>();
    if !data.is_aligned() {
        return Err(Fault("a text is not aligned"));
    }
    let mut value = ptr::null_mut();
    let status = match external {
        Some(external) if bytes.len() >= LONG => {
            account(env, bytes.len().cast_signed());
            let owner = Box::into_raw(Box::new(bytes));
            let mut is_copy = false;
            // SAFETY: the characters stay where they are until `free` has their owner, and nobody else has. An engine
            // that copies them calls it itself.
            let status = unsafe {
                external(
                    env,
                    data,
                    length,
                    free,
                    owner.cast(),
                    &mut value,
                    &mut is_copy,
                )
            };
            if status != sys::Status::napi_ok {
                // SAFETY: the engine has not taken the owner.
                unsafe { free(env, ptr::null_mut(), owner.cast()) };
            }
            status
        }
        // SAFETY: the engine copies so many characters.
        _ => unsafe { copied(env, data, length.cast_signed(), &mut value) },
    };
    check(status, "no memory for a text")?;
    Ok(Some(value))
}

/// Tells the engine how much memory its garbage keeps, because it collects by that.
fn account(env: sys::napi_env, change: isize) {
    let mut sum = 0;
    // SAFETY: the environment is that of a running call, or of a finalizer, which may call this.
    unsafe { sys::napi_adjust_external_memory(env, change as i64, &mut sum) };
}

unsafe extern "C" fn free(env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: the box that `make` gave away.
    let bytes = unsafe { Box::from_raw(owner.cast::<Bytes>()) };
    account(env, -bytes.len().cast_signed());
}
