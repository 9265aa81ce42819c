//! The elements of typed arrays, as memory and as numbers.

use std::alloc::{Layout, alloc_zeroed};
use std::borrow::Cow;

use bytemuck::{AnyBitPattern, NoUninit, Pod};

use super::super::steps::Steps;
use crate::memory::pages;
use rspool_task::{ArrayKind, Context, Error, ROWS, TypedArray, room_for};

/// Elements of a chunk: some tenths of a millisecond of work.
pub(super) const PIECE: usize = 64 * 1024;
/// With fewer elements, another worker would come too late.
const WORTH_HELP: usize = 1024 * 1024;

/// The elements in place, if they are aligned, as those of a typed array are.
pub(super) fn aligned<T: AnyBitPattern + NoUninit>(bytes: &[u8]) -> Cow<'_, [T]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(elements) => Cow::Borrowed(elements),
        Err(_) => {
            let elements = bytes.chunks_exact(size_of::<T>());
            Cow::Owned(elements.map(bytemuck::pod_read_unaligned).collect())
        }
    }
}

/// A vector of `length` elements that are 0. Pages that are not used cost nothing.
pub(super) fn zeroed<K: Pod>(length: usize) -> Result<Vec<K>, Error> {
    let out_of_memory = || Error::out_of_memory(size_of::<K>().saturating_mul(length));
    let layout = Layout::array::<K>(length).map_err(|_| out_of_memory())?;
    if layout.size() == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the layout has a size.
    let base = unsafe { alloc_zeroed(layout) };
    if base.is_null() {
        return Err(out_of_memory());
    }
    pages::prefer_large(base, layout.size());
    // SAFETY: allocated as a vector of this capacity is, and zeros are elements.
    Ok(unsafe { Vec::from_raw_parts(base.cast(), length, length) })
}

/// A result that is a typed array.
pub(super) fn array_of<T: NoUninit>(kind: ArrayKind, elements: &[T]) -> TypedArray<'static> {
    let bytes: Vec<u8> = bytemuck::cast_slice(elements).to_vec();
    TypedArray {
        kind,
        bytes: bytes.into(),
    }
}

/// A typed array of `length` elements, each of which `element` makes. There is a check before each piece.
pub(super) fn made_of<T: NoUninit>(
    kind: ArrayKind,
    length: usize,
    context: &Context<'_>,
    mut element: impl FnMut(usize) -> T,
) -> Result<TypedArray<'static>, Error> {
    let mut bytes: Vec<u8> = room_for(length.saturating_mul(size_of::<T>()))?;
    for start in (0..length).step_by(PIECE) {
        context.check()?;
        for index in start..length.min(start + PIECE) {
            bytes.extend_from_slice(bytemuck::bytes_of(&element(index)));
        }
    }
    Ok(TypedArray {
        kind,
        bytes: bytes.into(),
    })
}

/// Calls `work` with each piece of an array, on any worker, and returns the results in order. Counts the elements.
pub(super) fn map_pieces<R: Send>(
    array: &TypedArray,
    piece: usize,
    context: &Context<'_>,
    steps: &Steps<'_, '_>,
    work: impl Fn(usize, &[u8]) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let size = array.kind.size();
    let starts: Vec<usize> = (0..array.len()).step_by(piece).collect();
    let context = context.with_help_if(array.len() >= WORTH_HELP);
    context.map_items(starts, |_, start: usize| {
        let end = array.len().min(start + piece);
        let bytes = start * size..end * size;
        let result = array
            .bytes
            .with(bytes, &mut Vec::new(), |bytes| work(start, bytes))?;
        context.count(ROWS, (end - start) as i64);
        steps.pass(end - start);
        Ok(result)
    })
}

/// As [`map_pieces`], with the elements as numbers.
///
/// # Errors
/// `ERR_RSPOOL_INVALID_ARGUMENT` for BigInts.
pub(super) fn map_numbers<R: Send>(
    array: &TypedArray,
    what: &str,
    context: &Context<'_>,
    steps: &Steps<'_, '_>,
    work: impl Fn(usize, &[f64]) -> R + Sync,
) -> Result<Vec<R>, Error> {
    refuse_big_ints(array, what)?;
    map_pieces(array, PIECE, context, steps, |start, bytes| {
        let mut numbers = Vec::with_capacity(bytes.len() / array.kind.size());
        numbers_of(array.kind, bytes, &mut numbers);
        Ok(work(start, &numbers))
    })
}

/// Refuses an array whose elements are not numbers.
pub(super) fn refuse_big_ints(array: &TypedArray, what: &str) -> Result<(), Error> {
    match array.kind {
        ArrayKind::BigInt64 | ArrayKind::BigUint64 => {
            let class = array.kind.class_name();
            Err(Error::invalid(format!(
                "{what} must be a typed array of numbers, got a {class}"
            )))
        }
        _ => Ok(()),
    }
}

/// The elements as numbers; none for BigInts.
pub(super) fn numbers_of(kind: ArrayKind, bytes: &[u8], numbers: &mut Vec<f64>) {
    fn fill<T: AnyBitPattern + Into<f64>>(bytes: &[u8], numbers: &mut Vec<f64>) {
        let elements = bytes.chunks_exact(size_of::<T>());
        numbers.extend(
            elements.map(|element| -> f64 { bytemuck::pod_read_unaligned::<T>(element).into() }),
        );
    }
    match kind {
        ArrayKind::Int8 => fill::<i8>(bytes, numbers),
        ArrayKind::Uint8 | ArrayKind::Uint8Clamped => fill::<u8>(bytes, numbers),
        ArrayKind::Int16 => fill::<i16>(bytes, numbers),
        ArrayKind::Uint16 => fill::<u16>(bytes, numbers),
        ArrayKind::Int32 => fill::<i32>(bytes, numbers),
        ArrayKind::Uint32 => fill::<u32>(bytes, numbers),
        ArrayKind::Float32 => fill::<f32>(bytes, numbers),
        ArrayKind::Float64 => fill::<f64>(bytes, numbers),
        ArrayKind::BigInt64 | ArrayKind::BigUint64 => {}
    }
}
