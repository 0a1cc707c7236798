//! Which run the next one follows.
//!
//! `latest` says it, and each manifest names the one before it, so that a link that was lost, or that a
//! run which was killed did not come to set, hides no history.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{HistoryError, Listed, lifecycle, runs};
use crate::sha256::sha256;

/// The link in the folder of the history.
pub const LATEST: &str = "latest";

/// A run as a link of the chain.
#[derive(Debug)]
pub(super) struct Link {
    /// Name of its directory.
    pub name: String,
    /// SHA-256 of its manifest, lower-case hexadecimal.
    pub digest: String,
    /// The same of the run before.
    pub previous: Option<String>,
    has_lifecycle: bool,
}

#[derive(Deserialize)]
struct Manifest {
    files: Vec<Listed>,
    previous: Option<String>,
}

impl Link {
    /// Reads a directory; `None` where it holds no run.
    pub(super) fn read(run: &Path) -> Result<Option<Link>, HistoryError> {
        let file = run.join("manifest.json");
        let failed = |cause: &dyn std::fmt::Display| HistoryError::unreadable(&file, run, cause);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(&cause)),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|cause| failed(&cause))?;
        if value["schema"] != runs::MANIFEST_SCHEMA {
            return Ok(None);
        }
        let manifest: Manifest = serde_json::from_value(value).map_err(|cause| failed(&cause))?;
        let has_lifecycle = manifest.files.iter().any(|file| file.name == lifecycle::FILE_NAME);
        let digest = sha256(&bytes).hex();
        Ok(Some(Link { name: name(run), digest, previous: manifest.previous, has_lifecycle }))
    }

    /// It was written as part of a history, and not with `--out`.
    pub(super) fn is_of_history(&self) -> bool {
        self.has_lifecycle || self.previous.is_some()
    }
}

/// The directories in a folder that may hold a run, ascending by name. Staging directories are none. A
/// link counts where a run was moved elsewhere and the link bears its name, and not where the run is in
/// the folder too.
pub(super) fn directories(folder: &Path) -> Result<Vec<PathBuf>, HistoryError> {
    let failed = |cause: std::io::Error| HistoryError::unreadable(folder, folder, &cause);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let (mut found, mut links) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && !name.starts_with('.') {
            found.push(entry.path());
        } else if kind.is_symlink() && is_run_name(&name) && entry.path().is_dir() {
            links.push(entry.path());
        }
    }
    links.sort();
    let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
    let mut known: HashSet<PathBuf> = found.iter().filter_map(real).collect();
    found.extend(links.into_iter().filter(|link| real(link).is_some_and(|real| known.insert(real))));
    found.sort();
    Ok(found)
}

/// The shape of the name that a history gives to a run: its as-of, then an id.
fn is_run_name(name: &str) -> bool {
    let of_as_of = name.split_once('-').map(|(as_of, _)| as_of.as_bytes());
    of_as_of.is_some_and(|as_of| {
        let shape = as_of.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
        as_of.len() == 16 && shape
    })
}

/// The run that the next one follows; `None`: there is no history yet.
///
/// # Errors
/// [`HistoryError`] when there is a history, and it does not say which of its runs is the newest.
pub fn newest(folder: &Path) -> Result<Option<PathBuf>, HistoryError> {
    let latest = folder.join(LATEST);
    let failed = |cause: &std::io::Error| HistoryError::unreadable(&latest, folder, cause);
    let is_there = match std::fs::symlink_metadata(&latest) {
        Ok(found) if !found.file_type().is_symlink() => return Err(no_link(folder, latest)),
        Ok(_) => true,
        Err(cause) if cause.kind() == ErrorKind::NotFound => false,
        Err(cause) => return Err(failed(&cause)),
    };
    match std::fs::canonicalize(&latest) {
        Ok(run) => follow(folder, run).map(Some),
        Err(cause) if cause.kind() == ErrorKind::NotFound => last(folder, is_there),
        Err(cause) => Err(failed(&cause)),
    }
}

/// From the run that `latest` points at to the one that follows it, where a run came into its place and
/// was killed before it could set the link.
fn follow(folder: &Path, pointed: PathBuf) -> Result<PathBuf, HistoryError> {
    // What cannot be read of the run itself is said by whoever reads it.
    let Ok(Some(start)) = Link::read(&pointed) else { return Ok(pointed) };
    // A run that was placed is whole: one that cannot be read follows nothing.
    let links: Vec<Link> =
        directories(folder)?.iter().filter_map(|run| Link::read(run).ok().flatten()).collect();
    let (mut at, mut digest) = (pointed, start.digest);
    let mut seen = HashSet::new();
    while seen.insert(digest.clone()) {
        let mut next: Vec<&Link> =
            links.iter().filter(|link| link.previous.as_ref() == Some(&digest)).collect();
        next.dedup_by(|one, other| one.digest == other.digest);
        match next[..] {
            [] => break,
            [link] => {
                tracing::warn!(
                    "{} points at {}, and {} follows that one: its run was stopped before it could set the link. \
                     The history goes on from there",
                    folder.join(LATEST).display(),
                    name(&at),
                    link.name
                );
                (at, digest) = (folder.join(&link.name), link.digest.clone());
            }
            _ => return Err(unclear(folder, "points at a run that several follow", &next)),
        }
    }
    Ok(at)
}

/// Without the link: the one run that no other follows or remembers.
fn last(folder: &Path, is_there: bool) -> Result<Option<PathBuf>, HistoryError> {
    let mut links = Vec::new();
    for run in directories(folder)? {
        links.extend(Link::read(&run)?);
    }
    let followed: HashSet<&String> = links.iter().filter_map(|link| link.previous.as_ref()).collect();
    let is_last = |link: &&Link| link.is_of_history() && !followed.contains(&link.digest);
    let mut ends: Vec<&Link> = links.iter().filter(is_last).collect();
    if ends.len() > 1 {
        // Runs between them may have been removed: the later one remembers the earlier.
        let mut remembered = HashSet::new();
        for end in &ends {
            let lines = runs::lines(&folder.join(&end.name))?;
            remembered.extend(lines.into_iter().map(|line| line.manifest_digest));
        }
        ends.retain(|end| !remembered.contains(&end.digest));
        ends.dedup_by(|one, other| one.digest == other.digest);
    }
    match ends[..] {
        [] if links.iter().all(|link| !link.is_of_history()) && !is_there => Ok(None),
        [] => Err(HistoryError::Gone { latest: folder.join(LATEST) }),
        [end] => {
            tracing::warn!(
                "{} {}: the history goes on from {}, which no other run follows",
                folder.join(LATEST).display(),
                if is_there { "points at a run that is not there" } else { "is missing" },
                end.name
            );
            Ok(Some(folder.join(&end.name)))
        }
        _ if is_there => {
            Err(unclear(folder, "points at a run that is not there, and no other follows", &ends))
        }
        _ => Err(unclear(folder, "is missing, and no other run follows", &ends)),
    }
}

fn unclear(folder: &Path, what: &'static str, runs: &[&Link]) -> HistoryError {
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let example = names.last().map(|name| (*name).to_owned()).unwrap_or_default();
    HistoryError::Unclear { latest: folder.join(LATEST), what, runs: names.join(", "), example }
}

/// A directory or a file in place of the link.
fn no_link(folder: &Path, latest: PathBuf) -> HistoryError {
    let digest = Link::read(&latest).ok().flatten().map(|link| link.digest);
    let beside = directories(folder).unwrap_or_default().into_iter().find(|run| {
        name(run) != LATEST
            && digest.is_some()
            && Link::read(run).ok().flatten().map(|link| link.digest) == digest
    });
    let way_out = match (beside, digest) {
        (Some(run), _) => format!("remove it: the same run stands beside it as {}", name(&run)),
        (None, Some(_)) => {
            "rename it to the run's own name, which its successor or its as-of tells".to_owned()
        }
        (None, None) => "move it elsewhere".to_owned(),
    };
    HistoryError::NoLink { latest, way_out }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
