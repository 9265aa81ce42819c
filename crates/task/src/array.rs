//! Typed arrays: [`Array`] has elements of a type that the task knows, [`TypedArray`] of any kind.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::abi::kind;
use crate::bytes::Bytes;
use crate::data::Data;

/// The kinds of typed array that tasks know. `Float16Array` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
#[expect(missing_docs, reason = "each name says its kind")]
pub enum ArrayKind {
    Uint8 = kind::UINT8,
    Int8 = kind::INT8,
    Uint8Clamped = kind::UINT8_CLAMPED,
    Int16 = kind::INT16,
    Uint16 = kind::UINT16,
    Int32 = kind::INT32,
    Uint32 = kind::UINT32,
    Float32 = kind::FLOAT32,
    Float64 = kind::FLOAT64,
    BigInt64 = kind::BIG_INT64,
    BigUint64 = kind::BIG_UINT64,
}

impl ArrayKind {
    const ALL: [Self; 11] = [
        Self::Uint8,
        Self::Int8,
        Self::Uint8Clamped,
        Self::Int16,
        Self::Uint16,
        Self::Int32,
        Self::Uint32,
        Self::Float32,
        Self::Float64,
        Self::BigInt64,
        Self::BigUint64,
    ];

    /// The kind of this number.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }

    /// Bytes per element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Int8 | Self::Uint8 | Self::Uint8Clamped => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Float64 | Self::BigInt64 | Self::BigUint64 => 8,
        }
    }

    /// The name of the JavaScript class.
    #[must_use]
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::Int8 => "Int8Array",
            Self::Uint8 => "Uint8Array",
            Self::Uint8Clamped => "Uint8ClampedArray",
            Self::Int16 => "Int16Array",
            Self::Uint16 => "Uint16Array",
            Self::Int32 => "Int32Array",
            Self::Uint32 => "Uint32Array",
            Self::Float32 => "Float32Array",
            Self::Float64 => "Float64Array",
            Self::BigInt64 => "BigInt64Array",
            Self::BigUint64 => "BigUint64Array",
        }
    }
}

/// The elements of a typed array of any kind, in the byte order of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedArray<'a> {
    /// The type of the elements.
    pub kind: ArrayKind,
    /// The elements' bytes; the length is a multiple of [`ArrayKind::size`].
    pub bytes: Data<'a>,
}

impl TypedArray<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.kind.size()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements without the limit of the call: copied if they are lent for it.
    #[must_use]
    pub fn into_owned(self) -> TypedArray<'static> {
        TypedArray {
            kind: self.kind,
            bytes: self.bytes.into_owned(),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The elements that an [`Array`] can have: integers of 8 to 64 bits, and floats.
pub trait Element: Copy + Send + Sync + fmt::Debug + PartialEq + sealed::Sealed + 'static {
    /// The typed array that has such elements.
    const KIND: ArrayKind;
}

macro_rules! elements {
    ($($type:ty: $kind:ident),+) => {
        $(
            impl sealed::Sealed for $type {}
            impl Element for $type {
                const KIND: ArrayKind = ArrayKind::$kind;
            }
        )+
    };
}

elements! {
    u8: Uint8, i8: Int8, u16: Uint16, i16: Int16, u32: Uint32, i32: Int32,
    f32: Float32, f64: Float64, i64: BigInt64, u64: BigUint64
}

/// A typed array. It reads as a `[T]`, and is made from a `Vec<T>` without a copy. `Array<f64>` is a Float64Array,
/// `Array<u64>` a BigUint64Array, and so on. The array of an input lives as long as its call; [`Array::into_owned`]
/// keeps it for longer.
#[derive(Clone)]
pub struct Array<'a, T: Element> {
    /// Aligned for `T`, and whole elements.
    bytes: Bytes<'a>,
    elements: PhantomData<T>,
}

impl<'a, T: Element> Array<'a, T> {
    /// The elements of these bytes: without a copy if they are aligned, as those of a typed array are. Bytes after the
    /// last whole element are dropped.
    #[must_use]
    pub fn from_bytes(bytes: Bytes<'a>) -> Self {
        let whole = bytes.len().is_multiple_of(size_of::<T>());
        if whole && bytes.as_ptr().cast::<T>().is_aligned() {
            return Self {
                bytes,
                elements: PhantomData,
            };
        }
        let elements = bytes.chunks_exact(size_of::<T>());
        // SAFETY: any bits are an element, and a chunk has as many bytes as one.
        let read = |chunk: &[u8]| unsafe { chunk.as_ptr().cast::<T>().read_unaligned() };
        elements.map(read).collect::<Vec<T>>().into()
    }

    /// The elements, to change them in place: without a copy if nobody else reads them.
    pub fn to_mut(&mut self) -> &mut [T] {
        let len = self.len();
        if !self.bytes.is_writable() {
            *self = self.to_vec().into();
        }
        let data = self.bytes.to_mut().as_mut_ptr();
        // SAFETY: aligned, whole elements, which are this value's alone, and it is borrowed.
        unsafe { std::slice::from_raw_parts_mut(data.cast(), len) }
    }

    /// As an array of any kind.
    #[must_use]
    pub fn into_typed_array(self) -> TypedArray<'a> {
        TypedArray {
            kind: T::KIND,
            bytes: self.bytes.into(),
        }
    }

    /// The elements without the limit of the call: copied if they are lent for it.
    #[must_use]
    pub fn into_owned(self) -> Array<'static, T> {
        Array::from_bytes(self.bytes.into_owned())
    }
}

impl<T: Element> Deref for Array<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let len = self.bytes.len() / size_of::<T>();
        // SAFETY: aligned whole elements, and any bits are one.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast(), len) }
    }
}

impl<T: Element> From<Vec<T>> for Array<'_, T> {
    fn from(vec: Vec<T>) -> Self {
        Self {
            bytes: Bytes::from_vec(vec),
            elements: PhantomData,
        }
    }
}

impl<T: Element> FromIterator<T> for Array<'_, T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: Element> fmt::Debug for Array<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Element> PartialEq for Array<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds_are_the_same() {
        for (number, kind) in (0..).zip(ArrayKind::ALL) {
            assert_eq!(kind as u32, number);
            assert_eq!(ArrayKind::of(number), Some(kind));
        }
        assert_eq!(ArrayKind::of(11), None);
    }

    #[test]
    fn elements_come_from_a_vector_and_are_changed_in_place() {
        let vec = vec![1.5, 2.5];
        let at = vec.as_ptr();
        let mut array = Array::from(vec);
        array.to_mut()[0] = 7.0;
        assert_eq!((&*array, array.as_ptr()), (&[7.0, 2.5][..], at));
        let any = array.into_typed_array();
        assert_eq!((any.kind, any.len()), (ArrayKind::Float64, 2));
        assert_eq!(
            Array::<f64>::from_bytes(any.bytes.into_bytes()).as_ptr(),
            at
        );
    }

    #[test]
    fn bytes_that_are_not_aligned_or_not_whole_are_copied() {
        let bytes: Bytes = vec![0u8; 17].into();
        let array = Array::<u64>::from_bytes(bytes);
        assert_eq!(&*array, [0, 0]);
        assert!(array.as_ptr().is_aligned());
        assert!(Array::<u64>::from_bytes(Bytes::new()).is_empty());
    }
}
