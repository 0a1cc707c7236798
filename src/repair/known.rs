//! What the books know of the unified rows beside which a backfill inserts: so many rows of a user
//! and action, with these ids. A row that appeared since shows, whatever else has gone.

use std::collections::HashSet;

use crate::domain::{Books, RowId, Side, UserNo};
use crate::sha256::sha256;

use super::columns::Slot;
use super::plan::{Change, Operation};
use super::spelling::id_form;

/// Up to so many rows of a group are listed. Of a larger one only their number and sum are written, and any
/// difference stops the file, a row that has gone too.
const LISTED: u64 = 4_096;

/// Rows of one user and action that no file of the plan touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KnownGroup {
    pub rows: u64,
    /// How many of them have no id.
    pub blank: u64,
    /// Sum of the first 56 bits of SHA-256 over the ids: equal counts of other rows differ in it.
    pub fingerprint: i128,
    /// These bits of each id; empty where there are more than [`LISTED`].
    prints: Vec<u64>,
}

impl KnownGroup {
    fn add(&mut self, id: Option<&RowId>) {
        self.rows += 1;
        if self.rows > LISTED {
            self.prints = Vec::new();
        }
        let Some(id) = id else {
            self.blank += 1;
            return;
        };
        let print = id.with_text(|text| sha256(text).first_bits() >> 8);
        self.fingerprint += i128::from(print);
        if self.rows <= LISTED {
            self.prints.push(print);
        }
    }

    /// The prints as the literal of an array of hexadecimal texts, where they are listed.
    pub fn listed(&self) -> Option<String> {
        if self.rows > LISTED {
            return None;
        }
        let prints: Vec<String> = self.prints.iter().map(|print| format!("{print:014x}")).collect();
        Some(format!("{{{}}}", prints.join(",")))
    }
}

/// Groups by user and label, and the rows that other files of the plan touch.
#[derive(Debug, Clone, Default)]
pub(super) struct Known<'a> {
    /// Ascending by user and label.
    groups: Vec<(UserNo, &'a str, KnownGroup)>,
    /// Rows that `repair.sql` or `dedupe.sql` touch, ascending by user: counted neither then nor now, so
    /// that the files can run in any order.
    touched: Vec<(UserNo, &'a RowId)>,
    pub ids: IdText,
}

/// How the text of an id in the database becomes that in the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum IdText {
    /// It is the same text.
    #[default]
    Same,
    /// In lower case: UUIDs in a column of another type.
    Lower,
    /// In lower case where it is a UUID.
    Mixed,
    /// A whole number without its decimals.
    Number,
}

impl IdText {
    fn of(id: &Slot, books: &Books) -> IdText {
        match id.type_name() {
            Some("uuid" | "integer" | "bigint" | "smallint") => return IdText::Same,
            Some(name) if name.starts_with("numeric") => return IdText::Number,
            _ => {}
        }
        let (entries, settled) = (&books.unified.entries, books.settled.side(Side::Unified));
        let is_uuid = |entry: &crate::domain::Entry| matches!(entry.id, RowId::Uuid(_));
        let has_uuids = settled.has_uuids || entries.iter().any(is_uuid);
        let has_texts = settled.has_texts || entries.iter().any(|entry| !is_uuid(entry));
        match (has_uuids, has_texts) {
            (true, true) => IdText::Mixed,
            (true, false) => IdText::Lower,
            (false, _) => IdText::Same,
        }
    }

    /// The id of a row as the books have it, as SQL; null for a row without one.
    pub fn sql(self, id: &Slot, alias: &str) -> String {
        let form = self.form(id, alias);
        if id.is_plain() && id.type_name().is_some() && !id.holds_text() {
            return form;
        }
        format!("nullif({form}, '')")
    }

    fn form(self, id: &Slot, alias: &str) -> String {
        let text = id.text(alias);
        match self {
            IdText::Same => text,
            IdText::Lower => format!("lower({text})"),
            IdText::Mixed => id_form(&text),
            IdText::Number => {
                let value = id.value(alias);
                format!("case when {value} = trunc({value}) then trunc({value})::text else {text} end")
            }
        }
    }
}

impl<'a> Known<'a> {
    /// `changes` stand in the order of a plan.
    pub fn new(books: &'a Books, id: &Slot, changes: &[Change<'a>]) -> Known<'a> {
        let inserted = changes.iter().filter(|change| change.operation == Operation::Insert);
        let wanted = inserted.filter_map(|change| change.new.map(|new| (new.user_no, new.action)));
        let mut keys: Vec<(UserNo, &str)> = wanted.collect();
        keys.sort_unstable();
        keys.dedup();
        let mut is_known = vec![false; books.roster.len()];
        keys.iter().for_each(|(user, _)| is_known[user.0 as usize] = true);
        let mut touched_ids: HashSet<&RowId> = HashSet::new();
        // The row of a change with old values is one of the books.
        let unified = &books.unified.entries;
        let mut touched = Vec::new();
        for change in changes {
            if let (Some(old), Some(row)) = (&change.old, &change.row)
                && is_known[old.user_no.0 as usize]
                && let Ok(at) = unified.binary_search_by(|entry| entry.id.cmp(row))
            {
                touched.push((old.user_no, &unified[at].id));
                touched_ids.insert(&unified[at].id);
            }
        }
        touched.sort_by_key(|(user, _)| *user);
        let groups = keys.into_iter().map(|(user, action)| (user, action, KnownGroup::default()));
        let mut known = Known { groups: groups.collect(), touched, ids: IdText::of(id, books) };
        let mut count = |user: UserNo, label: &str, row: Option<&RowId>| {
            if is_known[user.0 as usize]
                && let Some(at) = known.group(user, label)
                && row.is_none_or(|row| !touched_ids.contains(row))
            {
                known.groups[at].2.add(row);
            }
        };
        let labels = &books.unified.labels;
        for entry in unified {
            count(entry.user, &labels[usize::from(entry.label)], Some(&entry.id));
        }
        for row in &books.unified.bystanders {
            count(row.user, &labels[usize::from(row.label)], Some(&row.id));
        }
        for row in &books.unified.rejected {
            if let (Some(user), Some(label)) = (&row.user, &row.label)
                && let Some(user) = books.roster.find(user)
            {
                count(user, label, row.id.as_ref());
            }
        }
        known
    }

    /// All groups, ascending.
    pub fn groups(&self) -> &[(UserNo, &'a str, KnownGroup)] {
        &self.groups
    }

    /// The number of a group.
    pub fn group(&self, user: UserNo, label: &str) -> Option<usize> {
        self.groups.binary_search_by(|(at, of, _)| (*at, *of).cmp(&(user, label))).ok()
    }

    /// All touched rows, ascending by user.
    pub fn touched(&self) -> &[(UserNo, &'a RowId)] {
        &self.touched
    }

    /// The numbers of a user's touched rows.
    pub fn touched_of(&self, user: UserNo) -> std::ops::Range<usize> {
        let start = self.touched.partition_point(|(of, _)| *of < user);
        let end = start + self.touched[start..].iter().take_while(|(of, _)| *of == user).count();
        start..end
    }
}
