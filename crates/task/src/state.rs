//! What a plugin keeps between calls: one state per worker, and one that all workers of a pool share.

use std::any::{Any, TypeId, type_name};
use std::ffi::c_void;
use std::fmt;
use std::ptr;

use crate::abi::{Call, Raw, Reply};
use crate::context::field;
use crate::error::Result;
use crate::input::TaskParams;
use crate::panics::contained;
use crate::shim;

/// A state behind a pointer of one word.
struct Held {
    type_id: TypeId,
    name: &'static str,
    value: Box<dyn Any>,
}

/// The states that a call has.
#[derive(Clone, Copy)]
pub(crate) struct Pointers {
    state: *const Held,
    shared: *const Held,
    /// The thread that may use `state`.
    thread: *const u8,
}

thread_local! {
    /// The address identifies the thread.
    static HERE: u8 = const { 0 };
}

fn here() -> *const u8 {
    HERE.with(ptr::from_ref)
}

impl Pointers {
    /// No states.
    pub(crate) const NONE: Self = Self {
        state: ptr::null(),
        shared: ptr::null(),
        thread: ptr::null(),
    };

    /// The states of a call that runs on this thread.
    ///
    /// # Safety
    /// The call is as `abi` says, and this is the thread of its task.
    pub(crate) unsafe fn of(call: *const Call) -> Self {
        // SAFETY: the caller's promise.
        let (state, shared) = unsafe { (field!(call, Call, state), field!(call, Call, shared)) };
        match (
            state.unwrap_or(ptr::null_mut()),
            shared.unwrap_or(ptr::null_mut()),
        ) {
            (state, shared) if state.is_null() && shared.is_null() => Self::NONE,
            (state, shared) => Self {
                state: state.cast(),
                shared: shared.cast(),
                thread: here(),
            },
        }
    }

    /// The state of the worker. It lives as long as the context.
    pub(crate) fn own<'a, S: 'static>(self) -> &'a S {
        assert!(
            self.state.is_null() || self.thread == here(),
            "the state of a worker is for the task's own thread"
        );
        // SAFETY: as `make` has made it; it is dropped on this thread after the call.
        unsafe { read(self.state, "state") }
    }

    /// The state of the pool. It lives as long as the context.
    pub(crate) fn shared<'a, S: Send + Sync + 'static>(self) -> &'a S {
        // SAFETY: as `make` has made it; it is dropped after the last call.
        unsafe { read(self.shared, "shared") }
    }
}

/// # Safety
/// It is null, or what `make` has given, for `'a`.
unsafe fn read<'a, S: 'static>(held: *const Held, what: &str) -> &'a S {
    let asked = type_name::<S>();
    assert!(
        !held.is_null(),
        "this task has no `{what}`: plugin! is not given any, and {asked} is asked for"
    );
    // SAFETY: the caller's promise.
    let held = unsafe { &*held };
    assert!(
        held.type_id == TypeId::of::<S>(),
        "the `{what}` of this plugin is {}, and {asked} is asked for",
        held.name
    );
    // Just compared.
    held.value.downcast_ref().expect("its type")
}

/// Makes a state from the plugin's config.
///
/// # Safety
/// As `abi::StateNew` says.
pub unsafe fn make<P: TaskParams, S: 'static>(
    new: impl Fn(P) -> Result<S>,
    config: *mut Raw,
    reply: *mut Reply,
) -> *mut c_void {
    // SAFETY: the config is the callee's.
    let config = unsafe { (*config).take() };
    let made = contained(|| {
        // SAFETY: a value, by the rules of `abi`, in which nothing is lent.
        let config = unsafe { shim::params::<P>(config, "config") }?;
        Ok(Box::new(Held {
            type_id: TypeId::of::<S>(),
            name: type_name::<S>(),
            value: Box::new(new(config)?),
        }))
    });
    match made {
        Ok(held) => Box::into_raw(held).cast(),
        Err(error) => {
            // SAFETY: a reply to write to.
            unsafe { reply.write(shim::refusal(error)) };
            ptr::null_mut()
        }
    }
}

/// As [`make`], for a state that all threads use.
///
/// # Safety
/// As `abi::StateNew` says.
pub unsafe fn make_shared<P: TaskParams, S: Send + Sync + 'static>(
    new: impl Fn(P) -> Result<S>,
    config: *mut Raw,
    reply: *mut Reply,
) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { make(new, config, reply) }
}

/// Drops a state.
///
/// # Safety
/// What `make` has given, once.
pub unsafe extern "C" fn drop_state(state: *mut c_void) {
    // SAFETY: the caller's promise.
    let held = unsafe { Box::from_raw(state.cast::<Held>()) };
    // If the drop panics, the panic ends here.
    let _ = contained(|| {
        drop(held);
        Ok(())
    });
}

impl fmt::Debug for Pointers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pointers")
    }
}
