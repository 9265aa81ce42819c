//! The callers that wait for a change of a map, and those that compute what others wait for.

use std::sync::Arc;

use super::lease::Leases;
use super::{Use, failure};
use crate::node::call::{Fault, Returned};
use crate::scheduler::{Bell, Ring};

/// `lease(key) -> number`: above 0 if the caller should compute the value of the key.
pub(super) fn lease(call: &Use<'_>) -> Returned {
    let key = call.lease_key().ok_or(Fault("no key"))?;
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    match leases.take(&call.handle.map, &mut hands, key) {
        Ok(token) => call.number(token as f64),
        Err(error) => call.int(-failure(&error)),
    }
}

/// `renewLease(token)`: the lease lasts on.
pub(super) fn renew_lease(call: &Use<'_>) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    leases.renew(&call.handle.map, &mut hands, call.double(0) as u64);
    Ok(None)
}

/// `endLease(token)`
pub(super) fn end_lease(call: &Use<'_>) -> Returned {
    let mut hands = call.handle.hands.borrow_mut();
    let mut leases = call.handle.leases.borrow_mut();
    leases.end(&call.handle.map, &mut hands, call.double(0) as u64);
    Ok(None)
}

/// `isLeased(key) -> boolean`: whether a living environment has its lease.
pub(super) fn is_leased(call: &Use<'_>) -> Returned {
    let key = call.lease_key().ok_or(Fault("no key"))?;
    let mut hands = call.handle.hands.borrow_mut();
    call.boolean(Leases::is_taken(&call.handle.map, &mut hands, &key))
}

/// `announce(key)`: a caller waits for a change of the key, or of its lease. The caller looks once more after this.
pub(super) fn announce(call: &Use<'_>) -> Returned {
    let map = &call.handle.map;
    call.with_key(|key| key.map(|key| map.announce(key)));
    if let Some(key) = call.lease_key() {
        map.announce(&key);
    }
    Ok(None)
}

/// `wait(more)`: one more caller waits in this environment, or one less. The doorbell rings when there may be a change.
pub(super) fn wait(call: &Use<'_>) -> Returned {
    let handle = call.handle;
    let more = call.call().boolean(call.args[0])?;
    if handle.hears.get().is_none() {
        let doorbell = Arc::clone(&call.environment.doorbell);
        let number = handle.map.on_change(move || doorbell.ring(Ring::Map));
        handle.hears.set(Some(number));
    }
    let waits = handle.waits.get();
    handle.waits.set(match more {
        true => waits + 1,
        false => waits.saturating_sub(1),
    });
    if !handle.map.wait_for_changes(more) {
        return Err(Fault("the system gives no thread"));
    }
    Ok(None)
}
