//! Blocks beside what is found by trying every set of pairs.

use proptest::prelude::*;

use super::*;

/// All sets of pairs of as many rows a side, of least total |lag|, as the unified row of each legacy
/// row; rows are (instant, id).
fn optima(legacy: &[(i64, u32)], unified: &[(i64, u32)]) -> Vec<Vec<u32>> {
    fn extend(
        legacy: &[(i64, u32)],
        unified: &[(i64, u32)],
        taken: &mut Vec<usize>,
        lag: i64,
        best: &mut (i64, Vec<Vec<u32>>),
    ) {
        if taken.len() == legacy.len() {
            if lag < best.0 {
                *best = (lag, Vec::new());
            }
            if lag == best.0 {
                best.1.push(taken.iter().map(|&at| unified[at].1).collect());
            }
            return;
        }
        for at in 0..unified.len() {
            if !taken.contains(&at) {
                let more = (legacy[taken.len()].0 - unified[at].0).abs();
                taken.push(at);
                extend(legacy, unified, taken, lag + more, best);
                taken.pop();
            }
        }
    }
    let mut best = (i64::MAX, Vec::new());
    extend(legacy, unified, &mut Vec::new(), 0, &mut best);
    best.1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn blocks_say_of_every_optimum_what_trying_all_of_them_says(
        instants in proptest::collection::btree_set(0i64..40, 2..=12),
        sides in proptest::collection::vec(any::<bool>(), 12),
        mixed in any::<u64>(),
    ) {
        // As many rows a side as the shuffled instants give; ids in an order of their own.
        let mut instants: Vec<i64> = instants.into_iter().collect();
        instants.truncate(instants.len() / 2 * 2);
        let half = instants.len() / 2;
        let mut is_unified: Vec<bool> = sides.into_iter().take(instants.len()).collect();
        for wanted in [true, false] {
            while is_unified.iter().filter(|side| **side == wanted).count() > half {
                let at = is_unified.iter().position(|side| *side == wanted).unwrap();
                is_unified[at] = !wanted;
            }
        }
        let id = |at: usize| (at as u64).wrapping_mul(mixed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let line: Vec<(i64, bool, u32)> =
            (0..instants.len()).map(|at| (instants[at], is_unified[at], id(at) as u32)).collect();
        let ids: std::collections::BTreeSet<u32> = line.iter().map(|row| row.2).collect();
        prop_assume!(ids.len() == line.len());
        let of = |wanted: bool| {
            let mut rows: Vec<(i64, u32)> =
                line.iter().filter(|row| row.1 == wanted).map(|row| (row.0, row.2)).collect();
            rows.sort_unstable_by_key(|row| row.1);
            rows
        };
        let (legacy, unified) = (of(false), of(true));
        let all = optima(&legacy, &unified);
        let least = all.iter().min().unwrap();
        let forced: Vec<bool> =
            (0..half).map(|at| all.iter().all(|optimum| optimum[at] == least[at])).collect();

        let blocks = cut(&line, 0, i64::MAX).unwrap();
        let mut found: Vec<(u32, u32, Verdict)> =
            blocks.iter().flat_map(|block| block.least().unwrap().pairs).collect();
        found.sort_unstable_by_key(|pair| pair.0);
        let verdict = |at: usize| if forced[at] { Verdict::Forced } else { Verdict::Contested };
        let expected: Vec<(u32, u32, Verdict)> =
            (0..half).map(|at| (legacy[at].1, least[at], verdict(at))).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_line_is_cut_where_both_sides_have_had_as_many_rows() {
    let line = [(0, false, 1), (5, true, 2), (9, true, 3), (20, false, 4), (21, false, 5), (30, true, 6)];
    let sizes = |nearest: i64, reach: i64| {
        let blocks = cut(&line[..4], nearest, reach)?;
        Some(blocks.iter().map(|block| block.rows.len()).collect::<Vec<_>>())
    };
    assert_eq!(sizes(0, 100), Some(vec![2, 2]));
    // Rows too near to be a pair, or too far.
    assert_eq!(sizes(5, 100), None);
    assert_eq!(sizes(0, 10), None);
    // However far apart instants lie, no distance wraps.
    assert_eq!(cut(&[(i64::MIN, false, 1), (i64::MAX, true, 2)], 0, 100), None);
    // Blocks of either direction, one after the other.
    assert_eq!(cut(&line, 0, 100).unwrap().len(), 3);
}
