//! `dispositions.parquet`: by far the longest file of a run.
//!
//! Ids are hexadecimal text that hardly compresses, so they are not compressed: row ids ascend and are
//! written without what they share with the id before, pair ids one behind the other. Row groups are made
//! side by side on all cores and written in order, so that the bytes do not depend on how many there are.

use std::io::Write;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::ColumnPath;
use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::CREATED_BY;
use crate::audit::{Audit, pair_ids};
use crate::cores;
use crate::domain::{Books, Disposition, FindingId, Outcome, RowId, Side};
use crate::normalise::{InOrder, SettledRow, SettledRows};

/// Columns of `dispositions.parquet`, in order.
pub const DISPOSITION_COLUMNS: [&str; 5] = ["side", "row_id", "disposition", "pair_id", "finding_id"];

/// Rows of a row group: enough groups for the cores to share evenly.
const GROUP_ROWS: usize = 1 << 17;

/// Rows that are built at a time.
const BATCH_ROWS: usize = 1 << 13;

/// Writes `dispositions.parquet`: every row of [`Audit::dispositions`] and every settled row, legacy first,
/// ascending by id. `pair_id` is that of [`pair_ids`] in sixteen hexadecimal digits. Gives `out` back.
///
/// # Errors
/// When `out` cannot be written, or the settled rows cannot be read.
pub fn dispositions<W: Write + Send>(
    audit: &Audit,
    books: &Books,
    settled: Option<&SettledRows>,
    out: W,
) -> Result<W, ParquetError> {
    let cores = cores::count();
    let is_known = |column: &str| column == "pair_id" || column == "finding_id";
    let fields = DISPOSITION_COLUMNS.map(|column| Field::new(column, DataType::Utf8, is_known(column)));
    let schema: SchemaRef = Arc::new(Schema::new(fields.to_vec()));
    let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(out, schema.clone(), options)?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let rows = Rows { audit, books, pair_ids: pair_ids(&audit.pairs, books), schema };
    match settled {
        None => rows.write(&factory, &mut file, cores)?,
        Some(settled) => rows.write_with(settled, &factory, &mut file, cores)?,
    }
    file.into_inner()
}

type OpenFile<W> = SerializedFileWriter<W>;

fn add_group<W: Write + Send>(
    file: &mut OpenFile<W>,
    chunks: Vec<ArrowColumnChunk>,
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for chunk in chunks {
        chunk.append_to_row_group(&mut group)?;
    }
    group.close()?;
    Ok(())
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

/// A row of the file.
#[derive(Debug)]
struct Line<'a> {
    side: Side,
    id: &'a RowId,
    outcome: Outcome,
    pair: Option<u64>,
    finding: Option<&'a FindingId>,
}

impl<'a> Rows<'a> {
    /// Row groups are made on all cores and written in order.
    fn write<W: Write + Send>(
        &self,
        factory: &ArrowRowGroupWriterFactory,
        file: &mut OpenFile<W>,
        cores: usize,
    ) -> Result<(), ParquetError> {
        let groups: Vec<&[Disposition]> = self.audit.dispositions.rows().chunks(GROUP_ROWS).collect();
        let workers = cores.min(groups.len());
        std::thread::scope(|scope| {
            let encode = |first| -> Receiver<Result<Vec<ArrowColumnChunk>, ParquetError>> {
                let (give, take) = mpsc::sync_channel(1);
                let groups = &groups;
                scope.spawn(move || {
                    for at in (first..groups.len()).step_by(workers) {
                        let batches =
                            groups[at].chunks(BATCH_ROWS).map(|rows| self.columns(&self.lines(rows)));
                        // Nobody takes it any more once the file has failed.
                        if give.send(self.encode(at, batches, factory)).is_err() {
                            break;
                        }
                    }
                });
                take
            };
            let encoders: Vec<_> = (0..workers).map(encode).collect();
            for at in 0..groups.len() {
                let gone = |_| ParquetError::General("a row group was not made".to_owned());
                add_group(file, encoders[at % workers].recv().map_err(gone)??)?;
            }
            Ok(())
        })
    }

    /// The same with rows that come out of files, so many groups at a time as there are cores.
    fn write_with<W: Write + Send>(
        &self,
        settled: &SettledRows,
        factory: &ArrowRowGroupWriterFactory,
        file: &mut OpenFile<W>,
        cores: usize,
    ) -> Result<(), ParquetError> {
        let mut rows = Merged::new(self, settled)?.peekable();
        let mut number = 0;
        while rows.peek().is_some() {
            let mut groups: Vec<Vec<AnyRow>> = Vec::with_capacity(cores);
            for _ in 0..cores {
                groups.push(rows.by_ref().take(GROUP_ROWS).collect::<Result<_, _>>()?);
            }
            groups.retain(|group| !group.is_empty());
            let encode = |(at, group): (usize, &Vec<AnyRow>)| {
                let batches = group.chunks(BATCH_ROWS).map(|rows| {
                    let lines: Vec<Line<'_>> = rows.iter().map(|row| self.any_line(row)).collect();
                    self.columns(&lines)
                });
                self.encode(number + at, batches, factory)
            };
            let made = cores::each(groups.iter().enumerate(), encode);
            number += made.len();
            made.into_iter().try_for_each(|chunks| add_group(file, chunks?))?;
        }
        Ok(())
    }

    /// The row group of this number.
    fn encode(
        &self,
        group: usize,
        batches: impl Iterator<Item = Result<[ArrayRef; 5], ParquetError>>,
        factory: &ArrowRowGroupWriterFactory,
    ) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let mut writers = factory.create_column_writers(group)?;
        for columns in batches {
            for ((writer, field), column) in writers.iter_mut().zip(self.schema.fields()).zip(&columns?) {
                for leaf in compute_leaves(field, column)? {
                    writer.write(&leaf)?;
                }
            }
        }
        writers.into_iter().map(ArrowColumnWriter::close).collect()
    }

    fn lines(&self, rows: &[Disposition]) -> Vec<Line<'_>> {
        // Partners lie anywhere in memory: fetched in one go, their ways overlap.
        let of_pair = |row: &Disposition| row.pair.map(|pair| self.pair_ids[pair as usize]);
        let pairs: Vec<Option<u64>> = rows.iter().map(of_pair).collect();
        rows.iter().zip(pairs).map(|(row, pair)| Line { pair, ..self.line(row) }).collect()
    }

    /// The line of a row, but for its pair.
    fn line(&self, row: &Disposition) -> Line<'_> {
        let finding = row.finding.map(|finding| &self.audit.findings[finding as usize].id);
        let id = self.audit.dispositions.id(self.books, row);
        Line { side: row.side, id, outcome: row.outcome, pair: None, finding }
    }

    fn any_line<'r>(&'r self, row: &'r AnyRow) -> Line<'r> {
        match row {
            AnyRow::Open(row) => {
                Line { pair: row.pair.map(|pair| self.pair_ids[pair as usize]), ..self.line(row) }
            }
            AnyRow::Settled(side, row) => {
                Line { side: *side, id: &row.id, outcome: row.outcome, pair: row.pair, finding: None }
            }
        }
    }

    fn columns(&self, lines: &[Line<'_>]) -> Result<[ArrayRef; 5], ParquetError> {
        let mut columns: [Texts; 5] = std::array::from_fn(|_| Texts::for_rows(lines.len()));
        let [side, row_id, disposition, pair_id, finding_id] = &mut columns;
        for line in lines {
            side.push(line.side.name().as_bytes());
            row_id.push_id(line.id);
            disposition.push(line.outcome.name().as_bytes());
            match line.pair {
                Some(pair) => pair_id.push(&hexadecimal(pair)),
                None => pair_id.push_null(),
            }
            match line.finding {
                Some(finding) => finding_id.push(finding.0.as_bytes()),
                None => finding_id.push_null(),
            }
        }
        let [side, row_id, disposition, pair_id, finding_id] = columns.map(Texts::finish);
        Ok([side?, row_id?, disposition?, pair_id?, finding_id?])
    }
}

/// A row that is in the books, or one that was settled.
#[derive(Debug)]
enum AnyRow {
    Open(Disposition),
    Settled(Side, SettledRow),
}

/// Rows of the books and settled ones, in the order of the file.
struct Merged<'a> {
    rows: &'a Rows<'a>,
    open: Peekable<std::slice::Iter<'a, Disposition>>,
    settled: [Peekable<InOrder<'a>>; 2],
}

impl<'a> Merged<'a> {
    fn new(rows: &'a Rows<'a>, settled: &'a SettledRows) -> Result<Merged<'a>, ParquetError> {
        let of_side = |side| Ok::<_, ParquetError>(settled.in_order(side)?.peekable());
        let settled = [of_side(Side::Legacy)?, of_side(Side::Unified)?];
        Ok(Merged { rows, open: rows.audit.dispositions.rows().iter().peekable(), settled })
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<AnyRow, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        for side in [Side::Legacy, Side::Unified] {
            let open = self.open.peek().filter(|row| row.side == side);
            let settled = &mut self.settled[side as usize];
            let takes_open = match (open, settled.peek()) {
                (None, None) => continue,
                (Some(_), None) => true,
                (Some(open), Some(Ok(row))) => {
                    *self.rows.audit.dispositions.id(self.rows.books, open) < row.id
                }
                (_, Some(_)) => false,
            };
            return if takes_open {
                self.open.next().map(|row| Ok(AnyRow::Open(*row)))
            } else {
                Some(settled.next()?.map(|row| AnyRow::Settled(side, row)).map_err(ParquetError::from))
            };
        }
        None
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
        id.push_to(&mut self.bytes);
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

/// Sixteen digits.
fn hexadecimal(bits: u64) -> [u8; 16] {
    std::array::from_fn(|at| b"0123456789abcdef"[(bits >> (60 - 4 * at)) as usize & 15])
}
