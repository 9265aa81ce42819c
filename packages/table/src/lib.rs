//! The tasks of `table`: CSV to typed columns.

pub mod column;
pub mod csv;
pub mod kind;
pub mod params;
pub mod part;
pub mod rows;
pub mod split;
pub mod table;

use rspool_task::{Context, Data, Result};

use crate::params::Csv;
use crate::table::Table;

fn read_csv(input: Data, params: Csv, context: &Context) -> Result<Table> {
    let options = params.options()?;
    csv::read(&input.contiguous(context)?, &options, context)
}

rspool_task::plugin! {
    /// Reads CSV into typed columns. Counts `rows` and `bytes`.
    "table.csv" => read_csv,
}
