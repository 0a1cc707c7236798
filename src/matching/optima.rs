//! What all optima of a component agree on, and which of them is taken.
//!
//! Two optima differ by cycles of residual arcs without reduced cost. So a pair, or a row left
//! over, is in doubt when its arc lies on such a cycle: its two ends are strongly connected and, for
//! an arc that can be used both ways, it is no bridge (a strongly connected mixed graph stays so when
//! an edge that is no bridge is made one-way: Boesch & Tindell 1980). Both are found in linear time.
//!
//! Ids break the tie: in ascending order, each legacy row takes the least unified row that some
//! optimum gives it beside the pairs before.

use crate::domain::Verdict;

/// Rows of one side that are alike, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) rows: Vec<u32>,
}

/// A pair of nodes that some optimum may use, with its pairs in the optimum found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tight {
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) on: u32,
}

/// Rows of a node that have no partner in the optimum found, and whether that may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) rows: u32,
    pub(super) may_change: bool,
}

/// The optimum of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Solution {
    pub(super) pairs: Vec<(u32, u32, Verdict)>,
    pub(super) left_over_legacy: Vec<(u32, Verdict)>,
    pub(super) left_over_unified: Vec<(u32, Verdict)>,
    /// Among equal optima the search for the least ids was given up.
    pub(super) gave_up: bool,
}

/// Arcs looked at in search of the least ids beyond which the optimum stays as it is.
const STEPS_LIMIT: u64 = 400_000_000;

/// The residual graph of an optimum, without arcs of positive cost. Arc `k` is the `k`-th tight
/// edge, then one a left and one a right node to the node `rest` of rows without partner.
pub(super) struct Optima<'p> {
    left: &'p [Node],
    right: &'p [Node],
    tight: &'p [Tight],
    /// Pairs on each tight edge; rows without partner on the other arcs.
    on: Vec<u32>,
    /// Whether the arc may ever change.
    may_change: Vec<bool>,
    /// Arcs of node `n`: `arcs[first[n] .. first[n + 1]]`.
    first: Vec<u32>,
    arcs: Vec<u32>,
    doubtful: Vec<bool>,
    steps: u64,
    /// Number of the last search that came by, and the arc by which it came.
    seen: Vec<u32>,
    via: Vec<u32>,
    searches: u32,
}

impl<'p> Optima<'p> {
    pub(super) fn new(
        left: &'p [Node],
        right: &'p [Node],
        tight: &'p [Tight],
        over: &[Rest],
        room: &[Rest],
    ) -> Optima<'p> {
        let nodes = left.len() + right.len() + 1;
        let rests = || over.iter().chain(room);
        let mut optima = Optima {
            left,
            right,
            tight,
            on: tight.iter().map(|edge| edge.on).chain(rests().map(|rest| rest.rows)).collect(),
            may_change: vec![true; tight.len()],
            first: vec![0; nodes + 1],
            arcs: Vec::new(),
            doubtful: Vec::new(),
            steps: 0,
            seen: vec![0; nodes],
            via: vec![0; nodes],
            searches: 0,
        };
        optima.may_change.extend(rests().map(|rest| rest.may_change));
        optima.list_arcs();
        optima.doubtful = optima.doubtful_arcs();
        optima
    }

    fn list_arcs(&mut self) {
        let count = self.on.len();
        for arc in 0..count {
            let (a, b) = self.ends(arc);
            self.first[a + 1] += 1;
            self.first[b + 1] += 1;
        }
        (0..self.first.len() - 1).for_each(|at| self.first[at + 1] += self.first[at]);
        let mut next = self.first.clone();
        self.arcs = vec![0; count * 2];
        for arc in 0..count {
            let (a, b) = self.ends(arc);
            for node in [a, b] {
                self.arcs[next[node] as usize] = arc as u32;
                next[node] += 1;
            }
        }
    }

    fn rest(&self) -> usize {
        self.left.len() + self.right.len()
    }

    /// The nodes that an arc joins: it runs from the first to the second.
    fn ends(&self, arc: usize) -> (usize, usize) {
        match self.tight.get(arc) {
            Some(edge) => (edge.left as usize, self.left.len() + edge.right as usize),
            None => (arc - self.tight.len(), self.rest()),
        }
    }

    /// Whether one more row can go along the arc, seen from `node`, keeping what is `fixed`.
    fn is_open(&self, arc: usize, node: usize, fixed: &[u32]) -> bool {
        if !self.may_change[arc] {
            return false;
        }
        let from_start = self.ends(arc).0 == node;
        let is_right = (self.left.len()..self.rest()).contains(&self.ends(arc).0);
        let kept = fixed.get(arc).copied().unwrap_or(0);
        match (from_start, is_right) {
            // From a left node to a right one, or to being left over: always. Back: what is there.
            (true, false) => true,
            (false, false) => self.on[arc] > kept,
            // A right node gives a row that has no partner; or it takes one from its partner.
            (true, true) => self.on[arc] > 0,
            (false, true) => self.on[arc] < self.right[self.ends(arc).0 - self.left.len()].rows.len() as u32,
        }
    }

    fn far_end(&self, arc: usize, node: usize) -> usize {
        let (a, b) = self.ends(arc);
        if a == node { b } else { a }
    }

    fn arcs_of(&self, node: usize) -> std::ops::Range<usize> {
        self.first[node] as usize..self.first[node + 1] as usize
    }

    /// Arcs whose flow differs in another optimum.
    fn doubtful_arcs(&self) -> Vec<bool> {
        let component = self.strong_components();
        let bridges = self.bridges(&component);
        (0..self.on.len())
            .map(|arc| {
                let (a, b) = self.ends(arc);
                let both_ways = self.is_open(arc, a, &[]) && self.is_open(arc, b, &[]);
                component[a] == component[b] && self.may_change[arc] && !(both_ways && bridges[arc])
            })
            .collect()
    }

    /// Strongly connected components of the open arcs (Tarjan, without recursion).
    fn strong_components(&self) -> Vec<u32> {
        let nodes = self.rest() + 1;
        let (mut order, mut low) = (vec![u32::MAX; nodes], vec![0u32; nodes]);
        let mut component = vec![u32::MAX; nodes];
        let (mut stack, mut next, mut found) = (Vec::new(), 0u32, 0u32);
        for start in 0..nodes {
            if order[start] != u32::MAX {
                continue;
            }
            let mut way = vec![(start, self.first[start] as usize)];
            (order[start], low[start], next) = (next, next, next + 1);
            stack.push(start);
            while let Some((node, at)) = way.pop() {
                if at < self.first[node + 1] as usize {
                    way.push((node, at + 1));
                    let arc = self.arcs[at] as usize;
                    if !self.is_open(arc, node, &[]) {
                        continue;
                    }
                    let to = self.far_end(arc, node);
                    if order[to] == u32::MAX {
                        (order[to], low[to], next) = (next, next, next + 1);
                        stack.push(to);
                        way.push((to, self.first[to] as usize));
                    } else if component[to] == u32::MAX {
                        low[node] = low[node].min(order[to]);
                    }
                    continue;
                }
                if low[node] == order[node] {
                    while let Some(member) = stack.pop() {
                        component[member] = found;
                        if member == node {
                            break;
                        }
                    }
                    found += 1;
                }
                if let Some(&(parent, _)) = way.last() {
                    low[parent] = low[parent].min(low[node]);
                }
            }
        }
        component
    }

    /// Arcs without which, taken as two-way, a component would fall apart.
    fn bridges(&self, component: &[u32]) -> Vec<bool> {
        let nodes = self.rest() + 1;
        let (mut order, mut low) = (vec![u32::MAX; nodes], vec![0u32; nodes]);
        let mut bridges = vec![false; self.on.len()];
        let mut next = 0u32;
        for start in 0..nodes {
            if order[start] != u32::MAX {
                continue;
            }
            (order[start], low[start], next) = (next, next, next + 1);
            let mut way = vec![(start, self.first[start] as usize, usize::MAX)];
            while let Some((node, at, came_by)) = way.pop() {
                if at < self.first[node + 1] as usize {
                    way.push((node, at + 1, came_by));
                    let arc = self.arcs[at] as usize;
                    let to = self.far_end(arc, node);
                    let is_open = self.is_open(arc, node, &[]) || self.is_open(arc, to, &[]);
                    if arc == came_by || component[to] != component[node] || !is_open {
                        continue;
                    }
                    if order[to] == u32::MAX {
                        (order[to], low[to], next) = (next, next, next + 1);
                        way.push((to, self.first[to] as usize, arc));
                    } else {
                        low[node] = low[node].min(order[to]);
                    }
                    continue;
                }
                if let Some(&(parent, _, _)) = way.last() {
                    low[parent] = low[parent].min(low[node]);
                    bridges[came_by] = low[node] > order[parent];
                }
            }
        }
        bridges
    }

    /// Arcs of an open way from `from` to `to` that does not use `without`.
    fn way(&mut self, from: usize, to: usize, without: usize, fixed: &[u32]) -> Option<Vec<(u32, bool)>> {
        self.searches += 1;
        self.seen[from] = self.searches;
        let mut queue = std::collections::VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for at in self.arcs_of(node) {
                self.steps += 1;
                let arc = self.arcs[at] as usize;
                let next = self.far_end(arc, node);
                if self.seen[next] == self.searches || arc == without || !self.is_open(arc, node, fixed) {
                    continue;
                }
                self.seen[next] = self.searches;
                self.via[next] = arc as u32;
                if next == to {
                    return Some(self.trace(from, to));
                }
                queue.push_back(next);
            }
        }
        None
    }

    /// The way by which a search came, as arcs with their direction.
    fn trace(&self, from: usize, to: usize) -> Vec<(u32, bool)> {
        let mut way = Vec::new();
        let mut node = to;
        while node != from {
            let arc = self.via[node];
            let before = self.far_end(arc as usize, node);
            way.push((arc, self.ends(arc as usize).0 == before));
            node = before;
        }
        way
    }

    /// One more row along an arc.
    fn push(&mut self, arc: u32, forward: bool) {
        let start = self.ends(arc as usize).0;
        // On the arc of a right node, `on` counts the rows that have *no* partner yet.
        let adds = forward != (self.left.len()..self.rest()).contains(&start);
        let on = &mut self.on[arc as usize];
        *on = if adds { *on + 1 } else { *on - 1 };
    }

    /// A pair on `edge` beyond what is `fixed` of it, if any optimum that keeps all fixed pairs has
    /// one.
    fn can_take(&mut self, edge: usize, fixed: &[u32]) -> bool {
        if self.on[edge] > fixed[edge] {
            return true;
        }
        if !self.doubtful[edge] || self.steps > STEPS_LIMIT {
            return false;
        }
        let (left, right) = self.ends(edge);
        let Some(way) = self.way(right, left, edge, fixed) else { return false };
        way.into_iter().for_each(|(arc, forward)| self.push(arc, forward));
        self.push(edge as u32, true);
        true
    }

    /// Of all optima the one whose list of pairs, ascending by legacy id, is the least.
    pub(super) fn least(mut self) -> Solution {
        let mut solution = Solution::default();
        let mut edges_of: Vec<Vec<u32>> = vec![Vec::new(); self.left.len()];
        for (at, edge) in self.tight.iter().enumerate() {
            if edge.on > 0 || self.doubtful[at] {
                edges_of[edge.left as usize].push(at as u32);
            }
        }
        let mut rows: Vec<(u32, usize)> = Vec::new();
        for (left, node) in self.left.iter().enumerate() {
            rows.extend(node.rows.iter().map(|&row| (row, left)));
        }
        rows.sort_unstable();
        let mut fixed = vec![0u32; self.tight.len()];
        let mut next_left = vec![0usize; self.left.len()];
        let mut next_right = vec![0usize; self.right.len()];
        // Rows of a node are alike: where one is left over, so are those after it.
        let mut left_over = vec![false; self.left.len()];
        for (row, left) in rows {
            if left_over[left] {
                continue;
            }
            let Some(edge) = self.next_edge(&mut edges_of[left], &next_right, &fixed) else {
                left_over[left] = true;
                continue;
            };
            fixed[edge] += 1;
            let right = self.tight[edge].right as usize;
            let (l, r) = (&self.left[left].rows, &self.right[right].rows);
            let verdict = match (self.doubtful[edge], l.len() == 1 && r.len() == 1) {
                (true, _) => Verdict::Contested,
                (false, true) => Verdict::Forced,
                (false, false) => Verdict::Interchangeable,
            };
            solution.pairs.push((row, r[next_right[right]], verdict));
            next_left[left] += 1;
            next_right[right] += 1;
        }
        self.rests(&mut solution, &next_left, &next_right);
        solution.gave_up = self.steps > STEPS_LIMIT;
        solution
    }

    /// The edge by which the next row of a left node gets the least unified row.
    fn next_edge(&mut self, edges: &mut [u32], next_right: &[usize], fixed: &[u32]) -> Option<usize> {
        if let [edge] = edges {
            return self.can_take(*edge as usize, fixed).then_some(*edge as usize);
        }
        let next_id = |edge: u32| {
            let right = self.tight[edge as usize].right as usize;
            self.right[right].rows.get(next_right[right]).copied().unwrap_or(u32::MAX)
        };
        edges.sort_by_cached_key(|&edge| next_id(edge));
        for &edge in edges.iter() {
            let right = self.tight[edge as usize].right as usize;
            let is_left = next_right[right] < self.right[right].rows.len();
            if is_left && self.can_take(edge as usize, fixed) {
                return Some(edge as usize);
            }
        }
        None
    }

    fn rests(&self, solution: &mut Solution, next_left: &[usize], next_right: &[usize]) {
        let rest = |node: &Node, next: usize, arc: usize| -> Vec<(u32, Verdict)> {
            let verdict = match (self.doubtful[arc], next) {
                (true, _) => Verdict::Contested,
                (false, 0) => Verdict::Forced,
                (false, _) => Verdict::Interchangeable,
            };
            node.rows[next..].iter().map(|&row| (row, verdict)).collect()
        };
        for (at, node) in self.left.iter().enumerate() {
            solution.left_over_legacy.extend(rest(node, next_left[at], self.tight.len() + at));
        }
        for (at, node) in self.right.iter().enumerate() {
            let arc = self.tight.len() + self.left.len() + at;
            solution.left_over_unified.extend(rest(node, next_right[at], arc));
        }
    }
}
