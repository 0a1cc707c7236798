//! What past runs of a history say to the gate: whether they were clean, and what the database's
//! statistics counted around them.

use std::path::Path;

use serde::Deserialize;

use super::HistoryError;
use crate::config::parse_instant;
use crate::domain::Instant;
use crate::source::postgres::activity::Activity;

/// A run of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Name of its directory.
    pub name: String,
    /// The instant of its reconciliation.
    pub as_of: Instant,
    /// It had no unwaived error finding.
    pub clean: bool,
    /// The counters around it, where it read a database.
    pub activity: Option<Activity>,
}

#[derive(Deserialize)]
struct Manifest {
    schema: String,
    run: RunPart,
}

#[derive(Deserialize)]
struct RunPart {
    #[serde(default)]
    activity: Option<Activity>,
}

#[derive(Deserialize)]
struct Summary {
    verdict: String,
    as_of: String,
}

/// The complete runs of a folder, ascending by as-of, then by name; none where there is no folder.
///
/// # Errors
/// [`HistoryError`] when a run is there but cannot be read: nights that are not known are not taken
/// for clean ones.
pub fn watched(folder: &Path) -> Result<Vec<Watched>, HistoryError> {
    let unreadable = |file: &Path, cause: String| HistoryError::Unreadable {
        file: file.to_owned(),
        folder: file.parent().unwrap_or(folder).to_owned(),
        cause,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(unreadable(folder, cause.to_string())),
    };
    let mut runs = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| unreadable(folder, cause.to_string()))?;
        let (run, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let manifest = run.join("manifest.json");
        // `latest` is one of the others; what is hidden is not finished.
        if run.is_symlink() || name.starts_with('.') || !manifest.is_file() {
            continue;
        }
        let read = |file: &Path| std::fs::read(file).map_err(|cause| unreadable(file, cause.to_string()));
        let bytes = read(&manifest)?;
        let listed: Manifest =
            serde_json::from_slice(&bytes).map_err(|cause| unreadable(&manifest, cause.to_string()))?;
        // An audit pack is no night.
        if !listed.schema.starts_with("reckon.manifest/") {
            continue;
        }
        let file = run.join("summary.json");
        let summary: Summary =
            serde_json::from_slice(&read(&file)?).map_err(|cause| unreadable(&file, cause.to_string()))?;
        let as_of = parse_instant(&summary.as_of).map_err(|cause| unreadable(&file, cause))?;
        let clean = summary.verdict == "clean";
        runs.push(Watched { name, as_of, clean, activity: listed.run.activity });
    }
    runs.sort_by(|a, b| (a.as_of, &a.name).cmp(&(b.as_of, &b.name)));
    Ok(runs)
}
