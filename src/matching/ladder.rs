//! The rungs, in order. A row taken on a higher rung is gone from the lower ones: evidence beats
//! closeness.

use hashbrown::HashMap;

use super::board::{Board, Key, Row};
use super::components::{self, Rung, Sets};
use super::disjoint::Disjoint;
use super::{exact, line, other_user, shaken, split};
use crate::domain::{Entry, Instant, RowId, Rule, Side, Span, Verdict};
use crate::normalise::ascending_ids;

/// Free rows that share one instant with at least this many others are a bulk stamp.
pub(super) const STAMPED_OTHERS: usize = 20;

/// No limit on |lag|.
const ANY_LAG: Span = Span(i64::MAX);

/// Climbs all rungs.
pub(super) fn climb(board: &mut Board<'_>) {
    climb_settling(board);
    other_user::climb(board);
    split::climb(board);
    mismatch(board);
    stamped(board);
    shaken::spread(board);
    board.end_by_key();
}

/// Climbs the rungs of [`crate::domain::SETTLING`].
pub(super) fn climb_settling(board: &mut Board<'_>) {
    link(board);
    reference(board);
    exact::climb(board);
    near(board);
}

/// Every pair is allowed; what it costs depends on the rung.
fn differing(rule: Rule) -> impl Fn(&Board<'_>, &Entry, &Entry) -> Option<u32> {
    move |board, legacy, unified| Some(board.differences(legacy, unified, rule).count())
}

/// The unified row names the legacy id.
fn link(board: &mut Board<'_>) {
    let books = board.books;
    let free = board.free(Side::Unified);
    let mut linked: Vec<(&RowId, u32)> = Vec::with_capacity(free.len());
    linked.extend(
        free.into_iter().filter_map(|row| Some((books.unified.entries[row as usize].link.as_deref()?, row))),
    );
    let order = ascending_ids(linked.len(), |at| linked[at].0);
    let linked: Vec<(&RowId, u32)> = order.into_iter().map(|at| linked[at as usize]).collect();
    let mut sets = Sets::for_some(linked.len(), 2 * linked.len());
    let mut legacy = 0usize;
    for run in linked.chunk_by(|a, b| a.0 == b.0) {
        let target = run[0].0;
        while legacy < books.legacy.entries.len() && books.legacy.entries[legacy].id < *target {
            legacy += 1;
        }
        let Some(entry) = books.legacy.entries.get(legacy) else { break };
        if entry.id == *target && board.is_free(Side::Legacy, legacy as u32) {
            sets.push(std::iter::once(legacy as u32), run.iter().map(|(_, row)| *row));
        }
    }
    settle(board, &sets, &Rung { rule: Rule::Link, reach: ANY_LAG, allow: &differing(Rule::Link) });
}

/// Both carry the same reference, same user.
fn reference(board: &mut Board<'_>) {
    let mut carriers: Vec<(u32, u32, Side, u32)> = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        for row in board.free(side) {
            let entry = board.entry(side, row);
            carriers.extend(entry.references.iter().map(|&reference| (entry.user.0, reference, side, row)));
        }
    }
    carriers.sort_unstable();
    // Rows with several references join sets: union by row.
    let mut joined = Joined::default();
    for run in carriers.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        if run[0].2 == Side::Legacy && run[run.len() - 1].2 == Side::Unified {
            joined.join(run.iter().map(|&(_, _, side, row)| (side, row)));
        }
    }
    let shares = |board: &Board<'_>, a: &Entry, b: &Entry| {
        let shared = a.references.iter().any(|reference| b.references.binary_search(reference).is_ok());
        shared.then(|| board.differences(a, b, Rule::Reference).count())
    };
    let rung = Rung { rule: Rule::Reference, reach: ANY_LAG, allow: &shares };
    let sets = joined.into_sets();
    // What so many rows share names no payment: these are left to the rungs below.
    for at in components::settle_all(board, &rung, &sets) {
        let (legacy, unified) = sets.get(at);
        say_bounded(board, rung.rule, legacy, unified);
    }
    board.find_spent(carriers);
}

/// Same user, action, amount, within tolerance.
fn near(board: &mut Board<'_>) {
    let [legacy, unified] = board.both_by_key();
    let sets = same_key_sets(&legacy, &unified);
    board.leave_by_key([legacy, unified]);
    let reach = board.tolerance;
    settle(board, &sets, &Rung { rule: Rule::Near, reach, allow: &differing(Rule::Near) });
}

/// Same user, within the window, one or two attributes differ.
fn mismatch(board: &mut Board<'_>) {
    let one_or_two = |board: &Board<'_>, a: &Entry, b: &Entry| {
        let differences = board.distance(a, b);
        // Rows that agree in all that counts were the business of `near`.
        let count = differences.count();
        (!differences.user && (1..=2).contains(&count)).then_some(count)
    };
    let rung = Rung { rule: Rule::Mismatch, reach: board.window, allow: &one_or_two };
    let sets = same_user_sets(board);
    for at in components::settle_all(board, &rung, &sets) {
        let (legacy, unified) = sets.get(at);
        mismatch_of_many(board, &rung, legacy, unified);
    }
}

/// A user with more free rows than the exact solver takes: rows that differ in time alone are paired
/// per key; what is then still too much stays over, contested.
fn mismatch_of_many(board: &mut Board<'_>, rung: &Rung<'_>, legacy: &[u32], unified: &[u32]) {
    say_bounded(board, rung.rule, legacy, unified);
    settle(board, &keyed(board, legacy, unified), rung);
    let rest = |board: &Board<'_>, side: Side, rows: &[u32]| -> Vec<u32> {
        rows.iter().copied().filter(|&row| board.is_free(side, row)).collect()
    };
    let (legacy, unified) = (rest(board, Side::Legacy, legacy), rest(board, Side::Unified, unified));
    components::settle(board, rung, &legacy, &unified);
}

/// Free unified rows that share one instant with at least 20 others, at any lag.
fn stamped(board: &mut Board<'_>) {
    // Only the instants of free rows matter, and few rows are free.
    let free = board.free(Side::Unified);
    let mut counts: HashMap<Instant, usize> =
        free.into_iter().map(|row| (board.at(Side::Unified, row), 0)).collect();
    let taking_part = board.unified.iter().enumerate().filter(|(_, row)| !matches!(row, Row::Apart));
    let instants = taking_part.map(|(row, _)| (board.at(Side::Unified, row as u32), 1));
    for (at, rows) in instants.chain(board.books.settled.at_instants.iter().map(|(at, rows)| (*at, *rows))) {
        if let Some(count) = counts.get_mut(&at) {
            *count += rows;
        }
    }
    counts.retain(|_, count| *count > STAMPED_OTHERS);
    if counts.is_empty() {
        return;
    }
    board.crowded = counts.into_keys().collect();
    let [legacy, mut unified] = board.both_by_key();
    unified.retain(|(key, _)| board.crowded.contains(&key.at));
    let sets = same_key_sets(&legacy, &unified);
    let rung = Rung { rule: Rule::Stamped, reach: ANY_LAG, allow: &differing(Rule::Stamped) };
    settle(board, &sets, &rung);
}

/// Settles sets, on the line where one is too large for the exact solver. Only for rungs on which
/// user, action and amount are the same within a set, or where sets are small by nature.
fn settle(board: &mut Board<'_>, sets: &Sets, rung: &Rung<'_>) {
    for at in components::settle_all(board, rung, sets) {
        let (legacy, unified) = sets.get(at);
        let keyed = keyed(board, legacy, unified);
        for at in 0..keyed.len() {
            let (legacy, unified) = keyed.get(at);
            on_line(board, rung.rule, legacy, unified, rung.reach);
        }
    }
}

/// Pairs one key on the line.
fn on_line(board: &mut Board<'_>, rule: Rule, legacy: &[u32], unified: &[u32], reach: Span) {
    let barred = board.barred_among(legacy, unified);
    if !barred.is_empty() {
        say_bounded(board, rule, legacy, unified);
    }
    let by_time = |board: &Board<'_>, side: Side, rows: &[u32]| -> Vec<u32> {
        let mut rows: Vec<u32> = rows.iter().copied().filter(|&row| !barred.contains(&(side, row))).collect();
        rows.sort_by_key(|&row| (board.entry(side, row).at, row));
        rows
    };
    let (legacy, unified) = (by_time(board, Side::Legacy, legacy), by_time(board, Side::Unified, unified));
    let times = |board: &Board<'_>, side: Side, rows: &[u32]| -> Vec<i64> {
        rows.iter().map(|&row| board.entry(side, row).at.0).collect()
    };
    let (a, b) = (times(board, Side::Legacy, &legacy), times(board, Side::Unified, &unified));
    let result = line::pair(&a, &b, reach.0);
    // One instant a side: which row pairs with which is immaterial. Otherwise other optima may exist.
    let one_instant = a.first() == a.last() && b.first() == b.last();
    let verdict = if one_instant && result.optimal { Verdict::Interchangeable } else { Verdict::Contested };
    for (l, u) in result.pairs {
        let (l, u) = (legacy[l], unified[u]);
        if components::fits(board, board.entry(Side::Legacy, l), board.entry(Side::Unified, u)) {
            board.pair(l, u, rule, verdict);
        }
    }
    let all_paired =
        |board: &Board<'_>, side, rows: &[u32]| rows.iter().all(|&row| !board.is_free(side, row));
    let complete = all_paired(board, Side::Legacy, &legacy) && all_paired(board, Side::Unified, &unified);
    if !result.optimal || !complete {
        legacy.iter().for_each(|&row| board.doubt(rule, Side::Legacy, row, verdict));
        unified.iter().for_each(|&row| board.doubt(rule, Side::Unified, row, verdict));
    }
    if !result.optimal {
        say_bounded(board, rule, &legacy, &unified);
    }
}

/// Says which component had no exact answer; its rows are contested.
fn say_bounded(board: &mut Board<'_>, rule: Rule, legacy: &[u32], unified: &[u32]) {
    for (side, rows) in [(Side::Legacy, legacy), (Side::Unified, unified)] {
        rows.iter().for_each(|&row| board.doubt(rule, side, row, Verdict::Contested));
    }
    if let Some(&first) = legacy.first() {
        let user = board.books.roster.id(board.entry(Side::Legacy, first).user);
        board.bounded.push(format!(
            "{}: user {user}, {} × {} rows",
            rule.name(),
            legacy.len(),
            unified.len()
        ));
    }
}

/// Rows of both sides with the same user, action and amount.
fn same_key_sets(legacy: &[(Key, u32)], unified: &[(Key, u32)]) -> Sets {
    Sets::of_equal(legacy, unified, |key| (key.user, key.action, key.tokens))
}

/// The same for given rows.
fn keyed(board: &Board<'_>, legacy: &[u32], unified: &[u32]) -> Sets {
    let keys = |side: Side, rows: &[u32]| {
        let mut keys: Vec<(Key, u32)> = rows.iter().map(|&row| (board.key_at(side, row), row)).collect();
        keys.sort_unstable();
        keys
    };
    same_key_sets(&keys(Side::Legacy, legacy), &keys(Side::Unified, unified))
}

/// Free rows of both sides with the same user.
fn same_user_sets(board: &Board<'_>) -> Sets {
    let [legacy, unified] = board.both_by_key();
    let sets = Sets::of_equal(&legacy, &unified, |key| key.user);
    board.leave_by_key([legacy, unified]);
    sets
}

/// Disjoint sets of rows of both sides.
#[derive(Default)]
struct Joined {
    numbers: HashMap<(Side, u32), usize>,
    sets: Disjoint,
}

impl Joined {
    fn join(&mut self, rows: impl Iterator<Item = (Side, u32)>) {
        let mut first = None;
        for row in rows {
            let number = *self.numbers.entry(row).or_insert_with(|| self.sets.add());
            self.sets.join(*first.get_or_insert(number), number);
        }
    }

    /// The sets, ascending by their least row.
    fn into_sets(mut self) -> Sets {
        let mut rows: Vec<((Side, u32), usize)> = self.numbers.drain().collect();
        rows.sort_unstable();
        let mut places: HashMap<usize, usize> = HashMap::new();
        let mut lists: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        for ((side, row), number) in rows {
            let root = self.sets.root(number);
            let place = *places.entry(root).or_insert_with(|| {
                lists.push((Vec::new(), Vec::new()));
                lists.len() - 1
            });
            match side {
                Side::Legacy => lists[place].0.push(row),
                Side::Unified => lists[place].1.push(row),
            }
        }
        let mut sets = Sets::default();
        lists.into_iter().for_each(|(legacy, unified)| sets.push(legacy.into_iter(), unified.into_iter()));
        sets
    }
}
