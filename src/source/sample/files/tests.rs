//! The first rows of files of every kind.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;

use super::*;
use crate::config::infer::{LabelCount, Repeated, side_roles};

const CSV: &str = "id,user_id,action,tokens,at,metadata\n\
    1,ada,grant,5,2026-02-01T09:00:00Z,\"{\"\"legacy_id\"\": 7}\"\n\
    2,ben,grant,-5,2026-02-01T09:00:00Z,{}\n\
    3,,,,,\n";

fn columns(sample: &Sample) -> Vec<(&str, Shape, u64)> {
    sample.columns.iter().map(|column| (column.name.as_str(), column.shape, column.filled)).collect()
}

fn grants(rows: u64) -> LabelCount {
    LabelCount { rows, positive: rows / 2, negative: rows / 2, referenced: 0, marked: rows / 2 }
}

fn look(pattern: &str, folder: &Path) -> (Sample, Labels) {
    let sample = file_sample(pattern, folder, &Progress::hidden()).unwrap();
    let roles = side_roles(&sample).unwrap();
    let labels = file_labels(pattern, folder, &roles, &Progress::hidden()).unwrap();
    (sample, labels)
}

#[test]
fn text_files_are_read_however_they_are_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let create = |name: &str| File::create(folder.path().join(name)).unwrap();
    create("plain.csv").write_all(CSV.as_bytes()).unwrap();
    create("tabs.tsv").write_all(b"id\tuser_id\taction\ttokens\tat\n1\tada\tgrant\t5\t2026-02-01\n").unwrap();
    let mut gzip = flate2::write::GzEncoder::new(create("packed.csv.gz"), flate2::Compression::fast());
    gzip.write_all(CSV.as_bytes()).unwrap();
    gzip.finish().unwrap();
    create("packed.csv.zst").write_all(&zstd::encode_all(CSV.as_bytes(), 1).unwrap()).unwrap();
    for name in ["plain.csv", "packed.csv.gz", "packed.csv.zst"] {
        let (sample, labels) = look(name, folder.path());
        assert_eq!((sample.rows, sample.whole), (3, true), "{name}");
        let expected = [
            ("id", Shape::Integer, 3),
            ("user_id", Shape::Text, 2),
            ("action", Shape::Text, 2),
            ("tokens", Shape::Integer, 2),
            ("at", Shape::Zoned, 2),
            ("metadata", Shape::Json, 2),
        ];
        assert_eq!(columns(&sample), expected, "{name}");
        let none = LabelCount { rows: 1, ..LabelCount::default() };
        assert_eq!(labels, Labels::from([("grant".to_owned(), grants(2)), (String::new(), none)]), "{name}");
    }
    let (sample, labels) = look("tabs.tsv", folder.path());
    assert_eq!((columns(&sample)[4], labels["grant"].positive), (("at", Shape::Unzoned, 1), 1));
}

/// Columns of the types that a Parquet file may have, with two rows.
fn batch() -> RecordBatch {
    let text = |values: [&str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let action: DictionaryArray<Int32Type> = ["grant", "grant"].into_iter().collect();
    let tokens = Decimal128Array::from(vec![5, -5]).with_precision_and_scale(12, 0).unwrap();
    let at = TimestampMicrosecondArray::from(vec![Some(0), None]);
    RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("user_id", text(["ada", "ben"])),
        ("action", Arc::new(action) as ArrayRef),
        ("tokens", Arc::new(tokens) as ArrayRef),
        ("at", Arc::new(at.clone()) as ArrayRef),
        ("seen", Arc::new(at.with_timezone("UTC")) as ArrayRef),
        ("success", Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef),
        ("metadata", text(["{\"legacy_id\": 7}", "{}"])),
    ])
    .unwrap()
}

#[test]
fn parquet_files_of_a_pattern_are_read_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.parquet", "b.parquet"] {
        let batch = batch();
        let file = File::create(folder.path().join(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    let (sample, labels) = look("*.parquet", folder.path());
    assert_eq!((sample.rows, sample.whole), (4, true));
    let expected = [
        ("id", Shape::Integer, 4),
        ("user_id", Shape::Text, 4),
        ("action", Shape::Text, 4),
        ("tokens", Shape::Integer, 4),
        ("at", Shape::Unzoned, 2),
        ("seen", Shape::Zoned, 2),
        ("success", Shape::Boolean, 4),
        ("metadata", Shape::Json, 4),
    ];
    assert_eq!(columns(&sample), expected);
    assert_eq!(labels, Labels::from([("grant".to_owned(), grants(4))]));
}

#[test]
fn columns_are_found_by_name_in_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.csv", "id,user_id,action,tokens,at\n1,ada,grant,5,2026-02-01\n");
    write("b.csv", "at,note,tokens,action,user_id,id\n2026-02-01,x,-5,grant,ben,2\n");
    let (sample, labels) = look("*.csv", folder.path());
    let expected = [
        ("id", Shape::Integer, 2),
        ("user_id", Shape::Text, 2),
        ("action", Shape::Text, 2),
        ("tokens", Shape::Integer, 2),
        ("at", Shape::Unzoned, 2),
        ("note", Shape::Text, 1),
    ];
    assert_eq!(columns(&sample), expected);
    assert_eq!(labels, Labels::from([("grant".to_owned(), LabelCount { marked: 0, ..grants(2) })]));
}

#[test]
fn members_of_a_struct_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let batch = batch();
    let ids = Arc::new(StringArray::from(vec![Some("7"), None])) as ArrayRef;
    let field = Arc::new(arrow_schema::Field::new("legacy_id", arrow_schema::DataType::Utf8, true));
    let metadata = Arc::new(StructArray::from(vec![(field, ids)])) as ArrayRef;
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let others = names.zip(batch.columns().to_vec()).filter(|(name, _)| *name != "metadata");
    let columns: Vec<(&str, ArrayRef)> = others.chain([("metadata", metadata)]).collect();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(folder.path().join("a.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (sample, labels) = look("a.parquet", folder.path());
    assert_eq!(sample.columns[7].shape, Shape::Members);
    assert_eq!(side_roles(&sample).unwrap().more.link.as_deref(), Some("metadata.legacy_id"));
    assert_eq!(labels["grant"].marked, 1);
}

#[test]
fn values_that_come_back_on_another_day_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        "1,ada,grant,5,2026-01-01,c1",
        "2,ada,grant,5,2026-02-01,c1",
        // Copies of a day, other users and other labels are others.
        "3,ada,grant,5,2026-02-01,c1",
        "4,ben,grant,5,2026-03-01,c1",
        "5,ada,bonus,5,2026-03-01,c1",
        "6,ada,grant,5,2026-03-01,",
    ];
    let text = format!("id,user_id,action,tokens,at,external_id\n{}\n", rows.join("\n"));
    std::fs::write(folder.path().join("a.csv"), text).unwrap();
    let sample = file_sample("a.csv", folder.path(), &Progress::hidden()).unwrap();
    let roles = side_roles(&sample).unwrap();
    let repeats = file_repeats("a.csv", folder.path(), &roles, &Progress::hidden()).unwrap();
    let of = |filled, again| Repeated { filled, again };
    let labels = [("bonus".to_owned(), of(1, 0)), ("grant".to_owned(), of(4, 1))];
    assert_eq!(repeats, Repeats::from([("external_id".to_owned(), labels.into())]));
}

#[test]
fn of_many_rows_only_the_first_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "id,user_id,action,tokens,at\n".to_owned();
    for id in 0..=MOST_ROWS {
        text.push_str(&format!("{id},ada,grant,5,2026-02-01\n"));
    }
    std::fs::write(folder.path().join("many.csv"), text).unwrap();
    let (sample, labels) = look("many.csv", folder.path());
    assert_eq!((sample.rows, sample.whole, labels["grant"].rows), (MOST_ROWS, false, MOST_ROWS));
}
