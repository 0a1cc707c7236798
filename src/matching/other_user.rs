//! The rung `user`: the same grant under another user.

use hashbrown::HashMap;

use super::board::Board;
use super::components;
use super::repeats::Kept;
use crate::domain::{ActionNo, Instant, Rule, Side, Verdict};

/// Pairs rows of the same action, amount and microsecond under two users, where exactly one free
/// row on each side has that key and the unified row repeats no grant of its own user.
pub(super) fn climb(board: &mut Board<'_>) {
    let legacy = only_rows(board, Side::Legacy);
    let unified = only_rows(board, Side::Unified);
    let mut candidates: Vec<(u32, u32)> = legacy
        .iter()
        .filter_map(|(key, l)| Some(((*l)?, (*unified.get(key)?)?)))
        .filter(|&(l, u)| {
            components::fits(board, board.entry(Side::Legacy, l), board.entry(Side::Unified, u))
        })
        .collect();
    candidates.sort_unstable();
    let asked: Vec<u32> = candidates.iter().map(|&(_, u)| u).collect();
    let kept = Kept::of_pairs(board, &asked);
    candidates.retain(|&(_, u)| !kept.repeats_own_user(board, u));
    for (l, u) in candidates {
        board.pair(l, u, Rule::User, Verdict::Forced);
    }
}

type Key = (ActionNo, i64, Instant);

/// The free row of each key, `None` where there are several.
fn only_rows(board: &Board<'_>, side: Side) -> HashMap<Key, Option<u32>> {
    let mut rows: HashMap<Key, Option<u32>> = HashMap::new();
    for row in board.free(side) {
        let entry = board.entry(side, row);
        rows.entry((board.action(entry), entry.tokens, entry.at))
            .and_modify(|only| *only = None)
            .or_insert(Some(row));
    }
    rows
}
