//! One file of a run: digested and counted while it is written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::PlaceError;

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
    out: BufWriter<File>,
}

impl StagedFile {
    pub(super) fn create(folder: &Path, name: &str) -> Result<StagedFile, PlaceError> {
        let path = folder.join(name);
        let file = File::create_new(&path).map_err(|source| PlaceError::write(&path, source))?;
        Ok(StagedFile {
            name: name.to_owned(),
            path,
            bytes: 0,
            hash: Sha256::new(),
            out: BufWriter::with_capacity(1 << 16, file),
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

    /// Flushes the file to disk.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub fn finish(mut self) -> Result<WrittenFile, PlaceError> {
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(|source| PlaceError::write(&self.path, source))?;
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(WrittenFile { name: self.name, bytes: self.bytes, sha256 })
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
