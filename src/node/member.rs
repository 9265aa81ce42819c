//! The functions of an environment that is a worker of a pool: it joins, and reports its state. The calls for its tasks
//! are in `hot`.

use super::call::{Call, Fault, Returned};
use super::environment::Environment;
use super::pool::manner;
use crate::scheduler::WorkerId;

super::call::exports! {
    c"adopt" Adopt = adopt;
    c"enlist" Enlist = enlist;
    c"join" Join = join;
    c"setWaits" SetWaits = set_waits;
    c"look" Look = look;
    c"wearOut" WearOut = wear_out;
    c"target" Target = target;
    c"tornDown" TornDown = torn_down;
    c"hasSeen" HasSeen = has_seen;
}

/// `adopt(nice, pin)`: sets how this environment's thread is run.
fn adopt(_: &Environment, call: &Call) -> Returned {
    let args = call.args();
    manner(call, args[0], args[1])?.adopt();
    Ok(None)
}

/// `enlist(uid, worker) -> boolean`: this environment will become a worker. If it ends, the owner hears.
fn enlist(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let enlisted = environment.enlist(call.index(args[0])?, WorkerId(call.index(args[1])?));
    call.make_boolean(enlisted)
}

/// `join(flags) -> boolean`: the environment becomes a worker. `flags` is an Int32Array on shared memory, one number
/// per slot.
fn join(environment: &Environment, call: &Call) -> Returned {
    environment.set_flags(call, call.args()[0])?;
    let joined = environment.join()?;
    call.make_boolean(joined)
}

/// `setWaits(slot, waits, flags?)`: the task in a slot starts to wait for others, or goes on. `flags` are given if
/// there are more slots than before.
fn set_waits(environment: &Environment, call: &Call) -> Returned {
    let args = call.args();
    let (slot, waits) = (call.index(args[0])?, call.boolean(args[1])?);
    if call.view(args[2]).is_some() {
        environment.set_flags(call, args[2])?;
    }
    environment.with_member(|pool, id| pool.set_waits(id, slot, waits))?;
    Ok(None)
}

/// `look()`: there is a message for the owner in the port of this worker.
fn look(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.look(id))?;
    Ok(None)
}

/// `wearOut()`: this environment's worker should be replaced.
fn wear_out(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.wear_out(id))?;
    Ok(None)
}

/// `target(number) -> string`: the function that a task of this worker names.
fn target(environment: &Environment, call: &Call) -> Returned {
    let number = call.index(call.args()[0])?;
    let text = environment.with_member(|pool, _| pool.target(number))?;
    call.make_string(&text.ok_or(Fault("unknown target"))?)
}

/// `tornDown()`: this environment's worker was told to end, and has nothing left to do.
fn torn_down(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.torn_down(id))?;
    Ok(None)
}

/// `hasSeen()`: a task that was sent to this environment has arrived.
fn has_seen(environment: &Environment, _: &Call) -> Returned {
    environment.with_member(|pool, id| pool.has_seen(id))?;
    Ok(None)
}
