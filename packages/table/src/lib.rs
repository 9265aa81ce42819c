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
use crate::params::{Csv, Ndjson};
use crate::table::Table;

fn read_csv(input: Data, params: Csv, context: &Context) -> Result<Table> {
    let options = params.options()?;
    csv::read(&input.contiguous(context)?, &options, context)
}

fn read_ndjson(input: Data, params: Ndjson, context: &Context) -> Result<Table> {
    let options = params.options();
    ndjson::read(&input.contiguous(context)?, &options, context)
}

fn csv_to_arrow(input: Data, params: Csv, context: &Context) -> Result<Bytes<'static>> {
    Ok(arrow::write(&read_csv(input, params, context)?).into())
}

fn ndjson_to_arrow(input: Data, params: Ndjson, context: &Context) -> Result<Bytes<'static>> {
    Ok(arrow::write(&read_ndjson(input, params, context)?).into())
}

fn aggregate(table: Given, params: Aggregates, context: &Context) -> Result<Table> {
    aggregate::aggregate(&table.0, &params, context)
}

rspool_task::plugin! {
    /// Reads CSV into typed columns. Counts `rows` and `bytes`.
    "table.csv" => read_csv,
    /// Reads NDJSON, an object per line, into typed columns. Counts `rows` and `bytes`.
    "table.ndjson" => read_ndjson,
    /// Reads CSV into a stream of Arrow IPC. Counts `rows` and `bytes`.
    "table.csvToArrow" => csv_to_arrow,
    /// Reads NDJSON into a stream of Arrow IPC. Counts `rows` and `bytes`.
    "table.ndjsonToArrow" => ndjson_to_arrow,
    /// Groups the rows of a table, and gives one row per group, in the order in which they come first.
    "table.aggregate" => aggregate,
}
