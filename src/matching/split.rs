//! The rung `split`: one row on one side is 2 to 6 rows on the other, of equal sum.
//!
//! Candidates are small by nature: free rows of one user and action within tolerance of one row.
//! All of them are listed, and the best disjoint choice is searched exactly: most groups, least
//! total |lag|, then ids.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::board::{Board, Key, lag};
use super::components;
use crate::domain::{Instant, Rule, Side, Verdict};

/// Parts of a split grant.
const MOST_PARTS: usize = 6;

/// Sets of parts of one row that are looked at, and that may fit, beyond which it is given up.
const SETS_LIMIT: usize = 2_000_000;
const FITTING_LIMIT: usize = 2_000;

/// Choices among groups that share rows, and equally good ones, beyond which it is given up.
const CHOICES_LIMIT: usize = 2_000_000;
const OPTIMA_LIMIT: usize = 5_000;

/// A possible group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    legacy: Vec<u32>,
    unified: Vec<u32>,
    /// Σ|lag| between the one row and its parts, in microseconds.
    lag: i128,
}

/// Takes all groups.
pub(super) fn climb(board: &mut Board<'_>) {
    for (legacy, unified) in sets(board) {
        let mut candidates = candidates(board, Side::Legacy, &legacy, &unified);
        candidates.extend(self::candidates(board, Side::Unified, &unified, &legacy));
        for conflict in conflicts(candidates) {
            choose(board, conflict);
        }
    }
}

/// Free rows by user and action, ascending by time.
fn sets(board: &Board<'_>) -> Vec<(Vec<u32>, Vec<u32>)> {
    let [legacy, unified] = board.both_by_key();
    let part = |(key, _): &(Key, u32)| (key.user, key.action);
    let by_time = |run: &[(Key, u32)]| {
        let mut rows: Vec<(Instant, u32)> = run.iter().map(|(key, row)| (key.at, *row)).collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, row)| row).collect::<Vec<u32>>()
    };
    let mut sets: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
    let mut right = unified.chunk_by(|a, b| part(a) == part(b)).peekable();
    for left in legacy.chunk_by(|a, b| part(a) == part(b)) {
        while right.next_if(|run| part(&run[0]) < part(&left[0])).is_some() {}
        if let Some(run) = right.next_if(|run| part(&run[0]) == part(&left[0])) {
            // Fewer than three rows are no group of one and several.
            if left.len() + run.len() > 2 {
                sets.push((by_time(left), by_time(run)));
            }
        }
    }
    drop(right);
    board.leave_by_key([legacy, unified]);
    sets
}

/// All groups of one row of `side` and 2 to 6 rows of the other.
fn candidates(board: &mut Board<'_>, side: Side, ones: &[u32], others: &[u32]) -> Vec<Candidate> {
    let other_side = if side == Side::Legacy { Side::Unified } else { Side::Legacy };
    let at = |side: Side, row: u32| board.at(side, row);
    let mut found = Vec::new();
    let mut crowded = Vec::new();
    for &one in ones {
        let entry = board.entry(side, one);
        let (from, to) = (entry.at.minus(board.tolerance), entry.at.plus(board.tolerance));
        let start = others.partition_point(|&row| at(other_side, row) < from);
        let end = others.partition_point(|&row| at(other_side, row) <= to);
        // A sum proves little: what names another row, or another payment, is no part.
        let may_be = |legacy, unified| {
            components::fits(board, legacy, unified) && board.contrary(legacy, unified).is_none()
        };
        let fits = |row: &u32| match side {
            Side::Legacy => may_be(entry, board.entry(other_side, *row)),
            Side::Unified => may_be(board.entry(other_side, *row), entry),
        };
        // A part is smaller than the whole.
        let parts: Vec<u32> = others[start..end]
            .iter()
            .copied()
            .filter(|row| board.entry(other_side, *row).tokens < entry.tokens)
            .filter(fits)
            .collect();
        let tokens: Vec<i64> = parts.iter().map(|&row| board.entry(other_side, row).tokens).collect();
        let Some(subsets) = subsets(&tokens, entry.tokens) else {
            crowded.push((one, parts));
            continue;
        };
        for chosen in subsets {
            let mut rows: Vec<u32> = chosen.iter().map(|&at| parts[at]).collect();
            rows.sort_unstable();
            let lag =
                rows.iter().map(|&row| i128::from(lag(entry, board.entry(other_side, row)).abs().0)).sum();
            let (legacy, unified) = if side == Side::Legacy { (vec![one], rows) } else { (rows, vec![one]) };
            found.push(Candidate { legacy, unified, lag });
        }
    }
    for (one, parts) in crowded {
        let user = board.books.roster.id(board.entry(side, one).user);
        let row = &board.entry(side, one).id;
        board.bounded.push(format!(
            "split: user {user}, action {}, {} rows around {} row {row}",
            board.books.action(board.action(board.entry(side, one))),
            parts.len(),
            side.name()
        ));
        board.doubt(Rule::Split, side, one, Verdict::Contested);
        parts.into_iter().for_each(|part| board.doubt(Rule::Split, other_side, part, Verdict::Contested));
    }
    found
}

/// Positions of 2 to 6 amounts whose sum is `whole`; `None` when there are too many.
fn subsets(tokens: &[i64], whole: i64) -> Option<Vec<Vec<usize>>> {
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    order.sort_by_key(|&at| tokens[at]);
    let mut subsets = Subsets { tokens, order, looked_at: 0, chosen: Vec::new(), found: Vec::new() };
    subsets.search(0, whole).then_some(subsets.found)
}

struct Subsets<'t> {
    tokens: &'t [i64],
    /// Positions, ascending by amount.
    order: Vec<usize>,
    looked_at: usize,
    chosen: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Subsets<'_> {
    /// `false`: given up.
    fn search(&mut self, from: usize, rest: i64) -> bool {
        if rest == 0 {
            if self.chosen.len() >= 2 {
                self.found.push(self.chosen.clone());
            }
            return self.found.len() <= FITTING_LIMIT;
        }
        let places = (MOST_PARTS - self.chosen.len()) as i64;
        let greatest = self.order.last().map_or(0, |&at| self.tokens[at]);
        if places == 0 || greatest.saturating_mul(places) < rest {
            return true;
        }
        for at in from..self.order.len() {
            let position = self.order[at];
            if self.tokens[position] > rest {
                break;
            }
            self.looked_at += 1;
            if self.looked_at > SETS_LIMIT {
                return false;
            }
            self.chosen.push(position);
            let goes_on = self.search(at + 1, rest - self.tokens[position]);
            self.chosen.pop();
            if !goes_on {
                return false;
            }
        }
        true
    }
}

/// Candidates that share rows, directly or through others, together; ascending by their first.
fn conflicts(mut candidates: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    fn root(parent: &mut [usize], mut at: usize) -> usize {
        while parent[at] != at {
            parent[at] = parent[parent[at]];
            at = parent[at];
        }
        at
    }
    candidates.sort_by(|a, b| (&a.legacy, &a.unified).cmp(&(&b.legacy, &b.unified)));
    let mut parent: Vec<usize> = (0..candidates.len()).collect();
    let mut first: HashMap<(Side, u32), usize> = HashMap::new();
    for (number, candidate) in candidates.iter().enumerate() {
        for row in candidate.rows() {
            let other = *first.entry(row).or_insert(number);
            let (a, b) = (root(&mut parent, other), root(&mut parent, number));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut sets: Vec<Vec<Candidate>> = candidates.iter().map(|_| Vec::new()).collect();
    for (number, candidate) in candidates.into_iter().enumerate() {
        sets[root(&mut parent, number)].push(candidate);
    }
    sets.retain(|set| !set.is_empty());
    sets
}

impl Candidate {
    fn rows(&self) -> impl Iterator<Item = (Side, u32)> + '_ {
        let legacy = self.legacy.iter().map(|&row| (Side::Legacy, row));
        legacy.chain(self.unified.iter().map(|&row| (Side::Unified, row)))
    }

    /// The row that is one for several.
    fn one(&self) -> (Side, u32) {
        if self.legacy.len() == 1 { (Side::Legacy, self.legacy[0]) } else { (Side::Unified, self.unified[0]) }
    }
}

/// Takes the best disjoint choice of one conflict.
fn choose(board: &mut Board<'_>, conflict: Vec<Candidate>) {
    let Some(optima) = Choice::of(&conflict).map(|choice| choice.optima) else {
        let entry = board.entry(Side::Legacy, conflict[0].legacy[0]);
        let (user, action) = (board.books.roster.id(entry.user), board.books.action(board.action(entry)));
        board.bounded.push(format!(
            "split: user {user}, action {action}, {} possible groups that share rows",
            conflict.len()
        ));
        take_in_order(board, conflict);
        return;
    };
    let mut optima: Vec<Vec<&Candidate>> = optima
        .into_iter()
        .map(|optimum| optimum.into_iter().map(|number| &conflict[number]).collect())
        .collect();
    let key = |group: &&Candidate| (group.legacy.clone(), group.unified.clone());
    optima.iter_mut().for_each(|choice| choice.sort_by_key(key));
    let list = |choice: &Vec<&Candidate>| choice.iter().map(key).collect::<Vec<_>>();
    let Some(best) = optima.iter().min_by_key(|choice| list(choice)).cloned() else { return };
    let verdicts: Vec<Verdict> = best.iter().map(|group| verdict(board, group, &optima)).collect();
    for (side, row, verdict) in left_over(board, &best, &optima) {
        board.doubt(Rule::Split, side, row, verdict);
    }
    for (group, verdict) in best.iter().zip(verdicts) {
        board.group(group.legacy.clone(), group.unified.clone(), verdict);
    }
}

/// Rows that other optima take and the best one does not: interchangeable when each optimum takes as
/// many that look the same, else contested.
fn left_over(
    board: &Board<'_>,
    best: &[&Candidate],
    optima: &[Vec<&Candidate>],
) -> Vec<(Side, u32, Verdict)> {
    let looks = |(side, row): (Side, u32)| (side, components::looks(board, board.entry(side, row)));
    let count = |choice: &[&Candidate]| {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        choice
            .iter()
            .flat_map(|group| group.rows())
            .for_each(|row| *counts.entry(looks(row)).or_default() += 1);
        counts
    };
    let mine = count(best);
    let mut changing = BTreeSet::new();
    for choice in optima {
        let other = count(choice);
        let differs = |key: &&_| mine.get(*key) != other.get(*key);
        changing.extend(mine.keys().chain(other.keys()).filter(differs).cloned());
    }
    let taken: HashSet<(Side, u32)> = best.iter().flat_map(|group| group.rows()).collect();
    let others: BTreeSet<(Side, u32)> =
        optima.iter().flatten().flat_map(|group| group.rows()).filter(|row| !taken.contains(row)).collect();
    let verdict =
        |row| if changing.contains(&looks(row)) { Verdict::Contested } else { Verdict::Interchangeable };
    others.into_iter().map(|row| (row.0, row.1, verdict(row))).collect()
}

/// Search for all best choices: most groups, then least lag. No two groups of a choice have the same
/// one row, so the rows that are one are gone through in turn.
struct Choice<'c> {
    /// For each row that is one for several: its candidates.
    ones: Vec<Vec<(usize, &'c Candidate)>>,
    /// For each place, the least lag that one group of each row from there on has.
    least_lag: Vec<i128>,
    taken: HashSet<(Side, u32)>,
    chosen: Vec<usize>,
    lag: i128,
    best: (usize, i128),
    optima: Vec<Vec<usize>>,
    looked_at: usize,
}

impl<'c> Choice<'c> {
    /// `None` when there are too many.
    fn of(conflict: &'c [Candidate]) -> Option<Choice<'c>> {
        let mut by_one: BTreeMap<(Side, u32), Vec<(usize, &Candidate)>> = BTreeMap::new();
        for (number, candidate) in conflict.iter().enumerate() {
            by_one.entry(candidate.one()).or_default().push((number, candidate));
        }
        let mut ones: Vec<Vec<(usize, &Candidate)>> = by_one.into_values().collect();
        ones.iter_mut().for_each(|list| list.sort_by_key(|(number, candidate)| (candidate.lag, *number)));
        let mut least_lag = vec![0; ones.len() + 1];
        for at in (0..ones.len()).rev() {
            least_lag[at] = least_lag[at + 1] + ones[at][0].1.lag;
        }
        let mut choice = Choice {
            ones,
            least_lag,
            taken: HashSet::new(),
            chosen: Vec::new(),
            lag: 0,
            best: (0, i128::MAX),
            optima: Vec::new(),
            looked_at: 0,
        };
        choice.search(0).then_some(choice)
    }

    /// `false`: given up.
    fn search(&mut self, at: usize) -> bool {
        self.looked_at += 1;
        let left = self.ones.len() - at;
        if left == 0 {
            let (most, least) = self.best;
            let count = self.chosen.len();
            if count > most || (count == most && self.lag < least) {
                self.best = (count, self.lag);
                self.optima.clear();
            }
            if (count, self.lag) == self.best {
                self.optima.push(self.chosen.clone());
            }
            return self.optima.len() <= OPTIMA_LIMIT;
        }
        let possible = self.chosen.len() + left;
        let is_hopeless = possible < self.best.0
            || (possible == self.best.0 && self.lag + self.least_lag[at] > self.best.1);
        if is_hopeless {
            return true;
        }
        if self.looked_at > CHOICES_LIMIT {
            return false;
        }
        for (number, candidate) in self.ones[at].clone() {
            if candidate.rows().any(|row| self.taken.contains(&row)) {
                continue;
            }
            self.taken.extend(candidate.rows());
            self.chosen.push(number);
            self.lag += candidate.lag;
            let goes_on = self.search(at + 1);
            self.lag -= candidate.lag;
            self.chosen.pop();
            for row in candidate.rows() {
                self.taken.remove(&row);
            }
            if !goes_on {
                return false;
            }
        }
        self.search(at + 1)
    }
}

/// Forced when every optimum has this very group; interchangeable when every optimum has one of
/// rows that look the same; else contested.
fn verdict(board: &Board<'_>, group: &Candidate, optima: &[Vec<&Candidate>]) -> Verdict {
    let looks = |group: &Candidate| {
        let side = |side: Side, rows: &[u32]| {
            let mut looks: Vec<_> =
                rows.iter().map(|&row| components::looks(board, board.entry(side, row))).collect();
            looks.sort();
            looks
        };
        (side(Side::Legacy, &group.legacy), side(Side::Unified, &group.unified))
    };
    if optima.iter().all(|optimum| optimum.contains(&group)) {
        return Verdict::Forced;
    }
    let mine = looks(group);
    let count = |optimum: &[&Candidate]| optimum.iter().filter(|other| looks(other) == mine).count();
    let here = count(&optima[0]);
    if here > 0 && optima.iter().all(|optimum| count(optimum) == here) {
        Verdict::Interchangeable
    } else {
        Verdict::Contested
    }
}

/// Too many candidates: in order of ids, as they fit, all contested.
fn take_in_order(board: &mut Board<'_>, conflict: Vec<Candidate>) {
    for group in &conflict {
        let free = group.legacy.iter().all(|&row| board.is_free(Side::Legacy, row))
            && group.unified.iter().all(|&row| board.is_free(Side::Unified, row));
        if free {
            board.group(group.legacy.clone(), group.unified.clone(), Verdict::Contested);
        }
    }
    for (side, row) in conflict.iter().flat_map(Candidate::rows) {
        board.doubt(Rule::Split, side, row, Verdict::Contested);
    }
}
