//! What the gate asks the database, in the session of the snapshot.

use std::path::PathBuf;

use crate::config::{Config, TableName};
use crate::source::SourceError;
use crate::source::postgres::activity::Statements;
use crate::source::postgres::dependencies::Dependencies;
use crate::source::postgres::leaves::Leaf;
use crate::source::postgres::open_writes::OpenWrite;
use crate::source::postgres::writers::{LabelVerdict, Writer};
use crate::source::postgres::{Database, TableState};

use super::retire::ArchiveSeal;
use super::writers::labels;

/// What the database says to the gate.
#[derive(Debug, Clone)]
pub struct Live {
    /// What depends on the legacy table; `None`: there is no such table in this database.
    pub dependencies: Option<Dependencies>,
    /// Statements of others that name the legacy table.
    pub statements: Statements,
    /// Transactions of others that are writing the legacy table; or why nobody could look.
    pub open_writes: Result<Vec<OpenWrite>, String>,
    /// The functions that should write the unified table, each with what was found under its name;
    /// `None`: there is no such table in this database.
    pub writers: Option<Vec<(TableName, Vec<Writer>)>>,
    /// Labels that were tried on the unified table.
    pub labels: Vec<String>,
    /// What refuses some of them, or why they could not be tried.
    pub refused: Result<Vec<LabelVerdict>, String>,
    /// The partitions of the unified table; `None` where it is not partitioned, or labels were not tried.
    pub leaves: Option<Vec<Leaf>>,
    /// The legacy table as it was read; `None`: its rows came from files.
    pub sealed: Option<SealedTable>,
}

/// The legacy table, digested in the snapshot.
#[derive(Debug, Clone)]
pub struct SealedTable {
    /// Which table, and what is in it.
    pub state: TableState,
    /// Its archive, where one was written.
    pub archive: Option<Archived>,
}

/// An archive of the legacy table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its folder.
    pub folder: PathBuf,
    /// What `retire.sql` has to know of it.
    pub seal: ArchiveSeal,
}

/// Looks at everything but the rows of the table. Changes nothing.
///
/// # Errors
/// A lost connection, [`SourceError::Interrupted`] after a signal. What this role may not read is no
/// error: it is noted.
pub fn look(database: &mut Database, config: &Config) -> Result<Live, SourceError> {
    let legacy = config.legacy.columns.origin.target();
    let unified = config.unified.columns.origin.target();
    let dependencies = database.dependencies(legacy)?;
    let statements = match &dependencies {
        Some(_) => database.statements(legacy)?,
        None => Statements::Absent,
    };
    let open_writes = database.open_writes(legacy)?;
    let schemas: Vec<&str> = [legacy, unified].iter().filter_map(|table| table.schema.as_deref()).collect();
    let mut writers = Some(Vec::new());
    for name in &config.cutover.writers {
        let found = database.writers(name, &schemas, unified)?;
        match (&mut writers, found) {
            (Some(writers), Some(found)) => writers.push((name.clone(), found)),
            _ => writers = None,
        }
    }
    let texts = writers.iter().flatten().flat_map(|(_, found)| found).flat_map(|writer| &writer.texts);
    let labels = labels(config, texts.map(String::as_str));
    let mut leaves = None;
    let refused = match config.unified.columns.action.as_slice() {
        [action] if action.path.is_empty() => {
            let tried = database.label_verdicts(unified, &action.written, &labels).and_then(|verdicts| {
                leaves = database.leaves(unified, &action.written, &labels)?;
                Ok(verdicts)
            });
            match tried {
                Ok(verdicts) => Ok(verdicts),
                Err(SourceError::Database { message, transient: false }) => Err(message),
                Err(error) => return Err(error),
            }
        }
        _ => Err("the label of the unified table is no plain column".to_owned()),
    };
    Ok(Live { dependencies, statements, open_writes, writers, labels, refused, leaves, sealed: None })
}
