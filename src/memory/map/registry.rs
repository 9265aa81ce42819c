//! The maps of this process that its threads may have, by number.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::Map;

static SHARED: LazyLock<Mutex<HashMap<u64, Arc<Map>>>> = LazyLock::new(Mutex::default);

/// Has every thread of this process have the map by a number, as long as the process lives.
pub fn share(map: &Arc<Map>) -> u64 {
    // Its address is its own as long as it is here.
    let number = Arc::as_ptr(map).addr() as u64;
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.entry(number).or_insert_with(|| Arc::clone(map));
    number
}

/// The map of a number that `share` gave.
pub fn get(number: u64) -> Option<Arc<Map>> {
    let shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.get(&number).map(Arc::clone)
}
