//! Why a plugin is not loaded: a code that users match on, and a message.

use std::fmt;

use rspool_task::abi::{MAJOR, MINOR};

/// Why a plugin is not loaded. Then no part of it is.
#[derive(Debug)]
pub struct LoadError {
    /// The code that users match on.
    pub code: &'static str,
    message: String,
}

impl LoadError {
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ERR_RSPOOL_PLUGIN_NOT_FOUND", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ERR_RSPOOL_PLUGIN_INVALID", message)
    }

    pub(super) fn incompatible(message: impl Into<String>) -> Self {
        Self::new("ERR_RSPOOL_PLUGIN_INCOMPATIBLE", message)
    }

    pub(super) fn exists(message: impl Into<String>) -> Self {
        Self::new("ERR_RSPOOL_TASK_EXISTS", message)
    }

    /// The plugin has another version.
    pub(super) fn version(major: u32, minor: u32) -> Self {
        Self::incompatible(format!(
            "it is built for version {major}.{minor} of the plugin interface, and this rspool has {MAJOR}.{MINOR}: \
             build it with the rspool-task of this rspool, or use the rspool that it was built for"
        ))
    }

    fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    /// The same error, with the file that it is about.
    pub(super) fn of_file(self, file: &std::path::Path) -> Self {
        let message = format!("{}: {}", file.display(), self.message);
        Self { message, ..self }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LoadError {}
