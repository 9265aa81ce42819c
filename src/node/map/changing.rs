//! The functions that change a map.

use std::ptr;

use napi::sys;

use super::reading::is_fresh;
use super::values::{self, Number};
use super::{Use, failure};
use crate::memory::map::{Bytes, Change, Key, Outcome, Put};
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
    let mode = call.double(2) as i32;
    let (expires, stale) = call.times(3, 4);
    let version = call.double(5);
    let expected = handle.expected.borrow();
    let map = &handle.map;
    let done = map.change(&mut hands, key, mode == put::EXPECTED, |entry| {
        let fresh = entry.filter(is_fresh);
        let takes = match mode {
            put::SET => true,
            put::ADD => fresh.is_none(),
            put::VERSION => {
                fresh.map_or(0.0, |entry| map.version_number(entry.version) as f64) == version
            }
            _ => fresh.is_some_and(|entry| entry.tag == expected.0 && entry.value() == expected.1),
        };
        match takes {
            false => Change::Keep,
            true => Change::Put(Put {
                tag: value.tag,
                value: value.bytes,
                expires,
                stale,
            }),
        }
    });
    text.shrink_to(1 << 20);
    call.int(match done {
        Ok(Outcome::Put(_)) => mapped::YES,
        Ok(_) => mapped::NO,
        Err(error) => failure(&error),
    })
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
    let (expires, _) = call.times(3, 4);
    let mut sum = Err(mapped::NO_NUMBER);
    let mut hands = call.handle.hands.borrow_mut();
    let done = call.handle.map.change(&mut hands, key, true, |entry| {
        let (before, expires, stale) = match entry.filter(is_fresh) {
            None => (Some(initial), expires, 0),
            Some(entry) => {
                let number = values::number_of(entry.tag, entry.value());
                (number, entry.expires, entry.stale)
            }
        };
        sum = before
            .ok_or(mapped::NO_NUMBER)
            .and_then(|it| add(it, by))
            .and_then(|sum| match sum {
                Number::Other(_) if big => Err(mapped::NO_NUMBER),
                sum => Ok(sum),
            });
        let value = match &sum {
            Ok(Number::Whole(whole)) => values::of_whole(*whole),
            Ok(Number::Other(number)) => values::of_number(*number),
            Err(_) => return Change::Keep,
        };
        Change::Put(Put {
            tag: value.tag,
            value: value.bytes,
            expires,
            stale,
        })
    });
    match (done, sum) {
        (Err(error), _) => fail(failure(&error)),
        (_, Err(why)) => fail(why),
        (_, Ok(Number::Other(number))) => call.number(number),
        (_, Ok(Number::Whole(whole))) if !big => call.number(whole as f64),
        (_, Ok(Number::Whole(whole))) => {
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

/// The number as a whole number of 64 bits, if it is one.
#[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
fn whole(number: Number) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    match number {
        Number::Whole(whole) => Some(whole),
        Number::Other(number) => {
            (number.fract() == 0.0 && (-END..END).contains(&number)).then_some(number as i64)
        }
    }
}

/// Whole numbers stay whole, and are exact.
fn add(one: Number, two: Number) -> Result<Number, i32> {
    let double = |number| match number {
        Number::Whole(whole) => whole as f64,
        Number::Other(number) => number,
    };
    let exact = matches!((one, two), (Number::Whole(_), _) | (_, Number::Whole(_)));
    let wholes = whole(one).zip(whole(two));
    match wholes.map(|(one, two)| one.checked_add(two)) {
        Some(Some(sum)) => Ok(Number::Whole(sum)),
        Some(None) if exact => Err(mapped::OVERFLOW),
        _ => Ok(Number::Other(double(one) + double(two))),
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
    let mut fresh = false;
    let done = call.handle.map.change(&mut hands, key, false, |entry| {
        fresh = entry.is_some_and(|entry| is_fresh(&entry));
        Change::Delete
    });
    call.boolean(fresh && matches!(done, Ok(Outcome::Deleted)))
}

/// `expire(key, ttl) -> MAPPED`
pub(super) fn expire(call: &Use<'_>) -> Returned {
    call.with_key(|key| match key {
        Some(key) => expire_key(call, key),
        None => call.int(mapped::NO),
    })
}

fn expire_key(call: &Use<'_>, key: &Key) -> Returned {
    let (expires, stale) = call.times(1, 2);
    let mut hands = call.handle.hands.borrow_mut();
    let done = call.handle.map.change(&mut hands, key, true, |entry| {
        match entry.filter(is_fresh) {
            Some(_) => Change::Renew { expires, stale },
            None => Change::Keep,
        }
    });
    call.int(match done {
        Ok(Outcome::Put(_)) => mapped::YES,
        Ok(_) => mapped::NO,
        Err(error) => failure(&error),
    })
}

/// `clear()`
pub(super) fn clear(call: &Use<'_>) -> Returned {
    call.handle.map.clear(&mut call.handle.hands.borrow_mut());
    Ok(None)
}
