//! What a task's panic says goes into its error, and nowhere else: on a thread that runs a task nothing is printed.
//! Anywhere else the hook that was there before is called.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Whether a task runs on this thread.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic of a task on this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught: what it said, and where.
#[derive(Debug)]
pub(super) struct Panic(String);

impl Panic {
    pub(super) fn into_message(self) -> String {
        self.0
    }

    /// Goes on unwinding on this thread, wherever it began.
    pub(super) fn resume(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }

    fn of(payload: Box<dyn Any + Send>) -> Self {
        let place = PLACE
            .take()
            .map_or(String::new(), |place| format!(" ({place})"));
        let payload = match payload.downcast::<Panic>() {
            Ok(panic) => return *panic,
            Err(payload) => payload,
        };
        let payload = match payload.downcast::<&'static str>() {
            Ok(text) => return Self(format!("the task panicked: {text}{place}")),
            Err(payload) => payload,
        };
        match payload.downcast::<String>() {
            Ok(text) => Self(format!("the task panicked: {text}{place}")),
            Err(other) => {
                // Its drop may panic, and nothing further out would catch that.
                std::mem::forget(other);
                Self(format!("the task panicked{place}"))
            }
        }
    }
}

/// Runs a part of a task. A panic of it ends here.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IN_TASK.get() || !note(info) {
                before(info);
            }
        }));
    });
    let outer = IN_TASK.replace(true);
    // What a part of a task has half changed is dropped with it: its caller gets an error and nothing else.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    IN_TASK.set(outer);
    result.map_err(Panic::of)
}

/// Notes where a panic was. False if that cannot be noted any more, as the thread ends.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let place = info.location().map(ToString::to_string);
    PLACE.try_with(|noted| noted.replace(place)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_what_and_where() {
        let line = line!() + 1;
        let panic = caught(|| panic!("number {}", 7)).unwrap_err();
        let message = panic.into_message();
        let place = format!("(src/native/panics.rs:{line}:");
        assert!(
            message.starts_with("the task panicked: number 7 "),
            "{message}"
        );
        assert!(message.contains(&place), "{message}");
    }

    #[test]
    fn it_goes_on_as_it_was_through_other_frames() {
        let inner = caught(|| panic!("first")).unwrap_err();
        let message = inner.0.clone();
        let outer = caught(|| inner.resume()).unwrap_err();
        assert_eq!(outer.into_message(), message);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_left_alone() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let panic = caught(|| panic::panic_any(Bomb)).unwrap_err();
        assert!(panic.into_message().starts_with("the task panicked ("));
    }
}
