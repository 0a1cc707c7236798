//! Findings about legacy rows that have no partner, and whether what is missing may be inserted.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::board::Board;
use super::classify::{is_a_guess, judged, verdict_of_free};
use super::draft::Draft;
use super::repeats::{self, Shared};
use super::unclear::{Reach, Unclear};
use crate::domain::{
    ActionNo, Class, Entry, Finding, Kind, RepairKind, RowId, Rule, Severity, Side, Verdict,
};

/// Missing rows whose reference stands on rows of their user that were copied, and names no single grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedReferences {
    /// How many.
    pub missing: u64,
    /// The least id of one.
    pub first: RowId,
    /// Beside them the legacy rows that are told as repeated, which such a reference makes doubtful.
    pub repeated: u64,
}

/// Unified rows that may be the missing row of a legacy row, or show that its payment was granted already:
/// left-over ones, and such as have a partner that may be the wrong one. Rows that `dedupe.sql` will remove are
/// none but for their references.
#[derive(Default)]
struct Free {
    alike: HashMap<(u32, ActionNo, i64), u32>,
    references: HashMap<u32, u32>,
    /// Copied at one instant with many others, by user, kind and amount: such a copy may have lost its label too.
    stamped: HashMap<(u32, Kind, i64), u32>,
    /// In a pair that is a guess for people to judge.
    guessed: HashMap<(u32, ActionNo, i64), u32>,
}

impl Free {
    fn of(board: &Board<'_>, dedupes: &BTreeSet<u32>) -> Free {
        let mut free = Free::default();
        for row in board.free(Side::Unified) {
            let entry = board.entry(Side::Unified, row);
            if !dedupes.contains(&row) {
                free.alike.entry((entry.user.0, board.action(entry), entry.tokens)).or_insert(row);
                if board.crowded.contains(&entry.at) && (entry.is_marked() || !board.stands_alone(entry)) {
                    free.stamped.entry((entry.user.0, entry.kind, entry.tokens)).or_insert(row);
                }
            }
            // The second row of a payment may be that of another user, whatever it repeats.
            for &reference in &entry.references {
                free.references.entry(reference).or_insert(row);
            }
        }
        for pair in board.pairs.iter().filter(|pair| is_a_guess(board, pair)) {
            let entry = board.entry(Side::Unified, pair.unified);
            free.guessed.entry((entry.user.0, board.action(entry), entry.tokens)).or_insert(pair.unified);
        }
        free
    }

    /// Same user, action and amount at any time, the same user and amount among copies of one instant, or the
    /// same reference under any user: a backfill could grant twice what has been granted once.
    fn look_alike(&self, board: &Board<'_>, entry: &Entry) -> Option<u32> {
        let user = entry.user.0;
        let alike = self.alike.get(&(user, board.action(entry), entry.tokens));
        let stamped = || self.stamped.get(&(user, entry.kind, entry.tokens));
        let referred = || entry.references.iter().find_map(|reference| self.references.get(reference));
        alike.or_else(stamped).or_else(referred).copied()
    }

    /// Same user, action and amount at any time, paired with another row by a guess: it may be this one's.
    fn taken(&self, board: &Board<'_>, entry: &Entry) -> Option<u32> {
        self.guessed.get(&(entry.user.0, board.action(entry), entry.tokens)).copied()
    }
}

/// Findings about legacy rows that are left over.
pub(super) fn left_over_legacy(
    board: &Board<'_>,
    dedupes: &BTreeSet<u32>,
    unclear: &[Unclear<'_>; 2],
) -> (Vec<Finding>, Option<SharedReferences>) {
    let rows = judged(board, Side::Legacy);
    let free = Free::of(board, dedupes);
    let unclear = &unclear[Side::Unified as usize];
    let shared: HashMap<u32, Shared> = repeats::shared_references(board, &rows).into_iter().collect();
    let findings = rows.into_iter().map(|row| match shared.get(&row) {
        Some(Shared::Repeats(kept)) => source_duplicate(board, row, *kept),
        Some(Shared::Beside(reference)) => unmigrated(board, row, (&free, unclear), Some(*reference)),
        None => unmigrated(board, row, (&free, unclear), None),
    });
    (findings.collect(), summed(board, &shared))
}

fn summed(board: &Board<'_>, shared: &HashMap<u32, Shared>) -> Option<SharedReferences> {
    let beside = || shared.iter().filter(|(_, shared)| matches!(shared, Shared::Beside(_)));
    // Rows are ascending by id.
    let (first, _) = beside().min_by_key(|(row, _)| **row)?;
    let missing = beside().count();
    Some(SharedReferences {
        missing: missing as u64,
        first: board.entry(Side::Legacy, *first).id.clone(),
        repeated: (shared.len() - missing) as u64,
    })
}

fn source_duplicate(board: &Board<'_>, row: u32, kept: u32) -> Finding {
    let is_twin = repeats::is_free_twin(board, row, kept);
    let floor = if is_twin { Verdict::Interchangeable } else { Verdict::Forced };
    Draft::new(board.books, Class::SourceDuplicate, Severity::Warning, RepairKind::None)
        .legacy(board.books, row)
        .rule(Rule::Reference, 0)
        .verdict(verdict_of_free(board.legacy[row as usize]).max(floor))
        .effect(0)
        .expects(board.action(board.entry(Side::Legacy, row)))
        .evidence("repeats", &board.entry(Side::Legacy, kept).id.to_string())
        .finish()
}

/// `beside`: a reference of the row that stands on rows with partners and names no single grant.
fn unmigrated(
    board: &Board<'_>,
    row: u32,
    (free, unclear): (&Free, &Unclear<'_>),
    beside: Option<u32>,
) -> Finding {
    let entry = board.entry(Side::Legacy, row);
    let verdict = verdict_of_free(board.legacy[row as usize]);
    let expected = board.action(entry);
    let look_alike = free.look_alike(board, entry);
    // One that was copied late is a copy all the same.
    let unclear = unclear.may_be(board, entry, Reach::Any);
    let taken = free.taken(board, entry);
    let may_be_there = look_alike.is_some() || unclear.is_some() || taken.is_some();
    let doubtful = verdict == Verdict::Contested || entry.minority_sign || may_be_there || beside.is_some();
    let repair = if doubtful { RepairKind::Review } else { RepairKind::Backfill };
    let class = match entry.kind {
        Kind::Grant => Class::Unmigrated,
        Kind::Deduction => Class::UnmigratedDeduction,
    };
    let mut draft = Draft::new(board.books, class, Severity::Error, repair)
        .legacy(board.books, row)
        .rule(Rule::None, 0)
        .verdict(verdict)
        .effect(i128::from(entry.signed_tokens()))
        .expects(expected);
    if entry.minority_sign {
        draft =
            draft.evidence("sign", if entry.negative { "negative" } else { "positive" }).cause("sign_era");
    }
    if let Some(other) = look_alike {
        draft = draft.evidence("free_unified_row", &board.entry(Side::Unified, other).id.to_string());
    } else if let Some((kind, row)) = unclear {
        draft = draft.evidence(kind, &row);
    } else if let Some(other) = taken {
        draft = draft.evidence("paired_unified_row", &board.entry(Side::Unified, other).id.to_string());
    }
    if let Some(reference) = beside {
        draft = draft.evidence("shared_reference", &board.books.references[reference as usize]);
    }
    draft.finish()
}
