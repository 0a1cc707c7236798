//! From frozen numbers to files and terminal. [`model`] computes; everything else only draws it.
//!
//! A run directory holds `findings.csv`, `findings.parquet`, `dispositions.parquet`, `balances.csv`,
//! `chain_breaks.csv` where a balance column is configured, `lifecycle.csv` and `runs.csv` where it belongs
//! to a history, `summary.json`, `report.html`, `metrics.prom`, the SQL files and, last, `manifest.json`. It is
//! written beside its place and renamed when whole ([`place`]). [`grants`] and [`history`] draw the
//! answers to the owners' two questions, which are printed, not kept.

mod advice;
mod calibration;
mod causes;
pub mod certificate;
mod classes;
pub mod csv;
mod error;
mod figures;
mod gap_causes;
pub mod grants;
pub mod history;
pub mod html;
pub mod json;
pub mod manifest;
pub mod metrics;
pub mod model;
pub mod pack;
mod page;
pub mod parquet;
mod past;
pub mod place;
pub mod runs;
mod snapshots;
pub mod terminal;
pub mod waivers;

use std::io::Write as _;

pub use advice::AdviceText;
pub use causes::CauseTotals;
pub use classes::ClassTotals;
pub use error::ReportError;
pub use gap_causes::{ExplanationTotals, GapCauseTotals};
pub use manifest::Run;
pub use model::{Inputs, Model, Previous, build};
pub use place::{Place, Staging, WrittenFile};

/// A file that a command adds to the run directory; the manifest lists it with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Writes every file of a run into a staging directory, `manifest.json` last. Gives back what was
/// written, ascending by name. The caller then calls [`Staging::commit`].
///
/// # Errors
/// [`ReportError`] when a file cannot be made or written. The staging directory vanishes when it is
/// dropped, so nothing half-written stays.
pub fn write(
    model: &Model<'_>,
    run: &Run,
    beside: &[Beside],
    staging: &Staging,
) -> Result<Vec<WrittenFile>, ReportError> {
    let (mut files, packed) = write_rows(model, staging)?;
    let mut page = staging.file("report.html")?;
    html::write(model, &packed, &files, &mut page).map_err(|error| page.failed(error))?;
    drop(packed);
    files.push(page.finish()?);
    files.push(write_bytes(staging, "summary.json", &json::summary(model)?)?);
    files.push(write_bytes(staging, "metrics.prom", metrics::text(model).as_bytes())?);
    files.extend(past::write(model, staging)?);
    for file in model.sql {
        files.push(write_bytes(staging, &file.name, file.text.as_bytes())?);
    }
    for file in beside {
        files.push(write_bytes(staging, file.name, &file.bytes)?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest::render(model, run, &files)?;
    files.push(write_bytes(staging, manifest::FILE_NAME, &manifest)?);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The files that grow with the rows, side by side: the dispositions are by far the longest. With them
/// the findings are packed for the page.
fn write_rows(model: &Model<'_>, staging: &Staging) -> Result<(Vec<WrittenFile>, html::Packed), ReportError> {
    std::thread::scope(|scope| {
        let packed = scope.spawn(|| html::pack(model));
        let dispositions = scope.spawn(|| {
            let file = staging.file("dispositions.parquet")?;
            parquet::to_file(file, |out| parquet::dispositions(model.audit, model.books, out))
        });
        let findings = csv::findings(model, staging.file("findings.csv")?)?;
        let typed_file = staging.file("findings.parquet")?;
        let typed = parquet::to_file(typed_file, |out| parquet::findings(model.findings, out))?;
        let balances = csv::balances(model, staging.file("balances.csv")?)?;
        let dispositions = dispositions.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut files = vec![balances, dispositions, findings, typed];
        if !model.snapshots.is_empty() {
            files.push(csv::chain_breaks(model, staging.file("chain_breaks.csv")?)?);
        }
        let packed = packed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((files, packed))
    })
}

fn write_bytes(staging: &Staging, name: &str, bytes: &[u8]) -> Result<WrittenFile, ReportError> {
    let mut file = staging.file(name)?;
    file.write_all(bytes).map_err(|error| file.failed(error))?;
    Ok(file.finish()?)
}
