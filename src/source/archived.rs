//! What an archive says of the file of its rows, to whoever reads that file as a ledger.
//!
//! An archive holds every value as COPY writes it, so that its digest is the table's. Of `character(n)` that
//! is the value filled up with blanks, while everything else that shows one as text, a query of ours too,
//! leaves them out. So that rows are the same whether they are read from the table or from its archive,
//! `archive.json` names these columns.

use std::io::ErrorKind;

use super::SourceError;
use super::input::InputFile;

/// Name and version of the shape of `archive.json`.
pub const SCHEMA: &str = "reckon.archived_table/1";

/// The file beside the rows that says which table they are of.
pub const FILE_NAME: &str = "archive.json";

/// Endings of a file of rows that was compressed since.
const PACKED: [&str; 2] = [".gz", ".zst"];

#[derive(serde::Deserialize)]
struct About {
    schema: String,
    csv: Csv,
    #[serde(default)]
    padded: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Csv {
    name: String,
}

/// The columns of a file whose values are filled up with blanks: none, unless it is the file of an archive
/// that says so.
///
/// # Errors
/// [`SourceError::Io`]: there is an `archive.json` that cannot be read.
pub(super) fn padded_columns(file: &InputFile) -> Result<Vec<String>, SourceError> {
    let beside = file.path.with_file_name(FILE_NAME);
    let bytes = match std::fs::read(&beside) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(SourceError::Io { file: beside.display().to_string(), cause }),
    };
    // Somebody else's file of this name says nothing of the columns.
    let Ok(about) = serde_json::from_slice::<About>(&bytes) else { return Ok(Vec::new()) };
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let plain = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let is_its_file = about.schema == SCHEMA && about.csv.name == plain;
    Ok(if is_its_file { about.padded } else { Vec::new() })
}
