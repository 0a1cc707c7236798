//! The best set of pairs in one component, exactly.
//!
//! A minimum-cost maximum flow: source → legacy nodes → unified nodes → sink, where a node is a
//! class of rows that are alike and its capacity is their number. Successive shortest paths with
//! potentials (Edmonds & Karp 1972; Tomizawa 1971) give *most pairs* first and, among those, the
//! least cost, which is lexicographic: differing attributes before |lag|.
//!
//! Which of several optima is taken, and whether there are several, is read off the residual
//! graph: two optima differ by cycles of zero reduced cost. Ids break the tie: in ascending order,
//! each legacy row takes the least unified row that some optimum gives it beside the pairs before.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::domain::Verdict;

/// Rows of one side that are alike, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) rows: Vec<u32>,
}

/// An allowed pair of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) left: usize,
    pub(super) right: usize,
    /// Differing attributes.
    pub(super) differing: u32,
    /// |lag| in microseconds.
    pub(super) lag: i64,
}

/// One component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) left: Vec<Node>,
    pub(super) right: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// The optimum of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Solution {
    pub(super) pairs: Vec<(u32, u32, Verdict)>,
    pub(super) left_over_legacy: Vec<(u32, Verdict)>,
    pub(super) left_over_unified: Vec<(u32, Verdict)>,
}

/// One differing attribute outweighs every possible sum of lags: 2^64 µs × 2^20 rows.
const ATTRIBUTE: i128 = 1 << 84;

/// Solves a component.
pub(super) fn solve(problem: &Problem) -> Solution {
    if let ([left], [right], [_]) = (&problem.left[..], &problem.right[..], &problem.edges[..]) {
        return one_edge(left, right);
    }
    let mut network = Network::new(problem);
    network.fill();
    network.settle_potentials();
    let doubtful = network.doubtful_arcs();
    network.solution(problem, &doubtful)
}

/// Two classes of rows, one allowed pair: nothing to choose but which of the identical rows.
fn one_edge(left: &Node, right: &Node) -> Solution {
    let pairs = left.rows.len().min(right.rows.len());
    let forced = left.rows.len() == 1 && right.rows.len() == 1;
    let verdict = if forced { Verdict::Forced } else { Verdict::Interchangeable };
    Solution {
        pairs: left.rows.iter().zip(&right.rows).map(|(&l, &r)| (l, r, verdict)).collect(),
        left_over_legacy: left.rows[pairs..].iter().map(|&row| (row, verdict)).collect(),
        left_over_unified: right.rows[pairs..].iter().map(|&row| (row, verdict)).collect(),
    }
}

/// Arc `2k` is the `k`-th arc, `2k + 1` its reverse. Arcs of the problem's edges come first, then
/// one from the source a left node, then one to the sink a right node.
struct Network {
    heads: Vec<usize>,
    room: Vec<i64>,
    costs: Vec<i128>,
    out: Vec<Vec<usize>>,
    potential: Vec<i128>,
    edges: usize,
    lefts: usize,
    source: usize,
    sink: usize,
}

impl Network {
    fn new(problem: &Problem) -> Network {
        let (lefts, rights) = (problem.left.len(), problem.right.len());
        let (source, sink) = (lefts + rights, lefts + rights + 1);
        let mut network = Network {
            heads: Vec::new(),
            room: Vec::new(),
            costs: Vec::new(),
            out: vec![Vec::new(); sink + 1],
            potential: vec![0; sink + 1],
            edges: problem.edges.len(),
            lefts,
            source,
            sink,
        };
        for edge in &problem.edges {
            let cost = i128::from(edge.differing) * ATTRIBUTE + i128::from(edge.lag);
            network.arc(edge.left, lefts + edge.right, i64::MAX / 4, cost);
        }
        for (at, node) in problem.left.iter().enumerate() {
            network.arc(source, at, node.rows.len() as i64, 0);
        }
        for (at, node) in problem.right.iter().enumerate() {
            network.arc(lefts + at, sink, node.rows.len() as i64, 0);
        }
        network
    }

    fn arc(&mut self, from: usize, to: usize, room: i64, cost: i128) {
        let at = self.heads.len();
        self.out[from].push(at);
        self.out[to].push(at + 1);
        self.heads.extend([to, from]);
        self.room.extend([room, 0]);
        self.costs.extend([cost, -cost]);
    }

    /// What flows over an arc.
    fn flow(&self, arc: usize) -> i64 {
        self.room[arc ^ 1]
    }

    fn push(&mut self, path: &[usize], amount: i64) {
        for &arc in path {
            self.room[arc] -= amount;
            self.room[arc ^ 1] += amount;
        }
    }

    /// Successive shortest paths until the sink is out of reach.
    fn fill(&mut self) {
        while let Some(path) = self.shortest_path() {
            let amount = path.iter().map(|&arc| self.room[arc]).min().unwrap_or(0);
            self.push(&path, amount);
        }
    }

    /// Dijkstra over reduced costs; updates the potentials.
    fn shortest_path(&mut self) -> Option<Vec<usize>> {
        let mut distance: Vec<Option<i128>> = vec![None; self.out.len()];
        let mut via = vec![usize::MAX; self.out.len()];
        let mut heap = BinaryHeap::from([Reverse((0i128, self.source))]);
        distance[self.source] = Some(0);
        while let Some(Reverse((so_far, node))) = heap.pop() {
            if distance[node] != Some(so_far) {
                continue;
            }
            for &arc in &self.out[node] {
                if self.room[arc] == 0 {
                    continue;
                }
                let to = self.heads[arc];
                let next = so_far + self.reduced(arc);
                if distance[to].is_none_or(|known| next < known) {
                    distance[to] = Some(next);
                    via[to] = arc;
                    heap.push(Reverse((next, to)));
                }
            }
        }
        let to_sink = distance[self.sink]?;
        for (potential, distance) in self.potential.iter_mut().zip(&distance) {
            *potential += distance.map_or(to_sink, |distance| distance.min(to_sink));
        }
        let mut path = Vec::new();
        let mut node = self.sink;
        while node != self.source {
            path.push(via[node]);
            node = self.heads[via[node] ^ 1];
        }
        path.reverse();
        Some(path)
    }

    fn reduced(&self, arc: usize) -> i128 {
        self.costs[arc] + self.potential[self.heads[arc ^ 1]] - self.potential[self.heads[arc]]
    }

    /// Potentials under which no residual arc has negative cost, for every node, reachable or not
    /// (Bellman–Ford from all nodes at once).
    fn settle_potentials(&mut self) {
        self.potential = vec![0; self.out.len()];
        let mut queue: VecDeque<usize> = (0..self.out.len()).collect();
        let mut waiting = vec![true; self.out.len()];
        while let Some(node) = queue.pop_front() {
            waiting[node] = false;
            for at in 0..self.out[node].len() {
                let arc = self.out[node][at];
                let to = self.heads[arc];
                let next = self.potential[node] + self.costs[arc];
                if self.room[arc] > 0 && next < self.potential[to] {
                    self.potential[to] = next;
                    if !waiting[to] {
                        waiting[to] = true;
                        queue.push_back(to);
                    }
                }
            }
        }
    }

    fn is_tight(&self, arc: usize) -> bool {
        self.room[arc] > 0 && self.reduced(arc) == 0
    }

    /// A path over tight arcs that does not use `without` or its reverse, and takes from no edge the
    /// flow that is fixed.
    fn tight_path(&self, from: usize, to: usize, without: usize, fixed: &[i64]) -> Option<Vec<usize>> {
        let mut via = vec![usize::MAX; self.out.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for &arc in &self.out[node] {
                let next = self.heads[arc];
                let is_back = arc & 1 == 1;
                let may_give = !is_back || self.room[arc] > fixed.get(arc >> 1).copied().unwrap_or(0);
                let usable = arc >> 1 != without >> 1 && may_give && self.is_tight(arc);
                if !usable || via[next] != usize::MAX || next == from {
                    continue;
                }
                via[next] = arc;
                if next == to {
                    let mut path = Vec::new();
                    let mut node = to;
                    while node != from {
                        path.push(via[node]);
                        node = self.heads[via[node] ^ 1];
                    }
                    path.reverse();
                    return Some(path);
                }
                queue.push_back(next);
            }
        }
        None
    }

    /// Arcs whose flow differs in another optimum: those on a cycle of tight arcs.
    fn doubtful_arcs(&self) -> Vec<bool> {
        let arcs = self.heads.len() / 2;
        let nothing = [];
        let components = self.tight_components();
        (0..arcs)
            .map(|at| {
                let arc = at * 2;
                let (from, to) = (self.heads[arc ^ 1], self.heads[arc]);
                // A cycle through an arc stays within a strongly connected component.
                components[from] == components[to]
                    && ((self.is_tight(arc) && self.tight_path(to, from, arc, &nothing).is_some())
                        || (self.is_tight(arc ^ 1) && self.tight_path(from, to, arc, &nothing).is_some()))
            })
            .collect()
    }

    /// Strongly connected components of the tight residual arcs (Kosaraju, without recursion).
    fn tight_components(&self) -> Vec<usize> {
        let nodes = self.out.len();
        let mut order = Vec::with_capacity(nodes);
        let mut seen = vec![false; nodes];
        for start in 0..nodes {
            if seen[start] {
                continue;
            }
            seen[start] = true;
            let mut stack = vec![(start, 0)];
            while let Some((node, at)) = stack.pop() {
                match self.out[node][at..]
                    .iter()
                    .position(|&arc| self.is_tight(arc) && !seen[self.heads[arc]])
                {
                    Some(skip) => {
                        stack.push((node, at + skip + 1));
                        let next = self.heads[self.out[node][at + skip]];
                        seen[next] = true;
                        stack.push((next, 0));
                    }
                    None => order.push(node),
                }
            }
        }
        let mut component = vec![usize::MAX; nodes];
        for (number, &start) in order.iter().rev().enumerate() {
            let mut stack = vec![start];
            while let Some(node) = stack.pop() {
                if component[node] != usize::MAX {
                    continue;
                }
                component[node] = number;
                // Against the direction of the arcs: the reverse of a tight arc leaves its head.
                let back = self.out[node].iter().filter(|&&arc| self.is_tight(arc ^ 1));
                stack.extend(back.map(|&arc| self.heads[arc]).filter(|&next| component[next] == usize::MAX));
            }
        }
        component
    }

    /// Flow from a left to a right node over `edge` beyond what is `fixed` of it, if any optimum that
    /// keeps all fixed flows has it.
    fn can_take(&mut self, edge: usize, fixed: &[i64]) -> bool {
        let arc = edge * 2;
        if self.flow(arc) > fixed[edge] {
            return true;
        }
        if !self.is_tight(arc) {
            return false;
        }
        let (from, to) = (self.heads[arc ^ 1], self.heads[arc]);
        let Some(mut cycle) = self.tight_path(to, from, arc, fixed) else { return false };
        cycle.push(arc);
        self.push(&cycle, 1);
        true
    }

    /// Of all optima the one whose list of pairs, ascending by legacy id, is the least.
    fn solution(&mut self, problem: &Problem, doubtful: &[bool]) -> Solution {
        let mut solution = Solution::default();
        let mut edges_of: Vec<Vec<usize>> = vec![Vec::new(); problem.left.len()];
        problem.edges.iter().enumerate().for_each(|(at, edge)| edges_of[edge.left].push(at));
        let mut rows: Vec<(u32, usize)> = Vec::new();
        for (left, node) in problem.left.iter().enumerate() {
            rows.extend(node.rows.iter().map(|&row| (row, left)));
        }
        rows.sort_unstable();
        let mut fixed = vec![0i64; self.edges];
        let mut next_left = vec![0usize; problem.left.len()];
        let mut next_right = vec![0usize; problem.right.len()];
        // Rows of a node are alike: where one is left over, so are those after it.
        let mut left_over = vec![false; problem.left.len()];
        for (row, left) in rows {
            if left_over[left] {
                continue;
            }
            let next_id = |edge: usize, next_right: &[usize]| {
                let right = problem.edges[edge].right;
                problem.right[right].rows.get(next_right[right]).copied()
            };
            let edges = &mut edges_of[left];
            edges.sort_by_key(|&edge| next_id(edge, &next_right).unwrap_or(u32::MAX));
            let taken = edges
                .iter()
                .copied()
                .find(|&edge| next_id(edge, &next_right).is_some() && self.can_take(edge, &fixed));
            let Some(edge) = taken else {
                left_over[left] = true;
                continue;
            };
            fixed[edge] += 1;
            let right = problem.edges[edge].right;
            let (l, r) = (&problem.left[left].rows, &problem.right[right].rows);
            let verdict = match (doubtful[edge], l.len() == 1 && r.len() == 1) {
                (true, _) => Verdict::Contested,
                (false, true) => Verdict::Forced,
                (false, false) => Verdict::Interchangeable,
            };
            solution.pairs.push((row, r[next_right[right]], verdict));
            next_left[left] += 1;
            next_right[right] += 1;
        }
        let rest = |node: &Node, next: usize, arc: usize| -> Vec<(u32, Verdict)> {
            let verdict = match (doubtful[arc], next) {
                (true, _) => Verdict::Contested,
                (false, 0) => Verdict::Forced,
                (false, _) => Verdict::Interchangeable,
            };
            node.rows[next..].iter().map(|&row| (row, verdict)).collect()
        };
        for (at, node) in problem.left.iter().enumerate() {
            solution.left_over_legacy.extend(rest(node, next_left[at], self.edges + at));
        }
        for (at, node) in problem.right.iter().enumerate() {
            solution.left_over_unified.extend(rest(node, next_right[at], self.edges + self.lefts + at));
        }
        solution
    }
}

#[cfg(test)]
#[path = "assign_tests.rs"]
mod tests;
