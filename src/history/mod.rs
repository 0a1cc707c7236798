//! Runs before this one: what is new, still open, resolved or back again, what has gone, which runs stay,
//! and what has been accepted.

mod certified;
mod chronicle;
mod followed;
pub mod lifecycle;
mod listed;
mod lock;
mod mended;
mod newest;
pub mod packs;
mod retention;
pub mod runs;
mod sealed;
mod shrunk;
pub mod table;
mod tables;
pub mod waivers;
mod watched;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::FindingId;
use crate::normalise::NormaliseError;
use crate::sha256::{Sha256, sha256};

pub use certified::{Certified, CertifiedCheck};
pub use chronicle::{Chronicle, ClassChanges, chronicle};
pub use followed::Predecessor;
use lifecycle::{Life, Lifecycle};
pub use listed::{ListedFinding, ListedRun};
pub use lock::{FolderLock, LockError, Waiter};
use mended::Mended;
pub use newest::{LATEST, newest};
pub use retention::removable;
pub use runs::{PastRun, runs};
use shrunk::Seen;
pub use shrunk::{InputShrunk, Now, Shrunk, SideShrunk};
pub use tables::Tables;
pub use watched::{Watched, watched};

/// Why an earlier run could not be read. A history that is there but broken is never taken for an empty
/// one: everything would look new, and nothing resolved.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file of an earlier run cannot be read.
    #[error(
        "cannot read {file} of an earlier run: {cause}. Remove or repair {folder}, or write elsewhere with --out",
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
    /// A file of the run before is not the one that the run wrote.
    #[error(
        "{file} is not as its run wrote it: its SHA-256 is not that of the manifest, so nothing can be told by it. \
         `reckon verify {folder}` says what differs. Restore it, or move {folder} elsewhere to go on from the run \
         before it",
        file = .file.display(),
        folder = .folder.display()
    )]
    Damaged {
        /// File.
        file: PathBuf,
        /// Run directory.
        folder: PathBuf,
    },
    /// Something else stands where the link to the newest run belongs.
    #[error(
        "{latest} is no link to the newest run, as after a copy that followed links: {way_out}; the next run sets the \
         link again",
        latest = .latest.display()
    )]
    NoLink {
        /// Where the link belongs.
        latest: PathBuf,
        /// What to do.
        way_out: String,
    },
    /// Several runs may be the newest.
    #[error(
        "{latest} {what}: {runs}. Point it at the one to go on from, such as `ln -sfn {example} {latest}`",
        latest = .latest.display()
    )]
    Unclear {
        /// The link.
        latest: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// The runs in question.
        runs: String,
        /// One of them.
        example: String,
    },
    /// The newest run is gone, and no other is left.
    #[error(
        "{latest} points at a run that is not there, and no other is beside it. Restore the runs, or remove the link \
         to begin a new history",
        latest = .latest.display()
    )]
    Gone {
        /// The link.
        latest: PathBuf,
    },
}

impl HistoryError {
    pub(super) fn unreadable(file: &Path, folder: &Path, cause: &dyn std::fmt::Display) -> HistoryError {
        HistoryError::Unreadable {
            file: file.to_owned(),
            folder: folder.to_owned(),
            cause: cause.to_string(),
        }
    }
}

/// The run before this one.
#[derive(Debug, Clone)]
pub struct PreviousRun {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its manifest, lower-case hexadecimal.
    pub manifest_digest: String,
    /// All findings that its history had.
    pub lifecycle: Lifecycle,
    /// The runs before this one: those that it remembers, then itself.
    pub runs: Vec<PastRun>,
    seen: Seen,
}

impl PreviousRun {
    /// The run had this finding.
    pub fn has(&self, id: &FindingId) -> bool {
        self.lifecycle.find(&id.0).is_some_and(Life::stands)
    }

    /// The finding kept the run from being clean. One that does so now and did not then is worth an
    /// alert, be it new, back again, graver, or no longer accepted.
    pub fn was_blocked_by(&self, id: &FindingId) -> bool {
        self.lifecycle.find(&id.0).is_some_and(Life::is_blocking)
    }

    /// Rows, users and stored balances that it had and this run has not.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when settled rows cannot be read back.
    pub fn shrunk(&self, now: &Now<'_>) -> Result<Shrunk, NormaliseError> {
        self.seen.shrunk(now)
    }
}

/// What is read of a manifest: which files there are.
#[derive(Deserialize)]
struct Manifest {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    sha256: String,
}

/// The files of the run before that this one builds on.
const BUILT_ON: [&str; 5] =
    [lifecycle::FILE_NAME, runs::FILE_NAME, "findings.csv", "summary.json", "balances.csv"];

/// What is built on is as its run wrote it: a lifecycle that lost a line would make an old error new,
/// and one with a line too many a new error old.
fn check_intact(run: &Path, manifest: &Manifest) -> Result<(), HistoryError> {
    for listed in manifest.files.iter().filter(|file| BUILT_ON.contains(&file.name.as_str())) {
        let file = run.join(&listed.name);
        let digest = digest(&file).map_err(|cause| HistoryError::unreadable(&file, run, &cause))?;
        if digest != listed.sha256 {
            return Err(HistoryError::Damaged { file, folder: run.to_owned() });
        }
    }
    Ok(())
}

/// SHA-256 of a file, read piece by piece.
fn digest(file: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let mut hash = Sha256::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hash.finish().hex()),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The run that the next one follows, if there is one: that of `latest`, as far as the chain of manifests
/// bears it out.
///
/// # Errors
/// [`HistoryError`] when it is there but cannot be read, is not as it was written, or is not to be told
/// from others.
pub fn previous(folder: &Path) -> Result<Option<PreviousRun>, HistoryError> {
    let Some(run) = newest::newest(folder)? else { return Ok(None) };
    let failed =
        |file: &str, cause: &dyn std::fmt::Display| HistoryError::unreadable(&run.join(file), &run, cause);
    let bytes = std::fs::read(run.join("manifest.json")).map_err(|cause| failed("manifest.json", &cause))?;
    let manifest_digest = sha256(&bytes).hex();
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|cause| failed("manifest.json", &cause))?;
    check_intact(&run, &manifest)?;
    let itself =
        PastRun::read(&run)?.ok_or_else(|| failed("manifest.json", &"it is not that of a run of reckon"))?;

    let findings = run.join("findings.csv");
    let mut mended = Mended::default();
    let read = table::each_row(&findings, |row| mended.note(row));
    read.map_err(|cause| failed("findings.csv", &cause))?;
    // An earlier version wrote none; one that is listed and missing is an error.
    let is_listed = manifest.files.iter().any(|file| file.name == lifecycle::FILE_NAME);
    let lifecycle = match is_listed {
        true => Lifecycle::read(&run.join(lifecycle::FILE_NAME))
            .map_err(|cause| failed(lifecycle::FILE_NAME, &cause))?,
        false => {
            Lifecycle::of_findings(&findings, itself.as_of).map_err(|cause| failed("findings.csv", &cause))?
        }
    };
    let mut runs = runs::lines(&run)?;
    runs.push(itself);
    let seen = Seen::read(&run, mended).map_err(|(file, cause)| failed(file, &cause))?;
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Some(PreviousRun { name, manifest_digest, lifecycle, runs, seen }))
}
