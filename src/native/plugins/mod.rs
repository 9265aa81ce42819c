//! Plugins: libraries with tasks of the user. Each is loaded once per process, and stays: code that has run in a
//! process cannot be taken out of it. An error in a plugin is found before any of its tasks is known.

mod error;
mod load;
mod machine;
mod table;

use std::path::PathBuf;
use std::sync::OnceLock;

use rspool_task::Value;
use rspool_task::abi::{Raw, Schema, StateDrop, StateNew};

pub use error::LoadError;
pub use load::{by_id, load, loaded};
pub(super) use table::{Listed, Table};

/// A plugin of this process.
#[derive(Debug)]
pub struct Plugin {
    /// The number by which pools know it.
    pub id: u32,
    /// The part of its tasks' names before the dot.
    pub name: &'static str,
    /// The path of its file, with links resolved.
    pub file: PathBuf,
    /// The minor version of the interface that it was built for.
    pub minor: u32,
    /// The version of `rspool-task` that it was built with.
    pub version: String,
    /// `debug` or `release`.
    pub profile: String,
    tasks: Vec<(&'static str, Option<Schema>)>,
    /// The config from the process, as JSON.
    config: OnceLock<Option<Box<str>>>,
    pub(super) state_new: Option<StateNew>,
    pub(super) state_drop: Option<StateDrop>,
    pub(super) shared_new: Option<StateNew>,
    pub(super) shared_drop: Option<StateDrop>,
}

impl Plugin {
    /// Sets the config for all pools that have none of their own. The first call counts.
    pub fn configure(&self, config: Option<Box<str>>) {
        let _ = self.config.set(config);
    }

    /// The config of the process.
    pub(super) fn config(&self) -> Option<Box<str>> {
        self.config.get().cloned().flatten()
    }

    /// The names of its tasks, each with the record in which it describes itself: `doc`, `input`, `params`,
    /// `result`, and `chunk` if it can be a stream.
    pub fn tasks(&self) -> impl Iterator<Item = (&'static str, Value<'static>)> {
        self.tasks.iter().map(|(name, schema)| {
            let mut out = Raw::UNDEFINED;
            if let Some(schema) = schema {
                // SAFETY: a function of a table, for which loading it vouches.
                unsafe { schema(&raw mut out) }
            }
            // SAFETY: what the function has written, by the rules of `abi`.
            let said = unsafe { out.into_value() };
            (*name, said.map(Value::into_owned).unwrap_or_default())
        })
    }
}
