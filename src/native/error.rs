//! What a native task can fail with. Each variant has one stable code, which is what a user of
//! the package matches on; the message is for people.

use std::borrow::Cow;
use std::fmt;

use crate::scheduler::PANICKED;

/// Why a native task gave no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskError {
    /// The task saw its cancel flag and stopped. Whether that was an abort, a time limit or the
    /// end of the pool is known to whoever raised the flag.
    Cancelled,
    /// The input or a param is not what the task takes: a `TypeError` for the user. The message
    /// names what was wrong, its value and what is allowed.
    InvalidInput(String),
    /// The task could not do its work on a well-formed call.
    Failed {
        /// A code of the form `ERR_RSPOOL_*`, listed in the documentation of the task.
        code: Cow<'static, str>,
        /// What happened, for people.
        message: String,
    },
    /// The task panicked: a bug in its code. The process and the thread go on.
    Panicked(String),
}

/// The result would be larger than the task may give.
pub const OUTPUT_TOO_LARGE: &str = "ERR_RSPOOL_OUTPUT_TOO_LARGE";
/// The input is damaged or cut short.
pub const CORRUPT_INPUT: &str = "ERR_RSPOOL_CORRUPT_INPUT";
/// The system refused the memory that the task asked for.
pub const OUT_OF_MEMORY: &str = "ERR_RSPOOL_OUT_OF_MEMORY";

impl TaskError {
    /// An [`InvalidInput`](Self::InvalidInput) with this message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }

    /// A [`Failed`](Self::Failed) with this code and message.
    pub fn failed(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into());
        Self::Failed { code, message }
    }

    /// `ERR_RSPOOL_OUT_OF_MEMORY` for an allocation of `bytes` that was refused.
    pub fn out_of_memory(bytes: usize) -> Self {
        Self::failed(
            OUT_OF_MEMORY,
            format!("the system refused {bytes} bytes of memory"),
        )
    }

    /// The code that the user sees.
    pub fn code(&self) -> &str {
        match self {
            Self::Cancelled => "ABORT_ERR",
            Self::InvalidInput(_) => "ERR_RSPOOL_INVALID_ARGUMENT",
            Self::Failed { code, .. } => code,
            Self::Panicked(_) => PANICKED,
        }
    }

    /// The same error with `task: ` before its message, so that the user sees which task it was.
    pub(crate) fn of_task(self, task: &str) -> Self {
        let name = |message: String| format!("{task}: {message}");
        match self {
            Self::Cancelled => Self::Cancelled,
            Self::InvalidInput(message) => Self::InvalidInput(name(message)),
            Self::Failed { code, message } => Self::failed(code, name(message)),
            Self::Panicked(message) => Self::Panicked(name(message)),
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::InvalidInput(message) | Self::Panicked(message) => f.write_str(message),
            Self::Failed { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for TaskError {}
