//! The functions on the way of a task: submit, cancel, exchange, drain. Their numbers go through
//! the mailbox.

use std::ffi::c_void;
use std::ptr;

use napi::sys;

use super::call::{Call, Fault, Outcome as Returned, check};
use super::environment::Environment;
use super::mailbox::{Cell, FORM_BYTES, FORM_ELSEWHERE, FORM_NUMBER, INLINE, Mailbox};
use crate::memory::bytes::Bytes;
use crate::scheduler::{
    Attachments, Body, Control, Key, Lane, Message, NO_DEADLINE, NewTask, Outcome, Payload,
    Placement, Refusal, Step, WorkerId, now,
};

super::call::exports! {
    c"submit" Submit = submit;
    c"submitDirect" SubmitDirect = submit_direct;
    c"undo" Undo = undo;
    c"cancel" Cancel = cancel;
    c"exchange" Exchange = exchange;
    c"finish" Finish = finish;
    c"drain" Drain = drain;
    c"answer" Answer = answer;
    c"blob" Blob = blob;
}

/// What `Cell::Result` says after `submit`.
const ACCEPTED: i32 = 0;
const FULL: i32 = 1;
const CLOSED: i32 = 2;

/// What it says after `exchange`.
const IDLE: i32 = 0;
const RUN: i32 = 1;
const RETIRE: i32 = 2;

/// The first number of a drained record: how the task ended, or what is to be done.
const RETURNED: i32 = 0;
const THREW: i32 = 1;
const FAILED: i32 = 2;
const TASK_TIMEOUT: i32 = 3;
const QUEUE_TIMEOUT: i32 = 4;
const POOL_CLOSED: i32 = 5;
const WORKER_GONE: i32 = 6;
const WORKER_START: i32 = 7;
const DEADLINE: i32 = 8;
const CANCELLED: i32 = 9;
const CONTROL_START: i32 = 16;
const CONTROL_TERMINATE: i32 = 17;
const CONTROL_LANE_ENDED: i32 = 19;
const CONTROL_GONE: i32 = 20;
const CONTROL_LOOK: i32 = 21;
/// Of tasks that are observed, and nothing else.
const STARTED: i32 = 24;
const RAN: i32 = 25;

/// What the bits of `drain`'s result mean.
const MORE: u32 = 1 << 31;

#[expect(
    clippy::cast_sign_loss,
    reason = "ids and lengths cross as 32-bit patterns"
)]
fn unsigned(value: i32) -> u32 {
    value as u32
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "ids and lengths cross as 32-bit patterns"
)]
fn signed(value: u32) -> i32 {
    value as i32
}

/// The payload that JS has put into the mailbox, or into the first argument.
fn payload(environment: &Environment, call: &Call) -> Result<Payload, Fault> {
    let mailbox = &environment.mailbox;
    let tag = unsigned(mailbox.get(Cell::Tag));
    let body = match mailbox.get(Cell::Form) {
        FORM_NUMBER => Body::Number(mailbox.number()),
        FORM_BYTES => {
            let length = unsigned(mailbox.get(Cell::Length)) as usize;
            Body::Bytes(
                mailbox
                    .take_bytes(length)
                    .ok_or(Fault("the payload is longer than the mailbox"))?,
            )
        }
        _ => Body::Bytes(
            call.copy_bytes(call.args()[0])
                .ok_or(Fault("expected a typed array"))?,
        ),
    };
    Ok(Payload { tag, body })
}

/// `submit(bytes?, params?, counters?, names?)`
fn submit(environment: &Environment, call: &Call) -> Returned {
    submit_with(environment, call, None, None, None)
}

pub(super) fn submit_with(
    environment: &Environment,
    call: &Call,
    attachments: Option<Box<Attachments>>,
    group: Option<Box<str>>,
    outer: Option<Key>,
) -> Returned {
    let mailbox = &environment.mailbox;
    let new = new_task(environment, call, attachments, group)?;
    let submitted = environment.with_pool(unsigned(mailbox.get(Cell::Pool)), |pool| {
        pool.submit_for(new, outer)
    })?;
    mailbox.set(
        Cell::Result,
        match submitted {
            Ok(submitted) => {
                mailbox.set(Cell::Key, signed(submitted.key.index));
                mailbox.set(Cell::Generation, signed(submitted.key.generation));
                mailbox.set(Cell::Start, submitted.start.map_or(-1, |id| signed(id.0)));
                ACCEPTED
            }
            Err(Refusal::Full) => FULL,
            Err(Refusal::Closed) => CLOSED,
        },
    );
    environment.account();
    Ok(None)
}

/// The task that JS has described in the mailbox.
fn new_task(
    environment: &Environment,
    call: &Call,
    attachments: Option<Box<Attachments>>,
    group: Option<Box<str>>,
) -> Result<NewTask, Fault> {
    let mailbox = &environment.mailbox;
    Ok(NewTask {
        ticket: unsigned(mailbox.get(Cell::Ticket)),
        target: unsigned(mailbox.get(Cell::Target)),
        lane: if mailbox.get(Cell::Lane) & 1 == 0 {
            Lane::Native
        } else {
            Lane::Script
        },
        priority: i8::try_from(mailbox.get(Cell::Priority)).unwrap_or(0),
        // -1 is u32::MAX: no limit.
        timeout: unsigned(mailbox.get(Cell::Timeout)),
        queue_timeout: unsigned(mailbox.get(Cell::QueueTimeout)),
        deadline: mailbox
            .deadline()
            .map_or(NO_DEADLINE, |ms| now().saturating_add((ms * 1e6) as u64)),
        retries: u8::try_from(mailbox.get(Cell::Retries)).unwrap_or(0),
        placement: match mailbox.get(Cell::Placement) {
            0 => Placement::Any,
            worker if worker < 0 => Placement::Worker(WorkerId(unsigned(-1 - worker))),
            key => Placement::Key(u16::try_from(key).unwrap_or(1)),
        },
        group,
        payload: payload(environment, call)?,
        attachments,
        observed: mailbox.get(Cell::Lane) & 2 != 0,
    })
}

/// `submitDirect()`: as `submit`, for an input that a port carries. If a worker is idle the task is its
/// at once: `Start` is the worker, `Slot` its slot, and the caller sends the input now. Otherwise
/// the task is not submitted and `Slot` is -1.
fn submit_direct(environment: &Environment, call: &Call) -> Returned {
    let mailbox = &environment.mailbox;
    let new = new_task(environment, call, None, None)?;
    let direct = environment.with_pool(unsigned(mailbox.get(Cell::Pool)), |pool| {
        pool.submit_direct(new)
    })?;
    let (worker, taken) = match direct {
        Some((worker, taken)) => (signed(worker.0), taken),
        None => {
            mailbox.set(Cell::Slot, -1);
            return Ok(None);
        }
    };
    mailbox.set(Cell::Start, worker);
    mailbox.set(Cell::Slot, signed(taken.slot));
    mailbox.set(Cell::Key, signed(taken.key.index));
    mailbox.set(Cell::Generation, signed(taken.key.generation));
    Ok(None)
}

/// `undo(pool, worker, slot)`: takes a direct submission back whose input could not be sent.
fn undo(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (worker, slot) = (WorkerId(call.index(args[1])?), call.index(args[2])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.undo(worker, slot))?;
    Ok(None)
}

/// The name of a task, as JS was given it.
pub(super) fn key(
    call: &Call,
    index: sys::napi_value,
    generation: sys::napi_value,
) -> Result<Key, Fault> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both were given out as 32-bit numbers"
    )]
    let number = |value| Ok(unsigned(call.number(value)? as i32));
    Ok(Key {
        index: number(index)?,
        generation: number(generation)?,
    })
}

/// `cancel(pool, key, generation) -> boolean`: whether the outcome is now the caller's to tell.
fn cancel(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let key = key(call, args[1], args[2])?;
    let cancelled = environment.with_pool(call.index(args[0])?, |pool| pool.cancel(key))?;
    call.make_boolean(cancelled)
}

/// The outcome in the mailbox of a task in a slot.
fn finished(environment: &Environment, call: &Call) -> Result<Option<(u32, Outcome)>, Fault> {
    let mailbox = &environment.mailbox;
    let slot = mailbox.get(Cell::Slot);
    if slot < 0 {
        return Ok(None);
    }
    let payload = payload(environment, call)?;
    let outcome = if mailbox.get(Cell::Status) == 0 {
        Outcome::Returned(payload)
    } else {
        Outcome::Threw(payload)
    };
    Ok(Some((unsigned(slot), outcome)))
}

/// `exchange(bytes?)`: hands over the outcome in the mailbox, if a slot is named, and takes a task.
fn exchange(environment: &Environment, call: &Call) -> Returned {
    let mailbox = &environment.mailbox;
    let finished = finished(environment, call)?;
    let step = environment.with_member(|pool, id| pool.exchange(id, finished))?;
    mailbox.set(
        Cell::Result,
        match step {
            Step::Idle => IDLE,
            Step::Retire => RETIRE,
            Step::Run(taken) => {
                mailbox.set(Cell::Slot, signed(taken.slot));
                mailbox.set(Cell::Generation, signed(taken.key.generation));
                mailbox.set(Cell::Ticket, signed(taken.ticket));
                mailbox.set(Cell::Target, signed(taken.target));
                mailbox.set(Cell::Tag, signed(taken.payload.tag));
                match taken.payload.body {
                    Body::Number(number) => {
                        mailbox.set(Cell::Form, FORM_NUMBER);
                        mailbox.set_number(number);
                    }
                    Body::Bytes(bytes) if bytes.len() <= INLINE => {
                        mailbox.set(Cell::Form, FORM_BYTES);
                        mailbox.set(Cell::Length, length(bytes.len())?);
                        mailbox.put_bytes(&bytes);
                    }
                    Body::Bytes(bytes) => {
                        mailbox.set(Cell::Form, FORM_ELSEWHERE);
                        mailbox.set(Cell::Length, 0);
                        *environment.blobs.borrow_mut() = vec![bytes];
                    }
                }
                RUN
            }
        },
    );
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for a time slice")]
    mailbox.set_clock(now() as f64 / 1e6);
    Ok(None)
}

/// `finish(bytes?)`: hands over the outcome in the mailbox without taking a task.
fn finish(environment: &Environment, call: &Call) -> Returned {
    if let Some((slot, outcome)) = finished(environment, call)? {
        environment.with_member(|pool, id| pool.finish(id, slot, outcome))?;
    }
    Ok(None)
}

/// `answer() -> bits`: why the bell was rung. To be called before anything is looked at.
fn answer(environment: &Environment, call: &Call) -> Returned {
    call.make_number(f64::from(environment.doorbell.answer()))
}

/// `drain() -> count`: fills the mailbox with records of what has come in. With `MORE` set there was
/// more than fits.
fn drain(environment: &Environment, call: &Call) -> Returned {
    let mailbox = &environment.mailbox;
    environment.collect_lent();
    environment.account();
    environment.blobs.borrow_mut().clear();
    let mut carry = environment.carry.borrow_mut();
    let (mut offset, mut count) = (0, 0u32);
    while let Some(message) = carry.take().or_else(|| environment.outbox.receive()) {
        if offset + room_for(&message) > mailbox.room() {
            *carry = Some(message);
            count |= MORE;
            break;
        }
        if let Message::Settled {
            ticket,
            outcome: Outcome::Timed { ran, outcome },
        } = message
        {
            offset += put_reading(mailbox, offset, [RAN, signed(ticket), 0, 0], ran);
            let outcome = *outcome;
            offset += put(environment, offset, Message::Settled { ticket, outcome })?;
            count += 2;
            continue;
        }
        offset += put(environment, offset, message)?;
        count += 1;
    }
    call.make_number(f64::from(count))
}

/// Writes a record of an observed task: its last field is a time, in milliseconds.
fn put_reading(mailbox: &Mailbox, offset: usize, header: [i32; 4], ns: u64) -> usize {
    mailbox.put_header(offset, header);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    mailbox.put_number_at(offset + HEADER, ns as f64 / 1e6);
    READING
}

const HEADER: usize = 16;
const READING: usize = HEADER + 8;

fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

fn room_for(message: &Message) -> usize {
    match message {
        Message::Settled {
            outcome: Outcome::Timed { outcome, .. },
            ..
        } => READING + room_for_outcome(outcome),
        Message::Settled { outcome, .. } => room_for_outcome(outcome),
        Message::Started { .. } => READING,
        Message::Control { .. } => HEADER,
    }
}

fn room_for_outcome(outcome: &Outcome) -> usize {
    HEADER
        + match outcome {
            Outcome::Returned(payload) | Outcome::Threw(payload) => match &payload.body {
                Body::Bytes(bytes) if bytes.len() <= INLINE => padded(bytes.len()),
                _ => 8,
            },
            Outcome::Failed { code, message } => {
                padded((code.len() + 1 + message.len()).min(INLINE))
            }
            _ => 0,
        }
}

/// Writes a record: `[what, ticket or pool, tag or worker or lane, length]`, then a number (length
/// -1), or bytes, or nothing (length -2 - i: blob i).
fn put(environment: &Environment, offset: usize, message: Message) -> Result<usize, Fault> {
    let mailbox = &environment.mailbox;
    let (ticket, outcome) = match message {
        Message::Settled { ticket, outcome } => (signed(ticket), outcome),
        Message::Started {
            ticket,
            generation,
            worker,
            waited,
        } => {
            let header = [
                STARTED,
                signed(ticket),
                signed(worker.0),
                signed(generation),
            ];
            return Ok(put_reading(mailbox, offset, header, waited));
        }
        Message::Control { pool, control } => {
            let (what, about) = match control {
                Control::Start(worker) => (CONTROL_START, worker.0),
                Control::Terminate(worker) => (CONTROL_TERMINATE, worker.0),
                Control::LaneEnded(lane) => (CONTROL_LANE_ENDED, lane as u32),
                Control::Gone(worker) => (CONTROL_GONE, worker.0),
                Control::Look(worker) => (CONTROL_LOOK, worker.0),
            };
            mailbox.put_header(offset, [what, signed(pool), signed(about), 0]);
            return Ok(HEADER);
        }
    };
    let plain = |what| {
        mailbox.put_header(offset, [what, ticket, 0, 0]);
        Ok(HEADER)
    };
    let (what, payload) = match outcome {
        Outcome::Returned(payload) => (RETURNED, payload),
        Outcome::Threw(payload) => (THREW, payload),
        Outcome::Failed { code, message } => {
            let mut text = format!("{code}\n{message}").into_bytes();
            text.truncate(INLINE);
            (FAILED, Payload::bytes(0, text))
        }
        Outcome::TaskTimeout => return plain(TASK_TIMEOUT),
        Outcome::QueueTimeout => return plain(QUEUE_TIMEOUT),
        Outcome::Deadline => return plain(DEADLINE),
        Outcome::Cancelled => return plain(CANCELLED),
        Outcome::PoolClosed => return plain(POOL_CLOSED),
        Outcome::WorkerStart => return plain(WORKER_START),
        Outcome::Timed { .. } => return Err(Fault("an outcome is timed once")),
        Outcome::WorkerGone { worker, attempts } => {
            mailbox.put_header(
                offset,
                [WORKER_GONE, ticket, signed(worker.0), i32::from(attempts)],
            );
            return Ok(HEADER);
        }
    };
    let tag = signed(payload.tag);
    match payload.body {
        Body::Number(number) => {
            mailbox.put_header(offset, [what, ticket, tag, -1]);
            mailbox.put_number_at(offset + HEADER, number);
            Ok(HEADER + 8)
        }
        Body::Bytes(bytes) if bytes.len() <= INLINE => {
            mailbox.put_header(offset, [what, ticket, tag, length(bytes.len())?]);
            mailbox.put_at(offset + HEADER, &bytes);
            Ok(HEADER + padded(bytes.len()))
        }
        Body::Bytes(bytes) => {
            let mut blobs = environment.blobs.borrow_mut();
            mailbox.put_header(offset, [what, ticket, tag, -2 - length(blobs.len())?]);
            blobs.push(bytes);
            Ok(HEADER)
        }
    }
}

fn length(length: usize) -> Result<i32, Fault> {
    i32::try_from(length).map_err(|_| Fault("longer than 2 GiB"))
}

/// `blob(i) -> ArrayBuffer`: the bytes that did not fit, without a copy where the engine allows it.
fn blob(environment: &Environment, call: &Call) -> Returned {
    let index = call.index(call.args()[0])? as usize;
    let bytes = match environment.blobs.borrow_mut().get_mut(index) {
        Some(bytes) => std::mem::take(bytes),
        None => return Err(Fault("unknown blob")),
    };
    make_array_buffer(call.env, bytes)
}

fn make_array_buffer(env: sys::napi_env, bytes: Bytes) -> Returned {
    let (data, length) = (bytes.as_ptr().cast_mut(), bytes.len());
    let owner = Box::into_raw(Box::new(bytes));
    let mut value = ptr::null_mut();
    // SAFETY: the bytes stay where they are until `free_bytes` has their owner, and nobody else has.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env,
            data.cast(),
            length,
            Some(free_bytes),
            owner.cast(),
            &mut value,
        )
    };
    if status == sys::Status::napi_ok {
        return Ok(Some(value));
    }
    // An engine with a memory cage refuses: copy.
    // SAFETY: the engine has not taken the owner.
    let bytes = unsafe { Box::from_raw(owner) };
    let mut target = ptr::null_mut();
    check(
        // SAFETY: creates a buffer of that length and says where it is.
        unsafe { sys::napi_create_arraybuffer(env, length, &mut target, &mut value) },
        "no memory for a result",
    )?;
    // SAFETY: both are `length` long and apart.
    unsafe {
        target
            .cast::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), length)
    };
    Ok(Some(value))
}

unsafe extern "C" fn free_bytes(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: the box that `make_array_buffer` gave away.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}
