//! How the tables write ids and users.
//!
//! A UUID is the same in either case, and the books hold it in lower case. A column of type uuid does so too;
//! one of text may hold it in capitals, and then SQL has to find the row all the same, and to write the user
//! of a new row as the table writes it.

use std::collections::HashSet;

use crate::config::quote_identifier;
use crate::domain::{Books, RowId, UserNo};

use super::columns::{Layout, Slot};
use super::plan::{Change, Plan};
use super::quote::{do_block, fill, literal};

const IDS: &str = include_str!("sql/spelled_ids.sql");
const USERS: &str = include_str!("sql/spelled_users.sql");

/// In how many ways a column may write what a plan names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Case {
    /// One: the column has another type than text, or nothing is a UUID.
    #[default]
    One,
    /// All are UUIDs: compared in lower case.
    Lower,
    /// Only UUIDs are compared in lower case.
    Mixed,
}

impl Case {
    fn of<'a>(slot: &Slot, named: impl Iterator<Item = &'a RowId>) -> Case {
        if slot.is_plain() && slot.type_name().is_some() && !slot.holds_text() {
            return Case::One;
        }
        let (mut has_uuids, mut has_texts) = (false, false);
        for id in named {
            match id {
                RowId::Uuid(_) => has_uuids = true,
                RowId::Text(_) => has_texts = true,
            }
        }
        match (has_uuids, has_texts) {
            (false, _) => Case::One,
            (true, false) => Case::Lower,
            (true, true) => Case::Mixed,
        }
    }

    /// An id or user in the form in which it is compared.
    pub fn key(self, value: &str) -> String {
        let text = if value.ends_with("::text") { value.to_owned() } else { format!("{value}::text") };
        match self {
            Case::One => value.to_owned(),
            Case::Lower => format!("lower({text})"),
            Case::Mixed => id_form(&text),
        }
    }
}

/// How the columns of a plan may write what it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Ids of unified rows.
    pub ids: Case,
    /// Users in the unified table.
    pub users: Case,
    /// Ids of legacy rows.
    pub legacy_ids: Case,
    /// Users in the legacy table.
    pub legacy_users: Case,
    /// Where a unified row names its legacy row.
    pub links: Case,
}

impl Spelling {
    pub fn of(changes: &[Change<'_>], legacy: &Layout, unified: &Layout) -> Spelling {
        let there = || changes.iter().filter(|change| change.old.is_some());
        let rows = there().filter_map(|change| change.row.as_ref());
        let kept = there().filter_map(|change| change.kept.map(|kept| kept.id));
        let values = changes.iter().flat_map(|change| [change.old, change.new]).flatten();
        let behind = || changes.iter().filter_map(|change| change.legacy);
        Spelling {
            ids: Case::of(&unified.id, rows.chain(kept)),
            users: Case::of(&unified.user, values.map(|values| values.user)),
            legacy_ids: Case::of(&legacy.id, behind().map(|row| row.id)),
            legacy_users: Case::of(&legacy.user, behind().map(|row| row.user)),
            links: match &unified.link {
                Some(link) => Case::of(link, behind().map(|row| row.id)),
                None => Case::One,
            },
        }
    }
}

/// The shape of a UUID with hyphens, in either case.
const UUID: &str = "'^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'";

/// A text as an id is read: a UUID is the same in either case.
pub(super) fn id_form(text: &str) -> String {
    format!("case when {text} ~ {UUID} then lower({text}) else {text} end")
}

/// Lets these columns of a staging table name the rows as the unified table writes their ids; empty where
/// there is one way to write them.
pub(super) fn of_ids(plan: &Plan<'_>, staged: &str, columns: &[&str]) -> String {
    if plan.spelling.ids == Case::One {
        return String::new();
    }
    let id = plan.unified.id.value("u");
    let body: Vec<String> = columns
        .iter()
        .map(|column| {
            fill(
                IDS,
                &[
                    ("unified", plan.unified.table.sql().as_str()),
                    ("staged", staged),
                    ("column", column),
                    ("id", &id),
                    ("id_key", &plan.spelling.ids.key(&id)),
                ],
            )
        })
        .collect();
    let body = format!("begin\n{}end", body.join(""));
    format!(
        "\n-- A UUID is the same in either case: the rows are named as the table writes them.\n{}\n",
        do_block(&body)
    )
}

/// The types and spelling of the unified table are unknown, and perhaps nothing tells them when the file runs.
pub(super) fn may_stop(plan: &Plan<'_>) -> bool {
    plan.spelling.users != Case::One && plan.unified.facts.is_none() && !plan.legacy.from_table
}

/// Lets the rows to insert name their users as the tables write them; empty where there is one way.
pub(super) fn of_users(plan: &Plan<'_>) -> String {
    if plan.spelling.users == Case::One {
        return String::new();
    }
    let (legacy, unified) = (&plan.legacy, &plan.unified);
    fill(
        USERS,
        &[
            ("unified", unified.table.sql().as_str()),
            ("unified_literal", &literal(&unified.table.sql())),
            ("legacy", &legacy.table.sql()),
            ("legacy_literal", &literal(&legacy.table.sql())),
            ("user", &quote_identifier(&unified.user.column)),
            ("user_text", &unified.user.text("u")),
            ("user_key", &plan.spelling.users.key(&unified.user.value("u"))),
            ("planned_key", &plan.spelling.users.key(&format!("p.{}", unified.user.name()))),
            ("legacy_id_key", &plan.spelling.legacy_ids.key(&legacy.id.text("l"))),
            ("legacy_user_text", &legacy.user.text("l")),
            ("uuid", UUID),
        ],
    )
}

/// Users of whom the unified table has a row, where nothing else tells how it writes them.
pub(super) struct Written(Option<HashSet<UserNo>>);

impl Written {
    pub fn of(books: &Books, legacy: &Layout, unified: &Layout) -> Written {
        if legacy.from_table || !unified.user.holds_text() {
            return Written(None);
        }
        let ledger = &books.unified;
        let mut users: HashSet<UserNo> = ledger.entries.iter().map(|row| row.user).collect();
        users.extend(ledger.bystanders.iter().map(|row| row.user));
        let used = (0u32..).zip(&books.usage).filter(|(_, usage)| usage.first_at.is_some());
        users.extend(used.map(|(user, _)| UserNo(user)));
        Written(Some(users))
    }

    /// It can be told how the table writes the user.
    ///
    /// # Errors
    /// That it cannot, for people.
    pub fn tells(&self, user: UserNo, id: &RowId) -> Result<(), String> {
        match (&self.0, id) {
            (Some(users), RowId::Uuid(_)) if !users.contains(&user) => Err(format!(
                "it cannot be told in which case of letters the user {id} is written here: no row has it, and \
                 the legacy rows came from files"
            )),
            _ => Ok(()),
        }
    }
}
