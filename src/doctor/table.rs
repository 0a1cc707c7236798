//! One table: may it be read, does the mapping fit, would the repairs fit.

use std::collections::BTreeSet;

use crate::config::{Columns, Config, TableName, contract};
use crate::source::SourceError;
use crate::source::postgres::catalogue::TableFacts;
use crate::source::postgres::writers::LabelVerdict;
use crate::source::postgres::{Database, Fit};

use super::{Examination, Ledger, State, labels};

pub(super) fn examine(
    config: &Config,
    ledger: Ledger,
    columns: &Columns,
    table: &TableName,
    database: &mut Database,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let subject = table.to_string();
    let Some(facts) = found.add_result("table", &subject, database.facts(table), size)? else {
        return Ok(());
    };
    let granted = database.check_privileges(table);
    if found.add_result("privileges", &subject, granted, |()| "may be read".to_owned())?.is_none() {
        return Ok(());
    }
    let seen = database.check_readable(table, &[]);
    let visible = sight(database, &subject, seen, found)?;
    let fits = mapping(database, columns, table, found)?;
    if !(visible && fits) {
        found.add(
            "labels",
            &subject,
            State::NotTested,
            "the table cannot be read whole, or a column is missing",
        );
        return Ok(());
    }
    let counted = database.labels(table, columns)?;
    labels::judge(config, ledger, &subject, &counted, found);
    if ledger == Ledger::Unified {
        constraint(config, columns, table, database, found)?;
        writing(config, columns, &facts, &subject, found);
    }
    keys(columns, &facts, &subject, found);
    Ok(())
}

/// Answers whether no policy hides a row, as far as can be told.
pub(super) fn sight(
    database: &Database,
    table: &str,
    seen: Result<(), SourceError>,
    found: &mut Examination,
) -> Result<bool, SourceError> {
    const CHECK: &str = "row-level security";
    let mut doubts =
        database.doubts().filter(|(subject, _)| *subject == table).map(|(_, doubt)| doubt).peekable();
    if seen.is_ok() && doubts.peek().is_some() {
        doubts.for_each(|doubt| found.add(CHECK, table, State::NotTested, doubt));
        return Ok(true);
    }
    let all = |_: &()| "no policy hides a row from this role".to_owned();
    Ok(found.add_result(CHECK, table, seen, all)?.is_some())
}

fn size(facts: &TableFacts) -> String {
    let kind = match facts.relkind {
        'r' => "table",
        'p' => "partitioned table",
        'v' => "view, read in one stream",
        'm' => "materialised view",
        _ => "foreign table, read in one stream",
    };
    let rows = match facts.estimated_rows {
        rows if rows < 0 => "rows not yet estimated (analyze)".to_owned(),
        rows => format!("about {}", super::counted(rows.unsigned_abs(), "row")),
    };
    // A block has 8 KiB.
    format!("{kind}, {rows}, {} MiB", facts.blocks / 128)
}

/// Answers whether every field can be read.
fn mapping(
    database: &mut Database,
    columns: &Columns,
    table: &TableName,
    found: &mut Examination,
) -> Result<bool, SourceError> {
    let mapped = database.mapping(table, columns)?;
    let subject = table.to_string();
    let mut good = Vec::new();
    let mut fits = true;
    for mapped in &mapped {
        let place = format!("{} = {:?} ({})", mapped.key, mapped.field, mapped.type_name);
        match &mapped.fit {
            Fit::Good => good.push(mapped.key),
            Fit::Usable(what) => found.add("mapping", &subject, State::Warn, format!("{place}: {what}")),
            Fit::Wrong(what) => {
                fits = false;
                found.add(
                    "mapping",
                    &subject,
                    State::Fail,
                    format!("{} = {:?}: {what}", mapped.key, mapped.field),
                );
            }
        }
    }
    if !good.is_empty() {
        good.dedup();
        found.add("mapping", &subject, State::Ok, format!("{} fit their columns", good.join(", ")));
    }
    let names: Vec<&str> = mapped.iter().map(|mapped| mapped.field.as_str()).collect();
    let granted = database.check_readable(table, &names);
    if fits {
        let each = |_: &()| "every mapped column may be read".to_owned();
        return Ok(found.add_result("privileges", &subject, granted, each)?.is_some());
    }
    Ok(false)
}

/// Does the constraint or enum of the unified table admit every label that a repair could write?
fn constraint(
    config: &Config,
    columns: &Columns,
    table: &TableName,
    database: &mut Database,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let unified = &config.unified;
    let labels: BTreeSet<&String> = unified.grants.iter().chain(&unified.deductions).collect();
    let labels: Vec<String> = labels.into_iter().cloned().collect();
    let [action] = columns.action.as_slice() else { return Ok(()) };
    let subject = table.to_string();
    let refused = database.refused_labels(table, &action.written, &labels)?;
    if refused.is_empty() {
        let detail = format!("admits all {} configured grants and deductions", labels.len());
        found.add("constraint", subject, State::Ok, detail);
        return Ok(());
    }
    let first = contract::to_do_first(config).map(|first| format!(": {first}")).unwrap_or_default();
    for LabelVerdict { label, by, admits } in refused {
        let detail = match admits {
            None => format!(
                "it cannot be told whether {by} admits {label:?}: try an insert of it in a transaction that you \
                 roll back"
            ),
            _ if by.starts_with("constraint ") => format!(
                "{by} refuses {label:?}: inserts of it fail; `reckon contract --format sql` prints a constraint \
                 that admits it{first}"
            ),
            _ => format!(
                "{by} refuses {label:?}: inserts of it fail; let the column, the type or the table of labels take it"
            ),
        };
        found.add("constraint", &subject, State::Warn, detail);
    }
    Ok(())
}

/// What a backfill would meet: triggers, and columns that nobody fills.
fn writing(config: &Config, columns: &Columns, facts: &TableFacts, subject: &str, found: &mut Examination) {
    let on_insert: Vec<String> = facts
        .triggers
        .iter()
        .filter(|trigger| trigger.on_insert)
        .map(|trigger| format!("{} calls {}", trigger.name, trigger.function))
        .collect();
    if on_insert.is_empty() {
        found.add("triggers", subject, State::Ok, "none acts on INSERT");
    } else {
        let detail = format!(
            "{}: a backfill would fire it; look at what it does, then [repair] allow_triggers = true",
            on_insert.join(", ")
        );
        found.add("triggers", subject, State::Warn, detail);
    }
    let filled: BTreeSet<&str> = [&columns.id, &columns.user, &columns.amount, &columns.created_at]
        .into_iter()
        .chain(&columns.action)
        .chain(
            columns.success.iter().chain(&columns.link).chain(&columns.migrated).chain(&columns.expires_at),
        )
        .map(|field| field.column.as_str())
        .chain(config.backfill.values.keys().map(String::as_str))
        .collect();
    let empty: Vec<&str> = facts
        .columns
        .iter()
        .filter(|column| column.not_null && column.default.is_none() && !column.generated)
        .map(|column| column.name.as_str())
        .filter(|name| !filled.contains(name))
        .collect();
    if empty.is_empty() {
        found.add("backfill", subject, State::Ok, "every NOT NULL column is mapped or has a value");
    } else {
        let detail = format!("nobody fills {}: give each a value in [backfill] values", empty.join(", "));
        found.add("backfill", subject, State::Warn, detail);
    }
}

/// Rows are named by their ids: is there a key on them?
fn keys(columns: &Columns, facts: &TableFacts, subject: &str, found: &mut Examination) {
    if !matches!(facts.relkind, 'r' | 'p') {
        return;
    }
    let id = columns.id.column.as_str();
    let quoted = crate::config::quote_identifier(id);
    let unique = facts.indexes.iter().any(|(_, definition)| {
        definition.starts_with("CREATE UNIQUE INDEX") && definition.ends_with(&format!("({quoted})"))
    });
    let (state, detail) = if facts.primary_key == [id] || unique {
        (State::Ok, format!("{id} is unique and has an index"))
    } else {
        (State::Warn, format!("{id} has no unique index: repairs name rows by it, and would scan the table"))
    };
    found.add("indexes", subject, state, detail);
}
