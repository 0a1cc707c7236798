//! Rows that nothing is said of yet, since their other row may still come or comes after as-of: a stored
//! balance may have what the sum of the rows has not, and the other way round.

use std::collections::HashSet;

use super::super::GapCause;
use super::super::replay::{End, Holding, RowEvent, What};
use super::edit::{Change, Edit, Edits};
use super::hypothesis::Hypothesis;
use crate::config::Config;
use crate::domain::{Action, ActionNo, Books, Class, Entry, Kind, PopulationClass, Side};
use crate::matching::{Matched, PURCHASE, Row};

/// Adds the changes that these rows would make. They are numbered behind the findings.
pub(super) fn add(edits: &mut Edits, books: &Books, config: &Config, matched: &Matched, holding: &Holding) {
    let mut number = matched.findings.len() as u32;
    let mut take = |entry: &Entry, cause, why, change| {
        edits.add(holding.holder(entry.user, entry.at), Edit { cause, why, finding: number, change });
        number += 1;
    };
    let purchase = books.actions.iter().position(|label| &**label == PURCHASE);
    let purchase = purchase.map(|at| Action { no: ActionNo(at as u16), name: PURCHASE });
    let comes_in = |legacy: &Entry, copy: Option<&Entry>| {
        let ends_at = copy.and_then(|copy| copy.expires_at).or(legacy.expires_at);
        let named = copy.filter(|_| !legacy.paid).unwrap_or(legacy);
        let row = RowEvent {
            row: u32::MAX,
            user: legacy.user,
            action: named.expected_action(purchase),
            tokens: legacy.tokens,
            paid: legacy.paid || copy.is_some_and(|copy| copy.paid),
            end: ends_at.map_or(End::NotSaid, End::At),
        };
        match legacy.kind {
            Kind::Grant => (GapCause::Unmigrated, Change::Insert(legacy.at, What::Grant(row))),
            Kind::Deduction => (GapCause::Deduction, Change::Insert(legacy.at, What::Deduction(row))),
        }
    };
    for (_, legacy) in pending(books, config, Side::Legacy, &matched.legacy) {
        let (cause, change) = comes_in(legacy, None);
        take(legacy, cause, Hypothesis::Pending, change);
    }
    for (row, unified) in pending(books, config, Side::Unified, &matched.unified) {
        take(unified, GapCause::Orphan, Hypothesis::Pending, Change::Remove(row));
    }
    let is_late = |entry: &Entry| entry.class == PopulationClass::AfterAsOf;
    for (row, legacy, unified) in across_as_of(books, matched) {
        if is_late(unified) {
            let (cause, change) = comes_in(legacy, Some(unified));
            take(legacy, cause, Hypothesis::Late, change);
        } else {
            take(unified, GapCause::Orphan, Hypothesis::Late, Change::Remove(row));
        }
    }
}

/// Rows of a side that are too young to be judged and have no partner.
fn pending<'a>(
    books: &'a Books,
    config: &Config,
    side: Side,
    rows: &'a [Row],
) -> impl Iterator<Item = (u32, &'a Entry)> {
    let settled = books.as_of.minus(config.matching.settle);
    let free = (0..).zip(rows).zip(&books.side(side).entries);
    free.filter(move |((_, row), entry)| {
        matches!(row, Row::Free(_)) && entry.at > settled && entry.moves_a_balance()
    })
    .map(|((at, _), entry)| (at, entry))
}

/// Pairs of which one row lies beyond as-of, as far as no finding says what the balance should have: the
/// position of the unified row, and both.
fn across_as_of<'a>(books: &'a Books, matched: &'a Matched) -> Vec<(u32, &'a Entry, &'a Entry)> {
    let has_late = |side: Side| books.side(side).population.get(PopulationClass::AfterAsOf).rows > 0;
    if !has_late(Side::Legacy) && !has_late(Side::Unified) {
        return Vec::new();
    }
    let says = |class| matches!(class, Class::AmountMismatch | Class::ActionMismatch | Class::UserMismatch);
    let told = matched.findings.iter().filter(|finding| says(finding.class));
    let told: HashSet<u32> = told.flat_map(|finding| finding.unified_rows.iter().copied()).collect();
    let rows = matched.pairs.iter().map(|pair| {
        let legacy = &books.legacy.entries[pair.legacy as usize];
        (pair.unified, legacy, &books.unified.entries[pair.unified as usize])
    });
    rows.filter(|(row, legacy, unified)| {
        legacy.moves_a_balance() != unified.moves_a_balance() && !told.contains(row)
    })
    .collect()
}
