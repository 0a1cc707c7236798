//! What became of each row: exactly one disposition each.

use std::collections::HashMap;

use super::ids::NoIds;
use crate::domain::{
    Books, Class, Disposition, Finding, FindingId, Instant, Outcome, Pair, PopulationClass, RowId, Side,
};
use crate::matching::Row;

/// No finding.
const NONE: u32 = u32::MAX;

/// What the dispositions are read from.
pub(super) struct State<'a> {
    pub(super) books: &'a Books,
    /// Unpaired rows after this instant are pending.
    pub(super) settled: Instant,
    pub(super) pairs: &'a [Pair],
    pub(super) legacy: &'a [Row],
    pub(super) unified: &'a [Row],
    pub(super) findings: &'a [Finding],
    pub(super) no_ids: &'a NoIds,
}

/// Which finding each row stands in.
pub(super) struct Places<'f> {
    /// By position in the entries; [`NONE`] for a row in no finding.
    legacy: Vec<u32>,
    unified: Vec<u32>,
    unmapped: HashMap<(Side, &'f RowId), u32>,
    rejected: Vec<u32>,
}

impl<'f> Places<'f> {
    pub(super) fn of(books: &Books, findings: &'f [Finding], rejected_ids: &[FindingId]) -> Places<'f> {
        let mut places = Places {
            legacy: vec![NONE; books.legacy.entries.len()],
            unified: vec![NONE; books.unified.entries.len()],
            unmapped: HashMap::new(),
            rejected: Vec::new(),
        };
        let mut by_id: HashMap<&FindingId, u32> = HashMap::new();
        for (at, finding) in findings.iter().enumerate() {
            let at = at as u32;
            // The grant that a duplicate repeats stands in its own pair, not in the finding.
            if finding.class != Class::Duplicate {
                finding.legacy_rows.iter().for_each(|&row| places.legacy[row as usize] = at);
            }
            finding.unified_rows.iter().for_each(|&row| places.unified[row as usize] = at);
            match finding.class {
                Class::UnmappedAction => {
                    places.unmapped.extend(finding.legacy_ids.iter().map(|id| ((Side::Legacy, id), at)));
                    places.unmapped.extend(finding.unified_ids.iter().map(|id| ((Side::Unified, id), at)));
                }
                Class::RejectedRow => drop(by_id.insert(&finding.id, at)),
                _ => {}
            }
        }
        places.rejected = rejected_ids.iter().map(|id| by_id[id]).collect();
        places
    }

    fn of_entry(&self, side: Side, row: u32) -> Option<u32> {
        let places = if side == Side::Legacy { &self.legacy } else { &self.unified };
        Some(places[row as usize]).filter(|&finding| finding != NONE)
    }

    fn of_unmapped(&self, side: Side, id: &RowId) -> Option<u32> {
        self.unmapped.get(&(side, id)).copied()
    }

    fn of_rejected(&self, side: Side, at: usize, books: &Books) -> Option<u32> {
        let before = if side == Side::Legacy { 0 } else { books.legacy.rejected.len() };
        self.rejected.get(before + at).copied()
    }

    /// Every legacy row and every unified row that was not folded, legacy first, ascending by id.
    pub(super) fn dispositions(&self, state: &State<'_>) -> Vec<Disposition> {
        let mut all = Vec::new();
        for side in [Side::Legacy, Side::Unified] {
            let start = all.len();
            let ledger = state.books.side(side);
            all.extend((0..ledger.entries.len()).map(|row| self.of_entry_row(state, side, row as u32)));
            all.extend(ledger.bystanders.iter().map(|row| {
                let finding = self.of_unmapped(side, &row.id);
                let outcome = match finding {
                    Some(_) => Outcome::Finding(Class::UnmappedAction),
                    None => Outcome::Population(row.class),
                };
                let raw_tokens = Some(row.raw_tokens);
                Disposition { side, row: row.id.clone(), outcome, pair: None, finding, raw_tokens }
            }));
            all.extend(ledger.rejected.iter().enumerate().map(|(at, row)| Disposition {
                side,
                row: row.id.clone().unwrap_or_else(|| state.no_ids.of_row(side, at)),
                outcome: Outcome::Finding(Class::RejectedRow),
                pair: None,
                finding: self.of_rejected(side, at, state.books),
                raw_tokens: row.tokens,
            }));
            all[start..].sort_unstable_by(|a, b| a.row.cmp(&b.row));
        }
        all
    }

    fn of_entry_row(&self, state: &State<'_>, side: Side, row: u32) -> Disposition {
        let entry = &state.books.side(side).entries[row as usize];
        let now = if side == Side::Legacy { state.legacy[row as usize] } else { state.unified[row as usize] };
        let finding = self.of_entry(side, row);
        let (outcome, pair) = match finding {
            Some(finding) => {
                let pair = if let Row::Paired(pair) = now { Some(pair) } else { None };
                (Outcome::Finding(state.findings[finding as usize].class), pair)
            }
            None => quiet_outcome(state, entry, now),
        };
        Disposition {
            side,
            row: entry.id.clone(),
            outcome,
            pair,
            finding,
            raw_tokens: Some(entry.raw_tokens()),
        }
    }
}

/// The outcome of a row that stands in no finding.
fn quiet_outcome(state: &State<'_>, entry: &crate::domain::Entry, now: Row) -> (Outcome, Option<u32>) {
    let is_late = entry.class == PopulationClass::AfterAsOf;
    match now {
        // A pair after as-of is silent: both rows count as later.
        Row::Paired(pair) => {
            let legacy = &state.books.legacy.entries[state.pairs[pair as usize].legacy as usize];
            match legacy.class {
                PopulationClass::AfterAsOf => (Outcome::Population(PopulationClass::AfterAsOf), None),
                _ => (Outcome::Paired, Some(pair)),
            }
        }
        Row::Grouped(_) if !is_late => (Outcome::Paired, None),
        Row::Grouped(_) | Row::Apart => (Outcome::Population(entry.class), None),
        Row::Free(_) if is_late => (Outcome::Population(entry.class), None),
        Row::Free(_) if entry.at > state.settled => (Outcome::Population(PopulationClass::Pending), None),
        Row::Free(_) => (Outcome::UnifiedOnly, None),
    }
}
