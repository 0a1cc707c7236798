//! The digest of a whole table, computed by the server inside the snapshot.

use crate::config::TableName;

use super::super::SourceError;
use super::super::digest::TableDigest;
use super::catalogue::{Relation, text};
use super::privileges::refusal;
use super::scan::BY_PLACE;
use super::{Database, Session};

/// Statements that fix, until the transaction ends, how values become text: [`digest_query`] is only
/// comparable under them.
pub const ROW_TEXT_SETTINGS: &str = include_str!("sql/row_text.sql");

/// A query of one text, `sha256/128:ROWS:HIGH:LOW`: the digest of a table, given as SQL wants its name
/// (or as a place in a format string). Without a semicolon.
pub fn digest_query(table: &str) -> String {
    digest_from(&format!("{table} as t"))
}

/// The same of what follows `from`, where the row is called `t`.
fn digest_from(from: &str) -> String {
    include_str!("sql/digest.sql").trim_end().replace("{{from}}", from)
}

/// A query of one text, `sha256:…`: the digest of names and types of the columns of a relation, given as
/// an expression of type `oid`. Without a semicolon.
pub fn shape_query(relation: &str) -> String {
    include_str!("sql/shape.sql").trim_end().replace("{{relation}}", relation)
}

/// A table, sealed: which one it is, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableState {
    /// Name with its schema, as found.
    pub table: TableName,
    /// The server's number of the table. A rename keeps it; a copy has another.
    pub oid: u32,
    /// Its rows.
    pub digest: TableDigest,
    /// Digest of names and types of its columns.
    pub shape: String,
}

impl Database {
    /// Digests a whole table in the snapshot, all columns, in whatever order its rows lie.
    ///
    /// # Errors
    /// Everything that [`Database::check_readable`] refuses, a column that may not be read, the server's.
    pub fn digest(&mut self, table: &TableName) -> Result<TableState, SourceError> {
        let relation = self.readable(table, &[])?;
        self.runtime.block_on(async {
            fix_row_text(&self.session).await?;
            let state = state(&self.session, &relation).await?;
            unfix_row_text(&self.session).await?;
            Ok(state)
        })
    }
}

/// Begins the settings under which rows are text; [`unfix_row_text`] ends them, so that the session
/// goes on as it was.
pub(super) async fn fix_row_text(session: &Session) -> Result<(), SourceError> {
    // By place, so that the job's own reads are not counted as scans.
    let sql = format!("savepoint row_text; {ROW_TEXT_SETTINGS}; {BY_PLACE}");
    session.run(&sql, "fixing how rows are written").await
}

pub(super) async fn unfix_row_text(session: &Session) -> Result<(), SourceError> {
    let sql = "rollback to savepoint row_text; release savepoint row_text";
    session.run(sql, "fixing how rows are written").await
}

/// The state of a relation, under the settings of [`fix_row_text`].
pub(super) async fn state(session: &Session, relation: &Relation) -> Result<TableState, SourceError> {
    let doing = format!("digesting {}", relation.name);
    let one = async |sql: String| {
        let rows = session.rows(&sql, &doing).await?;
        Ok::<String, SourceError>(rows.first().map(|row| text(row, 0)).unwrap_or_default())
    };
    // The same rows, by the same expression.
    let digest = one(digest_from(&format!("{} as t{}", relation.sql(), relation.all_rows()))).await?;
    let shape = one(shape_query(&format!("'{}'::oid", relation.oid))).await?;
    let digest = digest.parse().map_err(|error| refusal(session, &format!("{doing}: {error}")))?;
    let oid = relation.oid.parse();
    let oid = oid.map_err(|_| refusal(session, &format!("{doing}: {:?} is no oid", relation.oid)))?;
    Ok(TableState { table: relation.name.clone(), oid, digest, shape })
}
