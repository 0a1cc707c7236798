//! Pairs that look alike while what they carry says that they are not one grant: payments of one kind
//! that are not the same, or a link to another row. The rungs from `exact` on look at user, action,
//! amount and time alone, so such rows may be paired; nobody should take the pair for proof, and no SQL
//! rests on it.

use super::board::Board;
use crate::cores;
use crate::domain::{Entry, Pair, RowId, Rule, Side};

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
        let (ours, theirs) = (&legacy.references, &unified.references);
        if ours.is_empty() || theirs.is_empty() || ours.iter().any(|it| theirs.binary_search(it).is_ok()) {
            return None;
        }
        let kind = |reference: &u32| kind(&self.books.references[*reference as usize]);
        let kinds: Vec<&str> = ours.iter().filter_map(kind).collect();
        theirs.iter().filter_map(kind).any(|kind| kinds.contains(&kind)).then_some(Contrary::Reference)
    }

    /// Both references say of what kind they are, and the kinds differ.
    pub(super) fn are_of_different_kinds(&self, a: u32, b: u32) -> bool {
        let kind = |reference: u32| kind(&self.books.references[reference as usize]);
        kind(a).zip(kind(b)).is_some_and(|(a, b)| a != b)
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
        let may_be = unified.link || (legacy.reference && unified.reference);
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

/// What a payment id says of its kind: `pi` of `pi_3Nabc`. `None`: nothing, so that it contradicts no
/// other, since the two tables may keep ids of different things.
fn kind(reference: &str) -> Option<&str> {
    let (kind, rest) = reference.split_once('_')?;
    let is_kind = (1..=8).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_kind && !rest.is_empty()).then_some(kind)
}
