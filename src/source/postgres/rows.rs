//! Rows of a binary COPY: split into fields, appended to builders, handed to the sink in chunks.

use std::ops::Range;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_buffer::BooleanBufferBuilder;

use super::super::{DetailColumns, KeyColumns, Place, Selection, Sink, SourceError};
use super::column::Builder;
use super::fields::Wire;
use super::select::Layout;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 1 << 16;

/// What every binary COPY begins with; flags and a header extension follow.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Takes the bytes of one COPY after another and fills a sink.
pub(super) struct Filler<'a, S: Sink> {
    layout: &'a Layout,
    table: String,
    pub sink: S,
    /// Rows that have been given to the sink.
    pub rows: u64,
    keys: Vec<Builder>,
    details: Vec<Builder>,
    /// Rows of the chunk, and those whose details were sent.
    filled: usize,
    sent: Vec<u32>,
    null_ids: BooleanBufferBuilder,
    any_null_id: bool,
    /// The beginning of a row whose rest is still to come.
    carry: Vec<u8>,
    fields: Vec<Option<Range<usize>>>,
    header_read: bool,
    ended: bool,
}

impl<'a, S: Sink> Filler<'a, S> {
    pub fn new(layout: &'a Layout, table: String, sink: S) -> Filler<'a, S> {
        let builders = |wires: &[Wire]| wires.iter().map(|wire| Builder::new(*wire)).collect();
        Filler {
            keys: builders(&layout.keys),
            details: builders(&layout.details),
            layout,
            table,
            sink,
            rows: 0,
            filled: 0,
            sent: Vec::new(),
            null_ids: BooleanBufferBuilder::new(0),
            any_null_id: false,
            carry: Vec::new(),
            fields: Vec::new(),
            header_read: false,
            ended: false,
        }
    }

    /// A new COPY begins.
    pub fn begin(&mut self) {
        self.header_read = false;
        self.ended = false;
    }

    /// Takes the next bytes; answers how many rows were handed on.
    ///
    /// # Errors
    /// The bytes are no binary COPY of this layout.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<u64, SourceError> {
        let before = self.rows;
        if self.carry.is_empty() {
            let used = self.take(bytes)?;
            self.carry.extend_from_slice(&bytes[used..]);
        } else {
            let mut all = std::mem::take(&mut self.carry);
            all.extend_from_slice(bytes);
            let used = self.take(&all)?;
            all.drain(..used);
            self.carry = all;
        }
        Ok(self.rows - before)
    }

    /// The COPY is over: was it whole?
    ///
    /// # Errors
    /// It broke off in the middle.
    pub fn end(&mut self) -> Result<(), SourceError> {
        if self.ended && self.carry.is_empty() {
            return Ok(());
        }
        Err(self.broken("the rows broke off before their end; nothing was written, run it again"))
    }

    /// Takes as many whole rows as there are; answers how many bytes that were.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, SourceError> {
        let mut at = 0;
        if !self.header_read {
            match header_length(bytes) {
                Ok(Some(length)) => at = length,
                Ok(None) => return Ok(0),
                Err(()) => return Err(self.broken("these are no rows of a binary COPY")),
            }
            self.header_read = true;
        }
        while !self.ended {
            let mut fields = std::mem::take(&mut self.fields);
            let split = split_row(&bytes[at..], &mut fields);
            let taken = match split {
                Split::Row(length) => self.row(&bytes[at..at + length], &fields).map(|()| length),
                Split::End => {
                    self.ended = true;
                    Ok(2)
                }
                Split::Partial => Ok(0),
            };
            self.fields = fields;
            match taken? {
                0 => break,
                taken => at += taken,
            }
        }
        Ok(at)
    }

    fn row(&mut self, bytes: &[u8], fields: &[Option<Range<usize>>]) -> Result<(), SourceError> {
        let key_count = self.keys.len();
        let value = |at: usize| fields[at].clone().map(|range| &bytes[range]);
        let expected = key_count + if self.layout.conditional { 1 } else { self.details.len() };
        if fields.len() != expected {
            return Err(self.broken("a row has another number of fields than was asked for"));
        }
        let mut good = true;
        for (at, builder) in self.keys.iter_mut().enumerate() {
            good &= builder.append(value(at)).is_ok();
        }
        let mut id_missing = false;
        if !self.layout.conditional {
            id_missing =
                value(key_count).is_none_or(|id| self.layout.details[0] == Wire::Text && id.is_empty());
            for (at, builder) in self.details.iter_mut().enumerate() {
                good &= builder.append(value(key_count + at)).is_ok();
            }
            self.sent.push(self.filled as u32);
        } else if let Some(record) = value(key_count) {
            match append_record(record, &mut self.details, self.layout.details[0]) {
                Some(missing) => id_missing = missing,
                None => good = false,
            }
            self.sent.push(self.filled as u32);
        }
        if !good {
            return Err(self.broken("a value is not of the type that the catalogue says"));
        }
        if self.layout.id_nullable {
            self.null_ids.append(id_missing);
            self.any_null_id |= id_missing;
        }
        self.filled += 1;
        if self.filled == CHUNK_ROWS { self.flush() } else { Ok(()) }
    }

    /// Hands the chunk to the sink.
    ///
    /// # Errors
    /// The sink asks for details that were not sent: the rule that said which to send is wrong.
    pub fn flush(&mut self) -> Result<(), SourceError> {
        if self.filled == 0 {
            return Ok(());
        }
        let mut columns = self.keys.iter_mut().map(Builder::finish);
        let mut next = || columns.next().expect("the layout counts its keys");
        let null_ids = self.layout.id_nullable.then(|| self.null_ids.finish());
        let keys = KeyColumns {
            rows: self.filled,
            user: next(),
            action: (0..self.layout.labels).map(|_| next()).collect(),
            amount: next(),
            created_at: next(),
            success: self.layout.success.then(&mut next),
            id_is_null: null_ids.filter(|_| self.any_null_id),
        };
        let details: Vec<ArrayRef> = self.details.iter_mut().map(Builder::finish).collect();
        let sent = std::mem::take(&mut self.sent);
        let selection = self.sink.keys(&keys);
        let positions = match &selection {
            Selection::All if sent.len() == self.filled => Some(None),
            Selection::All => None,
            Selection::Rows(rows) if *rows == sent => Some(None),
            Selection::Rows(rows) => positions(rows, &sent).map(Some),
        };
        let Some(positions) = positions else {
            return Err(
                self.broken("details of a row are needed that were not asked for (a defect of reckon)")
            );
        };
        let none = matches!(&selection, Selection::Rows(rows) if rows.is_empty());
        if !none {
            let details = self.details_of(details, positions.as_ref());
            self.sink.details(&keys, &selection, &details);
        }
        self.rows += self.filled as u64;
        self.filled = 0;
        self.any_null_id = false;
        Ok(())
    }

    fn details_of(&self, all: Vec<ArrayRef>, positions: Option<&UInt32Array>) -> DetailColumns {
        let chosen: Vec<ArrayRef> = match positions {
            None => all,
            Some(positions) => all
                .iter()
                .map(|array| {
                    arrow_select::take::take(array, positions, None).expect("positions lie inside the chunk")
                })
                .collect(),
        };
        let at = |place: usize| chosen[place].clone();
        let layout = self.layout;
        DetailColumns {
            id: at(0),
            reference: layout.reference.iter().map(|place| at(*place)).collect(),
            payment: layout.payment.iter().map(|place| at(*place)).collect(),
            link: layout.link.map(at),
            migrated: layout.migrated.map(at),
            expires_at: layout.expires_at.map(at),
            balance_after: layout.balance_after.map(at),
            place: Place::Table(self.table.clone()),
        }
    }

    fn broken(&self, what: &str) -> SourceError {
        SourceError::Database { message: format!("reading {}: {what}", self.table), transient: false }
    }
}

/// Where the selected rows stand among those whose details were sent; `None`: one is not there.
fn positions(selected: &[u32], sent: &[u32]) -> Option<UInt32Array> {
    let mut sent = sent.iter().enumerate();
    let found: Option<Vec<u32>> = selected
        .iter()
        .map(|row| sent.by_ref().find(|(_, sent)| *sent >= row).filter(|(_, sent)| *sent == row))
        .map(|found| found.map(|(place, _)| place as u32))
        .collect();
    found.map(UInt32Array::from)
}

/// Length of the header, once it is there.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err(());
    }
    let Some(extension) = bytes.get(15..19) else { return Ok(None) };
    let length = 19 + u32::from_be_bytes(extension.try_into().map_err(|_| ())?) as usize;
    Ok((bytes.len() >= length).then_some(length))
}

enum Split {
    /// A whole row of so many bytes.
    Row(usize),
    /// The end mark.
    End,
    /// More bytes are needed.
    Partial,
}

/// Finds the fields of the row that `bytes` begins with.
fn split_row(bytes: &[u8], fields: &mut Vec<Option<Range<usize>>>) -> Split {
    fields.clear();
    let Some(count) = bytes.first_chunk::<2>() else { return Split::Partial };
    let count = i16::from_be_bytes(*count);
    if count < 0 {
        return Split::End;
    }
    let mut at = 2;
    for _ in 0..count {
        let Some((range, after)) = field(bytes, at) else { return Split::Partial };
        fields.push(range);
        at = after;
    }
    Split::Row(at)
}

/// The field whose length stands at `at`, and where the next one begins; `None`: not whole.
fn field(bytes: &[u8], at: usize) -> Option<(Option<Range<usize>>, usize)> {
    let length = i32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?);
    let Ok(length) = usize::try_from(length) else { return Some((None, at + 4)) };
    let end = at + 4 + length;
    (end <= bytes.len()).then_some((Some(at + 4..end), end))
}

/// Appends the fields of a record: each has its type before its length. Answers whether the first,
/// the id, is missing; `None`: the bytes are no such record.
fn append_record(record: &[u8], builders: &mut [Builder], id: Wire) -> Option<bool> {
    let count = i32::from_be_bytes(*record.first_chunk::<4>()?);
    if usize::try_from(count).ok()? != builders.len() {
        return None;
    }
    let mut at = 4;
    let mut id_missing = false;
    for (place, builder) in builders.iter_mut().enumerate() {
        let (range, after) = field(record, at + 4)?;
        let value = range.map(|range| &record[range]);
        if place == 0 {
            id_missing = value.is_none_or(|value| id == Wire::Text && value.is_empty());
        }
        builder.append(value).ok()?;
        at = after;
    }
    (at == record.len()).then_some(id_missing)
}
