//! The rung `split`: one row on one side is 2 to 6 rows on the other, of equal sum.
//!
//! Candidates are small by nature: free rows of one user and action within tolerance of one row.
//! All of them are listed, and the best disjoint choice is searched exactly: most groups, least
//! total |lag|, fewest rows, then ids.

use hashbrown::HashMap;

use super::board::{Board, lag};
use super::components;
use crate::domain::{ActionNo, Instant, Side, Verdict};

/// Parts of a split grant.
const MOST_PARTS: usize = 6;

/// Rows around one row beyond which its parts are not searched: 2^18 subsets at most.
const ROWS_LIMIT: usize = 18;

/// Candidate groups in one conflict beyond which the choice is not searched exactly.
const CHOICE_LIMIT: usize = 24;

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
        if legacy.len() + unified.len() < 3 {
            continue;
        }
        let mut candidates = candidates(board, Side::Legacy, &legacy, &unified);
        candidates.extend(self::candidates(board, Side::Unified, &unified, &legacy));
        for conflict in conflicts(candidates) {
            choose(board, conflict);
        }
    }
}

/// Free rows by user and action, ascending by time.
fn sets(board: &Board<'_>) -> Vec<(Vec<u32>, Vec<u32>)> {
    let mut sets: HashMap<(u32, ActionNo), (Vec<u32>, Vec<u32>)> = HashMap::new();
    for side in [Side::Legacy, Side::Unified] {
        for (key, row) in board.free_by_key(side) {
            let set = sets.entry((key.user, key.action)).or_default();
            if side == Side::Legacy { set.0.push(row) } else { set.1.push(row) }
        }
    }
    let mut sets: Vec<_> = sets.into_iter().filter(|(_, (l, u))| !l.is_empty() && !u.is_empty()).collect();
    sets.sort_unstable_by_key(|(key, _)| *key);
    let by_time = |side: Side, mut rows: Vec<u32>| {
        rows.sort_by_key(|&row| (board.entry(side, row).at, row));
        rows
    };
    sets.into_iter().map(|(_, (l, u))| (by_time(Side::Legacy, l), by_time(Side::Unified, u))).collect()
}

/// All groups of one row of `side` and 2 to 6 rows of the other.
fn candidates(board: &mut Board<'_>, side: Side, ones: &[u32], others: &[u32]) -> Vec<Candidate> {
    let other_side = if side == Side::Legacy { Side::Unified } else { Side::Legacy };
    let at = |side: Side, row: u32| -> Instant { board.entry(side, row).at };
    let mut found = Vec::new();
    let mut crowded = Vec::new();
    for &one in ones {
        let entry = board.entry(side, one);
        let (from, to) = (entry.at.minus(board.tolerance), entry.at.plus(board.tolerance));
        let start = others.partition_point(|&row| at(other_side, row) < from);
        let end = others.partition_point(|&row| at(other_side, row) <= to);
        let fits = |row: &u32| match side {
            Side::Legacy => components::fits(board, entry, board.entry(other_side, *row)),
            Side::Unified => components::fits(board, board.entry(other_side, *row), entry),
        };
        // A part is smaller than the whole.
        let parts: Vec<u32> = others[start..end]
            .iter()
            .copied()
            .filter(|row| board.entry(other_side, *row).tokens < entry.tokens)
            .filter(fits)
            .collect();
        if parts.len() > ROWS_LIMIT {
            crowded.push(one);
            continue;
        }
        let tokens: Vec<i64> = parts.iter().map(|&row| board.entry(other_side, row).tokens).collect();
        for chosen in subsets(&tokens, entry.tokens) {
            let mut rows: Vec<u32> = chosen.iter().map(|&at| parts[at]).collect();
            rows.sort_unstable();
            let lag =
                rows.iter().map(|&row| i128::from(lag(entry, board.entry(other_side, row)).abs().0)).sum();
            let (legacy, unified) = if side == Side::Legacy { (vec![one], rows) } else { (rows, vec![one]) };
            found.push(Candidate { legacy, unified, lag });
        }
    }
    for one in crowded {
        let user = board.books.roster.id(board.entry(side, one).user);
        let row = &board.entry(side, one).id;
        board.bounded.push(format!(
            "split: user {user}, more than {ROWS_LIMIT} rows around {} row {row}",
            side.name()
        ));
        board.doubt(side, one, Verdict::Contested);
    }
    found
}

/// Positions of 2 to 6 amounts whose sum is `whole`.
fn subsets(tokens: &[i64], whole: i64) -> Vec<Vec<usize>> {
    fn search(tokens: &[i64], from: usize, rest: i64, chosen: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if rest == 0 {
            if chosen.len() >= 2 {
                found.push(chosen.clone());
            }
            return;
        }
        if chosen.len() == MOST_PARTS {
            return;
        }
        for at in from..tokens.len() {
            if tokens[at] <= rest {
                chosen.push(at);
                search(tokens, at + 1, rest - tokens[at], chosen, found);
                chosen.pop();
            }
        }
    }
    let mut found = Vec::new();
    search(tokens, 0, whole, &mut Vec::new(), &mut found);
    found
}

/// Candidates that share rows, together.
fn conflicts(mut candidates: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    candidates.sort_by(|a, b| (&a.legacy, &a.unified).cmp(&(&b.legacy, &b.unified)));
    let mut sets: Vec<Vec<Candidate>> = Vec::new();
    for candidate in candidates {
        let (touching, mut apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| set.iter().any(|other| overlap(other, &candidate)));
        let mut joined: Vec<Candidate> = touching.into_iter().flatten().collect();
        joined.push(candidate);
        apart.push(joined);
        sets = apart;
    }
    sets
}

fn overlap(a: &Candidate, b: &Candidate) -> bool {
    a.legacy.iter().any(|row| b.legacy.contains(row)) || a.unified.iter().any(|row| b.unified.contains(row))
}

/// Less is better: fewer groups missing, less lag, fewer rows.
type Cost = (std::cmp::Reverse<usize>, i128, usize);

fn cost(groups: &[&Candidate]) -> Cost {
    let rows = groups.iter().map(|group| group.legacy.len() + group.unified.len()).sum();
    (std::cmp::Reverse(groups.len()), groups.iter().map(|group| group.lag).sum(), rows)
}

/// Takes the best disjoint choice of one conflict.
fn choose(board: &mut Board<'_>, mut conflict: Vec<Candidate>) {
    conflict.sort_by(|a, b| (&a.legacy, &a.unified).cmp(&(&b.legacy, &b.unified)));
    if conflict.len() > CHOICE_LIMIT {
        let first = conflict[0].legacy[0];
        let user = board.books.roster.id(board.entry(Side::Legacy, first).user);
        board.bounded.push(format!("split: user {user}, {} possible groups", conflict.len()));
        take_in_order(board, conflict);
        return;
    }
    let mut optima: Vec<Vec<&Candidate>> = Vec::new();
    search(&conflict, 0, &mut Vec::new(), &mut optima);
    let list = |choice: &Vec<&Candidate>| {
        choice.iter().map(|group| (group.legacy.clone(), group.unified.clone())).collect::<Vec<_>>()
    };
    let Some(best) = optima.iter().min_by_key(|choice| list(choice)).cloned() else { return };
    let disputed: Vec<&Candidate> =
        optima.iter().flatten().copied().filter(|group| !best.contains(group)).collect();
    let verdicts: Vec<Verdict> = best.iter().map(|group| verdict(board, group, &optima)).collect();
    let worst = verdicts.iter().copied().max().unwrap_or(Verdict::Forced);
    for (group, verdict) in best.iter().zip(verdicts) {
        board.group(group.legacy.clone(), group.unified.clone(), verdict);
    }
    for group in disputed {
        group.legacy.iter().for_each(|&row| board.doubt(Side::Legacy, row, worst));
        group.unified.iter().for_each(|&row| board.doubt(Side::Unified, row, worst));
    }
}

/// All best choices from `at` on.
fn search<'c>(
    conflict: &'c [Candidate],
    at: usize,
    chosen: &mut Vec<&'c Candidate>,
    optima: &mut Vec<Vec<&'c Candidate>>,
) {
    let Some(candidate) = conflict.get(at) else {
        let better = optima.first().map_or(std::cmp::Ordering::Less, |best| cost(chosen).cmp(&cost(best)));
        if better.is_lt() {
            optima.clear();
        }
        if better.is_le() {
            optima.push(chosen.clone());
        }
        return;
    };
    let left = conflict.len() - at;
    if optima.first().is_some_and(|best| chosen.len() + left < best.len()) {
        return;
    }
    if !chosen.iter().any(|other| overlap(other, candidate)) {
        chosen.push(candidate);
        search(conflict, at + 1, chosen, optima);
        chosen.pop();
    }
    search(conflict, at + 1, chosen, optima);
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
    for group in conflict {
        let free = group.legacy.iter().all(|&row| board.is_free(Side::Legacy, row))
            && group.unified.iter().all(|&row| board.is_free(Side::Unified, row));
        if free {
            board.group(group.legacy, group.unified, Verdict::Contested);
        }
    }
}
