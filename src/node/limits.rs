//! Keys that happen once, and limits, for JavaScript. An environment has one cluster at a time.

use std::ptr;

use napi::sys;
use rustix::time::{ClockId, clock_gettime};
use siphasher::sip128::SipHasher13;

use super::call::{Call, Fault, Returned};
use super::descriptor::borrowed;
use super::environment::Environment;
use crate::memory::limits::{Limit, Taken};
use crate::memory::region::Region;
use crate::memory::table::{Change, Evict, Key, PRIMARY, Refusal, Table};
use crate::supervise::handle::ProcessHandle;
use crate::wire::refused;
use crate::wire::region::shared;

super::call::exports! {
    c"openKeys" OpenKeys = open;
    c"once" Once = once;
    c"takePoints" TakePoints = take;
    c"closeKeys" CloseKeys = close;
}

/// Bytes that a key may have.
const MAX_KEY: usize = 250;
/// A time that never comes.
const NEVER: u64 = 1 << 62;

/// The tables of keys of a region.
pub(super) struct Keys {
    region: Region,
    seat: u32,
    pid: u32,
    seed: u64,
}

/// `openKeys(fd, seat)`: the tables of the region behind a descriptor, for the process in the seat; -1 for the primary.
fn open(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (fd, seat) = (call.int(args[0])?, call.int(args[1])?);
    let file = borrowed(&fd).ok_or(Fault("no descriptor"))?;
    let region = Region::open(file).map_err(|_| Fault("not the region of this cluster"))?;
    let seed = region
        .shared_u64(shared::SEED)
        .load(std::sync::atomic::Ordering::Relaxed);
    *environment.keys.borrow_mut() = Some(Keys {
        region,
        seat: u32::try_from(seat).unwrap_or(PRIMARY),
        pid: std::process::id(),
        seed,
    });
    Ok(None)
}

/// `closeKeys()`
fn close(environment: &Environment, _: &Call) -> Returned {
    environment.keys.borrow_mut().take();
    Ok(None)
}

/// Nanoseconds of the monotonic clock, which is the same in all processes.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The hash of a key in one of the spaces of keys. None if the value is no string of 1 to 250 bytes.
fn read_key(call: &Call, key: sys::napi_value, seed: u64, space: u64) -> Option<Key> {
    // The engine leaves out a character that does not fit. With room for one more, a key that was cut is still too
    // long.
    let mut bytes = [0u8; MAX_KEY + 5];
    let mut length = 0;
    // SAFETY: the buffer has as many bytes as is said.
    let status = unsafe {
        sys::napi_get_value_string_utf8(
            call.env,
            key,
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            ptr::from_mut(&mut length),
        )
    };
    let is_key = status == sys::Status::napi_ok && (1..=MAX_KEY).contains(&length);
    is_key.then(|| {
        let digest = SipHasher13::new_with_keys(seed, space).hash(&bytes[..length]);
        Key::of_digest([digest.h1, digest.h2])
    })
}

fn code(refusal: Refusal) -> f64 {
    match refusal {
        Refusal::Full => refused::FULL.into(),
        Refusal::Busy => refused::BUSY.into(),
    }
}

/// `once(key, ttl)`: 1 if no caller was told 1 within the last `ttl` milliseconds; otherwise 0, or one of `REFUSED`.
fn once(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let keys = environment.keys.borrow();
    let keys = keys.as_ref().ok_or(Fault("the tables are not open"))?;
    let ttl = call.number(args[1])? * 1e6;
    let Some(key) = read_key(call, args[0], keys.seed, 0) else {
        return call.make_number(refused::KEY.into());
    };
    let now = now();
    let ends = if ttl.is_finite() {
        now.saturating_add(ttl as u64).min(NEVER)
    } else {
        NEVER
    };
    let mut first = false;
    let section = keys.region.layout().once;
    let table = Table::new(&keys.region, section, keys.seat, keys.pid);
    let done = table.change(
        key,
        Evict::Over,
        |ends| ends <= now,
        ProcessHandle::has_ended,
        |there| {
            first = there.is_none();
            if first {
                Change::Put(ends)
            } else {
                Change::Keep
            }
        },
    );
    call.make_number(match done {
        Ok(()) => f64::from(u8::from(first)),
        Err(refusal) => code(refusal),
    })
}

/// `takePoints(limit, key, n, points, per, burst)`: how many points are left, if the points are given. If not: one of
/// `REFUSED`, or below these the negative nanoseconds until they could be. For no points: how many are left.
fn take(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let keys = environment.keys.borrow();
    let keys = keys.as_ref().ok_or(Fault("the tables are not open"))?;
    let number = |at: usize| call.number(args[at]).map(|number| number as u64);
    let limit = Limit::new(number(3)?, (call.number(args[4])? * 1e6) as u64, number(5)?);
    let (which, points) = (number(0)?, number(2)?);
    // Each limit has keys of its own.
    let Some(key) = read_key(call, args[1], keys.seed, which) else {
        return call.make_number(refused::KEY.into());
    };
    let section = keys.region.layout().limits;
    let table = Table::new(&keys.region, section, keys.seat, keys.pid);
    let mut taken = limit.take(None, 0, 0);
    let began = now();
    let done = table.change(
        key,
        Evict::Any,
        |state| state <= began,
        ProcessHandle::has_ended,
        |state| {
            taken = limit.take(state, now(), points);
            match taken.state {
                Some(state) if points > 0 => Change::Put(state),
                _ => Change::Keep,
            }
        },
    );
    let Taken {
        state,
        remaining,
        retry_after,
    } = taken;
    #[expect(clippy::cast_precision_loss, reason = "points and nanoseconds")]
    call.make_number(match (done, state) {
        (Err(refusal), _) => code(refusal),
        (Ok(()), Some(_)) => remaining as f64,
        (Ok(()), None) => f64::from(refused::KEY) - retry_after as f64,
    })
}
