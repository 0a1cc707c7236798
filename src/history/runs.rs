//! The runs of a history, one line each: from their directories, and from `runs.csv`, in which every
//! run keeps the lines of those before it, so that runs that were removed are still told.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use super::newest::{LATEST, Link, directories};
use super::table::{Row, each_row};
use super::tables::{Input, Tables};
use super::{HistoryError, Listed, digest};
use crate::audit::RunVerdict;
use crate::domain::{Instant, Total};
use crate::sha256::sha256;
use crate::source::postgres::activity::Activity;

/// Name of the file.
pub const FILE_NAME: &str = "runs.csv";

/// Its columns, in order.
pub const COLUMNS: [&str; 25] = [
    "run",
    "as_of",
    "started",
    "verdict",
    "blocking",
    "new",
    "open",
    "resolved",
    "reopened",
    "waived",
    "legacy_rows",
    "legacy_tokens",
    "unified_rows",
    "unified_tokens",
    "users_with_gap",
    "gap_tokens",
    "unexplained_tokens",
    "legacy_rows_gone",
    "unified_rows_gone",
    "tokens_gone",
    "users_gone",
    "balance_rows_gone",
    "manifest_sha256",
    "previous_sha256",
    "tables",
];

/// What `manifest.json` of a run calls itself.
pub(super) const MANIFEST_SCHEMA: &str = "reckon.manifest/1";

/// One run of a history. What is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Name of its directory.
    pub name: String,
    /// The instant of the reconciliation.
    pub as_of: Instant,
    /// When the run began.
    pub started: Instant,
    /// The result.
    pub verdict: RunVerdict,
    /// Unwaived findings of severity `error`; unknown of a run by a version that did not write it.
    pub blocking: Option<u64>,
    /// Findings that the run before did not have; the re-opened ones are among them.
    pub new: u64,
    /// Findings that it had too.
    pub open: u64,
    /// Findings that it had and this run has not.
    pub resolved: u64,
    /// Findings that had been resolved and are there again.
    pub reopened: u64,
    /// Findings that a waiver accepts.
    pub waived: u64,
    /// Rows of the legacy table and their raw tokens.
    pub legacy: Total,
    /// Rows of the unified table and their raw tokens.
    pub unified: Total,
    /// Users whose stored balance is not the recomputed one.
    pub users_with_gap: Option<u64>,
    /// Sum of the gaps, in tokens.
    pub gap_tokens: Option<i128>,
    /// The part of it that nothing explains, in tokens.
    pub unexplained_tokens: Option<i128>,
    /// What the run before had and this run has not.
    pub gone: Gone,
    /// SHA-256 of its manifest, lower-case hexadecimal.
    pub manifest_digest: String,
    /// The same of the run before; `None`: it is the first of its history.
    pub previous_digest: Option<String>,
    /// What it read, as [`Tables::identity`] has it; unknown of a run of an earlier version.
    pub tables: Option<String>,
    /// Its directory is there.
    pub is_here: bool,
    /// Why its figures are not to be believed, as what its file is not; `None`: they are as it wrote them.
    pub altered: Option<String>,
}

/// Rows and users that are gone since the run before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Rows of the legacy table.
    pub legacy_rows: u64,
    /// Rows of the unified table.
    pub unified_rows: u64,
    /// Tokens of both, in magnitudes.
    pub tokens: i128,
    /// Users.
    pub users: u64,
    /// Rows of the stored balances and of pools; where more users lost their stored balance, these.
    pub balance_rows: u64,
}

impl Gone {
    /// Something is gone.
    pub fn is_any(&self) -> bool {
        *self != Gone::default()
    }
}

#[derive(Deserialize)]
struct Manifest {
    schema: String,
    run: Started,
    #[serde(default)]
    files: Vec<Listed>,
    previous: Option<String>,
    #[serde(default)]
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Started {
    started: String,
    activity: Option<Activity>,
}

#[derive(Deserialize)]
struct Summary {
    verdict: String,
    as_of: String,
    blocking: Option<u64>,
    findings: HashMap<String, Counts>,
    balances: Balances,
    conservation: Sides,
    history: History,
}

#[derive(Deserialize)]
struct Counts {
    waived: u64,
}

#[derive(Deserialize)]
struct Balances {
    users_with_gap: Option<u64>,
    gap_tokens: Option<i128>,
    unexplained_tokens: Option<i128>,
}

#[derive(Deserialize)]
struct Sides {
    legacy: In,
    unified: In,
}

#[derive(Deserialize)]
struct In {
    rows_in: u64,
    tokens_in: i128,
}

#[derive(Deserialize)]
struct History {
    new: u64,
    open: u64,
    resolved: u64,
    #[serde(default)]
    reopened: u64,
    #[serde(default)]
    shrunk: Vec<SideGone>,
    #[serde(default)]
    users_gone: u64,
    #[serde(default)]
    users_without_stored: u64,
}

#[derive(Deserialize)]
struct SideGone {
    side: String,
    rows: u64,
    tokens: i128,
    rows_of_all_kinds: u64,
}

const VERDICTS: [RunVerdict; 2] = [RunVerdict::Clean, RunVerdict::Discrepancies];

/// The name used in files.
pub fn verdict_name(verdict: RunVerdict) -> &'static str {
    match verdict {
        RunVerdict::Clean => "clean",
        RunVerdict::Discrepancies => "discrepancies",
    }
}

/// The files of a run that a history is told by.
const TOLD_BY: [&str; 2] = ["summary.json", FILE_NAME];

/// Which of these files is not as the run wrote it. Without this one edited word would make a night clean.
fn altered(folder: &Path, files: &[Listed]) -> Option<String> {
    let is_listed = |name: &str| files.iter().any(|listed| listed.name == name);
    if !is_listed(TOLD_BY[0]) {
        return Some(format!("its manifest does not name {}", TOLD_BY[0]));
    }
    let told_by = files.iter().filter(|listed| TOLD_BY.contains(&listed.name.as_str()));
    let mut wrong = told_by.filter_map(|listed| match digest(&folder.join(&listed.name)) {
        Ok(found) if found == listed.sha256 => None,
        Ok(_) => Some(format!("the SHA-256 of its {} is not that of its manifest", listed.name)),
        Err(cause) => Some(format!("its {} cannot be read: {cause}", listed.name)),
    });
    wrong.next()
}

impl PastRun {
    /// It was clean, and what says so is as it was written.
    pub fn is_clean(&self) -> bool {
        self.verdict == RunVerdict::Clean && self.altered.is_none()
    }

    /// Reads a run directory; `None` where it is none: it has no manifest, or that of something else.
    /// A file that is not the one of the manifest is no error here: [`PastRun::altered`] says it.
    ///
    /// # Errors
    /// [`HistoryError`] when it is one but cannot be read.
    pub fn read(folder: &Path) -> Result<Option<PastRun>, HistoryError> {
        let file = folder.join("manifest.json");
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(HistoryError::unreadable(&file, folder, &cause)),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|cause| HistoryError::unreadable(&file, folder, &cause))?;
        if value["schema"] != MANIFEST_SCHEMA {
            return Ok(None);
        }
        let manifest: Manifest =
            serde_json::from_value(value).map_err(|cause| HistoryError::unreadable(&file, folder, &cause))?;
        debug_assert_eq!(manifest.schema, MANIFEST_SCHEMA);
        let file = folder.join("summary.json");
        let read = || -> Result<PastRun, String> {
            let text = std::fs::read(&file).map_err(|cause| cause.to_string())?;
            let summary: Summary = serde_json::from_slice(&text).map_err(|cause| cause.to_string())?;
            PastRun::of(folder, sha256(&bytes).hex(), &manifest, &summary)
        };
        read().map(Some).map_err(|cause| HistoryError::unreadable(&file, folder, &cause))
    }

    fn of(folder: &Path, digest: String, manifest: &Manifest, summary: &Summary) -> Result<PastRun, String> {
        let instant = |text: &str| super::table::instant(text).ok_or_else(|| format!("{text:?} is no time"));
        let verdict = VERDICTS.into_iter().find(|verdict| verdict_name(*verdict) == summary.verdict);
        let verdict = verdict.ok_or_else(|| format!("verdict {:?} is unknown", summary.verdict))?;
        let history = &summary.history;
        let rows_gone = |side: &str| {
            let shrunk = history.shrunk.iter().filter(|shrunk| shrunk.side == side);
            shrunk.map(|shrunk| shrunk.rows.max(shrunk.rows_of_all_kinds)).fold(0, u64::saturating_add)
        };
        let total = |side: &In| Total { rows: side.rows_in, tokens: side.tokens_in };
        Ok(PastRun {
            name: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            as_of: instant(&summary.as_of)?,
            started: instant(&manifest.run.started)?,
            verdict,
            // A clean run has none; how many another had, an earlier version did not write.
            blocking: summary.blocking.or((verdict == RunVerdict::Clean).then_some(0)),
            new: history.new,
            open: history.open,
            resolved: history.resolved,
            reopened: history.reopened,
            waived: summary.findings.values().map(|counts| counts.waived).fold(0, u64::saturating_add),
            legacy: total(&summary.conservation.legacy),
            unified: total(&summary.conservation.unified),
            users_with_gap: summary.balances.users_with_gap,
            gap_tokens: summary.balances.gap_tokens,
            unexplained_tokens: summary.balances.unexplained_tokens,
            gone: Gone {
                legacy_rows: rows_gone("legacy"),
                unified_rows: rows_gone("unified"),
                tokens: history.shrunk.iter().map(|shrunk| shrunk.tokens).fold(0, i128::saturating_add),
                users: history.users_gone,
                balance_rows: rows_gone("stored")
                    .max(history.users_without_stored)
                    .saturating_add(rows_gone("pools")),
            },
            manifest_digest: digest,
            previous_digest: manifest.previous.clone(),
            tables: Tables::written(&manifest.inputs, manifest.run.activity.as_ref()).identity(),
            is_here: true,
            altered: altered(folder, &manifest.files),
        })
    }

    fn of_row(row: &Row<'_>) -> Result<PastRun, String> {
        let total = |rows: &str, tokens: &str| -> Result<Total, String> {
            Ok(Total { rows: row.number(rows)?, tokens: row.number(tokens)? })
        };
        let previous = row.plain("previous_sha256")?;
        Ok(PastRun {
            name: row.text("run")?.to_owned(),
            as_of: row.instant("as_of")?,
            started: row.instant("started")?,
            verdict: row.word("verdict", &VERDICTS, verdict_name)?,
            blocking: row.known("blocking")?,
            new: row.number("new")?,
            open: row.number("open")?,
            resolved: row.number("resolved")?,
            reopened: row.number("reopened")?,
            waived: row.number("waived")?,
            legacy: total("legacy_rows", "legacy_tokens")?,
            unified: total("unified_rows", "unified_tokens")?,
            users_with_gap: row.known("users_with_gap")?,
            gap_tokens: row.known("gap_tokens")?,
            unexplained_tokens: row.known("unexplained_tokens")?,
            gone: Gone {
                legacy_rows: row.number("legacy_rows_gone")?,
                unified_rows: row.number("unified_rows_gone")?,
                tokens: row.number("tokens_gone")?,
                users: row.number("users_gone")?,
                // An earlier version did not look.
                balance_rows: row
                    .plain("balance_rows_gone")
                    .map_or(Ok(0), |_| row.number("balance_rows_gone"))?,
            },
            manifest_digest: row.plain("manifest_sha256")?.to_owned(),
            previous_digest: Some(previous.to_owned()).filter(|digest| !digest.is_empty()),
            // An earlier version wrote none.
            tables: row.text("tables").ok().filter(|tables| !tables.is_empty()).map(str::to_owned),
            is_here: false,
            altered: None,
        })
    }

    /// Later in the history: as-of, then when it was made.
    pub fn order(&self) -> impl Ord + use<> {
        (self.as_of, self.started, self.name.clone())
    }
}

/// The lines of the `runs.csv` of a run directory; none where an earlier version wrote none.
///
/// # Errors
/// [`HistoryError`] when it is there but cannot be read.
pub fn lines(run: &Path) -> Result<Vec<PastRun>, HistoryError> {
    let file = run.join(FILE_NAME);
    let mut lines = Vec::new();
    if !file.exists() {
        return Ok(lines);
    }
    let read = each_row(&file, |row| {
        lines.push(PastRun::of_row(row)?);
        Ok(())
    });
    read.map_err(|cause| HistoryError::unreadable(&file, run, &cause))?;
    Ok(lines)
}

/// The runs of a history, ascending by time: those whose directories are there, and those that later
/// runs remember. Staging directories, audit packs, runs that `--out` put there and whatever else lies
/// there are left alone. Reads `manifest.json` and `summary.json` of each run, not its findings.
///
/// # Errors
/// [`HistoryError`] that names a run which is there but cannot be read, or a folder that cannot be.
pub fn runs(folder: &Path) -> Result<Vec<PastRun>, HistoryError> {
    let mut found = Vec::new();
    for directory in directories(folder)? {
        if let (Some(run), Some(link)) = (PastRun::read(&directory)?, Link::read(&directory)?) {
            found.push((run, link));
        }
    }
    let mut runs = of_history(folder, found);
    runs.sort_by_key(PastRun::order);
    let mut known: HashSet<String> = HashSet::new();
    let here: HashSet<String> = runs.iter().map(|run| run.manifest_digest.clone()).collect();
    let mut removed = Vec::new();
    // A run remembers all that its chain has; only another branch tells anything more.
    for run in runs.iter().rev() {
        let is_told = run.altered.as_ref().is_none_or(|said| !said.contains(FILE_NAME));
        if known.insert(run.manifest_digest.clone()) && is_told {
            for line in lines(&folder.join(&run.name))? {
                let is_new = known.insert(line.manifest_digest.clone());
                if is_new && !here.contains(&line.manifest_digest) {
                    removed.push(line);
                }
            }
        }
    }
    runs.extend(removed);
    runs.sort_by_key(PastRun::order);
    Ok(runs)
}

/// Those that were written as part of the history. Of an earlier version a run may not show it: there,
/// that another run follows it or that `latest` points at it does.
fn of_history(folder: &Path, found: Vec<(PastRun, Link)>) -> Vec<PastRun> {
    let pointed = std::fs::canonicalize(folder.join(LATEST)).ok();
    let pointed = pointed.and_then(|run| run.file_name().map(|name| name.to_string_lossy().into_owned()));
    let followed: HashSet<String> = found.iter().filter_map(|(_, link)| link.previous.clone()).collect();
    // A copy that followed links has the newest run twice, as a link to a copy has any.
    let is_second = |name: &str| name == LATEST || folder.join(name).is_symlink();
    let copied = |link: &Link| {
        let is_same = |(_, other): &(PastRun, Link)| !is_second(&other.name) && other.digest == link.digest;
        is_second(&link.name) && found.iter().any(is_same)
    };
    let belongs = |link: &Link| {
        link.is_of_history() || followed.contains(&link.digest) || pointed.as_ref() == Some(&link.name)
    };
    let is_in: Vec<bool> = found.iter().map(|(_, link)| belongs(link) && !copied(link)).collect();
    found.into_iter().zip(is_in).filter(|(_, is_in)| *is_in).map(|((run, _), _)| run).collect()
}

/// Where the chain of runs does not hold, a sentence each: the figures of every run have to be those that
/// it wrote, every run has to follow one that is known, no two may follow the same, and no run may have
/// been changed after another one followed it.
pub fn breaks(runs: &[PastRun]) -> Vec<String> {
    let known: HashSet<&str> = runs.iter().map(|run| run.manifest_digest.as_str()).collect();
    let altered = |run: &PastRun| {
        let why = run.altered.as_ref()?;
        Some(format!("{} is not as it was written, so it counts as clean nowhere: {why}", run.name))
    };
    let mut said: Vec<String> = runs.iter().filter_map(altered).collect();
    let mut followed: HashMap<Option<&str>, &PastRun> = HashMap::new();
    for run in runs {
        let previous = run.previous_digest.as_deref();
        if let Some(digest) = previous.filter(|digest| !known.contains(digest)) {
            said.push(format!(
                "{} follows a run whose manifest has SHA-256 {digest}, and no such run is known: it was changed or \
                 taken out",
                run.name
            ));
        }
        match (followed.insert(previous, run), previous) {
            // The same run twice, as it was and as it is: said below.
            (Some(other), _) if other.name == run.name => {}
            (Some(other), Some(_)) => {
                said.push(format!("{} and {} both follow the same run", other.name, run.name));
            }
            (Some(other), None) => {
                said.push(format!(
                    "{} and {} both follow no run: the history began anew",
                    other.name, run.name
                ));
            }
            (None, _) => {}
        }
    }
    let mut digests: HashMap<&str, &PastRun> = HashMap::new();
    for run in runs {
        if let Some(other) = digests.insert(&run.name, run)
            && other.manifest_digest != run.manifest_digest
        {
            said.push(format!("{} was changed after another run had followed it", run.name));
        }
    }
    said
}
