//! What plugins keep between calls: one state per worker, made and dropped on its thread, and one for all workers of a
//! pool. The first task that needs them makes both from the pool's config for the plugin.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use parking_lot::Mutex;
use rspool_task::abi::{Raw, Reply, StateDrop, StateNew};
use rspool_task::{Error, Params, Value};

use super::payload::params_of;
use super::plugins::Plugin;

/// The states that a call gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) own: *mut c_void,
    pub(super) shared: *mut c_void,
}

impl Pair {
    /// The states of a task that has none.
    pub(super) const NONE: Self = Self {
        own: ptr::null_mut(),
        shared: ptr::null_mut(),
    };
}

/// A state that a function of a plugin has made.
#[derive(Debug)]
struct State {
    made: *mut c_void,
    drop: Option<StateDrop>,
}

impl State {
    /// The state that a plugin makes from a config; nothing if it has no such state.
    fn make(
        new: Option<StateNew>,
        drop: Option<StateDrop>,
        config: Option<&str>,
    ) -> Result<Self, Error> {
        let Some(new) = new else {
            let made = ptr::null_mut();
            return Ok(Self { made, drop: None });
        };
        let mut config = Raw::from(Value::from(
            config.map_or(Ok(Params::none()), |text| params_of(text, "config"))?,
        ));
        let mut reply = Reply::NONE;
        // SAFETY: a function of a table, for which loading it vouches; both are there for the call.
        let made = unsafe { new(&raw mut config, &raw mut reply) };
        if !made.is_null() {
            return Ok(Self { made, drop });
        }
        // SAFETY: what the function has written, by the rules of `abi`.
        let why = unsafe { reply.into_result() };
        Err(why
            .err()
            .unwrap_or_else(|| Error::new("the plugin has made no state")))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(drop) = self.drop
            && !self.made.is_null()
        {
            // SAFETY: what the plugin has made, once; nobody uses it any more.
            unsafe { drop(self.made) }
        }
    }
}

/// A state that the workers of a pool share.
#[derive(Debug)]
struct Shared(State);

// SAFETY: a plugin makes it for all threads, and for any of them to drop (`abi::Plugin`).
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// A state that its first user makes; the others wait.
type Place = Arc<Mutex<Option<Arc<Shared>>>>;

/// The configs and states of plugins in a pool.
#[derive(Debug, Default)]
pub struct PoolStates {
    /// By plugin. A plugin that is not in it has the config of the process.
    configs: Mutex<HashMap<u32, Option<Box<str>>>>,
    shared: Mutex<HashMap<u32, Place>>,
}

impl PoolStates {
    /// Gives this pool a config of its own, before the first task of the plugin.
    pub fn configure(&self, plugin: u32, config: Option<Box<str>>) {
        self.configs.lock().insert(plugin, config);
    }

    fn config(&self, plugin: &Plugin) -> Option<Box<str>> {
        let own = self.configs.lock().get(&plugin.id).cloned();
        own.unwrap_or_else(|| plugin.config())
    }

    fn shared(&self, plugin: &Plugin) -> Result<Arc<Shared>, Error> {
        let place = Arc::clone(self.shared.lock().entry(plugin.id).or_default());
        let mut place = place.lock();
        if let Some(shared) = &*place {
            return Ok(Arc::clone(shared));
        }
        let config = self.config(plugin);
        let made = State::make(plugin.shared_new, plugin.shared_drop, config.as_deref())?;
        let made = Arc::new(Shared(made));
        *place = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// The states of plugins in a worker.
#[derive(Debug, Default)]
pub(super) struct WorkerStates(HashMap<u32, (State, Arc<Shared>)>);

impl WorkerStates {
    /// The states for a task of this plugin. If a state cannot be made, the next task tries again.
    pub(super) fn of(&mut self, plugin: &Plugin, pool: &PoolStates) -> Result<Pair, Error> {
        if plugin.state_new.is_none() && plugin.shared_new.is_none() {
            return Ok(Pair::NONE);
        }
        let (own, shared) = match self.0.entry(plugin.id) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => {
                let shared = pool.shared(plugin)?;
                let config = pool.config(plugin);
                let own = State::make(plugin.state_new, plugin.state_drop, config.as_deref())?;
                place.insert((own, shared))
            }
        };
        Ok(Pair {
            own: own.made,
            shared: shared.0.made,
        })
    }
}
