//! Rows of a binary COPY: split into fields, appended to builders, handed to the sink in chunks.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_buffer::BooleanBufferBuilder;

use super::super::{DetailColumns, KeyColumns, Place, Selection, Sink, SourceError, json};
use crate::domain::RowId;

use super::column::Builder;
use super::fields::Wire;
use super::select::{Layout, unfold};
use super::split::{Span, field, header_length, split};

/// Rows of a chunk: few enough that their columns are still in the processor's cache when the sink
/// takes them.
const CHUNK_ROWS: usize = 1 << 14;

/// Rows whose fields are looked for at once.
const SPLIT_ROWS: usize = 1 << 10;

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
    spans: Vec<Span>,
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
            spans: Vec::new(),
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
        let width = self.keys.len() + if self.layout.conditional { 1 } else { self.details.len() };
        while !self.ended {
            let most = SPLIT_ROWS.min(CHUNK_ROWS - self.filled);
            let mut spans = std::mem::take(&mut self.spans);
            let Ok(found) = split(&bytes[at..], width, most, &mut spans) else {
                return Err(self.broken("a row has another number of fields than was asked for"));
            };
            if self.append(&bytes[at..], &spans, width).is_none() {
                return Err(self.broken("a value is not of the type that the catalogue says"));
            }
            self.spans = spans;
            self.ended = found.ended;
            self.filled += found.rows;
            at += found.bytes;
            if self.filled == CHUNK_ROWS {
                self.flush()?;
            } else if found.rows < most {
                break;
            }
        }
        Ok(at)
    }

    /// Appends rows, column by column; `None`: a value is not of its type.
    fn append(&mut self, bytes: &[u8], spans: &[Span], width: usize) -> Option<()> {
        let column = |at: usize| spans.iter().skip(at).step_by(width).map(|span| span.of(bytes));
        for (at, builder) in self.keys.iter_mut().enumerate() {
            builder.extend(column(at)).ok()?;
        }
        let first = self.keys.len();
        let id = self.layout.details[0];
        if self.layout.conditional {
            for (at, record) in column(first).enumerate() {
                let mut id_missing = false;
                if let Some(record) = record {
                    id_missing = append_record(record, &mut self.details, id)?;
                    self.sent.push((self.filled + at) as u32);
                }
                self.note_id(id_missing);
            }
        } else {
            for value in column(first) {
                self.note_id(is_missing(value, id));
            }
            for (at, builder) in self.details.iter_mut().enumerate() {
                builder.extend(column(first + at)).ok()?;
            }
            self.sent.extend((0..spans.len() / width).map(|at| (self.filled + at) as u32));
        }
        Some(())
    }

    fn note_id(&mut self, missing: bool) {
        if self.layout.id_nullable {
            self.null_ids.append(missing);
            self.any_null_id |= missing;
        }
    }

    /// Hands the chunk to the sink.
    ///
    /// # Errors
    /// The sink asks for details that were not sent: the rule that said which to send is wrong.
    pub fn flush(&mut self) -> Result<(), SourceError> {
        if self.filled == 0 {
            return Ok(());
        }
        let keys = self.finish_keys();
        self.check_nulls(&self.layout.sure_keys, &keys)?;
        let mut keys = keys.into_iter();
        let mut next = || keys.next().expect("the layout counts its keys");
        let null_ids = self.layout.id_nullable.then(|| self.null_ids.finish());
        let keys = KeyColumns {
            rows: self.filled,
            user: next(),
            action: (0..self.layout.labels).map(|_| next()).collect(),
            amount: next(),
            created_at: next(),
            success: keys.next(),
            id_is_null: null_ids.filter(|_| self.any_null_id),
        };
        let details: Vec<ArrayRef> = self.details.iter_mut().map(Builder::finish).collect();
        self.check_nulls(&self.layout.sure_details, &details)?;
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
            let details = self.details_of(details, positions.as_ref())?;
            self.sink.details(&keys, &selection, &details);
        }
        self.rows += self.filled as u64;
        self.filled = 0;
        self.any_null_id = false;
        Ok(())
    }

    /// The key columns of the chunk, in the order of [`KeyColumns`].
    fn finish_keys(&mut self) -> Vec<ArrayRef> {
        let mut keys: Vec<ArrayRef> = self.keys.iter_mut().map(Builder::finish).collect();
        if self.layout.folded {
            let amount = &mut keys[self.layout.labels + 1];
            let (tokens, success) = unfold(amount.as_primitive::<Int64Type>());
            *amount = Arc::new(tokens);
            keys.push(Arc::new(success));
        }
        keys
    }

    /// Statements ask nothing of columns that are never null, so a null in one of them might pass for
    /// something else.
    ///
    /// # Errors
    /// There is one: names the column.
    fn check_nulls(&self, sure: &[(usize, String)], columns: &[ArrayRef]) -> Result<(), SourceError> {
        match sure.iter().find(|(place, _)| columns[*place].null_count() > 0) {
            None => Ok(()),
            Some((_, name)) => Err(self.broken(&format!(
                "column {name} has no value in some row, though the table says that it is NOT NULL: the table or \
                 the catalogue is damaged; look at the rows where it is null"
            ))),
        }
    }

    fn details_of(
        &self,
        all: Vec<ArrayRef>,
        positions: Option<&UInt32Array>,
    ) -> Result<DetailColumns, SourceError> {
        let chosen: Vec<ArrayRef> = match positions {
            None => all,
            Some(positions) => all
                .iter()
                .map(|array| {
                    arrow_select::take::take(array, positions, None).expect("positions lie inside the chunk")
                })
                .collect(),
        };
        let fields = self.follow_paths(&chosen)?;
        let at = |place: usize| fields[place].clone();
        let layout = self.layout;
        Ok(DetailColumns {
            id: at(0),
            reference: layout.reference.iter().map(|place| at(*place)).collect(),
            payment: layout.payment.iter().map(|place| at(*place)).collect(),
            link: layout.link.map(at),
            migrated: layout.migrated.map(at),
            expires_at: layout.expires_at.map(at),
            balance_after: layout.balance_after.map(at),
            place: Place::Table(self.table.clone()),
        })
    }

    /// One column a field: paths that the server was not asked to follow are followed here.
    ///
    /// # Errors
    /// A text that is no JSON, or holds half of a surrogate pair where a field is: names column and row.
    fn follow_paths(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, SourceError> {
        let fields = &self.layout.fields;
        let mut arrays: Vec<ArrayRef> = fields.iter().map(|field| columns[field.column].clone()).collect();
        for (at, (column, name)) in columns.iter().zip(&self.layout.detail_names).enumerate() {
            let below = fields.iter().enumerate();
            let below = below.filter(|(_, field)| field.column == at && !field.path.is_empty());
            let (places, paths): (Vec<usize>, Vec<&[String]>) =
                below.map(|(place, field)| (place, field.path.as_slice())).unzip();
            if paths.is_empty() {
                continue;
            }
            let texts = json::texts(column.as_ref()).expect("a column of json travels as text");
            let found = json::follow(texts, &paths).map_err(|broken| {
                let id = shown_id(&columns[0], broken.row);
                self.broken(&format!("the row of id {id}: {}", broken.message(name)))
            })?;
            for (place, array) in places.into_iter().zip(found) {
                arrays[place] = array;
            }
        }
        Ok(arrays)
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

/// The id of a row, for people.
fn shown_id(ids: &ArrayRef, row: usize) -> String {
    if ids.is_null(row) {
        return "null".to_owned();
    }
    match (ids.as_primitive_opt::<Int64Type>(), ids.as_string_opt::<i32>()) {
        (Some(numbers), _) => numbers.value(row).to_string(),
        (_, Some(texts)) => texts.value(row).to_owned(),
        _ => match ids.as_fixed_size_binary_opt().map(|uuids| uuids.value(row).try_into()) {
            Some(Ok(uuid)) => RowId::Uuid(uuid).to_string(),
            _ => "unknown".to_owned(),
        },
    }
}

/// Is there no id?
fn is_missing(id: Option<&[u8]>, wire: Wire) -> bool {
    id.is_none_or(|id| wire == Wire::Text && id.is_empty())
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
        let (span, after) = field(record, at + 4)?;
        let value = span.of(record);
        if place == 0 {
            id_missing = is_missing(value, id);
        }
        builder.append(value).ok()?;
        at = after;
    }
    (at == record.len()).then_some(id_missing)
}
