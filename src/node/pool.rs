//! A pool as its owner's JavaScript sees it: a class, whose methods steer and end the pool. The calls of tasks go
//! through the environment's functions, with the pool's `index` among the numbers of the call.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;

use super::call::{Call, Fault, Returned, check, environment_of, make_numbers};
use super::environment::Environment;
use super::readings;
use crate::manner::Manner;
use crate::native::NativeLane;
use crate::scheduler::{GroupLimits, Lane, PoolLimits, Reminder, Scheduler, WorkerId};
use crate::wire;

super::call::exports! {
    c"createPool" CreatePool = create_pool;
}

super::call::methods! {
    c"release" Release = release;
    c"close" Close = close;
    c"destroy" Destroy = destroy;
    c"recycle" Recycle = recycle;
    c"wearAllOut" WearAllOut = wear_all_out;
    c"configureGroup" ConfigureGroup = configure_group;
    c"setOwnTarget" SetOwnTarget = set_own_target;
    c"addTarget" AddTarget = add_target;
    c"forgetTarget" ForgetTarget = forget_target;
    c"reserveMinimum" ReserveMinimum = reserve_minimum;
    c"pause" Pause = pause;
    c"resize" Resize = resize;
    c"cancelWaiting" CancelWaiting = cancel_waiting;
    c"beginStart" BeginStart = begin_start;
    c"remind" Remind = remind;
    c"endStalled" EndStalled = end_stalled;
    c"excuse" Excuse = excuse;
    c"leave" Leave = leave;
}

/// The native side of a JavaScript object of the class.
pub(super) struct Pool {
    index: u32,
    /// Set until it is released.
    scheduler: RefCell<Option<Arc<Scheduler>>>,
    /// Its native lane.
    pub(super) lane: Arc<NativeLane>,
}

/// Marks an object as a pool, so that calling a method on another object is an error.
const TYPE_TAG: sys::napi_type_tag = sys::napi_type_tag {
    lower: 0x7273_706f_6f6c_2e70,
    upper: 0x6f6f_6c2d_6861_6e64,
};

impl Pool {
    /// The pool on which a method was called.
    pub(super) fn of<'a>(env: sys::napi_env, this: sys::napi_value) -> Result<&'a Self, Fault> {
        const WHAT: &str = "expected a pool";
        let (mut known, mut data) = (false, ptr::null_mut());
        check(
            // SAFETY: `this` is of the running call, the tag a constant.
            unsafe { sys::napi_check_object_type_tag(env, this, &TYPE_TAG, &mut known) },
            WHAT,
        )?;
        if !known {
            return Err(Fault(WHAT));
        }
        // SAFETY: as above.
        check(unsafe { sys::napi_unwrap(env, this, &mut data) }, WHAT)?;
        // SAFETY: only `create_pool` gives an object this tag, after it has wrapped an `Rc<Pool>`, which the
        // object keeps as long as it lives, and it lives during the call.
        Ok(unsafe { &**data.cast::<Rc<Pool>>() })
    }

    pub(super) fn with<T>(&self, f: impl FnOnce(&Arc<Scheduler>) -> T) -> Result<T, Fault> {
        let scheduler = self.scheduler.borrow();
        scheduler.as_ref().map(f).ok_or(Fault("the pool has ended"))
    }
}

unsafe extern "C" fn drop_pool(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the box that `create_pool` gave away.
    drop(unsafe { Box::from_raw(data.cast::<Rc<Pool>>()) });
}

/// Makes an object, which is no pool until `create_pool` has wrapped one.
unsafe extern "C" fn construct(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: `define` has made the constructor.
    unsafe { environment_of(env, info) }.1
}

/// Defines the class for the pools of an environment.
pub(super) fn define(
    env: sys::napi_env,
    environment: *const Environment,
) -> Result<sys::napi_ref, Fault> {
    let property =
        |&(name, method): &(&'static CStr, sys::napi_callback)| sys::napi_property_descriptor {
            utf8name: name.as_ptr(),
            name: ptr::null_mut(),
            method,
            getter: None,
            setter: None,
            value: ptr::null_mut(),
            attributes: sys::PropertyAttributes::default,
            data: environment.cast_mut().cast(),
        };
    let all = [
        METHODS,
        super::hot::METHODS,
        super::plugins::METHODS,
        readings::METHODS,
    ];
    let properties: Vec<_> = all.into_iter().flatten().map(property).collect();
    let (mut class, mut reference) = (ptr::null_mut(), ptr::null_mut());
    let name = c"NativePool";
    // SAFETY: names and properties live during the call; `enter_method` reads the data as what it is.
    let status = unsafe {
        sys::napi_define_class(
            env,
            name.as_ptr(),
            name.count_bytes() as isize,
            Some(construct),
            environment.cast_mut().cast(),
            properties.len(),
            properties.as_ptr(),
            &mut class,
        )
    };
    check(status, "no class")?;
    check(
        // SAFETY: the class is of the caller's scope. It lives as long as the environment.
        unsafe { sys::napi_create_reference(env, class, 1, &mut reference) },
        "no reference",
    )?;
    Ok(reference)
}

pub(super) fn lane(call: &Call, value: sys::napi_value) -> Result<Lane, Fault> {
    match call.int(value)? {
        wire::lane::NATIVE => Ok(Lane::Native),
        wire::lane::SCRIPT => Ok(Lane::Script),
        _ => Err(Fault("unknown lane")),
    }
}

/// A limit. A number that is not finite means no limit.
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

/// `createPool(min, max, maxQueue, concurrency, abortGrace, idleTimeout, nice, pin, startTimeout, stallTimeout, label)
/// -> Pool`; nothing if the system gives no thread.
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
        start_timeout: limit(call, args[8])?,
        stall_timeout: limit(call, args[9])?,
        idle_timeout: limit(call, args[5])?,
        manner: manner(call, args[6], args[7])?,
        label: call.string(args[10]).unwrap_or_default(),
    };
    let object = environment.new_pool_object()?;
    let outbox = Arc::clone(&environment.outbox);
    let lane = Arc::new(NativeLane::default());
    let made = |uid| Scheduler::new(uid, limits, outbox, Arc::clone(&lane));
    let Ok((index, uid, scheduler)) = environment.add_pool(made) else {
        return Ok(None);
    };
    let pool = Rc::new(Pool {
        index,
        scheduler: RefCell::new(Some(scheduler)),
        lane,
    });
    let data = Box::into_raw(Box::new(pool));
    // SAFETY: the object is new and of this call's scope; `drop_pool` gets the box, once.
    let status = unsafe {
        sys::napi_wrap(
            call.env,
            object,
            data.cast(),
            Some(drop_pool),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the engine has not taken it.
        drop(unsafe { Box::from_raw(data) });
        return Err(Fault("no pool"));
    }
    check(
        // SAFETY: as above.
        unsafe { sys::napi_type_tag_object(call.env, object, &TYPE_TAG) },
        "no type tag",
    )?;
    for (name, value) in [(c"index", index), (c"uid", uid)] {
        let value = call
            .make_number(f64::from(value))?
            .unwrap_or(ptr::null_mut());
        check(
            // SAFETY: both are values of this call's scope, the name is terminated.
            unsafe { sys::napi_set_named_property(call.env, object, name.as_ptr(), value) },
            "no property",
        )?;
    }
    Ok(Some(object))
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

/// `release()`: the pool has ended. From now on its index may belong to another pool.
fn release(environment: &Environment, pool: &Pool, _: &Call) -> Returned {
    if pool.scheduler.borrow_mut().take().is_some() {
        environment.release_pool(pool.index);
    }
    Ok(None)
}

fn close(_: &Environment, pool: &Pool, _: &Call) -> Returned {
    pool.with(|pool| pool.close())?;
    Ok(None)
}

fn destroy(_: &Environment, pool: &Pool, _: &Call) -> Returned {
    pool.with(|pool| pool.destroy())?;
    Ok(None)
}

/// `recycle(tasks, age, oneTask)`: when isolates are replaced.
fn recycle(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (tasks, age) = (limit(call, args[0])?, limit(call, args[1])?);
    let one_task = call.boolean(args[2])?;
    pool.with(|pool| pool.recycle(tasks, age, one_task))?;
    Ok(None)
}

/// `wearAllOut()`: replaces every isolate.
fn wear_all_out(_: &Environment, pool: &Pool, _: &Call) -> Returned {
    pool.with(|pool| pool.wear_all_out())?;
    Ok(None)
}

/// `configureGroup(name, weight, maxRunning)`
fn configure_group(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let name = call.string(args[0]).ok_or(Fault("expected a string"))?;
    let limits = GroupLimits {
        weight: call.number(args[1])?,
        max_running: limit(call, args[2])?,
    };
    pool.with(|pool| pool.configure_group(name.into(), limits))?;
    Ok(None)
}

fn text(call: &Call, place: usize) -> Result<String, Fault> {
    call.string(call.args()[place])
        .ok_or(Fault("expected a string"))
}

/// `setOwnTarget(text, name)`: the function of number 0 (JSON, see `lib/pool/task/targets.js`), and its name.
fn set_own_target(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let (text, name) = (text(call, 0)?, text(call, 1)?);
    pool.with(|pool| pool.set_own_target(&text, &name))?;
    Ok(None)
}

/// `addTarget(text, name) -> number`
fn add_target(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let (text, name) = (text(call, 0)?, text(call, 1)?);
    let number = pool.with(|pool| pool.add_target(&text, &name))?;
    call.make_number(number.into())
}

/// `forgetTarget(number)`: the owner does not use it any more.
fn forget_target(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let number = call.index(call.args()[0])?;
    pool.with(|pool| pool.forget_target(number))?;
    Ok(None)
}

/// `reserveMinimum(lane, least) -> number[]`
fn reserve_minimum(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (lane, least) = (lane(call, args[0])?, limit(call, args[1])?);
    list(call, &pool.with(|pool| pool.reserve_minimum(lane, least))?)
}

pub(super) fn list(call: &Call, ids: &[WorkerId]) -> Returned {
    make_numbers(call, ids.iter().map(|id| f64::from(id.0)))
}

fn pause(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let paused = call.boolean(call.args()[0])?;
    pool.with(|pool| pool.pause(paused))?;
    Ok(None)
}

/// `resize(min, max)`
fn resize(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let (min, max) = (limit(call, args[0])?, limit(call, args[1])?);
    pool.with(|pool| pool.resize(min, max))?;
    Ok(None)
}

/// `cancelWaiting() -> number` of tasks
fn cancel_waiting(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let cancelled = pool.with(|pool| pool.cancel_waiting())?;
    #[expect(clippy::cast_precision_loss, reason = "a number of tasks")]
    call.make_number(cancelled as f64)
}

/// `beginStart(worker)`: the worker's isolate is being started.
fn begin_start(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let id = WorkerId(call.index(call.args()[0])?);
    pool.with(|pool| pool.begin_start(id))?;
    Ok(None)
}

/// `remind(what, ms)`: tells the owner after this time.
fn remind(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let args = call.args();
    let reminder = match call.index(args[0])? {
        wire::reminder::CLOSE => Reminder::Close,
        wire::reminder::OUTPUT => Reminder::Output,
        wire::reminder::RETRY => Reminder::Retry,
        _ => return Err(Fault("unknown reminder")),
    };
    let ms = limit(call, args[1])?;
    pool.with(|pool| pool.remind(reminder, ms))?;
    Ok(None)
}

/// `leave(worker)`: the worker's isolate has ended.
fn leave(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let id = WorkerId(call.index(call.args()[0])?);
    pool.with(|pool| pool.leave(id))?;
    Ok(None)
}

/// `endStalled(worker) -> number`: the milliseconds for which a worker that was rung has not come, if the owner should
/// end it now; -1 if it has come.
fn end_stalled(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let id = WorkerId(call.index(call.args()[0])?);
    let silent = pool.with(|pool| pool.end_stalled(id))?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    call.make_number(silent.map_or(-1.0, |ns| (ns / 1_000_000) as f64))
}

/// `excuse(worker)`: a worker that does not come is not ended yet.
fn excuse(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let id = WorkerId(call.index(call.args()[0])?);
    pool.with(|pool| pool.excuse(id))?;
    Ok(None)
}
