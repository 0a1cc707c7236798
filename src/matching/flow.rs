//! Minimum-cost flow between two sides, exactly.
//!
//! Legacy nodes are put in one after the other; each takes the cheapest way, over changed pairs of
//! others where that pays, to a unified node with room or to a legacy node that is left over
//! instead (successive shortest paths with dual prices: Jonker & Volgenant 1987). Leaving a row over
//! costs more than any set of pairs can save, and a differing attribute more than all lags, so the
//! result has *most pairs*, then fewest differing attributes, then least total |lag|.
//!
//! The prices that come out prove the optimum: no allowed pair, looked at or not, is cheaper than
//! what its two nodes already pay ([`Flow::saving`]). A search ends at the nearest target, so its
//! time does not depend on the size of the whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An allowed pair of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) left: u32,
    pub(super) right: u32,
    /// Differing attributes.
    pub(super) differing: u32,
    /// |lag| in microseconds.
    pub(super) lag: i64,
}

/// What edges cost: attributes outweigh all lags, a row left over outweighs all attributes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights {
    attribute: i128,
    left_over: i128,
}

impl Weights {
    /// For at most `pairs` pairs of at most these costs.
    pub(super) fn new(pairs: usize, most_differing: u32, longest_lag: i64) -> Weights {
        let pairs = pairs as i128 + 1;
        let attribute = i128::from(longest_lag) * pairs + 1;
        Weights { attribute, left_over: attribute * (i128::from(most_differing) + 1) * pairs }
    }

    fn cost(&self, edge: &Edge) -> i128 {
        self.attribute * i128::from(edge.differing) + i128::from(edge.lag)
    }
}

/// A flow of least cost, with the prices that prove it.
pub(super) struct Flow<'e> {
    edges: &'e [Edge],
    weights: Weights,
    /// Edges of left node `l`: `first[l] .. first[l + 1]`.
    first: Vec<u32>,
    /// Pairs on each edge.
    pub(super) on: Vec<u32>,
    /// Edges with pairs, of each right node.
    given: Vec<Vec<u32>>,
    /// What each left node pays for its dearest row; `weights.left_over` where one is left over.
    pays: Vec<i128>,
    /// What a row of each right node is worth to others; 0 where there is room.
    price: Vec<i128>,
    /// Rows of each left node without partner.
    pub(super) over: Vec<u32>,
    /// Rows of each right node without partner.
    pub(super) room: Vec<u32>,
    search: Search,
}

/// The state of one search; only what it touched is cleared afterwards.
struct Search {
    distance: Vec<i128>,
    via: Vec<u32>,
    touched: Vec<u32>,
    heap: BinaryHeap<Reverse<(i128, u32)>>,
}

const FAR: i128 = i128::MAX;

/// Where a way ends.
#[derive(Clone, Copy)]
enum End {
    /// This left node leaves a row over.
    Over(u32),
    /// This right node has room.
    Room(u32),
}

/// Sweeps after which a guess counts as not proven.
const SWEEPS_LIMIT: usize = 60;

impl<'e> Flow<'e> {
    /// Solves it. `edges` ascend by left node; `left` and `right` are the rows of each node.
    pub(super) fn solve(left: &[u32], right: &[u32], edges: &'e [Edge], weights: Weights) -> Flow<'e> {
        let mut flow = Flow::empty(left, right, edges, weights);
        for (at, &rows) in left.iter().enumerate() {
            flow.put_in(at as u32, rows);
        }
        flow
    }

    /// Takes a guess at the solution (left and right node of each pair) and looks for the prices that
    /// prove it: the cheapest ways out of each node, by sweeps over the nodes in order. `None` when
    /// the guess is no optimum or its proof takes too many sweeps.
    pub(super) fn proven(
        left: &[u32],
        right: &[u32],
        edges: &'e [Edge],
        weights: Weights,
        guess: &[(u32, u32)],
    ) -> Option<Flow<'e>> {
        let mut flow = Flow::empty(left, right, edges, weights);
        flow.over = left.to_vec();
        for &(l, r) in guess {
            let mine = flow.edges_of(l);
            let at = mine.start + edges[mine].binary_search_by_key(&r, |edge| edge.right).ok()?;
            flow.on[at] += 1;
            flow.over[l as usize] = flow.over[l as usize].checked_sub(1)?;
            flow.room[r as usize] = flow.room[r as usize].checked_sub(1)?;
        }
        flow.pays.fill(weights.left_over);
        for (price, &room) in flow.price.iter_mut().zip(&flow.room) {
            *price = if room > 0 { 0 } else { 2 * weights.left_over };
        }
        for sweep in 0..SWEEPS_LIMIT {
            let mut settled = true;
            for at in 0..left.len() {
                let at = if sweep % 2 == 0 { at } else { left.len() - 1 - at };
                settled &= !flow.improve(at as u32)?;
            }
            if settled {
                return Some(flow);
            }
        }
        None
    }

    /// Brings what a left node pays, and the prices of its partners, down to the cheapest ways known;
    /// answers whether anything changed. `None`: there is a way to save something.
    fn improve(&mut self, left: u32) -> Option<bool> {
        let mut changed = false;
        for at in self.edges_of(left) {
            let pays = self.weights.cost(&self.edges[at]) + self.price[self.edges[at].right as usize];
            if pays < self.pays[left as usize] {
                self.pays[left as usize] = pays;
                changed = true;
            }
        }
        if self.over[left as usize] > 0 && self.pays[left as usize] < self.weights.left_over {
            return None;
        }
        for at in self.edges_of(left).filter(|&at| self.on[at] > 0) {
            let price = self.pays[left as usize] - self.weights.cost(&self.edges[at]);
            let known = &mut self.price[self.edges[at].right as usize];
            if price < 0 || (price > *known) {
                return None;
            }
            changed |= price < *known;
            *known = price;
        }
        Some(changed)
    }

    fn empty(left: &[u32], right: &[u32], edges: &'e [Edge], weights: Weights) -> Flow<'e> {
        let mut first = vec![0u32; left.len() + 1];
        edges.iter().for_each(|edge| first[edge.left as usize + 1] += 1);
        (0..left.len()).for_each(|at| first[at + 1] += first[at]);
        let nodes = left.len() + right.len();
        Flow {
            edges,
            weights,
            first,
            on: vec![0; edges.len()],
            given: vec![Vec::new(); right.len()],
            pays: vec![0; left.len()],
            price: vec![0; right.len()],
            over: vec![0; left.len()],
            room: right.to_vec(),
            search: Search {
                distance: vec![FAR; nodes],
                via: vec![0; nodes],
                touched: Vec::new(),
                heap: BinaryHeap::new(),
            },
        }
    }

    fn put_in(&mut self, left: u32, rows: u32) {
        let cheapest = self.edges_of(left).map(|at| {
            let edge = &self.edges[at];
            self.weights.cost(edge) + self.price[edge.right as usize]
        });
        self.pays[left as usize] = cheapest.min().unwrap_or(FAR).min(self.weights.left_over);
        let mut rest = rows;
        while rest > 0 {
            rest -= self.place(left, rest);
        }
    }

    fn edges_of(&self, left: u32) -> std::ops::Range<usize> {
        self.first[left as usize] as usize..self.first[left as usize + 1] as usize
    }

    fn reduced(&self, edge: &Edge) -> i128 {
        self.weights.cost(edge) + self.price[edge.right as usize] - self.pays[edge.left as usize]
    }

    /// What taking this pair would save; 0 when it is as good as what was chosen, negative when it is
    /// worse. Positive for no edge of the solution's own.
    pub(super) fn saving(&self, edge: &Edge) -> i128 {
        -self.reduced(edge)
    }

    /// Another optimum may leave a row of this node over.
    pub(super) fn may_be_over(&self, left: u32) -> bool {
        self.pays[left as usize] == self.weights.left_over
    }

    /// Another optimum may leave a row of this node without partner.
    pub(super) fn may_have_room(&self, right: u32) -> bool {
        self.price[right as usize] == 0
    }

    /// Finds a partner for up to `rows` rows of `left`; answers how many it placed.
    fn place(&mut self, left: u32, rows: u32) -> u32 {
        let (end, length) = self.shortest_way(left);
        let lefts = self.pays.len();
        for &node in &self.search.touched {
            let distance = self.search.distance[node as usize];
            if distance < length {
                match (node as usize).checked_sub(lefts) {
                    None => self.pays[node as usize] += length - distance,
                    Some(right) => self.price[right] += length - distance,
                }
            }
        }
        let placed = self.shift(left, end, rows);
        for node in self.search.touched.drain(..) {
            self.search.distance[node as usize] = FAR;
        }
        self.search.heap.clear();
        placed
    }

    fn reach(&mut self, node: usize, distance: i128, via: u32) -> bool {
        let known = self.search.distance[node];
        if distance >= known {
            return false;
        }
        if known == FAR {
            self.search.touched.push(node as u32);
        }
        self.search.distance[node] = distance;
        self.search.via[node] = via;
        true
    }

    /// Dijkstra over reduced costs, up to the nearest end.
    fn shortest_way(&mut self, start: u32) -> (End, i128) {
        let lefts = self.pays.len();
        let (mut end, mut best) = (End::Over(start), FAR);
        self.reach(start as usize, 0, u32::MAX);
        self.search.heap.push(Reverse((0, start)));
        while let Some(Reverse((distance, left))) = self.search.heap.pop() {
            if distance >= best {
                break;
            }
            if distance > self.search.distance[left as usize] {
                continue;
            }
            let over = distance + self.weights.left_over - self.pays[left as usize];
            if over < best {
                (end, best) = (End::Over(left), over);
            }
            for at in self.edges_of(left) {
                let edge = self.edges[at];
                let next = distance + self.reduced(&edge);
                if next >= best || !self.reach(lefts + edge.right as usize, next, at as u32) {
                    continue;
                }
                if self.room[edge.right as usize] > 0 {
                    (end, best) = (End::Room(edge.right), next);
                    continue;
                }
                // Pairs are on edges without reduced cost: whoever has the row now is as near.
                for given in 0..self.given[edge.right as usize].len() {
                    let back = self.given[edge.right as usize][given];
                    let other = self.edges[back as usize].left;
                    if self.reach(other as usize, next, back) {
                        self.search.heap.push(Reverse((next, other)));
                    }
                }
            }
        }
        (end, best)
    }

    /// Moves as many rows along the way found as fit.
    fn shift(&mut self, start: u32, end: End, rows: u32) -> u32 {
        let lefts = self.pays.len();
        let mut forward = Vec::new();
        let mut backward = Vec::new();
        let mut amount = rows;
        let mut left = match end {
            End::Over(left) => left,
            End::Room(right) => {
                amount = amount.min(self.room[right as usize]);
                let edge = self.search.via[lefts + right as usize];
                forward.push(edge);
                self.edges[edge as usize].left
            }
        };
        while left != start {
            let back = self.search.via[left as usize];
            amount = amount.min(self.on[back as usize]);
            backward.push(back);
            let edge = self.search.via[lefts + self.edges[back as usize].right as usize];
            forward.push(edge);
            left = self.edges[edge as usize].left;
        }
        match end {
            End::Over(left) => self.over[left as usize] += amount,
            End::Room(right) => self.room[right as usize] -= amount,
        }
        for edge in forward {
            if self.on[edge as usize] == 0 {
                self.given[self.edges[edge as usize].right as usize].push(edge);
            }
            self.on[edge as usize] += amount;
        }
        for edge in backward {
            self.on[edge as usize] -= amount;
            if self.on[edge as usize] == 0 {
                self.given[self.edges[edge as usize].right as usize].retain(|&other| other != edge);
            }
        }
        amount
    }
}
