use super::*;

/// The solution of `lefts × rights` unit nodes with the given allowed pairs (left, right, differing,
/// lag), the same whether all pairs are held or priced.
fn solve_units(lefts: u32, rights: u32, edges: &[(u32, u32, u32, i64)]) -> Solution {
    let nodes = |count: u32| (0..count).map(|row| Node { rows: vec![row] }).collect();
    let edges: Vec<Edge> =
        edges.iter().map(|&(left, right, differing, lag)| Edge { left, right, differing, lag }).collect();
    let problem = Problem { left: nodes(lefts), right: nodes(rights) };
    let longest = edges.iter().map(|edge| edge.lag).max().unwrap_or(0);
    let solution = solve(&problem, &edges, longest, &Guess::new());
    let allowed = |left: u32, take: &mut dyn FnMut(Edge)| {
        edges.iter().filter(|edge| edge.left == left).for_each(|edge| take(*edge));
    };
    assert_eq!(solve_by_price(&problem, &allowed, longest, &Guess::new()), Some(solution.clone()));
    solution
}

#[test]
fn more_pairs_beat_less_lag() {
    // Legacy 0, 60, 120 s; unified 55, 115, 175 s; tolerance 60 s.
    let edges = [(0, 0, 0, 55), (1, 0, 0, 5), (1, 1, 0, 55), (2, 1, 0, 5), (2, 2, 0, 55)];
    let solution = solve_units(3, 3, &edges);
    let pairs: Vec<_> = solution.pairs.iter().map(|&(l, r, _)| (l, r)).collect();
    assert_eq!(pairs, [(0, 0), (1, 1), (2, 2)]);
    assert!(solution.pairs.iter().all(|(_, _, verdict)| *verdict == Verdict::Forced));
}

#[test]
fn fewer_differences_beat_less_lag() {
    let solution = solve_units(1, 2, &[(0, 0, 2, 1), (0, 1, 1, 1_000_000)]);
    assert_eq!(solution.pairs, [(0, 1, Verdict::Forced)]);
    assert_eq!(solution.left_over_unified, [(0, Verdict::Forced)]);
}

#[test]
fn equal_optima_are_contested_and_the_least_ids_win() {
    let solution = solve_units(2, 1, &[(0, 0, 0, 5), (1, 0, 0, 5)]);
    assert_eq!(solution.pairs, [(0, 0, Verdict::Contested)]);
    assert_eq!(solution.left_over_legacy, [(1, Verdict::Contested)]);
}

#[test]
fn crossing_pairs_of_equal_lag_are_two_optima() {
    // Legacy at 0 and 1, unified at 5 and 6: 5 + 5 = 6 + 4.
    let solution = solve_units(2, 2, &[(0, 0, 0, 5), (0, 1, 0, 6), (1, 0, 0, 4), (1, 1, 0, 5)]);
    assert_eq!(solution.pairs, [(0, 0, Verdict::Contested), (1, 1, Verdict::Contested)]);
}

#[test]
fn identical_rows_are_interchangeable() {
    let problem =
        Problem { left: vec![Node { rows: vec![3, 4, 7] }], right: vec![Node { rows: vec![1, 2] }] };
    let solution = solve(&problem, &[Edge { left: 0, right: 0, differing: 0, lag: 9 }], 9, &Guess::new());
    assert_eq!(solution.pairs, [(3, 1, Verdict::Interchangeable), (4, 2, Verdict::Interchangeable)]);
    assert_eq!(solution.left_over_legacy, [(7, Verdict::Interchangeable)]);
}

/// Most pairs, fewest differing attributes, least lag, over every way to pair unit nodes.
fn brute_force(lefts: u32, edges: &[Edge]) -> (usize, u32, i64) {
    fn search(left: u32, lefts: u32, edges: &[Edge], taken: &mut Vec<u32>) -> (usize, u32, i64) {
        if left == lefts {
            return (0, 0, 0);
        }
        let mut best = search(left + 1, lefts, edges, taken);
        for edge in edges.iter().filter(|edge| edge.left == left) {
            if !taken.contains(&edge.right) {
                taken.push(edge.right);
                let (pairs, differing, lag) = search(left + 1, lefts, edges, taken);
                taken.pop();
                let found = (pairs + 1, differing + edge.differing, lag + edge.lag);
                let rank = |(pairs, differing, lag)| (std::cmp::Reverse(pairs), differing, lag);
                best = if rank(found) < rank(best) { found } else { best };
            }
        }
        best
    }
    search(0, lefts, edges, &mut Vec::new())
}

proptest::proptest! {
    /// With and without a guess, held or priced: the optimum, and the same one.
    #[test]
    fn the_optimum_is_that_of_brute_force(
        lags in proptest::collection::vec((0u32..3, 0i64..4, 0u32..3), 25),
        guess in proptest::collection::vec(0u32..5, 0..5),
    ) {
        let edges: Vec<Edge> = (0..25u32)
            .zip(&lags)
            .filter(|(_, (_, _, there))| *there > 0)
            .map(|(at, &(differing, lag, _))| Edge { left: at / 5, right: at % 5, differing, lag })
            .collect();
        let nodes = || (0..5).map(|row| Node { rows: vec![row] }).collect();
        let problem = Problem { left: nodes(), right: nodes() };
        let solution = solve(&problem, &edges, 4, &Guess::new());
        let of = |l: u32, r: u32| edges.iter().find(|edge| (edge.left, edge.right) == (l, r)).unwrap();
        let sums = solution.pairs.iter().fold((0, 0, 0), |(pairs, differing, lag), &(l, r, _)| {
            (pairs + 1, differing + of(l, r).differing, lag + of(l, r).lag)
        });
        proptest::prop_assert_eq!(sums, brute_force(5, &edges));
        let mut guesses: Vec<Guess> = vec![solution.pairs.iter().map(|&(l, r, _)| (l, r)).collect()];
        guesses.push((0..5).zip(guess).filter(|&(l, r)| edges.iter().any(|e| (e.left, e.right) == (l, r))).collect());
        let allowed = |left: u32, take: &mut dyn FnMut(Edge)| {
            edges.iter().filter(|edge| edge.left == left).for_each(|edge| take(*edge));
        };
        for guess in guesses {
            proptest::prop_assert_eq!(&solve(&problem, &edges, 4, &guess), &solution);
            proptest::prop_assert_eq!(&solve_by_price(&problem, &allowed, 4, &guess), &Some(solution.clone()));
        }
    }
}
