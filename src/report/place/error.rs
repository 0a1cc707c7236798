//! Why a run directory could not be placed.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run directory could not be written or placed. Every one means exit 2.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A file or directory could not be written.
    #[error("cannot write {}: {source}{}", path.display(), way_out(source))]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a directory with other things in it.
    #[error(
        "{} holds {entry}, which no run of reckon wrote; name another folder with --out, or empty this one",
        path.display()
    )]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// Something in it.
        entry: String,
    },
    /// There is a directory where an archive shall go, and something in it is of no archive.
    #[error(
        "{} holds {entry}, which is no part of an archive; name another folder with --archive, or empty this one",
        path.display()
    )]
    NoArchive {
        /// The directory.
        path: PathBuf,
        /// Something in it.
        entry: String,
    },
    /// There is a run of a history: its successors name it.
    #[error(
        "{} is a run of the history in its folder, which no other run may replace; name another folder with --out",
        path.display()
    )]
    OfHistory {
        /// The directory.
        path: PathBuf,
    },
    /// There is a run with a certificate, which is evidence.
    #[error(
        "{} holds a certificate of reckon cutover, which no other command may replace; name another folder with --out",
        path.display()
    )]
    Certified {
        /// The directory.
        path: PathBuf,
    },
    /// There is an audit pack, which stays as it is.
    #[error(
        "{} holds a sealed audit pack, which nothing may replace; name another folder with --out",
        path.display()
    )]
    Sealed {
        /// The directory.
        path: PathBuf,
    },
    /// A link on the way there leads nowhere.
    #[error(
        "{} points at {}, which is not there: is it mounted? Mount it, let the link point elsewhere, or name another \
         folder",
        link.display(), target.display()
    )]
    Dangling {
        /// The link.
        link: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// There is a file where the folder of the history belongs.
    #[error(
        "{} is a file, and the runs of the history belong into a folder of that name; move it, or name another \
         folder with [history] folder",
        path.display()
    )]
    FileForFolder {
        /// The file.
        path: PathBuf,
    },
    /// There is a file of that name.
    #[error("{} is a file; name a folder with --out", path.display())]
    IsAFile {
        /// The file.
        path: PathBuf,
    },
    /// The path names no directory that could be created: `/`, `.`, `..`.
    #[error("{} cannot be replaced as a whole; name a folder below it with --out", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// Other processes kept taking the place.
    #[error("other runs keep writing {}; let them end and start again", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
}

impl PlaceError {
    /// A failed write.
    pub fn write(path: &Path, source: io::Error) -> PlaceError {
        PlaceError::Write { path: path.to_owned(), source }
    }
}

fn way_out(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free space there or name another folder with --out"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; name a folder that may be written with --out"
        }
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
            "; it is a mount point: name a folder below it with --out"
        }
        _ => "",
    }
}
