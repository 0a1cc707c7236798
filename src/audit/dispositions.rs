//! What became of each row: exactly one disposition each.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::ids::NoIds;
use crate::domain::{
    Books, Class, Disposition, Finding, FindingId, Instant, Kind, Ledger, Outcome, Overflow, Pair,
    Population, PopulationClass, RowId, RowPlace, Side, Total,
};
use crate::matching::Row;

/// No finding.
const NONE: u32 = u32::MAX;

/// Every legacy row and every unified row that was not folded, legacy first, ascending by id. The rows
/// are known by their places in the books, which have to be at hand wherever more is asked of one. Rows that
/// were settled before ([`Books::settled`]) are not among them.
#[derive(Debug, Clone, Default)]
pub struct Dispositions {
    rows: Vec<Disposition>,
    /// So many of them are legacy rows.
    legacy: usize,
    /// Ids of the rejected rows of both sides, pseudo ids `no-id:…` for those without one.
    rejected: [Vec<RowId>; 2],
}

impl Dispositions {
    /// Takes rows that stand in order, and the names of the rejected ones: legacy, unified.
    pub fn new(rows: Vec<Disposition>, rejected: [Vec<RowId>; 2]) -> Dispositions {
        let legacy = rows.partition_point(|row| row.side == Side::Legacy);
        Dispositions { rows, legacy, rejected }
    }

    /// All rows, in order.
    pub fn rows(&self) -> &[Disposition] {
        &self.rows
    }

    /// The id of a row.
    pub fn id<'a>(&'a self, books: &'a Books, row: &Disposition) -> &'a RowId {
        let ledger = books.side(row.side);
        match row.row {
            RowPlace::Entry(at) => &ledger.entries[at as usize].id,
            RowPlace::Bystander(at) => &ledger.bystanders[at as usize].id,
            RowPlace::Rejected(at) => &self.rejected[row.side as usize][at as usize],
        }
    }

    /// What became of the row of this id.
    pub fn find(&self, books: &Books, side: Side, id: &RowId) -> Option<&Disposition> {
        let (legacy, unified) = self.rows.split_at(self.legacy);
        let rows = if side == Side::Legacy { legacy } else { unified };
        rows.binary_search_by(|row| self.id(books, row).cmp(id)).ok().map(|at| &rows[at])
    }
}

/// A row whose place in the list is kept for it.
pub(super) const NOT_LISTED: Disposition = Disposition {
    side: Side::Legacy,
    row: RowPlace::Rejected(NONE),
    outcome: Outcome::UnifiedOnly,
    pair: None,
    finding: None,
};

/// How many rows of a side have a disposition.
pub(super) fn rows_of(ledger: &Ledger) -> usize {
    ledger.entries.len() + ledger.bystanders.len() + ledger.rejected.len()
}

/// What is counted while the dispositions of one side are made.
pub(super) struct Listed {
    pub(super) rejected: Vec<RowId>,
    /// Rows and raw tokens by outcome, ascending.
    pub(super) totals: Vec<(Outcome, Total)>,
    /// The population with its pending rows in their own class.
    pub(super) population: Population,
}

/// What the dispositions are read from.
pub(super) struct State<'a> {
    pub(super) books: &'a Books,
    /// Unpaired rows after this instant are pending.
    pub(super) settled: Instant,
    pub(super) legacy: &'a [Row],
    pub(super) unified: &'a [Row],
    pub(super) findings: &'a [Finding],
    pub(super) no_ids: &'a NoIds,
    /// By pair: its legacy row lies after as-of, so both rows count as later. Empty where there is none.
    pub(super) silent: Vec<bool>,
}

/// The pairs whose legacy row lies after as-of. They ascend by legacy row, so that one walk along the
/// entries tells of all; a unified row then need not look for its partner among a million.
pub(super) fn silent_pairs(books: &Books, pairs: &[Pair]) -> Vec<bool> {
    if books.legacy.population.get(PopulationClass::AfterAsOf).rows == 0 {
        return Vec::new();
    }
    let class = |pair: &Pair| books.legacy.entries[pair.legacy as usize].class;
    pairs.iter().map(|pair| class(pair) == PopulationClass::AfterAsOf).collect()
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

    /// Lists the rows of one side in `rows`, ascending by id; there are [as many](rows_of).
    pub(super) fn list(
        &self,
        state: &State<'_>,
        side: Side,
        rows: &mut [Disposition],
    ) -> Result<Listed, Overflow> {
        let ledger = state.books.side(side);
        let no_id = |at| state.no_ids.of_row(side, at);
        let named = ledger.rejected.iter().enumerate();
        let rejected: Vec<RowId> =
            named.map(|(at, row)| row.id.clone().unwrap_or_else(|| no_id(at))).collect();
        let beside = self.beside(state, side, &rejected);
        let totals = state.books.settled.side(side).outcomes.clone();
        let mut tally = Tally { totals, population: ledger.population.clone() };
        let mut rows = rows.iter_mut();
        let mut list = |row: Disposition| *rows.next().expect("a place for each row") = row;
        let mut entries = (0..).zip(&ledger.entries).peekable();
        for (id, row, tokens) in beside {
            while let Some((at, entry)) = entries.next_if(|(_, entry)| entry.id.cmp(id) != Ordering::Greater)
            {
                let row = self.of_entry_row(state, side, at);
                tally.add_entry(&row, entry)?;
                list(row);
            }
            tally.add(row.outcome, tokens)?;
            list(row);
        }
        for (at, entry) in entries {
            let row = self.of_entry_row(state, side, at);
            tally.add_entry(&row, entry)?;
            list(row);
        }
        assert!(rows.next().is_none(), "each place is taken");
        let Tally { mut totals, population } = tally;
        totals.sort_unstable_by_key(|(outcome, _)| *outcome);
        Ok(Listed { rejected, totals, population })
    }

    /// The rows that are no entries, ascending by id, with their raw tokens.
    fn beside<'b>(
        &self,
        state: &State<'b>,
        side: Side,
        rejected: &'b [RowId],
    ) -> Vec<(&'b RowId, Disposition, Option<i64>)> {
        let ledger: &'b Ledger = state.books.side(side);
        let bystanders = (0..).zip(&ledger.bystanders).map(|(at, row)| {
            let finding = self.of_unmapped(side, &row.id);
            let outcome = match finding {
                Some(_) => Outcome::Finding(Class::UnmappedAction),
                None => Outcome::Population(row.class),
            };
            let place = RowPlace::Bystander(at);
            (&row.id, Disposition { side, row: place, outcome, pair: None, finding }, Some(row.raw_tokens))
        });
        let mut all: Vec<_> = bystanders.collect();
        all.extend((0..).zip(&ledger.rejected).zip(rejected).map(|((at, row), id)| {
            let finding = self.of_rejected(side, at as usize, state.books);
            let outcome = Outcome::Finding(Class::RejectedRow);
            let place = RowPlace::Rejected(at);
            (id, Disposition { side, row: place, outcome, pair: None, finding }, row.tokens)
        }));
        // Bystanders ascend already, and a stable sort takes them as they are.
        all.sort_by(|a, b| a.0.cmp(b.0));
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
        Disposition { side, row: RowPlace::Entry(row), outcome, pair, finding }
    }
}

/// What is counted while rows are listed.
struct Tally {
    /// A handful, so that looking through them is quicker than any map.
    totals: Vec<(Outcome, Total)>,
    population: Population,
}

impl Tally {
    fn add(&mut self, outcome: Outcome, tokens: Option<i64>) -> Result<(), Overflow> {
        let one = Total { rows: 1, tokens: tokens.map_or(0, i128::from) };
        match self.totals.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, total)) => *total = total.plus(one)?,
            None => self.totals.push((outcome, one)),
        }
        Ok(())
    }

    fn add_entry(&mut self, row: &Disposition, entry: &crate::domain::Entry) -> Result<(), Overflow> {
        if row.outcome == Outcome::Population(PopulationClass::Pending) {
            let from = match entry.kind {
                Kind::Grant => PopulationClass::Grants,
                Kind::Deduction => PopulationClass::Deductions,
            };
            let total = self.population.get_mut(from);
            total.rows -= 1;
            total.tokens -= i128::from(entry.tokens);
            self.population.get_mut(PopulationClass::Pending).add_row(entry.tokens);
        }
        self.add(row.outcome, Some(entry.raw_tokens()))
    }
}

/// The outcome of a row that stands in no finding.
fn quiet_outcome(state: &State<'_>, entry: &crate::domain::Entry, now: Row) -> (Outcome, Option<u32>) {
    let is_late = entry.class == PopulationClass::AfterAsOf;
    match now {
        // A pair after as-of is silent: both rows count as later.
        Row::Paired(pair) => match state.silent.get(pair as usize).copied().unwrap_or(false) {
            true => (Outcome::Population(PopulationClass::AfterAsOf), None),
            false => (Outcome::Paired, Some(pair)),
        },
        Row::Grouped(_) if !is_late => (Outcome::Paired, None),
        Row::Grouped(_) | Row::Apart => (Outcome::Population(entry.class), None),
        Row::Free(_) if is_late => (Outcome::Population(entry.class), None),
        Row::Free(_) if entry.at > state.settled => (Outcome::Population(PopulationClass::Pending), None),
        Row::Free(_) => (Outcome::UnifiedOnly, None),
    }
}
