//! The functions that tell: how a pool stands, which native tasks there are, how many CPUs.

use std::collections::BTreeMap;

use napi::sys;

use super::call::{Call, Fault, Outcome as Returned};
use super::environment::Environment;
use super::pools::{lane, list};
use crate::native;
use crate::scheduler::{Lane, Measured, Percentiles, Snapshot};
use crate::supervise::reading;

super::call::exports! {
    c"load" Load = load;
    c"readyIds" ReadyIds = ready_ids;
    c"readyWorkers" ReadyWorkers = ready_workers;
    c"stats" Stats = stats;
    c"times" Times = times;
    c"resetTimes" ResetTimes = reset_times;
    c"taskNames" TaskNames = task_names;
    c"suggestTask" SuggestTask = suggest_task;
    c"cpuCount" CpuCount = cpu_count;
}

/// `load(pool) -> "queued,running"`
fn load(environment: &Environment, call: &Call) -> Returned {
    let (queued, running) =
        environment.with_pool(call.index(call.args()[0])?, |pool| pool.load())?;
    call.make_string(&format!("{queued},{running}"))
}

/// `readyIds(pool, lane) -> "id,id,…"`: the workers that are ready and are to stay.
fn ready_ids(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let lane = lane(call, args[1])?;
    let ids = environment.with_pool(call.index(args[0])?, |pool| pool.ready_ids(lane))?;
    list(call, &ids)
}

fn ready_workers(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let lane = lane(call, args[1])?;
    let ready = environment.with_pool(call.index(args[0])?, |pool| pool.ready_ids(lane))?;
    #[expect(clippy::cast_precision_loss, reason = "a number of workers")]
    call.make_number(ready.len() as f64)
}

/// `stats(pool) -> JSON text`
fn stats(environment: &Environment, call: &Call) -> Returned {
    let snapshot = environment.with_pool(call.index(call.args()[0])?, |pool| pool.snapshot())?;
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
                    .map(|task| serde_json::json!([task.ticket, task.target, task.running]))
                    .collect::<Vec<_>>(),
                "age": worker.age, "busyTime": worker.busy,
                "cpuTime": worker.thread.and_then(reading::thread_cpu_ms),
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
