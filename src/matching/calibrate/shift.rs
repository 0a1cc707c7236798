//! Lengths of time that many rows share, whatever they are: a clock that went wrong, a day too many.

use super::super::board::{Board, Key};
use crate::domain::{Class, Finding, Instant, Side, Span};

/// Pairs off the grid of zones that must share a lag before it is called constant.
const COMMON_LAG_PAIRS: usize = 20;

/// So many tolerances a common lag is long at least: nearer ones are drift, not a shift.
const FAR: i64 = 10;

/// Rows without a partner that must share a difference before it is called a shift.
const SHIFTED_ROWS: u64 = 3;

/// Of one user, action and amount, so many rows a side are compared each with each.
const COMPARED: usize = 24;

/// Differences that are collected at most: more say nothing new.
const DIFFERENCES: usize = 4_000_000;

/// Rows of both sides without a partner that differ by one length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) lag: Span,
    pub(super) rows: u64,
    pub(super) span: (Instant, Instant),
}

/// The lag that at least half of the time mismatches off the grid of zones share, within tolerance.
pub(super) fn common_lag(board: &Board<'_>) -> Option<Span> {
    let mut lags: Vec<i64> = board
        .pairs
        .iter()
        .filter(|pair| pair.differs.time && !board.is_stamped(pair.rule, pair.unified))
        .map(|pair| super::super::classify::lag_micros(board, pair))
        .filter(|&lag| super::shift_of(lag, board.tolerance).is_none())
        .collect();
    lags.sort_unstable();
    let (lag, count) = densest(&lags, board.tolerance)?;
    let is_far = lag.saturating_abs() / FAR >= board.tolerance.0;
    (is_far && count >= COMMON_LAG_PAIRS && count * 2 >= lags.len()).then_some(Span(lag))
}

/// The difference that at least half of the missing legacy rows have to a unified row without a
/// partner, of the same user, action and amount.
pub(super) fn beyond_window(board: &Board<'_>, findings: &[Finding]) -> Option<Shift> {
    let (legacy, unified) = left_over(board, findings);
    let groups = groups(&legacy, &unified);
    let mut differences = Vec::new();
    for (legacy, unified) in &groups {
        for l in legacy.iter().take(COMPARED) {
            differences.extend(unified.iter().take(COMPARED).map(|u| u.since(*l).0));
        }
        if differences.len() >= DIFFERENCES {
            break;
        }
    }
    differences.sort_unstable();
    let (lag, _) = densest(&differences, board.tolerance)?;
    let mut shift: Option<Shift> = None;
    for (left, right) in &groups {
        for at in paired(left, right, lag, board.tolerance) {
            let found = shift.get_or_insert(Shift { lag: Span(lag), rows: 0, span: (at, at) });
            found.rows += 1;
            found.span = (found.span.0.min(at), found.span.1.max(at));
        }
    }
    shift.filter(|shift| shift.rows >= SHIFTED_ROWS && shift.rows * 2 >= legacy.len() as u64)
}

/// Missing legacy rows, and unified rows without a partner, by key.
fn left_over(board: &Board<'_>, findings: &[Finding]) -> (Vec<Key>, Vec<Key>) {
    let missing = findings
        .iter()
        .filter(|finding| matches!(finding.class, Class::Unmigrated | Class::UnmigratedDeduction))
        .flat_map(|finding| &finding.legacy_rows);
    let mut legacy: Vec<Key> = missing.map(|&row| board.key(board.entry(Side::Legacy, row))).collect();
    if legacy.is_empty() {
        return (legacy, Vec::new());
    }
    legacy.sort_unstable();
    let unified = board.free_by_key(Side::Unified).into_iter().map(|(key, _)| key).collect();
    (legacy, unified)
}

/// Times of the rows of each user, action and amount that stand on both sides, ascending.
fn groups(legacy: &[Key], unified: &[Key]) -> Vec<(Vec<Instant>, Vec<Instant>)> {
    let part = |key: &Key| (key.user, key.action, key.tokens);
    let times = |run: &[Key]| run.iter().map(|key| key.at).collect::<Vec<_>>();
    let mut groups = Vec::new();
    let mut right = unified.chunk_by(|a, b| part(a) == part(b)).peekable();
    for left in legacy.chunk_by(|a, b| part(a) == part(b)) {
        while right.next_if(|run| part(&run[0]) < part(&left[0])).is_some() {}
        if let Some(run) = right.next_if(|run| part(&run[0]) == part(&left[0])) {
            groups.push((times(left), times(run)));
        }
    }
    groups
}

/// Legacy times that have a row of their own at `lag`, within tolerance.
fn paired(legacy: &[Instant], unified: &[Instant], lag: i64, tolerance: Span) -> Vec<Instant> {
    let (mut l, mut u) = (0, 0);
    let mut found = Vec::new();
    while l < legacy.len() && u < unified.len() {
        let off = unified[u].since(legacy[l]).0.saturating_sub(lag);
        if off < -tolerance.0 {
            u += 1;
        } else if off > tolerance.0 {
            l += 1;
        } else {
            found.push(legacy[l]);
            l += 1;
            u += 1;
        }
    }
    found
}

/// The middle of the densest stretch of ascending values, twice the tolerance wide, and how many
/// values lie in it.
fn densest(values: &[i64], tolerance: Span) -> Option<(i64, usize)> {
    let width = tolerance.0.saturating_mul(2);
    let mut best: Option<(usize, usize)> = None;
    let mut first = 0;
    for last in 0..values.len() {
        while values[last].saturating_sub(values[first]) > width {
            first += 1;
        }
        let count = last + 1 - first;
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((first, count));
        }
    }
    best.map(|(first, count)| (values[first + count / 2], count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_densest_stretch_is_found_with_its_middle() {
        type Case<'a> = (&'a [i64], i64, Option<(i64, usize)>);
        let cases: [Case<'_>; 5] = [
            (&[], 2, None),
            (&[7], 2, Some((7, 1))),
            (&[1, 10, 11, 12, 30], 1, Some((11, 3))),
            (&[5, 5, 5, 9], 0, Some((5, 3))),
            (&[i64::MIN, i64::MAX], 5, Some((i64::MIN, 1))),
        ];
        for (values, tolerance, expected) in cases {
            assert_eq!(densest(values, Span(tolerance)), expected, "{values:?}");
        }
    }
}
