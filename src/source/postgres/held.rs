//! Tables that stay as they are for as long as a run reads.
//!
//! TRUNCATE, most forms of ALTER TABLE and REFRESH MATERIALIZED VIEW put a new file in the place of a
//! table's rows. A snapshot that is older than that finds no row there, as if the table were empty. So
//! every table is locked before the snapshot is taken, no harder than SELECT locks it; and after a table
//! was read, it must be the one that the snapshot knows, since not everything can be locked.

use crate::config::TableName;

use super::super::SourceError;
use super::catalogue::{Relation, text};
use super::session::Session;

/// Locks tables, with their partitions, children and the tables under views, until the transaction ends.
/// Takes no snapshot: what is locked and what the snapshot sees then is the same.
///
/// What cannot be locked (a materialised view, a foreign table, one of which only columns may be read) is
/// left to [`check`].
///
/// # Errors
/// Somebody holds the table for longer than a session waits, a lost connection,
/// [`SourceError::Interrupted`] after a signal.
pub(super) async fn lock(session: &Session, tables: &[&TableName]) -> Result<(), SourceError> {
    for table in tables {
        let name = table.sql();
        let doing = format!("waiting for {table}");
        let statement =
            format!("savepoint held; lock table {name} in access share mode; release savepoint held");
        match session.run(&statement, &doing).await {
            Ok(()) => {}
            // Who cancels the wait, or limits it, does not want it to begin anew.
            Err(SourceError::Database { message, transient: false }) if !message.contains("(57014)") => {
                tracing::debug!("{table} is not locked while it is read: {message}");
                session.run("rollback to savepoint held; release savepoint held", &doing).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Is what was read what the snapshot knows? To be asked after reading: from then on nobody can change it
/// before the transaction ends.
///
/// # Errors
/// A table was rewritten or another one was put in its place since the snapshot was taken, so that rows
/// were missed; this may pass. The server's errors.
pub(super) async fn check(session: &Session, relation: &Relation) -> Result<(), SourceError> {
    let doing = format!("looking whether {} is still the same", relation.name);
    let sql = include_str!("sql/rewritten.sql");
    let rows = session.rows_with(sql, &[&relation.oid, &relation.sql()], &doing).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let message = format!(
        "{}: {}: the table was rewritten while the run started; run again (truncate, alter table, refresh \
         or a table put in its place: the rows since then are not seen at the moment of the run)",
        session.who,
        text(row, 0)
    );
    Err(SourceError::Database { message, transient: true })
}
