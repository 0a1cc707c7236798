//! Writes the archive of a table: its rows as they are read, then what proves them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::TableName;
use crate::cutover::archive::{self, Archive, CsvFile};
use crate::cutover::retire::ArchiveSeal;
use crate::report::place::{PlaceError, WrittenFile};
use crate::report::{Place, Staging, manifest};
use crate::source::postgres::{Database, TableState};
use crate::source::{Progress, SourceError};

/// An archive that stands at its place, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveOutcome {
    /// Its folder.
    pub folder: PathBuf,
    /// Which table was archived, and its digest.
    pub state: TableState,
    /// What `retire.sql` has to know of it.
    pub seal: ArchiveSeal,
    /// Files, ascending by name, without the manifest.
    pub files: Vec<WrittenFile>,
}

/// Why there is no archive. Every one means exit 2.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The table could not be read, or what was written is not what the server has.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The folder is taken or cannot be written. Its messages name the flag of a run.
    #[error("{}", .0.to_string().replace("--out", "--archive"))]
    Place(#[from] PlaceError),
    /// A JSON file could not be made, or the one at the place could not be read.
    #[error("cannot make or read archive.json: {0}")]
    Json(#[from] serde_json::Error),
    /// At its place is the archive of another table, which may be all that is left of it.
    #[error(
        "{} is the archive of {table} of oid {oid}, not of this table (oid {wanted}): \
         name another folder with --archive",
        folder.display()
    )]
    OtherTable {
        /// Where.
        folder: PathBuf,
        /// The table that is archived there.
        table: String,
        /// Its oid.
        oid: u32,
        /// The oid of the table that was to be archived.
        wanted: u32,
    },
    /// At its place is an archive of which it cannot be told what it holds.
    #[error(
        "cannot read {}: {source}; the archive that is there may be all that is left of a table: name another \
         folder with --archive",
        file.display()
    )]
    Unreadable {
        /// Its `archive.json`.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// At its place is an archive with more rows.
    #[error(
        "{} is an archive of {there} rows, {table} has {rows} now: some are gone, and the archive may be all \
         that is left of them; name another folder with --archive",
        folder.display()
    )]
    FewerRows {
        /// Where.
        folder: PathBuf,
        /// The table.
        table: String,
        /// Rows of the archive.
        there: u64,
        /// Rows of the table.
        rows: u64,
    },
}

#[derive(Serialize)]
struct Manifest<'a> {
    schema: &'static str,
    version: &'static str,
    table: String,
    inputs: [(); 0],
    files: &'a [WrittenFile],
    previous: Option<()>,
}

/// Writes the whole table into `folder`, in the database's snapshot. An archive of the same table that
/// stands there is exchanged for the new one when that is whole.
///
/// # Errors
/// [`ArchiveError`]; then nothing is at the place that was not there before.
pub fn archive(
    database: &mut Database,
    table: &TableName,
    folder: &Path,
    progress: &Progress,
) -> Result<ArchiveOutcome, ArchiveError> {
    let staging = Staging::begin(Place::Archive(folder.to_owned()))?;
    progress.writes_into(staging.path());
    let found = database.facts(table)?.name;
    let mut rows = staging.file(&archive::csv_name(&found))?;
    let written = database.archive(&found, &mut rows, progress)?;
    check_tenant(folder, &written.state)?;
    let rows = rows.finish()?;
    let snapshot = database.snapshot();
    let csv = CsvFile { name: rows.name.clone(), bytes: rows.bytes, sha256: rows.sha256.clone() };
    let seal = ArchiveSeal {
        digest: written.state.digest,
        shape: written.state.shape.clone(),
        csv_sha256: rows.sha256.clone(),
    };
    let restore = archive::restore_sql(&written, &rows.name, snapshot.at);
    let check = archive::check_sql(&found, written.state.digest, &written.state.shape);
    let about = pretty(&Archive::of(&written, csv, snapshot))?;
    let mut files = vec![rows];
    let texts = [(archive::FILE_NAME, about), (archive::RESTORE, restore), (archive::CHECK, check)];
    for (name, text) in texts {
        files.push(write(&staging, name, &text)?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let listing = Manifest {
        schema: archive::MANIFEST_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        table: found.sql(),
        inputs: [],
        files: &files,
        previous: None,
    };
    write(&staging, manifest::FILE_NAME, &pretty(&listing)?)?;
    let folder = staging.commit(snapshot.at, "archive")?;
    Ok(ArchiveOutcome { folder, state: written.state, seal, files })
}

/// An archive is only exchanged for one of the very same table with no fewer rows: a restored copy, or an
/// empty table that took its name, must not replace what is left of it.
fn check_tenant(folder: &Path, state: &TableState) -> Result<(), ArchiveError> {
    let file = folder.join(archive::FILE_NAME);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        // Without a manifest nothing is there; with one it is an archive that has lost this file.
        Err(source)
            if source.kind() == ErrorKind::NotFound && is_missing(&folder.join(manifest::FILE_NAME)) =>
        {
            return Ok(());
        }
        Err(source) => return Err(ArchiveError::Unreadable { file, source }),
    };
    let there: Archive = serde_json::from_slice(&bytes)?;
    let (folder, table) = (folder.to_owned(), there.table);
    if there.oid != state.oid {
        return Err(ArchiveError::OtherTable { folder, table, oid: there.oid, wanted: state.oid });
    }
    let rows = state.digest.rows;
    if there.rows > rows {
        return Err(ArchiveError::FewerRows { folder, table, there: there.rows, rows });
    }
    Ok(())
}

fn is_missing(file: &Path) -> bool {
    std::fs::symlink_metadata(file).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn pretty(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

fn write(staging: &Staging, name: &str, text: &str) -> Result<WrittenFile, PlaceError> {
    let mut file = staging.file(name)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|cause| file.failed(cause))?;
    file.finish()
}
