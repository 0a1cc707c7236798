//! Which files a pattern names, and of what kind they are.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{FileDigest, SourceError};
use crate::sha256::Sha256;

/// What is in a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text with a header, fields parted by `delimiter`.
    Text { delimiter: u8, packing: Packing },
    /// Parquet.
    Parquet,
}

/// How a text file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Endings of file names and what they mean.
const KINDS: [(&str, Kind); 7] = [
    (".csv", Kind::Text { delimiter: b',', packing: Packing::Plain }),
    (".csv.gz", Kind::Text { delimiter: b',', packing: Packing::Gzip }),
    (".csv.zst", Kind::Text { delimiter: b',', packing: Packing::Zstd }),
    (".tsv", Kind::Text { delimiter: b'\t', packing: Packing::Plain }),
    (".tsv.gz", Kind::Text { delimiter: b'\t', packing: Packing::Gzip }),
    (".tsv.zst", Kind::Text { delimiter: b'\t', packing: Packing::Zstd }),
    (".parquet", Kind::Parquet),
];

/// A file that a pattern names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputFile {
    /// As people and reports see it: relative to the configuration's folder where the pattern is.
    pub shown: String,
    /// As it is opened.
    pub path: PathBuf,
}

/// All files of a pattern: at least one, all of one kind, ascending by name.
#[derive(Debug)]
pub(super) struct Input {
    pub kind: Kind,
    pub files: Vec<InputFile>,
}

impl Input {
    /// Finds the files.
    ///
    /// # Errors
    /// No file, a folder, an unknown ending, or files of several kinds: the same rows may stand in
    /// `a.csv` and in `a.parquet`, and would count twice.
    pub fn find(pattern: &str, folder: &Path) -> Result<Input, SourceError> {
        let files = expand(pattern, folder)?;
        let mut kinds = Vec::with_capacity(files.len());
        for file in &files {
            if file.path.is_dir() {
                let which = if file.shown == pattern { String::new() } else { format!("{} ", file.shown) };
                let message = format!("{which}is a folder: write {0}/*.parquet or {0}/*.csv", file.shown);
                return Err(wrong(pattern, message));
            }
            kinds.push(kind_of(&file.shown).ok_or_else(|| {
                let endings: Vec<&str> = KINDS.iter().map(|(ending, _)| *ending).collect();
                wrong(
                    pattern,
                    format!(
                        "cannot tell what {} is: its name has to end in {}",
                        file.shown,
                        endings.join(", ")
                    ),
                )
            })?);
        }
        if let Some(other) = kinds.iter().position(|kind| *kind != kinds[0]) {
            let message = format!(
                "names files of several kinds, {} and {}: narrow the pattern down to one",
                files[0].shown, files[other].shown
            );
            return Err(wrong(pattern, message));
        }
        Ok(Input { kind: kinds[0], files })
    }
}

fn wrong(pattern: &str, message: String) -> SourceError {
    SourceError::Malformed { place: pattern.to_owned(), message }
}

fn kind_of(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    KINDS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| *kind)
}

fn expand(pattern: &str, folder: &Path) -> Result<Vec<InputFile>, SourceError> {
    let whole = folder.join(pattern);
    // A file that has exactly this name is meant, whatever characters are in it.
    if whole.exists() {
        return Ok(vec![InputFile { shown: shown(&whole, folder), path: whole }]);
    }
    let escaped = if Path::new(pattern).is_absolute() || folder.as_os_str().is_empty() {
        pattern.to_owned()
    } else {
        format!("{}/{pattern}", glob::Pattern::escape(&folder.to_string_lossy()))
    };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let paths = glob::glob_with(&escaped, options)
        .map_err(|error| wrong(pattern, format!("is no pattern for file names: {error}")))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| SourceError::Io {
            file: error.path().display().to_string(),
            cause: error.into(),
        })?;
        files.push(InputFile { shown: shown(&path, folder), path });
    }
    if files.is_empty() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        return Err(wrong(
            pattern,
            format!("no file has this name or matches this pattern (relative to {})", folder.display()),
        ));
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown));
    Ok(files)
}

/// The name for people, with `/` between its parts.
fn shown(path: &Path, folder: &Path) -> String {
    let inside = if folder.as_os_str().is_empty() { path } else { path.strip_prefix(folder).unwrap_or(path) };
    inside.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// What tells whether somebody wrote to a file: its length, and when it was written to last.
pub(super) type Stamp = (u64, Option<SystemTime>);

/// A file that is being read, with what tells whether somebody writes to it meanwhile.
#[derive(Debug)]
pub(super) struct Opened {
    pub file: File,
    stamp: Stamp,
}

impl InputFile {
    /// Opens the file.
    ///
    /// # Errors
    /// [`SourceError::Io`] with the file's name.
    pub fn open(&self) -> Result<Opened, SourceError> {
        let file = File::open(&self.path).map_err(|cause| self.failed(cause))?;
        let stamp = stamp(&file).map_err(|cause| self.failed(cause))?;
        Ok(Opened { file, stamp })
    }

    /// An I/O error of this file.
    pub fn failed(&self, cause: io::Error) -> SourceError {
        SourceError::Io { file: self.shown.clone(), cause }
    }

    /// Says no when the file was written to since it was opened: its rows may be of two moments.
    ///
    /// # Errors
    /// [`SourceError::Malformed`] with the file's name.
    pub fn unchanged(&self, opened: Stamp) -> Result<(), SourceError> {
        let now = File::open(&self.path).and_then(|file| stamp(&file)).map_err(|cause| self.failed(cause))?;
        if now == opened {
            return Ok(());
        }
        let message = "the file was changed while it was read; run again when its writer is done".to_owned();
        Err(SourceError::Malformed { place: self.shown.clone(), message })
    }

    /// Reads the whole file for its SHA-256, asking `go_on` now and then.
    ///
    /// # Errors
    /// [`SourceError::Io`] with the file's name, or what `go_on` says.
    pub fn digest(&self, go_on: impl Fn() -> Result<(), SourceError>) -> Result<FileDigest, SourceError> {
        let mut reader = Hashing::new(self.open()?);
        let mut buffer = vec![0; 1 << 20];
        while reader.read(&mut buffer).map_err(|cause| self.failed(cause))? > 0 {
            go_on()?;
        }
        Ok(reader.finish(&self.shown))
    }
}

fn stamp(file: &File) -> io::Result<Stamp> {
    let facts = file.metadata()?;
    Ok((facts.len(), facts.modified().ok()))
}

impl Opened {
    /// What [`InputFile::unchanged`] compares with.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }
}

/// Takes the digest of all bytes that pass.
#[derive(Debug)]
pub(super) struct Hashing {
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl Hashing {
    pub fn new(opened: Opened) -> Hashing {
        Hashing { file: opened.file, hasher: Sha256::default(), bytes: 0 }
    }

    /// The digest of what has passed.
    pub fn finish(self, shown: &str) -> FileDigest {
        let sha256 = self.hasher.finish().hex();
        FileDigest { path: shown.to_owned(), bytes: self.bytes, sha256 }
    }
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(input: &Input) -> Vec<&str> {
        input.files.iter().map(|file| file.shown.as_str()).collect()
    }

    #[test]
    fn a_pattern_names_files_in_order_relative_to_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        // The folder itself has a name that would be a pattern.
        let folder = folder.path().join("a[b]*");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        for name in ["b.csv", "a.csv", ".hidden.csv", "sub/c.CSV.gz", "d.parquet", "x[1].csv", "notes.txt"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let cases: [(&str, &[&str]); 5] = [
            ("a.csv", &["a.csv"]),
            ("*.csv", &["a.csv", "b.csv", "x[1].csv"]),
            ("x[1].csv", &["x[1].csv"]),
            ("sub/*", &["sub/c.CSV.gz"]),
            ("**/*.parquet", &["d.parquet"]),
        ];
        for (pattern, expected) in cases {
            assert_eq!(names(&Input::find(pattern, &folder).unwrap()), expected, "{pattern}");
        }
        let absolute = folder.join("a.csv");
        let found = Input::find(absolute.to_str().unwrap(), Path::new("")).unwrap();
        assert_eq!(found.files[0].path, absolute);
    }

    #[test]
    fn what_cannot_be_read_whole_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("dir.parquet")).unwrap();
        for name in ["a.csv", "a.csv.gz", "a.parquet", "t.xlsx"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let cases = [
            ("none-*.csv", "no file has this name"),
            ("a.*", "several kinds"),
            ("a.csv*", "several kinds"),
            ("dir.parquet", "dir.parquet: is a folder: write dir.parquet/*.parquet or"),
            ("t.xlsx", "cannot tell what t.xlsx is"),
            ("[", "is no pattern"),
        ];
        for (pattern, expected) in cases {
            let error = Input::find(pattern, folder.path()).unwrap_err().to_string();
            assert!(error.starts_with(pattern) && error.contains(expected), "{pattern}: {error}");
        }
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc.csv"), "abc").unwrap();
        let input = Input::find("abc.csv", folder.path()).unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = input.files[0].digest(|| Ok(())).unwrap();
        assert_eq!((digest.path.as_str(), digest.bytes, digest.sha256.as_str()), ("abc.csv", 3, expected));
    }
}
