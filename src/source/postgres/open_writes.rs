//! Who is in the middle of writing a table: no counter and no snapshot shows what is not committed yet.

use crate::config::TableName;

use super::super::SourceError;
use super::Database;
use super::catalogue::{self, text};

const DOING: &str = "looking up who is writing";

/// A transaction that has begun to write a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWrite {
    /// `session`, `prepared transaction`.
    pub kind: String,
    /// `pid 123`, or the name of the prepared transaction.
    pub name: String,
    /// What else may be seen of it.
    pub detail: String,
}

impl Database {
    /// The transactions of others that have begun to write a table, by the locks that they hold or wait for; or
    /// why that could not be looked up. Sessions of this job hold no such lock.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal.
    pub fn open_writes(&mut self, table: &TableName) -> Result<Result<Vec<OpenWrite>, String>, SourceError> {
        let session = &self.session;
        self.runtime.block_on(async {
            let Some(relation) = catalogue::find(session, table).await? else { return Ok(Ok(Vec::new())) };
            let looked = session.try_rows(include_str!("activity/open.sql"), &[&relation.oid], DOING).await?;
            Ok(looked.map(|rows| {
                let open = rows.iter().map(|row| {
                    let mut detail = format!("role {}", text(row, 2));
                    for (word, at) in [(", application ", 3), (", ", 4)] {
                        let said = text(row, at);
                        if !said.is_empty() {
                            detail.push_str(word);
                            detail.push_str(&said);
                        }
                    }
                    OpenWrite { kind: text(row, 0), name: text(row, 1), detail }
                });
                open.collect()
            }))
        })
    }
}
