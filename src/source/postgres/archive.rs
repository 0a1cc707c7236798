//! Writing a whole table out as CSV, inside the snapshot, and proving from the bytes that were written
//! that they are the table.

use std::io::Write;

use crate::config::TableName;

use super::super::digest::{CsvDigest, ShapeColumn};
use super::super::{Meter, Progress, SourceError};
use super::catalogue::{BaseType, Relation, flag, text};
use super::connect::unless_stopped;
use super::digest::{TableState, fix_row_text, state, unfix_row_text};
use super::explain::explain;
use super::privileges::refusal;
use super::{Database, Session, catalogue};

/// A column of an archived table, with what a new table needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedColumn {
    /// Name and type.
    pub shape: ShapeColumn,
    /// NOT NULL.
    pub not_null: bool,
    /// Default expression, types and functions with their schema.
    pub default: Option<String>,
    /// Expression of a generated column.
    pub generated: Option<String>,
    /// An identity column.
    pub identity: bool,
    /// Of type `character(n)`, or of a domain over it: filled up with blanks.
    pub padded: bool,
    /// What a database without the type needs first: `create type … as enum (…);`, or `type NAME`.
    pub needs_type: Option<String>,
}

/// A table that was written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedTable {
    /// Which table, and its digest: the server's, and the same from the bytes that were written.
    pub state: TableState,
    /// Its columns in order.
    pub columns: Vec<ArchivedColumn>,
    /// Columns of its primary key, in order.
    pub primary_key: Vec<String>,
}

impl Database {
    /// Writes a whole table, all columns and rows, as CSV in UTF-8 with a header; every value in quotes,
    /// null without. Memory does not grow with the table.
    ///
    /// # Errors
    /// As [`Database::digest`]; `out` cannot be written; the digest of what was written is not the
    /// server's; [`SourceError::Interrupted`] after a signal. What was written is then no archive.
    pub fn archive(
        &mut self,
        table: &TableName,
        out: &mut dyn Write,
        progress: &Progress,
    ) -> Result<ArchivedTable, SourceError> {
        let relation = self.readable(table, &[])?;
        let total = u64::try_from(relation.estimated_rows).ok().filter(|rows| *rows > 0);
        let meter = progress.start(&format!("archiving {table}"), total);
        self.runtime.block_on(async {
            let facts = catalogue::facts(&self.session, &relation).await?;
            fix_row_text(&self.session).await?;
            let state = state(&self.session, &relation).await?;
            let columns = columns(&self.session, &relation).await?;
            if columns.is_empty() {
                let what = format!("{} has no columns: there is nothing to archive", relation.sql());
                return Err(refusal(&self.session, &what));
            }
            let broken = |what: &dyn std::fmt::Display| {
                refusal(&self.session, &format!("archiving {}: {what}", relation.sql()))
            };
            let mut written = CsvDigest::default();
            let header = header(&columns);
            out.write_all(header.as_bytes()).map_err(not_written)?;
            written.feed(header.as_bytes()).map_err(|error| broken(&error))?;
            copy(&self.session, &relation, &mut written, out, &meter).await?;
            let (_, digest) = written.finish().map_err(|error| broken(&error))?;
            if digest != state.digest {
                return Err(broken(&format!(
                    "what was written ({digest}) is not what the server has ({}): a type of this table is \
                     written otherwise by copy than within a row; the archive is refused, nothing was kept",
                    state.digest
                )));
            }
            unfix_row_text(&self.session).await?;
            Ok(ArchivedTable { state, columns, primary_key: facts.primary_key })
        })
    }
}

fn not_written(cause: std::io::Error) -> SourceError {
    SourceError::NotWritten { cause }
}

fn header(columns: &[ArchivedColumn]) -> String {
    let names = columns.iter().map(|column| format!("\"{}\"", column.shape.name.replace('"', "\"\"")));
    names.collect::<Vec<_>>().join(",") + "\n"
}

async fn columns(session: &Session, relation: &Relation) -> Result<Vec<ArchivedColumn>, SourceError> {
    let doing = format!("looking up the columns of {}", relation.name);
    let sql = include_str!("sql/archive_columns.sql");
    let rows = session.rows_with(sql, &[&relation.oid], &doing).await?;
    let is_padded = |name: &str| {
        let base = relation.column(name).map(|column| &column.base);
        matches!(base, Some(BaseType::BuiltIn(base)) if base == "bpchar")
    };
    let column = |row: &Vec<Option<String>>| ArchivedColumn {
        shape: ShapeColumn { name: text(row, 0), type_name: text(row, 1) },
        not_null: flag(row, 2),
        default: row[3].clone(),
        generated: row[4].clone(),
        identity: flag(row, 5),
        padded: is_padded(&text(row, 0)),
        needs_type: row[6].clone(),
    };
    Ok(rows.iter().map(column).collect())
}

/// Streams the rows to `out`, and what `out` took to `written`.
async fn copy(
    session: &Session,
    relation: &Relation,
    written: &mut CsvDigest,
    out: &mut dyn Write,
    meter: &Meter,
) -> Result<(), SourceError> {
    let doing = format!("archiving {}", relation.sql());
    let failed = |error: tokio_postgres::Error| explain(&error, &session.who, &doing);
    let statement = format!(
        "copy (select t.* from {} as t{}) to stdout (format csv, force_quote *, encoding 'UTF8')",
        relation.sql(),
        relation.all_rows()
    );
    let mut flow = session.copy_out(&statement, &doing).await?;
    loop {
        let next = unless_stopped(&session.progress, flow.next()).await;
        if next.is_err() {
            session.cancel().await;
        }
        let Some(bytes) = next? else { return Ok(()) };
        let bytes = bytes.map_err(failed)?;
        out.write_all(bytes).map_err(not_written)?;
        let rows = written.feed(bytes).map_err(|error| refusal(session, &format!("{doing}: {error}")))?;
        if let Err(error) = meter.add(rows) {
            session.cancel().await;
            return Err(error);
        }
    }
}
