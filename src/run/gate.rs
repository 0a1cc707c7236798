//! The gate: a fresh reconciliation, the checks on top of it, the certificate beside its report.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Options, Reconciliation, run_with};
use crate::config::{Config, Origin, TableName};
use crate::cutover::{self, Accepted, Certificate, Facts, Live, Verdict};
use crate::domain::Instant;
use crate::history;
use crate::report::{self, Beside, Model};
use crate::source::postgres::Database;
use crate::source::postgres::activity::Activity;
use crate::source::{Progress, SourceError};

/// What is asked of a database beside the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// Nothing.
    #[default]
    Nothing,
    /// What its statistics count around the run, for those that come later.
    Activity,
    /// That, and everything that the gate asks.
    Gate,
}

/// What the gate is asked for, beside the configuration.
#[derive(Debug, Clone)]
pub struct GateOptions {
    /// What the run is asked for.
    pub run: Options,
    /// Somebody says that there is a backup, and where.
    pub backup: Option<String>,
    /// Checks that were accepted by name.
    pub accepted: BTreeMap<String, Accepted>,
}

/// A gate that was passed, or not.
#[derive(Debug)]
pub struct GateOutcome {
    /// The run directory.
    pub folder: PathBuf,
    /// The result for the terminal, in the asked form.
    pub printed: String,
    /// GO or NO-GO.
    pub verdict: Verdict,
}

/// What is asked of the database around the reading of the rows.
#[derive(Debug, Default)]
pub(super) struct Watch {
    look: Look,
    /// The counters before and after.
    pub activity: Option<Activity>,
    /// What the gate was told.
    pub live: Option<Live>,
}

impl Watch {
    /// Before anything is read.
    pub fn begin(config: &Config, look: Look, database: Option<&mut Database>) -> Result<Watch, SourceError> {
        let mut watch = Watch { look, ..Watch::default() };
        if let Some(database) = database.filter(|_| look != Look::Nothing) {
            let start = database.activity(&tables(config))?;
            watch.activity = Some(Activity { start, end: Vec::new() });
        }
        Ok(watch)
    }

    /// After everything was read: the last look in the snapshot, then the end of the sessions.
    pub fn end(&mut self, config: &Config, database: Option<Database>) -> Result<(), SourceError> {
        let Some(mut database) = database else { return Ok(()) };
        if self.look == Look::Gate {
            self.live = Some(cutover::look(&mut database, config)?);
        }
        if let Some(activity) = &mut self.activity {
            activity.end = database.activity_at_end(&tables(config))?;
        }
        Ok(())
    }
}

/// Both tables, those of files by the names that SQL is written for.
fn tables(config: &Config) -> [&TableName; 2] {
    [&config.legacy.columns.origin, &config.unified.columns.origin].map(Origin::target)
}

/// Reconciles as [`super::run`] does, makes every check, and writes the certificate into the run
/// directory.
///
/// # Errors
/// Whatever keeps the run from covering every row or from being written; nothing half-written stays.
pub fn cutover(
    config: &Config,
    asked: &GateOptions,
    progress: &Progress,
    print: impl FnOnce(&Certificate, report::terminal::Written<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<GateOutcome> {
    let options = Options { look: Look::Gate, as_of: None, ..asked.run.clone() };
    // Before this run is one of them.
    let past = history::watched(&config.history.folder)?;
    let issued = RefCell::new(None);
    let beside = |model: &Model<'_>, done: &Reconciliation| -> anyhow::Result<Vec<Beside>> {
        let facts = Facts {
            config,
            books: &done.reads.books,
            audit: &done.audit,
            balances_known: done.balances.stored_known,
            live: done.reads.live.as_ref(),
            activity: done.reads.activity.as_ref(),
            unified: done.reads.targets.unified.as_ref(),
            past: &past,
            snapshot: done.reads.snapshot.as_ref(),
            now: Instant(chrono::Utc::now().timestamp_micros()),
            backup: asked.backup.as_deref(),
            accepted: &asked.accepted,
        };
        let sources = [&done.reads.legacy, &done.reads.unified];
        let certificate = cutover::certify(&facts, sources, &model.run_id);
        let files = report::certificate::files(&certificate)?;
        issued.replace(Some(certificate));
        Ok(files)
    };
    let print = |_: &Model<'_>, written: report::terminal::Written<'_>| {
        let certificate = issued.borrow();
        let certificate = certificate.as_ref().ok_or_else(|| anyhow::anyhow!("no certificate was made"))?;
        print(certificate, written)
    };
    let outcome = run_with(config, &options, progress, beside, print)?;
    let verdict = issued.borrow().as_ref().map_or(Verdict::NoGo, |certificate| certificate.verdict);
    Ok(GateOutcome { folder: outcome.folder, printed: outcome.printed, verdict })
}
