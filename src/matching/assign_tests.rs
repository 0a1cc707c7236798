use super::*;

/// `lefts × rights` unit nodes with the given allowed pairs (left, right, differing, lag).
fn problem(lefts: u32, rights: u32, edges: &[(usize, usize, u32, i64)]) -> Problem {
    let nodes = |count: u32| (0..count).map(|row| Node { rows: vec![row] }).collect();
    let edges =
        edges.iter().map(|&(left, right, differing, lag)| Edge { left, right, differing, lag }).collect();
    Problem { left: nodes(lefts), right: nodes(rights), edges }
}

#[test]
fn more_pairs_beat_less_lag() {
    // Legacy 0, 60, 120 s; unified 55, 115, 175 s; tolerance 60 s.
    let edges = [(0, 0, 0, 55), (1, 0, 0, 5), (1, 1, 0, 55), (2, 1, 0, 5), (2, 2, 0, 55)];
    let solution = solve(&problem(3, 3, &edges));
    let pairs: Vec<_> = solution.pairs.iter().map(|&(l, r, _)| (l, r)).collect();
    assert_eq!(pairs, [(0, 0), (1, 1), (2, 2)]);
    assert!(solution.pairs.iter().all(|(_, _, verdict)| *verdict == Verdict::Forced));
}

#[test]
fn fewer_differences_beat_less_lag() {
    let solution = solve(&problem(1, 2, &[(0, 0, 2, 1), (0, 1, 1, 1_000_000)]));
    assert_eq!(solution.pairs, [(0, 1, Verdict::Forced)]);
    assert_eq!(solution.left_over_unified, [(0, Verdict::Forced)]);
}

#[test]
fn equal_optima_are_contested_and_the_least_ids_win() {
    let solution = solve(&problem(2, 1, &[(0, 0, 0, 5), (1, 0, 0, 5)]));
    assert_eq!(solution.pairs, [(0, 0, Verdict::Contested)]);
    assert_eq!(solution.left_over_legacy, [(1, Verdict::Contested)]);
}

#[test]
fn crossing_pairs_of_equal_lag_are_two_optima() {
    // Legacy at 0 and 1, unified at 5 and 6: 5 + 5 = 6 + 4.
    let solution = solve(&problem(2, 2, &[(0, 0, 0, 5), (0, 1, 0, 6), (1, 0, 0, 4), (1, 1, 0, 5)]));
    assert_eq!(solution.pairs, [(0, 0, Verdict::Contested), (1, 1, Verdict::Contested)]);
}

#[test]
fn identical_rows_are_interchangeable() {
    let problem = Problem {
        left: vec![Node { rows: vec![3, 4, 7] }],
        right: vec![Node { rows: vec![1, 2] }],
        edges: vec![Edge { left: 0, right: 0, differing: 0, lag: 9 }],
    };
    let solution = solve(&problem);
    assert_eq!(solution.pairs, [(3, 1, Verdict::Interchangeable), (4, 2, Verdict::Interchangeable)]);
    assert_eq!(solution.left_over_legacy, [(7, Verdict::Interchangeable)]);
}
