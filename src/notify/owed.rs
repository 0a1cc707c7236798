//! What people have not been told yet: an alert that did not arrive, or was not sent, is not lost.
//!
//! A run of a history that has something worth an alert writes it down beside the runs before it is put
//! in its place, and takes it away once everybody has been told. Whatever comes between, a webhook that
//! is down, a run that is killed, a run by hand that tells nobody, the next run finds it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::Finding;

/// Name of the file in the folder of runs.
pub const FILE_NAME: &str = ".reckon.owed.json";

/// Name and version of its shape.
const SCHEMA: &str = "reckon.owed/1";

/// What is owed to people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owed {
    /// Ids of error findings.
    findings: BTreeSet<String>,
    /// What had gone, one sentence each.
    pub shrunk: Vec<String>,
    /// It cannot be known what is owed, so every error is.
    everything: bool,
}

#[derive(Serialize, Deserialize)]
struct Written {
    schema: String,
    findings: BTreeSet<String>,
    shrunk: Vec<String>,
}

impl Owed {
    /// What earlier runs left untold. A file that cannot be read stands for every error there is.
    pub fn read(folder: &Path) -> Owed {
        let file = folder.join(FILE_NAME);
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Owed::default(),
            Err(cause) => return Owed::unreadable(&file, &cause),
        };
        match serde_json::from_slice::<Written>(&bytes) {
            Ok(written) if written.schema == SCHEMA => {
                Owed { findings: written.findings, shrunk: written.shrunk, everything: false }
            }
            Ok(written) => Owed::unreadable(&file, &format!("{} is not {SCHEMA}", written.schema)),
            Err(cause) => Owed::unreadable(&file, &cause),
        }
    }

    fn unreadable(file: &Path, cause: &dyn std::fmt::Display) -> Owed {
        let file = file.display();
        tracing::warn!("cannot read {file}: {cause}; every error counts as not told before");
        Owed { everything: true, ..Owed::default() }
    }

    /// An earlier run owes this finding.
    pub fn has(&self, finding: &Finding) -> bool {
        self.everything || self.findings.contains(&finding.id.0)
    }

    /// What is owed once a run has these findings to tell, and these sentences beside the ones before.
    pub fn with<'a>(self, findings: impl Iterator<Item = &'a Finding>, shrunk: &[String]) -> Owed {
        let findings = findings.map(|finding| finding.id.0.clone()).collect();
        let mut owed = Owed { findings, shrunk: self.shrunk, everything: false };
        for sentence in shrunk {
            if !owed.shrunk.contains(sentence) {
                owed.shrunk.push(sentence.clone());
            }
        }
        owed
    }

    /// Writes it down in the folder of runs, whole or not at all. Only for who has locked the folder.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    pub fn write(self, folder: &Path) -> io::Result<()> {
        if self.findings.is_empty() && self.shrunk.is_empty() {
            return settle(folder);
        }
        let written = Written { schema: SCHEMA.to_owned(), findings: self.findings, shrunk: self.shrunk };
        // One name, so that a run that is killed here leaves no more than one file.
        let beside = folder.join(format!("{FILE_NAME}.new"));
        let mut file = fs::File::create(&beside)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.sync_all()?;
        fs::rename(beside, folder.join(FILE_NAME))
    }
}

/// Everybody has been told: nothing is owed any more. Only for who has locked the folder.
///
/// # Errors
/// When the file cannot be removed.
pub fn settle(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(FILE_NAME)) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, FindingId, RepairKind, Severity};

    fn finding(id: &str) -> Finding {
        let mut finding = Finding::new(Class::Unmigrated, Severity::Error, RepairKind::Review);
        finding.id = FindingId(id.to_owned());
        finding
    }

    #[test]
    fn what_is_written_is_read_and_what_cannot_be_read_is_everything() {
        let folder = tempfile::tempdir().unwrap();
        let read = || Owed::read(folder.path());
        assert_eq!(read(), Owed::default());
        let owed = read().with([finding("a")].iter(), &["rows are gone".to_owned()]);
        owed.clone().write(folder.path()).unwrap();
        assert_eq!(read(), owed);
        assert!(read().has(&finding("a")) && !read().has(&finding("b")));
        // The next run: `a` does not stand any more, what has gone is said once.
        read().with([finding("b")].iter(), &["rows are gone".to_owned()]).write(folder.path()).unwrap();
        assert!(!read().has(&finding("a")) && read().has(&finding("b")));
        assert_eq!(read().shrunk, ["rows are gone"]);
        fs::write(folder.path().join(FILE_NAME), "{").unwrap();
        assert!(read().has(&finding("c")));
        Owed::default().write(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is owed, nothing stays");
    }
}
