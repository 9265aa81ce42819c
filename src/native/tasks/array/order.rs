//! Orders elements as `TypedArray.prototype.sort` does, by keys that sort as unsigned integers.

use std::ops::{BitAnd, BitXor};

use super::elements::made_of;
use super::sample_sort::{Mapping, SortKey};
use rspool_task::{ArrayKind, Context, Error, TypedArray};

/// The bits of an element as an unsigned integer.
pub(super) trait Bits: SortKey + BitAnd<Output = Self> + BitXor<Output = Self> {
    const ZERO: Self;
    const SIGN: Self;
    /// The bits of the lowest float. Those above it are NaN with a sign.
    const NEGATIVE_INFINITY: Self;
    /// All ones if the highest bit is set, or else zero.
    fn spread_sign(self) -> Self;
    fn to_index(self) -> usize;
    /// The value from which [`to_index`](Self::to_index) makes this index.
    fn from_index(index: usize) -> Self;
}

macro_rules! bits {
    ($type:ty, $signed:ty, $negative_infinity:expr) => {
        impl Bits for $type {
            const ZERO: Self = 0;
            const SIGN: Self = 1 << (<$type>::BITS - 1);
            const NEGATIVE_INFINITY: Self = $negative_infinity;
            #[inline]
            fn spread_sign(self) -> Self {
                (self as $signed >> (<$type>::BITS - 1)) as $type
            }
            #[inline]
            fn to_index(self) -> usize {
                self as usize
            }
            #[inline]
            fn from_index(index: usize) -> Self {
                index as Self
            }
        }
    };
}

bits!(u8, i8, u8::MAX);
bits!(u16, i16, u16::MAX);
bits!(u32, i32, f32::NEG_INFINITY.to_bits());
bits!(u64, i64, f64::NEG_INFINITY.to_bits());

/// The order of elements. A key is made without a branch, because the signs of random numbers cannot be predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<K> {
    /// The bits that are flipped in each element.
    flip: K,
    /// The bits that are also flipped in a negative element.
    flip_negative: K,
    /// Bits above this one are a NaN with a sign.
    last: K,
    /// The bits that are flipped in a NaN with a sign instead.
    flip_nan: K,
}

impl<K: Bits> Order<K> {
    pub(super) fn new(kind: ArrayKind, descending: bool) -> Self {
        let (flip, flip_negative, last) = match kind {
            ArrayKind::Int8 | ArrayKind::Int16 | ArrayKind::Int32 | ArrayKind::BigInt64 => {
                (K::SIGN, K::ZERO, K::MAX)
            }
            ArrayKind::Float32 | ArrayKind::Float64 => {
                (K::SIGN, K::SIGN ^ K::MAX, K::NEGATIVE_INFINITY)
            }
            _ => (K::ZERO, K::ZERO, K::MAX),
        };
        let reverse = if descending { K::MAX } else { K::ZERO };
        Self {
            flip: flip ^ reverse,
            flip_negative,
            last,
            flip_nan: reverse,
        }
    }
}

impl<K: Bits> Mapping<K> for Order<K> {
    /// Turns the bits of an element into a key that sorts as the element does. NaN loses its sign, which JavaScript
    /// cannot see, so that every NaN comes last.
    #[inline]
    fn key(self, bits: K) -> K {
        let flip = self.flip ^ (bits.spread_sign() & self.flip_negative);
        bits ^ if bits > self.last {
            self.flip_nan
        } else {
            flip
        }
    }

    /// The reverse of `key`.
    #[inline]
    fn element(self, key: K) -> K {
        let bits = key ^ self.flip;
        // The sign is unchanged: it says whether the other bits were flipped.
        bits ^ (bits.spread_sign() & self.flip_negative)
    }
}

/// The keys of elements of any kind, in 64 bits.
pub(super) fn keys_of(kind: ArrayKind, bytes: &[u8], keys: &mut Vec<u64>) {
    fn fill<K: Bits + Into<u64>>(kind: ArrayKind, bytes: &[u8], keys: &mut Vec<u64>) {
        let order = Order::<K>::new(kind, false);
        let elements = bytes.chunks_exact(size_of::<K>());
        keys.clear();
        keys.extend(elements.map(|element| -> u64 {
            order.key(bytemuck::pod_read_unaligned::<K>(element)).into()
        }));
    }
    match kind.size() {
        1 => fill::<u8>(kind, bytes, keys),
        2 => fill::<u16>(kind, bytes, keys),
        4 => fill::<u32>(kind, bytes, keys),
        _ => fill::<u64>(kind, bytes, keys),
    }
}

/// A typed array of elements, each of which has the key that `key` gives.
pub(super) fn elements_of(
    kind: ArrayKind,
    length: usize,
    context: &Context<'_>,
    key: impl Fn(usize) -> u64,
) -> Result<TypedArray<'static>, Error> {
    macro_rules! elements {
        ($type:ty) => {{
            let order = Order::<$type>::new(kind, false);
            made_of(kind, length, context, |index| {
                order.element(key(index) as $type)
            })
        }};
    }
    match kind.size() {
        1 => elements!(u8),
        2 => elements!(u16),
        4 => elements!(u32),
        _ => elements!(u64),
    }
}

/// The greatest key that is not a NaN.
pub(super) fn last_number(kind: ArrayKind) -> u64 {
    match kind {
        ArrayKind::Float32 => {
            let order = Order::<u32>::new(kind, false);
            order.key(f32::INFINITY.to_bits()).into()
        }
        ArrayKind::Float64 => Order::<u64>::new(kind, false).key(f64::INFINITY.to_bits()),
        _ => u64::MAX,
    }
}

/// A key as equality sees it: there is one zero and one NaN.
pub(super) fn same_value(kind: ArrayKind) -> impl Fn(u64) -> u64 {
    let (zero, minus_zero) = match kind {
        ArrayKind::Float32 => {
            let order = Order::<u32>::new(kind, false);
            (u64::from(order.key(0)), u64::from(order.key(1 << 31)))
        }
        ArrayKind::Float64 => {
            let order = Order::<u64>::new(kind, false);
            (order.key(0), order.key(1 << 63))
        }
        _ => (0, 0),
    };
    let nan = match kind {
        ArrayKind::Float32 => u64::from(Order::<u32>::new(kind, false).key(f32::NAN.to_bits())),
        ArrayKind::Float64 => Order::<u64>::new(kind, false).key(f64::NAN.to_bits()),
        _ => u64::MAX,
    };
    let last = last_number(kind);
    move |key| match key {
        key if key == minus_zero => zero,
        key if key > last => nan,
        key => key,
    }
}
