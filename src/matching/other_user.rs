//! The rung `user`: the same grant under another user.
//!
//! Where a whole ledger is shifted by full hours, the copy of one user's grant often stands at the
//! very instant of another's. So a row that its own user explains better is left to the rungs below:
//! one that lies from a row of its own user, of the same action and amount, by a lag that many
//! others have.

use hashbrown::HashMap;

use super::board::{self, Board};
use super::components;
use super::repeats::Kept;
use crate::cores::at_once;
use crate::domain::{ActionNo, Entry, Instant, Rule, Side, Span, Verdict};

/// Pairs rows of the same action, amount and microsecond under two users, where exactly one free
/// row on each side has that key and the unified row repeats no grant of its own user.
pub(super) fn climb(board: &mut Board<'_>) {
    let (legacy, unified) = at_once(|| only_rows(board, Side::Legacy), || only_rows(board, Side::Unified));
    let mut candidates: Vec<(u32, u32)> = legacy
        .iter()
        .filter_map(|(key, l)| Some(((*l)?, (*unified.get(key)?)?)))
        .filter(|&(l, u)| {
            components::fits(board, board.entry(Side::Legacy, l), board.entry(Side::Unified, u))
        })
        .collect();
    candidates.sort_unstable();
    if !candidates.is_empty() {
        let shifts = Shifts::of(board);
        candidates.retain(|&(l, u)| !shifts.explain(board, l, u));
        board.leave_by_key([shifts.legacy, shifts.unified]);
    }
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
        let key = board.key_at(side, row);
        rows.entry((key.action, key.tokens, key.at)).and_modify(|only| *only = None).or_insert(Some(row));
    }
    rows
}

/// Free legacy rows that have a lag in common with at least this many others are shifted, not
/// another user's. As with a bulk stamp.
const SHIFTED_OTHERS: usize = 20;

/// So many rows with one lag may be shifted: as few are told to be a constant lag. There both rows have to have
/// a partner of their own user at that lag, so that the shift explains all that the other user would.
const SHIFTED_FEW: usize = 3;

/// Free rows of one key after a legacy row, and before it, whose lag counts: in a crowd of equal rows
/// the nearest are enough to find a lag that many share.
const NEIGHBOURS: usize = 64;

/// Constant lags of the free rows, to the microsecond.
struct Shifts {
    /// Free rows of each side, ascending by key.
    legacy: Vec<(board::Key, u32)>,
    unified: Vec<(board::Key, u32)>,
    /// Those that at least [`SHIFTED_FEW`] have, with how many.
    lags: Vec<(Span, usize)>,
}

impl Shifts {
    /// Reads them off all free rows.
    fn of(board: &Board<'_>) -> Shifts {
        let [legacy, unified] = board.both_by_key();
        let own = |key: &board::Key| (key.user, key.action, key.tokens);
        let same = |a: &(board::Key, u32), b: &(board::Key, u32)| own(&a.0) == own(&b.0);
        let mut counts: HashMap<Span, usize> = HashMap::new();
        let mut others = unified.chunk_by(same).peekable();
        for run in legacy.chunk_by(same) {
            while others.next_if(|other| own(&other[0].0) < own(&run[0].0)).is_some() {}
            if let Some(other) = others.next_if(|other| own(&other[0].0) == own(&run[0].0)) {
                count_lags(board, run, other, &mut counts);
            }
        }
        let mut lags: Vec<(Span, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= SHIFTED_FEW).collect();
        lags.sort_unstable();
        Shifts { legacy, unified, lags }
    }

    /// One of the two rows has a partner of its own user at a lag that many have, or both at one that few have.
    fn explain(&self, board: &Board<'_>, legacy: u32, unified: u32) -> bool {
        let (l, u) = (board.entry(Side::Legacy, legacy), board.entry(Side::Unified, unified));
        let stands = |rows: &[(board::Key, u32)], entry: &Entry, at: Instant| {
            let wanted = board::Key { at, ..board.key(entry) };
            rows.binary_search_by(|(key, _)| key.cmp(&wanted)).is_ok()
        };
        self.lags.iter().any(|&(lag, count)| {
            let of_legacy = stands(&self.unified, l, l.at.plus(lag));
            let of_unified = || stands(&self.legacy, u, u.at.minus(lag));
            if count > SHIFTED_OTHERS { of_legacy || of_unified() } else { of_legacy && of_unified() }
        })
    }
}

/// Counts, for each lag, the legacy rows that have a unified row at it. Both runs ascend by time.
fn count_lags(
    board: &Board<'_>,
    legacy: &[(board::Key, u32)],
    unified: &[(board::Key, u32)],
    counts: &mut HashMap<Span, usize>,
) {
    let before = |at: Instant| unified.partition_point(|(key, _)| key.at < at);
    for (key, _) in legacy {
        let (low, middle) = (before(key.at.minus(board.window)), before(key.at));
        let within = unified[low.max(middle.saturating_sub(NEIGHBOURS))..]
            .iter()
            .map(|(other, _)| other.at.since(key.at))
            .take_while(|lag| *lag <= board.window)
            .take(2 * NEIGHBOURS);
        let mut last = None;
        for lag in within.filter(|lag| lag.0 != 0) {
            if last.replace(lag) != Some(lag) {
                *counts.entry(lag).or_default() += 1;
            }
        }
    }
}
