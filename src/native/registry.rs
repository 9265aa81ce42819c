//! The native tasks by name and by number, in a list that only grows. First come the built-in families (`tasks`), then
//! the tasks of plugins, as they are loaded. A number means the same task for the life of the process, in all its
//! environments.

use std::env;
use std::sync::LazyLock;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{AcqRel, Acquire},
};

use parking_lot::Mutex;
use rspool_task::abi;
use rspool_task::panics;

use super::plugins::{Listed, Plugin, Table};
use super::tasks::{FAMILIES, TEST_FAMILY};

/// A task that is written in Rust.
#[derive(Debug)]
pub struct NativeTask {
    /// The full name, `family.task`.
    pub name: &'static str,
    pub(super) run: abi::Run,
    /// Whether it can be called as a stream.
    pub emits: bool,
    /// The plugin that it comes from, unless it is built in.
    pub(super) plugin: Option<&'static Plugin>,
}

/// A list at one time. It is never freed, so a thread that has read it may go on with it.
type List = &'static [&'static NativeTask];

/// The current list.
static TASKS: LazyLock<AtomicPtr<List>> = LazyLock::new(|| {
    panics::silence();
    let test = test_tasks().then_some(TEST_FAMILY);
    let families = FAMILIES.iter().copied().chain(test);
    let own = families.flat_map(|family| {
        // SAFETY: our own tables.
        let table = unsafe { Table::read(family) }.expect("our tables are well made");
        table.tasks.into_iter().map(|listed| made(&listed, None))
    });
    AtomicPtr::new(leaked(own.collect()))
});
/// Held while the list grows.
static GROWING: Mutex<()> = Mutex::new(());

fn made(listed: &Listed, plugin: Option<&'static Plugin>) -> &'static NativeTask {
    Box::leak(Box::new(NativeTask {
        name: listed.name,
        run: listed.run,
        emits: listed.emits,
        plugin,
    }))
}

fn leaked(list: Vec<&'static NativeTask>) -> *mut List {
    Box::into_raw(Box::new(Vec::leak(list)))
}

/// All tasks. The index of each is its number.
pub fn all() -> &'static [&'static NativeTask] {
    // SAFETY: a list that `leaked` has made, which is never freed. Acquire: it is seen whole.
    unsafe { *TASKS.load(Acquire) }
}

/// Adds the tasks of a plugin.
pub(super) fn add(plugin: &'static Plugin, tasks: &[Listed]) {
    let _growing = GROWING.lock();
    let mut list = all().to_vec();
    list.extend(tasks.iter().map(|listed| made(listed, Some(plugin))));
    TASKS.swap(leaked(list), AcqRel);
}

/// The task of this number.
pub fn at(number: u32) -> Option<&'static NativeTask> {
    all().get(number as usize).copied()
}

/// The names of all tasks, by number.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().iter().map(|task| task.name)
}

/// The tasks that exist to test the pool (`test.*`) are there if the environment variable `RSPOOL_TEST_TASKS` is `1` at
/// the first look-up of the process.
fn test_tasks() -> bool {
    cfg!(test) || env::var_os("RSPOOL_TEST_TASKS").is_some_and(|value| value == "1")
}

/// The name that is most similar to an unknown one, if any is near: it differs by a few letters or in case, or only the
/// family is missing or wrong.
pub fn suggest(name: &str) -> Option<&'static str> {
    let known: Vec<&'static str> = names().collect();
    rspool_task::nearest(name, &known).or_else(|| {
        let leaf = leaf(name).to_lowercase();
        names().find(|known| self::leaf(known).to_lowercase() == leaf)
    })
}

fn leaf(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_dotted_unique_and_found() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} twice");
            let (family, task) = name.split_once('.').expect("a dotted name");
            let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(word(family) && word(task), "{name}");
        }
        for name in [
            "hash.sha256",
            "hash.blake3",
            "hash.crc32",
            "hash.xxh3",
            "compress.gzip",
            "decompress.gzip",
            "array.sort",
            "math.countPrimes",
            "math.fibonacci",
        ] {
            assert!(seen.contains(name), "{name}");
        }
    }

    #[test]
    fn every_task_is_in_the_types_and_the_documentation() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
        let (types, page) = (read("index.d.ts"), read("docs/tasks.md"));
        for name in names().filter(|name| !name.starts_with("test.")) {
            assert!(
                types.contains(&format!("'{name}': {{")),
                "{name} in index.d.ts"
            );
            assert!(
                page.contains(&format!("\n## {name}\n")),
                "{name} in docs/tasks.md"
            );
        }
    }

    #[test]
    fn suggestions_are_near_or_have_the_same_leaf() {
        assert_eq!(suggest("hash.sha265"), Some("hash.sha256"));
        assert_eq!(suggest("hash.SHA256"), Some("hash.sha256"));
        assert_eq!(suggest("hash.sha512"), Some("hash.sha256"));
        assert_eq!(suggest("sha256"), Some("hash.sha256"));
        assert_eq!(suggest("crypto.sha256"), Some("hash.sha256"));
        assert_eq!(suggest("math.countprimes"), Some("math.countPrimes"));
        assert_eq!(suggest("decompres.gzip"), Some("decompress.gzip"));
        assert_eq!(suggest("image.resize"), None);
        assert_eq!(suggest(&"x".repeat(1_000_000)), None);
    }
}
