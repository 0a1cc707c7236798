//! The table as part of something: of an inheritance or partition tree, of an extension; and what is no
//! table, but shows the rows of others.

use super::super::super::SourceError;
use super::super::catalogue::{Relation, text};
use super::super::session::Session;
use super::{Area, Certainty, DOING, Dependencies, Members};

pub(super) async fn scan(
    session: &Session,
    relation: &Relation,
    members: &Members,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    kind(session, relation, found).await?;
    inheritance(session, relation, found).await?;
    extensions(session, members, found).await
}

/// What is no plain table is never retired; what it shows stays, and nothing looks at who uses that.
async fn kind(session: &Session, relation: &Relation, found: &mut Dependencies) -> Result<(), SourceError> {
    let kind = match relation.relkind {
        'r' => return Ok(()),
        'p' => "partitioned table",
        'v' => "view",
        'm' => "materialized view",
        _ => "foreign table",
    };
    let (area, name) = (Area::Inheritance, relation.name.to_string());
    let detail =
        "is no plain table: a trigger on it would not see every write, so that retire.sql refuses it";
    found.add(area, kind, name.clone(), detail.to_owned(), Certainty::Certain);
    let looked = session.try_rows(include_str!("beneath.sql"), &[&relation.oid], DOING).await?;
    for row in found.rows(&[area], "what stands beneath the view", looked) {
        let beneath = format!("{}.{}", text(&row, 1), text(&row, 2));
        let detail = format!(
            "{name} shows its rows, and nobody has looked at what else uses it: name the table itself in [legacy] table"
        );
        found.add(area, &text(&row, 0), beneath, detail, Certainty::Certain);
    }
    Ok(())
}

async fn inheritance(
    session: &Session,
    relation: &Relation,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let sql = include_str!("inheritance.sql");
    let looked = session.try_rows(sql, &[&relation.oid], DOING).await?;
    let rows = found.rows(&[Area::Inheritance], "inheritance", looked);
    if relation.relkind != 'r' || !rows.is_empty() {
        found.at(Area::Inheritance).notes.push(format!(
            "retire.sql would refuse it: {} is no plain table: it is a view or foreign table, or part of an inheritance or partition tree",
            relation.name
        ));
    }
    for row in rows {
        let (kind, name, other) =
            (text(&row, 0), format!("{}.{}", text(&row, 1), text(&row, 2)), text(&row, 3));
        let (detail, certainty) = match kind.as_str() {
            "partition" => (
                format!("a partition of {other}: it goes with the table, but can be used under its own name"),
                Certainty::Possible,
            ),
            "child table" => {
                (format!("inherits from {other}: its rows are read with the table's"), Certainty::Certain)
            }
            "partitioned table" => {
                (format!("{other} is a partition of it: its rows vanish from there"), Certainty::Certain)
            }
            _ => (format!("{other} inherits from it: its rows vanish from there"), Certainty::Certain),
        };
        found.add(Area::Inheritance, &kind, name, detail, certainty);
    }
    Ok(())
}

/// Extensions that the table was put into: the server does not drop a member alone.
async fn extensions(
    session: &Session,
    members: &Members,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let sql = include_str!("extensions.sql");
    let looked = session.try_rows(sql, &[&members.oids], DOING).await?;
    for row in found.rows(&[Area::Inheritance], "extensions", looked) {
        let (name, table) = (text(&row, 0), text(&row, 1));
        let detail = format!("{table} is a member of it, so that it cannot be dropped");
        found.add(Area::Inheritance, "extension", name, detail, Certainty::Certain);
    }
    Ok(())
}
