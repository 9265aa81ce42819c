//! The functions on the way of a task: submit, cancel, exchange. Their numbers go through the mailbox;
//! `submitWith` takes what few tasks have by arguments.

use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Outcome as Returned, check};
use super::environment::Environment;
use super::mailbox::{length, signed, unsigned};
use super::pool::Pool;
use crate::memory::borrowed::Borrowed;
use crate::memory::counters::CounterSet;
use crate::scheduler::{
    Attachments, Body, Finished, Key, Lane, NO_DEADLINE, NewTask, Outcome, PRIORITIES, Payload,
    Placement, Refusal, Step, WorkerId, now,
};
use crate::wire::{cell, form, lane, size, status, step, submitted};

super::call::exports! {
    c"submit" Submit = submit;
    c"submitWith" SubmitWith = submit_with;
    c"submitDirect" SubmitDirect = submit_direct;
    c"exchange" Exchange = exchange;
    c"finish" Finish = finish;
}

super::call::methods! {
    c"undo" Undo = undo;
    c"cancel" Cancel = cancel;
}

/// The payload that JS has put into the mailbox, or into the first argument.
fn payload(environment: &Environment, call: &Call) -> Result<Payload, Fault> {
    let mailbox = &environment.mailbox;
    let tag = unsigned(mailbox.get(cell::TAG));
    let body = match mailbox.get(cell::FORM) {
        form::NUMBER => Body::Number(mailbox.number()),
        form::BYTES => {
            let length = unsigned(mailbox.get(cell::LENGTH)) as usize;
            Body::Bytes(
                mailbox
                    .take_bytes(length)
                    .ok_or(Fault("the payload is longer than the mailbox"))?,
            )
        }
        form::ELSEWHERE => Body::Bytes(
            call.copy_bytes(call.args()[0])
                .ok_or(Fault("expected a typed array"))?,
        ),
        _ => return Err(Fault("unknown form of a payload")),
    };
    Ok(Payload { tag, body })
}

/// `submit(bytes?)`: queues the task in the mailbox. `Result` says whether it was taken; if so, `Key` and
/// `Generation` name it, and `Start` is the worker to start an isolate for, or -1.
fn submit(environment: &Environment, call: &Call) -> Returned {
    submit_new(environment, call, None, None, None)
}

/// `submitWith(bytes?, params?, counters?, names?, group?, key?, generation?)`: as `submit`, for a native
/// task with parameters (JSON text) or with counters (a BigInt64Array on shared memory, and its names
/// joined by NUL), for a task of a group, or for one that a running task waits for.
fn submit_with(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let params = call.string(args[1]).map(String::into_boxed_str);
    let counters = match call.string(args[3]) {
        Some(names) => Some(lend_counters(environment, call, args[2], &names)?),
        None => None,
    };
    let attachments = (params.is_some() || counters.is_some())
        .then(|| Box::new(Attachments { params, counters }));
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
    let mailbox = &environment.mailbox;
    let new = new_task(environment, call, attachments, group)?;
    let answer = environment.with_pool(unsigned(mailbox.get(cell::POOL)), |pool| {
        pool.submit_for(new, outer)
    })?;
    mailbox.set(
        cell::RESULT,
        match answer {
            Ok(submitted) => {
                mailbox.set(cell::KEY, signed(submitted.key.index));
                mailbox.set(cell::GENERATION, signed(submitted.key.generation));
                mailbox.set(cell::START, submitted.start.map_or(-1, |id| signed(id.0)));
                submitted::ACCEPTED
            }
            Err(Refusal::Full) => submitted::FULL,
            Err(Refusal::Closed) => submitted::CLOSED,
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
    let bits = mailbox.get(cell::LANE);
    let lane = match bits & !lane::OBSERVED {
        lane::NATIVE => Lane::Native,
        lane::SCRIPT => Lane::Script,
        _ => return Err(Fault("unknown lane")),
    };
    Ok(NewTask {
        ticket: unsigned(mailbox.get(cell::TICKET)),
        target: unsigned(mailbox.get(cell::TARGET)),
        lane,
        priority: i8::try_from(mailbox.get(cell::PRIORITY))
            .ok()
            .filter(|priority| PRIORITIES.contains(priority))
            .ok_or(Fault("no priority"))?,
        // -1 is u32::MAX: no limit.
        timeout: unsigned(mailbox.get(cell::TIMEOUT)),
        queue_timeout: unsigned(mailbox.get(cell::QUEUE_TIMEOUT)),
        deadline: mailbox
            .deadline()?
            .map_or(NO_DEADLINE, |ms| now().saturating_add((ms * 1e6) as u64)),
        retries: u8::try_from(mailbox.get(cell::RETRIES)).map_err(|_| Fault("no retries"))?,
        placement: match mailbox.get(cell::PLACEMENT) {
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
    })
}

/// `submitDirect()`: as `submit`, for an input that a port carries. If a worker is idle the task is its
/// at once: `Start` is the worker, `Slot` its slot, and the caller sends the input now. Otherwise
/// the task is not submitted and `Slot` is -1.
fn submit_direct(environment: &Environment, call: &Call) -> Returned {
    let mailbox = &environment.mailbox;
    let new = new_task(environment, call, None, None)?;
    let direct = environment.with_pool(unsigned(mailbox.get(cell::POOL)), |pool| {
        pool.submit_direct(new)
    })?;
    let (worker, taken) = match direct {
        Some((worker, taken)) => (signed(worker.0), taken),
        None => {
            mailbox.set(cell::SLOT, -1);
            return Ok(None);
        }
    };
    mailbox.set(cell::START, worker);
    mailbox.set(cell::SLOT, signed(taken.slot));
    mailbox.set(cell::KEY, signed(taken.key.index));
    mailbox.set(cell::GENERATION, signed(taken.key.generation));
    Ok(None)
}

/// `undo(worker, slot)`: takes a direct submission back whose input could not be sent.
fn undo(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (worker, slot) = (WorkerId(call.index(args[0])?), call.index(args[1])?);
    pool.with(|pool| pool.undo(worker, slot))?;
    Ok(None)
}

/// The name of a task, as JS was given it.
fn key(call: &Call, index: sys::napi_value, generation: sys::napi_value) -> Result<Key, Fault> {
    Ok(Key {
        index: unsigned(call.int(index)?),
        generation: unsigned(call.int(generation)?),
    })
}

/// `cancel(key, generation) -> boolean`: whether the outcome is now the caller's to tell.
fn cancel(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let key = key(call, args[0], args[1])?;
    call.make_boolean(pool.with(|pool| pool.cancel(key))?)
}

/// The outcome in the mailbox of a task in a slot.
fn finished(environment: &Environment, call: &Call) -> Result<Option<Finished>, Fault> {
    let mailbox = &environment.mailbox;
    let slot = mailbox.get(cell::SLOT);
    if slot < 0 {
        return Ok(None);
    }
    let payload = payload(environment, call)?;
    let outcome = match mailbox.get(cell::STATUS) {
        status::RETURNED => Outcome::Returned(payload),
        status::NOT_CLONED => Outcome::NotCloned(payload),
        status::THREW => Outcome::Threw(payload),
        _ => return Err(Fault("unknown status")),
    };
    Ok(Some(Finished {
        slot: unsigned(slot),
        generation: unsigned(mailbox.get(cell::GENERATION)),
        outcome,
    }))
}

/// `exchange(bytes?)`: hands over the outcome in the mailbox, if a slot is named, and takes a task.
fn exchange(environment: &Environment, call: &Call) -> Returned {
    let mailbox = &environment.mailbox;
    let finished = finished(environment, call)?;
    let next = environment.with_member(|pool, id| pool.exchange(id, finished))?;
    mailbox.set(
        cell::RESULT,
        match next {
            Step::Idle => step::IDLE,
            Step::Retire => step::RETIRE,
            Step::Run(taken) => {
                mailbox.set(cell::SLOT, signed(taken.slot));
                mailbox.set(cell::GENERATION, signed(taken.key.generation));
                mailbox.set(cell::TICKET, signed(taken.ticket));
                mailbox.set(cell::TARGET, signed(taken.target));
                mailbox.set(cell::TAG, signed(taken.payload.tag));
                match taken.payload.body {
                    Body::Number(number) => {
                        mailbox.set(cell::FORM, form::NUMBER);
                        mailbox.set_number(number);
                    }
                    Body::Bytes(bytes) if bytes.len() <= size::INLINE => {
                        mailbox.set(cell::FORM, form::BYTES);
                        mailbox.set(cell::LENGTH, length(bytes.len())?);
                        mailbox.put_bytes(&bytes);
                    }
                    Body::Bytes(bytes) => {
                        mailbox.set(cell::FORM, form::ELSEWHERE);
                        mailbox.set(cell::LENGTH, 0);
                        *environment.blobs.borrow_mut() = vec![bytes];
                    }
                }
                step::RUN
            }
        },
    );
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for a time slice")]
    mailbox.set_clock(now() as f64 / 1e6);
    Ok(None)
}

/// `finish(bytes?)`: hands over the outcome in the mailbox without taking a task.
fn finish(environment: &Environment, call: &Call) -> Returned {
    if let Some(finished) = finished(environment, call)? {
        environment.with_member(|pool, id| pool.finish(id, finished))?;
    }
    Ok(None)
}
