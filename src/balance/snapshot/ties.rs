//! Rows of one instant, in the order in which their balances follow from each other.
//!
//! Their ids say nothing of it. Whether one row follows from another depends on what the column means at
//! both, so they are put in order again whenever that is known better.

use std::collections::HashSet;

use super::Meaning;
use super::row::{Change, Row};
use super::walk::{is_as_expected, step};

/// Of more rows at one instant the order is not looked for.
const LONGEST_TIE: usize = 64;
/// So many steps of the search are made for one instant.
const MOST_STEPS: usize = 2_000;

/// Puts the rows of each instant in order; `meanings` is what the column means at each, by its place. Where
/// no meaning is known, values that follow from each other show one. Where too many rows share an instant the
/// order is not told, and nothing is said of their balances.
pub(super) fn order(rows: &mut [Row<'_>], meanings: &[Meaning]) {
    let mut running = Running::default();
    let mut start = 0;
    while start < rows.len() {
        let (user, at) = (rows[start].user, rows[start].at);
        let length = rows[start..].iter().take_while(|row| (row.user, row.at) == (user, at)).count();
        if start == 0 || rows[start - 1].user != user {
            running = Running::default();
        }
        let (tied, later) = rows[start..].split_at_mut(length);
        // Between rows that are known as a sum no row follows from another.
        if length > 1 && !tied[0].has_gaps {
            // Where the one behind them has company, it does not say what it follows.
            let next = match &*later {
                [next, then, ..] if (then.user, then.at) == (next.user, next.at) => None,
                [next, ..] if next.user == user => Some(next),
                _ => None,
            };
            running.order(tied, next, meanings);
        }
        tied.iter().for_each(|row| running.pass(row, meanings));
        start += length;
    }
}

/// The balance before the next row of a user.
#[derive(Debug, Clone, Copy, Default)]
struct Running {
    /// As far as it is known what the column means.
    told: Option<i128>,
    /// If all values meant the balance after their row.
    after: Option<i128>,
    /// If all values meant the balance before their row.
    before: Option<i128>,
}

impl Running {
    fn pass(&mut self, row: &Row<'_>, meanings: &[Meaning]) {
        if row.is_untold {
            *self = Running::default();
            return;
        }
        let told = self.told.filter(|_| !row.has_gaps);
        self.told = step(row, meanings[row.place], told).1;
        self.after = step(row, Meaning::After, self.after).1;
        self.before = step(row, Meaning::Before, self.before).1;
    }

    fn order(self, tied: &mut [Row<'_>], next: Option<&Row<'_>>, meanings: &[Meaning]) {
        tied.sort_unstable_by_key(|row| row.place);
        let is_chained = |row: &Row<'_>| matches!(meanings[row.place], Meaning::After | Meaning::Before);
        let found = if tied.len() > LONGEST_TIE {
            Found::GivenUp
        } else if tied.iter().any(is_chained) {
            in_chain(tied, next, self.told, &|row: &Row<'_>| meanings[row.place])
        } else {
            match in_chain(tied, next, self.after, &|_| Meaning::After) {
                Found::Nothing(greedy) => match in_chain(tied, next, self.before, &|_| Meaning::Before) {
                    Found::Nothing(_) => Found::Nothing(greedy),
                    found => found,
                },
                found => found,
            }
        };
        tied.iter_mut().for_each(|row| row.is_untold = matches!(found, Found::GivenUp));
        if let Found::Order(order) | Found::Nothing(order) = found {
            let rows = tied.to_vec();
            order.into_iter().zip(tied).for_each(|(at, row)| *row = rows[at].clone());
        }
    }
}

/// What the search for an order comes to.
enum Found {
    /// In this order each follows from the one before it.
    Order(Vec<usize>),
    /// There is none; this one takes the first that follows as long as there is one.
    Nothing(Vec<usize>),
    /// Nobody knows.
    GivenUp,
}

/// The order that begins with the balance before the instant and ends where the next row begins, or else the
/// one that does the first, or else any in which the rows follow from each other.
fn in_chain(
    tied: &[Row<'_>],
    next: Option<&Row<'_>>,
    from: Option<i128>,
    meaning: &dyn Fn(&Row<'_>) -> Meaning,
) -> Found {
    let to = next.and_then(|next| begins_at(next, meaning(next)));
    // Who has no balance yet may well begin at nothing.
    let mut tries = match from {
        Some(_) => vec![(from, to), (from, None), (None, None)],
        None => vec![(Some(0), to), (None, to), (Some(0), None), (None, None)],
    };
    tries.dedup();
    let mut is_given_up = false;
    for (begin, end) in tries {
        let mut search =
            Search { tied, meaning, end, seen: HashSet::new(), order: Vec::with_capacity(tied.len()) };
        match search.go(0, begin) {
            // A break before the instant is none as long as an order without one may be there.
            Some(true) if is_given_up && from.is_some() && begin.is_none() => return Found::GivenUp,
            Some(true) => return Found::Order(search.order),
            Some(false) => {}
            None => is_given_up = true,
        }
    }
    if is_given_up { Found::GivenUp } else { Found::Nothing(greedy(tied, from, meaning)) }
}

/// The balance that the row follows from, where its value says one.
fn begins_at(row: &Row<'_>, meaning: Meaning) -> Option<i128> {
    match (meaning, row.value, row.change) {
        (Meaning::Before, value, _) => value,
        (Meaning::After, Some(value), Change::Known(change)) => Some(value - change),
        _ => None,
    }
}

/// The balance behind a row that follows from the one before it.
fn follow(row: &Row<'_>, meaning: Meaning, balance: Option<i128>) -> Option<Option<i128>> {
    let (expected, next) = step(row, meaning, balance);
    is_as_expected(row, expected).then_some(next)
}

/// Each time the first row that follows, else the first that is left.
fn greedy(tied: &[Row<'_>], from: Option<i128>, meaning: &dyn Fn(&Row<'_>) -> Meaning) -> Vec<usize> {
    let mut left: Vec<usize> = (0..tied.len()).collect();
    let mut order = Vec::with_capacity(tied.len());
    let mut balance = from;
    while !left.is_empty() {
        let follows = |at: &usize| follow(&tied[*at], meaning(&tied[*at]), balance).is_some();
        let at = left.remove(left.iter().position(follows).unwrap_or(0));
        balance = step(&tied[at], meaning(&tied[at]), balance).1;
        order.push(at);
    }
    order
}

/// Looks for an order in which every row follows, with a way back out of what leads nowhere.
struct Search<'a> {
    tied: &'a [Row<'a>],
    meaning: &'a dyn Fn(&Row<'_>) -> Meaning,
    end: Option<i128>,
    /// Rows that are taken, by bit, and the balance behind them.
    seen: HashSet<(u64, Option<i128>)>,
    order: Vec<usize>,
}

impl Search<'_> {
    /// There is one, with these rows taken; `None`: nobody knows.
    fn go(&mut self, taken: u64, balance: Option<i128>) -> Option<bool> {
        if self.order.len() == self.tied.len() {
            return Some(self.end.is_none() || balance.is_none() || self.end == balance);
        }
        if self.seen.len() == MOST_STEPS {
            return None;
        }
        if !self.seen.insert((taken, balance)) {
            return Some(false);
        }
        let (tied, meaning) = (self.tied, self.meaning);
        for (at, row) in tied.iter().enumerate().filter(|(at, _)| taken >> at & 1 == 0) {
            let Some(next) = follow(row, meaning(row), balance) else { continue };
            self.order.push(at);
            match self.go(taken | 1 << at, next) {
                Some(false) => {
                    self.order.pop();
                }
                done => return done,
            }
        }
        Some(false)
    }
}
