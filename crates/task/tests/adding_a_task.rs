//! The example of `docs/adding-a-task.md` is compiled, and gives what the page says.

use rspool_task::testing::Trial;
use rspool_task::{Params, Record, Value};

#[path = "adding_a_task/text.rs"]
mod text;

/// What the task gives for a text.
fn lines(input: &str, last: bool) -> Value<'static> {
    let mut params = Record::new();
    params.push("last", last);
    let params = Value::from(Params::from(params));
    let outcome = Trial::new().run_named(
        &text::TABLE,
        "text.countLines",
        input.to_owned().into(),
        params,
    );
    assert_eq!(
        outcome.counts.get("bytes").copied().unwrap_or(0),
        input.len() as i64
    );
    outcome.result.unwrap()
}

#[test]
fn the_example_counts_lines() {
    assert_eq!(lines("a\nb\n", false), 2.into());
    assert_eq!(lines("a\nb", false), 1.into());
    assert_eq!(lines("a\nb", true), 2.into());
    assert_eq!(lines("", true), 0.into());
}

#[test]
fn the_page_has_this_very_example() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/adding-a-task.md");
    let page = std::fs::read_to_string(page).unwrap();
    let code = include_str!("adding_a_task/text.rs").replace('\r', "");
    let page = page.replace('\r', "");
    assert!(
        page.contains(&format!("```rust\n{code}```")),
        "docs/adding-a-task.md and tests/adding_a_task/text.rs differ"
    );
}
