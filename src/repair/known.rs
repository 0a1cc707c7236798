//! What the books know of the unified rows beside which a backfill inserts: so many rows of a user
//! and action, with these ids. A row that appeared since shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{Books, RowId};
use crate::sha256::sha256;

use super::columns::Slot;
use super::plan::{Change, Operation};

/// Rows of one user and action that no file of the plan touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KnownGroup {
    pub rows: u64,
    /// Sum of the first 56 bits of SHA-256 over the ids: equal counts of other rows differ in it.
    pub fingerprint: i128,
}

/// Groups by user and label, and the rows that other files of the plan touch.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub groups: BTreeMap<(RowId, String), KnownGroup>,
    /// Rows that `repair.sql` or `dedupe.sql` touch, by user: counted neither then nor now, so that
    /// the files can run in any order.
    pub touched: HashMap<RowId, Vec<RowId>>,
    pub ids: IdText,
}

/// How the text of an id in the database compares with that in the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum IdText {
    /// The same text.
    Same,
    /// The same in lower case: UUIDs in a column of another type.
    Lower,
    /// Not to be compared: only rows are counted.
    #[default]
    Unsure,
}

impl IdText {
    fn of(id: &Slot, ids: impl Iterator<Item = impl AsRef<RowId>>) -> IdText {
        let (mut uuids, mut others) = (false, false);
        for id in ids {
            match id.as_ref() {
                RowId::Uuid(_) => uuids = true,
                RowId::Text(_) => others = true,
            }
        }
        let exact = match id.type_name() {
            Some("uuid" | "integer" | "bigint" | "smallint") => return IdText::Same,
            Some(_) => id.holds_text(),
            None => true,
        };
        match (exact, uuids, others) {
            (true, false, _) => IdText::Same,
            (true, true, false) => IdText::Lower,
            _ => IdText::Unsure,
        }
    }
}

struct Borrowed<'a>(&'a RowId);

impl AsRef<RowId> for Borrowed<'_> {
    fn as_ref(&self) -> &RowId {
        self.0
    }
}

impl Known {
    pub fn new(books: &Books, id: &Slot, changes: &[Change]) -> Known {
        let mut groups: BTreeMap<(RowId, String), KnownGroup> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.operation == Operation::Insert) {
            if let Some(new) = &change.new {
                groups.entry((new.user.clone(), new.action.clone())).or_default();
            }
        }
        let users: HashSet<RowId> = groups.keys().map(|(user, _)| user.clone()).collect();
        let mut touched: HashMap<RowId, Vec<RowId>> = HashMap::new();
        let mut touched_ids: HashSet<RowId> = HashSet::new();
        for change in changes {
            if let (Some(old), Some(row)) = (&change.old, &change.row)
                && users.contains(&old.user)
            {
                touched.entry(old.user.clone()).or_default().push(row.clone());
                touched_ids.insert(row.clone());
            }
        }
        let ids = IdText::of(id, books.unified.entries.iter().map(|entry| Borrowed(&entry.id)));
        let mut count = |user: &RowId, label: &str, row: &RowId| {
            if users.contains(user)
                && !touched_ids.contains(row)
                && let Some(group) = groups.get_mut(&(user.clone(), label.to_owned()))
            {
                group.rows += 1;
                group.fingerprint += fingerprint(row);
            }
        };
        let labels = &books.unified.labels;
        for entry in &books.unified.entries {
            count(books.roster.id(entry.user), &labels[usize::from(entry.label)], &entry.id);
        }
        for row in &books.unified.bystanders {
            count(books.roster.id(row.user), &labels[usize::from(row.label)], &row.id);
        }
        for row in &books.unified.rejected {
            if let (Some(id), Some(user), Some(label)) = (&row.id, &row.user, &row.label) {
                count(user, label, id);
            }
        }
        Known { groups, touched, ids }
    }
}

fn fingerprint(id: &RowId) -> i128 {
    id.with_text(|text| i128::from(sha256(text).first_bits() >> 8))
}
