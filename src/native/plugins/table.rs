//! Reads and checks the table of a plugin. It reads only the fields of the first version, which each table has.

use std::mem::offset_of;

use rspool_task::abi::{self, MAJOR, MINOR, Run, Schema, StateDrop, StateNew, Str, task_flag};

use super::error::LoadError;

/// A task as its table lists it.
#[derive(Debug)]
pub(in crate::native) struct Listed {
    /// `plugin.task`.
    pub(in crate::native) name: &'static str,
    pub(in crate::native) run: Run,
    /// Whether it can be called as a stream.
    pub(in crate::native) emits: bool,
}

/// A table as it has been read.
#[derive(Debug)]
pub(in crate::native) struct Table {
    /// The part of all task names before the dot.
    pub(super) name: &'static str,
    /// The minor version of the interface.
    pub(in crate::native) minor: u32,
    pub(super) version: String,
    pub(super) profile: String,
    pub(in crate::native) tasks: Vec<Listed>,
    pub(super) schemas: Vec<Option<Schema>>,
    pub(super) state: (Option<StateNew>, Option<StateDrop>),
    pub(super) shared: (Option<StateNew>, Option<StateDrop>),
}

/// More tasks than a plugin has.
const MANY: usize = 4096;
/// More bytes than the table of a task has.
const LONG: usize = 4096;
/// Bytes of the first version of a plugin's table, and of a task's.
const PLUGIN: usize = offset_of!(abi::Plugin, shared_drop) + size_of::<usize>();
const TASK: usize = offset_of!(abi::Task, schema) + size_of::<usize>();

/// Reads a field by its offset: a table that is shorter than ours cannot be a `&` of our type.
macro_rules! field {
    ($table:expr, $field:ident) => {
        (&raw const (*$table).$field).read()
    };
}

impl Table {
    /// Reads a table.
    ///
    /// # Safety
    /// It is a static table of a plugin, by the rules of `abi`.
    pub(in crate::native) unsafe fn read(table: *const abi::Plugin) -> Result<Self, LoadError> {
        if !table.is_aligned() {
            return Err(LoadError::invalid("its table is not aligned"));
        }
        // SAFETY: each table begins with these, whatever its version.
        let (size, major, minor) = unsafe {
            (
                field!(table, size),
                field!(table, major),
                field!(table, minor),
            )
        };
        if major != MAJOR {
            return Err(LoadError::version(major, minor));
        }
        if size < PLUGIN {
            return Err(LoadError::invalid(format!("its table has {size} bytes")));
        }
        // SAFETY: the table is long enough, and was written by its rules.
        let (needs, version, profile) = unsafe {
            let version = field!(table, version).read();
            (field!(table, needs), version, field!(table, profile).read())
        };
        if needs > MINOR {
            return Err(LoadError::version(major, needs));
        }
        // SAFETY: as above.
        let (tasks, count, stride) = unsafe {
            (
                field!(table, tasks),
                field!(table, task_count),
                field!(table, task_size),
            )
        };
        if !(1..=MANY).contains(&count)
            || !(TASK..=LONG).contains(&stride)
            || !stride.is_multiple_of(align_of::<abi::Task>())
        {
            return Err(LoadError::invalid(format!(
                "it lists {count} tasks of {stride} bytes"
            )));
        }
        if tasks.is_null() || !tasks.is_aligned() {
            return Err(LoadError::invalid("its list of tasks is nowhere"));
        }
        let mut read = Self {
            name: "",
            minor,
            version: version.unwrap_or("").into(),
            profile: profile.unwrap_or("").into(),
            tasks: Vec::with_capacity(count),
            schemas: Vec::with_capacity(count),
            // SAFETY: as above.
            state: unsafe { (field!(table, state_new), field!(table, state_drop)) },
            // SAFETY: as above.
            shared: unsafe { (field!(table, shared_new), field!(table, shared_drop)) },
        };
        for at in 0..count {
            // SAFETY: the table says that so many lie there, one after another, each as long as it says.
            let task = unsafe { tasks.byte_add(at * stride) };
            // SAFETY: as above.
            let (size, name, flags, run, schema) = unsafe {
                (
                    field!(task, size),
                    field!(task, name),
                    field!(task, flags),
                    field!(task, run),
                    field!(task, schema),
                )
            };
            if size < TASK {
                return Err(LoadError::invalid(format!(
                    "the table of a task has {size} bytes"
                )));
            }
            read.add(name, flags, run, schema)?;
        }
        Ok(read)
    }

    fn add(
        &mut self,
        name: Str,
        flags: u64,
        run: Option<Run>,
        schema: Option<Schema>,
    ) -> Result<(), LoadError> {
        // SAFETY: the names of a table are static.
        let name = unsafe { name.read::<'static>() };
        let parts = name.and_then(|name| name.split_once('.'));
        let (Some(name), Some((family, task))) = (name, parts) else {
            return Err(LoadError::invalid("a task of it has no name"));
        };
        if !is_word(family) || !is_word(task) {
            let shown: String = name.chars().take(40).collect();
            return Err(LoadError::invalid(format!(
                "'{}' is no name of a task",
                shown.escape_default()
            )));
        }
        if !self.name.is_empty() && self.name != family {
            return Err(LoadError::invalid(format!(
                "its tasks are of '{}' and of '{family}'",
                self.name
            )));
        }
        let Some(run) = run else {
            return Err(LoadError::invalid(format!("'{name}' has no function")));
        };
        if self.tasks.iter().any(|known| known.name == name) {
            return Err(LoadError::invalid(format!(
                "it has two tasks of the name '{name}'"
            )));
        }
        self.name = family;
        self.tasks.push(Listed {
            name,
            run,
            emits: flags & task_flag::EMITS != 0,
        });
        self.schemas.push(schema);
        Ok(())
    }
}

fn is_word(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !word.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use rspool_task::abi::{Call, Plugin, Raw, Reply, Task};

    use super::*;

    unsafe extern "C" fn run(_: *const Call, _: *mut Raw, _: *mut Raw, _: *mut Reply) {}

    const fn task(name: &'static str) -> Task {
        Task {
            size: size_of::<Task>(),
            name: Str::of(name),
            flags: 0,
            run: Some(run),
            schema: None,
        }
    }

    fn read(tasks: &'static [Task], change: impl Fn(&mut Plugin)) -> Result<Table, LoadError> {
        let mut plugin = Plugin {
            tasks: tasks.as_ptr(),
            task_count: tasks.len(),
            ..Plugin::THIS
        };
        change(&mut plugin);
        // SAFETY: what is refused is so before it is followed.
        unsafe { Table::read(&raw const plugin) }
    }

    fn why(tasks: &'static [Task], change: impl Fn(&mut Plugin)) -> String {
        read(tasks, change).unwrap_err().to_string()
    }

    static ONE: [Task; 1] = [task("words.count")];

    #[test]
    fn a_table_is_read() {
        static TWO: [Task; 2] = [task("words.count"), task("words.longest")];
        let table = read(&TWO, |_| ()).unwrap();
        let names: Vec<_> = table.tasks.iter().map(|listed| listed.name).collect();
        assert_eq!(
            (table.name, names),
            ("words", vec!["words.count", "words.longest"])
        );
    }

    #[test]
    fn tables_that_have_grown_are_read_by_their_own_sizes() {
        #[repr(C)]
        struct Later {
            task: Task,
            more: [usize; 3],
        }
        static LATER: [Later; 2] = [
            Later {
                task: task("words.a"),
                more: [usize::MAX; 3],
            },
            Later {
                task: task("words.b"),
                more: [usize::MAX; 3],
            },
        ];
        let table = read(&[], |plugin| {
            plugin.tasks = (&raw const LATER).cast();
            plugin.task_count = 2;
            plugin.task_size = size_of::<Later>();
            plugin.minor = MINOR + 7;
        });
        let names: Vec<_> = table
            .unwrap()
            .tasks
            .iter()
            .map(|listed| listed.name)
            .collect();
        assert_eq!(names, ["words.a", "words.b"]);
    }

    #[test]
    fn another_version_is_named() {
        let error = read(&ONE, |plugin| plugin.major = 9).unwrap_err();
        assert_eq!(error.code, "ERR_RSPOOL_PLUGIN_INCOMPATIBLE");
        assert!(
            error.to_string().contains(&format!("9.{MINOR}"))
                && error.to_string().contains(&format!("1.{MINOR}")),
            "{error}"
        );
        let error = read(&ONE, |plugin| plugin.needs = 5).unwrap_err();
        assert_eq!(error.code, "ERR_RSPOOL_PLUGIN_INCOMPATIBLE");
        assert!(error.to_string().contains("1.5"), "{error}");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        static NAMES: [[Task; 1]; 5] = [
            [task("words")],
            [task("words.a b")],
            [task("1words.a")],
            [task(".a")],
            [task("words.a.b")],
        ];
        for tasks in &NAMES {
            assert!(why(tasks, |_| ()).contains("name"));
        }
        static TWICE: [Task; 2] = [task("words.a"), task("words.a")];
        assert!(why(&TWICE, |_| ()).contains("two tasks"));
        static MIXED: [Task; 2] = [task("words.a"), task("other.a")];
        assert!(why(&MIXED, |_| ()).contains("'words' and of 'other'"));
        static IDLE: [Task; 1] = [Task {
            run: None,
            ..task("words.a")
        }];
        assert!(why(&IDLE, |_| ()).contains("no function"));
        static SHORT: [Task; 1] = [Task {
            size: 3,
            ..task("words.a")
        }];
        assert!(why(&SHORT, |_| ()).contains("3 bytes"));
        assert!(why(&ONE, |plugin| plugin.size = 8).contains("8 bytes"));
        assert!(why(&ONE, |plugin| plugin.task_count = 0).contains("0 tasks"));
        assert!(why(&ONE, |plugin| plugin.task_count = usize::MAX).contains("tasks"));
        assert!(why(&ONE, |plugin| plugin.task_size = 1).contains("1 bytes"));
        assert!(why(&ONE, |plugin| plugin.tasks = ptr::null()).contains("nowhere"));
        assert!(why(&ONE, |plugin| plugin.tasks = ptr::without_provenance(3)).contains("nowhere"));
    }
}
