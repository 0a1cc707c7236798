//! The first rows of files.

use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::input::{Input, InputFile, Kind, Packing};
use super::super::{Progress, SourceError};
use super::content::Content;
use crate::config::infer::{Labels, Place, Sample, Shape, SideRoles};
use crate::config::{Field, parse_field};
use crate::domain::parse_tokens;

/// Rows that are looked at.
const MOST_ROWS: u64 = 100_000;
/// Labels beyond these are no labels.
const MOST_LABELS: usize = 1_000;

/// One row: a text a column, null and empty alike.
type Row<'a> = [Option<Cow<'a, str>>];

/// Looks at the columns of files.
///
/// # Errors
/// Files that cannot be read.
pub fn file_sample(pattern: &str, folder: &Path, progress: &Progress) -> Result<Sample, SourceError> {
    let mut contents: Vec<Content> = Vec::new();
    let seen = read(pattern, folder, progress, |row| {
        contents.resize_with(row.len().max(contents.len()), Content::default);
        for (content, value) in contents.iter_mut().zip(row) {
            content.add(value.as_deref());
        }
    })?;
    contents.resize_with(seen.header.len(), Content::default);
    let columns = seen.header.into_iter().zip(contents);
    Ok(Sample {
        place: Place::Path(pattern.to_owned()),
        columns: columns.map(|((name, shape), content)| content.column(name, shape, seen.rows)).collect(),
        rows: seen.rows,
        whole: seen.whole,
    })
}

/// Counts the rows of files by label.
///
/// # Errors
/// Files that cannot be read.
pub fn file_labels(
    pattern: &str,
    folder: &Path,
    roles: &SideRoles,
    progress: &Progress,
) -> Result<Labels, SourceError> {
    let header = read_header(pattern, folder)?;
    let at = |name: &str| header.iter().position(|column| column == name);
    let action: Vec<Option<usize>> = roles.action.iter().map(|name| at(name)).collect();
    let amount = at(&roles.amount);
    let places = |names: Vec<&String>| -> Vec<(Option<usize>, Field)> {
        let fields = names.into_iter().filter_map(|name| parse_field(name).ok());
        fields.map(|field| (at(&field.column), field)).collect()
    };
    let references = places(roles.more.reference.iter().collect());
    let marks = places(roles.more.link.iter().chain(&roles.more.migrated).collect());
    let mut labels = Labels::new();
    read(pattern, folder, progress, |row| {
        let text = |at: Option<usize>| at.and_then(|at| row.get(at)?.as_deref()).unwrap_or_default();
        let label = action.iter().map(|at| text(*at)).collect::<Vec<_>>().join("/");
        if labels.len() >= MOST_LABELS && !labels.contains_key(&label) {
            return;
        }
        let count = labels.entry(label).or_default();
        let tokens = parse_tokens(text(amount)).unwrap_or_default();
        count.rows += 1;
        count.positive += u64::from(tokens > 0);
        count.negative += u64::from(tokens < 0);
        let says = |(at, field): &(Option<usize>, Field)| has_value(text(*at), &field.path);
        count.referenced += u64::from(references.iter().any(says));
        count.marked += u64::from(marks.iter().any(says));
    })?;
    Ok(labels)
}

/// Is there something at this place of a value?
fn has_value(text: &str, path: &[String]) -> bool {
    let [key] = path else { return path.is_empty() && !text.is_empty() };
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|value| value.get(key).is_some_and(|value| !value.is_null() && *value != ""))
}

/// What was read.
struct Seen {
    /// Names, and shapes where the file says them.
    header: Vec<(String, Option<Shape>)>,
    rows: u64,
    whole: bool,
}

fn read_header(pattern: &str, folder: &Path) -> Result<Vec<String>, SourceError> {
    let input = Input::find(pattern, folder)?;
    let header = match input.kind {
        Kind::Text { delimiter, packing } => {
            text_header(&mut open_text(&input.files[0], delimiter, packing)?, &input.files[0])?
        }
        Kind::Parquet => parquet_header(&open_parquet(&input.files[0])?),
    };
    Ok(header.into_iter().map(|(name, _)| name).collect())
}

/// Gives the first rows of all files to `take`.
fn read(
    pattern: &str,
    folder: &Path,
    progress: &Progress,
    mut take: impl FnMut(&Row<'_>),
) -> Result<Seen, SourceError> {
    let input = Input::find(pattern, folder)?;
    let meter = progress.start(pattern, None);
    let mut seen = Seen { header: Vec::new(), rows: 0, whole: true };
    for file in &input.files {
        if seen.rows >= MOST_ROWS {
            seen.whole = false;
            break;
        }
        let before = seen.rows;
        match input.kind {
            Kind::Text { delimiter, packing } => {
                read_text(file, open_text(file, delimiter, packing)?, &mut seen, &mut take)?;
            }
            Kind::Parquet => read_parquet(file, open_parquet(file)?, &mut seen, &mut take)?,
        }
        meter.add(seen.rows - before)?;
    }
    Ok(seen)
}

type TextReader = csv::Reader<Box<dyn Read>>;

fn open_text(file: &InputFile, delimiter: u8, packing: Packing) -> Result<TextReader, SourceError> {
    let opened = BufReader::new(file.open()?.file);
    let source: Box<dyn Read> = match packing {
        Packing::Plain => Box::new(opened),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(opened)),
        Packing::Zstd => {
            Box::new(zstd::stream::read::Decoder::with_buffer(opened).map_err(|cause| file.failed(cause))?)
        }
    };
    Ok(csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(source))
}

fn broken(file: &InputFile, cause: &dyn std::fmt::Display) -> SourceError {
    SourceError::Malformed { place: file.shown.clone(), message: cause.to_string() }
}

fn text_header(
    reader: &mut TextReader,
    file: &InputFile,
) -> Result<Vec<(String, Option<Shape>)>, SourceError> {
    let header = reader.byte_headers().map_err(|cause| broken(file, &cause))?;
    Ok(header.iter().map(|name| (String::from_utf8_lossy(name).into_owned(), None)).collect())
}

fn read_text(
    file: &InputFile,
    mut reader: TextReader,
    seen: &mut Seen,
    take: &mut impl FnMut(&Row<'_>),
) -> Result<(), SourceError> {
    seen.header = text_header(&mut reader, file)?;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|cause| broken(file, &cause))? {
        if seen.rows >= MOST_ROWS {
            seen.whole = false;
            return Ok(());
        }
        let row: Vec<_> = record.iter().map(|field| Some(String::from_utf8_lossy(field))).collect();
        take(&row);
        seen.rows += 1;
    }
    Ok(())
}

type ParquetReader = ParquetRecordBatchReaderBuilder<std::fs::File>;

fn open_parquet(file: &InputFile) -> Result<ParquetReader, SourceError> {
    ParquetRecordBatchReaderBuilder::try_new(file.open()?.file).map_err(|cause| broken(file, &cause))
}

fn parquet_header(reader: &ParquetReader) -> Vec<(String, Option<Shape>)> {
    let fields = reader.schema().fields();
    fields.iter().map(|field| (field.name().clone(), Some(shape_of(field.data_type())))).collect()
}

fn shape_of(data_type: &DataType) -> Shape {
    match data_type {
        DataType::Boolean => Shape::Boolean,
        DataType::Timestamp(_, Some(_)) => Shape::Zoned,
        DataType::Timestamp(_, None) | DataType::Date32 => Shape::Unzoned,
        DataType::Float32 | DataType::Float64 => Shape::Decimal,
        DataType::Decimal128(_, 0) => Shape::Integer,
        DataType::Decimal128(..) => Shape::Decimal,
        DataType::FixedSizeBinary(16) => Shape::Uuid,
        other if other.is_integer() => Shape::Integer,
        _ => Shape::Text,
    }
}

fn read_parquet(
    file: &InputFile,
    reader: ParquetReader,
    seen: &mut Seen,
    take: &mut impl FnMut(&Row<'_>),
) -> Result<(), SourceError> {
    seen.header = parquet_header(&reader);
    let rows_in_file = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(u64::MAX);
    let wanted = (MOST_ROWS - seen.rows).min(rows_in_file);
    seen.whole &= wanted == rows_in_file;
    let limit = usize::try_from(wanted).unwrap_or(usize::MAX);
    let batches = reader.with_limit(limit).build().map_err(|cause| broken(file, &cause))?;
    for batch in batches {
        let batch = batch.map_err(|cause| broken(file, &cause))?;
        for at in 0..batch.num_rows() {
            take(&row_of(&batch, at));
            seen.rows += 1;
        }
    }
    Ok(())
}

fn row_of(batch: &RecordBatch, at: usize) -> Vec<Option<Cow<'_, str>>> {
    batch.columns().iter().map(|column| cell(column.as_ref(), at)).collect()
}

/// A value as text. Where the type says it all (times, UUIDs), only that there is a value.
fn cell(array: &dyn Array, at: usize) -> Option<Cow<'_, str>> {
    if array.is_null(at) {
        return None;
    }
    macro_rules! number {
        ($type:ty) => {
            Some(Cow::Owned(array.as_primitive::<$type>().value(at).to_string()))
        };
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(at).into()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(at).into()),
        DataType::Utf8View => Some(array.as_string_view().value(at).into()),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            cell(dictionary.values().as_ref(), dictionary.key(at)?)
        }
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Decimal128(..) => {
            Some(Cow::Owned(array.as_primitive::<Decimal128Type>().value_as_string(at)))
        }
        DataType::Boolean => Some(Cow::Borrowed(if array.as_boolean().value(at) { "true" } else { "false" })),
        _ => Some(Cow::Borrowed("value")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::config::infer::{LabelCount, side_roles};

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
        create("tabs.tsv")
            .write_all(b"id\tuser_id\taction\ttokens\tat\n1\tada\tgrant\t5\t2026-02-01\n")
            .unwrap();
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
            assert_eq!(
                labels,
                Labels::from([("grant".to_owned(), grants(2)), (String::new(), none)]),
                "{name}"
            );
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
}
