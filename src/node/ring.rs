//! The messages of the cluster, for an environment that hears them. `region` publishes them.

use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Returned, check};
use super::descriptor::borrowed;
use super::environment::Environment;
use crate::memory::region::Region;
use crate::memory::ring::{Listener, Message, MessageRing, Next};
use crate::scheduler::{Bell, Ring};

super::call::exports! {
    c"hear" Hear = hear;
    c"want" Want = want;
    c"nextMessage" NextMessage = next_message;
}

/// `hear(fd)`: the environment hears the messages of the region behind a descriptor from now on, or none if that is -1.
fn hear(environment: &Environment, call: &Call) -> Returned {
    let fd = call.int(call.args()[0])?;
    let Some(file) = borrowed(&fd) else {
        environment.listener.take();
        return Ok(None);
    };
    let region = Region::open(file).map_err(|_| Fault("expected a region"))?;
    let ring = MessageRing::of(region).ok_or(Fault("the region has no ring"))?;
    let bell = Arc::clone(&environment.doorbell);
    let listener = Listener::start(ring, move || bell.ring(Ring::Messages));
    let listener = listener.map_err(|_| Fault("the system gives no thread"))?;
    environment.listener.replace(Some(listener));
    Ok(None)
}

/// `want(topic, wanted)`: whether the environment wants messages of a topic.
fn want(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let topic = call.string(args[0]).ok_or(Fault("expected a topic"))?;
    let wanted = call.boolean(args[1])?;
    if let Some(listener) = &*environment.listener.borrow() {
        listener.want(topic, wanted);
    }
    Ok(None)
}

/// `nextMessage() -> [topic, tag, memory, pid, slot, generation] | number | undefined`: a message, or the number of
/// messages that were missed. The slot is -1 if there is none.
fn next_message(environment: &Environment, call: &Call) -> Returned {
    let next = match &*environment.listener.borrow() {
        Some(listener) => listener.next(),
        None => Next::Nothing,
    };
    match next {
        Next::Message(message) => make_message(call, &message),
        Next::Missed(count) => call.make_number(f64::from(count)),
        Next::Other | Next::Nothing => Ok(None),
    }
}

fn make_message(call: &Call, message: &Message) -> Returned {
    let Message {
        topic,
        tag,
        bytes,
        sender,
    } = message;
    let items = [
        call.make_string(topic)?,
        call.make_number(f64::from(*tag))?,
        make_memory(call, bytes)?,
        call.make_number(f64::from(sender.pid))?,
        call.make_number(sender.slot.map_or(-1.0, f64::from))?,
        call.make_number(f64::from(sender.generation))?,
    ];
    super::call::make_list(call, items.into_iter(), Ok)
}

/// A copy of the bytes as an ArrayBuffer.
fn make_memory(call: &Call, bytes: &[u8]) -> Returned {
    let (mut data, mut memory) = (ptr::null_mut(), ptr::null_mut());
    check(
        // SAFETY: creates a value in this call's scope.
        unsafe { sys::napi_create_arraybuffer(call.env, bytes.len(), &mut data, &mut memory) },
        "no memory",
    )?;
    if !bytes.is_empty() {
        // SAFETY: the buffer was just made with so many bytes, and nobody else has it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), bytes.len()) };
    }
    Ok(Some(memory))
}
