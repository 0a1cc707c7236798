//! `findings.parquet` and `dispositions.parquet`.
//!
//! Both are written so that the same rows give the same bytes: fixed row groups and compression, no name
//! of a writer but this program's. Types: ids and words are text (several ids joined with `;`
//! as in the CSV), tokens `decimal(38, 0)` so that no sum can leave their range, times microseconds
//! in UTC, `lag_seconds` `decimal(20, 6)`. Unknown is null.

mod dispositions;

use std::io::Write;
use std::sync::Arc;

use super::csv::FINDING_COLUMNS;
use super::place::{PlaceError, StagedFile, WrittenFile};
use crate::domain::{Finding, Instant, RowId};
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::{ArrayBuilder, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

pub use dispositions::{DISPOSITION_COLUMNS, dispositions};

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

/// Rows that are built at a time.
const BATCH_ROWS: usize = 1 << 14;

/// What wrote the files.
const CREATED_BY: &str = concat!("reckon version ", env!("CARGO_PKG_VERSION"));

/// Writes a file of a run with [`findings`] or [`dispositions`].
///
/// # Errors
/// When the file cannot be written.
pub fn to_file(
    file: StagedFile,
    write: impl FnOnce(StagedFile) -> Result<StagedFile, ParquetError>,
) -> Result<WrittenFile, PlaceError> {
    let path = file.path().to_owned();
    let file = write(file).map_err(|error| {
        let cause = match error {
            ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
                Ok(cause) => *cause,
                Err(cause) => std::io::Error::other(cause),
            },
            other => std::io::Error::other(other),
        };
        PlaceError::write(&path, cause)
    })?;
    file.finish()
}

/// Writes `findings.parquet`, the columns of `findings.csv` with their types, and gives `out` back.
///
/// # Errors
/// When `out` cannot be written.
pub fn findings<W: Write + Send>(findings: &[Finding], out: W) -> Result<W, ParquetError> {
    let schema = Arc::new(Schema::new(FINDING_COLUMNS.map(finding_field).to_vec()));
    let mut writer = open(out, &schema, &["finding_id", "legacy_ids", "unified_ids", "evidence"])?;
    for chunk in findings.chunks(BATCH_ROWS) {
        let mut columns = FindingColumns::default();
        chunk.iter().for_each(|finding| columns.add(finding));
        writer.write(&RecordBatch::try_new(schema.clone(), columns.finish())?)?;
    }
    writer.into_inner()
}

/// A writer whose output depends on the rows alone. `unlike` are columns whose values are mostly all
/// different, for which a dictionary is in the way.
fn open<W: Write + Send>(
    out: W,
    schema: &SchemaRef,
    unlike: &[&str],
) -> Result<ArrowWriter<W>, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for column in unlike {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    // An embedded Arrow schema says nothing more than the columns do.
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(out, schema.clone(), options)
}

fn finding_field(column: &str) -> Field {
    let data_type = match column {
        "tokens_legacy" | "tokens_unified" | "tokens_effect" => TOKENS,
        "lag_seconds" => SECONDS,
        "created_at_legacy" | "created_at_unified" => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        _ => DataType::Utf8,
    };
    Field::new(column, data_type, true)
}

const TOKENS: DataType = DataType::Decimal128(38, 0);
const SECONDS: DataType = DataType::Decimal128(20, 6);

/// Some rows of `findings.parquet`, column by column.
struct FindingColumns {
    /// In the order of the columns of text.
    texts: Vec<StringBuilder>,
    tokens: [Decimal128Builder; 3],
    times: [TimestampMicrosecondBuilder; 2],
    lag: Decimal128Builder,
    /// The texts of a row's ids while it is added.
    ids: [String; 3],
}

impl Default for FindingColumns {
    fn default() -> Self {
        let times = || TimestampMicrosecondBuilder::new().with_timezone("UTC");
        let tokens = || Decimal128Builder::new().with_data_type(TOKENS);
        FindingColumns {
            texts: (0..FINDING_COLUMNS.len() - 6).map(|_| StringBuilder::new()).collect(),
            tokens: [tokens(), tokens(), tokens()],
            times: [times(), times()],
            lag: Decimal128Builder::new().with_data_type(SECONDS),
            ids: Default::default(),
        }
    }
}

impl FindingColumns {
    fn add<'f>(&mut self, finding: &'f Finding) {
        let mut ids = std::mem::take(&mut self.ids);
        let lists = [finding.user.as_slice(), &finding.legacy_ids, &finding.unified_ids];
        ids.iter_mut().zip(lists).for_each(|(text, ids)| join(text, ids));
        let [user, legacy_ids, unified_ids] = &ids;
        let known = |text: &'f Option<String>| text.as_deref().unwrap_or_default();
        let texts = [
            finding.id.0.as_str(),
            finding.class.name(),
            finding.severity.name(),
            user,
            legacy_ids,
            unified_ids,
            known(&finding.action_legacy),
            known(&finding.action_expected),
            known(&finding.action_unified),
            finding.rule.name(),
            finding.verdict.name(),
            finding.confidence.name(),
            &finding.cause,
            &finding.evidence,
            finding.repair.name(),
            finding.status.name(),
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option((!text.is_empty()).then_some(text));
        }
        self.ids = ids;
        let tokens = [finding.tokens_legacy, finding.tokens_unified, finding.tokens_effect];
        self.tokens.iter_mut().zip(tokens).for_each(|(column, tokens)| column.append_option(tokens));
        let times = [finding.created_at_legacy, finding.created_at_unified];
        let micros = |at: Option<Instant>| at.map(|at| at.0);
        self.times.iter_mut().zip(times).for_each(|(column, at)| column.append_option(micros(at)));
        self.lag.append_option(finding.lag.map(|lag| i128::from(lag.0)));
    }

    fn finish(self) -> Vec<ArrayRef> {
        let mut texts = self.texts.into_iter();
        let mut tokens = self.tokens.into_iter();
        let mut times = self.times.into_iter();
        let mut lag = Some(self.lag);
        let mut next = |column: &str| -> Option<Box<dyn ArrayBuilder>> {
            Some(match finding_field(column).data_type() {
                DataType::Utf8 => Box::new(texts.next()?),
                DataType::Timestamp(_, _) => Box::new(times.next()?),
                _ if column == "lag_seconds" => Box::new(lag.take()?),
                _ => Box::new(tokens.next()?),
            })
        };
        let column = |column| next(column).expect("as many builders as columns").finish();
        FINDING_COLUMNS.into_iter().map(column).collect()
    }
}

/// Puts ids into a text, parted by semicolons.
fn join(text: &mut String, ids: &[RowId]) {
    text.clear();
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            text.push(';');
        }
        id.with_text(|id| text.push_str(id));
    }
}

#[cfg(test)]
mod tests;
