//! The first rows of files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::csv::foreign_dialect;
use super::super::input::{Input, InputFile, Kind, Packing};
use super::super::parquet::damaged;
use super::super::{Progress, SourceError};
use super::cells::{row_of, shape_of};
use super::content::Content;
use crate::config::infer::{Labels, MOST_LABELS, Place, Repeats, Sample, Shape, SideRoles};
use crate::config::{Field, parse_field};
use crate::domain::{names_nothing, parse_tokens, says_nothing};

/// Rows that are looked at.
const MOST_ROWS: u64 = 100_000;
/// What tells a day: the first characters of a time.
const DAY_CHARS: usize = 10;

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
    let places = Places::of(&read_header(pattern, folder)?, roles);
    let mut labels = Labels::new();
    read(pattern, folder, progress, |row| {
        let label = places.label(row);
        if labels.len() >= MOST_LABELS && !labels.contains_key(&label) {
            return;
        }
        let count = labels.entry(label).or_default();
        let tokens = parse_tokens(text(row, places.amount)).unwrap_or_default();
        count.rows += 1;
        count.positive += u64::from(tokens > 0);
        count.negative += u64::from(tokens < 0);
        let value = |(at, field): &(Option<usize>, Field)| value_at(text(row, *at), &field.path);
        let is_named = |place| value(place).is_some_and(|value| !names_nothing(&value));
        let is_marked = |place| value(place).is_some_and(|value| !says_nothing(&value));
        count.referenced += u64::from(places.references.iter().any(is_named));
        count.marked += u64::from(places.marks.iter().any(is_marked));
    })?;
    Ok(labels)
}

/// Counts on how many days a user has the same value of a reference on the same label.
///
/// # Errors
/// Files that cannot be read.
pub fn file_repeats(
    pattern: &str,
    folder: &Path,
    roles: &SideRoles,
    progress: &Progress,
) -> Result<Repeats, SourceError> {
    let mut repeats = Repeats::new();
    if roles.more.reference.is_empty() {
        return Ok(repeats);
    }
    let places = Places::of(&read_header(pattern, folder)?, roles);
    let mut days: BTreeMap<(String, String, String, String), BTreeSet<String>> = BTreeMap::new();
    read(pattern, folder, progress, |row| {
        for (at, field) in &places.references {
            let value = value_at(text(row, *at), &field.path).filter(|value| !names_nothing(value));
            let Some(value) = value else { continue };
            let label = places.label(row);
            let filled = repeats.entry(field.written.clone()).or_default();
            filled.entry(label.clone()).or_default().filled += 1;
            let key = (field.written.clone(), label, text(row, places.user).to_owned(), value);
            let day = text(row, places.created_at).chars().take(DAY_CHARS).collect();
            days.entry(key).or_default().insert(day);
        }
    })?;
    for ((field, label, _, _), days) in days {
        let again = u64::try_from(days.len()).unwrap_or(u64::MAX).saturating_sub(1);
        repeats.entry(field).or_default().entry(label).or_default().again += again;
    }
    Ok(repeats)
}

/// Where the columns of the roles stand in a row.
struct Places {
    action: Vec<Option<usize>>,
    user: Option<usize>,
    amount: Option<usize>,
    created_at: Option<usize>,
    references: Vec<(Option<usize>, Field)>,
    marks: Vec<(Option<usize>, Field)>,
}

impl Places {
    fn of(header: &[String], roles: &SideRoles) -> Places {
        let at = |name: &str| header.iter().position(|column| column == name);
        let fields = |names: Vec<&String>| -> Vec<(Option<usize>, Field)> {
            let fields = names.into_iter().filter_map(|name| parse_field(name).ok());
            fields.map(|field| (at(&field.column), field)).collect()
        };
        Places {
            action: roles.action.iter().map(|name| at(name)).collect(),
            user: at(&roles.user),
            amount: at(&roles.amount),
            created_at: at(&roles.created_at),
            references: fields(roles.more.reference.iter().collect()),
            marks: fields(roles.more.link.iter().chain(&roles.more.migrated).collect()),
        }
    }

    fn label(&self, row: &Row<'_>) -> String {
        self.action.iter().map(|at| text(row, *at)).collect::<Vec<_>>().join("/")
    }
}

fn text<'a>(row: &'a Row<'_>, at: Option<usize>) -> &'a str {
    at.and_then(|at| row.get(at)?.as_deref()).unwrap_or_default()
}

/// What stands at this place of a value.
fn value_at(text: &str, path: &[String]) -> Option<String> {
    let [key] = path else { return (path.is_empty() && !text.is_empty()).then(|| text.to_owned()) };
    let object: serde_json::Value = serde_json::from_str(text).ok()?;
    match object.get(key)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        other => Some(other.to_string()),
    }
}

/// Names of columns, and shapes where the file says them.
type Header = Vec<(String, Option<Shape>)>;

/// What was read.
struct Seen {
    /// The columns of all files: those of the first, then what others have more.
    header: Header,
    rows: u64,
    whole: bool,
}

/// The columns of all files in the order in which [`read`] gives them.
fn read_header(pattern: &str, folder: &Path) -> Result<Vec<String>, SourceError> {
    let input = Input::find(pattern, folder)?;
    let mut all = Header::new();
    for file in &input.files {
        let own = match input.kind {
            Kind::Text { delimiter, packing } => {
                text_header(&mut open_text(file, delimiter, packing)?, file)?
            }
            Kind::Parquet => parquet_header(&open_parquet(file)?),
        };
        places_of(&mut all, own);
    }
    Ok(all.into_iter().map(|(name, _)| name).collect())
}

/// Where the columns of one file stand among those of all, by name: files need not have the same order. New
/// ones are added. Of columns with one name the first stands for the first, and so on.
fn places_of(all: &mut Header, own: Header) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::with_capacity(own.len());
    for (name, shape) in own {
        let known = (0..all.len()).find(|at| all[*at].0 == name && !places.contains(at));
        places.push(known.unwrap_or_else(|| {
            all.push((name, shape));
            all.len() - 1
        }));
    }
    places
}

/// The values of a file's row in the order of all columns.
fn in_order<'a>(
    own: Vec<Option<Cow<'a, str>>>,
    places: &[usize],
    columns: usize,
) -> Vec<Option<Cow<'a, str>>> {
    let mut row = vec![None; columns];
    for (value, place) in own.into_iter().zip(places) {
        row[*place] = value;
    }
    row
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

fn text_header(reader: &mut TextReader, file: &InputFile) -> Result<Header, SourceError> {
    let header = reader.byte_headers().map_err(|cause| broken(file, &cause))?;
    let wrong = |message: &str| SourceError::Malformed {
        place: format!("{}:1", file.shown),
        message: message.to_owned(),
    };
    // What a run would refuse is no help in a proposal.
    let first = header.get(0).unwrap_or_default();
    if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") || first.contains(&0) {
        return Err(wrong("is UTF-16: save it as UTF-8"));
    }
    let names: Option<Vec<&str>> = header.iter().map(|name| std::str::from_utf8(name).ok()).collect();
    let names = names.ok_or_else(|| wrong("the header is not UTF-8: save the file as UTF-8"))?;
    if names.iter().all(|name| name.is_empty()) {
        return Err(wrong("is empty: the first line has to name the columns"));
    }
    if let Some(what) = foreign_dialect(&names) {
        return Err(wrong(&what));
    }
    Ok(names.into_iter().map(|name| (name.to_owned(), None)).collect())
}

fn read_text(
    file: &InputFile,
    mut reader: TextReader,
    seen: &mut Seen,
    take: &mut impl FnMut(&Row<'_>),
) -> Result<(), SourceError> {
    let places = places_of(&mut seen.header, text_header(&mut reader, file)?);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|cause| broken(file, &cause))? {
        if seen.rows >= MOST_ROWS {
            seen.whole = false;
            return Ok(());
        }
        let row = record.iter().map(|field| Some(String::from_utf8_lossy(field))).collect();
        take(&in_order(row, &places, seen.header.len()));
        seen.rows += 1;
    }
    Ok(())
}

type ParquetReader = ParquetRecordBatchReaderBuilder<std::fs::File>;

fn open_parquet(file: &InputFile) -> Result<ParquetReader, SourceError> {
    ParquetRecordBatchReaderBuilder::try_new(file.open()?.file).map_err(|cause| damaged(file, &cause))
}

fn parquet_header(reader: &ParquetReader) -> Header {
    let fields = reader.schema().fields();
    fields.iter().map(|field| (field.name().clone(), Some(shape_of(field.data_type())))).collect()
}

fn read_parquet(
    file: &InputFile,
    reader: ParquetReader,
    seen: &mut Seen,
    take: &mut impl FnMut(&Row<'_>),
) -> Result<(), SourceError> {
    let places = places_of(&mut seen.header, parquet_header(&reader));
    let rows_in_file = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(u64::MAX);
    let wanted = (MOST_ROWS - seen.rows).min(rows_in_file);
    seen.whole &= wanted == rows_in_file;
    let limit = usize::try_from(wanted).unwrap_or(usize::MAX);
    let batches = reader.with_limit(limit).build().map_err(|cause| damaged(file, &cause))?;
    for batch in batches {
        let batch = batch.map_err(|cause| damaged(file, &cause.into()))?;
        for at in 0..batch.num_rows() {
            take(&in_order(row_of(&batch, at), &places, seen.header.len()));
            seen.rows += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
