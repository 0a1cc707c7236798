use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow_array::{
    BinaryArray, BooleanArray, Decimal128Array, FixedSizeBinaryArray, Int32Array, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow_schema::Field as ArrowField;

use super::*;

/// Writes columns with small row groups and pages.
fn write_parquet(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>, group_rows: usize) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_data_page_row_count_limit(7)
        .set_write_batch_size(7)
        .build();
    let file = std::fs::File::create(folder.join(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn text(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

/// The rows of a small ledger, all as text.
fn ledger_as_text() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("id", text(vec![Some("g1"), Some("n1"), Some("g2"), Some(""), Some("g3"), None])),
        ("user_id", text(vec![Some("u1"), Some("u1"), None, Some("u2"), Some("u3"), Some("u4")])),
        ("tokens", text(vec![Some("100"), Some("7"), Some("-50"), Some("1.5"), None, Some("2")])),
        (
            "action",
            text(vec![
                Some("grant"),
                Some("usage"),
                Some("grant"),
                Some("usage"),
                Some("grant"),
                Some("usage"),
            ]),
        ),
        ("at", text(vec![Some("d1"), Some("d2"), Some("d3"), Some("d4"), Some("d5"), Some("d6")])),
        ("ok", text(vec![Some("true"), Some("true"), Some("false"), None, Some("t"), Some("t")])),
        (
            "metadata",
            text(vec![
                Some(r#"{"ref": "pi_1", "legacy": {"id": 7}}"#),
                Some("never asked for"),
                None,
                None,
                Some("{}"),
                Some("{}"),
            ]),
        ),
    ]
}

const LEDGER_ROWS: [&str; 6] = [
    "u1 grant 100 d1 true | g1 pi_1 7 | l.parquet row 1",
    "u1 usage 7 d2 true -",
    "u2 usage 1.5 d4 ~ |  ~ ~ | l.parquet row 4",
    "u3 grant ~ d5 t | g3 ~ ~ | l.parquet row 5",
    "u4 usage 2 d6 t | ~ ~ ~ | l.parquet row 6",
    "~ grant -50 d3 false | g2 ~ ~ | l.parquet row 3",
];

#[test]
fn parquet_gives_keys_of_all_rows_and_details_of_the_selected() {
    let folder = tempfile::tempdir().unwrap();
    for group_rows in [1, 2, 4, 100] {
        write_parquet(folder.path(), "l.parquet", ledger_as_text(), group_rows);
        let (lines, provenance) = record(&columns(folder.path(), "l.parquet"), 2, false).unwrap();
        assert_eq!(lines, LEDGER_ROWS, "row groups of {group_rows}");
        assert_eq!((provenance.kind, provenance.control), ("parquet", Total { rows: 6, tokens: 59 }));
        let bytes = std::fs::read(folder.path().join("l.parquet")).unwrap();
        assert_eq!(provenance.files[0].bytes, bytes.len() as u64);
    }
}

#[test]
fn text_that_is_not_marked_as_text_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |values: [&[u8]; 2]| -> ArrayRef { Arc::new(BinaryArray::from_iter_values(values)) };
    let write = |name: &str, user: [&[u8]; 2], metadata: [&[u8]; 2]| {
        let arrays: Vec<(&str, ArrayRef)> = vec![
            ("id", bytes([b"a", b"b"])),
            ("user_id", bytes(user)),
            ("tokens", bytes([b"1", b"2"])),
            ("action", bytes([b"grant", b"grant"])),
            ("at", bytes([b"t1", b"t2"])),
            ("ok", bytes([b"true", b"true"])),
            ("metadata", bytes(metadata)),
        ];
        write_parquet(folder.path(), name, arrays, 10);
        record(&columns(folder.path(), name), 1, false)
    };
    let (lines, _) = write("fine.parquet", [b"u", b"\xc3\xbc"], [b"{}", b"{\"ref\": \"pi_1\"}"]).unwrap();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains("\u{fc} grant 2 t2") && lines[1].contains("pi_1"), "{lines:?}");
    for (user, metadata, column) in [
        ([b"u".as_slice(), b"\xffn"], [b"{}".as_slice(), b"{}"], "user_id"),
        ([b"u", b"v"], [b"{}", b"{\"ref\": \"\xff\"}"], "metadata"),
    ] {
        let error = write("broken.parquet", user, metadata).unwrap_err().to_string();
        let expected = format!("broken.parquet row 2: column {column} holds bytes that are not UTF-8");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn typed_columns_and_struct_members_are_read_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let uuids = FixedSizeBinaryArray::try_from_iter([[0x11u8; 16], [0x22; 16]].into_iter()).unwrap();
    let legacy = StructArray::from(vec![(
        Arc::new(ArrowField::new("id", DataType::Int32, true)),
        Arc::new(Int32Array::from(vec![Some(7), Some(8)])) as ArrayRef,
    )]);
    let metadata = StructArray::try_new(
        vec![
            ArrowField::new("ref", DataType::Utf8, true),
            ArrowField::new("legacy", legacy.data_type().clone(), true),
            ArrowField::new("unused", DataType::Utf8, true),
        ]
        .into(),
        vec![text(vec![Some("pi_1"), Some("gone")]), Arc::new(legacy), text(vec![Some("x"), Some("y")])],
        Some(vec![true, false].into()),
    )
    .unwrap();
    let amounts = Decimal128Array::from(vec![1200, -700]).with_precision_and_scale(12, 2).unwrap();
    let times = TimestampMicrosecondArray::from(vec![Some(1_000_001), None]).with_timezone("+02:00");
    let ends = TimestampNanosecondArray::from(vec![None, Some(5)]);
    let typed: Vec<(&str, ArrayRef)> = vec![
        ("metadata", Arc::new(metadata)),
        ("id", Arc::new(uuids.clone())),
        ("user_id", Arc::new(uuids)),
        ("tokens", Arc::new(amounts)),
        ("action", text(vec![Some("grant"), Some("grant")])),
        ("at", Arc::new(times)),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("ends", Arc::new(ends)),
    ];
    write_parquet(folder.path(), "t.parquet", typed, 10);
    let mut columns = columns(folder.path(), "t.parquet");
    columns.expires_at = Some(field("ends"));
    let (lines, provenance) = record(&columns, 1, false).unwrap();
    let (one, two) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
    assert_eq!(
        lines,
        [
            format!("{one} grant 12 1000001usUTC true | {one} pi_1 7 ~ | t.parquet row 1"),
            format!("{two} grant -7 ~ ~ | {two} ~ ~ 5ns | t.parquet row 2"),
        ]
    );
    assert_eq!(provenance.control, Total { rows: 2, tokens: 5 });
}

/// Rows `0..rows`, every ninth a grant.
fn many(rows: u32) -> Vec<(&'static str, ArrayRef)> {
    let column = |value: &dyn Fn(u32) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(value)))
    };
    vec![
        ("id", column(&|n| format!("i{n}"))),
        ("user_id", column(&|n| format!("u{}", n % 5))),
        ("tokens", Arc::new(Int32Array::from_iter_values(0..rows as i32))),
        ("action", column(&|n| if n.is_multiple_of(9) { "grant" } else { "usage" }.to_owned())),
        ("at", column(&|_| "t".to_owned())),
        ("ok", column(&|_| "true".to_owned())),
        ("metadata", column(&|n| format!(r#"{{"ref": "r{n}"}}"#))),
    ]
}

#[test]
fn row_groups_spans_and_threads_do_not_change_what_the_sinks_get() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected: Vec<String> = (0..400)
        .map(|n| match n % 9 {
            0 => format!("u{} grant {n} t true | i{n} r{n} ~ | m.parquet row {}", n % 5, n + 1),
            _ => format!("u{} usage {n} t true -", n % 5),
        })
        .collect();
    expected.sort();
    let columns = columns(folder.path(), "m.parquet");
    for (group_rows, rows_max, threads) in
        [(400, 1 << 20, 1), (400, 64, 2), (50, 64, 2), (13, 100, 3), (100, 1, 2)]
    {
        write_parquet(folder.path(), "m.parquet", many(400), group_rows);
        let (request, shape) = LedgerShape::of(&columns);
        let input = Input::find("m.parquet", folder.path()).unwrap();
        let new_take = || LedgerTake::new(&shape, Recorder::default());
        let read = crate::source::parquet::read_in_spans;
        let (takes, _) =
            read(&input.files, rows_max, &request, threads, &new_take, &Progress::hidden()).unwrap();
        let mut lines: Vec<String> = takes.into_iter().flat_map(|take| take.sink.lines).collect();
        lines.sort();
        assert_eq!(lines, expected, "{group_rows} rows a group, {rows_max} a span, {threads} threads");
    }
}

#[test]
fn a_damaged_file_and_a_wrong_column_are_errors_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(folder.path(), "x.parquet", many(40), 10);
    let whole = std::fs::read(folder.path().join("x.parquet")).unwrap();
    let mut holed = whole.clone();
    holed[8..200].fill(0xff);
    let with = |change: &dyn Fn(&mut Columns)| {
        let mut columns = columns(folder.path(), "x.parquet");
        change(&mut columns);
        columns
    };
    let same = with(&|_| ());
    let cases: [(&str, &[u8], &Columns, &str); 6] = [
        ("cut off", &whole[..whole.len() - 10], &same, "x.parquet: cannot be read as Parquet"),
        ("empty", b"", &same, "x.parquet: has no bytes at all"),
        ("another format", b"id,user_id\n1,2\n", &same, "x.parquet: cannot be read as Parquet"),
        ("holed", &holed, &same, "x.parquet: cannot be read as Parquet"),
        (
            "no such column",
            &whole,
            &with(&|columns| columns.user = field("user")),
            "x.parquet: has no column user; the nearest is user_id; columns: id, user_id",
        ),
        (
            "below a number",
            &whole,
            &with(&|columns| columns.link = Some(field("tokens.id"))),
            "x.parquet: tokens is Int32, which has nothing below it: id",
        ),
    ];
    for (name, contents, columns, expected) in cases {
        write(folder.path(), "x.parquet", contents);
        let error = record(columns, 2, true).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{name}: {error}");
    }
}

#[test]
fn csv_and_parquet_of_one_ledger_give_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(folder.path(), "l.parquet", ledger_as_text(), 3);
    let csv = "id,user_id,tokens,action,at,ok,metadata\n\
               g1,u1,100,grant,d1,true,\"{\"\"ref\"\": \"\"pi_1\"\", \"\"legacy\"\": {\"\"id\"\": 7}}\"\n\
               n1,u1,7,usage,d2,true,never asked for\ng2,,-50,grant,d3,false,\n,u2,1.5,usage,d4,,\n\
               g3,u3,,grant,d5,t,{}\n,u4,2,usage,d6,t,{}\n";
    write(folder.path(), "l.csv", csv.as_bytes());
    let (lines, provenance) = record(&columns(folder.path(), "l.csv"), 1, false).unwrap();
    let expected = LEDGER_ROWS.map(|row| {
        let (row, number) = match row.split_once(" | l.parquet row ") {
            Some((row, number)) => (row, number.parse::<u32>().unwrap()),
            None => return row.to_owned(),
        };
        // An empty id is null in CSV and empty in Parquet; neither is an id.
        format!("{} | l.csv line {}", row.replace("|  ~ ~", "| ~ ~ ~"), number + 1)
    });
    assert_eq!(lines, expected);
    assert_eq!(provenance.control, Total { rows: 6, tokens: 59 });
}

#[test]
fn changed_bytes_never_end_the_program() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(folder.path(), "x.parquet", many(400), 100);
    let whole = std::fs::read(folder.path().join("x.parquet")).unwrap();
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut errors = 0;
    for _ in 0..400 {
        let mut damaged = whole.clone();
        for _ in 0..3 {
            damaged[next(whole.len())] = next(256) as u8;
        }
        write(folder.path(), "x.parquet", &damaged);
        // A page without a checksum may hold another value now; what must not happen is a panic.
        errors += u32::from(record(&columns(folder.path(), "x.parquet"), 1, true).is_err());
    }
    assert!(errors > 200, "{errors} of 400 damaged files were refused");
}
