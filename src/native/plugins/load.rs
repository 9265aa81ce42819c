//! Loads plugins into the process, one at a time: to check that a name is free and to take it is one step.

use std::error::Error;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::Library;
use parking_lot::Mutex;
use rspool_task::abi::{ENTRY, Entry, HostInfo, MAJOR, MINOR, Str};

use super::error::LoadError;
use super::table::Table;
use super::{Plugin, machine};
use crate::native::registry;

/// The plugins of the process. The index of each is its id.
static LOADED: Mutex<Vec<(Identity, &'static Plugin)>> = Mutex::new(Vec::new());

/// The same for all names of one file.
#[derive(Debug, PartialEq)]
struct Identity {
    path: PathBuf,
    /// Device and file.
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Identity {
    fn of(path: PathBuf) -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let about = fs::metadata(&path)?;
            Ok(Self {
                path,
                inode: (about.dev(), about.ino()),
            })
        }
        #[cfg(not(unix))]
        Ok(Self { path })
    }

    fn is(&self, other: &Self) -> bool {
        #[cfg(unix)]
        return self.inode == other.inode;
        #[cfg(not(unix))]
        return self == other;
    }
}

/// The plugin of this file. Loads it, unless it is loaded already.
///
/// # Errors
/// Each [`LoadError`]; then no part of the plugin is known.
pub fn load(path: &Path) -> Result<&'static Plugin, LoadError> {
    load_file(path).map_err(|error| error.of_file(path))
}

/// The plugins of the process.
pub fn loaded() -> Vec<&'static Plugin> {
    LOADED.lock().iter().map(|(_, plugin)| *plugin).collect()
}

/// The plugin of this id.
pub fn by_id(id: u32) -> Option<&'static Plugin> {
    LOADED.lock().get(id as usize).map(|(_, plugin)| *plugin)
}

fn load_file(path: &Path) -> Result<&'static Plugin, LoadError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            LoadError::not_found("there is no such file")
        }
        _ => LoadError::invalid(format!("it cannot be read: {error}")),
    };
    let real = fs::canonicalize(path).map_err(unreadable)?;
    let mut loaded = LOADED.lock();
    let identity = Identity::of(real.clone()).map_err(unreadable)?;
    if let Some((_, plugin)) = loaded.iter().find(|(known, _)| known.is(&identity)) {
        return Ok(plugin);
    }
    refuse_other_machines(&real).map_err(|error| match error {
        Refused::Unread(error) => unreadable(error),
        Refused::Machine(error) => error,
    })?;
    let table = open(&real)?;
    if let Some((_, other)) = loaded.iter().find(|(_, plugin)| plugin.name == table.name) {
        return Err(LoadError::exists(format!(
            "the tasks of '{}' are those of {} already",
            table.name,
            other.file.display()
        )));
    }
    let own = registry::names().find(|name| name.split('.').next() == Some(table.name));
    if let Some(own) = own {
        return Err(LoadError::exists(format!(
            "'{}' is a family of rspool itself, as in '{own}': choose another name",
            table.name
        )));
    }
    let names = table.tasks.iter().map(|listed| listed.name);
    let plugin: &'static Plugin = Box::leak(Box::new(Plugin {
        id: u32::try_from(loaded.len()).expect("fewer plugins than memory"),
        name: table.name,
        file: real,
        minor: table.minor,
        version: table.version,
        profile: table.profile,
        tasks: names.zip(table.schemas).collect(),
        config: OnceLock::new(),
        state_new: table.state.0,
        state_drop: table.state.1,
        shared_new: table.shared.0,
        shared_drop: table.shared.1,
    }));
    registry::add(plugin, &table.tasks);
    loaded.push((identity, plugin));
    Ok(plugin)
}

enum Refused {
    Unread(std::io::Error),
    Machine(LoadError),
}

/// Of a library for another machine, the system's loader says only that it is not a library.
fn refuse_other_machines(path: &Path) -> Result<(), Refused> {
    let mut first = Vec::new();
    let file = File::open(path).map_err(Refused::Unread)?;
    file.take(4096)
        .read_to_end(&mut first)
        .map_err(Refused::Unread)?;
    let here = machine::here();
    match machine::of(&first) {
        Some(there) if there != here => Err(Refused::Machine(LoadError::incompatible(format!(
            "it is built for {there}, and this process is {here}"
        )))),
        _ => Ok(()),
    }
}

/// Opens a library and reads its table. The library is never closed, even if it is refused: its code may have run.
fn open(path: &Path) -> Result<Table, LoadError> {
    let library = open_library(path).map_err(|error| {
        let why = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        LoadError::invalid(format!("it is no library that can be loaded: {why}"))
    })?;
    let library = Box::leak(Box::new(library));
    // SAFETY: a symbol of this name is such a function: that is what the name is for.
    let entry = unsafe { library.get::<Entry>(ENTRY) }.map_err(|_| {
        LoadError::invalid(format!(
            "it is no plugin of rspool: it has no symbol '{ENTRY}'"
        ))
    })?;
    let host = HostInfo {
        size: size_of::<HostInfo>(),
        major: MAJOR,
        minor: MINOR,
        version: Str::of(env!("CARGO_PKG_VERSION")),
    };
    // SAFETY: as `abi::Entry` says.
    let table = unsafe { entry(&raw const host) };
    if table.is_null() {
        return Err(LoadError::incompatible(format!(
            "it refuses rspool {} with version {MAJOR}.{MINOR} of the plugin interface",
            env!("CARGO_PKG_VERSION")
        )));
    }
    // SAFETY: what a plugin gives is its static table.
    unsafe { Table::read(table) }
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: what a library does when it is opened is its author's, as for any addon. At once: a symbol that is missing
    // is found now, and not by a task.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: as for any addon.
    unsafe { Library::new(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plugin_is_not_loaded() {
        let code = |path: &Path| load(path).unwrap_err().code;
        assert_eq!(
            code(Path::new("/nowhere/x.so")),
            "ERR_RSPOOL_PLUGIN_NOT_FOUND"
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(code(&source), "ERR_RSPOOL_PLUGIN_INVALID");
        assert_eq!(
            code(Path::new(env!("CARGO_MANIFEST_DIR"))),
            "ERR_RSPOOL_PLUGIN_INVALID"
        );
        assert!(loaded().is_empty());
    }
}
