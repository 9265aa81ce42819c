//! The maps of this process by number, for its threads and its watcher.

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

/// A number by which the threads of this process know the map. With `keep`, the map is kept as long as the process
/// lives, even if all others let go of it.
pub fn share(map: &Arc<Map>, keep: bool) -> u64 {
    // The address is unique as long as the map is here.
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
