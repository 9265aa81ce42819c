//! Numbers for lists of keys that recur. There is one table for the process, because the writer and the reader of a
//! number may be different environments.

use std::collections::HashMap;
use std::sync::LazyLock;

use napi::{Error, Result};
use napi_derive::napi;
use parking_lot::Mutex;

/// The most lists of keys that get a number. Objects with other keys carry them along.
const MOST: usize = 4096;
/// The most bytes of all these lists: both ends have code made for each.
const MOST_TEXT: usize = 1 << 20;

static SHAPES: LazyLock<Mutex<Shapes>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Shapes {
    ids: HashMap<String, i32>,
    texts: Vec<String>,
    bytes: usize,
}

impl Shapes {
    fn intern(&mut self, text: String) -> i32 {
        if let Some(&id) = self.ids.get(&text) {
            return id;
        }
        let Some(id) = i32::try_from(self.texts.len())
            .ok()
            .filter(|_| self.texts.len() < MOST && self.bytes + text.len() <= MOST_TEXT)
        else {
            return -1;
        };
        self.bytes += text.len();
        self.texts.push(text.clone());
        self.ids.insert(text, id);
        id
    }

    fn text(&self, id: i32) -> Option<String> {
        self.texts.get(usize::try_from(id).ok()?).cloned()
    }
}

/// The number of a list of keys (JSON text); -1 if the table is full.
#[napi]
pub fn intern_shape(keys: String) -> i32 {
    SHAPES.lock().intern(keys)
}

/// The list of keys with this number, as JSON text.
#[napi]
pub fn shape_keys(id: i32) -> Result<String> {
    let unknown = || Error::from_reason("internal error: unknown shape");
    SHAPES.lock().text(id).ok_or_else(unknown)
}
