//! Rows of one table as Arrow columns, and the Parquet file that takes them.

use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::{BooleanBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::tables::{Column, Holds};

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

enum Builder {
    Text(StringBuilder),
    Number(Int64Builder),
    Time(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
}

/// Rows of one table, column by column.
pub(super) struct Columns {
    builders: Vec<Builder>,
    schema: SchemaRef,
    next: usize,
}

impl Columns {
    pub(super) fn new(table: &[Column]) -> Columns {
        let builder = |column: &Column| match column.holds {
            Holds::Number => Builder::Number(Int64Builder::new()),
            Holds::Time => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Holds::Flag => Builder::Flag(BooleanBuilder::new()),
            Holds::Id | Holds::Text | Holds::Json => Builder::Text(StringBuilder::new()),
        };
        Columns { builders: table.iter().map(builder).collect(), schema: schema_of(table), next: 0 }
    }

    fn next(&mut self) -> &mut Builder {
        self.next += 1;
        &mut self.builders[self.next - 1]
    }

    pub(super) fn null(&mut self) {
        match self.next() {
            Builder::Text(column) => column.append_null(),
            Builder::Number(column) => column.append_null(),
            Builder::Time(column) => column.append_null(),
            Builder::Flag(column) => column.append_null(),
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        match self.next() {
            Builder::Text(column) => column.append_value(text),
            _ => unreachable!("text goes into a column of text: the tables say which is which"),
        }
    }

    pub(super) fn uuid(&mut self, id: u128) {
        let mut buffer = [0; 36];
        self.text(uuid::Uuid::from_u128(id).hyphenated().encode_lower(&mut buffer));
    }

    /// A number, or a time in UTC microseconds.
    pub(super) fn number(&mut self, number: i64) {
        match self.next() {
            Builder::Number(column) => column.append_value(number),
            Builder::Time(column) => column.append_value(number),
            _ => unreachable!("a number goes into a column of numbers: the tables say which is which"),
        }
    }

    pub(super) fn flag(&mut self, flag: bool) {
        match self.next() {
            Builder::Flag(column) => column.append_value(flag),
            _ => unreachable!("a flag goes into a column of flags: the tables say which is which"),
        }
    }

    pub(super) fn end(&mut self) {
        debug_assert_eq!(self.next, self.builders.len(), "a row has a cell in every column");
        self.next = 0;
    }

    /// All rows.
    pub(super) fn finish(self) -> Result<RecordBatch, ArrowError> {
        let column = |builder: Builder| -> ArrayRef {
            match builder {
                Builder::Text(mut column) => Arc::new(column.finish()),
                Builder::Number(mut column) => Arc::new(column.finish()),
                Builder::Time(mut column) => Arc::new(column.finish()),
                Builder::Flag(mut column) => Arc::new(column.finish()),
            }
        };
        RecordBatch::try_new(self.schema, self.builders.into_iter().map(column).collect())
    }
}

fn schema_of(table: &[Column]) -> SchemaRef {
    let field = |column: &Column| {
        let data_type = match column.holds {
            Holds::Number => DataType::Int64,
            Holds::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Holds::Flag => DataType::Boolean,
            Holds::Id | Holds::Text | Holds::Json => DataType::Utf8,
        };
        Field::new(column.name, data_type, column.name != "id")
    };
    Arc::new(Schema::new(table.iter().map(field).collect::<Vec<_>>()))
}

/// A Parquet file that is being written: the same rows give the same bytes.
pub(super) struct ParquetFile(ArrowWriter<File>);

impl ParquetFile {
    /// # Errors
    /// The disk.
    pub(super) fn create(file: File, table: &[Column]) -> Result<ParquetFile, ParquetError> {
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("reckon version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(GROUP_ROWS));
        // Values that are all different have no use for a dictionary.
        for column in table.iter().filter(|column| column.is_unlike) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(column.name), false);
        }
        let options =
            ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        ArrowWriter::try_new_with_options(file, schema_of(table), options).map(ParquetFile)
    }

    /// # Errors
    /// The disk.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        self.0.write(rows)
    }

    /// # Errors
    /// The disk.
    pub(super) fn finish(self) -> Result<(), ParquetError> {
        self.0.close().map(drop)
    }
}
