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

/// Which ids of a plan are UUIDs that a column may write in either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Ids of unified rows.
    pub ids: bool,
    /// Users in the unified table.
    pub users: bool,
    /// Ids of legacy rows.
    pub legacy_ids: bool,
    /// Users in the legacy table.
    pub legacy_users: bool,
    /// Where a unified row names its legacy row.
    pub links: bool,
}

impl Spelling {
    pub fn of(changes: &[Change<'_>], legacy: &Layout, unified: &Layout) -> Spelling {
        let is_uuid = |id: &RowId| matches!(id, RowId::Uuid(_));
        let varies = |slot: &Slot| !slot.is_plain() || slot.type_name().is_none() || slot.holds_text();
        let rows = |change: &Change<'_>| {
            let kept = change.kept.is_some_and(|kept| is_uuid(kept.id));
            change.old.is_some() && (kept || change.row.as_ref().is_some_and(is_uuid))
        };
        let users = |change: &Change<'_>| {
            [change.old, change.new].into_iter().flatten().any(|values| is_uuid(values.user))
        };
        let behind = |change: &Change<'_>| change.legacy.is_some_and(|legacy| is_uuid(legacy.id));
        let legacy_users = |change: &Change<'_>| change.legacy.is_some_and(|legacy| is_uuid(legacy.user));
        Spelling {
            ids: varies(&unified.id) && changes.iter().any(rows),
            users: varies(&unified.user) && changes.iter().any(users),
            legacy_ids: varies(&legacy.id) && changes.iter().any(behind),
            legacy_users: varies(&legacy.user) && changes.iter().any(legacy_users),
            links: unified.link.as_ref().is_some_and(varies) && changes.iter().any(behind),
        }
    }
}

/// The shape of a UUID with hyphens, in either case.
const UUID: &str = "'^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'";

/// A text as an id is read: a UUID is the same in either case.
pub(super) fn id_form(text: &str) -> String {
    format!("case when {text} ~ {UUID} then lower({text}) else {text} end")
}

/// An id or user in the form in which it is compared.
pub(super) fn key(value: &str, varies: bool) -> String {
    if varies { id_form(&format!("{value}::text")) } else { value.to_owned() }
}

/// Lets these columns of a staging table name the rows as the unified table writes their ids; empty where
/// there is one way to write them.
pub(super) fn of_ids(plan: &Plan<'_>, staged: &str, columns: &[&str]) -> String {
    if !plan.spelling.ids {
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
                    ("id_key", &key(&id, true)),
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

/// Lets the rows to insert name their users as the tables write them; empty where there is one way.
pub(super) fn of_users(plan: &Plan<'_>) -> String {
    if !plan.spelling.users {
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
            ("user_key", &id_form(&unified.user.text("u"))),
            ("planned_key", &id_form(&format!("p.{}::text", unified.user.name()))),
            ("legacy_id_key", &id_form(&legacy.id.text("l"))),
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
