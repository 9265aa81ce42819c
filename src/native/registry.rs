//! The native tasks by name. The table is static: [`super::tasks`] lists the families, each family
//! its tasks. `execute` is the only way a task is run, and never unwinds.

use std::{env, sync::OnceLock};

use parking_lot::RwLock;
use rspool_task::abi;

use super::{
    context::{DONE, TaskContext},
    error::TaskError,
    panics,
    params::Params,
    plugins::{Plugin, PluginTask},
    tasks::{FAMILIES, TEST_FAMILY},
    value::Value,
};

/// The work of a native task.
pub type Run = fn(Value, &Params, &TaskContext<'_>) -> Result<Value, TaskError>;

/// A task that is written in Rust.
#[derive(Debug)]
pub struct NativeTask {
    /// The full name, `family.task`.
    pub name: &'static str,
    /// The work. Call [`execute`](Self::execute) instead, which also keeps panics in.
    pub run: Run,
}

impl NativeTask {
    /// Runs the task to its end on this thread. A task that is cancelled before it starts does
    /// not start; a panic becomes [`TaskError::Panicked`]; messages begin with the task's name; a
    /// good end counts 1 into `done`.
    pub fn execute(
        &self,
        input: Value,
        params: &Params,
        context: &TaskContext<'_>,
    ) -> Result<Value, TaskError> {
        context.check()?;
        // A task that panics drops all that it owned, and what it borrowed is atomics and
        // read-only params: nothing that is seen afterwards can be half changed.
        match contained(|| (self.run)(input, params, context)) {
            Ok(value) => {
                context.count(DONE, 1);
                Ok(value)
            }
            Err(error) => Err(error.of_task(self.name)),
        }
    }
}

/// What `run` gives; a panic of it becomes [`TaskError::Panicked`].
pub(super) fn contained<T>(run: impl FnOnce() -> Result<T, TaskError>) -> Result<T, TaskError> {
    panics::caught(run).unwrap_or_else(|panic| Err(TaskError::Panicked(panic.into_message())))
}

/// The built-in task of this name.
pub fn find(name: &str) -> Option<&'static NativeTask> {
    all().find(|task| task.name == name)
}

/// A task, wherever it is from.
pub(super) enum Task {
    /// A built-in one.
    Own(&'static NativeTask),
    /// One of a plugin.
    Plugin(&'static PluginTask),
}

/// The tasks of plugins, in the order in which they were loaded.
static PLUGINS: RwLock<Vec<&'static PluginTask>> = RwLock::new(Vec::new());

/// Adds the tasks of a plugin.
pub(super) fn add(plugin: &'static Plugin, tasks: Vec<(&'static str, abi::Run)>) {
    let made = |(name, run)| -> &'static PluginTask {
        Box::leak(Box::new(PluginTask { name, run, plugin }))
    };
    PLUGINS.write().extend(tasks.into_iter().map(made));
}

/// The task of this number: its place in [`names`].
pub(super) fn at(number: u32) -> Option<Task> {
    static OWN: OnceLock<usize> = OnceLock::new();
    let own = *OWN.get_or_init(|| all().count());
    let number = number as usize;
    if number < own {
        return all().nth(number).map(Task::Own);
    }
    PLUGINS.read().get(number - own).copied().map(Task::Plugin)
}

/// The names of all tasks: the built-in ones, family by family, then those of plugins. The list only grows.
pub fn names() -> impl Iterator<Item = &'static str> {
    let plugins: Vec<_> = PLUGINS.read().iter().map(|task| task.name).collect();
    all().map(|task| task.name).chain(plugins)
}

/// The name that is most like an unknown one, if any is near: it differs by a few letters or in
/// case, or only the family is missing or wrong.
pub fn suggest(name: &str) -> Option<&'static str> {
    nearest(name, names()).or_else(|| {
        let leaf = leaf(name).to_lowercase();
        names().find(|known| self::leaf(known).to_lowercase() == leaf)
    })
}

fn leaf(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The one of `known` that is within a third of its letters of `name`.
pub(crate) fn nearest(
    name: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    // Longer than any name: the distance is quadratic and `name` comes from the user.
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&known.to_lowercase(), &lower);
            (distance, known)
        })
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// All tasks, family by family. The order is the same for the life of the process.
pub(super) fn all() -> impl Iterator<Item = &'static NativeTask> {
    let test = if test_tasks() { TEST_FAMILY } else { &[] };
    FAMILIES
        .iter()
        .copied()
        .chain(std::iter::once(test))
        .flatten()
}

/// The tasks that exist to test the pool (`test.*`) are there when the environment variable
/// `RSPOOL_TEST_TASKS` is `1` at the first look-up of the process.
fn test_tasks() -> bool {
    static ENABLED: OnceLock<bool> = OnceLock::new();
    *ENABLED.get_or_init(|| env::var_os("RSPOOL_TEST_TASKS").is_some_and(|value| value == "1"))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        panic::panic_any,
        sync::atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[test]
    fn every_name_is_dotted_unique_and_found() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} twice");
            let (family, task) = name.split_once('.').expect("a dotted name");
            let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(word(family) && word(task), "{name}");
            assert_eq!(find(name).unwrap().name, name);
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
        assert!(find("hash").is_none() && find("").is_none());
    }

    #[test]
    fn every_task_is_in_the_types_and_the_documentation() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
        let (types, page) = (read("index.d.ts"), read("docs/tasks.md"));
        for name in FAMILIES.iter().copied().flatten().map(|task| task.name) {
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

    fn execute(run: Run, context: &TaskContext<'_>) -> Result<Value, TaskError> {
        NativeTask { name: "t.x", run }.execute(Value::Null, &Params::none(), context)
    }

    #[test]
    fn panics_stay_in_and_keep_their_message() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("a payload that panics when dropped");
            }
        }
        let context = TaskContext::detached();
        let cases: [(Run, &str); 3] = [
            (|_, _, _| panic!("plain"), "t.x: the task panicked: plain"),
            (
                |v, _, _| panic!("got {v:?}"),
                "t.x: the task panicked: got Null",
            ),
            (|_, _, _| panic_any(Bomb), "t.x: the task panicked"),
        ];
        for (run, message) in cases {
            let error = execute(run, &context).unwrap_err();
            assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC");
            assert!(error.to_string().starts_with(message), "{error}");
            assert!(
                error.to_string().contains(" (src/native/registry.rs:"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_cancelled_task_does_not_start() {
        let cancel = AtomicU32::new(1);
        let context = TaskContext::new(&cancel, None);
        let run: Run = |_, _, _| unreachable!();
        assert_eq!(execute(run, &context), Err(TaskError::Cancelled));
        cancel.store(0, Ordering::Relaxed);
        assert_eq!(execute(|v, _, _| Ok(v), &context), Ok(Value::Null));
    }
}
