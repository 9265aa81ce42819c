//! The functions of a pool's owner: making, steering and ending it.

use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Outcome as Returned};
use super::environment::Environment;
use crate::manner::Manner;
use crate::native;
use crate::scheduler::{GroupLimits, Lane, PoolLimits, Scheduler, WorkerId};

super::call::exports! {
    c"createPool" CreatePool = create_pool;
    c"releasePool" ReleasePool = release_pool;
    c"closePool" ClosePool = close_pool;
    c"destroyPool" DestroyPool = destroy_pool;
    c"recycle" Recycle = recycle;
    c"configureGroup" ConfigureGroup = configure_group;
    c"reserveMinimum" ReserveMinimum = reserve_minimum;
    c"hold" Hold = hold;
    c"pause" Pause = pause;
    c"resize" Resize = resize;
    c"reap" Reap = reap;
    c"cancelWaiting" CancelWaiting = cancel_waiting;
    c"failWaiting" FailWaiting = fail_waiting;
    c"leave" Leave = leave;
}

pub(super) fn lane(call: &Call, value: sys::napi_value) -> Result<Lane, Fault> {
    Ok(if call.index(value)? == 0 {
        Lane::Native
    } else {
        Lane::Script
    })
}

/// A limit: what is not finite is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the top is no limit"
)]
fn limit(call: &Call, value: sys::napi_value) -> Result<u32, Fault> {
    let number = call.number(value)?;
    Ok(if number.is_finite() {
        number as u32
    } else {
        u32::MAX
    })
}

/// `createPool(min, max, maxQueue, concurrency, abortGrace, idleTimeout, nice, pin) -> "handle,uid"`
fn create_pool(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let max_queue = limit(call, args[2])?;
    let limits = PoolLimits {
        min_threads: limit(call, args[0])?,
        max_threads: limit(call, args[1])?,
        max_queue: if max_queue == u32::MAX {
            usize::MAX
        } else {
            max_queue as usize
        },
        concurrency: limit(call, args[3])?,
        abort_grace: limit(call, args[4])?,
        idle_timeout: limit(call, args[5])?,
        manner: manner(call, args[6], args[7])?,
    };
    let outbox = Arc::clone(&environment.outbox);
    let (handle, uid) =
        environment.add_pool(|uid| Scheduler::new(uid, limits, outbox, native::launch));
    call.make_string(&format!("{handle},{uid}"))
}

pub(super) fn manner(
    call: &Call,
    nice: sys::napi_value,
    pin: sys::napi_value,
) -> Result<Manner, Fault> {
    Ok(Manner {
        nice: u8::try_from(call.index(nice)?).unwrap_or(u8::MAX),
        pin: call.boolean(pin)?,
    })
}

fn release_pool(environment: &Environment, call: &Call) -> Returned {
    environment.release_pool(call.index(call.args()[0])?);
    Ok(None)
}

fn close_pool(environment: &Environment, call: &Call) -> Returned {
    environment.with_pool(call.index(call.args()[0])?, |pool| pool.close())?;
    Ok(None)
}

fn destroy_pool(environment: &Environment, call: &Call) -> Returned {
    environment.with_pool(call.index(call.args()[0])?, |pool| pool.destroy())?;
    Ok(None)
}

/// `recycle(pool, tasks, age, oneTask)`: when isolates are replaced.
fn recycle(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (tasks, age) = (limit(call, args[1])?, limit(call, args[2])?);
    let one_task = call.boolean(args[3])?;
    environment.with_pool(call.index(args[0])?, |pool| {
        pool.recycle(tasks, age, one_task);
    })?;
    Ok(None)
}

/// `configureGroup(pool, name, weight, maxRunning)`
fn configure_group(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let name = call.string(args[1]).ok_or(Fault("expected a string"))?;
    let limits = GroupLimits {
        weight: call.number(args[2])?,
        max_running: limit(call, args[3])?,
    };
    environment.with_pool(call.index(args[0])?, |pool| {
        pool.configure_group(name.into(), limits);
    })?;
    Ok(None)
}

/// `reserveMinimum(pool, lane, least) -> "id,id,…"`
fn reserve_minimum(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (lane, least) = (lane(call, args[1])?, limit(call, args[2])?);
    let ids = environment.with_pool(call.index(args[0])?, |pool| {
        pool.reserve_minimum(lane, least)
    })?;
    list(call, &ids)
}

pub(super) fn list(call: &Call, ids: &[WorkerId]) -> Returned {
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    call.make_string(&ids.join(","))
}

fn hold(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (lane, held) = (lane(call, args[1])?, call.boolean(args[2])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.hold(lane, held))?;
    Ok(None)
}

fn pause(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let paused = call.boolean(args[1])?;
    environment.with_pool(call.index(args[0])?, |pool| pool.pause(paused))?;
    Ok(None)
}

/// `resize(pool, min, max)`
fn resize(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (min, max) = (limit(call, args[1])?, limit(call, args[2])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.resize(min, max))?;
    Ok(None)
}

/// `reap(pool, lane, idleMs)`
fn reap(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (lane, idle) = (lane(call, args[1])?, limit(call, args[2])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.reap(lane, idle))?;
    Ok(None)
}

/// `cancelWaiting(pool) -> number` of tasks
fn cancel_waiting(environment: &Environment, call: &Call) -> Returned {
    let cancelled =
        environment.with_pool(call.index(call.args()[0])?, |pool| pool.cancel_waiting())?;
    #[expect(clippy::cast_precision_loss, reason = "a number of tasks")]
    call.make_number(cancelled as f64)
}

fn fail_waiting(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let lane = lane(call, args[1])?;
    environment.with_pool(call.index(args[0])?, |pool| pool.fail_waiting(lane))?;
    Ok(None)
}

/// `leave(pool, worker)`: the worker's isolate has ended.
fn leave(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let id = WorkerId(call.index(args[1])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.leave(id))?;
    Ok(None)
}
