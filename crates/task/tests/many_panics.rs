//! Panics of tasks leave nothing behind: no line on stderr, and no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::env;
use std::process::Command;

use rspool_task::testing::Trial;
use rspool_task::{Context, Result, Text, Value};

thread_local! {
    /// Bytes that this thread has allocated and not freed.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn hold(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: all is the system's; what is counted allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What panics when it is dropped, so often.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

fn explode(text: Text, _: (), context: &Context) -> Result<String> {
    let kept = text.to_string();
    match &*kept {
        "text" => panic!("{kept} with {}", kept.len()),
        "bomb" => std::panic::panic_any(Bomb(2)),
        "chunk" => context.parallel(10, |index| assert_ne!(index, 3, "in a chunk"))?,
        _ => _ = kept.parse::<u32>().expect("a number"),
    }
    Ok(kept)
}

rspool_task::table! { "panics.explode" => explode }

fn panic_each_way() {
    for way in ["text", "bomb", "other"] {
        let outcome = Trial::new().run_named(&TABLE, "panics.explode", way.into(), Value::Null);
        let error = outcome.result.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC", "{error}");
    }
}

const VARIABLE: &str = "RSPOOL_TEST_PANICS";

#[test]
fn ten_thousand_panics_leave_no_line_and_no_memory() {
    if env::var_os(VARIABLE).is_some() {
        // What is made once is made here.
        panic_each_way();
        let before = HELD.get();
        for _ in 0..3400 {
            panic_each_way();
        }
        println!("held {}", HELD.get() - before);
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "ten_thousand_panics_leave_no_line_and_no_memory",
            "--exact",
            "--nocapture",
        ])
        .env(VARIABLE, "1")
        .output()
        .unwrap();
    let (told, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{told}\n{complained}");
    assert!(told.contains("held 0\n"), "{told}");
    assert_eq!(complained, "");
}

#[test]
fn a_panic_in_a_chunk_is_that_of_its_task() {
    let outcome = Trial::new().run_named(&TABLE, "panics.explode", "chunk".into(), Value::Null);
    let error = outcome.result.unwrap_err();
    assert_eq!(error.code(), "ERR_RSPOOL_TASK_PANIC");
    assert!(error.to_string().contains("in a chunk"), "{error}");
}
