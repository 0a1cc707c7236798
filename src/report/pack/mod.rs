//! The audit pack: a workbook, the same tables as CSV, a page and a manifest, all drawn from one
//! frozen model.

mod csv;
mod html;
mod manifest;
pub mod model;
mod print;
pub mod table;
mod tables;
pub mod xlsx;

use std::io::Write as _;

pub use model::{Pack, build};
pub use print::{Written, human, json};
pub use tables::{evidence, sheets};

use super::error::ReportError;
use super::manifest::Run;
use super::place::{Staging, WrittenFile};
use table::Table;

/// Writes every file of a pack into a staging directory, `manifest.json` last. Gives back what was
/// written, ascending by name.
///
/// # Errors
/// [`ReportError`] when a file cannot be made or written.
pub fn write(pack: &Pack<'_>, run: &Run, staging: &Staging) -> Result<Vec<WrittenFile>, ReportError> {
    let sheets = sheets(pack);
    let mut files = Vec::new();
    for table in sheets.iter().chain(&evidence(pack)) {
        files.push(csv::write(table, staging.file(table.file)?)?);
    }
    let tables: Vec<&Table<'_>> = sheets.iter().collect();
    let title = format!("Token audit {}", pack.period.period.name());
    let workbook = xlsx::render(&tables, &title, pack.period.period.as_of())?;
    files.push(bytes(staging, "audit.xlsx", &workbook)?);
    let page = html::render(pack, &files)?;
    files.push(bytes(staging, "audit.html", page.as_bytes())?);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest::render(pack, run, &files)?;
    files.push(bytes(staging, super::manifest::FILE_NAME, &manifest)?);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn bytes(staging: &Staging, name: &str, bytes: &[u8]) -> Result<WrittenFile, ReportError> {
    let mut file = staging.file(name)?;
    file.write_all(bytes).map_err(|error| file.failed(error))?;
    Ok(file.finish()?)
}
