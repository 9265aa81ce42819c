//! The errors of a task. Each variant has one stable code, which a user matches on; the message is for people.

use std::borrow::Cow;
use std::fmt;

/// Why a task gave no result. `?` converts any `std::error::Error` to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The task saw its cancel flag and stopped. Only the code that raised the flag knows whether the reason was an
    /// abort, a time limit or the end of the pool.
    Cancelled,
    /// The task does not take this input or this param. The user gets a `TypeError`. The message names what was wrong,
    /// its value and what is allowed.
    InvalidInput(String),
    /// The call was well-formed, but the task could not do its work.
    Failed {
        /// A stable code in capitals, listed in the documentation of the task. `ERR_RSPOOL_*` are rspool's.
        code: Cow<'static, str>,
        /// What happened, for people.
        message: String,
    },
    /// The task panicked: a bug in its code. The process and the thread go on.
    Panicked(String),
}

/// The result of a task.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The task could not do its work, and says no more than its message.
pub const TASK_FAILED: &str = "ERR_RSPOOL_TASK_FAILED";
/// The result would be larger than the task may give.
pub const OUTPUT_TOO_LARGE: &str = "ERR_RSPOOL_OUTPUT_TOO_LARGE";
/// The input is damaged or cut short.
pub const CORRUPT_INPUT: &str = "ERR_RSPOOL_CORRUPT_INPUT";
/// The system refused the memory that the task asked for.
pub const OUT_OF_MEMORY: &str = "ERR_RSPOOL_OUT_OF_MEMORY";
/// The task does not take this input or this param.
pub const INVALID_ARGUMENT: &str = "ERR_RSPOOL_INVALID_ARGUMENT";
/// The task panicked.
pub const PANICKED: &str = "ERR_RSPOOL_TASK_PANIC";
/// The host does not have what the task asks for.
pub const UNSUPPORTED: &str = "ERR_RSPOOL_UNSUPPORTED";
/// The task gives its result as chunks, and was not called as a stream.
pub const NOT_A_STREAM: &str = "ERR_RSPOOL_NOT_A_STREAM";

impl Error {
    /// A failure without a code of its own: `ERR_RSPOOL_TASK_FAILED`.
    pub fn new(message: impl Into<String>) -> Self {
        Self::failed(TASK_FAILED, message)
    }

    /// An [`InvalidInput`](Self::InvalidInput) with this message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }

    /// A [`Failed`](Self::Failed) with this code and message.
    pub fn failed(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Failed {
            code: code.into(),
            message: message.into(),
        }
    }

    /// `ERR_RSPOOL_OUT_OF_MEMORY`, for a refused allocation of `bytes`.
    #[must_use]
    pub fn out_of_memory(bytes: usize) -> Self {
        Self::failed(
            OUT_OF_MEMORY,
            format!("the system refused {bytes} bytes of memory"),
        )
    }

    /// The code that the user sees.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Cancelled => "ABORT_ERR",
            Self::InvalidInput(_) => INVALID_ARGUMENT,
            Self::Failed { code, .. } => code,
            Self::Panicked(_) => PANICKED,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::InvalidInput(message) | Self::Panicked(message) => f.write_str(message),
            Self::Failed { message, .. } => f.write_str(message),
        }
    }
}

// `Error` does not implement `std::error::Error` itself, so that any error that does can become one.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}
