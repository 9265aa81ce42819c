//! Converts values to and from the form in which they cross the border. A value from the other side is checked as far
//! as possible: tags, kinds, lengths, UTF-8. Its pointers have to be trusted, as in every C interface.

use std::ffi::c_void;
use std::fmt;

use crate::abi::{Field, Raw, Str, flag, tag};
use crate::array::{ArrayKind, TypedArray};
use crate::bytes::{Bytes, Text};
use crate::data::{Data, Shared};
use crate::map::Map;
use crate::value::{BigInt, Record, Value};

/// How deep lists and records may be nested.
pub const MAX_DEPTH: usize = 128;

/// Why the other side's value is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

fn malformed(why: impl Into<String>) -> Malformed {
    Malformed(why.into())
}

impl From<Value<'_>> for Raw {
    /// Hands a value over. Lent memory is also lent to the other side.
    #[inline]
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Undefined => Self::UNDEFINED,
            Value::Null => Self::plain(tag::NULL, 0.0),
            Value::Bool(false) => Self::plain(tag::FALSE, 0.0),
            Value::Bool(true) => Self::plain(tag::TRUE, 0.0),
            Value::Number(number) => Self::plain(tag::NUMBER, number),
            other => Self::of_memory(other),
        }
    }
}

impl Raw {
    /// Hands over a value that has memory.
    fn of_memory(value: Value<'_>) -> Self {
        match value {
            Value::String(text) => from_bytes(tag::STRING, flag::UTF8, text.into_bytes()),
            Value::Bytes(data) => from_data(tag::BYTES, 0, data),
            Value::Array(TypedArray { kind, bytes }) => from_data(tag::ARRAY, kind as u32, bytes),
            Value::BigInt(BigInt { negative, words }) => {
                let mut raw = boxed(tag::BIGINT, words);
                raw.flags = if negative { flag::NEGATIVE } else { 0 };
                raw
            }
            Value::List(list) => boxed(tag::LIST, list.into_iter().map(Self::from).collect()),
            Value::Record(record) => from_record(record),
            Value::Map(map) => map.into(),
            plain => plain.into(),
        }
    }
}

fn from_data(tag: u32, kind: u32, data: Data<'_>) -> Raw {
    let mut raw = match data {
        Data::Own(bytes) => from_bytes(tag, 0, bytes),
        Data::Shared(shared) => {
            let (data, len, owner, release) = shared.into_parts();
            Raw {
                flags: flag::SHARED | flag::LENT,
                data: data.cast_mut().cast(),
                len,
                owner,
                release,
                ..Raw::plain(tag, 0.0)
            }
        }
    };
    raw.kind = kind;
    raw
}

fn from_bytes(tag: u32, also: u32, bytes: Bytes<'_>) -> Raw {
    let (data, len, owner, release, flags) = bytes.into_parts();
    Raw {
        flags: flags | also,
        data: data.cast(),
        len,
        owner,
        release,
        ..Raw::plain(tag, 0.0)
    }
}

/// A value whose list of items is in a box of its own.
fn boxed<T>(tag: u32, items: Vec<T>) -> Raw {
    unsafe extern "C" fn release<T>(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<Vec<T>>()) });
    }
    let mut items = Box::new(items);
    let (data, len) = (items.as_mut_ptr().cast(), items.len());
    Raw {
        data,
        len,
        owner: Box::into_raw(items).cast(),
        release: Some(release::<T>),
        ..Raw::plain(tag, 0.0)
    }
}

/// The fields of a record, and the memory of their names.
struct Fields {
    fields: Vec<Field>,
    _names: Vec<String>,
}

fn from_record(record: Record<'_>) -> Raw {
    unsafe extern "C" fn release(owner: *mut c_void, _: *mut c_void, _: usize) {
        // SAFETY: the box that is made below, once.
        drop(unsafe { Box::from_raw(owner.cast::<Fields>()) });
    }
    let (names, values): (Vec<_>, Vec<_>) = record.into_iter().unzip();
    // The bytes of a string stay where they are when the string moves.
    let field = |(name, value): (&String, Value<'_>)| Field {
        name: Str::of(name),
        value: value.into(),
    };
    let fields = names.iter().zip(values).map(field).collect();
    let mut owner = Box::new(Fields {
        fields,
        _names: names,
    });
    Raw {
        data: owner.fields.as_mut_ptr().cast(),
        len: owner.fields.len(),
        owner: Box::into_raw(owner).cast(),
        release: Some(release),
        ..Raw::plain(tag::RECORD, 0.0)
    }
}

/// How far the other side is trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Everything that can be checked is checked.
    None,
    /// The checks that the other side says it has made are not repeated.
    Checks,
}

impl Raw {
    /// The value, taken over without a copy of its bytes.
    ///
    /// # Safety
    /// What it points to is as `tag`, `len` and `release` say; what is lent is there for `'a`.
    #[inline]
    pub unsafe fn into_value<'a>(self) -> Result<Value<'a>, Malformed> {
        match self.plain_value() {
            Some(value) => Ok(value),
            // SAFETY: the caller's promise.
            None => unsafe { to_value(self, Trust::None, 0) },
        }
    }

    /// The value, if its type has no memory. If it has memory all the same, the drop of `self` frees it.
    #[inline]
    pub(crate) fn plain_value(&self) -> Option<Value<'static>> {
        Some(match self.tag {
            tag::UNDEFINED => Value::Undefined,
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::NUMBER => Value::Number(self.number),
            _ => return None,
        })
    }

    /// As [`Raw::into_value`], for a sender that has checked its strings.
    ///
    /// # Safety
    /// As for [`Raw::into_value`]; a string with [`flag::UTF8`] is UTF-8.
    #[inline]
    pub(crate) unsafe fn into_checked_value<'a>(self) -> Result<Value<'a>, Malformed> {
        match self.plain_value() {
            Some(value) => Ok(value),
            // SAFETY: the caller's promise.
            None => unsafe { to_value(self, Trust::Checks, 0) },
        }
    }

    /// The bytes of a string, of bytes or of an array. The result owns them.
    ///
    /// # Safety
    /// As for [`Raw::into_value`].
    unsafe fn into_data<'a>(mut self) -> Result<Data<'a>, Malformed> {
        if isize::try_from(self.len).is_err() {
            return Err(malformed(format!("a length of {}", self.len)));
        }
        if self.data.is_null() && self.len > 0 {
            return Err(malformed(format!("no memory for {} bytes", self.len)));
        }
        let release = self.release.take();
        let (data, len, owner, flags) = (self.data, self.len, self.owner, self.flags);
        let known = flag::WRITABLE | flag::LENT;
        Ok(if flags & flag::SHARED != 0 {
            // SAFETY: the caller's promise, and the value does not release them any more.
            Data::Shared(unsafe { Shared::from_parts(data.cast(), len, owner, release) })
        } else {
            // SAFETY: as above.
            Data::Own(unsafe { Bytes::from_parts(data.cast(), len, owner, release, flags & known) })
        })
    }

    /// The items of a list or a record, or the words of a BigInt.
    ///
    /// # Safety
    /// As for [`Raw::into_value`], and `T` is what the tag says.
    unsafe fn items<T>(&mut self) -> Result<&mut [T], Malformed> {
        if self.len == 0 {
            return Ok(&mut []);
        }
        let bytes = self.len.checked_mul(size_of::<T>());
        if self.data.is_null() || bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(malformed(format!("no memory for {} items", self.len)));
        }
        if !self.data.cast::<T>().is_aligned() {
            return Err(malformed("items that are not aligned"));
        }
        // SAFETY: the caller's promise.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.data.cast(), self.len) })
    }
}

/// # Safety
/// As for [`Raw::into_value`].
unsafe fn to_value<'a>(mut raw: Raw, trust: Trust, depth: usize) -> Result<Value<'a>, Malformed> {
    if depth > MAX_DEPTH {
        return Err(malformed(format!("more than {MAX_DEPTH} levels")));
    }
    if let Some(value) = raw.plain_value() {
        return Ok(value);
    }
    Ok(match raw.tag {
        tag::BIGINT => {
            let negative = raw.flags & flag::NEGATIVE != 0;
            // SAFETY: the words of a BigInt.
            let words = unsafe { raw.items::<u64>() }?.to_vec();
            Value::BigInt(BigInt { negative, words })
        }
        tag::STRING => {
            let checked = trust == Trust::Checks && raw.flags & flag::UTF8 != 0;
            // SAFETY: bytes.
            let bytes = unsafe { raw.into_data() }?.into_bytes();
            Value::String(if checked {
                // SAFETY: the other side has checked it, and is believed.
                unsafe { Text::from_utf8_unchecked(bytes) }
            } else {
                let text = Text::from_utf8(bytes);
                text.map_err(|_| malformed("a string that is no UTF-8"))?
            })
        }
        // SAFETY: bytes.
        tag::BYTES => Value::Bytes(unsafe { raw.into_data() }?),
        tag::ARRAY => {
            let number = raw.kind;
            let kind = ArrayKind::of(number)
                .ok_or_else(|| malformed(format!("an array of kind {number}")))?;
            // SAFETY: bytes.
            let bytes = unsafe { raw.into_data() }?;
            if bytes.len() % kind.size() != 0 {
                let (class, len) = (kind.class_name(), bytes.len());
                return Err(malformed(format!("a {class} of {len} bytes")));
            }
            Value::Array(TypedArray { kind, bytes })
        }
        tag::LIST => {
            // SAFETY: values.
            let items = unsafe { raw.items::<Raw>() }?.iter_mut();
            // SAFETY: as the list's own.
            let items = items.map(|item| unsafe { to_value(item.take(), trust, depth + 1) });
            Value::List(items.collect::<Result<_, _>>()?)
        }
        tag::RECORD => {
            // SAFETY: fields.
            let fields = unsafe { raw.items::<Field>() }?.iter_mut();
            let mut record = Record::new();
            for field in fields {
                // SAFETY: the name lives as long as the record.
                let name = unsafe { field.name.read() };
                let name = name.ok_or_else(|| malformed("a name that is no UTF-8"))?;
                // SAFETY: as the record's own.
                record.push(name, unsafe {
                    to_value(field.value.take(), trust, depth + 1)
                }?);
            }
            Value::Record(record)
        }
        tag::MAP => {
            // SAFETY: a map.
            let map = unsafe { Map::of(raw) };
            Value::Map(map.ok_or_else(|| malformed("a map without functions"))?)
        }
        other => return Err(malformed(format!("a value of tag {other}"))),
    })
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::AtomicU8;

    use super::*;

    fn round(value: Value<'static>) -> Value<'static> {
        // SAFETY: made here.
        unsafe { Raw::from(value).into_value() }.unwrap()
    }

    #[test]
    fn values_come_back_as_they_went() {
        let record: Record = [
            ("grüße", Value::from("x")),
            ("list", vec![Value::Null, vec![1u8, 2].into()].into()),
        ]
        .into_iter()
        .collect();
        for value in [
            Value::Undefined,
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Number(-0.5),
            Value::from(""),
            Value::from("grüße"),
            Value::Bytes(Data::default()),
            Value::Bytes(vec![1, 2, 3].into()),
            Value::Array(TypedArray {
                kind: ArrayKind::BigUint64,
                bytes: vec![0; 16].into(),
            }),
            Value::BigInt(BigInt {
                negative: true,
                words: vec![u64::MAX, 7],
            }),
            Value::List(Vec::new()),
            Value::Record(Record::new()),
            record.into(),
        ] {
            assert_eq!(round(value.clone()), value);
            // A value that nobody takes is dropped once.
            drop(Raw::from(value));
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_refused() {
        let raw = |tag, kind, data: *mut u8, len| Raw {
            kind,
            data: data.cast(),
            len,
            ..Raw::plain(tag, 0.0)
        };
        let mut bytes = [0xffu8; 16];
        let data = bytes.as_mut_ptr();
        for (raw, why) in [
            (raw(99, 0, data, 1), "a value of tag 99"),
            (raw(tag::STRING, 0, data, 2), "a string that is no UTF-8"),
            (raw(tag::ARRAY, 77, data, 2), "an array of kind 77"),
            (raw(tag::ARRAY, 8, data, 9), "a Float64Array of 9 bytes"),
            (
                raw(tag::BYTES, 0, ptr::null_mut(), 9),
                "no memory for 9 bytes",
            ),
            (
                raw(tag::BYTES, 0, data, usize::MAX),
                "a length of 18446744073709551615",
            ),
            (
                raw(tag::LIST, 0, data, usize::MAX),
                "no memory for 18446744073709551615 items",
            ),
            (
                raw(tag::RECORD, 0, ptr::null_mut(), 1),
                "no memory for 1 items",
            ),
        ] {
            // SAFETY: only what is refused before it is read points elsewhere.
            assert_eq!(unsafe { raw.into_value() }.unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let mut value = Value::Null;
        for _ in 0..=MAX_DEPTH {
            value = Value::List(vec![value]);
        }
        // SAFETY: made here.
        let refused = unsafe { Raw::from(value).into_value() };
        assert_eq!(refused.unwrap_err().to_string(), "more than 128 levels");
    }

    #[test]
    fn shared_memory_stays_where_it_is() {
        let cells = b"shared".map(AtomicU8::new);
        let at: *const u8 = cells.as_ptr().cast();
        // SAFETY: the array lives.
        let shared = unsafe { Shared::from_parts(at, 6, ptr::null_mut(), None) };
        let raw = Raw::from(Value::Bytes(Data::Shared(shared)));
        assert_eq!(raw.data.cast_const().cast(), at);
        // SAFETY: as above.
        let Ok(Value::Bytes(data)) = (unsafe { raw.into_value() }) else {
            panic!("no bytes");
        };
        assert_eq!(data.as_slice(), None);
        assert_eq!(data.into_vec(), b"shared");
    }
}
