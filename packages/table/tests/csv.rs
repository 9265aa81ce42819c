//! CSV, from its bytes to the columns.

mod chunks;

use chunks::joined;
use proptest::prelude::*;
use rspool_table::column::{Cells, Column};
use rspool_table::csv::{Options, read, stream};
use rspool_table::kind::Kind;
use rspool_table::params::{Csv, Types};
use rspool_table::part::BadRows;
use rspool_table::table::Table;
use rspool_task::{Context, Error, Result};

fn options(change: impl FnOnce(&mut Csv)) -> Options {
    let mut csv = Csv {
        header: true,
        infer: true,
        max_field: 1000,
        ..Csv::default()
    };
    change(&mut csv);
    csv.options().unwrap()
}

fn with(text: &str, change: impl FnOnce(&mut Csv)) -> Result<Table> {
    read(text.as_bytes(), &options(change), &Context::detached())
}

fn table(text: &str) -> Table {
    with(text, |_| ()).unwrap()
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

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|(name, _)| &**name).collect()
}

fn types(pairs: &[(&str, Kind)]) -> Option<Types> {
    Some(Types(
        pairs
            .iter()
            .map(|(name, kind)| ((*name).into(), *kind))
            .collect(),
    ))
}

#[test]
fn columns_have_the_type_that_holds_all_their_fields() {
    let table = table(
        "a,b,c,d,e,f,g\n1,5000000000,1.5,true,2024-01-31,x,\n-2,,2,FALSE,2024-01-31T00:00:01Z,007,\n",
    );
    assert_eq!(table.rows, 2);
    assert_eq!(column(&table, "a").cells, Cells::I32(vec![1, -2]));
    assert_eq!(
        column(&table, "b").cells,
        Cells::I64(vec![5_000_000_000, 0])
    );
    assert_eq!(column(&table, "b").nulls, [1]);
    assert_eq!(column(&table, "c").cells, Cells::F64(vec![1.5, 2.0]));
    assert_eq!(column(&table, "d").cells, Cells::Bool(vec![1, 0]));
    let day = 1_706_659_200_000;
    assert_eq!(
        column(&table, "e").cells,
        Cells::Timestamp(vec![day, day + 1000])
    );
    assert_eq!(texts(column(&table, "f")), ["x", "007"]);
    assert_eq!(column(&table, "g").cells, Cells::Null);
}

#[test]
fn a_field_far_behind_the_others_widens_its_column() {
    let mut text = String::from("a,b\n");
    for row in 0..5000 {
        text += &format!("{row},{row}\n");
    }
    let table = table(&(text + "0.5,x\n"));
    assert_eq!(column(&table, "a").kind(), Kind::F64);
    let b = texts(column(&table, "b"));
    assert_eq!((b.len(), b[0], b[4999], b[5000]), (5001, "0", "4999", "x"));
}

#[test]
fn quotes_line_ends_and_a_mark_of_byte_order_are_read_as_they_are_meant() {
    let table = table("\u{feff}a,b\r\n\"1,\"\"2\"\"\",\"x\r\ny\"\r\n\r\nz\"z,\"\"");
    assert_eq!(names(&table), ["a", "b"]);
    assert_eq!(texts(column(&table, "a")), ["1,\"2\"", "z\"z"]);
    assert_eq!(texts(column(&table, "b")), ["x\r\ny", ""]);
    assert_eq!(column(&table, "b").nulls, [] as [u32; 0]);
}

#[test]
fn an_empty_field_is_null_and_in_quotes_an_empty_text() {
    let table = table("a,b\n,1\n\"\",\"\"\nx,3\n");
    assert_eq!(texts(column(&table, "a")), ["", "", "x"]);
    assert_eq!(column(&table, "a").nulls, [0]);
    assert_eq!(column(&table, "b").cells, Cells::I32(vec![1, 0, 3]));
    assert_eq!(column(&table, "b").nulls, [1]);
}

#[test]
fn other_fields_are_null_if_it_is_said() {
    let nulls = |csv: &mut Csv| csv.nulls = Some(vec!["NA".into(), "-".into()]);
    let table = with("a,b\nNA,x\n1,-\n", nulls).unwrap();
    assert_eq!(column(&table, "a").cells, Cells::I32(vec![0, 1]));
    assert_eq!(
        (&*column(&table, "a").nulls, &*column(&table, "b").nulls),
        (&[0][..], &[1][..])
    );
}

#[test]
fn names_come_from_the_header_the_params_or_the_numbers() {
    assert_eq!(
        names(&table("a,,a,a_2,a\n1,2,3,4,5\n")),
        ["a", "column_2", "a_3", "a_2", "a_4"]
    );
    let none = with("1,2\n", |csv| csv.header = false).unwrap();
    assert_eq!((names(&none), none.rows), (vec!["column_1", "column_2"], 1));
    let given = |csv: &mut Csv| csv.names = Some(vec!["x".into(), "y".into()]);
    let table = with("a,b\n1,2\n", given).unwrap();
    assert_eq!((names(&table), table.rows), (vec!["x", "y"], 1));
    assert!(with("a,b,c\n", given).is_err());
}

#[test]
fn types_are_given_and_columns_are_selected() {
    let table = with("a,b,c\n1,2,3\n", |csv| {
        csv.columns = types(&[("a", Kind::F64), ("b", Kind::Dictionary)]);
        csv.select = Some(vec!["b".into(), "a".into()]);
    });
    let table = table.unwrap();
    assert_eq!(names(&table), ["a", "b"]);
    assert_eq!(column(&table, "a").cells, Cells::F64(vec![1.0]));
    assert_eq!(column(&table, "b").kind(), Kind::Dictionary);
    let plain = with("a\n1\n", |csv| csv.infer = false).unwrap();
    assert_eq!(texts(column(&plain, "a")), ["1"]);
    let unknown = with("a,b\n1,2\n", |csv| csv.columns = types(&[("c", Kind::F64)]));
    assert_eq!(
        unknown.unwrap_err(),
        Error::invalid("there is no column 'c'; there are 'a', 'b'")
    );
}

#[test]
fn the_first_bad_row_is_named() {
    let message = |text: &str| {
        let error = with(text, |csv| {
            csv.columns = types(&[("a", Kind::I32)]);
            csv.max_field = 5;
        });
        let error = error.unwrap_err();
        assert_eq!(error.code(), "ERR_RSPOOL_CORRUPT_INPUT");
        error.to_string()
    };
    assert_eq!(
        message("a,b\n1,2\n3\n"),
        "row 2: it has 1 fields, and there are 2 columns"
    );
    assert_eq!(
        message("a,b\n1,2\nx,2\n"),
        "row 2, column 'a': 'x' is no i32"
    );
    assert_eq!(
        message("a,b\n1,abcdef\n"),
        "row 1, column 'b': it has 6 bytes, and maxField is 5"
    );
    assert_eq!(
        message("a,b\n1,2\n2,\"x\n3,4\n"),
        "row 2: a quote is opened and never closed"
    );
    assert_eq!(
        message("a,\"b\n1,2\n"),
        "the header: a quote is opened and never closed"
    );
    let latin = read(b"a\nb\nc\xe9\n", &options(|_| ()), &Context::detached()).unwrap_err();
    assert_eq!(latin.to_string(), "row 2: it is not UTF-8");
    let wide = read(b"\xff\xfea\0", &options(|_| ()), &Context::detached()).unwrap_err();
    assert!(wide.to_string().contains("UTF-16"));
}

#[test]
fn bad_rows_leave_nothing_behind() {
    let text = "a,b,c\n1,x,1\n2,y,bad\n3\n4,z,4\n";
    let bad = |bad_rows| {
        with(text, |csv| {
            csv.bad_rows = Some(bad_rows);
            csv.columns = types(&[("b", Kind::Dictionary), ("c", Kind::I64)]);
        })
    };
    let skipped = bad(BadRows::Skip).unwrap();
    assert_eq!(
        (skipped.rows, skipped.skipped, skipped.bad.len()),
        (2, 2, 0)
    );
    assert_eq!(column(&skipped, "a").cells, Cells::I32(vec![1, 4]));
    let Cells::Dictionary(codes) = &column(&skipped, "b").cells else {
        panic!("a dictionary")
    };
    assert_eq!((codes.codes.len(), codes.texts.len()), (2, 2));
    let collected = bad(BadRows::Collect).unwrap();
    let bad: Vec<String> = collected.bad.iter().map(ToString::to_string).collect();
    assert_eq!(
        bad,
        [
            "row 2, column 'c': 'bad' is no i64",
            "row 3: it has 1 fields, and there are 3 columns"
        ]
    );
}

#[test]
fn no_more_rows_are_read_than_asked_for() {
    let two = |text| with(text, |csv| csv.max_rows = Some(2)).unwrap();
    assert_eq!(
        column(&two("a\n1\r\n\r\n2\r\nx\n"), "a").cells,
        Cells::I32(vec![1, 2])
    );
    assert_eq!(two("a\n1\n").rows, 1);
    assert_eq!(
        (two("a,b\n").rows, names(&two("a,b\n"))),
        (0, vec!["a", "b"])
    );
    assert_eq!(two("").columns.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fields of every type, quotes and faults in any order: where chunks end must not show.
    #[test]
    fn any_size_of_chunks_gives_the_same_table_and_the_same_stream(
        fields in prop::collection::vec(prop::sample::select(vec![
            "1", "-7", "5000000000", "0.5", "x", "", "\"\"", "\"a,b\"", "\"c\nd\"", "\"e\"\"f\"", "g\"h", "true",
            "2024-01-31", "007", "\u{feff}", "\"", "NA",
        ]), 0..150),
        ends in prop::collection::vec(prop::sample::select(vec![",", ",", "\n", "\r\n", "\r", "\n\n"]), 150),
        alike in any::<bool>(),
        chunk in 1usize..40,
        bad_rows in prop::sample::select(vec![BadRows::Error, BadRows::Skip, BadRows::Collect]),
        given in prop::sample::select(vec![Kind::I32, Kind::Text, Kind::Dictionary, Kind::F64]),
        first in prop::sample::select(vec!["a,b\n", "a,b,c\n", "a\n"]),
        rows in prop::option::of(1usize..20),
    ) {
        let columns = first.len() / 2;
        let mut text = String::from(first);
        for (at, (field, end)) in fields.iter().zip(&ends).enumerate() {
            text += field;
            // Rows of the right length, or of any.
            text += if !alike { end } else if (at + 1).is_multiple_of(columns) { "\n" } else { "," };
        }
        let with_chunk = |chunk| {
            let mut options = options(|csv| {
                csv.bad_rows = Some(bad_rows);
                csv.columns = types(&[("a", given)]);
                csv.nulls = Some(vec!["NA".into()]);
            });
            options.chunk = chunk;
            read(text.as_bytes(), &options, &Context::detached())
        };
        let (cut, whole) = (with_chunk(chunk), with_chunk(1 << 20));
        // NaN is not NaN.
        prop_assert_eq!(format!("{cut:?}"), format!("{whole:?}"));
        let mut options = options(|csv| {
            csv.bad_rows = Some(bad_rows);
            csv.columns = types(&[("a", given)]);
            csv.nulls = Some(vec!["NA".into()]);
        });
        options.chunk = chunk;
        let streamed = joined(rows, |send| stream(text.as_bytes(), &options, rows, &Context::detached(), send));
        prop_assert_eq!(format!("{streamed:?}"), format!("{whole:?}"));
    }
}
