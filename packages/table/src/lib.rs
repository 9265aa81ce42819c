//! The tasks of `table`: CSV and NDJSON to typed columns.

pub mod aggregate;
pub mod arrow;
pub mod column;
pub mod csv;
pub mod extend;
pub mod few;
pub mod given;
pub mod kind;
pub mod ndjson;
pub mod params;
pub mod part;
pub mod rows;
pub mod scan;
pub mod source;
pub mod split;
pub mod table;
pub mod whole;

use rspool_task::{Bytes, Context, Data, Result};

use crate::aggregate::Aggregates;
use crate::given::Given;
use crate::params::{Csv, Ndjson, rows_of_chunk};
use crate::table::Table;

fn read_csv(input: Data, params: Csv, context: &Context) -> Result<Table> {
    let rows = rows_of_chunk(params.chunk_rows, context)?;
    let options = params.options()?;
    let bytes = input.contiguous(context)?;
    if context.is_stream() {
        csv::stream(&bytes, &options, rows, context, |chunk| context.emit(chunk))
    } else {
        csv::read(&bytes, &options, context)
    }
}

fn read_ndjson(input: Data, params: Ndjson, context: &Context) -> Result<Table> {
    let rows = rows_of_chunk(params.chunk_rows, context)?;
    let options = params.options();
    let bytes = input.contiguous(context)?;
    if context.is_stream() {
        ndjson::stream(&bytes, &options, rows, context, |chunk| context.emit(chunk))
    } else {
        ndjson::read(&bytes, &options, context)
    }
}

fn csv_to_arrow(input: Data, params: Csv, context: &Context) -> Result<Bytes<'static>> {
    let rows = rows_of_chunk(params.chunk_rows, context)?;
    let options = params.options()?;
    let bytes = input.contiguous(context)?;
    if context.is_stream() {
        emit_arrow(context, |send| {
            csv::stream(&bytes, &options, rows, context, send)
        })
    } else {
        Ok(arrow::write(&csv::read(&bytes, &options, context)?)?.into())
    }
}

fn ndjson_to_arrow(input: Data, params: Ndjson, context: &Context) -> Result<Bytes<'static>> {
    let rows = rows_of_chunk(params.chunk_rows, context)?;
    let options = params.options();
    let bytes = input.contiguous(context)?;
    if context.is_stream() {
        emit_arrow(context, |send| {
            ndjson::stream(&bytes, &options, rows, context, send)
        })
    } else {
        Ok(arrow::write(&ndjson::read(&bytes, &options, context)?)?.into())
    }
}

/// Emits the chunks that `stream` sends as one stream of Arrow.
fn emit_arrow(
    context: &Context,
    stream: impl FnOnce(&mut dyn FnMut(Table) -> Result<()>) -> Result<Table>,
) -> Result<Bytes<'static>> {
    let mut writer = arrow::Writer::default();
    stream(&mut |chunk| context.emit(Bytes::from(writer.batch(&chunk)?)))?;
    context.emit(Bytes::from(writer.end()))?;
    Ok(Vec::new().into())
}

fn table_to_arrow(table: Given, (): (), _: &Context) -> Result<Bytes<'static>> {
    Ok(arrow::write(&table.0)?.into())
}

fn aggregate(table: Given, params: Aggregates, context: &Context) -> Result<Table> {
    aggregate::aggregate(&table.0, &params, context)
}

rspool_task::plugin! {
    /// Reads CSV into typed columns. Counts `rows` and `bytes`.
    "table.csv" => read_csv => Table,
    /// Reads NDJSON, an object per line, into typed columns. Counts `rows` and `bytes`.
    "table.ndjson" => read_ndjson => Table,
    /// Reads CSV into a stream of Arrow IPC. Counts `rows` and `bytes`.
    "table.csvToArrow" => csv_to_arrow => Bytes<'static>,
    /// Reads NDJSON into a stream of Arrow IPC. Counts `rows` and `bytes`.
    "table.ndjsonToArrow" => ndjson_to_arrow => Bytes<'static>,
    /// Writes a table as a stream of Arrow IPC.
    "table.toArrow" => table_to_arrow,
    /// Groups the rows of a table, and gives one row per group, in the order in which they come first.
    "table.aggregate" => aggregate,
}
