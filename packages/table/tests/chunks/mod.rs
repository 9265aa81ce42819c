//! The chunks of a stream as one table.

use rspool_table::column::Column;
use rspool_table::table::Table;
use rspool_task::Result;

/// Joins what `stream` sends. Each chunk but the last must have this number of rows.
pub(crate) fn joined(
    rows: Option<usize>,
    stream: impl FnOnce(&mut dyn FnMut(Table) -> Result<()>) -> Result<Table>,
) -> Result<Table> {
    let mut chunks: Vec<Table> = Vec::new();
    let mut whole = stream(&mut |chunk| {
        chunks.push(chunk);
        Ok(())
    })?;
    let empty = |(name, column): &(String, Column)| (name.clone(), Column::new(column.kind()));
    whole.columns = chunks[0].columns.iter().map(empty).collect();
    let last = chunks.len() - 1;
    let (mut all, mut skipped) = (0, 0);
    for (at, chunk) in chunks.into_iter().enumerate() {
        assert!(rows.is_none_or(|rows| chunk.rows == rows || (at == last && chunk.rows < rows)));
        (all, skipped) = (all + chunk.rows, skipped + chunk.skipped);
        assert_eq!(chunk.columns.len(), whole.columns.len());
        for ((name, column), (same, part)) in whole.columns.iter_mut().zip(&chunk.columns) {
            assert_eq!(name, same);
            column.append(part, 0..chunk.rows)?;
        }
        whole.bad.extend(chunk.bad);
    }
    assert_eq!((whole.rows, whole.skipped), (all, skipped));
    Ok(whole)
}
