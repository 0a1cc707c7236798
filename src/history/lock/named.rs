//! The lock for file systems without `flock`: a file that exists while a run is at work and says whose
//! it is. A process that was killed leaves it behind, so the next run looks whether its owner lives.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Holder, holder_at};

/// Name of the file in the folder.
pub(super) const FILE_NAME: &str = ".reckon.lock.held";

/// Whether a process of another machine lives cannot be looked up; after so long it is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How often the file may be taken by others before that is all there is to say.
const ATTEMPTS: u32 = 8;

/// The file, removed when dropped.
#[derive(Debug)]
pub(super) struct Named {
    path: PathBuf,
}

impl Drop for Named {
    fn drop(&mut self) {
        // What cannot be removed is found to be of a dead process later.
        let _ = fs::remove_file(&self.path);
    }
}

impl Named {
    /// Creates the file, in the place of one whose owner is dead. The inner error says who has it.
    pub fn take(path: &Path, me: &Holder) -> io::Result<Result<Named, String>> {
        let mut holder = "that has just begun".to_owned();
        for _ in 0..ATTEMPTS {
            // Written beside and linked, so that the file never lacks its owner.
            let fresh = path.with_extension(format!("new-{}", me.pid));
            let written = File::create(&fresh).and_then(|mut file| file.write_all(&serde_json::to_vec(me)?));
            let linked = written.and_then(|()| fs::hard_link(&fresh, path));
            let _ = fs::remove_file(&fresh);
            match linked {
                Ok(()) => return Ok(Ok(Named { path: path.to_owned() })),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            let Some(other) = holder_at(path) else { continue };
            holder = other.to_string();
            if is_alive(&other, me, age(path)) {
                return Ok(Err(holder));
            }
            remove_dead(path, &other, me.pid)?;
        }
        Ok(Err(holder))
    }
}

/// Moves the file of a dead process aside. If another run has taken its place meanwhile, it gets it
/// back.
fn remove_dead(path: &Path, dead: &Holder, pid: u32) -> io::Result<()> {
    let aside = path.with_extension(format!("dead-{pid}"));
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    if holder_at(&aside).as_ref() != Some(dead) {
        match fs::hard_link(&aside, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    fs::remove_file(&aside)
}

fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|facts| facts.modified());
    modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default()
}

fn is_alive(other: &Holder, me: &Holder, age: Duration) -> bool {
    if other.host != me.host {
        return age < DEAD_AFTER;
    }
    match (start_of(other.pid), other.process_started) {
        // The same number, but a process that began at another time.
        (Some(now), Some(then)) => now == then,
        (Some(_), None) => true,
        (None, _) => exists(other.pid),
    }
}

/// Is there a process of this number? Where that cannot be told there is one.
fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// When a process began, in clock ticks since the start of the machine, where the system tells.
pub(super) fn start_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, and may hold blanks and brackets itself.
    let after_name = text.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32, host: &str, process_started: Option<u64>) -> Holder {
        Holder { pid, host: host.to_owned(), since: "2026-03-01T00:00:00Z".to_owned(), process_started }
    }

    #[test]
    fn the_owner_of_a_file_lives_as_far_as_can_be_told() {
        let me = std::process::id();
        let mine = start_of(me);
        assert!(mine.is_some_and(|ticks| ticks > 0));
        let gone = 4_000_000; // above the highest process number of Linux's default
        let (hour, day) = (Duration::from_secs(3600), DEAD_AFTER);
        let cases = [
            ("this process", holder(me, "here", mine), hour, true),
            ("this number, another process", holder(me, "here", mine.map(|ticks| ticks + 1)), hour, false),
            ("this number, unknown start", holder(me, "here", None), hour, true),
            ("a number that nobody has", holder(gone, "here", Some(1)), hour, false),
            ("another machine, an hour ago", holder(gone, "there", Some(1)), hour, true),
            ("another machine, a day ago", holder(gone, "there", Some(1)), day, false),
        ];
        for (name, other, age, expected) in cases {
            assert_eq!(is_alive(&other, &holder(me, "here", mine), age), expected, "{name}");
        }
    }

    #[test]
    fn the_file_is_taken_once_and_after_a_dead_process_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let me = holder(std::process::id(), "here", start_of(std::process::id()));
        let first = Named::take(&path, &me).unwrap().unwrap();
        let told = Named::take(&path, &me).unwrap().unwrap_err();
        assert!(told.contains("on host here"), "{told}");
        drop(first);
        assert!(!path.exists());
        fs::write(&path, serde_json::to_vec(&holder(4_000_000, "here", Some(1))).unwrap()).unwrap();
        let second = Named::take(&path, &me).unwrap().unwrap();
        assert_eq!(holder_at(&path), Some(me));
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
    }
}
