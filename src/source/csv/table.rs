//! The fields of a block of records.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use csv_core::ReadRecordResult;

use super::cut::Block;
use crate::source::SourceError;

/// All fields of all records of a block, without their quotes, one behind the other.
#[derive(Debug)]
pub(super) struct Table {
    block: Block,
    /// Where each record begins in the block.
    starts: Vec<u32>,
    /// Contents of the fields.
    contents: Vec<u8>,
    /// Where each field ends in the contents, row by row, after a leading 0.
    ends: Vec<u32>,
    width: usize,
}

impl Table {
    /// Reads the records of a block.
    ///
    /// # Errors
    /// A record that has not `width` fields, or text that is not UTF-8: names file and line.
    pub fn read(block: Block, delimiter: u8, width: usize, shown: &str) -> Result<Table, SourceError> {
        let mut table = Table { block, starts: Vec::new(), contents: Vec::new(), ends: vec![0], width };
        if let Err(error) = std::str::from_utf8(&table.block.text) {
            return Err(table.wrong(
                error.valid_up_to(),
                shown,
                "text that is not UTF-8: save the file as UTF-8",
            ));
        }
        let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        // A reader takes a byte-order mark off its first input; within a file that would be data.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        table.contents.resize(table.block.text.len(), 0);
        // One end more than there may be, so that a field too much shows.
        let mut ends = vec![0; width + 1];
        let (mut at, mut filled) = (0, 0);
        loop {
            let text = &table.block.text;
            at += text[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if at == text.len() {
                break;
            }
            let (result, read, written, fields) =
                reader.read_record(&text[at..], &mut table.contents[filled..], &mut ends);
            if !matches!(result, ReadRecordResult::Record) || fields != width {
                let found = count_fields(&text[at..], delimiter);
                let message = format!("{found} fields where the header has {width}; {ADVICE}");
                return Err(table.wrong(at, shown, &message));
            }
            table.starts.push(offset(at));
            table.ends.extend(ends[..width].iter().map(|end| offset(filled + end)));
            at += read;
            filled += written;
        }
        table.contents.truncate(filled);
        Ok(table)
    }

    /// Number of records.
    pub fn rows(&self) -> u32 {
        offset(self.starts.len())
    }

    fn field(&self, row: u32, column: usize) -> &[u8] {
        let at = row as usize * self.width + column;
        &self.contents[self.ends[at] as usize..self.ends[at + 1] as usize]
    }

    /// One column of some rows; a field without text is null. A padded one is taken without the blanks at its
    /// end.
    pub fn column(&self, column: usize, rows: &[u32], padded: bool) -> ArrayRef {
        let field = |row: &u32| match self.field(*row, column) {
            field if padded => &field[..field.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1)],
            field => field,
        };
        let bytes = rows.iter().map(|row| field(row).len()).sum();
        let mut contents: Vec<u8> = Vec::with_capacity(bytes);
        let mut offsets: Vec<i32> = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        for row in rows {
            contents.extend_from_slice(field(row));
            offsets.push(i32::try_from(contents.len()).expect("a block is smaller than 2 GiB"));
        }
        let nulls = NullBuffer::from_iter(rows.iter().map(|row| !field(row).is_empty()));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        // The block is UTF-8 and delimiters are ASCII, so each field is UTF-8.
        let array = StringArray::try_new(offsets, Buffer::from(contents), nulls);
        Arc::new(array.expect("fields of UTF-8 text are UTF-8"))
    }

    /// The lines on which some rows (ascending) begin.
    pub fn lines(&self, rows: &[u32]) -> Vec<u64> {
        let (mut line, mut counted) = (self.block.line, 0);
        rows.iter()
            .map(|row| {
                let start = self.starts[*row as usize] as usize;
                line += newlines(&self.block.text[counted..start]);
                counted = start;
                line
            })
            .collect()
    }

    fn wrong(&self, at: usize, shown: &str, message: &str) -> SourceError {
        let line = self.block.line + newlines(&self.block.text[..at]);
        SourceError::Malformed { place: format!("{shown}:{line}"), message: message.to_owned() }
    }
}

const ADVICE: &str = "a field that holds the delimiter, a quote or a line break has to stand in quotes";

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a block is smaller than 4 GiB")
}

fn count_fields(text: &[u8], delimiter: u8) -> usize {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    reader.read_record(text, &mut vec![0; text.len()], &mut vec![0; text.len() + 1]).3
}
