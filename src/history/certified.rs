//! The checks of a certificate that has been written, as far as a waiver is bound to them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::HistoryError;
use super::runs::runs;
use super::table::instant;
use crate::domain::Instant;

/// Name of the certificate in a run directory.
const FILE_NAME: &str = "cutover.json";

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Name of the directory of its run.
    pub run: String,
    /// When it was issued.
    pub issued_at: Instant,
    /// Its checks, by name.
    pub checks: BTreeMap<String, CertifiedCheck>,
}

/// A check of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedCheck {
    /// `sha256:` and the digest of what it says; an earlier version wrote none.
    pub content: Option<String>,
    /// It is ok.
    pub is_ok: bool,
    /// A person may accept it.
    pub can_be_accepted: bool,
}

#[derive(Deserialize)]
struct Document {
    issued_at: String,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    check: String,
    content: Option<String>,
    ok: serde_json::Value,
    can_be_accepted: bool,
}

impl Certified {
    /// Reads the certificate of a run directory; `None` where it holds none.
    ///
    /// # Errors
    /// [`HistoryError`] when it is there but cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Certified>, HistoryError> {
        let folder = &std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let file = folder.join(FILE_NAME);
        let failed = |cause: &dyn std::fmt::Display| HistoryError::unreadable(&file, folder, cause);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(&cause)),
        };
        let document: Document = serde_json::from_slice(&bytes).map_err(|cause| failed(&cause))?;
        let issued_at = instant(&document.issued_at).ok_or_else(|| failed(&"issued_at is no time"))?;
        let checks = document.checks.into_iter().map(|check| {
            let Check { check, content, ok, can_be_accepted } = check;
            (check, CertifiedCheck { content, is_ok: ok == true, can_be_accepted })
        });
        let run = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Some(Certified { run, issued_at, checks: checks.collect() }))
    }

    /// The one that was issued last in a history; `None`: there is none.
    ///
    /// # Errors
    /// [`HistoryError`] when a run or its certificate is there but cannot be read.
    pub fn latest(folder: &Path) -> Result<Option<Certified>, HistoryError> {
        let mut latest: Option<Certified> = None;
        for run in runs(folder)?.into_iter().filter(|run| run.is_here) {
            let Some(found) = Certified::read(&folder.join(&run.name))? else { continue };
            if latest.as_ref().is_none_or(|latest| latest.issued_at <= found.issued_at) {
                latest = Some(found);
            }
        }
        Ok(latest)
    }
}
