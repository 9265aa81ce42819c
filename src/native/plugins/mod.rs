//! Plugins: libraries with tasks of a user's. Each is loaded once for the process, and stays: what has run code in a
//! process cannot be taken out of it. What is wrong with one is found before any of its tasks is known.

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
pub(super) use table::Table;

/// A plugin of this process.
#[derive(Debug)]
pub struct Plugin {
    /// By which pools know it.
    pub id: u32,
    /// What its tasks have before the dot.
    pub name: &'static str,
    /// Where it was found, without links.
    pub file: PathBuf,
    /// The version of `rspool-task` that it was built with.
    pub version: String,
    /// `debug` or `release`.
    pub profile: String,
    tasks: Vec<(&'static str, Option<Schema>)>,
    /// What the process gives it, as JSON.
    config: OnceLock<Option<Box<str>>>,
    pub(super) state_new: Option<StateNew>,
    pub(super) state_drop: Option<StateDrop>,
    pub(super) shared_new: Option<StateNew>,
    pub(super) shared_drop: Option<StateDrop>,
}

impl Plugin {
    /// Sets the config of all pools that have none of their own. The first one counts.
    pub fn configure(&self, config: Option<Box<str>>) {
        let _ = self.config.set(config);
    }

    /// The config of the process.
    pub(super) fn config(&self) -> Option<Box<str>> {
        self.config.get().cloned().flatten()
    }

    /// What its tasks are called, and the record that each gives of itself: `doc`, `input`, `params` and `result`.
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
