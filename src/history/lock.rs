//! One run at a time on a folder of runs: each names the one before it, and of two at once both would
//! name the same.
//!
//! The lock is `flock` on `.reckon.lock` in the folder. It goes with its process, however that ends,
//! so a run that was killed keeps nobody out. What the file says is for people. Where a file system
//! knows no such lock, the file itself is the lock, and who holds it is looked up ([`mod@named`]).

mod named;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Clock};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::domain::{Instant, Span};

/// Name of the file in the folder.
const FILE_NAME: &str = ".reckon.lock";

/// How often a waiting run looks whether the other one has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error(
        "another run ({holder}) is at work on {}; let it end, wait for it with --wait 10m, or write elsewhere with \
         --out",
        folder.display()
    )]
    Held {
        /// The folder.
        folder: PathBuf,
        /// `pid 123 on host x since …`, or that it is not known yet.
        holder: String,
    },
    /// The file of the lock cannot be opened or written.
    #[error("cannot lock {}: {cause}; a run has to write its folder, so name one that may be written", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Interrupted by a signal while waiting.
    #[error("interrupted")]
    Interrupted,
}

/// Who holds a lock, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// Process.
    pid: u32,
    /// Machine.
    host: String,
    /// When the run began, RFC 3339.
    since: String,
    /// When the process began, in clock ticks since the start of the machine, where it tells: a later
    /// process may have the same number.
    #[serde(default)]
    process_started: Option<u64>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {} on host {} since {}", self.pid, self.host, self.since)
    }
}

/// Who wants the lock, and for how long it waits.
#[derive(Debug, Clone)]
pub struct Waiter<'a> {
    /// Name of this machine.
    pub host: &'a str,
    /// When this run began.
    pub started: Instant,
    /// How long to wait for another run; zero: not at all.
    pub wait: Span,
}

/// A folder of runs that no other run works on. Dropped, it is free again.
#[derive(Debug)]
pub struct FolderLock {
    _kind: Kind,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held, not read")]
enum Kind {
    /// The open file carries the lock.
    Open(File),
    /// The file is the lock.
    Named(named::Named),
}

impl FolderLock {
    /// Name of its file in the folder.
    pub const FILE_NAME: &str = FILE_NAME;

    /// Locks a folder, waiting for another run as long as `waiter` says. The folder has to exist.
    ///
    /// # Errors
    /// [`LockError`]: another run has it, it cannot be written, or `is_stopped` says so.
    pub fn take(
        folder: &Path,
        waiter: &Waiter<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<FolderLock, LockError> {
        let me = Holder {
            pid: std::process::id(),
            host: waiter.host.to_owned(),
            since: waiter.started.rfc3339(),
            process_started: named::start_of(std::process::id()),
        };
        let wait = Duration::from_micros(waiter.wait.0.max(0).unsigned_abs());
        let began = Clock::now();
        let mut said = false;
        loop {
            let held = match attempt(folder, &me) {
                Err(error @ LockError::Held { .. }) => error,
                taken => return taken,
            };
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(held);
            }
            if let (false, LockError::Held { holder, .. }) = (said, &held) {
                let (folder, wait) = (folder.display(), wait.as_secs());
                tracing::warn!("another run ({holder}) is at work on {folder}: waiting up to {wait} s");
                said = true;
            }
            if is_stopped() {
                return Err(LockError::Interrupted);
            }
            std::thread::sleep(LOOK_AGAIN.min(left));
        }
    }
}

/// Takes the lock if nobody has it.
fn attempt(folder: &Path, me: &Holder) -> Result<FolderLock, LockError> {
    let path = folder.join(FILE_NAME);
    let unusable = |cause: io::Error| LockError::Unusable { file: path.clone(), cause };
    // Not truncated: what stands there is said of another run.
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(unusable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            write_holder(&mut file, me).map_err(unusable)?;
            Ok(FolderLock { _kind: Kind::Open(file) })
        }
        Err(Errno::WOULDBLOCK) => {
            let holder = read_holder(&mut file).map(|holder| holder.to_string());
            let holder = holder.unwrap_or_else(|| "that has just begun".to_owned());
            Err(LockError::Held { folder: folder.to_owned(), holder })
        }
        Err(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => {
            let taken = named::Named::take(&folder.join(named::FILE_NAME), me).map_err(unusable)?;
            match taken {
                Ok(named) => Ok(FolderLock { _kind: Kind::Named(named) }),
                Err(holder) => Err(LockError::Held { folder: folder.to_owned(), holder }),
            }
        }
        Err(error) => Err(unusable(error.into())),
    }
}

fn write_holder(file: &mut File, me: &Holder) -> io::Result<()> {
    let line = format!("{}\n", serde_json::to_string(me)?);
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(line.as_bytes())
}

/// `None`: nothing there, or half a line of somebody who is just writing it.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The holder that a file names.
fn holder_at(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(wait: i64) -> Waiter<'static> {
        Waiter { host: "here", started: Instant(0), wait: Span(wait * 1_000) }
    }

    #[test]
    fn a_second_run_is_told_who_is_at_work_and_a_third_gets_the_folder_when_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path(), &waiter(0), &|| false).unwrap();
        let error = FolderLock::take(folder.path(), &waiter(150), &|| false).unwrap_err();
        let expected = format!(
            "another run (pid {} on host here since 1970-01-01T00:00:00.000000Z) is at work on {}; ",
            std::process::id(),
            folder.path().display()
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
        drop(first);
        FolderLock::take(folder.path(), &waiter(0), &|| false).unwrap();
    }

    #[test]
    fn a_waiting_run_goes_on_when_the_other_ends_and_ends_on_a_signal() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path(), &waiter(0), &|| false).unwrap();
        let stopped = FolderLock::take(folder.path(), &waiter(60_000), &|| true).unwrap_err();
        assert!(matches!(stopped, LockError::Interrupted));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| FolderLock::take(folder.path(), &waiter(60_000), &|| false));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!second.is_finished());
            drop(first);
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn what_a_dead_run_left_in_the_file_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let left = r#"{"pid":1,"host":"here","since":"2026-03-01T00:00:00Z"}"#;
        fs::write(folder.path().join(FILE_NAME), left).unwrap();
        FolderLock::take(folder.path(), &waiter(0), &|| false).unwrap();
        let now = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(now.contains(&format!("\"pid\":{}", std::process::id())), "{now}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let error = FolderLock::take(Path::new("/proc/reckon"), &waiter(0), &|| false).unwrap_err();
        assert!(error.to_string().contains("/proc/reckon/.reckon.lock"), "{error}");
    }
}
