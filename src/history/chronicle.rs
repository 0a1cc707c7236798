//! A whole history at a glance: its runs, what does not hold in it, and what the newest run changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::HistoryError;
use super::lifecycle::{self, Life, Lifecycle, State};
use super::newest::{LATEST, newest};
use super::runs::{PastRun, breaks, runs};
use crate::domain::Class;

/// A history.
#[derive(Debug, Clone)]
pub struct Chronicle {
    /// Its folder.
    pub folder: PathBuf,
    /// Its runs, ascending by time; at least one.
    pub runs: Vec<PastRun>,
    /// Name of the run that was made last.
    pub newest: String,
    /// What that run changed, by class; classes without a finding are left out. `None`: it carries no
    /// lifecycle, as of an earlier version.
    pub changes: Option<Vec<ClassChanges>>,
    /// Where the chain does not hold, a sentence each.
    pub warnings: Vec<String>,
    /// Which runs had fewer rows than those before: name, and a sentence each.
    pub shrunk: Vec<(String, String)>,
}

/// Findings of one class in the newest run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassChanges {
    /// The class.
    pub class: Class,
    /// Never seen before.
    pub new: u64,
    /// The run before had them too.
    pub open: u64,
    /// Resolved once, and there again.
    pub reopened: u64,
    /// Accepted.
    pub waived: u64,
    /// The run before had them, this one has not.
    pub resolved: u64,
}

/// Reads the history in a folder; `None` where there is none.
///
/// # Errors
/// [`HistoryError`] that names the run which cannot be read.
pub fn chronicle(folder: &Path) -> Result<Option<Chronicle>, HistoryError> {
    let runs = runs(folder)?;
    // Where nobody can tell which is the newest, the runs are shown all the same.
    let (latest, unclear) = match newest(folder) {
        Ok(newest) => (newest, None),
        Err(cause) => (std::fs::canonicalize(folder.join(LATEST)).ok(), Some(cause.to_string())),
    };
    let latest = latest.and_then(|run| run.file_name().map(|name| name.to_string_lossy().into_owned()));
    let is_latest = |run: &&PastRun| run.is_here && Some(&run.name) == latest.as_ref();
    let Some(newest) = runs.iter().find(is_latest).or_else(|| runs.iter().rfind(|run| run.is_here)) else {
        return Ok(None);
    };
    let run = folder.join(&newest.name);
    let file = run.join(lifecycle::FILE_NAME);
    let changes = match file.exists() {
        false => None,
        true => {
            let lives = Lifecycle::read(&file);
            Some(by_class(&lives.map_err(|cause| HistoryError::unreadable(&file, &run, &cause))?))
        }
    };
    let warnings = breaks(&runs).into_iter().chain(unclear).collect();
    let shrunk = runs.iter().filter_map(|run| Some((run.name.clone(), shrunk(run)?))).collect();
    let newest = newest.name.clone();
    Ok(Some(Chronicle { folder: folder.to_owned(), runs, newest, changes, warnings, shrunk }))
}

impl Chronicle {
    /// What is to be looked at, where these runs are shown: a chain that does not hold, whatever is
    /// shown, and what they had less than the runs before them.
    pub fn told_of(&self, runs: &[PastRun]) -> Vec<&str> {
        let shrunk = self.shrunk.iter().filter(|(name, _)| runs.iter().any(|run| run.name == *name));
        self.warnings.iter().map(String::as_str).chain(shrunk.map(|(_, said)| said.as_str())).collect()
    }
}

fn by_class(lifecycle: &Lifecycle) -> Vec<ClassChanges> {
    let mut classes: BTreeMap<Class, ClassChanges> = BTreeMap::new();
    let counts = |life: &&Life| life.stands() || life.resolved_now();
    for life in lifecycle.lives.iter().filter(counts) {
        let class = life.class;
        let empty = ClassChanges { class, new: 0, open: 0, reopened: 0, waived: 0, resolved: 0 };
        let changes = classes.entry(class).or_insert(empty);
        let count = match life.state {
            State::New => &mut changes.new,
            State::Open => &mut changes.open,
            State::Reopened => &mut changes.reopened,
            State::Waived => &mut changes.waived,
            State::Resolved => &mut changes.resolved,
        };
        *count += 1;
    }
    classes.into_values().collect()
}

/// What went before a run.
fn shrunk(run: &PastRun) -> Option<String> {
    let gone = run.gone;
    let parts = [
        (i128::from(gone.legacy_rows), "legacy rows"),
        (i128::from(gone.unified_rows), "unified rows"),
        (gone.tokens, "tokens"),
        (i128::from(gone.users), "users"),
        (i128::from(gone.balance_rows), "rows of stored balances and pools"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{what} {count}")).collect();
    gone.is_any().then(|| {
        format!(
            "{} had less than the run before it, which its report explains: {}",
            run.name,
            parts.join(", ")
        )
    })
}
