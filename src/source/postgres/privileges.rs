//! May this role read the table, and does it see every row? Checked before anything is read: a table
//! that looks empty because a policy hides its rows must never look clean.

use std::collections::BTreeSet;

use crate::config::TableName;

use super::super::SourceError;
use super::catalogue::{Relation, find, flag, text};
use super::session::Session;

/// The relation, when it is there and every row and every named column of it can be read.
///
/// # Errors
/// It is not there, a privilege is missing, or row-level security may hide rows; the message names
/// role, table and the way out.
pub(super) async fn readable(
    session: &Session,
    table: &TableName,
    columns: &[&str],
) -> Result<Relation, SourceError> {
    let relation = existing(session, table).await?;
    check_privileges(session, &relation)?;
    for column in columns {
        check_column(session, &relation, column)?;
    }
    if let Some(hidden) = hidden_rows(session, &relation).await? {
        return Err(refusal(session, &hidden));
    }
    Ok(relation)
}

/// The relation, or an error that names the nearest one.
pub(super) async fn existing(session: &Session, table: &TableName) -> Result<Relation, SourceError> {
    if let Some(relation) = find(session, table).await? {
        return Ok(relation);
    }
    let rows = session.rows(include_str!("sql/names.sql"), "looking up table names").await?;
    let wanted = table.to_string();
    // The same name in another schema is nearer than any other name.
    let distance = |schema: &str, name: &str| {
        let full = strsim::damerau_levenshtein(&format!("{schema}.{name}"), &wanted);
        if name == table.name { 0 } else { full.min(strsim::damerau_levenshtein(name, &table.name) + 1) }
    };
    let nearest = rows.iter().map(|row| (text(row, 0), text(row, 1))).min_by_key(|(s, n)| distance(s, n));
    let hint = match nearest {
        Some((schema, name)) if distance(&schema, &name) <= wanted.len().div_ceil(2) => {
            format!("; did you mean {schema}.{name}?")
        }
        _ => ": look at the table's name in reckon.toml and at the database in DATABASE_URL".to_owned(),
    };
    Err(refusal(session, &format!("there is no table {table}{hint}")))
}

pub(super) fn refusal(session: &Session, what: &str) -> SourceError {
    SourceError::Database { message: format!("{}: {what}", session.who), transient: false }
}

pub(super) fn check_privileges(session: &Session, relation: &Relation) -> Result<(), SourceError> {
    let (role, table) = (&relation.role, relation.sql());
    if !relation.schema_usage {
        let schema = relation.name.schema.as_deref().unwrap_or_default();
        let what = format!(
            "role {role} may not use schema {schema}, so it cannot read {table}: \
             grant usage on schema {schema} to {role}"
        );
        return Err(refusal(session, &what));
    }
    if !relation.table_select && !relation.columns.iter().any(|column| column.select) {
        let what = format!("role {role} may not read table {table}: grant select on {table} to {role}");
        return Err(refusal(session, &what));
    }
    if relation.relkind == 'm' && !relation.populated {
        let what =
            format!("materialised view {table} has never been filled: refresh materialized view {table}");
        return Err(refusal(session, &what));
    }
    Ok(())
}

/// `written`: a column, or a path into a JSON column.
fn check_column(session: &Session, relation: &Relation, written: &str) -> Result<(), SourceError> {
    let first = written.split('.').next().unwrap_or(written);
    let (role, table) = (&relation.role, relation.sql());
    let Some(column) = relation.column(written).or_else(|| relation.column(first)) else {
        return Err(refusal(session, &missing_column(relation, first)));
    };
    if !(relation.table_select || column.select) {
        let name = &column.facts.name;
        let what = format!(
            "role {role} may not read column {name} of table {table}: grant select ({name}) on {table} to {role}"
        );
        return Err(refusal(session, &what));
    }
    Ok(())
}

/// The sentence for a column that is not there.
pub(super) fn missing_column(relation: &Relation, name: &str) -> String {
    let names = relation.columns.iter().map(|column| column.facts.name.as_str());
    let nearest = names.min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or("none");
    format!("table {} has no column {name}; did you mean {nearest}?", relation.sql())
}

/// Why some rows may be hidden from the role that reads; `None`: it sees all.
///
/// A view is looked through: what it reads is read as its owner, or as the caller where it is a
/// `security_invoker` view, wherever that view stands.
pub(super) async fn hidden_rows(
    session: &Session,
    relation: &Relation,
) -> Result<Option<String>, SourceError> {
    let mut todo = vec![(relation.oid.clone(), relation.role.clone())];
    let mut seen = BTreeSet::new();
    while let Some((oid, role)) = todo.pop() {
        if !seen.insert((oid.clone(), role.clone())) {
            continue;
        }
        let doing = "looking up row-level security";
        let sql = include_str!("sql/security.sql");
        let rows = session.rows_with(sql, &[&oid, &role], doing).await?;
        let Some(row) = rows.first() else { continue };
        let (name, relkind, owner) = (text(row, 0), text(row, 1), text(row, 2));
        let (enabled, forced, invoker) = (flag(row, 3), flag(row, 4), flag(row, 5));
        let (exempt, owns) = (flag(row, 6), flag(row, 7));
        if relkind == "v" {
            let reader = if invoker { relation.role.clone() } else { owner };
            let beneath = session.rows_with(include_str!("sql/beneath.sql"), &[&oid], doing).await?;
            todo.extend(beneath.iter().map(|row| (text(row, 0), reader.clone())));
            continue;
        }
        if !enabled || exempt || (owns && !forced) {
            continue;
        }
        let policies = session.rows_with(include_str!("sql/policies.sql"), &[&oid, &role], doing).await?;
        let policies: Vec<Policy> = policies
            .iter()
            .map(|row| Policy { name: text(row, 0), permissive: flag(row, 1), using: row[2].clone() })
            .collect();
        if let Some(why) = blocking(&policies) {
            let direct = oid == relation.oid;
            return Ok(Some(sentence(relation, direct, &name, &role, &why)));
        }
    }
    Ok(None)
}

/// A policy that applies to the reading role.
#[derive(Debug)]
struct Policy {
    name: String,
    permissive: bool,
    /// `USING`, where there is one.
    using: Option<String>,
}

/// Why these policies may hide rows; `None`: they let every row through.
fn blocking(policies: &[Policy]) -> Option<String> {
    let lets_all = |policy: &&Policy| policy.using.as_deref() == Some("true");
    let shown = |policy: &Policy| {
        format!(
            "policy {:?} lets through only rows where {}",
            policy.name,
            policy.using.as_deref().unwrap_or("true")
        )
    };
    // A restrictive policy without USING restricts nothing.
    let narrow =
        policies.iter().find(|policy| !policy.permissive && policy.using.is_some() && !lets_all(policy));
    if let Some(narrow) = narrow {
        return Some(shown(narrow));
    }
    if policies.iter().filter(|policy| policy.permissive).any(|policy| lets_all(&policy)) {
        return None;
    }
    match policies.iter().find(|policy| policy.permissive && policy.using.is_some()) {
        Some(policy) => Some(shown(policy)),
        None => Some("no policy lets this role see any row".to_owned()),
    }
}

fn sentence(relation: &Relation, direct: bool, table: &str, role: &str, why: &str) -> String {
    let through = if direct { String::new() } else { format!(" (read through {})", relation.sql()) };
    format!(
        "row-level security on table {table}{through} may hide rows from role {role}: {why}; \
         let the job see all rows: alter role {role} bypassrls, or use a role that owns the table, \
         or create policy reckon_reads on {table} for select to {role} using (true)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_policies_that_let_every_row_through_pass() {
        let policy = |permissive: bool, using: &str| Policy {
            name: "p".to_owned(),
            permissive,
            using: (!using.is_empty()).then(|| using.to_owned()),
        };
        let cases: [(&[(bool, &str)], bool); 8] = [
            (&[], false),
            (&[(true, "true")], true),
            (&[(true, "(user_id = 1)")], false),
            (&[(true, "(user_id = 1)"), (true, "true")], true),
            (&[(true, "true"), (false, "(user_id = 1)")], false),
            (&[(true, "true"), (false, "true")], true),
            (&[(false, "true")], false),
            (&[(true, "")], false),
        ];
        for (policies, passes) in cases {
            let list: Vec<Policy> =
                policies.iter().map(|(permissive, using)| policy(*permissive, using)).collect();
            assert_eq!(blocking(&list).is_none(), passes, "{policies:?}");
        }
    }
}
