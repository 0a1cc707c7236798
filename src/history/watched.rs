//! What the database's statistics counted around the runs of a history: for the gate, which asks who
//! else was at work on the tables.

use serde::Deserialize;
use std::path::Path;

use super::{HistoryError, PastRun};
use crate::domain::Instant;
use crate::source::postgres::activity::Activity;

/// A run of a history whose directory is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Name of its directory.
    pub name: String,
    /// The instant of its reconciliation.
    pub as_of: Instant,
    /// The counters around it, where it read a database.
    pub activity: Option<Activity>,
}

#[derive(Deserialize)]
struct Manifest {
    run: RunPart,
}

#[derive(Deserialize)]
struct RunPart {
    #[serde(default)]
    activity: Option<Activity>,
}

/// What was counted around those of `runs` whose directories are in `folder`, in their order.
///
/// # Errors
/// [`HistoryError`] when a run is there but cannot be read.
pub fn watched(folder: &Path, runs: &[PastRun]) -> Result<Vec<Watched>, HistoryError> {
    let here = runs.iter().filter(|run| run.is_here);
    let read = |run: &PastRun| {
        let directory = folder.join(&run.name);
        let file = directory.join("manifest.json");
        let failed = |cause: &dyn std::fmt::Display| HistoryError::unreadable(&file, &directory, cause);
        let bytes = std::fs::read(&file).map_err(|cause| failed(&cause))?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|cause| failed(&cause))?;
        Ok(Watched { name: run.name.clone(), as_of: run.as_of, activity: manifest.run.activity })
    };
    here.map(read).collect()
}
