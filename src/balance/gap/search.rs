//! The smallest sets of causes that give a balance to the token.

use super::super::GapCause;
use super::hypothesis::Hypothesis;

/// One possible cause of a holder's gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Possible {
    pub cause: GapCause,
    pub why: Hypothesis,
    /// Its effect does not depend on what else is in the set.
    pub adds: bool,
}

impl Possible {
    /// A balance is kept in one way, so of one cause only one thing can be behind it; findings are
    /// rows, and can be there together.
    pub fn excludes(&self, other: &Possible) -> bool {
        self.cause == other.cause && !(self.why.is_of_findings() && other.why.is_of_findings())
    }
}

/// So many sets whose effects do not simply add up are looked at for one balance.
const MOST_REPLAYS: usize = 4096;
/// Where the order of rows matters, at most so many causes of a set may be mere hypotheses.
const MOST_UNKNOWN: usize = 3;

/// Sets of positions of `possible`, ascending; each gives `target`.
///
/// The smallest sets of configured policies alone come first, or else of configured policies and
/// findings, whatever their size; of all others only the smallest, and none that is larger than
/// those or than `most`. `replayed` gives the balance of a set, `added` the same where all of it adds
/// up. What is added up gives no set: a replay has the last word, and where it says something else,
/// nothing is taken to add up any more.
pub(super) fn smallest_sets(
    possible: &[Possible],
    target: i128,
    most: Option<usize>,
    added: impl Fn(&[usize]) -> i128,
    replayed: impl Fn(&[usize]) -> i128,
) -> Vec<Vec<usize>> {
    let mut is_refuted = false;
    let mut replays = 0;
    let found = in_tiers(possible, most, &mut |set| {
        if set.iter().all(|&at| possible[at].adds) {
            let gives = added(set) == target;
            is_refuted |= gives && replayed(set) != target;
            return gives;
        }
        replays += 1;
        replays <= MOST_REPLAYS && replayed(set) == target
    });
    if !is_refuted {
        return found;
    }
    let meeting: Vec<Possible> = possible.iter().map(|one| Possible { adds: false, ..*one }).collect();
    smallest_sets(&meeting, target, most, added, replayed)
}

/// The same by what tells whether a set gives the target.
fn in_tiers(
    possible: &[Possible],
    most: Option<usize>,
    gives: &mut impl FnMut(&[usize]) -> bool,
) -> Vec<Vec<usize>> {
    let of = |wanted: fn(Hypothesis) -> bool| -> Vec<usize> {
        (0..possible.len()).filter(|&at| wanted(possible[at].why)).collect()
    };
    let mut first = Vec::new();
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for tier in [of(|why| why == Hypothesis::Configured), of(Hypothesis::is_known)] {
        if sets.is_empty() {
            sets = first_sets(possible, &tier, tier.len(), gives);
            first = tier;
        }
    }
    let all: Vec<usize> = (0..possible.len()).collect();
    let most = [most, sets.first().map(Vec::len)].into_iter().flatten().min().unwrap_or(all.len());
    let mut others = first_sets(possible, &all, most, gives);
    if !sets.is_empty() {
        // Those of the first kind are there already.
        others.retain(|set| !set.iter().all(|at| first.contains(at)));
    }
    sets.extend(others);
    sets
}

/// All sets of the smallest size that has any, up to a size.
fn first_sets(
    possible: &[Possible],
    among: &[usize],
    most: usize,
    gives: &mut impl FnMut(&[usize]) -> bool,
) -> Vec<Vec<usize>> {
    for size in 1..=most {
        let mut found = Vec::new();
        let mut chosen = Vec::with_capacity(size);
        each_set(possible, among, size, &mut chosen, &mut |set| {
            if gives(set) {
                found.push(set.to_vec());
            }
        });
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Shows every set of `size` of these, in order, that makes sense.
fn each_set(
    possible: &[Possible],
    among: &[usize],
    size: usize,
    chosen: &mut Vec<usize>,
    see: &mut impl FnMut(&[usize]),
) {
    if size == 0 {
        see(chosen);
        return;
    }
    for (at, &next) in among.iter().enumerate() {
        if among.len() - at < size {
            return;
        }
        chosen.push(next);
        if makes_sense(possible, chosen) {
            each_set(possible, &among[at + 1..], size - 1, chosen, see);
        }
        chosen.pop();
    }
}

/// Nothing in the set excludes the last, and where rows meet not too much is mere hypothesis.
fn makes_sense(possible: &[Possible], set: &[usize]) -> bool {
    let Some((&last, before)) = set.split_last() else { return true };
    if before.iter().any(|&at| possible[at].excludes(&possible[last])) {
        return false;
    }
    let unknown = set.iter().filter(|&&at| !possible[at].why.is_known()).count();
    unknown <= MOST_UNKNOWN || set.iter().all(|&at| possible[at].adds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possible(cause: GapCause, why: Hypothesis) -> Possible {
        Possible { cause, why, adds: true }
    }

    /// Searches where every effect adds up.
    fn search(options: &[(Possible, i128)], gap: i128) -> Vec<Vec<usize>> {
        let possible: Vec<Possible> = options.iter().map(|(possible, _)| *possible).collect();
        let sum = |set: &[usize]| set.iter().map(|&at| options[at].1).sum::<i128>();
        smallest_sets(&possible, gap, None, sum, sum)
    }

    #[test]
    fn the_smallest_sets_win_and_all_of_them_are_given() {
        let options = [
            (possible(GapCause::Unmigrated, Hypothesis::Findings), 50),
            (possible(GapCause::Duplicate, Hypothesis::Findings), 50),
            (possible(GapCause::UsageNotDeducted, Hypothesis::NotDeducted), 75),
            (possible(GapCause::Opening, Hypothesis::Configured), 100),
        ];
        let cases: [(i128, &[&[usize]]); 6] = [
            (50, &[&[0], &[1]]),
            (100, &[&[3]]),
            (125, &[&[0, 2], &[1, 2]]),
            (150, &[&[0, 3], &[1, 3]]),
            (275, &[&[0, 1, 2, 3]]),
            (101, &[]),
        ];
        for (gap, expected) in cases {
            assert_eq!(search(&options, gap), expected, "{gap}");
        }
    }

    #[test]
    fn what_is_known_stands_first_but_never_alone_when_something_as_small_does_as_well() {
        let options = [
            (possible(GapCause::Unmigrated, Hypothesis::Findings), 70),
            (possible(GapCause::Opening, Hypothesis::Configured), 100),
            (possible(GapCause::Reset, Hypothesis::Configured), -30),
            (possible(GapCause::Clamp, Hypothesis::HeldAtZero), 100),
        ];
        assert_eq!(search(&options, 70), [vec![1, 2], vec![0]]);
        assert_eq!(search(&options, 100), [[1], [3]]);
    }

    #[test]
    fn what_a_replay_refutes_is_no_set_and_nothing_adds_up_any_more() {
        let options = [
            (possible(GapCause::Unmigrated, Hypothesis::Findings), 10),
            (possible(GapCause::Amount, Hypothesis::Findings), 50),
            (possible(GapCause::Opening, Hypothesis::Configured), 100),
        ];
        let possible = options.map(|(possible, _)| possible);
        let added = |set: &[usize]| set.iter().map(|&at| options[at].1).sum::<i128>();
        // Beside the amount nothing is given at sign-up.
        let meets = |set: &[usize]| set.contains(&1) && set.contains(&2);
        let replayed = |set: &[usize]| added(set) - if meets(set) { 100 } else { 0 };
        let cases: [(i128, &[&[usize]]); 5] =
            [(150, &[]), (160, &[]), (50, &[&[1]]), (60, &[&[0, 1]]), (110, &[&[0, 2]])];
        for (gap, expected) in cases {
            assert_eq!(smallest_sets(&possible, gap, None, added, replayed), expected, "{gap}");
        }
    }

    #[test]
    fn the_search_agrees_with_every_subset() {
        // A small generator: xorshift.
        let mut state = 0x2545_f491_4f6c_dd1du64;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let whys = [Hypothesis::Findings, Hypothesis::Configured, Hypothesis::NotDeducted];
        for round in 0..2_000 {
            let count = 1 + next(9) as usize;
            let options: Vec<(Possible, i128)> = (0..count)
                .map(|at| (possible(GapCause::ALL[at], whys[next(3) as usize]), next(12) as i128 - 6))
                .collect();
            let gap = next(30) as i128 - 15;
            let found = search(&options, gap);
            let mut hits: Vec<Vec<usize>> = (1..1u32 << count)
                .map(|bits| (0..count).filter(|at| bits >> at & 1 == 1).collect::<Vec<usize>>())
                .filter(|set| set.iter().map(|&at| options[at].1).sum::<i128>() == gap)
                .collect();
            hits.sort_by_key(|set| set.len());
            // Configured alone, or else configured and found, before all that is mere hypothesis.
            let is_of = |set: &[usize], tier: usize| {
                set.iter().all(|&at| [whys[1], whys[0]][..tier].contains(&options[at].0.why))
            };
            let tier = [1, 2].into_iter().find(|&tier| hits.iter().any(|set| is_of(set, tier)));
            let in_tier = |set: &[usize]| tier.is_some_and(|tier| is_of(set, tier));
            let least_in_tier = hits.iter().filter(|set| in_tier(set)).map(Vec::len).min();
            let least = hits.iter().map(Vec::len).min();
            let is_expected =
                |set: &&Vec<usize>| Some(set.len()) == if in_tier(set) { least_in_tier } else { least };
            let mut expected: Vec<Vec<usize>> = hits.iter().filter(is_expected).cloned().collect();
            let mut found_sorted = found.clone();
            found_sorted.sort();
            expected.sort();
            assert_eq!(found_sorted, expected, "round {round}: {options:?} {gap}");
            if tier.is_some() {
                assert!(in_tier(&found[0]), "round {round}");
            }
        }
    }
}
