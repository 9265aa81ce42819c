//! Numbers for the key lists of plain objects, one table for the process: whoever encodes an object
//! and whoever decodes it may be different environments.

use std::collections::HashMap;
use std::sync::LazyLock;

use napi_derive::napi;
use parking_lot::Mutex;

/// Lists that get a number; more are sent in full.
const MOST: usize = 4096;

static SHAPES: LazyLock<Mutex<Shapes>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Shapes {
    ids: HashMap<String, i32>,
    keys: Vec<String>,
}

/// The number of a list of keys (JSON text); -1 when the table is full.
#[napi]
pub fn intern_shape(keys: String) -> i32 {
    let mut shapes = SHAPES.lock();
    if let Some(&id) = shapes.ids.get(&keys) {
        return id;
    }
    if shapes.keys.len() >= MOST {
        return -1;
    }
    let id = shapes.keys.len() as i32;
    shapes.keys.push(keys.clone());
    shapes.ids.insert(keys, id);
    id
}

/// The list with this number, as JSON text.
#[napi]
pub fn shape_keys(id: i32) -> Option<String> {
    SHAPES.lock().keys.get(usize::try_from(id).ok()?).cloned()
}
