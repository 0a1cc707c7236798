//! From candidate rows to independent components: rows that are alike become one node, nodes that
//! are joined by an allowed pair belong together.

use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashMap;

use super::assign::{self, Guess, Problem};
use super::blocks::{self, Block};
use super::board::{Board, Key, lag};
use super::flow::Edge;
use super::line;
use super::optima::{Node, Solution};
use crate::cores;
use crate::domain::{ActionNo, Entry, Instant, Pair, RowId, Rule, Side, Span, Verdict};

/// Pairs within reach up to which all allowed ones are held at once.
const HELD_LIMIT: u64 = 2_000_000;

/// Pairs within reach beyond which a set has no exact answer here: each is looked at several times.
/// A user with 10,000 free rows a side within one window stays below it.
const ASKED_LIMIT: u64 = 150_000_000;

/// The same where rows of several keys share references, and no pair is too far apart: the optimum of more
/// takes too long to find. A reference of hundreds of rows names no payment.
const SHARED_LIMIT: u64 = 100_000;

/// Sets that a thread takes at a time.
const BATCH: usize = 256;

/// What a rung allows.
pub(super) struct Rung<'f> {
    pub(super) rule: Rule,
    /// Pairs further apart are never asked about.
    pub(super) reach: Span,
    /// The number of differing attributes of an allowed pair.
    pub(super) allow: &'f (dyn Fn(&Board<'_>, &Entry, &Entry) -> Option<u32> + Sync),
}

/// Independent sets of free rows of both sides; in each, both lists ascend by id.
#[derive(Debug, Default)]
pub(super) struct Sets {
    rows: Vec<u32>,
    /// For each set, where its legacy and its unified rows end; they begin where the set before ends.
    ends: Vec<(u32, u32)>,
}

impl Sets {
    /// Room for so many sets of so many rows together.
    pub(super) fn for_some(sets: usize, rows: usize) -> Sets {
        Sets { rows: Vec::with_capacity(rows), ends: Vec::with_capacity(sets) }
    }

    /// Rows of both sides, ascending by key, that agree in a part of it: a set for each part that is on
    /// both sides.
    pub(super) fn of_equal<P: Ord>(
        legacy: &[(Key, u32)],
        unified: &[(Key, u32)],
        part: impl Fn(&Key) -> P,
    ) -> Sets {
        let same = |a: &(Key, u32), b: &(Key, u32)| part(&a.0) == part(&b.0);
        let mut sets = Sets::for_some(legacy.len().min(unified.len()), legacy.len() + unified.len());
        let mut right = unified.chunk_by(same).peekable();
        for left in legacy.chunk_by(same) {
            let wanted = part(&left[0].0);
            while right.next_if(|run| part(&run[0].0) < wanted).is_some() {}
            if let Some(run) = right.next_if(|run| part(&run[0].0) == wanted) {
                sets.push(left.iter().map(|(_, row)| *row), run.iter().map(|(_, row)| *row));
            }
        }
        sets
    }

    pub(super) fn push(&mut self, legacy: impl Iterator<Item = u32>, unified: impl Iterator<Item = u32>) {
        let start = self.rows.len();
        self.rows.extend(legacy);
        let middle = self.rows.len();
        self.rows.extend(unified);
        self.rows[start..middle].sort_unstable();
        self.rows[middle..].sort_unstable();
        self.ends.push((middle as u32, self.rows.len() as u32));
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Legacy and unified rows of a set.
    pub(super) fn get(&self, at: usize) -> (&[u32], &[u32]) {
        let start = if at == 0 { 0 } else { self.ends[at - 1].1 as usize };
        let (middle, end) = (self.ends[at].0 as usize, self.ends[at].1 as usize);
        (&self.rows[start..middle], &self.rows[middle..end])
    }
}

/// What was found of sets in a row.
struct Found {
    /// The number of the first set.
    first: usize,
    /// Of sets of one row a side, which are most by far: those that pair.
    ones: Vec<Pair>,
    /// Of other sets, by number: the solution, or that there is none here.
    others: Vec<(usize, Option<Solution>)>,
}

/// Settles all sets, on all cores. Sets that are too large come back as their numbers: nothing was
/// done about them.
pub(super) fn settle_all(board: &mut Board<'_>, rung: &Rung<'_>, sets: &Sets) -> Vec<usize> {
    let mut too_large = Vec::new();
    for Found { ones, others, .. } in found(board, rung, sets) {
        ones.into_iter().for_each(|pair| board.take(pair));
        for (at, solution) in others {
            match solution {
                Some(solution) => take(board, rung.rule, solution),
                None => too_large.push(at),
            }
        }
    }
    too_large
}

/// Settles one set; `false`: it is too large, and nothing was done.
pub(super) fn settle(board: &mut Board<'_>, rung: &Rung<'_>, legacy: &[u32], unified: &[u32]) -> bool {
    let solution = solution(board, rung, legacy, unified);
    let is_settled = solution.is_some();
    solution.into_iter().for_each(|solution| take(board, rung.rule, solution));
    is_settled
}

/// What is to be done about the sets, in order.
fn found(board: &Board<'_>, rung: &Rung<'_>, sets: &Sets) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= sets.len() {
                return done;
            }
            let mut found = Found { first, ones: Vec::new(), others: Vec::new() };
            for at in first..sets.len().min(first + BATCH) {
                match sets.get(at) {
                    ([legacy], [unified]) => found.ones.extend(one(board, rung, *legacy, *unified)),
                    (legacy, unified) => {
                        let solution = solution(board, rung, legacy, unified);
                        if solution.as_ref().is_none_or(|solution| *solution != Solution::default()) {
                            found.others.push((at, solution));
                        }
                    }
                }
            }
            done.push(found);
        }
    };
    let threads = cores::count().min(sets.len().div_ceil(BATCH));
    if threads < 2 {
        return work();
    }
    let mut all: Vec<Found> = cores::each(0..threads, |_| work()).into_iter().flatten().collect();
    all.sort_unstable_by_key(|found| found.first);
    all
}

/// The pair of two rows, if it is allowed.
fn one(board: &Board<'_>, rung: &Rung<'_>, legacy: u32, unified: u32) -> Option<Pair> {
    let (a, b) = (board.entry(Side::Legacy, legacy), board.entry(Side::Unified, unified));
    (lag(a, b).abs() <= rung.reach && fits(board, a, b) && (rung.allow)(board, a, b).is_some()).then(|| {
        let differs = board.differences(a, b, rung.rule);
        Pair { legacy, unified, rule: rung.rule, differs, verdict: Verdict::Forced }
    })
}

/// Writes a solution on the board.
fn take(board: &mut Board<'_>, rule: Rule, solution: Solution) {
    if solution.gave_up
        && let Some(&(legacy, ..)) = solution.pairs.first()
    {
        let entry = board.entry(Side::Legacy, legacy);
        board.bounded.push(format!(
            "{}: user {}, action {}, {} pairs, which are an optimum, but more are as good than could be \
             compared by id",
            rule.name(),
            board.books.roster.id(entry.user),
            board.books.action(entry.action),
            solution.pairs.len()
        ));
    }
    solution.pairs.into_iter().for_each(|(l, u, verdict)| board.pair(l, u, rule, verdict));
    let (legacy, unified) = (solution.left_over_legacy, solution.left_over_unified);
    legacy.into_iter().for_each(|(row, verdict)| board.doubt(rule, Side::Legacy, row, verdict));
    unified.into_iter().for_each(|(row, verdict)| board.doubt(rule, Side::Unified, row, verdict));
}

/// The optimum of one set, or `None` where it is too large.
fn solution(board: &Board<'_>, rung: &Rung<'_>, legacy: &[u32], unified: &[u32]) -> Option<Solution> {
    if legacy.is_empty() || unified.is_empty() {
        return Some(Solution::default());
    }
    if let ([legacy], [unified]) = (legacy, unified) {
        let pair = one(board, rung, *legacy, *unified);
        let pairs = pair.map(|pair| (pair.legacy, pair.unified, pair.verdict)).into_iter().collect();
        return Some(Solution { pairs, ..Solution::default() });
    }
    match blocks::of(board, rung, legacy, unified) {
        Some(blocks) => of_blocks(board, rung, &blocks),
        None => best_of(board, rung, legacy, unified),
    }
}

/// The optima of blocks that no pair of an optimum joins.
fn of_blocks(board: &Board<'_>, rung: &Rung<'_>, blocks: &[Block]) -> Option<Solution> {
    let mut all = Solution::default();
    for block in blocks {
        let solution = match block.least() {
            Some(solution) => solution,
            None => {
                let (legacy, unified) = block.sides();
                best_of(board, rung, &legacy, &unified)?
            }
        };
        all.pairs.extend(solution.pairs);
        all.left_over_legacy.extend(solution.left_over_legacy);
        all.left_over_unified.extend(solution.left_over_unified);
        all.gave_up |= solution.gave_up;
    }
    all.pairs.sort_unstable_by_key(|(legacy, ..)| *legacy);
    Some(all)
}

/// The optimum of any set, by its allowed pairs.
fn best_of(board: &Board<'_>, rung: &Rung<'_>, legacy: &[u32], unified: &[u32]) -> Option<Solution> {
    let problem =
        Problem { left: nodes(board, Side::Legacy, legacy), right: nodes(board, Side::Unified, unified) };
    let listing = Listing::new(board, rung, &problem);
    let guess = guess(board, rung, &problem, &listing);
    let allowed = |left: u32, take: &mut dyn FnMut(Edge)| listing.edges(left, take);
    let is_mixed = || {
        let first = board.key(board.entry(Side::Legacy, legacy[0]));
        let is_other = |side: Side, rows: &[u32]| {
            rows.iter().any(|&row| Key { at: first.at, ..board.key(board.entry(side, row)) } != first)
        };
        is_other(Side::Legacy, legacy) || is_other(Side::Unified, unified)
    };
    let is_slow = rung.rule == Rule::Reference && listing.asked > SHARED_LIMIT && is_mixed();
    if listing.asked > ASKED_LIMIT || is_slow {
        return None;
    }
    let longest_lag = listing.longest_lag();
    if listing.asked > HELD_LIMIT {
        return assign::solve_by_price(&problem, &allowed, longest_lag, &guess);
    }
    let mut edges = Vec::new();
    (0..problem.left.len() as u32).for_each(|left| allowed(left, &mut |edge| edges.push(edge)));
    Some(assign::solve(&problem, &edges, longest_lag, &guess))
}

/// Rows of a set up to which the optimum is found from nothing.
const WITHOUT_GUESS: usize = 200;

/// What may be an optimum of a large set: rows that differ in time alone, paired in order of time.
fn guess(board: &Board<'_>, rung: &Rung<'_>, problem: &Problem, listing: &Listing<'_>) -> Guess {
    let mut keys: HashMap<Key, [Vec<(Instant, u32)>; 2]> = HashMap::new();
    if problem.left.len() + problem.right.len() < WITHOUT_GUESS {
        return Guess::new();
    }
    for (at, (side, nodes)) in
        [(Side::Legacy, &problem.left), (Side::Unified, &problem.right)].into_iter().enumerate()
    {
        for (number, node) in nodes.iter().enumerate() {
            let entry = board.entry(side, node.rows[0]);
            // Order of time says little about rows that payments keep from others.
            if listing.is_barred(side, number as u32) {
                continue;
            }
            let key = Key { at: Instant(0), ..board.key(entry) };
            let rows = &mut keys.entry(key).or_default()[at];
            rows.extend(node.rows.iter().map(|_| (entry.at, number as u32)));
        }
    }
    let mut guess = Guess::new();
    for [left, right] in keys.values_mut() {
        left.sort_unstable();
        right.sort_unstable();
        let times = |rows: &[(Instant, u32)]| rows.iter().map(|(at, _)| at.0).collect::<Vec<i64>>();
        let line = line::pair(&times(left), &times(right), rung.reach.0);
        guess.extend(line.pairs.into_iter().map(|(l, r)| (left[l].1, right[r].1)));
    }
    guess
}

/// The pairs of one set that are within reach of each other.
struct Listing<'s> {
    board: &'s Board<'s>,
    rung: &'s Rung<'s>,
    left: Vec<&'s Entry>,
    right: Vec<&'s Entry>,
    /// For each left node, the right nodes within reach.
    within: Vec<(u32, u32)>,
    /// All of them.
    asked: u64,
    /// By side and node: rows that payments keep from some of the other side. Empty where there are none.
    barred: [Vec<bool>; 2],
}

impl<'s> Listing<'s> {
    fn new(board: &'s Board<'s>, rung: &'s Rung<'s>, problem: &Problem) -> Listing<'s> {
        let entries = |side: Side, nodes: &[Node]| -> Vec<&'s Entry> {
            nodes.iter().map(|node| board.entry(side, node.rows[0])).collect()
        };
        let (left, right) = (entries(Side::Legacy, &problem.left), entries(Side::Unified, &problem.right));
        let (mut low, mut high) = (0, 0);
        let within: Vec<(u32, u32)> = left
            .iter()
            .map(|entry| {
                while low < right.len() && entry.at.since(right[low].at) > rung.reach {
                    low += 1;
                }
                high = high.max(low);
                while high < right.len() && right[high].at.since(entry.at) <= rung.reach {
                    high += 1;
                }
                (low as u32, high as u32)
            })
            .collect();
        let asked = within.iter().map(|(low, high)| u64::from(high - low)).sum();
        let first = |nodes: &[Node]| nodes.iter().map(|node| node.rows[0]).collect::<Vec<u32>>();
        let mut barred = [Vec::new(), Vec::new()];
        if board.spent.has_any() {
            let rows = [first(&problem.left), first(&problem.right)];
            let found = board.barred_among(&rows[0], &rows[1]);
            if !found.is_empty() {
                let is_barred = |side: Side| {
                    rows[side as usize].iter().map(|&row| found.contains(&(side, row))).collect()
                };
                barred = [is_barred(Side::Legacy), is_barred(Side::Unified)];
            }
        }
        Listing { board, rung, left, right, within, asked, barred }
    }

    fn is_barred(&self, side: Side, node: u32) -> bool {
        self.barred[side as usize].get(node as usize).is_some_and(|is_barred| *is_barred)
    }

    /// All allowed pairs of a left node, ascending by right node.
    fn edges(&self, left: u32, take: &mut dyn FnMut(Edge)) {
        let a = self.left[left as usize];
        let (low, high) = self.within[left as usize];
        let left_is_barred = self.is_barred(Side::Legacy, left);
        for right in low..high {
            let b = self.right[right as usize];
            let may_be_barred = left_is_barred || self.is_barred(Side::Unified, right);
            if fits_as_of(self.board, a, b)
                && !(may_be_barred && self.board.have_other_payments(a, b))
                && let Some(differing) = (self.rung.allow)(self.board, a, b)
            {
                take(Edge { left, right, differing, lag: lag(a, b).abs().0 });
            }
        }
    }

    /// No pair within reach lies further apart.
    fn longest_lag(&self) -> i64 {
        let [Some(l_first), Some(l_last), Some(u_first), Some(u_last)] =
            [self.left.first(), self.left.last(), self.right.first(), self.right.last()]
        else {
            return 0;
        };
        lag(l_first, u_last).abs().max(lag(l_last, u_first).abs()).min(self.rung.reach).0
    }
}

/// What holds on every rung: the rules of as-of, and no row whose payment has had its grant stands for that of
/// another.
pub(super) fn fits(board: &Board<'_>, legacy: &Entry, unified: &Entry) -> bool {
    fits_as_of(board, legacy, unified) && !board.is_barred(legacy, unified)
}

/// A late legacy row never stands for an early unified one, and a late partner lies within the window.
fn fits_as_of(board: &Board<'_>, legacy: &Entry, unified: &Entry) -> bool {
    let as_of = board.books.as_of;
    let late_for_early = legacy.at > as_of && unified.at <= as_of;
    !late_for_early && !board.is_too_late(legacy, unified)
}

/// Everything by which two rows of one side can be told apart, but their ids.
pub(super) type Looks<'a> =
    (Instant, u32, ActionNo, ActionNo, i64, [&'a [u32]; 2], Option<&'a RowId>, [bool; 4], Option<Instant>);

pub(super) fn looks<'a>(board: &Board<'_>, entry: &'a Entry) -> Looks<'a> {
    (
        entry.at,
        entry.user.0,
        entry.action,
        board.action(entry),
        entry.tokens,
        [&entry.references, entry.payments.as_deref().map_or(&[], |payments| payments)],
        entry.link.as_deref(),
        [entry.migrated, entry.paid, entry.negative, entry.minority_sign],
        entry.expires_at,
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
