//! The maps of this process that its threads and its watcher may have, by number.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::Map;

static KNOWN: LazyLock<Mutex<HashMap<u64, Known>>> = LazyLock::new(Mutex::default);

struct Known {
    map: Weak<Map>,
    /// Kept as long as the process lives.
    _kept: Option<Arc<Map>>,
}

/// A number by which the threads of this process know the map; `keep`: as long as the process lives, whoever lets go
/// of it.
pub fn share(map: &Arc<Map>, keep: bool) -> u64 {
    // Its address is its own as long as it is here.
    let number = Arc::as_ptr(map).addr() as u64;
    let mut known = KNOWN.lock();
    known.retain(|_, it| it.map.strong_count() > 0);
    if keep || !known.contains_key(&number) {
        let it = Known {
            map: Arc::downgrade(map),
            _kept: keep.then(|| Arc::clone(map)),
        };
        known.insert(number, it);
    }
    number
}

/// The map of a number that `share` gave, if it is still here.
pub fn get(number: u64) -> Option<Arc<Map>> {
    let known = KNOWN.lock();
    known.get(&number)?.map.upgrade()
}
