//! How an environment gets its news: why its bell was rung, and what has come in for it, as notices in the memories.
//!
//! A notice is a header of four numbers, `[what, ticket or pool, tag or worker or lane, length]`, then a number or
//! bytes, padded to 8. Notices that do not fit stay with the environment for the next drain.

use std::time::Duration;

use super::call::{Call, Fault, Returned};
use super::environment::Environment;
use super::memory::{Memories, length, signed};
use crate::scheduler::{Body, Control, Message, Outcome, Payload};
use crate::wire::size::{HEADER, INLINE};
use crate::wire::{notice, tag};

super::call::exports! {
    c"answer" Answer = answer;
    c"drain" Drain = drain;
    c"block" Block = block;
    c"wait" Wait = wait;
    c"keepAlive" KeepAlive = keep_alive;
    c"turn" Turn = turn;
}

/// The bit of `drain`'s result that is set if there was more than fits.
const MORE: u32 = 1 << 31;

/// Bytes of a notice with a time.
const READING: usize = HEADER + 8;
/// Bytes of a notice with four more numbers.
const WANTED: usize = HEADER + HEADER;

/// `answer() -> bits`: why the bell was rung. To be called before any look at what has come in.
fn answer(environment: &Environment, call: &Call) -> Returned {
    call.make_number(f64::from(environment.doorbell.answer()))
}

/// `drain() -> count`: fills the memory of notices with what has come in. To be called only once all notices in it have
/// been read. If `MORE` is set, there was more than fits.
fn drain(environment: &Environment, call: &Call) -> Returned {
    let memories = &environment.memories;
    environment.collect_lent();
    environment.account();
    environment.blobs.borrow_mut().clear();
    let mut taken = environment.taken.borrow_mut();
    let (mut offset, mut count) = (0, 0u32);
    loop {
        if taken.is_empty() {
            environment.outbox.take(&mut taken);
        }
        let Some(message) = taken.front() else {
            break;
        };
        if offset + room_for(message) > memories.room() {
            count |= MORE;
            break;
        }
        let Some(message) = taken.pop_front() else {
            break;
        };
        if let Message::Settled {
            ticket,
            outcome: Outcome::Timed { ran, outcome },
        } = message
        {
            offset += put_reading(memories, offset, [notice::RAN, signed(ticket), 0, 0], ran);
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

/// Writes a notice of an observed task. Its last field is a time in milliseconds.
fn put_reading(memories: &Memories, offset: usize, header: [i32; 4], ns: u64) -> usize {
    memories.put_header(offset, header);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    memories.put_number_at(offset + HEADER, ns as f64 / 1e6);
    READING
}

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
        Message::Chunk { payload, .. } => HEADER + HEADER + room_for_payload(payload),
        Message::Started { .. } | Message::Progress { .. } => READING,
        Message::Wanted { .. } => WANTED,
        Message::Control { .. } => HEADER,
    }
}

fn room_for_outcome(outcome: &Outcome) -> usize {
    HEADER
        + match outcome {
            Outcome::Returned(payload) | Outcome::Threw(payload) | Outcome::NotCloned(payload) => {
                room_for_payload(payload)
            }
            Outcome::Failed { code, message } => {
                padded((code.len() + 1 + message.len()).min(INLINE))
            }
            _ => 0,
        }
}

fn room_for_payload(payload: &Payload) -> usize {
    match &payload.body {
        Body::Bytes(bytes) if bytes.len() <= INLINE => padded(bytes.len()),
        _ => 8,
    }
}

/// Writes a notice: `[what, ticket or pool, tag or worker or lane, length]`, then a number (length -1), or bytes, or
/// nothing (length -2 - i: blob i, and the blobs after it if it is the head of a record).
fn put(environment: &Environment, offset: usize, message: Message) -> Result<usize, Fault> {
    let memories = &environment.memories;
    let (ticket, outcome) = match message {
        Message::Settled { ticket, outcome } => (signed(ticket), outcome),
        Message::Started {
            ticket,
            generation,
            worker,
            waited,
        } => {
            let header = [
                notice::STARTED,
                signed(ticket),
                signed(worker.0),
                signed(generation),
            ];
            return Ok(put_reading(memories, offset, header, waited));
        }
        Message::Progress {
            ticket,
            generation,
            latest,
        } => {
            memories.put_header(
                offset,
                [notice::PROGRESS, signed(ticket), 0, signed(generation)],
            );
            memories.put_number_at(offset + HEADER, latest.take());
            return Ok(READING);
        }
        Message::Chunk {
            ticket,
            generation,
            payload,
        } => {
            let name = [notice::CHUNK, signed(ticket)];
            memories.put_header(offset, [name[0], name[1], signed(generation), 0]);
            return Ok(HEADER + put_payload(environment, offset + HEADER, name, payload)?);
        }
        Message::Wanted {
            pool,
            worker,
            slot,
            ticket,
            generation,
            target,
        } => {
            memories.put_header(offset, [notice::WANTED, signed(pool), signed(worker.0), 0]);
            memories.put_header(
                offset + HEADER,
                [
                    signed(slot),
                    signed(ticket),
                    signed(generation),
                    signed(target),
                ],
            );
            return Ok(WANTED);
        }
        Message::Control { pool, control } => {
            let why = match control {
                Control::Terminate(_, ending) => ending as i32,
                _ => 0,
            };
            let (what, about) = match control {
                Control::Start(worker) => (notice::START, worker.0),
                Control::Ready(worker) => (notice::READY, worker.0),
                Control::Terminate(worker, _) => (notice::TERMINATE, worker.0),
                Control::LaneEnded(lane) => (notice::LANE_ENDED, lane as u32),
                Control::Gone(worker) => (notice::GONE, worker.0),
                Control::Look(worker) => (notice::LOOK, worker.0),
                Control::StartedTooLate(worker) => (notice::STARTED_TOO_LATE, worker.0),
                Control::Stalled(worker) => (notice::STALLED, worker.0),
                Control::NotBegun(worker) => (notice::NOT_BEGUN, worker.0),
                Control::Remind(reminder) => (notice::REMIND, reminder as u32),
            };
            memories.put_header(offset, [what, signed(pool), signed(about), why]);
            return Ok(HEADER);
        }
    };
    let plain = |what| {
        memories.put_header(offset, [what, ticket, 0, 0]);
        Ok(HEADER)
    };
    let (what, payload) = match outcome {
        Outcome::Returned(payload) => (notice::RETURNED, payload),
        Outcome::Threw(payload) | Outcome::NotCloned(payload) => (notice::THREW, payload),
        Outcome::Failed { code, message } => {
            let mut text = format!("{code}\n{message}").into_bytes();
            text.truncate(INLINE);
            (notice::FAILED, Payload::bytes(tag::UTF8, text))
        }
        Outcome::TaskTimeout => return plain(notice::TASK_TIMEOUT),
        Outcome::QueueTimeout => return plain(notice::QUEUE_TIMEOUT),
        Outcome::Deadline => return plain(notice::DEADLINE),
        Outcome::Cancelled => return plain(notice::CANCELLED),
        Outcome::PoolClosed => return plain(notice::POOL_CLOSED),
        Outcome::WorkerStart => return plain(notice::WORKER_START),
        Outcome::Timed { .. } => return Err(Fault("an outcome is timed once")),
        Outcome::WorkerGone { worker, attempts } => {
            memories.put_header(
                offset,
                [
                    notice::WORKER_GONE,
                    ticket,
                    signed(worker.0),
                    i32::from(attempts),
                ],
            );
            return Ok(HEADER);
        }
    };
    put_payload(environment, offset, [what, ticket], payload)
}

/// Writes the last two numbers of a notice, `[…, tag, length]`, and a payload.
fn put_payload(
    environment: &Environment,
    offset: usize,
    [what, ticket]: [i32; 2],
    payload: Payload,
) -> Result<usize, Fault> {
    let memories = &environment.memories;
    let tag = signed(payload.tag);
    match payload.body {
        Body::Lent(_) => Err(Fault("no result is lent")),
        #[cfg(unix)]
        Body::Map(_) => Err(Fault("no result is a map")),
        Body::Parts(parts) => {
            let mut blobs = environment.blobs.borrow_mut();
            memories.put_header(offset, [what, ticket, tag, -2 - length(blobs.len())?]);
            for part in parts {
                let Body::Bytes(bytes) = part.body else {
                    return Err(Fault("a part of a result is bytes"));
                };
                blobs.push((part.tag, bytes));
            }
            Ok(HEADER)
        }
        Body::Number(number) => {
            memories.put_header(offset, [what, ticket, tag, -1]);
            memories.put_number_at(offset + HEADER, number);
            Ok(HEADER + 8)
        }
        Body::Bytes(bytes) if bytes.len() <= INLINE => {
            memories.put_header(offset, [what, ticket, tag, length(bytes.len())?]);
            memories.put_at(offset + HEADER, &bytes);
            Ok(HEADER + padded(bytes.len()))
        }
        Body::Bytes(bytes) => {
            let mut blobs = environment.blobs.borrow_mut();
            memories.put_header(offset, [what, ticket, tag, -2 - length(blobs.len())?]);
            blobs.push((payload.tag, bytes));
            Ok(HEADER)
        }
    }
}

/// `block(boolean)`: says whether this environment's event loop is blocked.
fn block(environment: &Environment, call: &Call) -> Returned {
    environment.outbox.block(call.boolean(call.args()[0])?);
    Ok(None)
}

/// `wait(ms)`: blocks until there is something to drain, or the time is over.
fn wait(environment: &Environment, call: &Call) -> Returned {
    let ms = u64::from(call.index(call.args()[0])?);
    if environment.taken.borrow().is_empty() {
        environment.outbox.wait(Duration::from_millis(ms));
    }
    Ok(None)
}

/// `keepAlive(boolean)`: whether this environment's loop should stay while nothing else holds it.
fn keep_alive(environment: &Environment, call: &Call) -> Returned {
    environment
        .doorbell
        .hold(call.env, call.boolean(call.args()[0])?);
    Ok(None)
}

/// `turn(byRing)`: calls the environment back after a turn of its event loop.
fn turn(environment: &Environment, call: &Call) -> Returned {
    environment.doorbell.turn(call.boolean(call.args()[0])?);
    Ok(None)
}
