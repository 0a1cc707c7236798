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
pub(crate) mod figures;
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
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::audit::Audit;
use crate::cores::{self, joined};
use crate::domain::Books;
use crate::normalise::SettledRows;
use crate::repair::Scripts;

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

/// Writes `dispositions.parquet`, by far the longest file of a run. Nothing that is computed after the audit
/// stands in it, so that it is written while that is computed.
///
/// # Errors
/// [`ReportError`] when the file cannot be made or written.
pub fn dispositions(
    audit: &Audit,
    books: &Books,
    settled: Option<&SettledRows>,
    staging: &Staging,
) -> Result<WrittenFile, ReportError> {
    let file = staging.file("dispositions.parquet")?;
    Ok(parquet::to_file(file, |out| parquet::dispositions(audit, books, settled, out))?)
}

/// Writes every other file of a run into a staging directory, `manifest.json` last. Gives back what was
/// written, ascending by name, with `dispositions` among it. The caller then calls [`Staging::commit`].
///
/// # Errors
/// [`ReportError`] when a file cannot be made or written. The staging directory vanishes when it is
/// dropped, so nothing half-written stays.
pub fn write(
    model: &Model<'_>,
    run: &Run,
    scripts: Option<&Scripts<'_, '_>>,
    beside: &[Beside],
    dispositions: WrittenFile,
    staging: &Staging,
) -> Result<Vec<WrittenFile>, ReportError> {
    let SideBySide { data, others, packed } = write_side_by_side(model, scripts, dispositions, staging)?;
    let mut page = staging.file("report.html")?;
    html::write(model, &packed, &data, &mut page).map_err(|error| page.failed(error))?;
    let mut files = [data, others].concat();
    files.push(page.finish()?);
    for file in beside {
        files.push(write_bytes(staging, file.name, &file.bytes)?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest::render(model, run, &files)?;
    files.push(write_bytes(staging, manifest::FILE_NAME, &manifest)?);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

type Written<T> = Result<T, ReportError>;

/// What was written side by side.
struct SideBySide {
    /// The data files whose digests the page names.
    data: Vec<WrittenFile>,
    others: Vec<WrittenFile>,
    packed: html::Packed,
}

/// All files that do not need each other, side by side, the longest first. With them the findings are
/// packed for the page.
fn write_side_by_side(
    model: &Model<'_>,
    scripts: Option<&Scripts<'_, '_>>,
    dispositions: WrittenFile,
    staging: &Staging,
) -> Written<SideBySide> {
    std::thread::scope(|scope| {
        let packed = scope.spawn(|| html::pack(model));
        let sql = scope.spawn(|| scripts.map_or(Ok(Vec::new()), |scripts| write_scripts(scripts, staging)));
        let findings =
            scope.spawn(|| -> Written<_> { Ok(csv::findings(model, staging.file("findings.csv")?)?) });
        let typed = scope.spawn(|| -> Written<_> {
            let file = staging.file("findings.parquet")?;
            Ok(parquet::to_file(file, |out| parquet::findings(model.findings, out))?)
        });
        let balances = csv::balances(model, staging.file("balances.csv")?)?;
        let breaks = match model.snapshots {
            [] => None,
            _ => Some(csv::chain_breaks(model, staging.file("chain_breaks.csv")?)?),
        };
        let mut others = past::write(model, staging)?;
        others.push(write_bytes(staging, "summary.json", &json::summary(model)?)?);
        others.push(write_bytes(staging, "metrics.prom", metrics::text(model).as_bytes())?);
        others.extend(joined(sql)?);
        let mut data = vec![balances, dispositions, joined(findings)?, joined(typed)?];
        data.extend(breaks);
        Ok(SideBySide { data, others, packed: joined(packed) })
    })
}

/// Writes the SQL, a text a core at a time.
fn write_scripts(scripts: &Scripts<'_, '_>, staging: &Staging) -> Written<Vec<WrittenFile>> {
    let next = AtomicUsize::new(0);
    let write = || -> Written<Vec<WrittenFile>> {
        let mut written = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = scripts.files.get(at) else { return Ok(written) };
            written.push(write_bytes(staging, &file.name, scripts.text(at).as_bytes())?);
        }
    };
    let written: Written<Vec<_>> = cores::each(0..cores::count(), |_| write()).into_iter().collect();
    Ok(written?.into_iter().flatten().collect())
}

fn write_bytes(staging: &Staging, name: &str, bytes: &[u8]) -> Result<WrittenFile, ReportError> {
    let mut file = staging.file(name)?;
    file.write_all(bytes).map_err(|error| file.failed(error))?;
    Ok(file.finish()?)
}
