//! The functions beside the way of a task: making and ending pools, joining, readings.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use napi::sys;

use super::call::{Call, Fault, Outcome as Returned, check};
use super::environment::Environment;
use super::hot::{key, submit_with};
use crate::manner::Manner;
use crate::memory::borrowed::Borrowed;
use crate::memory::counters::CounterSet;
use crate::native;
use crate::scheduler::{
    Attachments, GroupLimits, Lane, Limits, Measured, Percentiles, Scheduler, Snapshot, WorkerId,
};
use crate::supervise::reading;

super::call::exports! {
    c"createPool" CreatePool = create_pool;
    c"releasePool" ReleasePool = release_pool;
    c"adopt" Adopt = adopt;
    c"recycle" Recycle = recycle;
    c"wearOut" WearOut = wear_out;
    c"closePool" ClosePool = close_pool;
    c"destroyPool" DestroyPool = destroy_pool;
    c"submitWith" SubmitWith = submit_attached;
    c"reserveMinimum" ReserveMinimum = reserve_minimum;
    c"configureGroup" ConfigureGroup = configure_group;
    c"readyIds" ReadyIds = ready_ids;
    c"hold" Hold = hold;
    c"pause" Pause = pause;
    c"resize" Resize = resize;
    c"cancelWaiting" CancelWaiting = cancel_waiting;
    c"failWaiting" FailWaiting = fail_waiting;
    c"readyWorkers" ReadyWorkers = ready_workers;
    c"reap" Reap = reap;
    c"leave" Leave = leave;
    c"enlist" Enlist = enlist;
    c"join" Join = join;
    c"setWaits" SetWaits = set_waits;
    c"look" Look = look;
    c"block" Block = block;
    c"wait" Wait = wait;
    c"keepAlive" KeepAlive = keep_alive;
    c"load" Load = load;
    c"stats" Stats = stats;
    c"times" Times = times;
    c"resetTimes" ResetTimes = reset_times;
    c"taskNames" TaskNames = task_names;
    c"suggestTask" SuggestTask = suggest_task;
    c"cpuCount" CpuCount = cpu_count;
}

fn lane(call: &Call, value: sys::napi_value) -> Result<Lane, Fault> {
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
    let limits = Limits {
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

fn manner(call: &Call, nice: sys::napi_value, pin: sys::napi_value) -> Result<Manner, Fault> {
    Ok(Manner {
        nice: u8::try_from(call.index(nice)?).unwrap_or(u8::MAX),
        pin: call.boolean(pin)?,
    })
}

/// `adopt(nice, pin)`: how this environment's thread is run.
fn adopt(_: &Environment, call: &Call) -> Returned {
    let args = call.args();
    manner(call, args[0], args[1])?.adopt();
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

/// `wearOut()`: this environment's worker is to be replaced.
fn wear_out(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.wear_out(id))?;
    Ok(None)
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

/// `submitWith(bytes?, params?, counters?, names?, group?, key?, generation?)`: as `submit`, for a native
/// task with parameters (JSON text) or with counters (a BigInt64Array on shared memory, and its names
/// joined by NUL), for a task of a group, or for one that a running task waits for.
fn submit_attached(environment: &Environment, call: &Call) -> Returned {
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
    submit_with(environment, call, attachments, group, outer)
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

/// `reserveMinimum(pool, lane, least) -> "id,id,…"`
fn reserve_minimum(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (lane, least) = (lane(call, args[1])?, limit(call, args[2])?);
    let ids = environment.with_pool(call.index(args[0])?, |pool| {
        pool.reserve_minimum(lane, least)
    })?;
    list(call, &ids)
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

/// `readyIds(pool, lane) -> "id,id,…"`: the workers that are ready and are to stay.
fn ready_ids(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let lane = lane(call, args[1])?;
    let ids = environment.with_pool(call.index(args[0])?, |pool| pool.ready_ids(lane))?;
    list(call, &ids)
}

fn list(call: &Call, ids: &[WorkerId]) -> Returned {
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

fn ready_workers(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let lane = lane(call, args[1])?;
    let ready = environment.with_pool(call.index(args[0])?, |pool| pool.ready_ids(lane))?;
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    call.make_number(ready.len() as f64)
}

/// `reap(pool, lane, idleMs)`
fn reap(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (lane, idle) = (lane(call, args[1])?, limit(call, args[2])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.reap(lane, idle))?;
    Ok(None)
}

/// `leave(pool, worker)`: the worker's isolate has ended.
fn leave(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let id = WorkerId(call.index(args[1])?);
    environment.with_pool(call.index(args[0])?, |pool| pool.leave(id))?;
    Ok(None)
}

/// `enlist(uid, worker) -> boolean`: this environment is to become a worker. If it ends, the owner hears.
fn enlist(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let enlisted = environment.enlist(call.index(args[0])?, WorkerId(call.index(args[1])?));
    call.make_boolean(enlisted)
}

/// `join(flags) -> boolean`: the environment becomes a worker. `flags` is an Int32Array on shared
/// memory, one number a slot.
fn join(environment: &Environment, call: &Call) -> Returned {
    set_flags(environment, call, call.args()[0])?;
    let joined = environment.join()?;
    call.make_boolean(joined)
}

fn set_flags(environment: &Environment, call: &Call, flags: sys::napi_value) -> Result<(), Fault> {
    let (data, bytes) = call.view(flags).ok_or(Fault("expected an Int32Array"))?;
    if data.addr() % 4 != 0 {
        return Err(Fault("the flags are not aligned"));
    }
    // SAFETY: shared memory does not move, the isolate's context keeps the view until it has set
    // another, and JavaScript uses it through Atomics only.
    unsafe { environment.doorbell.set_flags(data.cast(), bytes / 4) };
    Ok(())
}

/// `setWaits(slot, waits, flags?)`: the task in a slot waits for others, or goes on. `flags` are those of
/// more slots than before.
fn set_waits(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (slot, waits) = (call.index(args[0])?, call.boolean(args[1])?);
    if call.view(args[2]).is_some() {
        set_flags(environment, call, args[2])?;
    }
    environment.with_member(|pool, id| pool.set_waits(id, slot, waits))?;
    Ok(None)
}

/// `look()`: there is a message for the owner in the port of this worker.
fn look(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.look(id))?;
    Ok(None)
}

/// `block(boolean)`: whether this environment's event loop is blocked.
fn block(environment: &Environment, call: &Call) -> Returned {
    environment.outbox.block(call.boolean(call.args()[0])?);
    Ok(None)
}

/// `wait(ms)`: blocks until there is something to drain, or for so long.
fn wait(environment: &Environment, call: &Call) -> Returned {
    let ms = u64::from(call.index(call.args()[0])?);
    if environment.carry.borrow().is_none() {
        environment.outbox.wait(Duration::from_millis(ms));
    }
    Ok(None)
}

/// `keepAlive(boolean)`: whether this environment's loop is to stay while nothing else holds it.
fn keep_alive(environment: &Environment, call: &Call) -> Returned {
    environment
        .doorbell
        .hold(call.env, call.boolean(call.args()[0])?);
    Ok(None)
}

/// `load(pool) -> "queued,running"`
fn load(environment: &Environment, call: &Call) -> Returned {
    let (queued, running) =
        environment.with_pool(call.index(call.args()[0])?, |pool| pool.load())?;
    call.make_string(&format!("{queued},{running}"))
}

/// `stats(pool) -> JSON text`
fn stats(environment: &Environment, call: &Call) -> Returned {
    let snapshot = environment.with_pool(call.index(call.args()[0])?, |pool| pool.snapshot())?;
    call.make_string(&to_json(&snapshot).to_string())
}

fn measured(call: &Call, value: sys::napi_value) -> Result<Measured, Fault> {
    Ok(if call.index(value)? == 0 {
        Measured::Wait
    } else {
        Measured::Run
    })
}

/// `times(pool, what, all) -> JSON text`: `[min, mean, stddev, [[ms, count], …]]`
fn times(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (what, all) = (measured(call, args[1])?, call.boolean(args[2])?);
    let times = environment.with_pool(call.index(args[0])?, |pool| pool.times(what, all))?;
    let (mean, stddev) = times.moments();
    let buckets: Vec<_> = times.buckets().collect();
    call.make_string(&serde_json::json!([times.min(), mean, stddev, buckets]).to_string())
}

/// `resetTimes(pool, what)`
fn reset_times(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let what = measured(call, args[1])?;
    environment.with_pool(call.index(args[0])?, |pool| pool.reset_times(what))?;
    Ok(None)
}

fn to_json(snapshot: &Snapshot) -> serde_json::Value {
    let times = |times: &Percentiles| {
        serde_json::json!({
            "count": times.count, "min": times.min, "max": times.max, "mean": times.mean,
            "p50": times.p50, "p90": times.p90, "p99": times.p99, "p999": times.p999,
        })
    };
    let workers: Vec<_> = snapshot
        .workers
        .iter()
        .map(|worker| {
            serde_json::json!({
                "id": worker.id.0,
                "lane": match worker.lane { Lane::Native => "native", Lane::Script => "script" },
                "state": worker.state, "running": worker.running, "completed": worker.completed,
                "age": worker.age, "busyTime": worker.busy,
                "cpuTime": worker.thread.and_then(reading::thread_cpu_ms),
            })
        })
        .collect();
    serde_json::json!({
        "workers": workers, "queued": snapshot.queued, "running": snapshot.running,
        "completed": snapshot.completed, "failed": snapshot.failed, "queuedBytes": snapshot.queued_bytes,
        "waitTime": times(&snapshot.wait), "runTime": times(&snapshot.run), "utilization": snapshot.utilization,
    })
}

/// `taskNames() -> names joined by NUL`: a native task's target is its place in this list.
fn task_names(_: &Environment, call: &Call) -> Returned {
    let names: Vec<&str> = native::registry::names().collect();
    call.make_string(&names.join("\0"))
}

/// `suggestTask(name) -> string`: the nearest native task's name, or ''.
fn suggest_task(_: &Environment, call: &Call) -> Returned {
    let name = call.string(call.args()[0]).unwrap_or_default();
    call.make_string(native::registry::suggest(&name).unwrap_or(""))
}

fn cpu_count(_: &Environment, call: &Call) -> Returned {
    #[expect(clippy::cast_precision_loss, reason = "a number of CPUs")]
    call.make_number(crate::cpu::cpu_count() as f64)
}
