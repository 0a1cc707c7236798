//! The columns that only some rows are asked for, typed.

use arrow_array::Array;

use super::columns::{Amount, IdColumn, IntegerColumn, Moment, TimeColumn};
use super::flags::FlagColumn;
use super::folder::Folder;
use super::intern::Texts;
use crate::domain::{Few, Instant, RowId, Widths, names_nothing, payment_kind};
use crate::source::DetailColumns;

/// Characters of a UUID with its hyphens.
const UUID_LENGTH: usize = 36;

/// Typed views of the detail columns of one selection.
pub(super) struct DetailView<'a> {
    pub(super) raw: &'a DetailColumns,
    pub(super) id: IdColumn<'a>,
    reference: Vec<IdColumn<'a>>,
    payment: Vec<FlagColumn<'a>>,
    /// Payments are not the references alone.
    has_other_payments: bool,
    link: Option<IdColumn<'a>>,
    pub(super) migrated: Option<FlagColumn<'a>>,
    expires_at: Option<TimeColumn<'a>>,
    balance_after: Option<IntegerColumn<'a>>,
}

impl Folder {
    pub(super) fn detail_view<'a>(&mut self, details: &'a DetailColumns) -> Option<DetailView<'a>> {
        let zone = self.rules.zone;
        let id = self.typed(&details.id, "id".to_owned(), "an id", IdColumn::of)?;
        let mut reference = Vec::new();
        for array in &details.reference {
            reference.push(self.typed(array, "reference".to_owned(), "a reference", IdColumn::of)?);
        }
        let mut payment = Vec::new();
        for array in &details.payment {
            payment.push(self.typed(array, "payment".to_owned(), "a payment id", FlagColumn::of)?);
        }
        let link = optional(details.link.as_ref(), |array| {
            self.typed(array, "link".to_owned(), "an id", IdColumn::of)
        })?;
        let migrated = optional(details.migrated.as_ref(), |array| {
            self.typed(array, "migrated".to_owned(), "a mark", FlagColumn::of)
        })?;
        let expires_at = optional(details.expires_at.as_ref(), |array| {
            self.typed(array, "expires_at".to_owned(), "a time", |array| TimeColumn::of(array, zone))
        })?;
        let balance_after = optional(details.balance_after.as_ref(), |array| {
            self.typed(array, "balance_after".to_owned(), "tokens", IntegerColumn::of)
        })?;
        let has_other_payments = self.rules.has_other_payments;
        Some(DetailView {
            raw: details,
            id,
            reference,
            payment,
            has_other_payments,
            link,
            migrated,
            expires_at,
            balance_after,
        })
    }
}

/// `None` for an absent column, `Some(None)` never: the inner failure ends the view.
fn optional<'a, T>(
    array: Option<&'a arrow_array::ArrayRef>,
    view: impl FnOnce(&'a dyn Array) -> Option<T>,
) -> Option<Option<T>> {
    match array {
        None => Some(None),
        Some(array) => view(array).map(Some),
    }
}

impl DetailView<'_> {
    pub(super) fn references(&self, row: usize, texts: &mut Texts) -> Box<[u32]> {
        let mut number = |text: &str| (!names_nothing(text)).then(|| texts.number(text.trim_ascii()));
        let mut references = Vec::new();
        for column in &self.reference {
            references.extend(match column {
                // No text of another length has the shape of a UUID, which has one printed form.
                IdColumn::Text(text) => match text.get(row) {
                    Some(text) if text.len() != UUID_LENGTH => number(text),
                    Some(text) => RowId::parse(text).with_text(&mut number),
                    None => None,
                },
                column => column.get(row).and_then(|id| id.with_text(&mut number)),
            });
        }
        references.sort_unstable();
        references.dedup();
        references.into_boxed_slice()
    }

    /// Payment ids that are no references. What says no more than that something was paid, or how much, is
    /// none: only ids of one kind that differ tell grants apart.
    pub(super) fn payments(
        &self,
        row: usize,
        references: &[u32],
        texts: &mut Texts,
    ) -> Option<Box<Few<u32>>> {
        if !self.has_other_payments {
            return None;
        }
        let named = self.payment.iter().filter_map(|column| column.text(row));
        let mut payments: Vec<u32> = named
            .map(str::trim_ascii)
            .filter(|text| payment_kind(text).is_some() && text.contains(|c: char| c.is_ascii_digit()))
            .map(|text| texts.number(text))
            .filter(|number| !references.contains(number))
            .collect();
        payments.sort_unstable();
        payments.dedup();
        (!payments.is_empty()).then(|| Box::new(payments.into()))
    }

    /// Notes how wide the texts of a row are.
    pub(super) fn note_widths(&self, row: usize, widths: &mut Widths) {
        let link = self.link.as_ref().and_then(|link| link.text(row));
        for (text, width) in [(self.id.text(row), &mut widths.id), (link, &mut widths.link)] {
            text.into_iter().for_each(|text| width.note(text));
        }
    }

    pub(super) fn paid(&self, row: usize) -> bool {
        self.payment.iter().any(|column| column.is_set(row))
    }

    pub(super) fn link(&self, row: usize) -> Option<Box<RowId>> {
        self.link
            .as_ref()
            .and_then(|column| column.get(row))
            .filter(|id| id.with_text(|text| !names_nothing(text)))
            .map(Box::new)
    }

    /// The end of a grant, and whether it is there and cannot be read. PostgreSQL's `infinity` is the
    /// last instant.
    pub(super) fn expires_at(&self, row: usize) -> (Option<Instant>, bool) {
        match self.expires_at.as_ref().map_or(Moment::Missing, |column| column.get(row)) {
            Moment::At(at) => (Some(at), false),
            Moment::Missing => (None, false),
            Moment::Unreadable(text) if text.trim() == "infinity" => (Some(Instant(i64::MAX)), false),
            Moment::Unreadable(_) => (None, true),
        }
    }

    /// The balance beside a row. One that cannot be read is unknown, and counted.
    pub(super) fn balance_after(&self, row: usize, unreadable: &mut u64) -> Option<i64> {
        match self.balance_after.as_ref()?.get(row) {
            Amount::Tokens(tokens) => Some(tokens),
            Amount::Missing => None,
            Amount::Unreadable(_) => {
                *unreadable += 1;
                None
            }
        }
    }
}
