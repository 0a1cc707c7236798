//! Pairs that look alike while what they carry says that they are not one grant: payments of one kind
//! that are not the same, or a link to another row. The rungs from `exact` on look at user, action,
//! amount and time alone, so such rows may be paired; nobody should take the pair for proof, and no SQL
//! rests on it.

use super::board::Board;
use crate::cores;
use crate::domain::{Entry, Marks, Pair, RowId, Rule, Side, payment_kind};

/// What such a pair has that contradicts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contrary {
    /// The unified row names another legacy row.
    Link,
    /// Each has a payment of a kind, none the other's.
    Reference,
}

impl Contrary {
    /// Its name in `evidence`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Contrary::Link => "link",
            Contrary::Reference => "reference",
        }
    }
}

/// Pairs that are contradicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradicted {
    /// How many.
    pub pairs: u64,
    /// Ids of the first one, legacy then unified.
    pub first: (RowId, RowId),
}

impl Board<'_> {
    /// What of two rows says that they are not one grant.
    pub(super) fn contrary(&self, legacy: &Entry, unified: &Entry) -> Option<Contrary> {
        match unified.link.as_deref() {
            Some(link) if *link == legacy.id => return None,
            Some(_) => return Some(Contrary::Link),
            None => {}
        }
        self.have_other_payments(legacy, unified).then_some(Contrary::Reference)
    }

    /// Both name a payment of one kind, and none in common.
    pub(super) fn have_other_payments(&self, one: &Entry, other: &Entry) -> bool {
        let (ours, theirs) = (one.named_payments(), other.named_payments());
        if ours.clone().any(|it| theirs.clone().any(|other| other == it)) {
            return false;
        }
        ours.filter_map(|it| self.kind_of(it))
            .any(|kind| theirs.clone().any(|other| self.kind_of(other) == Some(kind)))
    }

    fn kind_of(&self, reference: u32) -> Option<&str> {
        payment_kind(&self.books.references[reference as usize])
    }

    /// Both references say of what kind they are, and the kinds differ.
    pub(super) fn are_of_different_kinds(&self, a: u32, b: u32) -> bool {
        self.kind_of(a).zip(self.kind_of(b)).is_some_and(|(a, b)| a != b)
    }

    fn is_contradicted(&self, pair: &Pair) -> bool {
        !matches!(pair.rule, Rule::Link | Rule::Reference)
            && self
                .contrary(self.entry(Side::Legacy, pair.legacy), self.entry(Side::Unified, pair.unified))
                .is_some()
    }

    /// Counts the pairs of the rungs below `reference` that are contradicted; pairs ascend by legacy row.
    pub(super) fn contradicted(&self) -> Option<Contradicted> {
        let (legacy, unified) = (&self.books.legacy.any, &self.books.unified.any);
        let has_payments = |any: &Marks| any.reference || any.payment;
        let may_be = unified.link || (has_payments(legacy) && has_payments(unified));
        if !may_be {
            return None;
        }
        let found = cores::in_shares(&self.pairs, |_, pairs| {
            let mut found = pairs.iter().filter(|pair| self.is_contradicted(pair));
            let first = found.next().copied()?;
            Some((1 + found.count() as u64, first))
        });
        let mut found = found.into_iter().flatten();
        let (mut pairs, first) = found.next()?;
        pairs += found.map(|(more, _)| more).sum::<u64>();
        let id = |side, row| self.entry(side, row).id.clone();
        let first = (id(Side::Legacy, first.legacy), id(Side::Unified, first.unified));
        Some(Contradicted { pairs, first })
    }
}
