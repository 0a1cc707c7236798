//! Can the rows be read? The first ones go the way that those of a run go.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::{Books, Instant, Side, Total};
use crate::normalise::{self, Folder, NormaliseError, Rules, Sides};
use crate::source::{DetailColumns, KeyColumns, Selection, Sink};

use super::labels::Counter;
use super::{Examination, Ledger, State};

/// Rows that are looked at, or a few more: a chunk is looked at whole.
const LOOKED_AT: u64 = 100_000;

/// Counts labels of all rows, and takes the first ones as a run does.
#[derive(Debug)]
pub(super) struct Look {
    labels: Counter,
    folder: Folder,
    looked_at: u64,
    /// The chunk whose details may follow is looked at.
    looks: bool,
}

/// What was looked at.
pub(super) struct Looked {
    rows: u64,
    books: Result<Books, NormaliseError>,
}

impl Look {
    /// Nothing looked at yet.
    pub fn new(config: &Config, ledger: Ledger) -> Look {
        // Late rows can be read too.
        let as_of = Instant(i64::MAX);
        let rules = match ledger {
            Ledger::Legacy => Rules::legacy(config, as_of),
            Ledger::Unified => Rules::unified(config, as_of, None),
        };
        Look { labels: Counter::default(), folder: Folder::new(Arc::new(rules)), looked_at: 0, looks: false }
    }

    /// The labels, and the rows.
    pub fn parted(self) -> (Counter, (Folder, u64)) {
        (self.labels, (self.folder, self.looked_at))
    }
}

impl Sink for Look {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        // Nothing but counting: the answer is that no row is wanted.
        self.labels.keys(keys);
        self.looks = self.looked_at < LOOKED_AT;
        if !self.looks {
            return Selection::Rows(Vec::new());
        }
        self.looked_at = self.looked_at.saturating_add(keys.rows as u64);
        self.folder.keys(keys)
    }

    fn details(&mut self, keys: &KeyColumns, selection: &Selection, details: &DetailColumns) {
        if self.looks {
            self.folder.details(keys, selection, details);
        }
    }
}

impl Looked {
    /// Brings what was taken, folders with the number of their rows, into books of one side.
    pub fn of(config: &Config, ledger: Ledger, looks: Vec<(Folder, u64)>) -> Looked {
        let rows = looks.iter().map(|(_, rows)| *rows).sum();
        let folders: Vec<Folder> = looks.into_iter().map(|(folder, _)| folder).collect();
        let none = Total::default();
        let (legacy, unified) = match ledger {
            Ledger::Legacy => (folders, Vec::new()),
            Ledger::Unified => (Vec::new(), folders),
        };
        let sides = Sides { legacy, legacy_control: none, unified, unified_control: none };
        let brought = normalise::books(config, sides, &[], Instant(i64::MAX), None);
        Looked { rows, books: brought.map(|brought| brought.books) }
    }

    /// Rows by label, without those that cannot be read: whatever their label means, they are findings of
    /// another kind.
    pub fn without_rejected(&self, ledger: Ledger, mut labels: Vec<(String, u64)>) -> Vec<(String, u64)> {
        if let Ok(books) = &self.books {
            for row in &books.side(side(ledger)).rejected {
                let label = row.label.as_deref().unwrap_or_default();
                if let Ok(at) = labels.binary_search_by(|(known, _)| known.as_str().cmp(label)) {
                    labels[at].1 = labels[at].1.saturating_sub(1);
                }
            }
        }
        labels.retain(|(_, rows)| *rows > 0);
        labels
    }
}

fn side(ledger: Ledger) -> Side {
    match ledger {
        Ledger::Legacy => Side::Legacy,
        Ledger::Unified => Side::Unified,
    }
}

/// Says how many of the rows can be read, and what is wrong with one that cannot. The job runs whatever they
/// are: each is a finding.
pub(super) fn judge(
    config: &Config,
    ledger: Ledger,
    subject: &str,
    rows: u64,
    looked: Looked,
    found: &mut Examination,
) {
    if rows == 0 {
        let detail = "there is no row: make sure that the right file is named";
        return found.add("rows", subject, State::Warn, detail);
    }
    let looked_at = looked.rows;
    let books = match looked.books {
        Ok(books) => books,
        Err(error) => return found.add("rows", subject, State::Fail, error.to_string()),
    };
    if let Some(doubt) = normalise::doubtful_amounts(config, &books, side(ledger)) {
        found.add("amounts", subject, State::Warn, doubt);
    }
    let rejected = &books.side(side(ledger)).rejected;
    let of = if looked_at < rows { format!("the first {looked_at}") } else { looked_at.to_string() };
    let Some(first) = rejected.first() else {
        return found.add(
            "rows",
            subject,
            State::Ok,
            format!("{of} {} looked at, every one can be read", if looked_at == 1 { "row" } else { "rows" }),
        );
    };
    let count = rejected.len() as u64;
    let which = match (count == looked_at, looked_at) {
        (true, 1) => "the only row cannot".to_owned(),
        (true, _) => format!("none of {of} rows can"),
        (false, _) => format!("{count} of {of} rows cannot"),
    };
    let detail = format!(
        "{which} be read, as {}: {}; each that cannot would be a finding (rejected_row): \
         correct the file, or the names of columns in the configuration",
        first.place, first.reason
    );
    found.add("rows", subject, State::Warn, detail);
}
