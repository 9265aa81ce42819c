//! Plugins for JavaScript: loads them, and sets the configs that the process and its pools give them.

use std::path::Path;

use rspool_task::Value;

use super::call::{Call, Fault, Returned};
use super::environment::Environment;
use super::pool::Pool;
use crate::native::plugins::{self, LoadError, Plugin};

super::call::exports! {
    c"loadPlugin" LoadPlugin = load_plugin;
    c"configurePlugin" ConfigurePlugin = configure_plugin;
}

super::call::methods! {
    c"configurePlugin" ConfigureInPool = configure_in_pool;
}

/// `loadPlugin(path) -> JSON text`: the description of the plugin, or `{ code, message }`.
fn load_plugin(_: &Environment, call: &Call) -> Returned {
    let path = call
        .string(call.args()[0])
        .ok_or(Fault("expected a string"))?;
    let told = match plugins::load(Path::new(&path)) {
        Ok(plugin) => describe(plugin),
        Err(error @ LoadError { code, .. }) => {
            serde_json::json!({ "code": code, "message": error.to_string() })
        }
    };
    call.make_string(&told.to_string())
}

fn describe(plugin: &Plugin) -> serde_json::Value {
    let tasks: Vec<_> = plugin
        .tasks()
        .map(|(name, schema)| {
            let text = |field: &str| match &schema {
                Value::Record(record) => match record.get(field) {
                    Some(Value::String(text)) => Some(text.trim().to_owned()),
                    _ => None,
                },
                _ => None,
            };
            serde_json::json!({
                "name": name, "doc": text("doc"), "input": text("input"), "params": text("params"),
                "result": text("result"), "chunk": text("chunk"),
            })
        })
        .collect();
    serde_json::json!({
        "id": plugin.id, "name": plugin.name, "file": plugin.file.to_string_lossy(), "version": plugin.version,
        "profile": plugin.profile, "tasks": tasks,
    })
}

/// A config as JSON text, or nothing.
fn config(call: &Call) -> Option<Box<str>> {
    call.string(call.args()[1]).map(Into::into)
}

/// `configurePlugin(id, config)`: for all pools that have no config of their own. The first call counts.
fn configure_plugin(_: &Environment, call: &Call) -> Returned {
    let plugin = plugins::by_id(call.index(call.args()[0])?).ok_or(Fault("unknown plugin"))?;
    plugin.configure(config(call));
    Ok(None)
}

/// `configurePlugin(id, config)` of a pool: for its workers.
fn configure_in_pool(_: &Environment, pool: &Pool, call: &Call) -> Returned {
    let id = call.index(call.args()[0])?;
    pool.lane.states.configure(id, config(call));
    Ok(None)
}
