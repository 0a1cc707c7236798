//! `dispositions.parquet`: by far the longest file of a run.
//!
//! Ids are hexadecimal text that hardly compresses, so they are not compressed: row ids ascend and are
//! written without what they share with the id before, pair ids one behind the other. Row groups are made
//! side by side on all cores and written in order, so that the bytes do not depend on how many there are.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::CREATED_BY;
use crate::audit::Audit;
use crate::domain::{Books, Disposition, Pair, RowId};
use crate::sha256::sha256;

/// Columns of `dispositions.parquet`, in order.
pub const DISPOSITION_COLUMNS: [&str; 5] = ["side", "row_id", "disposition", "pair_id", "finding_id"];

/// Rows of a row group: enough groups for the cores to share evenly.
const GROUP_ROWS: usize = 1 << 17;

/// Rows that are built at a time.
const BATCH_ROWS: usize = 1 << 13;

/// Letters of a UUID.
const UUID_LETTERS: usize = Hyphenated::LENGTH;

/// Pairs whose ids are gathered at a time, before any is digested.
const GATHERED_PAIRS: usize = 256;

/// Writes `dispositions.parquet`: every row of [`Audit::dispositions`], in their order. `pair_id` is
/// the first 16 hexadecimal digits of SHA-256 over `pair`, the legacy id and the unified id, parted
/// by zero bytes. Gives `out` back.
///
/// # Errors
/// When `out` cannot be written.
pub fn dispositions<W: Write + Send>(audit: &Audit, books: &Books, out: W) -> Result<W, ParquetError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let is_known = |column: &str| column == "pair_id" || column == "finding_id";
    let fields = DISPOSITION_COLUMNS.map(|column| Field::new(column, DataType::Utf8, is_known(column)));
    let schema: SchemaRef = Arc::new(Schema::new(fields.to_vec()));
    let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(out, schema.clone(), options)?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let rows = Rows { audit, books, pair_ids: pair_ids(&audit.pairs, books, cores), schema };
    let groups: Vec<&[Disposition]> = audit.dispositions.rows().chunks(GROUP_ROWS).collect();
    let workers = cores.min(groups.len());
    std::thread::scope(|scope| {
        let encode = |first| -> Receiver<Result<Vec<ArrowColumnChunk>, ParquetError>> {
            let (give, take) = mpsc::sync_channel(1);
            let (rows, groups, factory) = (&rows, &groups, &factory);
            scope.spawn(move || {
                for at in (first..groups.len()).step_by(workers) {
                    // Nobody takes it any more once the file has failed.
                    if give.send(rows.encode(at, groups[at], factory)).is_err() {
                        break;
                    }
                }
            });
            take
        };
        let encoders: Vec<_> = (0..workers).map(encode).collect();
        for at in 0..groups.len() {
            let gone = |_| ParquetError::General("a row group was not made".to_owned());
            let chunks = encoders[at % workers].recv().map_err(gone)??;
            let mut group = file.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
        }
        Ok::<_, ParquetError>(())
    })?;
    file.into_inner()
}

fn properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::None)
        // Ids ascend, so that least and greatest tell a reader which group holds one.
        .set_column_statistics_enabled(column("row_id"), EnabledStatistics::Chunk)
        .set_column_encoding(column("row_id"), Encoding::DELTA_BYTE_ARRAY)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for name in ["pair_id", "finding_id"] {
        properties = properties.set_column_encoding(column(name), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    }
    for name in ["row_id", "pair_id", "finding_id"] {
        properties = properties.set_column_dictionary_enabled(column(name), false);
    }
    properties.build()
}

/// What the rows of the file are drawn from.
struct Rows<'a> {
    audit: &'a Audit,
    books: &'a Books,
    /// By pair.
    pair_ids: Vec<u64>,
    schema: SchemaRef,
}

impl Rows<'_> {
    /// The row group of this number.
    fn encode(
        &self,
        group: usize,
        rows: &[Disposition],
        factory: &ArrowRowGroupWriterFactory,
    ) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let mut writers = factory.create_column_writers(group)?;
        for rows in rows.chunks(BATCH_ROWS) {
            let columns = self.columns(rows)?;
            for ((writer, field), column) in writers.iter_mut().zip(self.schema.fields()).zip(&columns) {
                for leaf in compute_leaves(field, column)? {
                    writer.write(&leaf)?;
                }
            }
        }
        writers.into_iter().map(ArrowColumnWriter::close).collect()
    }

    fn columns(&self, rows: &[Disposition]) -> Result<[ArrayRef; 5], ParquetError> {
        let mut columns: [Texts; 5] = std::array::from_fn(|_| Texts::for_rows(rows.len()));
        let [side, row_id, disposition, pair_id, finding_id] = &mut columns;
        // Partners lie anywhere in memory: fetched in one go, their ways overlap.
        let of_pair = |row: &Disposition| row.pair.map(|pair| self.pair_ids[pair as usize]);
        let pairs: Vec<Option<u64>> = rows.iter().map(of_pair).collect();
        for (row, pair) in rows.iter().zip(pairs) {
            side.push(row.side.name().as_bytes());
            row_id.push_id(self.audit.dispositions.id(self.books, row));
            disposition.push(row.outcome.name().as_bytes());
            match pair {
                Some(pair) => pair_id.push(&hexadecimal(pair)),
                None => pair_id.push_null(),
            }
            match row.finding {
                Some(finding) => finding_id.push(self.audit.findings[finding as usize].id.0.as_bytes()),
                None => finding_id.push_null(),
            }
        }
        let [side, row_id, disposition, pair_id, finding_id] = columns.map(Texts::finish);
        Ok([side?, row_id?, disposition?, pair_id?, finding_id?])
    }
}

/// A column of texts that is written byte by byte, without a text a row.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Texts {
    fn for_rows(rows: usize) -> Texts {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Texts { bytes: Vec::with_capacity(rows * 36), ends, nulls: NullBufferBuilder::new(rows) }
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.nulls.append_non_null();
        self.end();
    }

    fn push_id(&mut self, id: &RowId) {
        push_id(&mut self.bytes, id);
        self.nulls.append_non_null();
        self.end();
    }

    fn push_null(&mut self) {
        self.nulls.append_null();
        self.end();
    }

    fn end(&mut self) {
        self.ends.push(i32::try_from(self.bytes.len()).expect("a batch of ids is shorter than 2 GB"));
    }

    fn finish(mut self) -> Result<ArrayRef, ParquetError> {
        let ends = OffsetBuffer::new(self.ends.into());
        Ok(Arc::new(StringArray::try_new(ends, Buffer::from_vec(self.bytes), self.nulls.finish())?))
    }
}

/// Adds the text of an id; the digits of a UUID are written where they belong.
fn push_id(bytes: &mut Vec<u8>, id: &RowId) {
    match id {
        RowId::Uuid(id) => {
            let at = bytes.len();
            bytes.extend_from_slice(&[0; UUID_LETTERS]);
            Uuid::from_bytes(*id).hyphenated().encode_lower(&mut bytes[at..]);
        }
        RowId::Text(text) => bytes.extend_from_slice(text.as_bytes()),
    }
}

/// Sixteen digits.
fn hexadecimal(bits: u64) -> [u8; 16] {
    std::array::from_fn(|at| b"0123456789abcdef"[(bits >> (60 - 4 * at)) as usize & 15])
}

/// The first 64 bits of each pair's digest.
fn pair_ids(pairs: &[Pair], books: &Books, cores: usize) -> Vec<u64> {
    let mut ids = vec![0; pairs.len()];
    let share = pairs.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        for (pairs, ids) in pairs.chunks(share).zip(ids.chunks_mut(share)) {
            scope.spawn(move || digest_pairs(pairs, books, ids));
        }
    });
    ids
}

/// Unified rows lie anywhere in memory: so many are fetched in one go that their ways overlap.
fn digest_pairs(pairs: &[Pair], books: &Books, ids: &mut [u64]) {
    let (mut fetched, mut text) = (Vec::with_capacity(GATHERED_PAIRS), Vec::new());
    let (legacy, unified) = (&books.legacy.entries, &books.unified.entries);
    for (pairs, ids) in pairs.chunks(GATHERED_PAIRS).zip(ids.chunks_mut(GATHERED_PAIRS)) {
        fetched.clear();
        fetched.extend(pairs.iter().map(|pair| match unified[pair.unified as usize].id {
            RowId::Uuid(id) => Some(id),
            RowId::Text(_) => None,
        }));
        for ((pair, uuid), id) in pairs.iter().zip(&fetched).zip(ids) {
            text.clear();
            text.extend_from_slice(b"pair\0");
            push_id(&mut text, &legacy[pair.legacy as usize].id);
            text.push(0);
            match uuid {
                Some(uuid) => push_id(&mut text, &RowId::Uuid(*uuid)),
                None => push_id(&mut text, &unified[pair.unified as usize].id),
            }
            *id = sha256(&text).first_bits();
        }
    }
}
