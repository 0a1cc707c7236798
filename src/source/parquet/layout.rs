//! Where the wanted fields are in one Parquet file, and as what types they are read.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, Encoding, LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};

use crate::source::SourceError;
use crate::source::fields::{Group, Located};
use crate::source::input::{InputFile, Stamp};
use crate::source::request::Request;

/// One file, ready to be read.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub file: &'a InputFile,
    pub stamp: Stamp,
    pub keys: Part,
    pub details: Part,
    /// The id alone, for row groups whose statistics do not say that no id is missing.
    pub id: Option<Part>,
}

/// Columns that are read together.
#[derive(Debug)]
pub(super) struct Part {
    pub metadata: ArrowReaderMetadata,
    pub mask: ProjectionMask,
    /// The wanted columns, each with its position in the batches.
    pub groups: Vec<(usize, Group)>,
}

/// The footer counts the rows of the file and of each row group: a damaged one that does not add up
/// would leave rows unread.
fn check_rows(metadata: &ArrowReaderMetadata, shown: &str) -> Result<(), SourceError> {
    let metadata = metadata.metadata();
    let counts = || metadata.row_groups().iter().map(RowGroupMetaData::num_rows);
    let sum = counts().try_fold(0i64, |sum, rows| if rows < 0 { None } else { sum.checked_add(rows) });
    let said = metadata.file_metadata().num_rows();
    if sum == Some(said) {
        return Ok(());
    }
    let message = format!(
        "the footer says {said} rows, but its row groups do not add up to that: the file is damaged, export it anew"
    );
    Err(SourceError::Malformed { place: shown.to_owned(), message })
}

impl<'a> Layout<'a> {
    /// Reads the file's footer and finds the fields.
    ///
    /// # Errors
    /// A file that is no Parquet or cut off, a missing column, a column of a type that no field has.
    pub fn of(file: &'a InputFile, request: &Request) -> Result<Layout<'a>, SourceError> {
        let opened = file.open()?;
        let stamp = opened.stamp();
        let failed = |error| damaged(file, &error);
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = guarded(|| ArrowReaderMetadata::load(&opened.file, options)).map_err(failed)?;
        check_rows(&metadata, &file.shown)?;
        let schema = metadata.schema().clone();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let Located { keys, details, id } = Located::new(request, &names, &file.shown)?;
        for group in keys.iter().chain(&details) {
            check(group, schema.field(group.column), &file.shown)?;
        }
        let plain = typed(&metadata, |_, field| field.data_type().clone()).map_err(failed)?;
        let fast = |column: usize, field: &Field| match field.data_type() {
            DataType::Utf8 if keys.iter().any(|group| group.column == column) => key_type(&metadata, column),
            other => other.clone(),
        };
        let fast = typed(&metadata, fast).map_err(failed)?;
        Ok(Layout {
            file,
            stamp,
            keys: Part::new(fast, keys),
            id: id.map(|id| Part::new(plain.clone(), vec![id])),
            details: Part::new(plain, details),
        })
    }

    /// All row groups of the file.
    pub fn row_groups(&self) -> &[RowGroupMetaData] {
        self.keys.metadata.metadata().row_groups()
    }

    /// May a row of this row group lack its id? Answers from the statistics of the column.
    pub fn may_miss_id(&self, row_group: &RowGroupMetaData) -> bool {
        let Some((_, group)) = self.id.as_ref().and_then(|id| id.groups.first()) else { return false };
        let schema = row_group.schema_descr();
        let mut leaves =
            (0..schema.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == group.column);
        let (Some(leaf), None) = (leaves.next(), leaves.next()) else { return true };
        if !group.fields[0].1.is_empty() {
            return true;
        }
        let Some(statistics) = row_group.column(leaf).statistics() else { return true };
        let column = schema.column(leaf);
        let is_signed = match column.logical_type_ref() {
            Some(LogicalType::Integer(integer)) => integer.is_signed,
            other => other.is_none() && column.converted_type() == ConvertedType::NONE,
        };
        let may_be_none = match column.physical_type() {
            // Text of no length stands for no id too, and is the least of all texts.
            PhysicalType::BYTE_ARRAY => statistics.min_bytes_opt().is_none_or(<[u8]>::is_empty),
            PhysicalType::INT32 => !is_signed,
            // The most negative number is none.
            PhysicalType::INT64 => {
                !is_signed || statistics.min_bytes_opt().is_none_or(|min| min == i64::MIN.to_le_bytes())
            }
            PhysicalType::FIXED_LEN_BYTE_ARRAY => column.logical_type_ref() != Some(&LogicalType::Uuid),
            _ => true,
        };
        statistics.null_count_opt() != Some(0) || may_be_none
    }
}

impl Part {
    fn new(metadata: ArrowReaderMetadata, groups: Vec<Group>) -> Part {
        let schema = metadata.parquet_schema();
        let wanted = |leaf: &usize| {
            let (root, column) = (schema.get_column_root_idx(*leaf), schema.column(*leaf));
            let below = &column.path().parts()[1..];
            groups.iter().any(|group| {
                let touches = |path: &[String]| below.iter().zip(path).all(|(part, key)| part == key);
                group.column == root && group.fields.iter().any(|(_, path)| touches(path))
            })
        };
        let leaves: Vec<usize> = (0..schema.num_columns()).filter(wanted).collect();
        let mut roots: Vec<usize> = leaves.iter().map(|leaf| schema.get_column_root_idx(*leaf)).collect();
        roots.dedup();
        let mask = ProjectionMask::leaves(schema, leaves);
        let groups = groups
            .into_iter()
            .map(|group| {
                let at = roots.iter().position(|root| *root == group.column);
                (at.expect("a wanted column has a leaf"), group)
            })
            .collect();
        Part { metadata, mask, groups }
    }
}

/// The same file with other types for some columns.
fn typed(
    metadata: &ArrowReaderMetadata,
    type_of: impl Fn(usize, &Field) -> DataType,
) -> Result<ArrowReaderMetadata, ParquetError> {
    let schema = metadata.parquet_schema();
    let int96 = |column: usize| {
        (0..schema.num_columns())
            .filter(|leaf| schema.get_column_root_idx(*leaf) == column)
            .any(|leaf| schema.column(leaf).physical_type() == PhysicalType::INT96)
    };
    let fields = metadata.schema().fields().iter().enumerate().map(|(column, field)| -> FieldRef {
        let data_type = match field.data_type() {
            // Nanoseconds do not reach the years that such files use for "never".
            DataType::Timestamp(TimeUnit::Nanosecond, None) if int96(column) => {
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            _ => type_of(column, field),
        };
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    });
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata.schema().metadata().clone());
    ArrowReaderMetadata::try_new(
        metadata.metadata().clone(),
        ArrowReaderOptions::new().with_schema(Arc::new(schema)),
    )
}

/// Some writers do not mark text as text, so that the reader takes its bytes as they are: here they
/// are looked at, and are text from here on.
///
/// # Errors
/// The first row that holds no UTF-8.
pub(super) fn as_text(array: &ArrayRef) -> Result<ArrayRef, usize> {
    let Some(bytes) = array.as_binary_opt::<i32>() else { return Ok(array.clone()) };
    match StringArray::try_from_binary(bytes.clone()) {
        Ok(texts) => Ok(Arc::new(texts)),
        Err(_) => {
            let is_no_text = |value: Option<&[u8]>| value.is_some_and(|it| std::str::from_utf8(it).is_err());
            Err(bytes.iter().position(is_no_text).unwrap_or(0))
        }
    }
}

/// A text column of few different values is read as the dictionary that it is; another one as views
/// into the pages.
fn key_type(metadata: &ArrowReaderMetadata, column: usize) -> DataType {
    let schema = metadata.parquet_schema();
    let is_dictionary = |row_group: &RowGroupMetaData| {
        let chunks = row_group.columns().iter().enumerate();
        let mut chunks = chunks.filter(|(leaf, _)| schema.get_column_root_idx(*leaf) == column);
        chunks.all(|(_, chunk)| {
            chunk.page_encoding_stats_mask().is_some_and(|pages| {
                pages.is_only(Encoding::RLE_DICTIONARY) || pages.is_only(Encoding::PLAIN_DICTIONARY)
            })
        })
    };
    let row_groups = metadata.metadata().row_groups();
    if !row_groups.is_empty() && row_groups.iter().all(is_dictionary) {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    } else {
        DataType::Utf8View
    }
}

/// Says no to a type that no field has, and to a path that leads nowhere.
fn check(group: &Group, field: &Field, shown: &str) -> Result<(), SourceError> {
    let wrong = |message: String| SourceError::Malformed { place: shown.to_owned(), message };
    for (_, whole) in &group.fields {
        let (mut name, mut data_type, mut path) = (field.name().clone(), field.data_type(), whole.as_slice());
        while let (DataType::Struct(members), [key, rest @ ..]) = (data_type, path) {
            let Some(member) = members.iter().find(|member| member.name() == key) else {
                let members: Vec<&str> = members.iter().map(|member| member.name().as_str()).collect();
                return Err(wrong(format!("{name} has no member {key}; members: {}", members.join(", "))));
            };
            (name, data_type, path) = (format!("{name}.{key}"), member.data_type(), rest);
        }
        let is_text = match data_type {
            DataType::Utf8 | DataType::Null => true,
            // Members of structs are not looked at: see `as_text`.
            DataType::Binary => path.len() == whole.len(),
            _ => false,
        };
        if !path.is_empty() && !is_text {
            return Err(wrong(format!(
                "{name} is {data_type}, which has nothing below it: {}",
                path.join(".")
            )));
        }
        if !is_text && !is_readable(data_type) {
            return Err(wrong(format!(
                "{name} is {data_type}, which cannot be read: write it as text, integer, decimal(38), timestamp, \
                 date, boolean or uuid"
            )));
        }
    }
    Ok(())
}

fn is_readable(data_type: &DataType) -> bool {
    let whole = data_type.is_integer();
    whole
        || matches!(
            data_type,
            DataType::FixedSizeBinary(16)
                | DataType::Float32
                | DataType::Float64
                | DataType::Decimal128(_, _)
                | DataType::Timestamp(_, _)
                | DataType::Date32
                | DataType::Boolean
        )
}

/// The Parquet reader panics over some damaged files; that is an error of the file, not of the program.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let contradiction = || ParquetError::General("its parts contradict each other".to_owned());
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(contradiction()))
}

/// What the Parquet reader says, with the file and the way out.
pub(in crate::source) fn damaged(file: &InputFile, error: &ParquetError) -> SourceError {
    let said = error.to_string();
    let message = if said.contains("encrypt") {
        "is encrypted, and no key is known: write it without encryption".to_owned()
    } else if std::fs::metadata(&file.path).is_ok_and(|about| about.len() == 0) {
        "has no bytes at all, as an export that failed leaves it: write it again".to_owned()
    } else {
        format!("cannot be read as Parquet ({said}): the file is damaged or cut off; write it again")
    };
    SourceError::Malformed { place: file.shown.clone(), message }
}
