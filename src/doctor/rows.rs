//! Can the rows be read? The first ones go the way that those of a run go.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::{Instant, Side, Total};
use crate::normalise::{self, Folder, Rules, Sides};
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

/// What was looked at: folders, and the number of their rows.
pub(super) type Looked = (Folder, u64);

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
    pub fn parted(self) -> (Counter, Looked) {
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

/// Says how many of the rows can be read, and what is wrong with one that cannot.
pub(super) fn judge(
    config: &Config,
    ledger: Ledger,
    subject: &str,
    rows: u64,
    looked: Vec<Looked>,
    found: &mut Examination,
) {
    if rows == 0 {
        let detail = "there is no row: make sure that the right file is named";
        return found.add("rows", subject, State::Warn, detail);
    }
    let looked_at: u64 = looked.iter().map(|(_, rows)| *rows).sum();
    let folders = looked.into_iter().map(|(folder, _)| folder).collect();
    let none = Total::default();
    let (side, sides) = match ledger {
        Ledger::Legacy => {
            let unified = Vec::new();
            (Side::Legacy, Sides { legacy: folders, legacy_control: none, unified, unified_control: none })
        }
        Ledger::Unified => {
            let legacy = Vec::new();
            (Side::Unified, Sides { legacy, legacy_control: none, unified: folders, unified_control: none })
        }
    };
    let books = match normalise::books(config, sides, &[], Instant(i64::MAX), None) {
        Ok(brought) => brought.books,
        Err(error) => return found.add("rows", subject, State::Fail, error.to_string()),
    };
    let rejected = &books.side(side).rejected;
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
    let (state, which) = match (count == looked_at, looked_at) {
        (true, 1) => (State::Fail, "the only row cannot".to_owned()),
        (true, _) => (State::Fail, format!("none of {of} rows can")),
        (false, _) => (State::Warn, format!("{count} of {of} rows cannot")),
    };
    let detail = format!(
        "{which} be read, as {}: {}; each that cannot would be a finding (rejected_row): \
         correct the file, or the names of columns in the configuration",
        first.place, first.reason
    );
    found.add("rows", subject, state, detail);
}
