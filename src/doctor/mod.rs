//! `reckon doctor`: would the job run here, and would it tell the truth? Looks, changes nothing.
//!
//! Each check says `ok`, `warn` (the job runs; this is worth knowing), `fail` (the job could not be
//! done, or not truly) or `not_tested` (it could not be looked at, which is never `ok`).

mod database;
mod labels;
mod rows;
mod table;

use std::path::Path;

use rustix::fs::{Access, access};
use serde::Serialize;

use crate::config::{Columns, Config, Origin, Pools, Stored};
use crate::normalise;
use crate::source::{DetailRule, FileDigest, PoolsReading, Progress, SourceError, StoredReading, files};

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It could not be looked at.
    NotTested,
    /// The job runs; this is worth knowing.
    Warn,
    /// The job could not be done.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Kind: `connection`, `mapping`…
    pub check: &'static str,
    /// Table, file or server it is about.
    pub subject: String,
    /// What was found.
    pub state: State,
    /// In words, with the way out where there is something to do.
    pub detail: String,
}

/// All checks, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Examination {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Examination {
    /// The worst state of all checks.
    pub fn worst(&self) -> State {
        self.checks.iter().map(|check| check.state).max().unwrap_or(State::Ok)
    }

    fn add(
        &mut self,
        check: &'static str,
        subject: impl Into<String>,
        state: State,
        detail: impl Into<String>,
    ) {
        self.checks.push(Check { check, subject: subject.into(), state, detail: detail.into() });
    }

    /// Adds a check that is in order when `result` is, and fails with the error's own words.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] is no finding: it goes on to the caller.
    fn add_result<T>(
        &mut self,
        check: &'static str,
        subject: &str,
        result: Result<T, SourceError>,
        good: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, SourceError> {
        match result {
            Ok(value) => {
                self.add(check, subject, State::Ok, good(&value));
                Ok(Some(value))
            }
            Err(SourceError::Interrupted) => Err(SourceError::Interrupted),
            Err(error) => {
                self.add(check, subject, State::Fail, error.to_string());
                Ok(None)
            }
        }
    }
}

/// Which of the two ledgers a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ledger {
    Legacy,
    Unified,
}

/// Makes all checks that the configuration calls for.
///
/// # Errors
/// [`SourceError::Interrupted`] after a signal; everything else is a finding.
pub fn examine(config: &Config, progress: &Progress) -> Result<Examination, SourceError> {
    let mut found = Examination::default();
    let sides = [(Ledger::Legacy, &config.legacy.columns), (Ledger::Unified, &config.unified.columns)];
    let stored = config.balances.stored.as_ref();
    let tables = sides.iter().map(|(_, columns)| &columns.origin).chain(stored.map(|stored| &stored.origin));
    let pools = config.balances.pools.as_ref();
    let tables = tables.chain(pools.map(|pools| &pools.origin));
    if tables.clone().any(|origin| matches!(origin, Origin::Table(_))) {
        database::examine(config, &sides, progress, &mut found)?;
    }
    let mut digests = Vec::new();
    for (ledger, columns) in sides {
        if matches!(columns.origin, Origin::Files { .. }) {
            digests.push(examine_files(config, ledger, columns, progress, &mut found)?);
        }
    }
    if let [legacy, unified] = &digests[..] {
        one_source(config, legacy, unified, progress, &mut found)?;
    }
    if let Some(stored) = stored.filter(|stored| matches!(stored.origin, Origin::Files { .. })) {
        balances(files::stored(stored, progress), stored, &mut found)?;
    }
    if let Some(pools) = pools.filter(|pools| matches!(pools.origin, Origin::Files { .. })) {
        members(files::pools(pools, progress), pools, &mut found)?;
    }
    runs(&config.history.folder, &mut found);
    Ok(found)
}

/// Could a run be written among those before it? Only what is in the way is said.
fn runs(folder: &Path, found: &mut Examination) {
    let there = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    let there = there.filter(|there| !there.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let why = match access(there, Access::WRITE_OK | Access::EXEC_OK) {
        _ if !there.is_dir() => "is no directory".to_owned(),
        Err(cause) => format!("cannot be written: {cause}"),
        Ok(()) => return,
    };
    let detail =
        format!("{} {why}: no run could be written; name a folder that may be written", there.display());
    found.add("history", "[history] folder", State::Fail, detail);
}

/// Do both sides read one file, or one that is to the byte the other's?
fn one_source(
    config: &Config,
    legacy: &[FileDigest],
    unified: &[FileDigest],
    progress: &Progress,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let columns = &config.legacy.columns;
    let two = files::apart(&columns.origin, &config.unified.columns.origin);
    match two.and_then(|()| files::no_copy(columns, legacy, unified, progress)) {
        Err(SourceError::Interrupted) => Err(SourceError::Interrupted),
        Err(error) => {
            found.add("files", shown(&config.unified.columns.origin), State::Fail, error.to_string());
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Can the stored balances be read, and has each user one?
fn balances(
    reading: Result<StoredReading, SourceError>,
    stored: &Stored,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let name = shown(&stored.origin);
    let rows = |reading: &StoredReading| counted(reading.balances.len() as u64, "row");
    let Some(reading) = found.add_result("stored balances", &name, reading, rows)? else { return Ok(()) };
    for note in &reading.provenance.notes {
        found.add("stored balances", &name, State::Warn, note);
    }
    // They come in the order of their users.
    let pairs = reading.balances.windows(2).filter(|pair| pair[0].user == pair[1].user);
    let mut twice: Vec<String> = pairs.map(|pair| pair[0].user.to_string()).collect();
    twice.dedup();
    if !twice.is_empty() && !stored.sum_rows {
        let detail = format!(
            "{} users have several rows, {} among them: keep one row each, or set `several_rows = \"sum\"` in \
             [balances] stored",
            twice.len(),
            twice[0]
        );
        found.add("stored balances", &name, State::Fail, detail);
    }
    Ok(())
}

/// Can the members of pools be read, ids and times?
fn members(
    reading: Result<PoolsReading, SourceError>,
    pools: &Pools,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let name = shown(&pools.origin);
    let rows = |reading: &PoolsReading| counted(reading.provenance.control.rows, "row");
    let Some(reading) = found.add_result("pools", &name, reading, rows)? else { return Ok(()) };
    if let Err(error) = normalise::members(&reading, pools) {
        found.add("pools", &name, State::Fail, error.to_string());
    }
    Ok(())
}

/// `1 file`, `2 files`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Reads the files of a side whole, as the job would, and brings the first rows into the books. Answers the
/// digests of the files, as far as they could be read.
fn examine_files(
    config: &Config,
    ledger: Ledger,
    columns: &Columns,
    progress: &Progress,
    found: &mut Examination,
) -> Result<Vec<FileDigest>, SourceError> {
    let name = shown(&columns.origin);
    let rule = DetailRule::Labels { listed: Vec::new(), usage: Some(Vec::new()), user: None };
    let result = files::scan(columns, &rule, 1, &|| rows::Look::new(config, ledger), progress);
    let reading = found.add_result("files", &name, result, |reading| {
        let files = counted(reading.digests.files() as u64, "file");
        let rows = counted(reading.provenance.control.rows, "row");
        format!("{files}, {rows}, every mapped column is there")
    })?;
    let Some(reading) = reading else { return Ok(Vec::new()) };
    let digests = match reading.digests.take(progress) {
        Err(SourceError::Interrupted) => return Err(SourceError::Interrupted),
        Err(error) => {
            found.add("files", &name, State::Fail, error.to_string());
            Vec::new()
        }
        Ok(digests) => digests,
    };
    for note in reading.provenance.notes.into_iter().chain(files::same_bytes(&digests)) {
        found.add("files", &name, State::Warn, note);
    }
    let rows = reading.provenance.control.rows;
    let (counters, looks) = reading.sinks.into_iter().map(rows::Look::parted).unzip();
    let looked = rows::Looked::of(config, ledger, looks);
    let counted = looked.without_rejected(ledger, labels::Counter::merge(counters));
    labels::judge(config, ledger, &name, &counted, found);
    rows::judge(config, ledger, &name, rows, looked, found);
    Ok(digests)
}

/// A table or the pattern of files, for people.
fn shown(origin: &Origin) -> String {
    match origin {
        Origin::Table(table) => table.to_string(),
        Origin::Files { pattern, .. } => pattern.clone(),
    }
}
