//! Digests of files that were read without passing every byte.
//!
//! To read a Parquet file and to digest it are two passes over it, and the second one needs one core only:
//! it can be made while the rows are already judged.

use std::thread::JoinHandle;

use super::input::{InputFile, Stamp};
use super::{FileDigest, Progress, SourceError};

/// The digests of the files of a reading, in their order.
#[derive(Debug)]
pub enum Digests {
    /// Taken while the files were read.
    Taken(Vec<FileDigest>),
    /// Still to be taken.
    ToTake(ToTake),
}

/// Files with what they were when they were opened.
#[derive(Debug)]
pub struct ToTake(Vec<(InputFile, Stamp)>);

impl Digests {
    pub(super) fn to_take(files: Vec<(InputFile, Stamp)>) -> Digests {
        Digests::ToTake(ToTake(files))
    }

    /// Number of files.
    pub fn files(&self) -> usize {
        match self {
            Digests::Taken(digests) => digests.len(),
            Digests::ToTake(ToTake(files)) => files.len(),
        }
    }

    /// Takes what is still to be taken.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what it was when its rows were read.
    pub fn take(self, progress: &Progress) -> Result<Vec<FileDigest>, SourceError> {
        let files = match self {
            Digests::Taken(digests) => return Ok(digests),
            Digests::ToTake(ToTake(files)) => files,
        };
        let go_on = || if progress.is_stopped() { Err(SourceError::Interrupted) } else { Ok(()) };
        let digest = |(file, stamp): (InputFile, Stamp)| {
            let digest = file.digest(go_on)?;
            file.unchanged(stamp)?;
            Ok(digest)
        };
        files.into_iter().map(digest).collect()
    }
}

/// The digests of several readings, which are taken while other work goes on.
#[derive(Debug)]
pub struct Digesting<const N: usize>(JoinHandle<Result<[Vec<FileDigest>; N], SourceError>>);

impl<const N: usize> Digesting<N> {
    /// Begins.
    pub fn begin(readings: [Digests; N], progress: &Progress) -> Digesting<N> {
        let progress = progress.clone();
        Digesting(std::thread::spawn(move || {
            let mut taken = [const { Vec::new() }; N];
            for (taken, digests) in taken.iter_mut().zip(readings) {
                *taken = digests.take(&progress)?;
            }
            Ok(taken)
        }))
    }

    /// Waits for them.
    ///
    /// # Errors
    /// As [`Digests::take`]: then what was read is worth nothing.
    pub fn end(self) -> Result<[Vec<FileDigest>; N], SourceError> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::Input;
    use super::*;

    /// The digests to take of the files `a` and `b`, as they are now.
    fn of_two(folder: &std::path::Path) -> Digests {
        for name in ["a.parquet", "b.parquet"] {
            std::fs::write(folder.join(name), name).unwrap();
        }
        let input = Input::find("*.parquet", folder).unwrap();
        let opened = input.files.into_iter().map(|file| {
            let stamp = file.open().unwrap().stamp();
            (file, stamp)
        });
        Digests::to_take(opened.collect())
    }

    #[test]
    fn digests_come_in_the_order_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let taken = vec![FileDigest { path: "t.csv".to_owned(), bytes: 1, sha256: "x".to_owned() }];
        let readings = [Digests::Taken(taken.clone()), of_two(folder.path())];
        let [first, second] = Digesting::begin(readings, &Progress::hidden()).end().unwrap();
        assert_eq!(first, taken);
        let names: Vec<_> = second.iter().map(|digest| (digest.path.as_str(), digest.bytes)).collect();
        assert_eq!(names, [("a.parquet", 9), ("b.parquet", 9)]);
        // printf b.parquet | sha256sum
        let expected = "5bf4417d17751d2342c9c37f5b3bfd08d27e6b357b5eaad36df9d37d08fb685d";
        assert_eq!(second[1].sha256, expected);
    }

    #[test]
    fn a_file_that_was_changed_after_it_was_read_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let digests = of_two(folder.path());
        std::fs::write(folder.path().join("b.parquet"), "longer than before").unwrap();
        let error = Digesting::begin([digests], &Progress::hidden()).end().unwrap_err().to_string();
        assert!(error.starts_with("b.parquet") && error.contains("was changed while it was read"), "{error}");
    }

    #[test]
    fn a_run_that_shall_stop_waits_for_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let progress = Progress::new(false, std::sync::Arc::new(true.into()));
        let error = Digesting::begin([of_two(folder.path())], &progress).end().unwrap_err();
        assert!(matches!(error, SourceError::Interrupted), "{error}");
    }
}
