//! `findings.parquet` and `dispositions.parquet`.
//!
//! Both are written so that the same rows give the same bytes: fixed row groups, one compression, no
//! name of a writer but this program's. Types: ids and words are text (several ids joined with `;`
//! as in the CSV), tokens `decimal(38, 0)` so that no sum can leave their range, times microseconds
//! in UTC, `lag_seconds` `decimal(20, 6)`. Unknown is null.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::{ArrayBuilder, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sha2::{Digest, Sha256};

use super::csv::FINDING_COLUMNS;
use super::place::{PlaceError, StagedFile, WrittenFile};
use crate::audit::Audit;
use crate::domain::{Books, Disposition, Finding, Instant, RowId};

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

/// Rows that are built at a time.
const BATCH_ROWS: usize = 1 << 14;

/// Columns of `dispositions.parquet`, in order.
pub const DISPOSITION_COLUMNS: [&str; 5] = ["side", "row_id", "disposition", "pair_id", "finding_id"];

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

/// Writes `dispositions.parquet`: every row of [`Audit::dispositions`], in their order. `pair_id` is
/// the first 16 hexadecimal digits of SHA-256 over `pair`, the legacy id and the unified id, parted
/// by zero bytes. Gives `out` back.
///
/// # Errors
/// When `out` cannot be written.
pub fn dispositions<W: Write + Send>(audit: &Audit, books: &Books, out: W) -> Result<W, ParquetError> {
    let is_known = |column: &str| column == "pair_id" || column == "finding_id";
    let fields = DISPOSITION_COLUMNS.map(|column| Field::new(column, DataType::Utf8, is_known(column)));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let mut writer = open(out, &schema, &["row_id", "pair_id", "finding_id"])?;
    let pairs = pair_ids(audit, books);
    for chunk in audit.dispositions.chunks(BATCH_ROWS) {
        let batch = disposition_batch(chunk, &pairs, &audit.findings, &schema)?;
        writer.write(&batch)?;
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
        .set_created_by(concat!("reckon version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
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
        }
    }
}

impl FindingColumns {
    fn add(&mut self, finding: &Finding) {
        let Finding { legacy_ids, unified_ids, .. } = finding;
        let user = finding.user.as_ref().map(RowId::to_string).unwrap_or_default();
        let (legacy_ids, unified_ids) = (joined(legacy_ids), joined(unified_ids));
        let known = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let texts = [
            finding.id.0.as_str(),
            finding.class.name(),
            finding.severity.name(),
            &user,
            &legacy_ids,
            &unified_ids,
            &known(&finding.action_legacy),
            &known(&finding.action_expected),
            &known(&finding.action_unified),
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

fn joined(ids: &[RowId]) -> String {
    match ids {
        [only] => only.to_string(),
        ids => ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";"),
    }
}

/// Sixteen hexadecimal digits a pair.
fn pair_ids(audit: &Audit, books: &Books) -> Vec<[u8; 16]> {
    let id = |hash: &mut Sha256, id: &RowId| {
        id.with_text(|text| {
            hash.update(b"\0");
            hash.update(text);
        });
    };
    let pair_id = |pair: &crate::domain::Pair| {
        let mut hash = Sha256::new_with_prefix("pair");
        id(&mut hash, &books.legacy.entries[pair.legacy as usize].id);
        id(&mut hash, &books.unified.entries[pair.unified as usize].id);
        let digest = hash.finalize();
        std::array::from_fn(|at| b"0123456789abcdef"[usize::from(digest[at / 2] >> (4 * (1 - at % 2)) & 15)])
    };
    audit.pairs.iter().map(pair_id).collect()
}

fn disposition_batch(
    rows: &[Disposition],
    pairs: &[[u8; 16]],
    findings: &[Finding],
    schema: &SchemaRef,
) -> Result<RecordBatch, ParquetError> {
    let mut columns: [StringBuilder; 5] =
        std::array::from_fn(|_| StringBuilder::with_capacity(rows.len(), rows.len() * 16));
    let [side, row_id, disposition, pair_id, finding_id] = &mut columns;
    for row in rows {
        side.append_value(row.side.name());
        row.row.with_text(|text| row_id.append_value(text));
        disposition.append_value(row.outcome.name());
        let pair = row.pair.map(|pair| pairs[pair as usize]);
        pair_id.append_option(pair.as_ref().map(|pair| std::str::from_utf8(pair).expect("digits")));
        finding_id.append_option(row.finding.map(|finding| findings[finding as usize].id.0.as_str()));
    }
    let columns = columns.map(|mut column| Arc::new(column.finish()) as ArrayRef);
    Ok(RecordBatch::try_new(schema.clone(), columns.to_vec())?)
}

#[cfg(test)]
mod tests;
