//! A stretch of rows of one file: read by one thread, handed over as one chunk.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;

use super::layout::{Layout, Part, as_text, damaged, guarded};
use crate::source::fields::{complete, missing};
use crate::source::request::{KeyChunk, Request, Take};
use crate::source::{Place, Selection, SourceError};

/// Rows of a span at most: what bounds the memory of a thread.
pub(super) const ROWS_MAX: usize = 1 << 17;

/// Row groups smaller than this are read together.
const ROWS_TOGETHER: usize = 1 << 15;

/// Selected rows whose details are decoded at a time: JSON may be long.
const DETAIL_ROWS: usize = 1 << 14;

/// A part of a row group, or several small row groups.
#[derive(Debug)]
pub(super) struct Span<'a> {
    layout: &'a Layout<'a>,
    row_groups: Range<usize>,
    /// Rows of the row groups before the span.
    skip: usize,
    pub rows: usize,
    /// Rows of the file before the span.
    first: u64,
}

/// Divides a file.
pub(super) fn spans<'a>(layout: &'a Layout<'a>, rows_max: usize) -> Vec<Span<'a>> {
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut first = 0;
    for (at, row_group) in layout.row_groups().iter().enumerate() {
        let rows = usize::try_from(row_group.num_rows()).unwrap_or(0);
        let together = ROWS_TOGETHER.min(rows_max);
        match spans.last_mut() {
            Some(last) if last.skip == 0 && last.row_groups.end == at && last.rows + rows <= together => {
                last.row_groups.end = at + 1;
                last.rows += rows;
            }
            _ => spans.extend((0..rows).step_by(rows_max).map(|skip| Span {
                layout,
                row_groups: at..at + 1,
                skip,
                rows: rows_max.min(rows - skip),
                first: first + skip as u64,
            })),
        }
        first += rows as u64;
    }
    spans
}

impl Span<'_> {
    /// Reads the span's rows and hands them over.
    ///
    /// # Errors
    /// What the file or the taker says.
    pub fn read<T: Take>(&self, request: &Request, take: &mut T) -> Result<(), SourceError> {
        let keys = self.fields(&self.layout.keys, request.keys.len(), &Selection::All, self.rows)?;
        let id_is_null = self.missing_ids()?;
        let selection = take.keys(KeyChunk { rows: self.rows, columns: keys, id_is_null })?;
        let numbers: Vec<u64> = match &selection {
            Selection::All => (0..self.rows as u64).map(|row| self.first + row + 1).collect(),
            Selection::Rows(rows) => rows.iter().map(|row| self.first + u64::from(*row) + 1).collect(),
        };
        if numbers.is_empty() {
            return Ok(());
        }
        let details = self.fields(&self.layout.details, request.details.len(), &selection, DETAIL_ROWS)?;
        let place = Place::Rows { file: self.layout.file.shown.clone(), rows: numbers };
        take.details(&selection, &details, place)
    }

    fn missing_ids(&self) -> Result<Option<BooleanBuffer>, SourceError> {
        let row_groups = &self.layout.row_groups()[self.row_groups.clone()];
        match &self.layout.id {
            Some(id) if row_groups.iter().any(|row_group| self.layout.may_miss_id(row_group)) => {
                Ok(missing(self.fields(id, 1, &Selection::All, self.rows)?[0].as_ref()))
            }
            _ => Ok(None),
        }
    }

    /// The arrays of some rows of the span, one a field, decoded `batch` rows at a time.
    fn fields(
        &self,
        part: &Part,
        fields: usize,
        selection: &Selection,
        batch: usize,
    ) -> Result<Vec<ArrayRef>, SourceError> {
        let rows = match selection {
            Selection::All => self.rows,
            Selection::Rows(rows) => rows.len(),
        };
        let failed = |error| damaged(self.layout.file, &error);
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        let mut read = 0;
        let mut reader = guarded(|| self.reader(part, selection, batch)).map_err(failed)?;
        while let Some(batch) = guarded(|| Ok(reader.next().transpose()?)).map_err(failed)? {
            pieces.push(self.deliver(part, fields, selection, read, &batch)?);
            read += batch.num_rows();
        }
        if read != rows {
            let found = format!("{read} rows where its footer promises {rows}");
            return Err(failed(ParquetError::General(found)));
        }
        match pieces.pop() {
            Some(only) if pieces.is_empty() => Ok(only),
            last => {
                pieces.extend(last);
                let column = |at: usize| {
                    let parts: Vec<&dyn Array> = pieces.iter().map(|piece| piece[at].as_ref()).collect();
                    arrow_select::concat::concat(&parts).map_err(|error| failed(error.into()))
                };
                (0..fields).map(column).collect()
            }
        }
    }

    /// The fields of a batch whose first row is the selected row number `read`.
    fn deliver(
        &self,
        part: &Part,
        fields: usize,
        selection: &Selection,
        read: usize,
        batch: &RecordBatch,
    ) -> Result<Vec<ArrayRef>, SourceError> {
        let mut arrays = vec![None; fields];
        let wrong = |row: usize, message: String| {
            let row = match selection {
                Selection::All => (read + row) as u64,
                Selection::Rows(rows) => u64::from(rows[read + row]),
            };
            let place = format!("{} row {}", self.layout.file.shown, self.first + row + 1);
            SourceError::Malformed { place, message }
        };
        for (at, group) in &part.groups {
            let column = as_text(batch.column(*at)).map_err(|row| {
                wrong(
                    row,
                    format!("column {} holds bytes that are not UTF-8: write text as UTF-8", group.name),
                )
            })?;
            group
                .deliver(&column, &mut arrays)
                .map_err(|broken| wrong(broken.row, broken.message(&group.name)))?;
        }
        Ok(complete(arrays))
    }

    fn reader(
        &self,
        part: &Part,
        selection: &Selection,
        batch: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        // A handle of its own: threads that share one would share its position too.
        let file = std::fs::File::open(&self.layout.file.path)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, part.metadata.clone())
            .with_projection(part.mask.clone())
            .with_row_groups(self.row_groups.clone().collect())
            .with_batch_size(batch);
        let selection = match selection {
            Selection::All => self.stretch(),
            Selection::Rows(rows) => Some(self.chosen(rows)),
        };
        match selection {
            Some(selection) => builder.with_row_selection(selection).build(),
            None => builder.build(),
        }
    }

    /// Rows of the row groups, those outside of the span included.
    fn rows_around(&self) -> usize {
        let row_groups = &self.layout.row_groups()[self.row_groups.clone()];
        row_groups.iter().map(|row_group| usize::try_from(row_group.num_rows()).unwrap_or(0)).sum()
    }

    /// The span, where it is not the whole of its row groups.
    fn stretch(&self) -> Option<RowSelection> {
        (self.rows < self.rows_around())
            .then(|| RowSelection::from(vec![RowSelector::skip(self.skip), RowSelector::select(self.rows)]))
    }

    /// Some rows of the span.
    fn chosen(&self, rows: &[u32]) -> RowSelection {
        let mut mask = BooleanBufferBuilder::new(self.rows_around());
        mask.append_n(self.rows_around(), false);
        for row in rows {
            mask.set_bit(self.skip + *row as usize, true);
        }
        RowSelection::from_boolean_buffer(mask.finish())
    }
}
