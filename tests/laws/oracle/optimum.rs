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
    /// Chosen groups.
    pub chosen: Vec<Group>,
    /// Verdict of each legacy row, by position.
    pub legacy: Vec<Verdict>,
    /// Verdict of each unified row, by position.
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

/// Decides a rung: the optimum whose list of ids is least, and the verdicts over all optima.
pub fn decide(groups: &[Group], legacy: &[Entry], unified: &[Entry]) -> Decision {
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
        chosen: least.iter().map(|at| groups[*at].clone()).collect(),
        legacy: verdicts(legacy, &optima, &least, &shapes, |at| &groups[at].legacy),
        unified: verdicts(unified, &optima, &least, &shapes, |at| &groups[at].unified),
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

/// What an optimum does to one side: the group of each row, and the shapes of each class of rows.
type View = (Vec<Option<usize>>, Vec<Vec<usize>>);

/// `forced`: the row is in the same group, or in none, in every optimum. `interchangeable`: of a row
/// that is taken, the rows with its signature together are in groups of the same shapes in every
/// optimum; of a row left over, as many of them are left over in every optimum. Else `contested`.
fn verdicts<'a>(
    entries: &[Entry],
    optima: &[Vec<usize>],
    chosen: &[usize],
    shapes: &[usize],
    rows_of: impl Fn(usize) -> &'a Vec<usize>,
) -> Vec<Verdict> {
    let signatures: Vec<Signature> = entries.iter().map(Entry::signature).collect();
    let class_of = |row: usize| signatures.iter().position(|other| *other == signatures[row]).unwrap_or(row);
    let classes: Vec<usize> = (0..entries.len()).map(class_of).collect();
    let views: Vec<View> = [chosen]
        .into_iter()
        .chain(optima.iter().map(Vec::as_slice))
        .map(|optimum| {
            let mut group_of = vec![None; entries.len()];
            let mut shapes_of = vec![Vec::new(); entries.len()];
            for group in optimum {
                for row in rows_of(*group) {
                    group_of[*row] = Some(*group);
                    shapes_of[classes[*row]].push(shapes[*group]);
                }
            }
            shapes_of.iter_mut().for_each(|shapes| shapes.sort_unstable());
            (group_of, shapes_of)
        })
        .collect();
    let (mine, my_shapes) = &views[0];
    let verdict = |row: usize| {
        let class = classes[row];
        if views.iter().all(|(group_of, _)| group_of[row] == mine[row]) {
            Verdict::Forced
        } else if views.iter().all(|(_, shapes_of)| match mine[row] {
            Some(_) => shapes_of[class] == my_shapes[class],
            None => shapes_of[class].len() == my_shapes[class].len(),
        }) {
            Verdict::Interchangeable
        } else {
            Verdict::Contested
        }
    };
    (0..entries.len()).map(verdict).collect()
}
