//! Contains the panics of tasks. A panic prints nothing, and its place becomes part of the message.
//!
//! Each binary has its own standard library, and so its own panic hook: the hook of rspool does not see a panic in a
//! plugin.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// Whether a panic of this thread will be caught here.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the panics of tasks off stderr, and notes where they are. Other panics go to the hook that was there before.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CAUGHT.try_with(Cell::get) == Ok(true) {
                note(info);
            } else {
                before(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let _ = PLACE.try_with(|place| {
        if let (Ok(mut place), Some(location)) = (place.try_borrow_mut(), info.location()) {
            place.clear();
            let _ = write!(place, "{location}");
        }
    });
}

/// The result of `run`. A panic becomes [`Error::Panicked`], and prints nothing.
pub fn contained<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    silence();
    let before = CAUGHT.replace(true);
    // A panic drops everything that the task owned. The state of what it borrowed is up to the task's author, as in any
    // Rust thread.
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(error_of(panic)));
    CAUGHT.set(before);
    result
}

/// Turns the panic into an error, and drops its payload.
fn error_of(panic: Box<dyn Any + Send>) -> Error {
    let mut message = String::from("the task panicked");
    if let Some(text) = panic.downcast_ref::<&'static str>() {
        let _ = write!(message, ": {text}");
    } else if let Some(text) = panic.downcast_ref::<String>() {
        let _ = write!(message, ": {text}");
    }
    let place = PLACE.take();
    if !place.is_empty() {
        let _ = write!(message, " ({place})");
    }
    // The payload may panic when it is dropped, and so may the payload of that panic. After some attempts it is leaked.
    let mut rest = Some(panic);
    for _ in 0..8 {
        let Some(panic) = rest.take() else { break };
        rest = catch_unwind(AssertUnwindSafe(|| drop(panic))).err();
    }
    std::mem::forget(rest);
    Error::Panicked(message)
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    #[test]
    fn panics_stay_in_and_keep_message_and_place() {
        struct Bomb(u32);
        impl Drop for Bomb {
            fn drop(&mut self) {
                if self.0 > 0 {
                    panic_any(Bomb(self.0 - 1));
                }
            }
        }
        silence();
        let message = |run: fn()| {
            let error = contained(|| {
                run();
                Ok(())
            })
            .unwrap_err();
            assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC");
            error.to_string()
        };
        let file = file!();
        let plain = message(|| panic!("plain"));
        assert!(
            plain.starts_with(&format!("the task panicked: plain ({file}:")),
            "{plain}"
        );
        let made = message(|| panic!("got {}", 7));
        assert!(made.starts_with("the task panicked: got 7 ("), "{made}");
        let bomb = message(|| panic_any(Bomb(3)));
        assert!(bomb.starts_with("the task panicked ("), "{bomb}");
    }

    #[test]
    fn one_in_another_is_contained_too() {
        let result: Result<u32> = contained(|| {
            let inner: Result<u32> = contained(|| panic!("inner"));
            assert!(inner.is_err());
            panic!("outer")
        });
        assert!(result.unwrap_err().to_string().contains("outer"));
        assert!(!CAUGHT.get());
    }
}
