//! Bytes and texts that travel between rspool and a plugin without a copy.

use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use crate::abi::Release;
use crate::abi::flag;

/// Bytes with one owner, wherever they were allocated. They read as a `[u8]`, and are made from a `Vec<u8>` without a
/// copy. The bytes of an input live at least as long as its call; [`Bytes::into_owned`] keeps them for longer.
pub struct Bytes<'a> {
    data: NonNull<u8>,
    len: usize,
    owner: *mut c_void,
    release: Option<Release>,
    flags: u32,
    lent: PhantomData<&'a [u8]>,
}

// SAFETY: the bytes have one owner, and whoever lends them out for reading promises that they stay as they are;
// `release` may be called on any thread.
unsafe impl Send for Bytes<'_> {}
// SAFETY: through a shared reference they are only read.
unsafe impl Sync for Bytes<'_> {}

/// Takes back memory that was a `Vec<T>`, whose capacity is in `owner`.
unsafe extern "C" fn release_vec<T>(owner: *mut c_void, data: *mut c_void, len: usize) {
    // SAFETY: the parts of a `Vec<T>` that was forgotten.
    drop(unsafe { Vec::<T>::from_raw_parts(data.cast(), len / size_of::<T>(), owner.addr()) });
}

/// Its address tells whether bytes are a `Vec<u8>` of this side.
static RELEASE_VEC: Release = release_vec::<u8>;

impl Bytes<'static> {
    /// No bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            data: NonNull::dangling(),
            len: 0,
            owner: ptr::null_mut(),
            release: None,
            flags: flag::WRITABLE,
            lent: PhantomData,
        }
    }

    /// The memory of a vector, without a copy.
    pub(crate) fn from_vec<T: Copy>(vec: Vec<T>) -> Self {
        let mut vec = std::mem::ManuallyDrop::new(vec);
        let (data, len, capacity) = (vec.as_mut_ptr(), vec.len(), vec.capacity());
        let release: Release = match size_of::<T>() {
            1 => RELEASE_VEC,
            _ => release_vec::<T>,
        };
        Self {
            // SAFETY: the pointer of a vector is never null.
            data: unsafe { NonNull::new_unchecked(data.cast()) },
            len: len * size_of::<T>(),
            owner: ptr::without_provenance_mut(capacity),
            release: Some(release),
            flags: flag::WRITABLE,
            lent: PhantomData,
        }
    }
}

impl Bytes<'_> {
    /// Bytes that somebody else has allocated.
    ///
    /// # Safety
    /// `len` bytes from `data` on are readable, and nobody writes them, until `release` is called with these parts:
    /// once, on any thread; with [`flag::LENT`] only for the lifetime. With [`flag::WRITABLE`] nobody else reads them
    /// either, and they may be written.
    #[must_use]
    pub unsafe fn from_parts(
        data: *mut u8,
        len: usize,
        owner: *mut c_void,
        release: Option<Release>,
        flags: u32,
    ) -> Self {
        Self {
            data: NonNull::new(data).unwrap_or(NonNull::dangling()),
            len,
            owner,
            release,
            flags,
            lent: PhantomData,
        }
    }

    /// The parts, for [`Bytes::from_parts`]. The bytes are no longer dropped here.
    #[must_use]
    pub fn into_parts(self) -> (*mut u8, usize, *mut c_void, Option<Release>, u32) {
        let this = std::mem::ManuallyDrop::new(self);
        (
            this.data.as_ptr(),
            this.len,
            this.owner,
            this.release,
            this.flags,
        )
    }

    /// Whether they can be changed in place.
    pub(crate) fn is_writable(&self) -> bool {
        self.flags & flag::WRITABLE != 0
    }

    /// The bytes as a vector, if they came from a vector of this binary.
    ///
    /// # Errors
    /// The bytes, if they did not.
    pub fn try_into_vec(self) -> Result<Vec<u8>, Self> {
        let is_vec = self
            .release
            .is_some_and(|release| ptr::fn_addr_eq(release, RELEASE_VEC));
        if !is_vec {
            return Err(self);
        }
        let (data, len, owner, ..) = self.into_parts();
        // SAFETY: the parts of a `Vec<u8>`, as `from_vec` has forgotten it, and nobody else's any more.
        Ok(unsafe { Vec::from_raw_parts(data, len, owner.addr()) })
    }

    /// The bytes as a vector: without a copy if they came from a vector of this binary.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.try_into_vec().unwrap_or_else(|bytes| bytes.to_vec())
    }

    /// The bytes without the limit of the call: copied if they are lent for it.
    #[must_use]
    pub fn into_owned(self) -> Bytes<'static> {
        if self.flags & flag::LENT != 0 {
            return self.to_vec().into();
        }
        let (data, len, owner, release, flags) = self.into_parts();
        // SAFETY: as these bytes, which are not bound to a call.
        unsafe { Bytes::from_parts(data, len, owner, release, flags) }
    }

    /// The bytes, to change them in place: without a copy if nobody else reads them.
    pub fn to_mut(&mut self) -> &mut [u8] {
        if !self.is_writable() {
            *self = self.to_vec().into();
        }
        // SAFETY: writable bytes are this value's alone, and it is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl Drop for Bytes<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: the parts as they were given; nobody has them any more.
            unsafe { release(self.owner, self.data.as_ptr().cast(), self.len) }
        }
    }
}

impl Default for Bytes<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: readable as long as they are owned; nobody writes them meanwhile.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl AsRef<[u8]> for Bytes<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Clone for Bytes<'_> {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes<'_> {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Bytes<'_> {}

impl From<Vec<u8>> for Bytes<'_> {
    fn from(vec: Vec<u8>) -> Self {
        Bytes::from_vec(vec)
    }
}

impl From<Box<[u8]>> for Bytes<'_> {
    fn from(bytes: Box<[u8]>) -> Self {
        bytes.into_vec().into()
    }
}

impl From<&[u8]> for Bytes<'_> {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<[u8; N]> for Bytes<'_> {
    fn from(bytes: [u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes<'_> {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

/// A text with one owner, wherever it was allocated. It reads as a `str`, and is made from a `String` without a copy.
/// The text of an input lives as long as its call; [`Text::into_owned`] keeps it for longer.
#[derive(Clone)]
pub struct Text<'a>(Bytes<'a>);

impl<'a> Text<'a> {
    /// The text of these bytes, or the bytes again if they are not UTF-8.
    pub fn from_utf8(bytes: Bytes<'a>) -> Result<Self, Bytes<'a>> {
        match str::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(bytes),
        }
    }

    /// The text of these bytes.
    ///
    /// # Safety
    /// They are UTF-8.
    pub(crate) unsafe fn from_utf8_unchecked(bytes: Bytes<'a>) -> Self {
        Self(bytes)
    }

    /// Its UTF-8, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes<'a> {
        self.0
    }

    /// The text without the limit of the call: copied if it is lent for it.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(self.0.into_owned())
    }

    /// The text as a `String`: without a copy if it came from a `String` of this binary.
    #[must_use]
    pub fn into_string(self) -> String {
        // SAFETY: checked where the text was made, and never changed since.
        unsafe { String::from_utf8_unchecked(self.0.into_vec()) }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: checked where the text was made, and never changed since.
        unsafe { str::from_utf8_unchecked(&self.0) }
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<T: AsRef<str> + ?Sized> PartialEq<T> for Text<'_> {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Text<'_> {}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&str> for Text<'_> {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_goes_and_comes_back_without_a_copy() {
        let vec = vec![1, 2, 3];
        let at = vec.as_ptr();
        let bytes = Bytes::from(vec);
        assert_eq!(bytes, [1, 2, 3]);
        let (data, len, owner, release, flags) = bytes.into_parts();
        // SAFETY: the parts of the bytes, used once.
        let bytes = unsafe { Bytes::from_parts(data, len, owner, release, flags) };
        let vec = bytes.into_vec();
        assert_eq!((vec.as_ptr(), &*vec), (at, &[1, 2, 3][..]));
    }

    #[test]
    fn lent_bytes_are_copied_before_they_are_changed() {
        let mut kept = *b"abc";
        let at = kept.as_mut_ptr();
        // SAFETY: the array outlives the value, and is not used meanwhile.
        let lent = || unsafe { Bytes::from_parts(at, 3, ptr::null_mut(), None, flag::LENT) };
        let mut bytes = lent();
        bytes.to_mut()[0] = b'x';
        assert_eq!(bytes, "xbc");
        let (bytes, owned) = (lent(), lent().into_owned());
        assert!(bytes.as_ptr() != owned.as_ptr() && bytes == owned);
        assert_eq!(&kept, b"abc");
    }

    #[test]
    fn wide_elements_are_freed_as_what_they_were() {
        let bytes = Bytes::from_vec(vec![1u64, 2]);
        assert_eq!(bytes.len(), 16);
        assert_eq!(bytes.into_vec().len(), 16);
    }

    #[test]
    fn a_text_is_checked() {
        assert_eq!(Text::from_utf8("grüße".as_bytes().into()).unwrap(), "grüße");
        assert!(Text::from_utf8([0xff].into()).is_err());
        assert_eq!(Text::from("a").into_string(), "a");
    }
}
