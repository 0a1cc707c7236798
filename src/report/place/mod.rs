//! Where a run directory goes, and how it gets there whole or not at all.
//!
//! A run is written into a hidden directory beside its place, flushed to disk and renamed. A process
//! that is killed at any moment leaves at most such a hidden directory, without a `manifest.json`;
//! the next run removes it. A staging directory is locked while its process lives, so that two runs
//! at once never remove each other's.

mod error;
mod staged;
mod target;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::domain::Instant;

use super::figures::compact_moment;
use target::Kind;

pub use error::PlaceError;
pub use staged::{StagedFile, WrittenFile};

use staged::Flusher;

/// Where a run directory goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Exactly here (`--out`): absent, empty, or a complete run that is exchanged for the new one.
    Exact(PathBuf),
    /// As [`Place::Exact`], for a run with a certificate beside it: only such a run may take the place of
    /// one that has its own.
    Gate(PathBuf),
    /// Exactly here, an audit pack: absent or empty when it is placed. Where a pack is by then,
    /// [`Staging::commit`] is refused with [`PlaceError::Sealed`].
    Pack(PathBuf),
    /// Exactly here (`--archive`): absent, empty, or an archive that is exchanged for the new one.
    Archive(PathBuf),
    /// Into the folder of the history, under a name of its own, with `latest` pointing at it.
    History(PathBuf),
}

/// A directory that is being written. Dropped without [`Staging::commit`], it vanishes.
#[derive(Debug)]
pub struct Staging {
    place: Place,
    folder: PathBuf,
    path: PathBuf,
    is_committed: bool,
    flusher: Flusher,
    /// Holds the lock that tells other processes that this directory is alive.
    _lock: File,
}

impl Place {
    /// Creates the folder of a history, which has to be there to be locked. Its lock is taken before
    /// [`Staging::begin`], which removes what dead runs left in it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        let Place::History(folder) = self else { return Ok(()) };
        target::dangling(folder).map_or(Ok(()), Err)?;
        fs::create_dir_all(folder).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => PlaceError::FileForFolder { path: folder.clone() },
            _ => PlaceError::write(folder, source),
        })
    }
}

/// What staging directories of a history are called after.
const HISTORY_STEM: &str = "run";

/// The certificate of `reckon cutover`: a run that holds one is evidence.
const CERTIFICATE: &str = "cutover.json";

/// Number that tells a run on its way out from one that is being written.
const REMOVED: u32 = 1000;

/// How often a name or a place may be taken by another process before it is an error.
const ATTEMPTS: u32 = 16;

impl Staging {
    /// Checks the place and opens a staging directory beside it, so that a place that cannot be
    /// written is known before anything is read. Removes what dead processes left there.
    ///
    /// # Errors
    /// [`PlaceError`] when the place is taken, is no directory, or cannot be written.
    pub fn begin(place: Place) -> Result<Staging, PlaceError> {
        let (place, folder, stem) = match place {
            Place::Exact(path) => {
                let (path, folder, stem) = beside(&path, Kind::Run)?;
                (Place::Exact(path), folder, stem)
            }
            Place::Gate(path) => {
                let (path, folder, stem) = beside(&path, Kind::Gate)?;
                (Place::Gate(path), folder, stem)
            }
            Place::Pack(path) => {
                let (path, folder, stem) = beside(&path, Kind::Pack)?;
                (Place::Pack(path), folder, stem)
            }
            Place::Archive(path) => {
                let (path, folder, stem) = beside(&path, Kind::Archive)?;
                (Place::Archive(path), folder, stem)
            }
            Place::History(folder) => (Place::History(folder.clone()), folder, HISTORY_STEM.to_owned()),
        };
        place.prepare()?;
        fs::create_dir_all(&folder).map_err(|source| PlaceError::write(&folder, source))?;
        remove_stale(&folder, &stem, matches!(place, Place::History(_)));
        let (path, lock) = create_locked(&folder, &stem)?;
        let flusher = Flusher::start().map_err(|source| PlaceError::write(&path, source))?;
        Ok(Staging { place, folder, path, is_committed: false, flusher, _lock: lock })
    }

    /// Opens a file in the directory.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn file(&self, name: &str) -> Result<StagedFile, PlaceError> {
        StagedFile::create(&self.path, name, &self.flusher)
    }

    /// Where the files are for the time being.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until its files are on disk, flushes the directory and moves it to its place. Gives back where
    /// it now is.
    ///
    /// # Errors
    /// When the directory cannot be flushed or moved, or its place has been taken meanwhile.
    pub fn commit(mut self, as_of: Instant, run_id: &str) -> Result<PathBuf, PlaceError> {
        self.flusher.wait()?;
        sync(&self.path)?;
        let (target, kind) = match &self.place {
            Place::Exact(path) => (path.clone(), Kind::Run),
            Place::Gate(path) => (path.clone(), Kind::Gate),
            Place::Pack(path) => (path.clone(), Kind::Pack),
            Place::Archive(path) => (path.clone(), Kind::Archive),
            Place::History(folder) => self.in_history(folder, &format!("{}-{run_id}", compact_moment(as_of))),
        };
        target::replace(&self.path, &target, kind)?;
        self.is_committed = true;
        sync(&self.folder)?;
        if let Place::History(folder) = &self.place {
            target::point_latest(folder, &target)?;
            sync(folder)?;
        }
        Ok(target)
    }

    /// Where a run of a history goes. The same run again takes the place of the earlier one, but not
    /// where that one holds a certificate and this one does not, nor where it lies elsewhere.
    fn in_history(&self, folder: &Path, name: &str) -> (PathBuf, Kind) {
        let first = folder.join(name);
        let kind = if self.path.join(CERTIFICATE).exists() { Kind::Gate } else { Kind::Run };
        let more = (2..ATTEMPTS).map(|attempt| folder.join(format!("{name}-{attempt}")));
        let stays = |path: &Path| path.is_symlink() || (kind == Kind::Run && path.join(CERTIFICATE).exists());
        let free = std::iter::once(first.clone()).chain(more).find(|path| !stays(path));
        (free.unwrap_or(first), kind)
    }
}

/// What became of a run that was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone,
    /// It stays, and why.
    Kept(String),
}

/// Removes a run from the folder of the history, in one step for whoever looks at the folder: it first
/// becomes a hidden directory of a name that the next run removes too, should this process die. A run
/// that holds a certificate or anything that it did not write stays, as do the one that `latest` points at
/// and a link to a run elsewhere.
///
/// # Errors
/// When it cannot be moved or removed.
pub fn remove(folder: &Path, name: &str) -> Result<Removed, PlaceError> {
    let run = folder.join(name);
    if run.is_symlink() {
        return Ok(Removed::Kept("it is a link to elsewhere".to_owned()));
    }
    if fs::canonicalize(folder.join("latest")).ok() == fs::canonicalize(&run).ok() {
        return Ok(Removed::Kept("latest points at it".to_owned()));
    }
    if run.join(CERTIFICATE).exists() {
        return Ok(Removed::Kept(format!("it holds a certificate, {CERTIFICATE}")));
    }
    if let Some(entry) = target::foreign(&run)? {
        return Ok(Removed::Kept(format!("it holds {entry}, which it did not write")));
    }
    for attempt in 0..ATTEMPTS {
        let aside =
            folder.join(format!("{}{}-{REMOVED}-{attempt}", prefix(HISTORY_STEM), std::process::id()));
        match fs::rename(&run, &aside) {
            Ok(()) => {
                target::remove_run(&aside).map_err(|source| PlaceError::write(&aside, source))?;
                return Ok(Removed::Gone);
            }
            // Somebody else was quicker.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Removed::Gone),
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(PlaceError::write(&run, error)),
        }
    }
    Err(PlaceError::Busy { path: folder.to_owned() })
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.is_committed {
            // Nothing more can be done about a failure here; the next run tries again.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A place as it is called, once it is known to be free for this kind; its folder; its name.
fn beside(path: &Path, kind: Kind) -> Result<(PathBuf, PathBuf, String), PlaceError> {
    let path = target::resolve(path)?;
    target::check(&path, kind)?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((path, folder, stem))
}

/// Makes what has been renamed in a directory survive a power cut.
fn sync(path: &Path) -> Result<(), PlaceError> {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|source| PlaceError::write(path, source))
}

fn prefix(stem: &str) -> String {
    format!(".{stem}.tmp-")
}

/// Creates a directory that no other process holds, and locks it.
fn create_locked(folder: &Path, stem: &str) -> Result<(PathBuf, File), PlaceError> {
    for attempt in 0..ATTEMPTS {
        let mut name = format!("{}{}", prefix(stem), std::process::id());
        if attempt > 0 {
            name.push_str(&format!("-{attempt}"));
        }
        let path = folder.join(name);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(PlaceError::write(&path, error)),
        }
        // Between creation and lock a cleaning process may have taken the directory for a dead one.
        if let Some((lock, _)) = try_lock(&path).filter(|(lock, _)| is_same(lock, &path)) {
            return Ok((path, lock));
        }
    }
    Err(PlaceError::Busy { path: folder.to_owned() })
}

/// The lock on a directory, if nobody else is known to hold it.
fn try_lock(path: &Path) -> Option<(File, Lock)> {
    let directory = File::open(path).ok()?;
    match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Some((directory, Lock::Held)),
        Err(rustix::io::Errno::WOULDBLOCK) => None,
        Err(_) => Some((directory, Lock::Unknown)),
    }
}

/// What a lock tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// It is held, by nobody else.
    Held,
    /// The file system knows no locks: somebody else may be at work.
    Unknown,
}

impl Lock {
    /// Whose staging directory it is has died. Where no lock tells, it has if the whole folder is locked
    /// in another way.
    fn is_of_the_dead(self, is_folder_locked: bool) -> bool {
        self == Lock::Held || is_folder_locked
    }
}

fn is_same(directory: &File, path: &Path) -> bool {
    match (directory.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Removes staging directories that no living process holds.
fn remove_stale(folder: &Path, stem: &str, is_folder_locked: bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(&prefix(stem))) else { continue };
        let is_ours = owner.starts_with(|first: char| first.is_ascii_digit())
            && owner.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_ours {
            continue;
        }
        if let Some((_lock, state)) = try_lock(&entry.path())
            && state.is_of_the_dead(is_folder_locked)
        {
            tracing::debug!(path = %entry.path().display(), "removing what an interrupted run left");
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
