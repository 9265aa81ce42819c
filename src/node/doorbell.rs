//! The one way that Rust wakes an event loop: a threadsafe function per environment, behind a gate.
//!
//! 1. A thread that has something for the environment rings. Only the first ring since the last answer goes on
//!    (see [`Ringer`]).
//! 2. That one takes the gate and, if it is open, calls the threadsafe function.
//! 3. A clean-up hook of the environment, added after the threadsafe function was made and therefore
//!    run before the engine frees it, shuts the gate. Node 20 and 22 abort the process when a
//!    threadsafe function is called after its environment is gone.
//!
//! Behind the same gate are the cancel flags of a worker: memory of the environment that other
//! threads write.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

use napi::sys;
use parking_lot::Mutex;

use super::call::{Fault, check};
use crate::scheduler::{Bell, Ring, Ringer};

/// Wakes one environment, from any thread, as long as it is there.
#[derive(Debug)]
pub(super) struct Doorbell {
    ringer: Ringer,
    gate: Mutex<Gate>,
}

#[derive(Debug)]
struct Gate {
    open: bool,
    wake: sys::napi_threadsafe_function,
    /// Calls back after a turn of the loop, where `wake` cannot.
    turn: sys::napi_threadsafe_function,
    /// For each slot of the worker that the environment is, the generation of the task that was
    /// given up there: a later task in the slot is never mistaken for it.
    flags: *mut AtomicI32,
    slots: usize,
}

// SAFETY: the threadsafe function may be called from any thread; the flags are atomics that live
// while the gate is open, and are used only under the gate's lock.
unsafe impl Send for Gate {}

impl Doorbell {
    /// Makes the bell; `on_ring` and `on_turn` are called on the loop's thread. Not ref'd: by itself it keeps no
    /// process alive.
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

    /// Has the environment called back after a turn of its event loop: by a ring, or by the function for turns. On
    /// the loop's thread.
    ///
    /// The engine calls a threadsafe function that was called while it ran once more at once, before timers and
    /// I/O had their turn. So the caller names the one that was not called last.
    pub(super) fn turn(&self, by_ring: bool) {
        if by_ring {
            return self.ring(Ring::Turn);
        }
        let gate = self.gate.lock();
        if gate.open {
            call(gate.turn);
        }
    }

    /// Why the bell was rung, as bits of [`Ring`]; from here on the next one rings again.
    pub(super) fn answer(&self) -> u32 {
        self.ringer.answer()
    }

    /// Keeps the environment's loop alive, or lets it end. On the loop's thread.
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

    /// Sets the cancel flags. What the ones before say is kept.
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

    /// Shuts the gate: from here on ringing does nothing. In the environment's clean-up.
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
    // The function is the resource too: tools that look for open handles ask its `hasRef`.
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

/// Runs on the loop's thread; `on_ring` handles its own errors, so what comes out of it is a bug or
/// an error of the user's listener, and is uncaught as in any event handler.
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
