//! The one way in which Rust wakes an event loop: one threadsafe function per environment, behind a gate.
//!
//! 1. A thread that has a message for the environment rings. Only the first ring since the last answer goes on (see
//!    [`Ringer`]).
//! 2. That ring takes the gate and, if it is open, calls the threadsafe function.
//! 3. A clean-up hook of the environment shuts the gate. The hook was added after the threadsafe function was made, so
//!    it runs before the engine frees that function. Node 20 and 22 abort the process if a threadsafe function is
//!    called after its environment is gone.
//!
//! The same gate guards the cancel flags of a worker: memory of the environment to which other threads write.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use napi::sys;
use parking_lot::Mutex;

use super::call::{Fault, check};
use crate::scheduler::{Bell, Ring, Ringer};

/// Wakes one environment from any thread, as long as it exists.
#[derive(Debug)]
pub(super) struct Doorbell {
    ringer: Ringer,
    gate: Mutex<Gate>,
}

#[derive(Debug)]
struct Gate {
    open: bool,
    wake: sys::napi_threadsafe_function,
    /// Calls back after a turn of the loop, if `wake` cannot.
    turn: sys::napi_threadsafe_function,
    /// For each slot of the environment's worker, the generation of the task that was given up there. So a later task
    /// in the slot is never mistaken for it.
    flags: *mut AtomicI32,
    slots: usize,
}

// SAFETY: the threadsafe function may be called from any thread; the flags are atomics that live
// while the gate is open, and are used only under the gate's lock.
unsafe impl Send for Gate {}

impl Doorbell {
    /// Makes the bell. `on_ring` and `on_turn` are called on the loop's thread. The bell is not ref'd: by itself it
    /// keeps no process alive.
    pub(super) fn hang(
        env: sys::napi_env,
        on_ring: sys::napi_value,
        on_turn: sys::napi_value,
    ) -> Result<Arc<Self>, Fault> {
        let gate = Gate {
            open: true,
            wake: threadsafe(env, on_ring)?,
            turn: threadsafe(env, on_turn)?,
            flags: ptr::null_mut(),
            slots: 0,
        };
        Ok(Arc::new(Self {
            ringer: Ringer::default(),
            gate: Mutex::new(gate),
        }))
    }

    /// Calls the environment back after a turn of its event loop: by a ring, or by the function for turns. To be called
    /// on the loop's thread.
    ///
    /// If a threadsafe function is called while it runs, the engine calls it once more at once, before timers and I/O
    /// have had their turn. So the caller names the function that was not called last.
    pub(super) fn turn(&self, by_ring: bool) {
        if by_ring {
            return self.ring(Ring::Turn);
        }
        let gate = self.gate.lock();
        if gate.open {
            call(gate.turn);
        }
    }

    /// Why the bell was rung, as bits of [`Ring`]. From now on the next ring wakes again.
    pub(super) fn answer(&self) -> u32 {
        self.ringer.answer()
    }

    /// Keeps the environment's loop alive, or lets it end. To be called on the loop's thread.
    pub(super) fn hold(&self, env: sys::napi_env, held: bool) {
        let gate = self.gate.lock();
        if !gate.open {
            return;
        }
        // SAFETY: the gate is open, so the function exists; the caller is on the loop's thread.
        unsafe {
            if held {
                sys::napi_ref_threadsafe_function(env, gate.wake);
            } else {
                sys::napi_unref_threadsafe_function(env, gate.wake);
            }
        }
    }

    /// Sets the cancel flags. The values of the previous flags are kept.
    ///
    /// # Safety
    /// `flags` must point at `slots` aligned 32-bit integers that are only used atomically and live
    /// until [`shut`](Self::shut) or until others are set.
    pub(super) unsafe fn set_flags(&self, flags: *mut i32, slots: usize) {
        let mut gate = self.gate.lock();
        let flags: *mut AtomicI32 = flags.cast();
        for slot in 0..gate.slots.min(slots) {
            // SAFETY: in bounds of both; the old ones are alive until here.
            let (old, new) = unsafe { (&*gate.flags.add(slot), &*flags.add(slot)) };
            new.store(old.load(SeqCst), SeqCst);
        }
        gate.flags = flags;
        gate.slots = slots;
    }

    /// Shuts the gate: from now on, ringing does nothing. Called in the environment's clean-up.
    pub(super) fn shut(&self) {
        let mut gate = self.gate.lock();
        if std::mem::replace(&mut gate.open, false) {
            gate.slots = 0;
            for function in [gate.wake, gate.turn] {
                // SAFETY: open until now, so not released before; abort drops what is queued.
                unsafe {
                    sys::napi_release_threadsafe_function(
                        function,
                        sys::ThreadsafeFunctionReleaseMode::abort,
                    )
                };
            }
        }
    }
}

impl Bell for Doorbell {
    fn ring(&self, why: Ring) {
        self.ringer.ring(why, || {
            let gate = self.gate.lock();
            if gate.open {
                call(gate.wake);
            }
        });
    }

    fn cancel(&self, slot: u32, generation: u32) {
        let gate = self.gate.lock();
        if gate.open && (slot as usize) < gate.slots {
            // SAFETY: in bounds, and alive while the gate is open (see `set_flags`).
            unsafe { &*gate.flags.add(slot as usize) }.store(generation as i32, SeqCst);
        }
        drop(gate);
        self.ring(Ring::Cancel);
    }
}

/// A threadsafe function, not ref'd.
fn threadsafe(
    env: sys::napi_env,
    function: sys::napi_value,
) -> Result<sys::napi_threadsafe_function, Fault> {
    let mut name = ptr::null_mut();
    // SAFETY: the string is terminated; -1 would measure it too.
    let status = unsafe { sys::napi_create_string_utf8(env, c"rspool".as_ptr(), 6, &mut name) };
    check(status, "no name")?;
    let mut made = ptr::null_mut();
    // The function is also the resource: tools that look for open handles call its `hasRef`.
    // SAFETY: `function` is of the caller's scope; `call_js` needs no context.
    let status = unsafe {
        sys::napi_create_threadsafe_function(
            env,
            function,
            function,
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
            Some(call_js),
            &mut made,
        )
    };
    check(status, "no threadsafe function")?;
    // SAFETY: on the loop's thread, with the function just made.
    unsafe { sys::napi_unref_threadsafe_function(env, made) };
    Ok(made)
}

/// Calls a function of an open gate, whose lock is held.
fn call(function: sys::napi_threadsafe_function) {
    // SAFETY: the gate is open and its lock held, so the clean-up has not begun to free it.
    unsafe {
        sys::napi_call_threadsafe_function(
            function,
            ptr::null_mut(),
            sys::ThreadsafeFunctionCallMode::nonblocking,
        )
    };
}

/// Runs on the loop's thread. `on_ring` handles its own errors. So an error that it throws is a bug or comes from a
/// listener of the user, and is uncaught as in any event handler.
unsafe extern "C" fn call_js(
    env: sys::napi_env,
    on_ring: sys::napi_value,
    _context: *mut c_void,
    _data: *mut c_void,
) {
    // Null while the environment is torn down.
    if env.is_null() || on_ring.is_null() {
        return;
    }
    let (mut this, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both values are of this callback's scope.
    unsafe {
        sys::napi_get_undefined(env, &mut this);
        sys::napi_call_function(env, this, on_ring, 0, ptr::null(), &mut result);
        let mut pending = false;
        // Not `status`: it also says so when the environment is being terminated.
        sys::napi_is_exception_pending(env, &mut pending);
        if pending {
            let mut error = ptr::null_mut();
            if sys::napi_get_and_clear_last_exception(env, &mut error) == sys::Status::napi_ok {
                sys::napi_fatal_exception(env, error);
            }
        }
    }
}
