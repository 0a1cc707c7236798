//! One file of a run: digested and counted while it is written, flushed to disk while others are.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::PlaceError;
use crate::sha256::Sha256;

/// Bytes that are gathered before they are digested and written.
const GATHERED_BYTES: usize = 1 << 16;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Name in the run directory.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// A file that is being written.
#[derive(Debug)]
pub struct StagedFile {
    name: String,
    path: PathBuf,
    bytes: u64,
    hash: Sha256,
    gathered: Vec<u8>,
    file: File,
    /// Where the file goes to be flushed to disk.
    flusher: Sender<Handed>,
}

/// What a [`Flusher`] is told: a file that is whole, or that there are no more.
type Handed = Option<(File, PathBuf)>;

/// Flushes files to disk, one after the other, while more are made: waiting for a disk needs no core.
#[derive(Debug)]
pub(super) struct Flusher {
    files: Sender<Handed>,
    thread: Mutex<Option<JoinHandle<Result<(), PlaceError>>>>,
}

impl Flusher {
    /// Starts it; it ends with [`Flusher::wait`], or when nobody can hand it a file any more.
    pub(super) fn start() -> io::Result<Flusher> {
        let (files, handed) = mpsc::channel::<Handed>();
        let flush = move || {
            // After a failure the rest is taken all the same: one error is enough.
            let mut done = Ok(());
            while let Ok(Some((file, path))) = handed.recv() {
                if done.is_ok() {
                    done = file.sync_all().map_err(|source| PlaceError::write(&path, source));
                }
            }
            done
        };
        let thread = thread::Builder::new().name("flush".to_owned()).spawn(flush)?;
        Ok(Flusher { files, thread: Mutex::new(Some(thread)) })
    }

    /// Returns when every file that was finished is on disk.
    ///
    /// # Errors
    /// When one could not be flushed.
    pub(super) fn wait(&self) -> Result<(), PlaceError> {
        // Without a thread to take it there is nothing to wait for.
        let _ = self.files.send(None);
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl StagedFile {
    pub(super) fn create(folder: &Path, name: &str, flusher: &Flusher) -> Result<StagedFile, PlaceError> {
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(|source| PlaceError::write(&path, source))?;
        Ok(StagedFile {
            name: name.to_owned(),
            path,
            bytes: 0,
            hash: Sha256::default(),
            gathered: Vec::new(),
            file,
            flusher: flusher.files.clone(),
        })
    }

    /// Where the file is for the time being.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error of a failed write, with the file's path.
    pub fn failed(&self, source: io::Error) -> PlaceError {
        PlaceError::write(&self.path, source)
    }

    /// Writes what is left. The file is on disk once [`super::Staging::commit`] has returned.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub fn finish(mut self) -> Result<WrittenFile, PlaceError> {
        self.flush().map_err(|source| PlaceError::write(&self.path, source))?;
        tracing::debug!("{}: {} bytes", self.name, self.bytes);
        // Only after a panic of the flusher is nobody there, and then its panic is told.
        let _ = self.flusher.send(Some((self.file, self.path)));
        Ok(WrittenFile { name: self.name, bytes: self.bytes, sha256: self.hash.finish().hex() })
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + bytes.len() > GATHERED_BYTES {
            self.flush()?;
        }
        if bytes.len() >= GATHERED_BYTES {
            self.put(bytes)?;
        } else {
            self.gathered.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.gathered);
        let done = self.put(&gathered);
        gathered.clear();
        self.gathered = gathered;
        done
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Place, Staging};
    use super::*;
    use crate::domain::Instant;

    /// A file of which nothing can be flushed to a disk: the end of a pipe.
    fn unflushable() -> (io::PipeReader, File) {
        let (reader, writer) = io::pipe().unwrap();
        (reader, File::from(std::os::fd::OwnedFd::from(writer)))
    }

    #[test]
    fn a_run_of_which_a_file_cannot_be_flushed_does_not_come_into_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::begin(Place::Exact(folder.path().join("run"))).unwrap();
        let (mut first, mut bad, mut last) =
            (staging.file("a").unwrap(), staging.file("b").unwrap(), staging.file("c").unwrap());
        let (_reader, pipe) = unflushable();
        bad.file = pipe;
        for file in [&mut first, &mut bad, &mut last] {
            file.write_all(b"text").unwrap();
        }
        for file in [first, bad, last] {
            assert_eq!(file.finish().unwrap().bytes, 4);
        }
        let error = staging.commit(Instant(0), "x").unwrap_err().to_string();
        assert!(error.contains("/b"), "{error}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
