//! `reckon verify`: re-checks a run directory from its files alone, without database, network or the
//! configuration.
//!
//! What is checked: every file against the manifest's digest, the chain of manifests, that no file of a run
//! is missing, the control totals against the rows as listed, ids and counts of the findings, that both their
//! files say the same, the arithmetic of every balance, and what a run of a history says of its past. Of an audit pack: files, chain, that none
//! is missing, that it opens as the pack before closed, that its figures roll forward, and its gaps. Of the archive of a table: files, and the table's digest, rebuilt from its
//! rows. Sums are added again from the CSV and Parquet files; nothing is taken from the report.

mod alike;
mod archives;
mod balances;
mod chain;
mod conservation;
mod contents;
mod files;
mod findings;
mod history;
mod json;
mod packs;
mod severity;
mod tables;

use std::path::{Path, PathBuf};

use serde::Serialize;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Ok,
    /// It does not.
    Fail,
    /// What it needs is not here: neither ok nor a failure.
    NotTested,
}

/// One check with what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name: `files`, `chain`, `contents`, `conservation`, `dispositions`, `findings`, `balances`, and
    /// `history` of a run that belongs to one; of an audit pack `files`, `chain`, `contents`, `roll_forward`, `balances`, `movements`,
    /// `adjustments`; of an archive `files`, `archive`, `rows`, `shape`.
    pub check: &'static str,
    /// How it went.
    pub state: State,
    /// What was seen; for a failure, what differs and where.
    pub detail: String,
}

/// A run directory, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The directory as it was named.
    pub folder: String,
    /// SHA-256 of its manifest: what a successor, or a person, holds against it.
    pub manifest_sha256: String,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Verification {
    /// No check failed. Those that could not be made don't count as passed: they are listed.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Fail)
    }
}

/// Why a directory cannot be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It holds no complete run.
    #[error("{folder} has no manifest.json, so it is no complete run of reckon: name a run directory, such as reports/latest", folder = .folder.display())]
    NoManifest {
        /// Directory.
        folder: PathBuf,
    },
    /// There is no such directory.
    #[error("{folder} does not exist: name a run directory, such as reports/latest", folder = .folder.display())]
    NotThere {
        /// Directory.
        folder: PathBuf,
    },
    /// It is a file.
    #[error("{folder} is a file: name the directory of the run, such as reports/latest", folder = .folder.display())]
    IsFile {
        /// File.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {file}: {cause}", file = .file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// The manifest is of another program, or of a newer version.
    #[error("{file}: its schema is {found:?}, this version reads {wanted:?}: use the version of reckon that wrote it", file = .file.display())]
    Schema {
        /// Manifest.
        file: PathBuf,
        /// What it says.
        found: String,
        /// What is read.
        wanted: &'static str,
    },
}

/// Checks a run directory.
///
/// # Errors
/// [`VerifyError`] when there is nothing to check; what does not hold is a failed [`Check`].
pub fn verify(folder: &Path) -> Result<Verification, VerifyError> {
    let manifest = files::Manifest::read(folder)?;
    if manifest.is_archive() {
        let mut checks = vec![files::check(folder, &manifest)];
        checks.extend(archives::checks(folder)?);
        return Ok(Verification {
            folder: folder.display().to_string(),
            manifest_sha256: manifest.digest,
            checks,
        });
    }
    let mut checks = vec![files::check(folder, &manifest), chain::check(folder, &manifest)];
    if manifest.is_pack() {
        checks[1] = packs::chain(folder, checks[1].clone());
        checks.push(contents::of_pack(&manifest));
        checks.extend(packs::checks(folder));
        return Ok(Verification {
            folder: folder.display().to_string(),
            manifest_sha256: manifest.digest,
            checks,
        });
    }
    let texts = tables::Run::open(folder);
    match texts {
        Ok(run) => {
            checks.push(contents::check(&manifest, &run));
            checks.push(conservation::totals(&run, &manifest));
            checks.push(conservation::dispositions(&run));
            checks.push(findings::check(&run));
            checks.push(balances::check(&run));
            checks.extend(history::check(folder, &manifest, &run));
        }
        Err(cause) => checks.push(failed("contents", cause)),
    }
    Ok(Verification { folder: folder.display().to_string(), manifest_sha256: manifest.digest, checks })
}

fn ok(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, state: State::Ok, detail: detail.into() }
}

fn failed(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, state: State::Fail, detail: detail.into() }
}

fn not_tested(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, state: State::NotTested, detail: detail.into() }
}

/// A number with its noun: `1 file`, `2 files`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A check from what does not hold: nothing, or the first few of many.
fn judged(check: &'static str, wrong: Vec<String>, fine: String) -> Check {
    const SHOWN: usize = 5;
    if wrong.is_empty() {
        return ok(check, fine);
    }
    let more = wrong.len().saturating_sub(SHOWN);
    let mut detail = wrong.into_iter().take(SHOWN).collect::<Vec<_>>().join("; ");
    if more > 0 {
        detail.push_str(&format!("; and {more} more"));
    }
    failed(check, detail)
}
