//! The macros that list the tasks of a plugin.

/// Makes a plugin from plain functions of the form `fn(Input, Params, &Context) -> Result<Output>`. Each is listed with
/// the name by which JavaScript calls it, and every name begins with the plugin's name and a dot. Use it once in a
/// `cdylib`.
///
/// ```
/// use rspool_task::{Context, Result, Text};
///
/// /// Counts the words of a text.
/// fn count(text: Text, _: (), context: &Context) -> Result<usize> {
///     context.check()?;
///     Ok(text.split_whitespace().count())
/// }
///
/// rspool_task::plugin! {
///     /// Counts the words of a text.
///     "words.count" => count,
/// }
/// # fn main() {}
/// ```
///
/// A plugin that keeps something between calls names the functions that make it from the plugin's config. `state` makes
/// one state per worker, which is made and dropped on the worker's thread. `shared` makes one for all workers of a
/// pool.
///
/// ```
/// # use rspool_task::{Context, Result, record};
/// use std::cell::Cell;
///
/// record! {
///     struct Config { start: u32 = 0 }
/// }
///
/// fn make(config: Config) -> Result<Cell<u32>> {
///     Ok(Cell::new(config.start))
/// }
///
/// fn next(_: (), _: (), context: &Context) -> Result<u32> {
///     let cell = context.state::<Cell<u32>>();
///     cell.set(cell.get() + 1);
///     Ok(cell.get())
/// }
///
/// rspool_task::plugin! {
///     state = make;
///     "counter.next" => next,
/// }
/// # fn main() {}
/// ```
///
/// A task that can be called as a stream, by `pool.stream`, names the type of its chunks behind a second arrow, and
/// sends them by [`Context::emit`](crate::Context::emit).
///
/// ```
/// # use rspool_task::{Context, Result};
/// fn count(to: u32, _: (), context: &Context) -> Result<()> {
///     for n in 0..to {
///         context.emit(n)?;
///     }
///     Ok(())
/// }
///
/// rspool_task::plugin! {
///     /// Counts to a number.
///     "numbers.count" => count => u32,
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! plugin {
    ($(state = $state:expr;)? $(shared = $shared:expr;)? $($(#[doc = $doc:literal])* $name:literal => $task:expr $(=> $chunk:ty)?),+ $(,)?) => {
        #[cfg(panic = "abort")]
        compile_error!("a plugin of rspool needs panic = \"unwind\": a panic rejects its task, and would end the process of everybody");

        const _: () = {
            const NAME: &str = $crate::shim::prefix($crate::table!(@first $($name),+));
            $(const _: () = assert!(
                $crate::shim::is_name($name, NAME),
                concat!("'", $name, "' must be plugin.task, of letters and digits, with the same plugin for all tasks")
            );)+
            $crate::table! {
                $(state = $state;)? $(shared = $shared;)? $($(#[doc = $doc])* $name => $task $(=> $chunk)?),+
            }

            #[unsafe(no_mangle)]
            extern "C" fn rspool_plugin_v1(_: *const $crate::abi::HostInfo) -> *const $crate::abi::Plugin {
                $crate::panics::silence();
                &TABLE
            }
        };
    };
}

/// Declares `TABLE`, a table of tasks, without the symbol of a plugin: for tests, and for rspool's own tasks.
#[macro_export]
macro_rules! table {
    ($(state = $state:expr;)? $(shared = $shared:expr;)? $($(#[doc = $doc:literal])* $name:literal => $task:expr $(=> $chunk:ty)?),+ $(,)?) => {
        /// The tasks of this table.
        pub(crate) static TASKS: &[$crate::abi::Task] = &[$({
            unsafe extern "C" fn run(
                call: *const $crate::abi::Call,
                input: *mut $crate::abi::Raw,
                params: *mut $crate::abi::Raw,
                reply: *mut $crate::abi::Reply,
            ) {
                // SAFETY: the host's promise.
                let mut scope = unsafe { $crate::shim::Scope::new(call, input, params, reply) };
                scope.run($task);
            }
            unsafe extern "C" fn schema(out: *mut $crate::abi::Raw) {
                // SAFETY: the host's promise.
                unsafe { $crate::shim::schema($task, concat!($($doc, "\n"),*), $crate::table!(@chunk $($chunk)?), out) }
            }
            $crate::abi::Task {
                size: ::core::mem::size_of::<$crate::abi::Task>(),
                name: $crate::shim::text($name),
                flags: $crate::table!(@flags $($chunk)?),
                run: Some(run),
                schema: Some(schema),
            }
        }),+];

        /// Lists the tasks, and makes their states.
        pub(crate) static TABLE: $crate::abi::Plugin = $crate::abi::Plugin {
            tasks: TASKS.as_ptr(),
            task_count: TASKS.len(),
            state_new: $crate::table!(@state $($state)?),
            state_drop: Some($crate::state::drop_state),
            shared_new: $crate::table!(@shared $($shared)?),
            shared_drop: Some($crate::state::drop_state),
            ..$crate::abi::Plugin::THIS
        };
    };
    (@chunk) => { None };
    (@chunk $chunk:ty) => { Some(<$chunk as $crate::Output>::type_of()) };
    (@flags) => { 0 };
    (@flags $chunk:ty) => { $crate::abi::task_flag::EMITS };
    (@first $first:literal $(, $rest:literal)*) => { $first };
    (@state) => { None };
    (@state $new:expr) => {{
        unsafe extern "C" fn new(
            config: *mut $crate::abi::Raw,
            reply: *mut $crate::abi::Reply,
        ) -> *mut ::core::ffi::c_void {
            // SAFETY: the host's promise.
            unsafe { $crate::state::make($new, config, reply) }
        }
        Some(new as $crate::abi::StateNew)
    }};
    (@shared) => { None };
    (@shared $new:expr) => {{
        unsafe extern "C" fn new(
            config: *mut $crate::abi::Raw,
            reply: *mut $crate::abi::Reply,
        ) -> *mut ::core::ffi::c_void {
            // SAFETY: the host's promise.
            unsafe { $crate::state::make_shared($new, config, reply) }
        }
        Some(new as $crate::abi::StateNew)
    }};
}
