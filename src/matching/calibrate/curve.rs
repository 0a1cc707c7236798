//! Pairs as a function of the tolerance: what the rung `near` would take, exactly, and what that
//! leaves of the findings.

use hashbrown::HashSet;

use super::super::board::{Board, Key, Row};
use super::super::classify::lag_micros;
use super::super::components::fits;
use super::CurvePoint;
use crate::cores::at_once;
use crate::domain::{Class, Finding, Instant, Rule, Settled, Side, Span};

const SECOND: i64 = 1_000_000;

/// Tolerances that are always looked at, in microseconds.
const GRID: [i64; 15] = [
    0,
    SECOND / 1_000,
    SECOND / 100,
    SECOND / 10,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    300 * SECOND,
    900 * SECOND,
    3_600 * SECOND,
    6 * 3_600 * SECOND,
    24 * 3_600 * SECOND,
];

/// What a finding says of a row of the rung `near`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    /// Time alone differs, beyond tolerance.
    TimeMismatch,
    /// Left over.
    Unmigrated,
    /// Anything else.
    Other,
}

/// A row that the rungs link, reference and exact left free.
#[derive(Debug, Clone, Copy)]
struct Free {
    key: Key,
    row: u32,
    now: Now,
}

/// Rows of both sides with the same user, action and amount: ranges of the two lists.
#[derive(Debug, Clone)]
struct Group {
    legacy: std::ops::Range<usize>,
    unified: std::ops::Range<usize>,
}

/// What the rung `near` chooses from.
pub(super) struct Near<'b, 'a> {
    board: &'b Board<'a>,
    legacy: Vec<Free>,
    unified: Vec<Free>,
    groups: Vec<Group>,
    /// Pairs of rung `exact`: the same under every tolerance.
    exact: u64,
    /// |lag| of pairs of link and reference that differ in time at most, ascending.
    tied: Vec<i64>,
    /// Findings of the run.
    time_mismatches: u64,
    unmigrated: u64,
}

/// What a wider tolerance adds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gained {
    /// Pairs more than now.
    pub(super) rows: u64,
    /// Of them, those with another candidate within the tolerance.
    pub(super) ambiguous: u64,
    /// Earliest and latest legacy time.
    pub(super) span: Option<(Instant, Instant)>,
}

/// Pairs of a tolerance by what their legacy rows are now.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    rows: u64,
    /// Fewer than now; below zero: more.
    time_mismatches: i64,
    unmigrated: u64,
}

impl<'b, 'a> Near<'b, 'a> {
    pub(super) fn of(board: &'b Board<'a>, findings: &[Finding]) -> Near<'b, 'a> {
        let counted =
            |class: &'static [Class]| findings.iter().filter(|finding| class.contains(&finding.class));
        let missing = counted(&[Class::Unmigrated, Class::UnmigratedDeduction]);
        let mut is_missing = vec![false; board.legacy.len()];
        let mut unmigrated = 0;
        for finding in missing {
            unmigrated += 1;
            finding.legacy_rows.iter().for_each(|&row| is_missing[row as usize] = true);
        }
        let now = |side: Side, row: u32| match board.rows(side)[row as usize] {
            Row::Paired(pair) => {
                let pair = &board.pairs[pair as usize];
                let only_time = pair.differs.time && pair.differs.count() == 1;
                if only_time { Now::TimeMismatch } else { Now::Other }
            }
            Row::Free(_) if side == Side::Legacy && is_missing[row as usize] => Now::Unmigrated,
            _ => Now::Other,
        };
        let free = |side: Side| {
            let mut rows: Vec<Free> = (0..board.rows(side).len() as u32)
                .filter(|&row| is_left_to_near(board, side, row))
                .map(|row| Free { key: board.key_at(side, row), row, now: now(side, row) })
                .collect();
            rows.sort_unstable_by_key(|free| (free.key, free.row));
            rows
        };
        let (mut legacy, mut unified) = at_once(|| free(Side::Legacy), || free(Side::Unified));
        if board.spent.has_any() {
            leave_out_barred(board, &mut legacy, &mut unified);
        }
        let groups = groups(&legacy, &unified);
        let is_counted = |pair: &&crate::domain::Pair| !board.is_late_at(pair.legacy);
        let pairs = || board.pairs.iter().filter(is_counted);
        let mut tied: Vec<i64> = pairs()
            .filter(|pair| matches!(pair.rule, Rule::Link | Rule::Reference))
            .filter(|pair| pair.differs.count() == u32::from(pair.differs.time))
            .map(|pair| Span(lag_micros(board, pair)).abs().0)
            .collect();
        let settled = &board.books.settled;
        for rung in [Rule::Link, Rule::Reference].into_iter().filter_map(|rule| settled.rung(rule)) {
            tied.extend(rung.lags.iter().map(|lag| lag.saturating_abs()));
            tied.resize(tied.len() + rung.total.rows as usize - rung.lags.len(), 0);
        }
        tied.sort_unstable();
        let exact = pairs().filter(|pair| pair.rule == Rule::Exact).count() as u64;
        Near {
            exact: exact + settled.rung(Rule::Exact).map_or(0, |rung| rung.total.rows),
            time_mismatches: counted(&[Class::TimeMismatch]).count() as u64,
            unmigrated,
            board,
            legacy,
            unified,
            groups,
            tied,
        }
    }

    /// The grid, the configured tolerance and `more`.
    pub(super) fn curve(&self, more: impl Iterator<Item = Span>) -> Vec<CurvePoint> {
        let configured = self.board.tolerance;
        let mut grid: Vec<Span> = GRID.into_iter().map(Span).chain([configured]).chain(more).collect();
        grid.sort_unstable();
        grid.dedup();
        let mut totals = vec![Taken::default(); grid.len()];
        for group in &self.groups {
            let now = self.pairs(group, configured, |_, _| {});
            for (total, &tolerance) in totals.iter_mut().zip(&grid) {
                self.change(group, now, tolerance, total);
            }
        }
        let settled = &self.board.books.settled;
        for (total, tolerance) in totals.iter_mut().zip(&grid) {
            // All of them pair under the configured tolerance, so under any wider one too.
            let rows = settled.nearer.get(tolerance).copied().unwrap_or(settled.near);
            total.rows += rows;
            total.time_mismatches -= (settled.near - rows) as i64;
        }
        let tied_beyond = |tolerance: Span| self.tied.partition_point(|&lag| lag <= tolerance.0);
        let tied_now = self.tied.len() - tied_beyond(configured);
        let points = grid.iter().zip(totals).map(|(&tolerance, taken)| {
            let tied = self.tied.len() - tied_beyond(tolerance);
            CurvePoint {
                tolerance,
                is_configured: tolerance == configured,
                rows: self.exact + taken.rows,
                time_mismatches: (self.time_mismatches + tied as u64)
                    .saturating_sub(tied_now as u64)
                    .saturating_add_signed(-taken.time_mismatches),
                unmigrated: self.unmigrated - taken.unmigrated,
            }
        });
        points.collect()
    }

    /// Adds what a group gives under a tolerance. Rows that pair beyond those of now come out of the
    /// group's time mismatches first, then out of its missing rows; a tighter tolerance makes time
    /// mismatches.
    fn change(&self, group: &Group, now: u64, tolerance: Span, total: &mut Taken) {
        let rows = self.pairs(group, tolerance, |_, _| {});
        total.rows += rows;
        let count = |wanted: Now| {
            self.legacy[group.legacy.clone()].iter().filter(|free| free.now == wanted).count() as u64
        };
        if rows < now {
            total.time_mismatches -= (now - rows) as i64;
        } else if rows > now {
            let explained = (rows - now).min(count(Now::TimeMismatch));
            total.time_mismatches += explained as i64;
            total.unmigrated += (rows - now - explained).min(count(Now::Unmigrated));
        }
    }

    /// The pairs that a wider tolerance adds.
    pub(super) fn gained(&self, tolerance: Span) -> Gained {
        let mut gained = Gained::default();
        for group in &self.groups {
            let now = self.pairs(group, self.board.tolerance, |_, _| {});
            let mut added = Vec::new();
            let then = self.pairs(group, tolerance, |legacy, unified| {
                if unified.key.at.since(legacy.key.at).abs() > self.board.tolerance {
                    added.push((legacy.key.at, unified.key.at));
                }
            });
            if then == now {
                continue;
            }
            gained.rows += then - now;
            let disputed = added.iter().filter(|(l, u)| self.is_ambiguous(group, *l, *u, tolerance)).count();
            gained.ambiguous += (disputed as u64).min(then - now);
            for (at, _) in added {
                gained.span =
                    Some(gained.span.map_or((at, at), |(first, last)| (at.min(first), at.max(last))));
            }
        }
        gained
    }

    /// Another row of the group, at another instant, lies within the tolerance of one of the two.
    fn is_ambiguous(&self, group: &Group, legacy: Instant, unified: Instant, tolerance: Span) -> bool {
        let another = |rows: &[Free], near: Instant, but: Instant| {
            let first = rows.partition_point(|free| free.key.at < near.minus(tolerance));
            let last = rows.partition_point(|free| free.key.at <= near.plus(tolerance));
            // Rows ascend in time, so one at another instant stands at an end.
            first < last && (rows[first].key.at != but || rows[last - 1].key.at != but)
        };
        another(&self.unified[group.unified.clone()], legacy, unified)
            || another(&self.legacy[group.legacy.clone()], unified, legacy)
    }

    /// The most pairs of a group within a tolerance: on a line, each row in order with the earliest
    /// free one that it reaches. Late legacy rows pair in silence and do not count.
    fn pairs(&self, group: &Group, tolerance: Span, mut take: impl FnMut(&Free, &Free)) -> u64 {
        let (legacy, unified) = (&self.legacy[group.legacy.clone()], &self.unified[group.unified.clone()]);
        let (mut l, mut u, mut pairs) = (0, 0, 0);
        while l < legacy.len() && u < unified.len() {
            let distance = unified[u].key.at.since(legacy[l].key.at);
            if distance.0 < -tolerance.0 {
                u += 1;
            } else if distance > tolerance {
                l += 1;
            } else {
                let a = self.board.entry(Side::Legacy, legacy[l].row);
                let b = self.board.entry(Side::Unified, unified[u].row);
                if !fits(self.board, a, b) {
                    // Either the legacy row alone is late, or the partner too far beyond as-of.
                    if self.board.is_late(a) {
                        u += 1
                    } else {
                        l += 1
                    }
                    continue;
                }
                if !self.board.is_late(a) {
                    pairs += 1;
                    take(&legacy[l], &unified[u]);
                }
                l += 1;
                u += 1;
            }
        }
        pairs
    }
}

/// Counts the pairs of rung `near` whose users are asked for, and how many of them would be left under each
/// tolerance of the grid below the configured one. All legacy rows of such users are paired, and no finding is
/// about them.
pub(in super::super) fn add_near(board: &Board<'_>, is_asked: impl Fn(u32) -> bool, settled: &mut Settled) {
    let free = |side: Side| {
        let mut rows: Vec<Free> = (0..board.rows(side).len() as u32)
            .filter(|&row| is_left_to_near(board, side, row) && is_asked(board.entry(side, row).user.0))
            .map(|row| Free { key: board.key_at(side, row), row, now: Now::Other })
            .collect();
        rows.sort_unstable_by_key(|free| (free.key, free.row));
        rows
    };
    let (legacy, unified) = (free(Side::Legacy), free(Side::Unified));
    settled.near += legacy.len() as u64;
    let groups = groups(&legacy, &unified);
    let (exact, time_mismatches, unmigrated) = (0, 0, 0);
    let near = Near { board, legacy, unified, groups, exact, tied: Vec::new(), time_mismatches, unmigrated };
    for tolerance in GRID.into_iter().map(Span).filter(|tolerance| *tolerance < board.tolerance) {
        let rows: u64 = near.groups.iter().map(|group| near.pairs(group, tolerance, |_, _| {})).sum();
        *settled.nearer.entry(tolerance).or_default() += rows;
    }
}

/// The rungs above `near` left the row free.
fn is_left_to_near(board: &Board<'_>, side: Side, row: u32) -> bool {
    match board.rows(side)[row as usize] {
        Row::Apart => false,
        Row::Paired(pair) => {
            !matches!(board.pairs[pair as usize].rule, Rule::Link | Rule::Reference | Rule::Exact)
        }
        Row::Grouped(_) | Row::Free(_) => true,
    }
}

/// Leaves out rows that payments keep from some of their group, whose pairs are not told by time alone.
fn leave_out_barred(board: &Board<'_>, legacy: &mut Vec<Free>, unified: &mut Vec<Free>) {
    let rows = |free: &[Free]| free.iter().map(|free| free.row).collect::<Vec<u32>>();
    let barred: HashSet<(Side, u32)> = (groups(legacy, unified).into_iter())
        .flat_map(|group| board.barred_among(&rows(&legacy[group.legacy]), &rows(&unified[group.unified])))
        .collect();
    legacy.retain(|free| !barred.contains(&(Side::Legacy, free.row)));
    unified.retain(|free| !barred.contains(&(Side::Unified, free.row)));
}

/// Runs of the same user, action and amount that are on both sides.
fn groups(legacy: &[Free], unified: &[Free]) -> Vec<Group> {
    let part = |free: &Free| (free.key.user, free.key.action, free.key.tokens);
    let end = |rows: &[Free], start: usize| {
        start + rows[start..].iter().take_while(|free| part(free) == part(&rows[start])).count()
    };
    let (mut l, mut u) = (0, 0);
    let mut groups = Vec::new();
    while l < legacy.len() && u < unified.len() {
        match part(&legacy[l]).cmp(&part(&unified[u])) {
            std::cmp::Ordering::Less => l = end(legacy, l),
            std::cmp::Ordering::Greater => u = end(unified, u),
            std::cmp::Ordering::Equal => {
                let group = Group { legacy: l..end(legacy, l), unified: u..end(unified, u) };
                (l, u) = (group.legacy.end, group.unified.end);
                groups.push(group);
            }
        }
    }
    groups
}
