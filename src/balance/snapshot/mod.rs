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
mod ties;
mod walk;

use std::collections::BTreeMap;
use std::ops::Range;

use era::{Era, Tested};
use row::Row;
use walk::Walked;

use crate::config::{Config, Field};
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

/// Tests the balance columns that are configured, on books that hold all rows.
pub fn snapshot_columns(books: &Books, config: &Config) -> Vec<SnapshotColumn> {
    let mut test = SnapshotTest::configured(config);
    for column in &mut test.columns {
        let mut rows = row::rows(books, column.side, 0..books.roster.len() as u32);
        for pass in 0..SnapshotTest::PASSES {
            column.see(pass, &mut rows, books);
            column.end_pass(pass);
        }
    }
    test.finish(books)
}

/// A test of balance columns that sees the rows of some users at a time, and all of them several times.
#[derive(Debug)]
pub struct SnapshotTest {
    columns: Vec<ColumnTest>,
    pass: usize,
}

impl SnapshotTest {
    /// So often all rows have to be seen, in the same order.
    pub const PASSES: usize = ROUNDS + 1;

    /// Of the columns that are configured.
    pub fn configured(config: &Config) -> SnapshotTest {
        let columns = [
            (Side::Legacy, &config.legacy.columns.balance_after),
            (Side::Unified, &config.unified.columns.balance_after),
        ];
        let opening = i128::from(config.balances.opening_tokens);
        let test = |(side, field): (Side, &Option<Field>)| {
            field.as_ref().map(|field| ColumnTest::new(side, field.written.clone(), opening))
        };
        SnapshotTest { columns: columns.into_iter().filter_map(test).collect(), pass: 0 }
    }

    /// No column is configured, so nobody need show anything.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Sees the rows of a range of users. The books hold all of their entries, and no others.
    pub fn see(&mut self, books: &Books, users: Range<u32>) {
        for column in &mut self.columns {
            let mut rows = row::rows(books, column.side, users.clone());
            column.see(self.pass, &mut rows, books);
        }
    }

    /// All users have been seen once more.
    pub fn end_pass(&mut self) {
        self.columns.iter_mut().for_each(|column| column.end_pass(self.pass));
        self.pass += 1;
    }

    /// What the columns mean; all passes are done.
    pub fn finish(self, books: &Books) -> Vec<SnapshotColumn> {
        self.columns.into_iter().map(|column| column.finish(books)).collect()
    }
}

/// The test of one column.
#[derive(Debug)]
struct ColumnTest {
    side: Side,
    column: String,
    opening: i128,
    /// Rows seen in this pass.
    seen: usize,
    values: u64,
    tested: BTreeMap<u16, Vec<Tested>>,
    /// What the column means at each row, as the pass before has it; empty before the first.
    meanings: Vec<Meaning>,
    eras: Vec<Era>,
    breaks: Vec<ChainBreak>,
}

impl ColumnTest {
    fn new(side: Side, column: String, opening: i128) -> ColumnTest {
        ColumnTest {
            side,
            column,
            opening,
            seen: 0,
            values: 0,
            tested: BTreeMap::new(),
            meanings: Vec::new(),
            eras: Vec::new(),
            breaks: Vec::new(),
        }
    }

    /// Puts the rows of each instant in the order in which they are read by what is known so far, and sees them.
    fn see(&mut self, pass: usize, rows: &mut [Row<'_>], books: &Books) {
        let first = self.seen;
        self.seen += rows.len();
        if self.meanings.len() < self.seen {
            self.meanings.resize(self.seen, Meaning::Unknown);
        }
        let meanings = &self.meanings[first..self.seen];
        ties::order(rows, meanings);
        let walked = walk::walk(rows, meanings);
        if pass == ROUNDS {
            return self.note(rows, &walked, books);
        }
        let fits = fit::test(rows, &walked.before, self.opening);
        for (row, fits) in rows.iter().zip(fits).filter(|(row, _)| row.value.is_some()) {
            let row_number = u32::try_from(first + row.place).expect("fewer than 2^32 rows");
            self.tested.entry(row.label).or_default().push(Tested { at: row.at, row: row_number, fits });
        }
    }

    fn end_pass(&mut self, pass: usize) {
        if pass < ROUNDS {
            self.eras = era::by_label(std::mem::take(&mut self.tested), &mut self.meanings);
            self.seen = 0;
        }
    }

    fn note(&mut self, rows: &[Row<'_>], walked: &Walked, books: &Books) {
        self.values += rows.iter().filter(|row| row.value.is_some()).count() as u64;
        self.breaks.extend(walked.breaks.iter().map(|found| {
            let row = &rows[found.row];
            ChainBreak {
                side: self.side,
                row: row.id.clone(),
                user: row.user,
                label: books.side(self.side).labels[usize::from(row.label)].to_string(),
                at: row.at,
                meaning: found.meaning,
                expected: found.expected,
                found: found.found,
            }
        }));
    }

    fn finish(self, books: &Books) -> SnapshotColumn {
        let ledger = books.side(self.side);
        let mut labels: BTreeMap<u16, Vec<Period>> = BTreeMap::new();
        for Era { label, period } in self.eras {
            labels.entry(label).or_default().push(period);
        }
        let label = |(label, periods): (u16, Vec<Period>)| LabelPeriods {
            label: ledger.labels[usize::from(label)].to_string(),
            periods,
        };
        SnapshotColumn {
            side: self.side,
            column: self.column,
            rows: self.seen as u64,
            values: self.values,
            unreadable: ledger.unreadable_balances,
            labels: labels.into_iter().map(label).collect(),
            breaks: self.breaks,
        }
    }
}
