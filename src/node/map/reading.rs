//! The functions that read a map: values, times, versions, keys, and the words by which JavaScript sees whether an
//! entry is still the same.

use std::ffi::c_void;
use std::ptr;

use napi::sys;

use super::{MapMemory, Use, values};
use crate::memory::map::{Current, Key, Read, Space, Words, clock};
use crate::node::call::{Returned, check, make_numbers, make_strings};
use crate::wire::{map_cell, map_number, map_value, size};

/// `get(key, stale)`: a simple value, the memory of maps if the value is in it, or an ArrayBuffer with its bytes.
/// Undefined if there is no value, or if it is stale and `stale` is false.
pub(super) fn get(call: &Use<'_>) -> Returned {
    call.with_key(|key| key.map_or(Ok(None), |key| get_key(call, key)))
}

fn get_key(call: &Use<'_>, key: &Key) -> Returned {
    let handle = call.handle;
    let mut hands = handle.hands.borrow_mut();
    let Some(read) = handle.map.get(&mut hands, key) else {
        call.memory()?.area.set(map_number::VERSION * 8, 0f64);
        return Ok(None);
    };
    let entry = &read.entry;
    let memory = call.memory()?;
    let stale = entry.stale != 0 && entry.is_stale();
    memory.area.set(map_cell::STALE * 4, i32::from(stale));
    let version = handle.map.version_number(entry.version);
    memory.area.set(map_number::VERSION * 8, version as f64);
    if stale && values::kind(call.env, call.args[1]) != sys::ValueType::napi_boolean {
        return Ok(None);
    }
    let simple = values::make(call.env, entry.tag, entry.value())?;
    match simple {
        Some(value) if !values::is_text(entry.tag) => Ok(Some(value)),
        Some(value) => {
            describe(call, memory, &read);
            Ok(Some(value))
        }
        None => {
            describe(call, memory, &read);
            give_bytes(call, memory, entry.value())
        }
    }
}

/// Describes a value, and says where to look whether it is still the same.
fn describe(call: &Use<'_>, memory: &MapMemory, read: &Read<'_>) {
    let (entry, area) = (&read.entry, &memory.area);
    let place = call.handle.map.place(read);
    let expires = entry.expires.saturating_sub(entry.stale);
    let words = |bytes: usize| (bytes / 4) as i32;
    let upper = usize::from(cfg!(target_endian = "little")) * 4;
    let cells = [
        (map_cell::TAG, i32::from(entry.tag)),
        (map_cell::LENGTH, entry.length as i32),
        (map_cell::WAY, words(place.way + 4 - upper)),
        (map_cell::BLOCK, entry.version as u32 as i32),
        (map_cell::STATE, words(place.state + upper)),
        (map_cell::GENERATION, (entry.version >> 32) as u32 as i32),
        (map_cell::CLOCK, words(place.clock + 4 - upper)),
        (map_cell::BIT, place.bit as i32),
    ];
    for (cell, value) in cells {
        area.set(cell * 4, value);
    }
    area.set(map_number::EXPIRES * 8, expires as f64);
}

/// The memory with the bytes in it, or a new buffer with them.
fn give_bytes(call: &Use<'_>, memory: &MapMemory, bytes: &[u8]) -> Returned {
    let mut made = ptr::null_mut();
    if bytes.len() <= size::MAP - map_value::AT {
        memory.area.put(map_value::AT, bytes);
        check(
            // SAFETY: a reference of this environment, on its thread.
            unsafe { sys::napi_get_reference_value(call.env, memory.view, &mut made) },
            "no memory",
        )?;
    } else {
        let mut data = ptr::null_mut();
        check(
            // SAFETY: creates a value in this call's scope.
            unsafe { sys::napi_create_arraybuffer(call.env, bytes.len(), &mut data, &mut made) },
            "no memory",
        )?;
        // SAFETY: the new buffer has so many bytes, and nobody else has it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len()) };
    }
    Ok(Some(made))
}

/// `has(key) -> boolean`
pub(super) fn has(call: &Use<'_>) -> Returned {
    let entry = call.with_key(|key| call.handle.map.peek(key?));
    call.boolean(entry.is_some_and(|entry| entry.is_fresh()))
}

/// `ttl(key)`: milliseconds left, or infinity for ever. Undefined if the key is not there.
pub(super) fn ttl(call: &Use<'_>) -> Returned {
    let entry = call.with_key(|key| call.handle.map.peek(key?));
    match entry.filter(Current::is_fresh) {
        None => Ok(None),
        Some(entry) if entry.expires == 0 => call.number(f64::INFINITY),
        Some(entry) => {
            let end = entry.expires.saturating_sub(entry.stale);
            let left = end.saturating_sub(clock::now());
            call.number(left as f64 / 1000.0)
        }
    }
}

/// `version(key) -> number`: 0 if the key is not there.
pub(super) fn version(call: &Use<'_>) -> Returned {
    let map = &call.handle.map;
    let entry = call
        .with_key(|key| map.peek(key?))
        .filter(Current::is_fresh);
    call.number(entry.map_or(0.0, |entry| map.version_number(entry.version) as f64))
}

/// `keys(from, prefix)`: a list of keys. `NEXT` says where to go on.
pub(super) fn keys(call: &Use<'_>) -> Returned {
    /// Takes about a tenth of a millisecond.
    const SETS: u32 = 256;
    let mut prefix = Key::empty(Space::USER);
    // A text that cannot be a key is not the beginning of one either.
    let can_be = values::read_key(call.env, call.args[1], &mut prefix);
    let prefix = if can_be { prefix.bytes() } else { &[0xff] };
    let mut found: Vec<String> = Vec::new();
    let next = call
        .handle
        .map
        .keys(call.double(0) as u32, SETS, prefix, |key| {
            found.push(String::from_utf8_lossy(key).into_owned());
        });
    call.cell(map_cell::NEXT, next.map_or(-1, |next| next as i32))?;
    make_strings(&call.call(), found.iter().map(String::as_str))
}

/// `statistics()`: bytes, bytes in use, entries, evicted, expired, stolen, recovered; then the number of free blocks,
/// and of blocks that processes have in hand.
pub(super) fn statistics(call: &Use<'_>) -> Returned {
    let it = call.handle.map.statistics();
    let numbers = [
        it.bytes,
        it.used,
        it.entries,
        it.evicted,
        it.expired,
        it.stolen,
        it.recovered,
        it.free,
        it.held,
    ];
    make_numbers(
        &call.call(),
        numbers.into_iter().map(|number| number as f64),
    )
}

/// `words(whole)`: an ArrayBuffer over the words that say whether an entry is still the same, or over the whole map.
/// Undefined if the engine allows no memory from outside.
pub(super) fn words(call: &Use<'_>) -> Returned {
    unsafe extern "C" fn unmap(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
        // SAFETY: the hint is the box that was given away below, and this runs once.
        drop(unsafe { Box::from_raw(hint.cast::<Words>()) });
    }
    let whole = call.call().boolean(call.args[0])?;
    let Ok(words) = call.handle.map.remap(whole) else {
        return Ok(None);
    };
    let (base, bytes) = (words.base().as_ptr(), words.bytes());
    let hint = Box::into_raw(Box::new(words));
    let mut made = ptr::null_mut();
    // SAFETY: `base` is mapped for so many bytes until `unmap` drops the mapping.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            call.env,
            base.cast(),
            bytes,
            Some(unmap),
            hint.cast(),
            &mut made,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine refused the memory, so the finalizer will never see it.
        drop(unsafe { Box::from_raw(hint) });
        return Ok(None);
    }
    Ok(Some(made))
}
