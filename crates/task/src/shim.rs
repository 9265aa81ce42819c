//! The layer between a table and a plain function: takes the values over, contains panics, and writes the reply.

use crate::abi::{Call, Raw, Reply, Str, status, tag};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::input::{Input, TaskParams};
use crate::output::Output;
use crate::panics::contained;
use crate::params::Params;
use crate::value::{Record, Value};

/// A call while it lasts. Values that are lent to a task cannot leave it.
#[derive(Debug)]
pub struct Scope {
    call: *const Call,
    input: *mut Raw,
    params: *mut Raw,
    reply: *mut Reply,
}

impl Scope {
    /// A call.
    ///
    /// # Safety
    /// As `abi::Run` says; the scope is used once, and ends before the function does.
    #[must_use]
    pub const unsafe fn new(
        call: *const Call,
        input: *mut Raw,
        params: *mut Raw,
        reply: *mut Reply,
    ) -> Self {
        Self {
            call,
            input,
            params,
            reply,
        }
    }

    /// Runs a task.
    #[inline]
    pub fn run<'a, I: Input<'a>, P: TaskParams, O: Output>(
        &'a mut self,
        task: impl FnOnce(I, P, &Context<'a>) -> Result<O>,
    ) {
        // SAFETY: both are the task's from now on.
        let (input, given) = unsafe { ((*self.input).take(), (*self.params).take()) };
        let call = self.call;
        let result = contained(|| {
            // SAFETY: the call lasts, and this is its thread.
            let context = unsafe { Context::of(call) };
            // SAFETY: values, by the rules of `abi`; nothing is lent in params.
            let given = unsafe { params(given, "params") }?;
            // SAFETY: a value, by the rules of `abi`; what is lent is there as long as the scope.
            let value = unsafe { input.into_checked_value::<'a>() };
            let value = value.map_err(|why| Error::invalid(why.to_string()))?;
            task(I::from_value(value, "input")?, given, &context)?.into_value()
        });
        let written = match result {
            Ok(value) => Reply {
                status: status::RETURNED,
                value: value.into(),
                ..Reply::NONE
            },
            Err(error) => refusal(error),
        };
        // SAFETY: a reply to write to, in which there is nothing to drop.
        unsafe { self.reply.write(written) }
    }
}

/// Reads params, or a config.
///
/// # Safety
/// A value, by the rules of `abi`, in which nothing is lent.
pub(crate) unsafe fn params<P: TaskParams>(raw: Raw, what: &'static str) -> Result<P> {
    let params = match raw.tag {
        tag::UNDEFINED => Params::none(),
        _ => {
            // SAFETY: the caller's promise.
            let value = unsafe { raw.into_checked_value() };
            Params::from_value(value.map_err(|why| Error::invalid(why.to_string()))?)?
        }
    };
    P::read(params, what)
}

/// The reply of a failed task.
pub(crate) fn refusal(error: Error) -> Reply {
    let (status, code, message) = match error {
        Error::Cancelled => {
            return Reply {
                status: status::CANCELLED,
                ..Reply::NONE
            };
        }
        Error::InvalidInput(message) => (status::INVALID, None, message),
        Error::Panicked(message) => (status::PANICKED, None, message),
        Error::Failed { code, message } => (status::FAILED, Some(code), message),
    };
    Reply {
        status,
        value: Value::from(message).into(),
        code: code.map_or(Raw::UNDEFINED, |code| Value::from(&*code).into()),
        ..Reply::NONE
    }
}

/// Describes the input, the params and the result of a task, and its chunks if it can be a stream.
///
/// # Safety
/// As `abi::Schema` says.
pub unsafe fn schema<'a, I: Input<'a>, P: TaskParams, O: Output>(
    _: impl FnOnce(I, P, &Context<'a>) -> Result<O>,
    doc: &str,
    chunk: Option<String>,
    out: *mut Raw,
) {
    let written = contained(|| {
        let mut schema = Record::new();
        schema.push("doc", doc);
        schema.push("input", I::type_of());
        schema.push("params", P::type_of());
        schema.push("result", O::type_of());
        if let Some(chunk) = chunk {
            schema.push("chunk", chunk);
        }
        Ok(Value::Record(schema))
    });
    // SAFETY: a value to write to, in which there is nothing to drop.
    unsafe { out.write(written.unwrap_or_default().into()) }
}

/// The plugin's name, taken from the name of its first task. For [`crate::plugin!`].
#[must_use]
pub const fn prefix(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'.' {
        at += 1;
    }
    name.split_at(at).0
}

/// Whether `name` is `prefix.task`, with letters and digits. For [`crate::plugin!`].
#[must_use]
pub const fn is_name(name: &str, prefix: &str) -> bool {
    let (name, prefix) = (name.as_bytes(), prefix.as_bytes());
    if prefix.is_empty() || name.len() < prefix.len() + 2 || name[prefix.len()] != b'.' {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        let same = at >= prefix.len() || name[at] == prefix[at];
        let word = name[at].is_ascii_alphanumeric() && !(at == 0 && name[at].is_ascii_digit());
        if !same || (at != prefix.len() && !word) {
            return false;
        }
        at += 1;
    }
    true
}

/// For [`crate::plugin!`].
#[must_use]
pub const fn text(text: &'static str) -> Str {
    Str::of(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_plugin_and_a_task() {
        assert_eq!(prefix("words.count"), "words");
        assert_eq!(prefix("words"), "words");
        for good in ["words.count", "words.a1", "words.countLines"] {
            assert!(is_name(good, "words"), "{good}");
        }
        for bad in [
            "words",
            "words.",
            "other.count",
            "words.a.b",
            "words.a b",
            ".a",
            "wordsx.a",
        ] {
            assert!(!is_name(bad, "words"), "{bad}");
        }
        assert!(!is_name("1a.b", "1a"));
        assert!(!is_name(".b", ""));
    }
}
