//! NDJSON, from its bytes to the columns.

mod chunks;

use chunks::joined;
use proptest::prelude::*;
use rspool_table::column::{Cells, Column};
use rspool_table::kind::Kind;
use rspool_table::ndjson::{Options, read, stream};
use rspool_table::part::BadRows;
use rspool_table::table::Table;
use rspool_task::{Context, Result};

fn with(text: &str, options: &Options) -> Result<Table> {
    read(text.as_bytes(), options, &Context::detached())
}

fn column<'a>(table: &'a Table, name: &str) -> &'a Column {
    let found = table.columns.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("{name} is a column")).1
}

fn texts(column: &Column) -> Vec<&str> {
    let Cells::Text(texts) = &column.cells else {
        panic!("a text column, not {:?}", column.kind())
    };
    let text = |row| std::str::from_utf8(texts.get(row)).unwrap();
    (0..column.len).map(text).collect()
}

#[test]
fn the_columns_are_the_names_of_all_objects() {
    let text = "{\"a\":1,\"b\":\"1\"}\r\n\n{\"b\":\"\\u00e9\\n\",\"c\":{\"d\":[1]}}\n{\"a\":2.5,\"t\":\"2024-01-31\"}";
    let table = with(text, &Options::default()).unwrap();
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| &**name).collect();
    assert_eq!((table.rows, names), (3, vec!["a", "b", "c", "t"]));
    assert_eq!(column(&table, "a").kind(), Kind::F64);
    assert_eq!(column(&table, "a").nulls, [1]);
    assert_eq!(texts(column(&table, "b")), ["1", "é\n", ""]);
    assert_eq!(texts(column(&table, "c")), ["", "{\"d\":[1]}", ""]);
    assert_eq!(column(&table, "t").kind(), Kind::Timestamp);
    assert_eq!(column(&table, "t").nulls, [0, 1]);
}

#[test]
fn bad_lines_are_named_or_left_out() {
    let options = |bad_rows| Options {
        types: vec![("a".into(), Kind::I32)],
        max_field: 5,
        bad_rows,
        ..Options::default()
    };
    let text =
        "{\"a\":1}\n[1]\n{\"a\":1} x\n{\"a\":\"1\"}\n{\"a\":\"1234567\"}\n{\"a\":2\n{\"a\":3}\n";
    let table = with(text, &options(BadRows::Collect)).unwrap();
    assert_eq!(column(&table, "a").cells, Cells::I32(vec![1, 3]));
    let bad: Vec<String> = table.bad.iter().map(ToString::to_string).collect();
    assert_eq!(
        bad[0],
        "row 2: invalid type: sequence, expected an object, at column 0"
    );
    assert_eq!(bad[1], "row 3: trailing characters, at column 9");
    assert_eq!(bad[2], "row 4, column 'a': '1' is no i32");
    assert_eq!(
        bad[3],
        "row 5: a value has 9 bytes, and maxField is 5, at column 15"
    );
    assert_eq!((bad.len(), table.skipped), (5, 5));
    let error = with(text, &options(BadRows::Error)).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        ("ERR_RSPOOL_CORRUPT_INPUT", bad[0].clone())
    );
}

#[test]
fn rows_and_columns_are_as_many_as_asked_for() {
    let options = Options {
        max_rows: Some(1),
        select: Some(vec!["b".into()]),
        ..Options::default()
    };
    let table = with("\n{\"a\":1,\"b\":2}\nx", &options).unwrap();
    assert_eq!((table.rows, table.columns.len()), (1, 1));
    assert_eq!(column(&table, "b").cells, Cells::I32(vec![2]));
    assert_eq!(with("", &options).unwrap().rows, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any objects, and what is none: where chunks end must not show.
    #[test]
    fn any_size_of_chunks_gives_the_same_table_and_the_same_stream(
        lines in prop::collection::vec(prop::sample::select(vec![
            "{\"a\":1}", "{\"a\":\"x\",\"b\":null}", "{\"c\":0.5,\"a\":5000000000}", "{\"b\":true,\"b\":\"2024-01-31\"}",
            "{}", "", "{\"d\":[1,{\"e\":\"\\n\"}],\"\":\"\"}", "{\"a\":", "{\"b\":\"\\u0041\"}", " {\"c\": -1 } ",
        ]), 0..40),
        chunk in 1usize..60,
        bad_rows in prop::sample::select(vec![BadRows::Error, BadRows::Skip, BadRows::Collect]),
        given in prop::sample::select(vec![Kind::I32, Kind::Text, Kind::Dictionary, Kind::F64]),
        rows in prop::option::of(1usize..20),
    ) {
        let text = lines.join("\n");
        let options = |chunk| Options {
            types: vec![("a".into(), given)],
            bad_rows,
            chunk,
            ..Options::default()
        };
        // NaN is not NaN.
        let whole = format!("{:?}", with(&text, &options(1 << 20)));
        let cut = options(chunk);
        prop_assert_eq!(format!("{:?}", with(&text, &cut)), &*whole);
        let streamed = joined(rows, |send| stream(text.as_bytes(), &cut, rows, &Context::detached(), send));
        prop_assert_eq!(format!("{streamed:?}"), whole);
    }
}
