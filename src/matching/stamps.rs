//! Instants at which copies were stamped, whatever rung paired them: a copy that names its legacy row
//! or its payment is paired by that, and was still given the time of the copying.

use std::collections::HashSet;

use super::board::Board;
use super::ladder::STAMPED_OTHERS;
use crate::domain::{Instant, Pair, Side};

/// Instants that more than [`STAMPED_OTHERS`] pairs beyond tolerance have on the unified side, with
/// lags most of which are not one: rows that happened at one instant and were shifted together are no
/// stamp.
pub(super) fn of(board: &Board<'_>) -> HashSet<Instant> {
    let beyond = board.pairs.iter().filter(|pair| pair.differs.time);
    let mut times: Vec<(Instant, Instant)> = beyond.map(|pair| times(board, pair)).collect();
    times.sort_unstable();
    times
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|run| run.len() > STAMPED_OTHERS && !is_one_shift(run, board.tolerance.0))
        .map(|run| run[0].0)
        .collect()
}

/// When the unified row happened, then the legacy row.
fn times(board: &Board<'_>, pair: &Pair) -> (Instant, Instant) {
    (board.at(Side::Unified, pair.unified), board.at(Side::Legacy, pair.legacy))
}

/// More than half of the legacy times (ascending) lie within one tolerance.
fn is_one_shift(run: &[(Instant, Instant)], tolerance: i64) -> bool {
    let half = run.len() / 2;
    run.iter().zip(&run[half..]).any(|(from, to)| to.1.since(from.1).0 <= tolerance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_instant_that_moved_together_are_a_shift() {
        for (alike, of, expected) in [(21, 21, true), (11, 21, true), (10, 21, false), (1, 30, false)] {
            let legacy = |number: i64| if number < alike { number % 2 } else { number * 100 };
            let mut run: Vec<(Instant, Instant)> =
                (0..of).map(|number| (Instant(1_000_000), Instant(legacy(number)))).collect();
            run.sort_unstable();
            assert_eq!(is_one_shift(&run, 1), expected, "{alike} of {of}");
        }
    }
}
