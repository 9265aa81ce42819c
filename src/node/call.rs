//! One call from JavaScript: its arguments, and how it may fail. A failure of a function bound to an environment is a
//! bug of the JavaScript layer, which has validated the arguments. It throws and never aborts.

use std::ffi::{CStr, CString, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::sys;

use super::environment::Environment;
use super::pool::Pool;
use crate::memory::bytes::Bytes;

/// The message for a thrown Error.
pub(super) struct Fault(pub(super) &'static str);

pub(super) type Returned = Result<Option<sys::napi_value>, Fault>;

/// A function that is bound to an environment.
pub(super) type Bound = fn(&Environment, &Call) -> Returned;

/// A method of a pool.
pub(super) type Method = fn(&Environment, &Pool, &Call) -> Returned;

pub(super) struct Call {
    pub(super) env: sys::napi_env,
    info: sys::napi_callback_info,
}

const MAX_ARGS: usize = 11;

impl Call {
    /// For a function that reads its arguments itself.
    pub(super) fn of(env: sys::napi_env) -> Call {
        Call {
            env,
            info: ptr::null_mut(),
        }
    }

    /// All arguments. Missing ones are undefined.
    pub(super) fn args(&self) -> [sys::napi_value; MAX_ARGS] {
        let mut args = [ptr::null_mut(); MAX_ARGS];
        let mut count = MAX_ARGS;
        // SAFETY: `args` has room for `count` values; Node fills the missing ones with undefined.
        unsafe {
            sys::napi_get_cb_info(
                self.env,
                self.info,
                &mut count,
                args.as_mut_ptr(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        args
    }

    pub(super) fn number(&self, value: sys::napi_value) -> Result<f64, Fault> {
        let mut number = 0.0;
        check(
            // SAFETY: `value` is an argument of this call.
            unsafe { sys::napi_get_value_double(self.env, value, &mut number) },
            "expected a number",
        )?;
        Ok(number)
    }

    /// A whole number from 0 to 2³² − 1, and nothing else.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared with what was given"
    )]
    pub(super) fn index(&self, value: sys::napi_value) -> Result<u32, Fault> {
        let number = self.number(value)?;
        let index = number as u32;
        if f64::from(index) == number {
            Ok(index)
        } else {
            Err(Fault("expected a whole number from 0"))
        }
    }

    /// A whole number of 32 bits, and nothing else.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with what was given"
    )]
    pub(super) fn int(&self, value: sys::napi_value) -> Result<i32, Fault> {
        let number = self.number(value)?;
        let int = number as i32;
        if f64::from(int) == number {
            Ok(int)
        } else {
            Err(Fault("expected a whole number of 32 bits"))
        }
    }

    pub(super) fn boolean(&self, value: sys::napi_value) -> Result<bool, Fault> {
        let mut boolean = false;
        check(
            // SAFETY: `value` is an argument of this call.
            unsafe { sys::napi_get_value_bool(self.env, value, &mut boolean) },
            "expected a boolean",
        )?;
        Ok(boolean)
    }

    /// A string, or nothing if the argument is something else.
    pub(super) fn string(&self, value: sys::napi_value) -> Option<String> {
        let mut length = 0;
        // SAFETY: without a buffer the call only measures.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, value, ptr::null_mut(), 0, &mut length)
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        let mut bytes = vec![0u8; length + 1];
        // SAFETY: the buffer has room for the measured bytes and the terminator.
        unsafe {
            sys::napi_get_value_string_utf8(
                self.env,
                value,
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                &mut length,
            )
        };
        bytes.truncate(length);
        String::from_utf8(bytes).ok()
    }

    /// The items of an array.
    pub(super) fn items(
        &self,
        array: sys::napi_value,
    ) -> Result<impl Iterator<Item = Result<sys::napi_value, Fault>>, Fault> {
        let mut length = 0;
        check(
            // SAFETY: `array` is an argument of this call.
            unsafe { sys::napi_get_array_length(self.env, array, &mut length) },
            "expected an array",
        )?;
        let env = self.env;
        Ok((0..length).map(move |index| {
            let mut item = ptr::null_mut();
            check(
                // SAFETY: as above.
                unsafe { sys::napi_get_element(env, array, index, &mut item) },
                "no element",
            )?;
            Ok(item)
        }))
    }

    /// The address of a typed array's elements and their number of bytes; nothing for another value.
    pub(super) fn view(&self, value: sys::napi_value) -> Option<(*mut u8, usize)> {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        // SAFETY: the out-pointers are valid; the status says whether they were written.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                value,
                &mut kind,
                &mut length,
                &mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let size = match kind {
            0..=2 => 1,
            3 | 4 | 11 => 2,
            5..=7 => 4,
            _ => 8,
        };
        (status == sys::Status::napi_ok).then_some((data.cast(), length * size))
    }

    /// A copy of the bytes of a typed array that no other thread writes.
    pub(super) fn copy_bytes(&self, value: sys::napi_value) -> Option<Bytes> {
        let (data, length) = self.view(value)?;
        if length == 0 {
            return Some(Bytes::default());
        }
        // SAFETY: the engine gave pointer and length of a live view; no JS runs during this call,
        // and the JS layer never passes a view on shared memory here.
        Some(Bytes::copy_of(unsafe {
            std::slice::from_raw_parts(data, length)
        }))
    }

    /// The characters of a string that has no character wider than a byte.
    pub(super) fn latin1(&self, value: sys::napi_value) -> Option<Bytes> {
        let mut length = 0;
        // SAFETY: without a buffer the call only measures.
        let status = unsafe {
            sys::napi_get_value_string_latin1(self.env, value, ptr::null_mut(), 0, &mut length)
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        let room = length + 1;
        // SAFETY: the engine writes so many bytes as it says, and a terminator for which there is room.
        Some(unsafe {
            Bytes::written(room, |to| {
                sys::napi_get_value_string_latin1(self.env, value, to.cast(), room, &mut length);
                length
            })
        })
    }

    /// The characters of a string, two bytes each.
    pub(super) fn utf16(&self, value: sys::napi_value) -> Option<Bytes> {
        let mut length = 0;
        // SAFETY: without a buffer the call only measures.
        let status = unsafe {
            sys::napi_get_value_string_utf16(self.env, value, ptr::null_mut(), 0, &mut length)
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        let room = length + 1;
        // SAFETY: the engine writes so many units as it says, and a terminator for which there is room; they are
        // aligned, as the assertion shows.
        Some(unsafe {
            Bytes::written(2 * room, |to| {
                assert!(to.cast::<u16>().is_aligned());
                sys::napi_get_value_string_utf16(self.env, value, to.cast(), room, &mut length);
                2 * length
            })
        })
    }

    pub(super) fn make_number(&self, number: f64) -> Returned {
        let mut value = ptr::null_mut();
        check(
            // SAFETY: creates a value in this call's scope.
            unsafe { sys::napi_create_double(self.env, number, &mut value) },
            "no number",
        )?;
        Ok(Some(value))
    }

    pub(super) fn make_boolean(&self, boolean: bool) -> Returned {
        let mut value = ptr::null_mut();
        check(
            // SAFETY: as above.
            unsafe { sys::napi_get_boolean(self.env, boolean, &mut value) },
            "no boolean",
        )?;
        Ok(Some(value))
    }

    pub(super) fn make_string(&self, text: &str) -> Returned {
        let mut value = ptr::null_mut();
        // SAFETY: pointer and length are of one live string.
        let status = unsafe {
            sys::napi_create_string_utf8(
                self.env,
                text.as_ptr().cast(),
                text.len() as isize,
                &mut value,
            )
        };
        check(status, "no string")?;
        Ok(Some(value))
    }
}

pub(super) fn check(status: sys::napi_status, what: &'static str) -> Result<(), Fault> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Fault(what))
    }
}

/// A list with the result of `make` for each item.
pub(super) fn make_list<T>(
    call: &Call,
    items: impl Iterator<Item = T>,
    make: impl Fn(T) -> Returned,
) -> Returned {
    let mut array = ptr::null_mut();
    check(
        // SAFETY: creates a value in this call's scope.
        unsafe { sys::napi_create_array(call.env, &mut array) },
        "no array",
    )?;
    for (index, item) in (0..).zip(items) {
        let value = make(item)?.unwrap_or(ptr::null_mut());
        check(
            // SAFETY: both are values of this call's scope.
            unsafe { sys::napi_set_element(call.env, array, index, value) },
            "no element",
        )?;
    }
    Ok(Some(array))
}

/// A list of numbers.
pub(super) fn make_numbers(call: &Call, numbers: impl Iterator<Item = f64>) -> Returned {
    make_list(call, numbers, |number| call.make_number(number))
}

/// A list of texts.
pub(super) fn make_strings<'a>(call: &Call, texts: impl Iterator<Item = &'a str>) -> Returned {
    make_list(call, texts, |text| call.make_string(text))
}

/// The environment that a function is bound to.
///
/// # Safety
/// Only in a call of a function that `bind` or `pool::define` has made.
pub(super) unsafe fn environment_of<'a>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> (&'a Environment, sys::napi_value) {
    let (mut data, mut this) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: only `this` and the data pointer are asked for.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            ptr::null_mut(),
            ptr::null_mut(),
            &mut this,
            &mut data,
        );
    }
    // SAFETY: the data pointer is the environment, which lives until the engine's clean-up hooks run; no
    // JavaScript runs after that.
    (unsafe { &*data.cast::<Environment>() }, this)
}

/// Returns the result of a function, or throws. A panic must not reach the C frame: it would abort the process.
pub(super) fn give(env: sys::napi_env, function: impl FnOnce() -> Returned) -> sys::napi_value {
    let fault = match catch_unwind(AssertUnwindSafe(function)) {
        Ok(Ok(value)) => return value.unwrap_or(ptr::null_mut()),
        Ok(Err(Fault(message))) => message,
        Err(_) => "internal error: a native function panicked",
    };
    let message = CString::new(fault).unwrap_or_default();
    // SAFETY: both strings are terminated and live until the call returns.
    unsafe { sys::napi_throw_error(env, c"ERR_RSPOOL_INTERNAL".as_ptr(), message.as_ptr()) };
    ptr::null_mut()
}

/// The C entry of a bound function. It is generic over the function through a zero-sized type. So each function has an
/// entry of its own, and no argument is needed to tell which.
pub(super) unsafe extern "C" fn enter<F: Export>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: `bind` has made the function.
    let (environment, _) = unsafe { environment_of(env, info) };
    give(env, || F::FUNCTION(environment, &Call { env, info }))
}

/// The C entry of a method of a pool.
pub(super) unsafe extern "C" fn enter_method<M: PoolMethod>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: `pool::define` has made the method.
    let (environment, this) = unsafe { environment_of(env, info) };
    give(env, || {
        M::METHOD(environment, Pool::of(env, this)?, &Call { env, info })
    })
}

/// A bound function as a type.
pub(super) trait Export {
    const NAME: &'static CStr;
    const FUNCTION: Bound;
}

/// A method of a pool as a type.
pub(super) trait PoolMethod {
    const METHOD: Method;
}

/// Puts a function on `exports`, bound to an environment.
pub(super) fn bind<F: Export>(
    env: sys::napi_env,
    exports: sys::napi_value,
    environment: *const Environment,
) -> Result<(), Fault> {
    let mut function = ptr::null_mut();
    // SAFETY: the name is terminated; `enter` reads the data as what it is.
    let status = unsafe {
        sys::napi_create_function(
            env,
            F::NAME.as_ptr(),
            F::NAME.count_bytes() as isize,
            Some(enter::<F>),
            environment.cast_mut().cast::<c_void>(),
            &mut function,
        )
    };
    check(status, "no function")?;
    check(
        // SAFETY: `exports` is an object of the caller's scope.
        unsafe { sys::napi_set_named_property(env, exports, F::NAME.as_ptr(), function) },
        "no property",
    )
}

/// Declares bound functions as types, and one function that binds them all.
macro_rules! exports {
    ($($name:literal $type:ident = $function:path;)*) => {
        $(
            struct $type;
            impl $crate::node::call::Export for $type {
                const NAME: &'static std::ffi::CStr = $name;
                const FUNCTION: $crate::node::call::Bound = $function;
            }
        )*

        pub(super) fn bind_all(
            env: napi::sys::napi_env,
            exports: napi::sys::napi_value,
            environment: *const $crate::node::environment::Environment,
        ) -> Result<(), $crate::node::call::Fault> {
            $($crate::node::call::bind::<$type>(env, exports, environment)?;)*
            Ok(())
        }
    };
}
pub(super) use exports;

/// Declares methods of a pool as types, and a list of them for its class.
macro_rules! methods {
    ($($name:literal $type:ident = $function:path;)*) => {
        $(
            struct $type;
            impl $crate::node::call::PoolMethod for $type {
                const METHOD: $crate::node::call::Method = $function;
            }
        )*

        pub(super) const METHODS: &[(&std::ffi::CStr, napi::sys::napi_callback)] =
            &[$(($name, Some($crate::node::call::enter_method::<$type>))),*];
    };
}
pub(super) use methods;
