//! The functions that change a map.

use std::ptr;

use napi::sys;

use super::values;
use super::{Use, failure};
use crate::memory::map::{Bytes, Key, MapError, New, NotCounted, Number, Step, When};
use crate::node::call::{Returned, check};
use crate::wire::{map_cell, mapped, put};

/// `put(key, value, mode, ttl, stale, version) -> MAPPED`
pub(super) fn put_value(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => put_value_key(call, key),
        None => call.int(mapped::KEY),
    })
}

fn put_value_key(call: &Use<'_>, key: &Key) -> Returned {
    let handle = call.handle;
    let (mut hands, mut text) = (handle.hands.borrow_mut(), handle.text.borrow_mut());
    let value = values::value(call.environment, call.env, call.args[1], &mut text)?;
    let expected = handle.expected.borrow();
    let when = match call.double(2) as i32 {
        put::SET => When::Always,
        put::ADD => When::Absent,
        put::VERSION => When::Version(call.double(5) as u64),
        _ => When::Holds(expected.0, &expected.1),
    };
    let new = New {
        tag: value.tag,
        value: value.bytes,
        times: call.times(3, 4),
        keeps_times: false,
    };
    let done = handle.map.put(&mut hands, key, when, new);
    text.shrink_to(1 << 20);
    call.int(told(done))
}

fn told(done: Result<bool, MapError>) -> i32 {
    match done {
        Ok(true) => mapped::YES,
        Ok(false) => mapped::NO,
        Err(error) => failure(&error),
    }
}

/// `expect(value)`: the value that the next `put` has to find.
pub(super) fn expect(call: &Use<'_>) -> Returned {
    let mut text = call.handle.text.borrow_mut();
    let value = values::value(call.environment, call.env, call.args[0], &mut text)?;
    let bytes = match value.bytes {
        Bytes::Slice(bytes) => bytes.to_vec(),
        Bytes::Word(word) => word.to_ne_bytes().to_vec(),
    };
    *call.handle.expected.borrow_mut() = (value.tag, bytes);
    Ok(None)
}

/// `increment(key, n, initial, ttl)`: the sum; a bigint stays a bigint. Undefined if `FAILURE` says why.
pub(super) fn increment(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => increment_key(call, key),
        None => call.cell(map_cell::FAILURE, mapped::KEY).map(|()| None),
    })
}

fn increment_key(call: &Use<'_>, key: &Key) -> Returned {
    let fail = |why: i32| call.cell(map_cell::FAILURE, why).map(|()| None);
    let number = |argument: usize| match values::kind(call.env, call.args[argument]) {
        sys::ValueType::napi_bigint => {
            values::bigint(call.env, call.args[argument]).map(Number::Whole)
        }
        _ => Some(Number::Other(call.double(argument))),
    };
    let (Some(by), Some(initial)) = (number(1), number(2)) else {
        return fail(mapped::OVERFLOW);
    };
    let big = values::kind(call.env, call.args[1]) == sys::ValueType::napi_bigint;
    let step = Step {
        by,
        initial,
        whole: big,
        expires: call.times(3, 4).0,
    };
    let mut hands = call.handle.hands.borrow_mut();
    match call.handle.map.count_up(&mut hands, key, step) {
        Err(NotCounted::NoNumber) => fail(mapped::NO_NUMBER),
        Err(NotCounted::Overflow) => fail(mapped::OVERFLOW),
        Err(NotCounted::Refused(error)) => fail(failure(&error)),
        Ok(Number::Other(number)) => call.number(number),
        Ok(Number::Whole(whole)) if !big => call.number(whole as f64),
        Ok(Number::Whole(whole)) => {
            let mut made = ptr::null_mut();
            check(
                // SAFETY: creates a value in this call's scope.
                unsafe { sys::napi_create_bigint_int64(call.env, whole, &mut made) },
                "no number",
            )?;
            Ok(Some(made))
        }
    }
}

/// `remove(key) -> boolean`: whether the key was there.
pub(super) fn remove(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => remove_key(call, key),
        None => call.boolean(false),
    })
}

fn remove_key(call: &Use<'_>, key: &Key) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    call.boolean(call.handle.map.remove_key(&mut hands, key))
}

/// `expire(key, ttl) -> MAPPED`
pub(super) fn expire(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => expire_key(call, key),
        None => call.int(mapped::NO),
    })
}

fn expire_key(call: &Use<'_>, key: &Key) -> Returned {
    let times = call.times(1, 2);
    let mut hands = call.handle.hands.borrow_mut();
    call.int(told(call.handle.map.renew(&mut hands, key, times)))
}

/// `clear()`
pub(super) fn clear(call: &Use<'_>) -> Returned {
    call.handle.map.clear(&mut call.handle.hands.borrow_mut());
    Ok(None)
}
