//! `text.*`: work on text.

use rspool_task::{Bytes, Context, Result, record};

record! {
    struct CountLines {
        last: bool = false,
    }
}

rspool_task::table! {
    "text.countLines" => count_lines,
}

/// Counts the lines of a text.
///
/// - Input: bytes, or a string as UTF-8.
/// - Params: `last`, a boolean, default false: whether a last line with no end counts.
/// - Result: a number.
/// - Counts: `bytes`.
/// - Source: POSIX.1-2024 §3.185 (a line ends with a newline).
fn count_lines(text: Bytes, params: CountLines, context: &Context) -> Result<usize> {
    let mut lines = 0;
    context.for_each_chunk(&text, |chunk| {
        lines += chunk.iter().filter(|byte| **byte == b'\n').count();
    })?;
    if params.last && text.last().is_some_and(|byte| *byte != b'\n') {
        lines += 1;
    }
    Ok(lines)
}
