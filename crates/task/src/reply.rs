//! How a call ended, as its caller reads it.

use crate::abi::{Raw, Reply, status};
use crate::error::{Error, Result};
use crate::raw::Malformed;
use crate::value::Value;

impl Reply {
    /// The result, or why there is none. Values that the reply only lends are copied.
    ///
    /// # Safety
    /// What it points to is as its values say; what is lent is there until this returns.
    ///
    /// # Errors
    /// The error of the task, or what is wrong with the reply.
    #[inline]
    pub unsafe fn into_result(self) -> Result<Value<'static>> {
        if self.status == status::RETURNED {
            if let Some(value) = self.value.plain_value() {
                return Ok(value);
            }
            // SAFETY: the caller's promise.
            let value = unsafe { self.value.into_value() };
            return value.map(Value::into_owned).map_err(|why| malformed(&why));
        }
        // SAFETY: the caller's promise.
        unsafe { self.into_failure() }
    }

    /// Reads why there is no result.
    ///
    /// # Safety
    /// As for [`Reply::into_result`].
    unsafe fn into_failure(self) -> Result<Value<'static>> {
        // SAFETY: the caller's promise.
        let text = |raw: Raw| match unsafe { raw.into_value() } {
            Ok(Value::String(text)) => Ok(text.into_owned().into_string()),
            Ok(other) => Err(garbage(&format!("{} for a text", other.describe()))),
            Err(why) => Err(malformed(&why)),
        };
        Err(match self.status {
            status::CANCELLED => Error::Cancelled,
            status::INVALID => Error::InvalidInput(text(self.value)?),
            status::PANICKED => Error::Panicked(text(self.value)?),
            status::FAILED => Error::failed(text(self.code)?, text(self.value)?),
            status::NONE => garbage("nothing"),
            other => garbage(&format!("the status {other}")),
        })
    }
}

impl From<Error> for Reply {
    /// The reply of a call that has failed.
    fn from(error: Error) -> Self {
        crate::shim::refusal(error)
    }
}

fn malformed(why: &Malformed) -> Error {
    garbage(&why.to_string())
}

fn garbage(what: &str) -> Error {
    Error::new(format!("the task has replied with {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u32, value: Value<'static>) -> Result<Value<'static>> {
        let reply = Reply {
            status,
            value: value.into(),
            ..Reply::NONE
        };
        // SAFETY: made here.
        unsafe { reply.into_result() }
    }

    #[test]
    fn a_reply_that_says_nothing_is_an_error() {
        let message = |status, value| read(status, value).unwrap_err().to_string();
        assert_eq!(read(status::RETURNED, 7.into()), Ok(7.into()));
        assert_eq!(read(status::CANCELLED, 7.into()), Err(Error::Cancelled));
        assert_eq!(
            message(status::NONE, 7.into()),
            "the task has replied with nothing"
        );
        assert_eq!(
            message(99, 7.into()),
            "the task has replied with the status 99"
        );
        assert_eq!(
            message(status::INVALID, 7.into()),
            "the task has replied with the number 7 for a text"
        );
        assert_eq!(
            read(status::PANICKED, "why".into()),
            Err(Error::Panicked("why".into()))
        );
    }
}
