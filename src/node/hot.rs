//! The functions that every task needs: submit, cancel, exchange. Their numbers go through shared memory; `submitWith`
//! takes what few tasks have as arguments.

use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Returned, check};
use super::environment::Environment;
use super::memory::{length, signed, unsigned};
use super::pool::{Pool, lane as lane_of};
use crate::memory::borrowed::Borrowed;
use crate::memory::counters::CounterSet;
use crate::memory::loan::Lent;
use crate::scheduler::{
    Attachments, Body, Finished, Flow, Key, Lane, NO_DEADLINE, NewTask, Outcome, PRIORITIES,
    Payload, Placement, Refusal, Step, WorkerId, now,
};
use crate::wire::{cell, form, lane, number, size, status, step, submitted, tag};

super::call::exports! {
    c"submit" Submit = submit;
    c"submitWith" SubmitWith = submit_with;
    c"submitDirect" SubmitDirect = submit_direct;
    c"exchange" Exchange = exchange;
    c"finish" Finish = finish;
}

super::call::methods! {
    c"reserve" Reserve = reserve;
    c"unreserve" Unreserve = unreserve;
    c"undo" Undo = undo;
    c"setWaits" SetWaits = set_waits;
    c"cancel" Cancel = cancel;
    c"hasRead" HasRead = has_read;
}

/// The payload that JavaScript has encoded, or has given as the first argument: bytes, or a text.
#[inline]
fn payload(environment: &Environment, call: &Call) -> Result<Payload, Fault> {
    let memories = &environment.memories;
    let tag = unsigned(memories.get(cell::TAG));
    let body = match memories.get(cell::FORM) {
        form::NUMBER => Body::Number(memories.number(number::PAYLOAD)),
        form::MAP => map(memories.number(number::PAYLOAD))?,
        form::BYTES => {
            let length = unsigned(memories.get(cell::LENGTH)) as usize;
            Body::Bytes(
                memories
                    .take_encoded(length)
                    .ok_or(Fault("the payload is longer than its memory"))?,
            )
        }
        form::ELSEWHERE => {
            let value = call.args()[0];
            let bytes = match tag {
                tag::LATIN1 => call.latin1(value),
                tag::UTF16 => call.utf16(value),
                _ => call.copy_bytes(value),
            };
            Body::Bytes(bytes.ok_or(Fault("expected a typed array, or a text"))?)
        }
        form::LENT => Body::Lent(lend_bytes(environment, call, call.args()[0], false)?),
        form::SHARED => Body::Lent(lend_bytes(environment, call, call.args()[0], true)?),
        form::PARTS => Body::Parts(parts(environment, call, call.args()[0])?),
        _ => return Err(Fault("unknown form of a payload")),
    };
    Ok(Payload { tag, body })
}

/// The payloads of a list: a head, then the tag, the form and the bytes of each part.
fn parts(
    environment: &Environment,
    call: &Call,
    list: sys::napi_value,
) -> Result<Box<[Payload]>, Fault> {
    let copied = |value| {
        call.copy_bytes(value)
            .ok_or(Fault("expected a typed array"))
    };
    let mut items = call.items(list)?;
    let head = items.next().ok_or(Fault("a list without a head"))??;
    let mut parts = vec![Payload::bytes(tag::JSON, copied(head)?)];
    while let Some(tag) = items.next() {
        let mut next = || items.next().ok_or(Fault("a part is three items"))?;
        let (tag, form, bytes) = (call.index(tag?)?, call.int(next()?)?, next()?);
        let body = match form {
            form::ELSEWHERE => Body::Bytes(copied(bytes)?),
            form::MAP => map(call.number(bytes)?)?,
            form::LENT => Body::Lent(lend_bytes(environment, call, bytes, false)?),
            form::SHARED => Body::Lent(lend_bytes(environment, call, bytes, true)?),
            _ => return Err(Fault("unknown form of a part")),
        };
        parts.push(Payload { tag, body });
    }
    Ok(parts.into())
}

/// The shared map of a number. The payload keeps it.
#[cfg(unix)]
fn map(number: f64) -> Result<Body, Fault> {
    crate::memory::map::registry::get(number as u64)
        .map(Body::Map)
        .ok_or(Fault("this process has no such map"))
}

#[cfg(not(unix))]
fn map(_: f64) -> Result<Body, Fault> {
    Err(Fault("there are no shared maps here"))
}

/// Lends the bytes of a view, to be read in place.
fn lend_bytes(
    environment: &Environment,
    call: &Call,
    view: sys::napi_value,
    shared: bool,
) -> Result<Lent, Fault> {
    let (data, length) = call.view(view).ok_or(Fault("expected a typed array"))?;
    let mut reference = ptr::null_mut();
    check(
        // SAFETY: a reference to an argument of this call, deleted in `collect_lent`.
        unsafe { sys::napi_create_reference(call.env, view, 1, &mut reference) },
        "no reference",
    )?;
    // SAFETY: the reference keeps the view, and so the bytes. Whoever lends a buffer leaves it as it is: one that was
    // moved is nobody else's, and of another the caller has promised it.
    Ok(unsafe { environment.lend_bytes(data, length, shared, reference) })
}

/// `submit(bytes?)`: queues the task in the memories. `Result` says whether it was taken. If so, `Key` and `Generation`
/// name it, and `Start` is the worker whose isolate has to be started, or -1.
fn submit(environment: &Environment, call: &Call) -> Returned {
    submit_new(environment, call, None, None, None)
}

/// `submitWith(bytes?, params?, counters?, names?, group?, key?, generation?, progress, room)`: as `submit`, for a
/// native task with parameters (JSON text), with counters (a BigInt64Array on shared memory, and their names joined by
/// NUL), with progress, or with room for this many chunks (0 if it is no stream), for a task of a group, or for one that
/// a running task waits for.
fn submit_with(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let params = call.string(args[1]).map(String::into_boxed_str);
    let counters = match call.string(args[3]) {
        Some(names) => Some(lend_counters(environment, call, args[2], &names)?),
        None => None,
    };
    let progress = call.boolean(args[7])?;
    let flow = match call.index(args[8])? {
        0 => None,
        room => Some(Arc::new(Flow::new(room))),
    };
    let attached = params.is_some() || counters.is_some() || progress || flow.is_some();
    let attachments = attached.then(|| {
        Box::new(Attachments {
            params,
            counters,
            progress,
            flow,
        })
    });
    let group = call.string(args[4]).map(String::into_boxed_str);
    let outer = key(call, args[5], args[6]).ok();
    submit_new(environment, call, attachments, group, outer)
}

fn lend_counters(
    environment: &Environment,
    call: &Call,
    view: sys::napi_value,
    names: &str,
) -> Result<Arc<CounterSet>, Fault> {
    let (data, bytes) = call
        .view(view)
        .ok_or(Fault("expected a typed array of counters"))?;
    // SAFETY: the view is on shared memory that never moves or shrinks; the reference below keeps it
    // alive until the last task lets go, and the environment's clean-up closes it before it is freed.
    let memory = unsafe { Borrowed::new(data.cast(), bytes / 8) };
    let memory = memory.map_err(|_| Fault("the counters are not aligned"))?;
    let memory = Arc::new(memory);
    let mut reference = ptr::null_mut();
    check(
        // SAFETY: a reference to an argument of this call, deleted in `collect_lent`.
        unsafe { sys::napi_create_reference(call.env, view, 1, &mut reference) },
        "no reference",
    )?;
    environment.lend(Arc::clone(&memory), reference);
    let set = CounterSet::new(names.split('\0'), memory);
    Ok(Arc::new(set.map_err(|_| {
        Fault("the counters are shorter than their names need")
    })?))
}

fn submit_new(
    environment: &Environment,
    call: &Call,
    attachments: Option<Box<Attachments>>,
    group: Option<Box<str>>,
    outer: Option<Key>,
) -> Returned {
    let memories = &environment.memories;
    let new = new_task(environment, call, attachments, group)?;
    let reserved = memories.get(cell::LANE) & lane::RESERVED != 0;
    let answer = environment.with_pool(unsigned(memories.get(cell::POOL)), |pool| {
        pool.submit_for(new, outer, reserved)
    })?;
    memories.set(
        cell::RESULT,
        match answer {
            Ok(submitted) => {
                memories.set(cell::KEY, signed(submitted.key.index));
                memories.set(cell::GENERATION, signed(submitted.key.generation));
                memories.set(cell::START, submitted.start.map_or(-1, |id| signed(id.0)));
                submitted::ACCEPTED
            }
            Err(refusal) => {
                environment.collect_lent();
                refused(refusal)
            }
        },
    );
    environment.account();
    Ok(None)
}

fn refused(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::Full => submitted::FULL,
        Refusal::Closed => submitted::CLOSED,
    }
}

/// `reserve(lane) -> SUBMITTED`: reserves room for one task before its input is taken from the caller.
fn reserve(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let lane = lane_of(call, call.args()[0])?;
    let answer = pool.with(|pool| pool.reserve(lane))?;
    call.make_number(f64::from(
        answer.map_or_else(refused, |()| submitted::ACCEPTED),
    ))
}

/// `unreserve()`: the task does not come.
fn unreserve(_: &Environment, pool: &Pool, _: &Call) -> Returned {
    pool.with(|pool| pool.unreserve())?;
    Ok(None)
}

/// The task that JavaScript has described in the memories.
#[inline]
fn new_task(
    environment: &Environment,
    call: &Call,
    attachments: Option<Box<Attachments>>,
    group: Option<Box<str>>,
) -> Result<NewTask, Fault> {
    let memories = &environment.memories;
    let bits = memories.get(cell::LANE);
    let lane = match bits & !(lane::OBSERVED | lane::RESERVED | lane::ALONE) {
        lane::NATIVE => Lane::Native,
        lane::SCRIPT => Lane::Script,
        _ => return Err(Fault("unknown lane")),
    };
    Ok(NewTask {
        ticket: unsigned(memories.get(cell::TICKET)),
        target: unsigned(memories.get(cell::TARGET)),
        lane,
        priority: i8::try_from(memories.get(cell::PRIORITY))
            .ok()
            .filter(|priority| PRIORITIES.contains(priority))
            .ok_or(Fault("no priority"))?,
        // -1 is u32::MAX: no limit.
        timeout: unsigned(memories.get(cell::TIMEOUT)),
        queue_timeout: unsigned(memories.get(cell::QUEUE_TIMEOUT)),
        deadline: memories
            .deadline()?
            .map_or(NO_DEADLINE, |ms| now().saturating_add((ms * 1e6) as u64)),
        retries: u8::try_from(memories.get(cell::RETRIES)).map_err(|_| Fault("no retries"))?,
        placement: match memories.get(cell::PLACEMENT) {
            0 => Placement::Any,
            worker if worker < 0 => Placement::Worker(WorkerId(unsigned(-1 - worker))),
            key => u16::try_from(key)
                .ok()
                .filter(|key| *key < Placement::KEYS)
                .map(Placement::Key)
                .ok_or(Fault("no placement"))?,
        },
        group,
        payload: payload(environment, call)?,
        attachments,
        observed: bits & lane::OBSERVED != 0,
        alone: bits & lane::ALONE != 0,
    })
}

/// `submitDirect()`: as `submit`, for an input that a port carries. If a worker is idle, it has the task at once:
/// `Start` is the worker, `Slot` is the slot, and the caller sends the input now. Otherwise the task is not submitted
/// and `Slot` is -1.
fn submit_direct(environment: &Environment, call: &Call) -> Returned {
    let memories = &environment.memories;
    let new = new_task(environment, call, None, None)?;
    let direct = environment.with_pool(unsigned(memories.get(cell::POOL)), |pool| {
        pool.submit_direct(new)
    })?;
    let (worker, taken) = match direct {
        Some((worker, taken)) => (signed(worker.0), taken),
        None => {
            memories.set(cell::SLOT, -1);
            return Ok(None);
        }
    };
    memories.set(cell::START, worker);
    memories.set(cell::SLOT, signed(taken.slot));
    memories.set(cell::KEY, signed(taken.key.index));
    memories.set(cell::GENERATION, signed(taken.key.generation));
    Ok(None)
}

/// `undo(worker, slot, generation) -> boolean`: takes back a direct submission whose input could not be sent. False if
/// it has ended.
fn undo(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (worker, slot) = (WorkerId(call.index(args[0])?), call.index(args[1])?);
    let generation = unsigned(call.int(args[2])?);
    call.make_boolean(pool.with(|pool| pool.undo(worker, slot, generation))?)
}

/// `setWaits(worker, slot, waits)`: a task whose input is being sent leaves its place to others, or has it again.
fn set_waits(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (worker, slot) = (WorkerId(call.index(args[0])?), call.index(args[1])?);
    let waits = call.boolean(args[2])?;
    pool.with(|pool| pool.set_waits(worker, slot, waits))?;
    Ok(None)
}

/// The key of a task, as JavaScript was given it.
fn key(call: &Call, index: sys::napi_value, generation: sys::napi_value) -> Result<Key, Fault> {
    Ok(Key {
        index: unsigned(call.int(index)?),
        generation: unsigned(call.int(generation)?),
    })
}

/// `cancel(key, generation) -> boolean`: whether the caller now has to tell the outcome.
fn cancel(environment: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let key = key(call, args[0], args[1])?;
    let cancelled = pool.with(|pool| pool.cancel(key))?;
    environment.collect_lent();
    call.make_boolean(cancelled)
}

/// `hasRead(key, generation, chunks)`: the reader of a native stream has taken this many chunks.
fn has_read(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (key, chunks) = (key(call, args[0], args[1])?, call.index(args[2])?);
    // A pool that has ended has no producers.
    let _ = pool.with(|pool| pool.has_read(key, chunks as usize));
    Ok(None)
}

/// The outcome of a task in a slot, as JavaScript has described it.
#[inline]
fn finished(environment: &Environment, call: &Call) -> Result<Option<Finished>, Fault> {
    let memories = &environment.memories;
    let slot = memories.get(cell::SLOT);
    if slot < 0 {
        return Ok(None);
    }
    let payload = payload(environment, call)?;
    let outcome = match memories.get(cell::STATUS) {
        status::RETURNED => Outcome::Returned(payload),
        status::NOT_CLONED => Outcome::NotCloned(payload),
        status::THREW => Outcome::Threw(payload),
        _ => return Err(Fault("unknown status")),
    };
    Ok(Some(Finished {
        slot: unsigned(slot),
        generation: unsigned(memories.get(cell::GENERATION)),
        outcome,
    }))
}

/// `exchange(bytes?)`: hands over the described outcome, if a slot is named, and takes a task.
fn exchange(environment: &Environment, call: &Call) -> Returned {
    let memories = &environment.memories;
    let finished = finished(environment, call)?;
    let now = now();
    let next = environment.with_member(|pool, id| pool.exchange_at(id, finished, now))?;
    memories.set(
        cell::RESULT,
        match next {
            Step::Idle => step::IDLE,
            Step::Retire => step::RETIRE,
            Step::Help(_) => return Err(Fault("an isolate helps with no task")),
            Step::Run(taken) => {
                memories.set(cell::SLOT, signed(taken.slot));
                memories.set(cell::GENERATION, signed(taken.key.generation));
                memories.set(cell::TICKET, signed(taken.ticket));
                memories.set(cell::TARGET, signed(taken.target));
                memories.set(cell::TAG, signed(taken.payload.tag));
                match taken.payload.body {
                    Body::Number(value) => {
                        memories.set(cell::FORM, form::NUMBER);
                        memories.set_number(number::PAYLOAD, value);
                    }
                    Body::Bytes(bytes) if bytes.len() <= size::INLINE => {
                        memories.set(cell::FORM, form::BYTES);
                        memories.set(cell::LENGTH, length(bytes.len())?);
                        memories.put_input(&bytes);
                    }
                    #[cfg(unix)]
                    Body::Map(_) => return Err(Fault("only native tasks take such an input")),
                    Body::Lent(_) | Body::Parts(_) => {
                        return Err(Fault("only native tasks take such an input"));
                    }
                    Body::Bytes(bytes) => {
                        memories.set(cell::FORM, form::ELSEWHERE);
                        environment.long_input.set(Some((taken.payload.tag, bytes)));
                    }
                }
                step::RUN
            }
        },
    );
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for a time slice")]
    memories.set_number(number::CLOCK, now as f64 / 1e6);
    Ok(None)
}

/// `finish(bytes?)`: hands over the described outcome without taking a task.
fn finish(environment: &Environment, call: &Call) -> Returned {
    if let Some(finished) = finished(environment, call)? {
        environment.with_member(|pool, id| pool.finish(id, finished))?;
    }
    Ok(None)
}
