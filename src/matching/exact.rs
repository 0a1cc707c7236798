//! The rung `exact`: what balances out at one key leaves at once. Every row passes here, so it is
//! two sorts and a merge, nothing per pair.

use super::board::Board;
use super::components::{self, Rung, Sets};
use crate::domain::{Entry, Rule, Side, Span, Verdict};

/// Pairs rows with the same user, action, amount and microsecond: of k against m, the least ids of
/// each side. As many on both sides: all pair, in order of ids, unless payments keep some apart. Otherwise
/// the solver says which of the rows that are not alike stay over, and whether that is disputable.
pub(super) fn climb(board: &mut Board<'_>) {
    let [legacy, unified] = board.both_by_key();
    let sets = Sets::of_equal(&legacy, &unified, |key| *key);
    // Where most rows pair here, sorting what is left takes less than keeping all.
    if sets.len() < legacy.len() / 2 {
        board.leave_by_key([legacy, unified]);
    }
    let allow = |board: &Board<'_>, a: &Entry, b: &Entry| Some(board.differences(a, b, Rule::Exact).count());
    let rung = Rung { rule: Rule::Exact, reach: Span(0), allow: &allow };
    for at in components::settle_all(board, &rung, &sets) {
        let (legacy, unified) = sets.get(at);
        by_ids(board, legacy, unified);
    }
}

/// More rows of different marks at one microsecond than the solver takes: ids decide.
fn by_ids(board: &mut Board<'_>, legacy: &[u32], unified: &[u32]) {
    let barred = board.barred_among(legacy, unified);
    for &(side, row) in &barred {
        board.doubt(Rule::Exact, side, row, Verdict::Contested);
    }
    let rest = |side: Side, rows: &[u32]| -> Vec<u32> {
        rows.iter().copied().filter(|&row| !barred.contains(&(side, row))).collect()
    };
    let first = legacy[0];
    let (legacy, unified) = (rest(Side::Legacy, legacy), rest(Side::Unified, unified));
    let all = legacy.len() == unified.len() && barred.is_empty();
    let verdict = if all { Verdict::Interchangeable } else { Verdict::Contested };
    let pairs = legacy.len().min(unified.len());
    legacy.iter().zip(&unified).for_each(|(&l, &u)| board.pair(l, u, Rule::Exact, verdict));
    legacy[pairs..].iter().for_each(|&row| board.doubt(Rule::Exact, Side::Legacy, row, verdict));
    unified[pairs..].iter().for_each(|&row| board.doubt(Rule::Exact, Side::Unified, row, verdict));
    if !all {
        let entry = board.entry(Side::Legacy, first);
        let user = board.books.roster.id(entry.user);
        board.bounded.push(format!(
            "exact: user {user}, {} × {} rows at {}",
            legacy.len(),
            unified.len(),
            entry.at.rfc3339()
        ));
    }
}
