//! The rows of one table in the order of each user's time.

use std::ops::Range;

use crate::domain::{Books, Bystander, Instant, Kind, PopulationClass, RowId, Side, UserNo};

/// What a row does to the balance beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// So many tokens.
    Known(i128),
    /// So many, up or down: stored with the rarer sign, so it may be a reversal.
    Either(i128),
    /// The configuration does not say.
    Unknown,
}

/// One row, up to as-of.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub id: &'a RowId,
    pub user: UserNo,
    pub at: Instant,
    pub label: u16,
    /// Magnitude.
    pub tokens: i128,
    pub value: Option<i128>,
    pub change: Change,
    /// Rows that are only known as a sum lie between the rows of this user.
    pub has_gaps: bool,
}

/// The rows of a range of users, ascending by user, time and id; rows of one instant in the order in which
/// their values chain. All entries in the books are of those users.
pub(super) fn rows(books: &Books, side: Side, users: Range<u32>) -> Vec<Row<'_>> {
    let ledger = books.side(side);
    let folded = |user: UserNo| {
        let usage = books.usage[user.0 as usize];
        side == Side::Unified && (usage.used != 0 || usage.failed != 0)
    };
    let entries = ledger.entries.iter().filter(|entry| entry.at <= books.as_of).map(|entry| {
        let tokens = i128::from(entry.tokens);
        let change = match (entry.class, entry.kind) {
            (PopulationClass::Failed, _) => Change::Known(0),
            _ if entry.minority_sign => Change::Either(tokens),
            (_, Kind::Grant) => Change::Known(tokens),
            (_, Kind::Deduction) => Change::Known(-tokens),
        };
        let value = entry.balance_after.map(i128::from);
        let has_gaps = folded(entry.user);
        Row {
            id: &entry.id,
            user: entry.user,
            at: entry.at,
            label: entry.label,
            tokens,
            value,
            change,
            has_gaps,
        }
    });
    let is_asked = |row: &&Bystander| row.at <= books.as_of && users.contains(&row.user.0);
    let bystanders = ledger.bystanders.iter().filter(is_asked).map(|row| {
        let tokens = i128::from(row.raw_tokens).abs();
        let change = match row.class {
            PopulationClass::Usage => Change::Known(-tokens),
            PopulationClass::Failed => Change::Known(0),
            _ => Change::Unknown,
        };
        let value = row.balance_after.map(i128::from);
        let has_gaps = folded(row.user);
        Row { id: &row.id, user: row.user, at: row.at, label: row.label, tokens, value, change, has_gaps }
    });
    let mut rows: Vec<Row<'_>> = entries.chain(bystanders).collect();
    rows.sort_unstable_by(|a, b| (a.user, a.at, a.id).cmp(&(b.user, b.at, b.id)));
    order_ties(&mut rows);
    rows
}

/// Rows of one instant stand in the order of their ids, which says nothing. Where their values give
/// an order, that one is taken.
fn order_ties(rows: &mut [Row<'_>]) {
    let mut start = 0;
    while start < rows.len() {
        let same = |row: &Row<'_>| (row.user, row.at) == (rows[start].user, rows[start].at);
        let length = rows[start..].iter().take_while(|row| same(row)).count();
        if length > 1 {
            let before = start.checked_sub(1).map(|at| &rows[at]).filter(|row| row.user == rows[start].user);
            let value = before.map_or(Some(0), |row| row.value);
            chain(&mut rows[start..start + length], value);
        }
        start += length;
    }
}

/// Longer runs of one instant stay in the order of their ids.
const LONGEST_TIE: usize = 64;

/// Each time the first row that follows from the one before it, else the first that is left.
fn chain(tied: &mut [Row<'_>], mut value: Option<i128>) {
    if tied.len() > LONGEST_TIE {
        return;
    }
    for at in 0..tied.len() {
        let follows = |row: &Row<'_>| match (value, row.change, row.value) {
            (Some(before), Change::Known(change), Some(after)) => before + change == after,
            _ => false,
        };
        if let Some(next) = tied[at..].iter().position(follows) {
            tied[at..=at + next].rotate_right(1);
        }
        value = tied[at].value;
    }
}
