//! The distribution of lags.

use super::super::board::Board;
use super::super::classify::lag_micros;
use super::{LagBucket, LagFigures};
use crate::domain::{Rule, Span};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// Ends of the buckets in microseconds, on either side of 0: wider the farther off.
const ENDS: [i64; 12] = [
    SECOND / 1_000,
    SECOND / 100,
    SECOND / 10,
    SECOND,
    2 * SECOND,
    10 * SECOND,
    60 * SECOND,
    600 * SECOND,
    HOUR,
    6 * HOUR,
    24 * HOUR,
    240 * HOUR,
];

/// Lags of the pairs of one rung: those of exactly 0 are counted, the others kept.
#[derive(Debug, Default, Clone)]
struct OfRung {
    zeros: u64,
    others: Vec<i64>,
}

/// Lags of all pairs.
#[derive(Debug)]
pub(super) struct Lags {
    rungs: Vec<(Rule, OfRung)>,
}

impl Lags {
    /// Of all one-to-one pairs whose legacy row is not later than as-of.
    pub(super) fn of(board: &Board<'_>) -> Lags {
        let mut rungs: Vec<(Rule, OfRung)> = Rule::PAIRING.map(|rule| (rule, OfRung::default())).to_vec();
        for pair in &board.pairs {
            if board.is_late_at(pair.legacy) {
                continue;
            }
            // The rungs are numbered in the order of `PAIRING`.
            let rung = &mut rungs[pair.rule as usize].1;
            match lag_micros(board, pair) {
                0 => rung.zeros += 1,
                lag => rung.others.push(lag),
            }
        }
        for (rule, rung) in &mut rungs {
            if let Some(settled) = board.books.settled.rung(*rule) {
                rung.zeros += settled.total.rows - settled.lags.len() as u64;
                rung.others.extend(&settled.lags);
            }
        }
        rungs.iter_mut().for_each(|(_, rung)| rung.others.sort_unstable());
        Lags { rungs }
    }

    pub(super) fn figures(&self) -> Option<LagFigures> {
        let mut all = OfRung::default();
        for (_, rung) in &self.rungs {
            all.zeros += rung.zeros;
            all.others.extend(&rung.others);
        }
        all.others.sort_unstable();
        all.figures()
    }

    pub(super) fn by_rung(&self) -> Vec<(Rule, LagFigures)> {
        self.rungs.iter().filter_map(|(rule, rung)| Some((*rule, rung.figures()?))).collect()
    }

    pub(super) fn buckets(&self) -> Vec<LagBucket> {
        let mut buckets = empty_buckets();
        for (_, rung) in &self.rungs {
            buckets[ENDS.len() + 1].rows += rung.zeros;
            rung.others.iter().for_each(|&lag| buckets[bucket_of(lag)].rows += 1);
        }
        buckets
    }
}

impl OfRung {
    /// `others` ascend.
    fn figures(&self) -> Option<LagFigures> {
        let rows = self.zeros + self.others.len() as u64;
        if rows == 0 {
            return None;
        }
        let zero = (self.zeros > 0).then_some(0);
        let least = self.others.first().copied().into_iter().chain(zero).min().unwrap_or(0);
        let most = self.others.last().copied().into_iter().chain(zero).max().unwrap_or(0);
        let mut lengths: Vec<i64> = self.others.iter().map(|lag| lag.saturating_abs()).collect();
        lengths.sort_unstable();
        // Nearest rank: the least value that `percent` of the pairs do not exceed.
        let rank = |percent: u64| {
            let rank = (u128::from(rows) * u128::from(percent)).div_ceil(100).max(1) as u64;
            match rank.checked_sub(self.zeros + 1) {
                None => Span(0),
                Some(at) => Span(lengths[at as usize]),
            }
        };
        let (median, p95, p99) = (rank(50), rank(95), rank(99));
        Some(LagFigures { rows, least: Span(least), most: Span(most), median, p95, p99 })
    }
}

/// The bucket of exactly 0 stands in the middle.
fn bucket_of(lag: i64) -> usize {
    if lag == 0 {
        return ENDS.len() + 1;
    }
    let distance = ENDS.partition_point(|&end| end < lag.saturating_abs());
    if lag > 0 { ENDS.len() + 2 + distance } else { ENDS.len() - distance }
}

fn empty_buckets() -> Vec<LagBucket> {
    let starts = || std::iter::once(0).chain(ENDS).map(Span);
    let ends = || ENDS.into_iter().map(|end| Some(Span(end))).chain([None]);
    let below = starts().zip(ends()).map(|(near, far)| LagBucket {
        from: far.map(|far| Span(-far.0)),
        to: Some(Span(-near.0)),
        rows: 0,
    });
    let mut buckets: Vec<LagBucket> = below.collect();
    buckets.reverse();
    buckets.push(LagBucket { from: Some(Span(0)), to: Some(Span(0)), rows: 0 });
    buckets.extend(starts().zip(ends()).map(|(near, far)| LagBucket { from: Some(near), to: far, rows: 0 }));
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lag_lies_in_the_bucket_whose_ends_hold_it() {
        let buckets = empty_buckets();
        assert_eq!(buckets.len(), 2 * (ENDS.len() + 1) + 1);
        let ends = ENDS.into_iter().flat_map(|end| [end - 1, end, end + 1]);
        for length in [1, i64::MAX].into_iter().chain(ends) {
            for lag in [length, -length] {
                let LagBucket { from, to, .. } = buckets[bucket_of(lag)];
                let (from, to) = (from.map_or(i64::MIN, |end| end.0), to.map_or(i64::MAX, |end| end.0));
                let holds = if lag > 0 { from < lag && lag <= to } else { from <= lag && lag < to };
                assert!(holds, "{lag} in {from} to {to}");
            }
        }
        let middle = buckets[bucket_of(0)];
        assert_eq!((middle.from, middle.to), (Some(Span(0)), Some(Span(0))));
    }

    #[test]
    fn quantiles_are_those_of_the_nearest_rank() {
        type Case<'a> = (u64, &'a [i64], (i64, i64, i64, i64, i64));
        let cases: [Case<'_>; 5] = [
            (1, &[], (0, 0, 0, 0, 0)),
            (0, &[5], (5, 5, 5, 5, 5)),
            (0, &[-7, 3], (-7, 3, 3, 7, 7)),
            (99, &[-9], (-9, 0, 0, 0, 0)),
            (2, &[-40, 10, 20], (-40, 20, 10, 40, 40)),
        ];
        for (zeros, others, expected) in cases {
            let rung = OfRung { zeros, others: others.to_vec() };
            let found = rung.figures().unwrap();
            let found = (found.least.0, found.most.0, found.median.0, found.p95.0, found.p99.0);
            assert_eq!(found, expected, "{zeros} zeros, {others:?}");
        }
        assert_eq!(OfRung::default().figures(), None);
    }
}
