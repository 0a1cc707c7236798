//! What a column asks of its labels beside CHECK constraints: that its type holds them, and that the tables of
//! labels have them to which foreign keys point.

use super::super::SourceError;
use super::catalogue::{Column, Relation, text};
use super::fields::literal;
use super::session::Session;
use super::writers::LabelVerdict;

const DOING: &str = "looking up which labels a column takes";

/// The type, with its length, gives the label back as it is.
pub(super) async fn type_holds(session: &Session, column: &Column, label: &str) -> Result<bool, SourceError> {
    let label = literal(label);
    let sql = format!("select (({label}::{})::text = {label})::text", column.facts.type_name);
    let answer = session.try_rows(&sql, &[], DOING).await?;
    Ok(matches!(answer.as_deref(), Ok([row]) if text(row, 0) == "true"))
}

/// Which of the labels foreign keys refuse, or may. A key of one partition refuses what goes there, which need
/// not be these labels.
pub(super) async fn verdicts(
    session: &Session,
    relation: &Relation,
    column: &Column,
    labels: &[String],
) -> Result<Vec<LabelVerdict>, SourceError> {
    let sql = include_str!("sql/label_keys.sql");
    let keys = session.rows_with(sql, &[&relation.oid, &column.facts.name], DOING).await?;
    let mut verdicts = Vec::new();
    for key in &keys {
        let (partition, there) = (key[1].as_deref(), key[4].as_deref());
        for label in labels {
            let found = match there {
                Some(there) => has(session, &text(key, 2), there, column, label).await?,
                None => None,
            };
            let admits = match (found, partition) {
                (Some(true), _) => continue,
                (Some(false), None) => Some(false),
                (Some(false), Some(_)) | (None, _) => None,
            };
            let of = partition.map(|name| format!(" of partition {name}")).unwrap_or_default();
            let why = if found.is_some() { "has no such row" } else { "cannot be looked up" };
            let by = format!("foreign key {}{of} ({} {why})", text(key, 0), text(key, 3));
            verdicts.push(LabelVerdict { label: label.clone(), by, admits });
        }
    }
    Ok(verdicts)
}

/// The table of labels has this one; `None` where it cannot be read.
async fn has(
    session: &Session,
    table: &str,
    there: &str,
    column: &Column,
    label: &str,
) -> Result<Option<bool>, SourceError> {
    let (label, type_name) = (literal(label), &column.facts.type_name);
    let sql =
        format!("select exists (select from {table} as r where r.{there} = {label}::{type_name})::text");
    Ok(match session.try_rows(&sql, &[], DOING).await?.as_deref() {
        Ok([row]) => Some(text(row, 0) == "true"),
        _ => None,
    })
}
