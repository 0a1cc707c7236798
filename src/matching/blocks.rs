//! Large sets of rows that differ in time alone, as many on one side as on the other: all optima at
//! once, however many pairs are in reach.
//!
//! Put all rows on a line. Across a gap between two neighbours at least as many pairs have to reach
//! as there are more rows of one side than of the other before it, and a set of pairs of least total
//! |lag| has no more. So where both sides have had as many rows no pair of any optimum reaches across,
//! and between two such places, in a *block*, every pair of every optimum runs in the same direction.
//! Conversely all sets of pairs that do cost the same. In a block of one row a side the pair is forced;
//! in a larger one, whose instants all differ, none is: at each row of the later side at least two
//! rows of the earlier one are open, or, at the last, its partner came before the one before it, so
//! that two pairs can change partners.
//!
//! Ids break the tie: in their order each legacy row takes the least unified row that leaves a
//! partner to every other row, which is any one before the next place where nothing else reaches
//! across. Two segment trees find it.

use super::board::Board;
use super::components::{Rung, fits};
use super::optima::Solution;
use crate::domain::{Entry, Rule, Side, Verdict};

/// Rows a side of a set from which this is worth it.
const LARGE: usize = 64;

/// Rows of both sides between two places that no optimum reaches across.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Ascending by time: unified, row.
    rows: Vec<(bool, u32)>,
    /// No two rows of a side have the same instant.
    all_differ: bool,
}

/// The blocks of a set, in the order of time; `None` where the set is none of which this can be said.
pub(super) fn of(board: &Board<'_>, rung: &Rung<'_>, legacy: &[u32], unified: &[u32]) -> Option<Vec<Block>> {
    if rung.rule != Rule::Mismatch || legacy.len() < LARGE || legacy.len() != unified.len() {
        return None;
    }
    let alike = |side: Side, rows: &[u32]| {
        let kind = |row: u32| kind_of(board, board.entry(side, row));
        rows.iter().all(|&row| kind(row) == kind(rows[0]) && board.at(side, row) <= board.books.as_of)
    };
    if !alike(Side::Legacy, legacy) || !alike(Side::Unified, unified) {
        return None;
    }
    if !board.barred_among(legacy, unified).is_empty() {
        return None;
    }
    let (l, u) = (board.entry(Side::Legacy, legacy[0]), board.entry(Side::Unified, unified[0]));
    // With the rest alike and time differing too, one pair stands for all.
    let differs = board.distance(l, u);
    if !differs.time || (rung.allow)(board, l, u).is_none() || !fits(board, l, u) {
        return None;
    }
    let points = |side: Side, rows: &[u32]| -> Vec<(i64, bool, u32)> {
        rows.iter().map(|&row| (board.at(side, row).0, side == Side::Unified, row)).collect()
    };
    let mut line = points(Side::Legacy, legacy);
    line.extend(points(Side::Unified, unified));
    line.sort_unstable();
    // Where more than time differs, a pair within tolerance is allowed and better than any other; so one
    // pair stands for all only where there is none, on this side of a place or across it.
    let nearest = board.tolerance.0;
    if differs.count() > 1 && line.windows(2).any(|pair| is_too_near(pair, nearest)) {
        return None;
    }
    cut(&line, board.tolerance.0, rung.reach.0)
}

/// All by which the attributes in which a pair differs are told, but time.
fn kind_of(board: &Board<'_>, entry: &Entry) -> impl PartialEq + use<> {
    (entry.user, entry.action, board.action(entry), entry.kind, entry.tokens, entry.paid)
}

/// Cuts a line of rows (instant, unified, row) into blocks. `None` where within a block two rows of
/// different sides lie no further apart than `nearest`, which no pair may, or further than `reach`.
fn cut(line: &[(i64, bool, u32)], nearest: i64, reach: i64) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let (mut begin, mut more) = (0, 0i64);
    for at in 0..line.len() {
        more += if line[at].1 { -1 } else { 1 };
        if more != 0 {
            continue;
        }
        let block = &line[begin..=at];
        if block.windows(2).any(|pair| is_too_near(pair, nearest))
            || block[block.len() - 1].0.saturating_sub(block[0].0) > reach
        {
            return None;
        }
        let all_differ = block.windows(2).all(|pair| pair[0].0 != pair[1].0);
        blocks.push(Block { rows: block.iter().map(|&(_, side, row)| (side, row)).collect(), all_differ });
        begin = at + 1;
    }
    Some(blocks)
}

/// Neighbours of different sides that lie no further apart than `nearest`.
fn is_too_near(pair: &[(i64, bool, u32)], nearest: i64) -> bool {
    pair[0].1 != pair[1].1 && pair[1].0.saturating_sub(pair[0].0) <= nearest
}

impl Block {
    /// Legacy and unified rows, ascending by id.
    pub(super) fn sides(&self) -> (Vec<u32>, Vec<u32>) {
        let of = |wanted: bool| {
            let mut rows: Vec<u32> =
                self.rows.iter().filter(|(side, _)| *side == wanted).map(|(_, row)| *row).collect();
            rows.sort_unstable();
            rows
        };
        (of(false), of(true))
    }

    /// The optimum of the least ids; `None` where rows have the same instant, so that more has to be
    /// looked at.
    pub(super) fn least(&self) -> Option<Solution> {
        if !self.all_differ {
            return None;
        }
        let mut rows = self.rows.clone();
        // Seen from the other end of time, where the unified rows come first.
        if rows[0].0 {
            rows.reverse();
        }
        let verdict = if rows.len() == 2 { Verdict::Forced } else { Verdict::Contested };
        let mut across = Vec::with_capacity(rows.len());
        let mut more = 0;
        for (is_unified, _) in &rows {
            more += if *is_unified { -1 } else { 1 };
            across.push(more);
        }
        let mut across = Across::new(&across);
        let mut ids = Least::new(rows.iter().map(|&(side, row)| if side { row } else { NO_ROW }).collect());
        let mut legacy: Vec<(u32, usize)> = (rows.iter().enumerate())
            .filter(|(_, (is_unified, _))| !is_unified)
            .map(|(place, (_, row))| (*row, place))
            .collect();
        legacy.sort_unstable();
        let mut solution = Solution::default();
        for (row, place) in legacy {
            // Up to the next gap that nothing else reaches across.
            let end = across.first_zero_from(place).unwrap_or(rows.len() - 1);
            let (unified, there) = ids.least_of(place + 1, end)?;
            solution.pairs.push((row, unified, verdict));
            ids.take(there);
            across.take_one(place, there);
        }
        Some(solution)
    }
}

/// No unified row here, or none any more.
const NO_ROW: u32 = u32::MAX;

/// How many pairs reach across each gap: a segment tree of least values with additions on the way.
struct Across {
    least: Vec<i64>,
    added: Vec<i64>,
    leaves: usize,
}

impl Across {
    fn new(values: &[i64]) -> Across {
        let leaves = values.len().next_power_of_two();
        let mut least = vec![i64::MAX / 2; 2 * leaves];
        least[leaves..leaves + values.len()].copy_from_slice(values);
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Across { least, added: vec![0; 2 * leaves], leaves }
    }

    /// One pair less across the gaps behind the places `from .. to`.
    fn take_one(&mut self, from: usize, to: usize) {
        self.add(1, 0, self.leaves, from, to);
    }

    fn add(&mut self, node: usize, begin: usize, end: usize, from: usize, to: usize) {
        if to <= begin || end <= from {
            return;
        }
        if from <= begin && end <= to {
            self.least[node] -= 1;
            self.added[node] -= 1;
            return;
        }
        let middle = begin.midpoint(end);
        self.add(2 * node, begin, middle, from, to);
        self.add(2 * node + 1, middle, end, from, to);
        self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]) + self.added[node];
    }

    /// The first place from `from` on behind which nothing reaches across.
    fn first_zero_from(&self, from: usize) -> Option<usize> {
        self.find(1, 0, self.leaves, from, 0)
    }

    fn find(&self, node: usize, begin: usize, end: usize, from: usize, above: i64) -> Option<usize> {
        if end <= from || self.least[node] + above > 0 {
            return None;
        }
        if end - begin == 1 {
            return Some(begin);
        }
        let (middle, above) = (begin.midpoint(end), above + self.added[node]);
        self.find(2 * node, begin, middle, from, above)
            .or_else(|| self.find(2 * node + 1, middle, end, from, above))
    }
}

/// The least row of a range of places: a segment tree.
struct Least {
    rows: Vec<(u32, usize)>,
    leaves: usize,
}

impl Least {
    fn new(rows: Vec<u32>) -> Least {
        let leaves = rows.len().next_power_of_two();
        let mut tree = vec![(NO_ROW, 0); 2 * leaves];
        for (place, row) in rows.into_iter().enumerate() {
            tree[leaves + place] = (row, place);
        }
        for node in (1..leaves).rev() {
            tree[node] = tree[2 * node].min(tree[2 * node + 1]);
        }
        Least { rows: tree, leaves }
    }

    /// The least row of the places `from ..= to` and where it is.
    fn least_of(&self, from: usize, to: usize) -> Option<(u32, usize)> {
        let (mut begin, mut end) = (from + self.leaves, to + 1 + self.leaves);
        let mut least = (NO_ROW, 0);
        while begin < end {
            if begin % 2 == 1 {
                least = least.min(self.rows[begin]);
                begin += 1;
            }
            if end % 2 == 1 {
                end -= 1;
                least = least.min(self.rows[end]);
            }
            (begin, end) = (begin / 2, end / 2);
        }
        (least.0 != NO_ROW).then_some(least)
    }

    fn take(&mut self, place: usize) {
        let mut node = place + self.leaves;
        self.rows[node].0 = NO_ROW;
        while node > 1 {
            node /= 2;
            self.rows[node] = self.rows[2 * node].min(self.rows[2 * node + 1]);
        }
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
