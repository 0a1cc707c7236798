//! The best set of pairs in one set of candidates, exactly: most pairs, fewest differing attributes,
//! least total |lag|, then ids. [`super::flow`] finds an optimum, [`super::optima`] says what all
//! optima agree on and takes the one of the least ids.
//!
//! Where there are too many allowed pairs to hold them all, the optimum is found among the nearest
//! of each row and then held against every allowed pair: the prices of the flow tell which of them
//! would save something. Those are added, and so on until none does. What comes out is an optimum of
//! *all* allowed pairs.

use hashbrown::HashSet;

use super::flow::{Edge, Flow, Weights};
use super::optima::{Node, Optima, Rest, Solution, Tight};
use crate::domain::Verdict;

/// One set of candidates: rows that are alike are one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) left: Vec<Node>,
    pub(super) right: Vec<Node>,
}

/// The allowed pairs of one left node, one after the other.
pub(super) type Allowed<'f> = dyn Fn(u32, &mut dyn FnMut(Edge)) + 'f;

/// Allowed pairs of each left node to start with, where there are too many to hold.
const NEAREST: usize = 16;

/// Pairs that are added a left node and round.
const ADDED: usize = 12;

/// Rounds after which a set counts as too large.
const ROUNDS_LIMIT: usize = 40;

/// Equal optima are told apart by at most so many pairs.
const TIGHT_LIMIT: usize = 8_000_000;

/// Attributes in which a pair can differ.
const MOST_DIFFERING: u32 = 4;

impl Problem {
    fn weights(&self, longest_lag: i64) -> Weights {
        let rows = |nodes: &[Node]| nodes.iter().map(|node| node.rows.len()).sum::<usize>();
        Weights::new(rows(&self.left).min(rows(&self.right)), MOST_DIFFERING, longest_lag)
    }

    fn sizes(nodes: &[Node]) -> Vec<u32> {
        nodes.iter().map(|node| node.rows.len() as u32).collect()
    }
}

/// Left and right node of each pair of what may be an optimum; empty: no guess.
pub(super) type Guess = Vec<(u32, u32)>;

/// Solves a set of which all allowed pairs are given, ascending by left, then right node.
pub(super) fn solve(problem: &Problem, edges: &[Edge], longest_lag: i64, guess: &Guess) -> Solution {
    if edges.is_empty() {
        return Solution::default();
    }
    if let ([left], [right]) = (&problem.left[..], &problem.right[..]) {
        return one_edge(left, right);
    }
    let flow = flow(problem, edges, problem.weights(longest_lag), guess);
    let tight: Vec<Tight> =
        edges.iter().zip(&flow.on).filter_map(|(edge, &on)| tight_edge(&flow, edge, on)).collect();
    finish(problem, &flow, &tight)
}

/// Solves a set whose allowed pairs are too many to hold. `None` when it takes too long; otherwise
/// the result is as exact as that of [`solve`], but ids may not decide between equal optima, which
/// the solution says.
pub(super) fn solve_by_price(
    problem: &Problem,
    allowed: &Allowed<'_>,
    longest_lag: i64,
    guess: &Guess,
) -> Option<Solution> {
    let weights = problem.weights(longest_lag);
    let mut edges = nearest(problem, allowed, guess);
    for _ in 0..ROUNDS_LIMIT {
        let flow = flow(problem, &edges, weights, guess);
        let (better, tight) = price(problem, allowed, &flow, &edges);
        if better.is_empty() {
            return Some(match tight {
                Some(tight) => finish(problem, &flow, &tight),
                None => undecided(problem, &flow, &edges),
            });
        }
        edges.extend(better);
        edges.sort_unstable_by_key(|edge| (edge.left, edge.right));
    }
    None
}

/// The guess where it can be proven, else the optimum from nothing.
fn flow<'e>(problem: &Problem, edges: &'e [Edge], weights: Weights, guess: &Guess) -> Flow<'e> {
    let (left, right) = (Problem::sizes(&problem.left), Problem::sizes(&problem.right));
    let proven = if guess.is_empty() { None } else { Flow::proven(&left, &right, edges, weights, guess) };
    proven.unwrap_or_else(|| Flow::solve(&left, &right, edges, weights))
}

/// The nearest allowed pairs of each left node, and those of the guess.
fn nearest(problem: &Problem, allowed: &Allowed<'_>, guess: &Guess) -> Vec<Edge> {
    let guess: HashSet<(u32, u32)> = guess.iter().copied().collect();
    let mut edges = Vec::new();
    let mut mine: Vec<Edge> = Vec::new();
    for left in 0..problem.left.len() as u32 {
        mine.clear();
        allowed(left, &mut |edge| mine.push(edge));
        if mine.len() > NEAREST {
            mine.select_nth_unstable_by_key(NEAREST, |edge| {
                (!guess.contains(&(edge.left, edge.right)), edge.differing, edge.lag, edge.right)
            });
            mine.truncate(NEAREST);
        }
        mine.sort_unstable_by_key(|edge| edge.right);
        edges.extend_from_slice(&mine);
    }
    edges
}

/// Holds a flow against all allowed pairs: those that would save something and, if there is none,
/// those that are as good as what was chosen, or `None` where they are too many.
fn price(
    problem: &Problem,
    allowed: &Allowed<'_>,
    flow: &Flow<'_>,
    edges: &[Edge],
) -> (Vec<Edge>, Option<Vec<Tight>>) {
    let mut better = Vec::new();
    let mut tight = Some(Vec::new());
    let mut savings: Vec<(i128, Edge)> = Vec::new();
    let mut known = 0;
    for left in 0..problem.left.len() as u32 {
        savings.clear();
        allowed(left, &mut |edge| {
            let saving = flow.saving(&edge);
            if saving > 0 {
                savings.push((saving, edge));
            } else if saving == 0
                && better.is_empty()
                && let Some(list) = &mut tight
            {
                while known < edges.len() && (edges[known].left, edges[known].right) < (left, edge.right) {
                    known += 1;
                }
                let on = match edges.get(known) {
                    Some(other) if (other.left, other.right) == (left, edge.right) => flow.on[known],
                    _ => 0,
                };
                list.push(Tight { left, right: edge.right, on });
            }
        });
        if tight.as_ref().is_some_and(|list| list.len() > TIGHT_LIMIT) {
            tight = None;
        }
        savings.sort_unstable_by_key(|(saving, edge)| (std::cmp::Reverse(*saving), edge.right));
        better.extend(savings.iter().take(ADDED).map(|(_, edge)| *edge));
    }
    (better, tight)
}

fn tight_edge(flow: &Flow<'_>, edge: &Edge, on: u32) -> Option<Tight> {
    (flow.saving(edge) == 0).then_some(Tight { left: edge.left, right: edge.right, on })
}

fn finish(problem: &Problem, flow: &Flow<'_>, tight: &[Tight]) -> Solution {
    let over: Vec<Rest> = (0..problem.left.len())
        .map(|at| Rest { rows: flow.over[at], may_change: flow.may_be_over(at as u32) })
        .collect();
    let room: Vec<Rest> = (0..problem.right.len())
        .map(|at| Rest { rows: flow.room[at], may_change: flow.may_have_room(at as u32) })
        .collect();
    Optima::new(&problem.left, &problem.right, tight, &over, &room).least()
}

/// An optimum among more equal ones than can be told apart: all contested.
fn undecided(problem: &Problem, flow: &Flow<'_>, edges: &[Edge]) -> Solution {
    let mut solution = Solution { gave_up: true, ..Solution::default() };
    let mut next_left = vec![0usize; problem.left.len()];
    let mut next_right = vec![0usize; problem.right.len()];
    for (edge, &on) in edges.iter().zip(&flow.on) {
        let (left, right) = (edge.left as usize, edge.right as usize);
        for _ in 0..on {
            let l = problem.left[left].rows[next_left[left]];
            let r = problem.right[right].rows[next_right[right]];
            solution.pairs.push((l, r, Verdict::Contested));
            next_left[left] += 1;
            next_right[right] += 1;
        }
    }
    let rest = |nodes: &[Node], next: &[usize]| -> Vec<(u32, Verdict)> {
        let rows = nodes.iter().zip(next).flat_map(|(node, &next)| &node.rows[next..]);
        rows.map(|&row| (row, Verdict::Contested)).collect()
    };
    solution.left_over_legacy = rest(&problem.left, &next_left);
    solution.left_over_unified = rest(&problem.right, &next_right);
    solution
}

/// Two classes of rows: nothing to choose but which of the identical rows.
fn one_edge(left: &Node, right: &Node) -> Solution {
    let pairs = left.rows.len().min(right.rows.len());
    let forced = left.rows.len() == 1 && right.rows.len() == 1;
    let verdict = if forced { Verdict::Forced } else { Verdict::Interchangeable };
    Solution {
        pairs: left.rows.iter().zip(&right.rows).map(|(&l, &r)| (l, r, verdict)).collect(),
        left_over_legacy: left.rows[pairs..].iter().map(|&row| (row, verdict)).collect(),
        left_over_unified: right.rows[pairs..].iter().map(|&row| (row, verdict)).collect(),
        gave_up: false,
    }
}

#[cfg(test)]
#[path = "assign_tests.rs"]
mod tests;
