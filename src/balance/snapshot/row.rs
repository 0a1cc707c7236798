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
    /// Its place among the rows of its range by user, time and id.
    pub place: usize,
    /// In which order the rows of its instant came is not told.
    pub is_untold: bool,
}

/// The rows of a range of users, ascending by user, time and id. All entries in the books are of those users.
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
            place: 0,
            is_untold: false,
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
        Row {
            id: &row.id,
            user: row.user,
            at: row.at,
            label: row.label,
            tokens,
            value,
            change,
            has_gaps,
            place: 0,
            is_untold: false,
        }
    });
    let mut rows: Vec<Row<'_>> = entries.chain(bystanders).collect();
    rows.sort_unstable_by(|a, b| (a.user, a.at, a.id).cmp(&(b.user, b.at, b.id)));
    rows.iter_mut().enumerate().for_each(|(place, row)| row.place = place);
    rows
}
