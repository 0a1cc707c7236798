//! Large sets of rows that differ in time alone: pairs on a line.
//!
//! With a cost that is convex in the lag (|lag|, infinite beyond the limit) some optimum pairs the
//! rows in order of time (the exchange argument: uncrossing two pairs never costs more). So the
//! optimum is found by dynamic programming over both lists in order, in a band: only rows within
//! the limit of each other are ever compared.

/// What a large set came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Positions in the two lists.
    pub(super) pairs: Vec<(usize, usize)>,
    /// The pairing is an optimum; otherwise the band was wider than [`CELL_LIMIT`].
    pub(super) optimal: bool,
}

/// Cells of the band, one byte each.
const CELL_LIMIT: usize = 200_000_000;

/// Pairs two ascending lists of instants (µs): most pairs with |lag| ≤ `limit`, then least total
/// |lag|.
pub(super) fn pair(legacy: &[i64], unified: &[i64], limit: i64) -> Line {
    let spread = |list: &[i64]| (list.first().copied(), list.last().copied());
    let (Some(l_first), Some(l_last)) = spread(legacy) else { return nothing() };
    let (Some(u_first), Some(u_last)) = spread(unified) else { return nothing() };
    let all_allowed = u_last.saturating_sub(l_first) <= limit && l_last.saturating_sub(u_first) <= limit;
    if all_allowed && legacy.len() == unified.len() {
        return Line { pairs: (0..legacy.len()).map(|at| (at, at)).collect(), optimal: true };
    }
    banded(legacy, unified, limit, all_allowed)
}

fn nothing() -> Line {
    Line { pairs: Vec::new(), optimal: true }
}

/// More pairs first, then less lag.
type Score = (usize, std::cmp::Reverse<i128>);

const NO_SCORE: Score = (0, std::cmp::Reverse(0));

/// `best[i][j]`: best score of the first `i` legacy and the first `j` unified rows. For each `i`
/// only `j` in the reach of its last row matter: what lies below is too early for that row and all
/// later ones; what lies above is too late for that row and all earlier ones, so it adds nothing.
fn banded(legacy: &[i64], unified: &[i64], limit: i64, all_allowed: bool) -> Line {
    let bands = bands(legacy, unified, limit, all_allowed);
    let cells: usize = bands.iter().map(|(low, high)| high - low + 1).sum();
    if cells > CELL_LIMIT {
        return Line { pairs: in_order(legacy, unified, limit), optimal: false };
    }
    let mut moves: Vec<Vec<u8>> = Vec::with_capacity(bands.len());
    let mut before: Vec<Score> = vec![NO_SCORE; bands[0].1 - bands[0].0 + 1];
    for (i, &at) in legacy.iter().enumerate() {
        let (old_low, old_high) = bands[i];
        let (low, high) = bands[i + 1];
        let mut row = Vec::with_capacity(high - low + 1);
        let mut step = Vec::with_capacity(high - low + 1);
        let old = |j: usize| before[j.clamp(old_low, old_high) - old_low];
        for j in low..=high {
            let (mut score, mut way) = (old(j), SKIP_LEGACY);
            if j > low {
                let skipped: Score = row[j - low - 1];
                if skipped > score {
                    (score, way) = (skipped, SKIP_UNIFIED);
                }
            }
            if j > 0 {
                let distance = at.abs_diff(unified[j - 1]);
                if i64::try_from(distance).is_ok_and(|distance| distance <= limit) {
                    let (pairs, std::cmp::Reverse(lag)) = old(j - 1);
                    let taken = (pairs + 1, std::cmp::Reverse(lag + i128::from(distance)));
                    if taken >= score {
                        (score, way) = (taken, PAIR);
                    }
                }
            }
            row.push(score);
            step.push(way);
        }
        before = row;
        moves.push(step);
    }
    Line { pairs: trace(&bands, &moves), optimal: true }
}

const SKIP_LEGACY: u8 = 0;
const SKIP_UNIFIED: u8 = 1;
const PAIR: u8 = 2;

/// For `0 ..= legacy.len()` rows done, the range of unified rows done that matters.
fn bands(legacy: &[i64], unified: &[i64], limit: i64, all_allowed: bool) -> Vec<(usize, usize)> {
    let (k, m) = (legacy.len(), unified.len());
    if all_allowed {
        // Every row of the shorter list is paired: only the surplus of the longer one is skipped.
        let (surplus_l, surplus_u) = (k.saturating_sub(m), m.saturating_sub(k));
        return (0..=k).map(|i| (i.saturating_sub(surplus_l).min(m), (i + surplus_u).min(m))).collect();
    }
    std::iter::once((0, 0))
        .chain(legacy.iter().map(|&at| {
            let low = unified.partition_point(|&other| other < at.saturating_sub(limit));
            let high = unified.partition_point(|&other| other <= at.saturating_add(limit));
            (low, high)
        }))
        .collect()
}

fn trace(bands: &[(usize, usize)], moves: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut i, mut j) = (moves.len(), bands[moves.len()].1);
    while i > 0 {
        let (low, high) = bands[i];
        j = j.clamp(low, high);
        match moves[i - 1][j - low] {
            SKIP_UNIFIED => j -= 1,
            SKIP_LEGACY => i -= 1,
            _ => {
                pairs.push((i - 1, j - 1));
                i -= 1;
                j -= 1;
            }
        }
    }
    pairs.reverse();
    pairs
}

/// Each row with the earliest free one within the limit: most pairs, not least lag.
fn in_order(legacy: &[i64], unified: &[i64], limit: i64) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut j = 0;
    for (i, &at) in legacy.iter().enumerate() {
        while j < unified.len() && unified[j] < at.saturating_sub(limit) {
            j += 1;
        }
        if j < unified.len() && unified[j] <= at.saturating_add(limit) {
            pairs.push((i, j));
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
