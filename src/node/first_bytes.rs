//! The connections whose first bytes this environment waits for.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Fault, Returned, make_numbers};
use super::descriptor::borrowed;
use super::environment::Environment;
use crate::scheduler::{Bell, Ring};
use crate::supervise::first_bytes::FirstBytes;

super::call::exports! {
    c"awaitBytes" AwaitBytes = await_bytes;
    c"takeAwaited" TakeAwaited = take_awaited;
    c"endAwaiting" EndAwaiting = end_awaiting;
}

/// `awaitBytes(fd, name, patience) -> boolean`: rings the bell when the socket has bytes, has ended, or has waited for
/// `patience` milliseconds. False if the system does not allow that.
fn await_bytes(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (fd, name) = (call.int(args[0])?, call.index(args[1])?);
    let patience = Duration::from_millis(call.index(args[2])?.into());
    let socket = borrowed(&fd).ok_or(Fault("no descriptor"))?;
    let mut open = environment.first_bytes.borrow_mut();
    if open.is_none() {
        let bell = Arc::clone(&environment.doorbell);
        *open = FirstBytes::start(move || bell.ring(Ring::FirstBytes)).ok();
    }
    let waits = open.as_ref().is_some_and(|bytes| {
        rustix::io::fcntl_dupfd_cloexec(socket, 3)
            .is_ok_and(|copy| bytes.wait(name, copy, patience).is_ok())
    });
    call.make_boolean(waits)
}

/// `takeAwaited() -> numbers`: the connections that no longer wait.
fn take_awaited(environment: &Environment, call: &Call) -> Returned {
    let names = match &*environment.first_bytes.borrow() {
        Some(bytes) => bytes.take(),
        None => Vec::new(),
    };
    make_numbers(call, names.into_iter().map(f64::from))
}

/// `endAwaiting()`: no connection waits any more.
fn end_awaiting(environment: &Environment, _: &Call) -> Returned {
    environment.first_bytes.take();
    Ok(None)
}
