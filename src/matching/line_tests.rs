use super::*;

/// Most pairs, then least lag, over every way to pair: exponential, for a handful of rows.
fn brute_force(legacy: &[i64], unified: &[i64], limit: i64) -> (usize, i64) {
    fn search(legacy: &[i64], unified: &[i64], taken: &mut Vec<bool>, limit: i64) -> (usize, i64) {
        let Some((&first, rest)) = legacy.split_first() else { return (0, 0) };
        let mut best = search(rest, unified, taken, limit);
        for at in 0..unified.len() {
            let lag = (first - unified[at]).abs();
            if !taken[at] && lag <= limit {
                taken[at] = true;
                let (pairs, total) = search(rest, unified, taken, limit);
                taken[at] = false;
                if pairs + 1 > best.0 || (pairs + 1 == best.0 && total + lag < best.1) {
                    best = (pairs + 1, total + lag);
                }
            }
        }
        best
    }
    search(legacy, unified, &mut vec![false; unified.len()], limit)
}

proptest::proptest! {
    #[test]
    fn the_band_finds_what_brute_force_finds(
        mut legacy in proptest::collection::vec(0i64..40, 0..7),
        mut unified in proptest::collection::vec(0i64..40, 0..7),
        limit in 0i64..45,
    ) {
        legacy.sort_unstable();
        unified.sort_unstable();
        let line = pair(&legacy, &unified, limit);
        let lag: i64 = line.pairs.iter().map(|&(l, u)| (legacy[l] - unified[u]).abs()).sum();
        proptest::prop_assert!(line.optimal);
        proptest::prop_assert!(line.pairs.iter().all(|&(l, u)| (legacy[l] - unified[u]).abs() <= limit));
        proptest::prop_assert_eq!((line.pairs.len(), lag), brute_force(&legacy, &unified, limit));
    }
}
