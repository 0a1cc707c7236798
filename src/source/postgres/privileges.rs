//! May this role read the table? Checked before anything is read.

use crate::config::TableName;

use super::super::SourceError;
use super::catalogue::{Relation, find, text};
use super::security::sight;
use super::session::Session;

pub(super) use super::security::hidden_rows;

/// The relation, when it is there and every row and every named column of it can be read; and what about its
/// rows nobody can tell from here.
///
/// # Errors
/// It is not there, a privilege is missing, or row-level security may hide rows; the message names
/// role, table and the way out.
pub(super) async fn readable(
    session: &Session,
    table: &TableName,
    columns: &[&str],
) -> Result<(Relation, Vec<String>), SourceError> {
    let relation = existing(session, table).await?;
    check_privileges(session, &relation)?;
    for column in columns {
        check_column(session, &relation, column)?;
    }
    let sight = sight(session, &relation).await?;
    match sight.hidden {
        Some(hidden) => Err(refusal(session, &hidden)),
        None => Ok((relation, sight.doubts)),
    }
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
