//! What the books know of the unified rows beside which a backfill inserts: so many grants and deductions of a
//! user, with these ids and labels, and who carries the references of what is inserted. A row that appeared
//! since shows, whatever else has gone; so does one that did not count and does now.

use std::collections::{BTreeSet, HashSet};

use rustc_hash::FxHashSet;

use crate::config::Config;
use crate::domain::{Books, Entry, Instant, PopulationClass, RowId, Side, UserNo};
use crate::sha256::sha256;

use super::columns::{Layout, Slot};
use super::near;
use super::plan::{Change, Operation};
use super::spelling::id_form;

/// Up to so many rows of a user are listed. Of more of them only their number and sum are written, and any
/// difference stops the file, a row that has gone too.
const LISTED: u64 = 4_096;

/// Grants and deductions of one user that count and that no file of the plan touches, whatever their label: a
/// row of another one may be the missing row too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KnownGroup {
    pub rows: u64,
    /// How many of them have no id.
    pub blank: u64,
    /// Sum of the first 56 bits of SHA-256 over ids and contents: equal counts of other rows differ in it.
    pub fingerprint: i128,
    /// These bits of each row; empty where there are more than [`LISTED`].
    prints: Vec<u64>,
}

impl KnownGroup {
    fn add(&mut self, id: Option<&RowId>, content: &str) {
        self.rows += 1;
        if self.rows > LISTED {
            self.prints = Vec::new();
        }
        let Some(id) = id else {
            self.blank += 1;
            return;
        };
        let print = id.with_text(|text| sha256(format!("{text}\n{content}")).first_bits() >> 8);
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

/// Groups by user, the rows that other files of the plan touch, and those that carry a reference.
#[derive(Debug, Clone, Default)]
pub(super) struct Known<'a> {
    /// Ascending by user.
    groups: Vec<(UserNo, KnownGroup)>,
    /// Rows that `repair.sql` or `dedupe.sql` touch, ascending by user: counted neither then nor now, so
    /// that the files can run in any order.
    touched: Vec<(UserNo, &'a RowId)>,
    /// Rows that count and carry a reference of a row to insert, of whatever user, ascending by reference.
    carriers: Vec<(u32, &'a RowId)>,
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
    pub fn new(config: &Config, books: &'a Books, layout: &Layout, changes: &[Change<'a>]) -> Known<'a> {
        let inserted = || changes.iter().filter(|change| change.operation == Operation::Insert);
        let users: BTreeSet<UserNo> =
            inserted().filter_map(|change| change.new).map(|new| new.user_no).collect();
        let mut is_known = vec![false; books.roster.len()];
        users.iter().for_each(|user| is_known[user.0 as usize] = true);
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
        touched.extend(unmapped_later(books, inserted()));
        touched.sort_by_key(|(user, _)| *user);
        let wanted: FxHashSet<u32> = inserted()
            .filter_map(|change| change.legacy)
            .flat_map(|row| row.evidence.references)
            .copied()
            .collect();
        let groups = users.into_iter().map(|user| (user, KnownGroup::default())).collect();
        let carriers = carriers(books, &wanted);
        let ids = IdText::of(&layout.id, books);
        let mut known = Known { groups, touched, carriers, ids };
        known.count(config, books, near::has_instants(layout), &touched_ids);
        known
    }

    /// Counts the rows of these users that are worth something, but those that other files touch.
    fn count(&mut self, config: &Config, books: &Books, with_instants: bool, touched: &HashSet<&RowId>) {
        let mut is_known = vec![false; books.roster.len()];
        self.groups.iter().for_each(|(user, _)| is_known[user.0 as usize] = true);
        let is_listed = |label: &str| moving(config).any(|listed| listed == label);
        let mut add =
            |user: UserNo, id: Option<&RowId>, label: &str, tokens: Option<i64>, at: Option<Instant>| {
                let Some(group) = self.group(user).filter(|_| !id.is_some_and(|id| touched.contains(id)))
                else {
                    return;
                };
                let tokens = tokens.map(|tokens| tokens.to_string()).unwrap_or_default();
                let mut content = format!("{label}\n{tokens}");
                if with_instants {
                    content.push('\n');
                    content.extend(at.map(|at| at.0.to_string()));
                }
                self.groups[group].1.add(id, &content);
            };
        let labels = &books.unified.labels;
        let listed: Vec<bool> = labels.iter().map(|label| is_listed(label)).collect();
        let of_users = books.unified.entries.iter().filter(|entry| is_known[entry.user.0 as usize]);
        for entry in of_users.filter(|entry| counts(entry)) {
            let label = usize::from(entry.label);
            if listed[label] {
                add(entry.user, Some(&entry.id), &labels[label], Some(entry.raw_tokens()), Some(entry.at));
            }
        }
        // Of these too only what the server would count.
        for row in books.unified.rejected.iter().filter(|row| row.succeeded && row.tokens != Some(0)) {
            if let (Some(user), Some(label)) = (&row.user, &row.label)
                && is_listed(label)
                && let Some(user) = books.roster.find(user)
            {
                add(user, row.id.as_ref(), label, row.tokens, row.at);
            }
        }
    }

    /// All groups, ascending.
    pub fn groups(&self) -> &[(UserNo, KnownGroup)] {
        &self.groups
    }

    /// The number of a user's group.
    pub fn group(&self, user: UserNo) -> Option<usize> {
        self.groups.binary_search_by_key(&user, |(of, _)| *of).ok()
    }

    /// All rows that carry a reference, ascending by it.
    pub fn carriers(&self) -> &[(u32, &'a RowId)] {
        &self.carriers
    }

    /// The numbers of the rows that carry a reference.
    pub fn carriers_of(&self, reference: u32) -> std::ops::Range<usize> {
        let start = self.carriers.partition_point(|(of, _)| *of < reference);
        let end = start + self.carriers[start..].iter().take_while(|(of, _)| *of == reference).count();
        start..end
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

/// Labels of rows that move a balance.
pub(super) fn moving(config: &Config) -> impl Iterator<Item = &str> {
    config.unified.grants.iter().chain(&config.unified.deductions).map(String::as_str)
}

/// The row is worth something: one that is not may become the second copy once it is.
fn counts(entry: &Entry) -> bool {
    entry.succeeded && entry.tokens != 0
}

/// Rows later than as-of whose label has no meaning, and which have the user and amount of a row to insert:
/// the run knew them, and that they are not what is missing. Of earlier ones nobody knows it, and nothing is
/// inserted beside them.
fn unmapped_later<'a, 'c>(
    books: &'a Books,
    inserted: impl Iterator<Item = &'c Change<'a>>,
) -> Vec<(UserNo, &'a RowId)>
where
    'a: 'c,
{
    let missing: FxHashSet<(u32, i64)> =
        inserted.filter_map(|change| change.new).map(|new| (new.user_no.0, new.raw_tokens.abs())).collect();
    let later = books.unified.bystanders.iter().filter(|row| row.class == PopulationClass::AfterAsOf);
    later
        .filter(|row| missing.contains(&(row.user.0, row.raw_tokens.abs())))
        .map(|row| (row.user, &row.id))
        .collect()
}

fn carriers<'a>(books: &'a Books, wanted: &FxHashSet<u32>) -> Vec<(u32, &'a RowId)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let counting = books.unified.entries.iter().filter(|entry| counts(entry));
    let carried = counting.flat_map(|entry| entry.references.iter().map(move |of| (*of, &entry.id)));
    let mut carriers: Vec<(u32, &RowId)> = carried.filter(|(of, _)| wanted.contains(of)).collect();
    carriers.sort_unstable();
    carriers
}
