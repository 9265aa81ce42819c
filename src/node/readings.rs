//! The functions that report: the state of a pool, the native tasks, the number of CPUs.

use std::collections::BTreeMap;

use napi::sys;

use super::call::{Call, Fault, Returned, make_numbers, make_strings};
use super::environment::Environment;
use super::pool::{Pool, lane, list};
use crate::native;
use crate::scheduler::{
    BOUNDS, Buckets, Failure, Lane, Measure, Measured, Name, Percentiles, Progress, Snapshot,
    TaskSnapshot,
};
use crate::supervise::reading;
use crate::wire;

super::call::exports! {
    c"taskNames" TaskNames = task_names;
    c"taskEmits" TaskEmits = task_emits;
    c"suggestTask" SuggestTask = suggest_task;
    c"cpuCount" CpuCount = cpu_count;
}

super::call::methods! {
    c"load" Load = load;
    c"readyIds" ReadyIds = ready_ids;
    c"readyCount" ReadyCount = ready_count;
    c"stats" Stats = stats;
    c"times" Times = times;
    c"measures" Measures = measures;
    c"resetTimes" ResetTimes = reset_times;
    c"countUnsubmitted" CountUnsubmitted = count_unsubmitted;
}

/// `load() -> [queued, running]`
#[expect(clippy::cast_precision_loss, reason = "numbers of tasks")]
fn load(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let (queued, running) = pool.with(|pool| pool.load())?;
    make_numbers(call, [queued as f64, running as f64].into_iter())
}

/// `readyIds(lane) -> number[]`: the workers that are ready and will stay.
fn ready_ids(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let lane = lane(call, call.args()[0])?;
    list(call, &pool.with(|pool| pool.ready_ids(lane))?)
}

fn ready_count(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let lane = lane(call, call.args()[0])?;
    let ready = pool.with(|pool| pool.ready_ids(lane))?;
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    call.make_number(ready.len() as f64)
}

/// `stats() -> JSON text`
fn stats(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let snapshot = pool.with(|pool| pool.snapshot())?;
    call.make_string(&to_json(&snapshot).to_string())
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
                "tasks": worker.tasks.iter()
                    .map(to_row)
                    .collect::<Vec<_>>(),
                "age": worker.age, "busyTime": worker.busy,
                "cpuTime": worker.thread.and_then(reading::thread_usage).map(|(_, cpu)| cpu),
            })
        })
        .collect();
    serde_json::json!({
        "workers": workers, "queued": snapshot.queued, "running": snapshot.running,
        "oldestQueued": snapshot.oldest_queued, "oldestRunning": snapshot.oldest_running,
        "completed": snapshot.counts.completed, "failed": snapshot.counts.failed(),
        "outcomes": snapshot.counts.failures().collect::<BTreeMap<_, _>>(),
        "queuedBytes": snapshot.queued_bytes,
        "waitTime": times(&snapshot.wait), "runTime": times(&snapshot.run), "utilization": snapshot.utilization,
    })
}

fn to_row(task: &TaskSnapshot) -> serde_json::Value {
    let progress = task
        .progress
        .map(|Progress { bytes, rows }| serde_json::json!({ "bytes": bytes, "rows": rows }));
    serde_json::json!([
        task.ticket,
        task.target,
        task.name.as_deref(),
        task.running,
        progress
    ])
}

fn measured(call: &Call, value: sys::napi_value) -> Result<Measured, Fault> {
    match call.index(value)? {
        wire::times::WAIT => Ok(Measured::Wait),
        wire::times::RUN => Ok(Measured::Run),
        _ => Err(Fault("unknown times")),
    }
}

/// `times(what) -> JSON text`: `[min, mean, stddev, [[ms, count], …]]`
fn times(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let what = measured(call, call.args()[0])?;
    let times = pool.with(|pool| pool.times(what))?;
    let (mean, stddev) = times.moments();
    let buckets: Vec<_> = times.buckets().collect();
    call.make_string(&serde_json::json!([times.min(), mean, stddev, buckets]).to_string())
}

/// `measures() -> JSON text`: `[bounds, [[name, wait, run], …]]`, where `wait` and `run` are `[counts, sum]`. Bounds
/// and sums are in seconds.
#[expect(clippy::cast_precision_loss, reason = "seconds for people")]
fn measures(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let seconds = |ns: u64| ns as f64 / 1e9;
    let times = |times: &Buckets| serde_json::json!([times.counts, seconds(times.sum)]);
    let rows: Vec<_> = pool
        .with(|pool| pool.measures())?
        .iter()
        .map(|Measure { name, wait, run }| {
            let name = match name {
                Name::Native(number) => native::registry::names().nth(*number as usize),
                Name::Script(name) => Some(&**name),
                Name::Other => Some(Name::OTHER),
            };
            serde_json::json!([name, times(wait), times(run)])
        })
        .collect();
    call.make_string(&serde_json::json!([BOUNDS.map(seconds), rows]).to_string())
}

/// `resetTimes(what)`
fn reset_times(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let what = measured(call, call.args()[0])?;
    pool.with(|pool| pool.reset_times(what))?;
    Ok(None)
}

/// `countUnsubmitted(why)`: counts a call that has failed before it was submitted. Does nothing once the pool has
/// ended.
fn count_unsubmitted(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let failure = match call.index(call.args()[0])? {
        wire::unsubmitted::ABORTED => Failure::Aborted,
        wire::unsubmitted::NOT_CLONED => Failure::Clone,
        wire::unsubmitted::REFUSED => Failure::Refused,
        _ => return Err(Fault("unknown failure")),
    };
    let _ = pool.with(|pool| pool.count_failure(failure));
    Ok(None)
}

/// `taskNames() -> string[]`: a native task's target is its place in this list.
fn task_names(_: &Environment, call: &Call) -> Returned {
    make_strings(call, native::registry::names())
}

/// `taskEmits(number) -> boolean`: whether a native task can be called as a stream.
fn task_emits(_: &Environment, call: &Call) -> Returned {
    let task = native::registry::at(call.index(call.args()[0])?);
    call.make_boolean(task.is_some_and(|task| task.emits))
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
