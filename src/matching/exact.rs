//! The rung `exact`: what balances out at one key leaves at once. Every row passes here, so it is
//! two sorts and a merge, nothing per pair.

use super::board::{Board, Key};
use super::components;
use crate::domain::{Rule, Side, Span, Verdict};

/// Pairs rows with the same user, action, amount and microsecond: of k against m, the least ids of
/// each side.
pub(super) fn climb(board: &mut Board<'_>) {
    let (legacy, unified) = board.both_by_key();
    let (mut l, mut u) = (0, 0);
    while l < legacy.len() && u < unified.len() {
        match legacy[l].0.cmp(&unified[u].0) {
            std::cmp::Ordering::Less => l += 1,
            std::cmp::Ordering::Greater => u += 1,
            std::cmp::Ordering::Equal => {
                let (l_end, u_end) = (run_end(&legacy, l), run_end(&unified, u));
                pair_run(board, &legacy[l..l_end], &unified[u..u_end]);
                (l, u) = (l_end, u_end);
            }
        }
    }
}

fn run_end(rows: &[(Key, u32)], start: usize) -> usize {
    let key = rows[start].0;
    start + rows[start..].iter().take_while(|(other, _)| *other == key).count()
}

/// One key. As many on both sides: all pair, in order of ids. Otherwise the solver says which of
/// the rows that are not alike stay over, and whether that is disputable.
fn pair_run(board: &mut Board<'_>, legacy: &[(Key, u32)], unified: &[(Key, u32)]) {
    if let ([(_, l)], [(_, u)]) = (legacy, unified) {
        board.pair(*l, *u, Rule::Exact, Verdict::Forced);
        return;
    }
    let rows = |run: &[(Key, u32)]| run.iter().map(|(_, row)| *row).collect::<Vec<u32>>();
    let (legacy, unified) = (rows(legacy), rows(unified));
    let allow = |board: &Board<'_>, a: &crate::domain::Entry, b: &crate::domain::Entry| {
        Some(board.differences(a, b, Rule::Exact).count())
    };
    let rung = components::Rung { rule: Rule::Exact, reach: Span(0), allow: &allow };
    if components::settle(board, &rung, &legacy, &unified) {
        return;
    }
    // More rows of different marks at one microsecond than the solver takes: ids decide.
    let all = legacy.len() == unified.len();
    let verdict = if all { Verdict::Interchangeable } else { Verdict::Contested };
    let pairs = legacy.len().min(unified.len());
    legacy.iter().zip(&unified).for_each(|(&l, &u)| board.pair(l, u, Rule::Exact, verdict));
    legacy[pairs..].iter().for_each(|&row| board.doubt(Side::Legacy, row, verdict));
    unified[pairs..].iter().for_each(|&row| board.doubt(Side::Unified, row, verdict));
    if !all {
        let entry = board.entry(Side::Legacy, legacy[0]);
        let user = board.books.roster.id(entry.user);
        board.bounded.push(format!(
            "exact: user {user}, {} × {} rows at {}",
            legacy.len(),
            unified.len(),
            entry.at.rfc3339()
        ));
    }
}
