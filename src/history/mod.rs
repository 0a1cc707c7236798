//! Runs before this one: what is new, what is still open, what is resolved, and what has gone.

pub mod packs;
mod sealed;
mod shrunk;
mod watched;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::{Books, Finding, FindingId};

use shrunk::Seen;
pub use shrunk::{Shrunk, SideShrunk};
pub use watched::{Watched, watched};

/// Why the previous run could not be read. A history that is there but broken is never taken for an
/// empty one: everything would look new, and nothing resolved.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file of the previous run cannot be read.
    #[error(
        "cannot read {file} of the previous run: {cause}. Remove or repair {folder}, or write elsewhere with --out",
        file = .file.display(),
        folder = .folder.display()
    )]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Run directory.
        folder: PathBuf,
        /// Why.
        cause: String,
    },
}

/// The run before this one.
#[derive(Debug, Clone)]
pub struct PreviousRun {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its manifest, lower-case hexadecimal.
    pub manifest_digest: String,
    findings: HashSet<String>,
    seen: Seen,
}

impl PreviousRun {
    /// The run had this finding.
    pub fn has(&self, id: &FindingId) -> bool {
        self.findings.contains(&id.0)
    }

    /// Rows and users that it had and this run has not.
    pub fn shrunk(&self, books: &Books, now: &[Finding]) -> Shrunk {
        self.seen.shrunk(books, now)
    }

    /// How many of its findings are gone.
    pub fn resolved(&self, now: &[Finding]) -> u64 {
        let now: HashSet<&str> = now.iter().map(|finding| finding.id.0.as_str()).collect();
        self.findings.iter().filter(|id| !now.contains(id.as_str())).count() as u64
    }
}

/// The run that `latest` points at, if there is one.
///
/// # Errors
/// [`HistoryError`] when it is there but cannot be read.
pub fn previous(folder: &Path) -> Result<Option<PreviousRun>, HistoryError> {
    let Ok(run) = std::fs::canonicalize(folder.join("latest")) else { return Ok(None) };
    let failed = |file: &Path, cause: String| HistoryError::Unreadable {
        file: file.to_owned(),
        folder: run.clone(),
        cause,
    };
    let manifest = run.join("manifest.json");
    let bytes = std::fs::read(&manifest).map_err(|cause| failed(&manifest, cause.to_string()))?;
    let manifest_digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let list = run.join("findings.csv");
    let mut reader = csv::Reader::from_path(&list).map_err(|cause| failed(&list, cause.to_string()))?;
    let headers = reader.headers().map_err(|cause| failed(&list, cause.to_string()))?;
    let place = |name: &str| headers.iter().position(|header| header == name);
    let columns = ["finding_id", "repair", "tokens_legacy", "tokens_unified"].map(place);
    let [Some(id), Some(repair), Some(legacy), Some(unified)] = columns else {
        return Err(failed(&list, "it lacks a column, such as finding_id".to_owned()));
    };
    let mut findings = HashSet::new();
    let mut mended = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|cause| failed(&list, cause.to_string()))?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        if let Some(taken) = shrunk::taken_by(cell(repair), cell(legacy), cell(unified)) {
            mended.insert(cell(id).to_owned(), taken);
        }
        findings.insert(cell(id).to_owned());
    }
    let seen = Seen::read(&run, mended).map_err(|(file, cause)| failed(&run.join(file), cause))?;
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Some(PreviousRun { name, manifest_digest, findings, seen }))
}
