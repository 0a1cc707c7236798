//! What a reader of files is asked for, and who takes what it finds.
//!
//! The readers know fields, arrays and places; what a field is for is known here alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;

use super::{DetailColumns, KeyColumns, Place, Selection, Sink, SourceError, control};
use crate::config::{Columns, Field};
use crate::domain::Total;

/// Fields that are wanted of every row, and fields that are wanted of the selected ones.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Wanted of every row, each field once.
    pub keys: Vec<Field>,
    /// Wanted of the selected rows, each field once.
    pub details: Vec<Field>,
    /// The detail whose nulls the taker wants to know of before it selects.
    pub id: Option<usize>,
}

/// What a reader hands over first: the key fields of a chunk, in the order of [`Request::keys`].
#[derive(Debug)]
pub(super) struct KeyChunk {
    pub rows: usize,
    pub columns: Vec<ArrayRef>,
    pub id_is_null: Option<BooleanBuffer>,
}

/// Who takes the chunks; one a worker thread. [`Take::details`] follows the [`Take::keys`] whose
/// selection it serves, unless that is empty.
pub(super) trait Take: Send {
    fn keys(&mut self, chunk: KeyChunk) -> Result<Selection, SourceError>;
    fn details(
        &mut self,
        selection: &Selection,
        columns: &[ArrayRef],
        place: Place,
    ) -> Result<(), SourceError>;
}

/// Position of a field in a list that holds each field once.
pub(super) fn place_in(list: &mut Vec<Field>, field: &Field) -> usize {
    list.iter().position(|known| known == field).unwrap_or_else(|| {
        list.push(field.clone());
        list.len() - 1
    })
}

/// Which position of the request serves which column of the ledger.
#[derive(Debug)]
pub(super) struct LedgerShape {
    user: usize,
    action: Vec<usize>,
    amount: usize,
    created_at: usize,
    success: Option<usize>,
    id: usize,
    reference: Vec<usize>,
    payment: Vec<usize>,
    link: Option<usize>,
    migrated: Option<usize>,
    expires_at: Option<usize>,
    balance_after: Option<usize>,
}

impl LedgerShape {
    /// The request for a ledger, and how to read the answer.
    pub fn of(columns: &Columns) -> (Request, LedgerShape) {
        let (mut keys, mut details) = (Vec::new(), Vec::new());
        let key = |field: &Field, keys: &mut Vec<Field>| place_in(keys, field);
        let shape = LedgerShape {
            user: key(&columns.user, &mut keys),
            action: columns.action.iter().map(|field| key(field, &mut keys)).collect(),
            amount: key(&columns.amount, &mut keys),
            created_at: key(&columns.created_at, &mut keys),
            success: columns.success.as_ref().map(|field| key(field, &mut keys)),
            id: place_in(&mut details, &columns.id),
            reference: columns.reference.iter().map(|field| place_in(&mut details, field)).collect(),
            payment: columns.payment.iter().map(|field| place_in(&mut details, field)).collect(),
            link: columns.link.as_ref().map(|field| place_in(&mut details, field)),
            migrated: columns.migrated.as_ref().map(|field| place_in(&mut details, field)),
            expires_at: columns.expires_at.as_ref().map(|field| place_in(&mut details, field)),
            balance_after: columns.balance_after.as_ref().map(|field| place_in(&mut details, field)),
        };
        let id = Some(shape.id);
        (Request { keys, details, id }, shape)
    }
}

/// Gives a ledger's chunks to a sink, and counts rows and raw tokens beside it.
#[derive(Debug)]
pub(super) struct LedgerTake<'a, S> {
    shape: &'a LedgerShape,
    pub sink: S,
    pub control: Total,
    keys: Option<KeyColumns>,
}

impl<'a, S> LedgerTake<'a, S> {
    pub fn new(shape: &'a LedgerShape, sink: S) -> Self {
        LedgerTake { shape, sink, control: Total::default(), keys: None }
    }
}

impl<S: Sink> Take for LedgerTake<'_, S> {
    fn keys(&mut self, chunk: KeyChunk) -> Result<Selection, SourceError> {
        let shape = self.shape;
        let column = |at: usize| chunk.columns[at].clone();
        let keys = KeyColumns {
            rows: chunk.rows,
            user: column(shape.user),
            action: shape.action.iter().map(|at| column(*at)).collect(),
            amount: column(shape.amount),
            created_at: column(shape.created_at),
            success: shape.success.map(column),
            id_is_null: chunk.id_is_null,
        };
        debug_assert!(chunk.columns.iter().all(|column| column.len() == chunk.rows));
        control::add_amounts(&mut self.control, keys.amount.as_ref());
        let selection = self.sink.keys(&keys);
        self.keys = Some(keys);
        Ok(selection)
    }

    fn details(
        &mut self,
        selection: &Selection,
        columns: &[ArrayRef],
        place: Place,
    ) -> Result<(), SourceError> {
        let shape = self.shape;
        let column = |at: usize| columns[at].clone();
        let list = |list: &[usize]| list.iter().map(|at| column(*at)).collect();
        let details = DetailColumns {
            id: column(shape.id),
            reference: list(&shape.reference),
            payment: list(&shape.payment),
            link: shape.link.map(column),
            migrated: shape.migrated.map(column),
            expires_at: shape.expires_at.map(column),
            balance_after: shape.balance_after.map(column),
            place,
        };
        let keys = self.keys.as_ref().expect("details follow keys");
        self.sink.details(keys, selection, &details);
        Ok(())
    }
}

/// The first error in the order of the rows, whatever thread met one first: the same input always
/// gives the same message.
#[derive(Debug, Default)]
pub(super) struct FirstError {
    found: Mutex<Option<(u64, SourceError)>>,
    any: AtomicBool,
}

impl FirstError {
    /// Notes an error of the piece of work number `order`.
    pub fn note(&self, order: u64, error: SourceError) {
        self.any.store(true, Ordering::Relaxed);
        let mut found = self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if found.as_ref().is_none_or(|(known, _)| order < *known) {
            *found = Some((order, error));
        }
    }

    /// No new piece of work is to be begun. Pieces are begun in order, so that all before the
    /// failed one are finished, and may fail too.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// `Err` with the first error.
    pub fn into_result(self) -> Result<(), SourceError> {
        match self.found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}
