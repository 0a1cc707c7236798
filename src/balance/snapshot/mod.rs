//! What the balance column beside the rows (`balance_after`, `tokens_remaining`) means, tested.
//!
//! Nothing is computed from such a column: in one product it meant the balance after the row, then
//! the balance before it, then the size of the grant. Per label its rows are tested in the order of
//! time against these three meanings; where one fits and the others do not, that is the meaning of
//! the period. Within a period that means a balance, the rows of a user form a chain, and where it
//! breaks something is missing, doubled or changed: evidence for the gap of that user.

mod era;
mod fit;
mod row;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

use crate::config::Config;
use crate::domain::{Books, Instant, RowId, Side, UserNo};

/// What the column means in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// The balance after the row.
    After,
    /// The balance before the row.
    Before,
    /// The amount of the row itself.
    Size,
    /// None of these: most rows fit nothing.
    Broken,
    /// The rows do not tell.
    Unknown,
}

impl Meaning {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::After => "after",
            Meaning::Before => "before",
            Meaning::Size => "size",
            Meaning::Broken => "broken",
            Meaning::Unknown => "unknown",
        }
    }
}

/// The balance column of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotColumn {
    /// Which table.
    pub side: Side,
    /// The column as configured.
    pub column: String,
    /// Rows up to as-of that were looked at.
    pub rows: u64,
    /// Those of them that have a value.
    pub values: u64,
    /// Values that are there but are no number of tokens, in the whole table.
    pub unreadable: u64,
    /// Periods by label, ascending; only labels that have a value.
    pub labels: Vec<LabelPeriods>,
    /// Where the chain of a user's balances breaks, by user and time.
    pub breaks: Vec<ChainBreak>,
}

impl SnapshotColumn {
    /// What a reader must know: values that could not be read are unknown, not zero.
    pub fn warning(&self) -> Option<String> {
        let (unreadable, column, side) = (self.unreadable, &self.column, self.side.name());
        let (values, are) = if unreadable == 1 { ("value", "is") } else { ("values", "are") };
        (unreadable > 0).then(|| {
            format!(
                "{unreadable} {values} of {column} in the {side} table {are} no number of tokens: unknown, so no chain of balances goes through them"
            )
        })
    }
}

/// What the column means beside the rows of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelPeriods {
    /// The label as the source has it.
    pub label: String,
    /// Periods in the order of time.
    pub periods: Vec<Period>,
}

/// Rows of one label that follow each other and share a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// What the column means.
    pub meaning: Meaning,
    /// Time of the first row.
    pub from: Instant,
    /// Time of the last row.
    pub to: Instant,
    /// Rows with a value.
    pub rows: u64,
    /// Rows that show the meaning.
    pub fits: u64,
    /// Rows that contradict it.
    pub misfits: u64,
    /// Where the meaning is unknown: those that fit equally well.
    pub alike: Vec<Meaning>,
}

/// A row whose balance is not what the rows before it give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBreak {
    /// Which table.
    pub side: Side,
    /// The row.
    pub row: RowId,
    /// Its user.
    pub user: UserNo,
    /// Its label, as the source has it.
    pub label: String,
    /// When.
    pub at: Instant,
    /// What the column means there: after or before.
    pub meaning: Meaning,
    /// What the chain gives, in tokens.
    pub expected: i128,
    /// What stands there, in tokens.
    pub found: i128,
}

/// So often the meanings are tested: first against the column itself, then also against the
/// balances that the first answer gives.
const ROUNDS: usize = 2;

/// Tests the balance columns that are configured.
pub fn snapshot_columns(books: &Books, config: &Config) -> Vec<SnapshotColumn> {
    let columns = [
        (Side::Legacy, &config.legacy.columns.balance_after),
        (Side::Unified, &config.unified.columns.balance_after),
    ];
    let opening = i128::from(config.balances.opening_tokens);
    columns
        .into_iter()
        .filter_map(|(side, field)| {
            field.as_ref().map(|field| column(books, side, field.written.clone(), opening))
        })
        .collect()
}

fn column(books: &Books, side: Side, column: String, opening: i128) -> SnapshotColumn {
    let ledger = books.side(side);
    let rows = row::rows(books, side);
    let values = rows.iter().filter(|row| row.value.is_some()).count() as u64;
    let mut walked = walk::Walked::unknown(rows.len());
    let mut eras = Vec::new();
    for _ in 0..ROUNDS {
        let fits = fit::test(&rows, &walked.before, opening);
        eras = era::by_label(&rows, &fits);
        walked = walk::walk(&rows, &eras);
    }
    let mut labels: BTreeMap<u16, Vec<Period>> = BTreeMap::new();
    for era in &eras {
        labels.entry(era.label).or_default().push(era.period.clone());
    }
    let name = |label: u16| ledger.labels[usize::from(label)].to_string();
    let breaks = walked.breaks.iter().map(|found| {
        let row = &rows[found.row];
        ChainBreak {
            side,
            row: row.id.clone(),
            user: row.user,
            label: name(row.label),
            at: row.at,
            meaning: found.meaning,
            expected: found.expected,
            found: found.found,
        }
    });
    SnapshotColumn {
        side,
        column,
        rows: rows.len() as u64,
        values,
        unreadable: ledger.unreadable_balances,
        labels: labels
            .into_iter()
            .map(|(label, periods)| LabelPeriods { label: name(label), periods })
            .collect(),
        breaks: breaks.collect(),
    }
}
