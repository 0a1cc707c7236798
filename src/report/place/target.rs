//! The place itself: what may be there, and how a whole directory takes it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::Deserialize;

use super::{ATTEMPTS, CERTIFICATE, PlaceError};
use crate::cutover::archive;
use crate::history::FolderLock;
use crate::history::lifecycle::FILE_NAME as LIFECYCLE;
use crate::history::packs::PACK_SCHEMA;
use crate::report::manifest;

/// What is at a place.
#[derive(Debug, PartialEq, Eq)]
enum Tenant {
    Nobody,
    EmptyDirectory,
    /// A complete directory of the same kind.
    Complete,
}

/// What is written, and may be exchanged for the like only: an archive may be all that is left of a
/// table, a certificate is evidence, and a pack is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A run.
    Run,
    /// A run with a certificate beside it; it may take the place of one without, too.
    Gate,
    /// An audit pack, which is exchanged for nothing.
    Pack,
    /// The archive of a table.
    Archive,
}

impl Kind {
    /// A manifest of this schema is one of this kind.
    fn bears(self, schema: &str) -> bool {
        match self {
            Kind::Run | Kind::Gate => schema == manifest::SCHEMA,
            Kind::Pack => schema == PACK_SCHEMA,
            Kind::Archive => schema == archive::MANIFEST_SCHEMA,
        }
    }
}

/// What the check needs of a manifest.
#[derive(Deserialize)]
struct Listing {
    schema: String,
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
}

/// The place with symbolic links followed and a name of its own.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, PlaceError> {
    match fs::canonicalize(path) {
        Ok(real) if real.file_name().is_some() => Ok(real),
        Ok(_) => Err(PlaceError::NoName { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => match path.file_name() {
            Some(name) => {
                dangling(path).map_or(Ok(()), Err)?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                Ok(folder.unwrap_or(Path::new(".")).join(name))
            }
            None => Err(PlaceError::NoName { path: path.to_owned() }),
        },
        Err(error) => Err(PlaceError::write(path, error)),
    }
}

/// The link on the way to a path whose target is not there, as where a disk is not mounted: nothing is
/// written beside it in silence.
pub(super) fn dangling(path: &Path) -> Option<PlaceError> {
    let link = path.ancestors().filter(|part| !part.as_os_str().is_empty()).find(|part| {
        let is_gone = fs::metadata(part).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        is_gone && part.is_symlink()
    })?;
    let target = fs::read_link(link).ok()?;
    Some(PlaceError::Dangling { link: link.to_owned(), target })
}

/// May a directory of this kind go here by name? A run of a history stays: those after it name it.
pub(super) fn check(path: &Path, kind: Kind) -> Result<(), PlaceError> {
    let tenant = tenant(path, kind)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let is_history = || {
        let marks = [folder.join("latest"), folder.join(FolderLock::FILE_NAME)];
        let is_there = marks.iter().any(|mark| fs::symlink_metadata(mark).is_ok());
        is_there && listed_files(path, kind).is_some_and(|files| files.iter().any(|file| file == LIFECYCLE))
    };
    if tenant == Tenant::Complete && matches!(kind, Kind::Run | Kind::Gate) && is_history() {
        return Err(PlaceError::OfHistory { path: path.to_owned() });
    }
    Ok(())
}

fn tenant(path: &Path, kind: Kind) -> Result<Tenant, PlaceError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Tenant::Nobody),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(PlaceError::IsAFile { path: path.to_owned() });
        }
        Err(error) => return Err(PlaceError::write(path, error)),
    };
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<String>, _>>()
        .map_err(|error| PlaceError::write(path, error))?;
    if names.is_empty() {
        return Ok(Tenant::EmptyDirectory);
    }
    names.sort();
    let listed = listed_files(path, kind);
    let is_certified = || listed.as_ref().is_some_and(|files| files.iter().any(|file| file == CERTIFICATE));
    if kind == Kind::Run && is_certified() {
        return Err(PlaceError::Certified { path: path.to_owned() });
    }
    if matches!(kind, Kind::Run | Kind::Gate) && listed_files(path, Kind::Pack).is_some() {
        return Err(PlaceError::Sealed { path: path.to_owned() });
    }
    // Somebody's notes in a run directory would be lost with it; what desktops hide there may go.
    let is_ours = |name: &String| {
        listed.as_ref().is_some_and(|listed| {
            name == manifest::FILE_NAME || name.starts_with('.') || listed.contains(name)
        })
    };
    match names.into_iter().find(|name| !is_ours(name)) {
        Some(entry) if kind == Kind::Archive => Err(PlaceError::NoArchive { path: path.to_owned(), entry }),
        Some(entry) => Err(PlaceError::Occupied { path: path.to_owned(), entry }),
        None => Ok(Tenant::Complete),
    }
}

/// The files that the manifest of a directory lists; `None` where there is no manifest of this kind.
fn listed_files(path: &Path, kind: Kind) -> Option<Vec<String>> {
    let bytes = fs::read(path.join(manifest::FILE_NAME)).ok()?;
    let listing: Listing = serde_json::from_slice(&bytes).ok()?;
    kind.bears(&listing.schema).then(|| listing.files.into_iter().map(|file| file.name).collect())
}

/// Moves a whole directory to its place, in exchange for a complete one that may be there; a pack only
/// where there is none, since a rename takes the place of nothing but an empty directory.
pub(super) fn replace(staged: &Path, path: &Path, kind: Kind) -> Result<(), PlaceError> {
    for _ in 0..ATTEMPTS {
        let moved = match tenant(path, kind)? {
            Tenant::Nobody | Tenant::EmptyDirectory => fs::rename(staged, path),
            Tenant::Complete if kind == Kind::Pack => {
                return Err(PlaceError::Sealed { path: path.to_owned() });
            }
            Tenant::Complete => exchange(staged, path, kind),
        };
        match moved {
            Ok(()) => return Ok(()),
            // Another run took or left the place between the look and the move: look again.
            Err(error) if is_race(error.kind()) => {}
            Err(error) => return Err(PlaceError::write(path, error)),
        }
    }
    Err(PlaceError::Busy { path: path.to_owned() })
}

fn is_race(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotFound)
}

/// Exchanges two directories in one step, then removes the old one.
fn exchange(staged: &Path, path: &Path, kind: Kind) -> std::io::Result<()> {
    use rustix::io::Errno;
    match renameat_with(CWD, staged, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => remove_run(staged),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => exchange_in_two(staged, path, kind),
        Err(error) => Err(error.into()),
    }
}

/// The exchange on file systems and kernels that have none: for a moment neither directory is at the
/// place, but nothing that stands there is ever half written.
fn exchange_in_two(staged: &Path, path: &Path, kind: Kind) -> std::io::Result<()> {
    let aside = aside(staged, path, kind);
    fs::rename(path, &aside)?;
    if let Err(error) = fs::rename(staged, path) {
        fs::rename(&aside, path)?;
        return Err(error);
    }
    remove_run(&aside)
}

/// What the old directory is called meanwhile. That of a run is removed by the next run, should this
/// process die; an archive may be all that is left of a table, so it gets a name that people see and
/// nothing removes.
fn aside(staged: &Path, path: &Path, kind: Kind) -> PathBuf {
    let named = |of: &Path, suffix: String| {
        let mut name = of.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    match kind {
        Kind::Run | Kind::Gate | Kind::Pack => named(staged, "-0".to_owned()),
        Kind::Archive => {
            // In a container every process may have the same number.
            let first = named(path, format!(".old-{}", std::process::id()));
            let more = (1..ATTEMPTS).map(|attempt| named(&first, format!("-{attempt}")));
            let free = std::iter::once(first.clone()).chain(more).find(|name| !name.exists());
            free.unwrap_or(first)
        }
    }
}

/// Something in a run directory that its manifest does not list; `None`: all of it is the run's own.
pub(super) fn foreign(path: &Path) -> Result<Option<String>, PlaceError> {
    match tenant(path, Kind::Gate) {
        Ok(_) => Ok(None),
        Err(PlaceError::Occupied { entry, .. }) => Ok(Some(entry)),
        Err(error) => Err(error),
    }
}

/// Removes a run, its manifest first, so that no part of it looks whole.
pub(super) fn remove_run(path: &Path) -> std::io::Result<()> {
    let removed = fs::remove_file(path.join(manifest::FILE_NAME)).and_then(|()| fs::remove_dir_all(path));
    match removed {
        // A run that started meanwhile cleans up as well.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Lets `latest` in the folder point at a run, in one step. Whoever does so holds the folder's lock, so that
/// links which wait to become `latest` are those of processes that were killed between these two steps.
pub(super) fn point_latest(folder: &Path, run: &Path) -> Result<(), PlaceError> {
    let link = folder.join("latest");
    let waiting = super::prefix("latest");
    let fresh = folder.join(format!("{waiting}{}", std::process::id()));
    let name = run.file_name().unwrap_or_default();
    for left in fs::read_dir(folder).into_iter().flatten().flatten() {
        if left.file_name().to_string_lossy().starts_with(&waiting) && left.path().is_symlink() {
            let _ = fs::remove_file(left.path());
        }
    }
    symlink(name, &fresh)
        .and_then(|()| fs::rename(&fresh, &link))
        .map_err(|source| PlaceError::write(&link, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::place::{prefix, remove_stale};

    #[test]
    fn links_that_killed_processes_left_are_gone_once_latest_points_at_a_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = folder.path().join("run");
        fs::create_dir(&run).expect("a directory");
        for process in [1, std::process::id()] {
            symlink("gone", folder.path().join(format!(".latest.tmp-{process}"))).expect("a link");
        }
        fs::write(folder.path().join(".latest.tmp-note"), "no link").expect("a file");
        point_latest(folder.path(), &run).expect("latest");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("a name").file_name())
            .collect();
        names.sort();
        assert_eq!(names, [".latest.tmp-note", "latest", "run"]);
        assert_eq!(fs::read_link(folder.path().join("latest")).expect("a link"), Path::new("run"));
    }

    /// A folder with a directory at its place and one that is to take it, each with a word in it.
    fn two() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("archive");
        let staged = folder.path().join(format!("{}{}", prefix("archive"), std::process::id()));
        for (directory, word) in [(&path, "old"), (&staged, "new")] {
            fs::create_dir(directory).expect("a directory");
            fs::write(directory.join(manifest::FILE_NAME), word).expect("a file");
        }
        (folder, path, staged)
    }

    #[test]
    fn an_archive_set_aside_is_not_taken_for_what_an_interrupted_run_left() {
        let (folder, path, staged) = two();
        let aside = aside(&staged, &path, Kind::Archive);
        fs::rename(&path, &aside).expect("set aside");
        // Here the process dies; the next one cleans up before it begins.
        remove_stale(folder.path(), "archive", true);
        assert!(!staged.exists(), "what was being written is gone");
        let word =
            fs::read_to_string(aside.join(manifest::FILE_NAME)).expect("the old archive is still there");
        assert_eq!(word, "old");
        assert_ne!(super::aside(&staged, &path, Kind::Archive), aside, "nor is it written over");
    }

    #[test]
    fn an_exchange_in_two_leaves_the_new_one_alone() {
        for kind in [Kind::Run, Kind::Gate, Kind::Archive] {
            let (folder, path, staged) = two();
            exchange_in_two(&staged, &path, kind).expect("an exchange");
            assert_eq!(fs::read_to_string(path.join(manifest::FILE_NAME)).expect("a file"), "new");
            assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "{kind:?}");
            exchange_in_two(&staged, &path, kind).expect_err("there is nothing to take the place");
            assert_eq!(fs::read_to_string(path.join(manifest::FILE_NAME)).expect("a file"), "new");
        }
    }
}
