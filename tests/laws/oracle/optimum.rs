//! All best choices of disjoint groups, and what they agree on.
//!
//! A pair is a group of one and one; a split is a group of one and several.

use std::collections::BTreeMap;

use super::population::{Entry, Signature};

/// Rows that a rung would put together: positions in the two lists of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub legacy: Vec<usize>,
    pub unified: Vec<usize>,
    /// Number of differing attributes.
    pub differs: u32,
    /// Sum of |lag| in microseconds.
    pub lag: i64,
}

/// Could a row have been grouped otherwise? The greater is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verdict {
    #[default]
    Forced,
    Interchangeable,
    Contested,
}

/// What a rung decides.
pub struct Decision {
    /// Chosen groups, each with its verdict.
    pub chosen: Vec<(Group, Verdict)>,
    /// Verdict of each legacy row that is left over, by position.
    pub legacy: Vec<Verdict>,
    /// Verdict of each unified row that is left over, by position.
    pub unified: Vec<Verdict>,
}

/// Most groups, fewest differing attributes, least total |lag|: all choices that reach it, as lists
/// of positions in `groups`.
fn all_optima(groups: &[Group]) -> Vec<Vec<usize>> {
    let masks: Vec<(u64, u64)> =
        groups.iter().map(|group| (mask(&group.legacy), mask(&group.unified))).collect();
    let mut search =
        Search { groups, masks, chosen: Vec::new(), best: (usize::MAX, 0, 0), optima: Vec::new() };
    search.extend(0, (0, 0), (0, 0));
    search.optima
}

fn mask(rows: &[usize]) -> u64 {
    rows.iter().fold(0, |mask, row| mask | 1u64 << row)
}

struct Search<'a> {
    groups: &'a [Group],
    masks: Vec<(u64, u64)>,
    chosen: Vec<usize>,
    /// Least so far: groups that are *not* chosen, differing attributes, lag.
    best: (usize, u32, i64),
    optima: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Visits every set of disjoint groups once: each next group stands further down the list.
    fn extend(&mut self, from: usize, used: (u64, u64), cost: (u32, i64)) {
        let value = (self.groups.len() - self.chosen.len(), cost.0, cost.1);
        if value < self.best {
            self.best = value;
            self.optima.clear();
        }
        if value == self.best {
            self.optima.push(self.chosen.clone());
        }
        for next in from..self.groups.len() {
            let (legacy, unified) = self.masks[next];
            if used.0 & legacy == 0 && used.1 & unified == 0 {
                let group = &self.groups[next];
                self.chosen.push(next);
                self.extend(
                    next + 1,
                    (used.0 | legacy, used.1 | unified),
                    (cost.0 + group.differs, cost.1 + group.lag),
                );
                self.chosen.pop();
            }
        }
    }
}

/// Groups that share rows, directly or through others, together: what one such set decides does not
/// concern another.
fn independent(groups: &[Group]) -> Vec<Vec<Group>> {
    let mut sets: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        let shares = |set: &Vec<Group>| {
            set.iter().any(|other| {
                other.legacy.iter().any(|row| group.legacy.contains(row))
                    || other.unified.iter().any(|row| group.unified.contains(row))
            })
        };
        let (joined, apart): (Vec<_>, Vec<_>) = sets.into_iter().partition(shares);
        sets = apart;
        sets.push(joined.into_iter().flatten().chain([group.clone()]).collect());
    }
    sets
}

/// Decides a rung.
pub fn decide(groups: &[Group], legacy: &[Entry], unified: &[Entry]) -> Decision {
    let mut whole = Decision {
        chosen: Vec::new(),
        legacy: vec![Verdict::Forced; legacy.len()],
        unified: vec![Verdict::Forced; unified.len()],
    };
    for set in independent(groups) {
        let part = decide_set(&set, legacy, unified);
        whole.chosen.extend(part.chosen);
        whole.legacy.iter_mut().zip(part.legacy).for_each(|(all, one)| *all = (*all).max(one));
        whole.unified.iter_mut().zip(part.unified).for_each(|(all, one)| *all = (*all).max(one));
    }
    whole
}

/// Decides one set: the optimum whose list of ids is least, and the verdicts over all optima.
fn decide_set(groups: &[Group], legacy: &[Entry], unified: &[Entry]) -> Decision {
    let optima = all_optima(groups);
    let ids = |rows: &[usize], entries: &[Entry]| {
        let mut ids: Vec<String> = rows.iter().map(|row| entries[*row].id.clone()).collect();
        ids.sort();
        ids
    };
    let listed = |optimum: &Vec<usize>| {
        let mut list: Vec<_> = optimum
            .iter()
            .map(|at| (ids(&groups[*at].legacy, legacy), ids(&groups[*at].unified, unified)))
            .collect();
        list.sort();
        list
    };
    let least = optima.iter().min_by_key(|optimum| listed(optimum)).cloned().unwrap_or_default();
    let shapes = shapes(groups, legacy, unified);
    Decision {
        chosen: least.iter().map(|at| (groups[*at].clone(), verdict_of(*at, &optima, &shapes))).collect(),
        legacy: left_over(legacy, &optima, &least, |at| &groups[at].legacy),
        unified: left_over(unified, &optima, &least, |at| &groups[at].unified),
    }
}

/// Of a chosen group: `forced` when every optimum has it, `interchangeable` when every optimum has as
/// many of its shape, else `contested`.
fn verdict_of(group: usize, optima: &[Vec<usize>], shapes: &[usize]) -> Verdict {
    let alike = |optimum: &Vec<usize>| optimum.iter().filter(|at| shapes[**at] == shapes[group]).count();
    if optima.iter().all(|optimum| optimum.contains(&group)) {
        Verdict::Forced
    } else if optima.iter().all(|optimum| alike(optimum) == alike(&optima[0])) {
        Verdict::Interchangeable
    } else {
        Verdict::Contested
    }
}

/// A number for each group that is the same for groups of rows with the same signatures.
fn shapes(groups: &[Group], legacy: &[Entry], unified: &[Entry]) -> Vec<usize> {
    type Signatures = Vec<Signature>;
    let sorted = |rows: &[usize], entries: &[Entry]| {
        let mut list: Signatures = rows.iter().map(|row| entries[*row].signature()).collect();
        list.sort();
        list
    };
    let mut numbers: BTreeMap<(Signatures, Signatures), usize> = BTreeMap::new();
    groups
        .iter()
        .map(|group| {
            let next = numbers.len();
            *numbers.entry((sorted(&group.legacy, legacy), sorted(&group.unified, unified))).or_insert(next)
        })
        .collect()
}

/// Of a row left over: `forced` when it is left over in every optimum, `interchangeable` when as many
/// rows of its signature are, else `contested`. A row that is taken has no doubts of its own.
fn left_over<'a>(
    entries: &[Entry],
    optima: &[Vec<usize>],
    chosen: &[usize],
    rows_of: impl Fn(usize) -> &'a Vec<usize>,
) -> Vec<Verdict> {
    let signatures: Vec<Signature> = entries.iter().map(Entry::signature).collect();
    let taken = |optimum: &[usize]| {
        let mut taken = vec![false; entries.len()];
        optimum.iter().flat_map(|group| rows_of(*group)).for_each(|row| taken[*row] = true);
        taken
    };
    let mine = taken(chosen);
    let all: Vec<Vec<bool>> = optima.iter().map(|optimum| taken(optimum)).collect();
    let verdict = |row: usize| {
        let twins_taken = |taken: &Vec<bool>| {
            (0..entries.len()).filter(|twin| taken[*twin] && signatures[*twin] == signatures[row]).count()
        };
        if mine[row] || all.iter().all(|taken| !taken[row]) {
            Verdict::Forced
        } else if all.iter().all(|taken| twins_taken(taken) == twins_taken(&mine)) {
            Verdict::Interchangeable
        } else {
            Verdict::Contested
        }
    };
    (0..entries.len()).map(verdict).collect()
}
