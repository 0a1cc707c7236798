//! From candidate rows to independent components: rows that are alike become one node, nodes that
//! are joined by an allowed pair belong together.

use std::collections::HashMap;

use super::assign::{self, Edge, Node, Problem};
use super::board::{Board, lag};
use crate::domain::{ActionNo, Entry, Instant, RowId, Rule, Side, Span, Verdict};

/// Allowed pairs in one call beyond which the exact solver is not asked: its time grows with
/// nodes × pairs. A user with 140 free rows a side stays below it.
pub(super) const EDGE_LIMIT: usize = 20_000;

/// How candidates were settled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Every component has its optimum.
    Exactly,
    /// More allowed pairs than [`EDGE_LIMIT`]: nothing was done.
    TooLarge,
}

/// Pairs free rows by `rule`: all candidates of one independent set (a user, a key, a reference).
/// `allow` answers the number of differing attributes of an allowed pair; pairs further apart than
/// `reach` are never asked about. Both lists ascend by id.
pub(super) fn settle(
    board: &mut Board<'_>,
    rule: Rule,
    legacy: &[u32],
    unified: &[u32],
    reach: Span,
    allow: &dyn Fn(&Board<'_>, &Entry, &Entry) -> Option<u32>,
) -> Settled {
    if legacy.is_empty() || unified.is_empty() {
        return Settled::Exactly;
    }
    if let ([l], [u]) = (legacy, unified) {
        let (a, b) = (board.entry(Side::Legacy, *l), board.entry(Side::Unified, *u));
        if lag(a, b).abs() <= reach && fits(board, a, b) && allow(board, a, b).is_some() {
            board.pair(*l, *u, rule, Verdict::Forced);
        }
        return Settled::Exactly;
    }
    let left = nodes(board, Side::Legacy, legacy);
    let right = nodes(board, Side::Unified, unified);
    let Some(edges) = edges(board, &left, &right, reach, allow) else { return Settled::TooLarge };
    for problem in split(left, right, edges) {
        let solution = assign::solve(&problem);
        for (l, u, verdict) in solution.pairs {
            board.pair(l, u, rule, verdict);
        }
        solution
            .left_over_legacy
            .into_iter()
            .for_each(|(row, verdict)| board.doubt(Side::Legacy, row, verdict));
        solution
            .left_over_unified
            .into_iter()
            .for_each(|(row, verdict)| board.doubt(Side::Unified, row, verdict));
    }
    Settled::Exactly
}

/// As-of rules that hold on every rung: a late legacy row never stands for an early unified one, and
/// a late partner lies within the window.
pub(super) fn fits(board: &Board<'_>, legacy: &Entry, unified: &Entry) -> bool {
    let as_of = board.books.as_of;
    let late_for_early = legacy.at > as_of && unified.at <= as_of;
    !late_for_early && !board.is_too_late(legacy, unified)
}

/// Everything by which two rows of one side can be told apart, but their ids.
pub(super) type Looks<'a> =
    (Instant, u32, ActionNo, ActionNo, i64, &'a [u32], Option<&'a RowId>, bool, bool, bool, bool);

pub(super) fn looks<'a>(board: &Board<'_>, entry: &'a Entry) -> Looks<'a> {
    (
        entry.at,
        entry.user.0,
        entry.action,
        board.action(entry),
        entry.tokens,
        &entry.references,
        entry.link.as_deref(),
        entry.migrated,
        entry.paid,
        entry.negative,
        entry.minority_sign,
    )
}

/// Rows that are alike, together; ascending by time.
fn nodes(board: &Board<'_>, side: Side, rows: &[u32]) -> Vec<Node> {
    let mut order: Vec<u32> = rows.to_vec();
    order.sort_by(|&a, &b| {
        let (a_row, b_row) = (board.entry(side, a), board.entry(side, b));
        looks(board, a_row).cmp(&looks(board, b_row)).then(a.cmp(&b))
    });
    let mut nodes: Vec<Node> = Vec::new();
    for row in order {
        let entry = board.entry(side, row);
        match nodes.last_mut() {
            Some(node) if looks(board, board.entry(side, node.rows[0])) == looks(board, entry) => {
                node.rows.push(row);
            }
            _ => nodes.push(Node { rows: vec![row] }),
        }
    }
    nodes
}

/// All allowed pairs of nodes, or `None` when there are too many.
fn edges(
    board: &Board<'_>,
    left: &[Node],
    right: &[Node],
    reach: Span,
    allow: &dyn Fn(&Board<'_>, &Entry, &Entry) -> Option<u32>,
) -> Option<Vec<Edge>> {
    let mut edges = Vec::new();
    let mut asked = 0usize;
    let mut first = 0;
    for (l, node) in left.iter().enumerate() {
        let a = board.entry(Side::Legacy, node.rows[0]);
        let earliest = a.at.minus(reach);
        while first < right.len() && board.entry(Side::Unified, right[first].rows[0]).at < earliest {
            first += 1;
        }
        for (r, node) in right.iter().enumerate().skip(first) {
            let b = board.entry(Side::Unified, node.rows[0]);
            let distance = lag(a, b);
            if distance > reach {
                break;
            }
            asked += 1;
            if asked > EDGE_LIMIT * 8 || edges.len() > EDGE_LIMIT {
                return None;
            }
            if fits(board, a, b)
                && let Some(differing) = allow(board, a, b)
            {
                edges.push(Edge { left: l, right: r, differing, lag: distance.abs().0 });
            }
        }
    }
    Some(edges)
}

/// Splits nodes into independent components, each with at least one edge.
fn split(left: Vec<Node>, right: Vec<Node>, edges: Vec<Edge>) -> Vec<Problem> {
    let offset = left.len();
    let mut parent: Vec<usize> = (0..left.len() + right.len()).collect();
    for edge in &edges {
        let (a, b) = (root(&mut parent, edge.left), root(&mut parent, offset + edge.right));
        parent[a.max(b)] = a.min(b);
    }
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut problems: Vec<Problem> = Vec::new();
    let mut place = vec![usize::MAX; left.len() + right.len()];
    for edge in &edges {
        let top = root(&mut parent, edge.left);
        numbers.entry(top).or_insert_with(|| {
            problems.push(Problem::default());
            problems.len() - 1
        });
    }
    for (at, node) in left.into_iter().enumerate() {
        if let Some(&number) = numbers.get(&root(&mut parent, at)) {
            place[at] = problems[number].left.len();
            problems[number].left.push(node);
        }
    }
    for (at, node) in right.into_iter().enumerate() {
        if let Some(&number) = numbers.get(&root(&mut parent, offset + at)) {
            place[offset + at] = problems[number].right.len();
            problems[number].right.push(node);
        }
    }
    for edge in edges {
        let number = numbers[&root(&mut parent, edge.left)];
        let edge = Edge { left: place[edge.left], right: place[offset + edge.right], ..edge };
        problems[number].edges.push(edge);
    }
    problems
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}
