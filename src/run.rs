//! Calls the stages in order, decides nothing.

mod again;
mod archive;
mod begun;
mod bound;
mod gate;
mod partitions;
mod past;
mod period;
mod read;
mod rows;
mod stages;

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;

use crate::audit::{self, Audit, GrantTable, GrantsBy, UserHistory};
use crate::balance::replay::{Ends, Holding, Policies, Replay, Replayed, Setting};
use crate::balance::{self, BalanceError, Balances, Compared, Grounds, StoredByUser};
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{Finding, Instant, RowId, Side, Span, Status};
use crate::history::waivers::Accepted;
use crate::history::{FolderLock, PreviousRun};
use crate::matching::{self, Calibration, Matched};
use crate::normalise::{Redaction, SettledRows, UsageLog};
use crate::notify::{self, RunFacts};
use crate::repair::{self, Plan, Scripts};
use crate::report::{self, Beside, Inputs, Previous, Staging, WrittenFile};
use crate::source::{self, Progress};

use begun::Begun;

pub use again::read;
pub use archive::{ArchiveError, ArchiveOutcome, archive};
pub use bound::{MemoryBound, MemoryError};
pub use gate::{GateOptions, GateOutcome, Look, cutover};
pub use period::{PackOptions, PackOutcome, audit};
pub use read::Reads;

/// What a run is asked for, beside its configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to write; `None`: the reports folder, as part of its history.
    pub out: Option<PathBuf>,
    /// The instant of the reconciliation; overrides the configuration.
    pub as_of: Option<Instant>,
    /// Worker threads for files; `None`: the number of cores.
    pub threads: Option<usize>,
    /// Now: when the run began, and as-of where nothing else says it.
    pub started: Instant,
    /// Name of the machine, for the manifest.
    pub host: String,
    /// Keep the usage rows of this user one by one, for its history; `None`: usage is only summed.
    pub keep_usage_of: Option<RowId>,
    /// How long to wait for another run on the same folder of runs; zero: not at all.
    pub wait: Span,
    /// Users are renamed before anything is judged, so that nothing that is written names one.
    pub redaction: Option<Redaction>,
    /// What else is asked of the database.
    pub look: Look,
    /// What the process may hold; whoever set it watches it.
    pub memory: Option<Arc<MemoryBound>>,
}

impl Options {
    /// What a question needs that writes no run directory.
    pub fn to_read(as_of: Option<Instant>, started: Instant) -> Options {
        let (host, keep_usage_of, redaction) = (String::new(), None, None);
        let (look, memory) = (Look::Nothing, None);
        Options {
            out: None,
            as_of,
            threads: None,
            started,
            host,
            keep_usage_of,
            wait: Span(0),
            redaction,
            look,
            memory,
        }
    }
}

/// What the reader of a redacted report must know.
const REDACTED: &str = "users are named by keyed hashes of their ids (--redact), so there is no SQL beside this \
                        report: run without --redact for it";

/// What is found in the rows, before any SQL is planned.
#[derive(Debug)]
pub struct Judged {
    /// Findings, pairs, dispositions, conservation.
    pub audit: Audit,
    /// Balances by user.
    pub balances: Balances,
    /// What the lags show.
    pub calibration: Calibration,
    /// Policies, pools and ends of grants, for further replays.
    pub setting: Setting,
    /// Balances under the configured policies.
    pub replayed: Replayed,
    /// What the waivers mean for the findings.
    pub accepted: Accepted,
    /// One sentence each, for people.
    pub warnings: Vec<String>,
}

/// A reconciliation, before anything is written.
#[derive(Debug)]
pub struct Reconciliation {
    /// What was read.
    pub reads: Reads,
    /// Findings, pairs, dispositions, conservation.
    pub audit: Audit,
    /// Balances by user.
    pub balances: Balances,
    /// What the lags show.
    pub calibration: Calibration,
    /// What the waivers mean for the findings.
    pub accepted: Accepted,
    /// One sentence each, for people.
    pub warnings: Vec<String>,
}

impl Reconciliation {
    /// Rows of users that were settled a part at a time.
    fn settled(&self) -> Option<&SettledRows> {
        self.reads.before.as_ref().map(|before| &before.rows)
    }
}

/// A run that has been written.
#[derive(Debug)]
pub struct Outcome {
    /// The run directory.
    pub folder: PathBuf,
    /// The summary for the terminal, in the asked form.
    pub printed: String,
    /// Unwaived findings of severity `error`.
    pub errors: u64,
    /// Those of them that did not stand against the previous run, or said something else there: new, back
    /// again, graver, changed, or accepted then and no longer.
    pub new_errors: u64,
    /// Rows or users of the previous run are gone.
    pub shrunk: bool,
    /// What is told of it.
    pub facts: RunFacts,
    /// Where what is told is written down until it has been told; `None`: the run is of no history.
    owed_in: Option<PathBuf>,
    /// The next run waits until this one has told people.
    _lock: Option<FolderLock>,
}

impl Outcome {
    /// Everybody has been told of the run.
    pub fn settle(&self) {
        let Some(folder) = &self.owed_in else { return };
        if let Err(cause) = notify::settle(folder) {
            tracing::warn!("people were told, and will be told again by the next run: {cause}");
        }
    }
}

/// Matches what was read, recomputes balances and accounts for every row. `previous` gives the
/// findings their status.
///
/// # Errors
/// When balances cannot be computed or rows do not tie out.
pub fn judge(config: &Config, reads: &Reads, previous: Option<&PreviousRun>) -> anyhow::Result<Judged> {
    let books = &reads.books;
    let stored = stored_balances(config, reads)?;
    let mut stages = stages::Stages::begin();
    let replay = |ends: Ends| replay(config, reads, stored.as_ref(), ends);
    let (mut matched, replays): (Matched, Replays) = match Ends::that_no_row_says(books) {
        // Matching and replays are two long pieces of work, and neither needs the other.
        Some(ends) => {
            let (replayed, matched) = at_once(
                || replay(ends),
                || {
                    let matched = matching::run(books, config);
                    stages.end("matching");
                    matched
                },
            );
            (matched, replayed?)
        }
        None => {
            let matched = matching::run(books, config);
            let ends = Ends::of(books, &matched.pairs, &matched.groups);
            (matched, replay(ends)?)
        }
    };
    stages.end("replaying beyond that");
    reads.go_on()?;
    let mut warnings = reads.warnings(config, &matched, stored.as_ref());
    let snapshots = match &reads.before {
        Some(before) => before.snapshots.clone(),
        None => balance::snapshot_columns(books, config),
    };
    let Replays { setting, replayed, moved, compared } = replays;
    let mut balances =
        balance::recompute(books, config, &matched.findings, moved, stored.as_ref(), snapshots)?;
    balances.compared = compared;
    warnings.extend(compared.warning(stored.as_ref()));
    let (log, stop) = (&reads.usage_log, reads.progress.stop());
    let grounds =
        Grounds { books, config, matched: &matched, log, setting: &setting, replayed: &replayed, stop };
    let explained = reads.before.as_ref().map(|before| before.explained.clone()).unwrap_or_default();
    balance::explain_gaps(&mut balances, grounds, &explained)?;
    reads.go_on()?;
    warnings.extend(balances.snapshots.iter().filter_map(balance::SnapshotColumn::warning));
    balance::name_plugs(books, &balances, &mut matched.findings);
    let gaps = balance::findings(books, &balances, &replayed);

    stages.end("balances");
    let calibration = std::mem::take(&mut matched.calibration);
    let mut audit = audit::account(books, config, matched, gaps)?;
    for finding in &mut audit.findings {
        let known = previous.is_some_and(|previous| previous.has(&finding.id));
        finding.status = if known { Status::Open } else { Status::New };
    }
    let accepted = past::accept(reads, &mut audit, &mut balances, &mut warnings)?;
    Ok(Judged { audit, balances, calibration, setting, replayed, accepted, warnings })
}

/// Stored balances that can be compared with those of the rows.
fn stored_balances(config: &Config, reads: &Reads) -> Result<Option<StoredByUser>, BalanceError> {
    match (&config.balances.stored, &reads.stored) {
        (Some(settings), Some(stored)) if !reads.as_of_is_past => {
            let table = settings.origin.name();
            balance::stored_by_user(&stored.balances, &reads.books, settings.sum_rows, &table).map(Some)
        }
        _ => Ok(None),
    }
}

/// What is said of balances without knowing what was matched.
struct Replays {
    setting: Setting,
    replayed: Replayed,
    /// By user: granted, deducted.
    moved: Vec<(i128, i128)>,
    compared: Compared,
}

/// Balances under the configured policies, and their sums.
fn replay(
    config: &Config,
    reads: &Reads,
    stored: Option<&StoredByUser>,
    ends: Ends,
) -> anyhow::Result<Replays> {
    let books = &reads.books;
    let setting = Setting {
        ends,
        holding: match &config.balances.pools {
            Some(pools) => Holding::of(&reads.members, books, stored, &pools.origin.name())?,
            None => Holding::alone(),
        },
        policies: Policies::configured(config, books),
    };
    let replay = Replay::new(books, &reads.usage_log, &setting);
    let users = 0..books.roster.len() as u32;
    let is_open = |user| !books.settled.has(user);
    let mut replayed = Replayed::of_some(&replay, config.balances.count_failed_usage, users, is_open)?;
    if let Some(before) = &reads.before {
        replayed.put(before.replayed.clone());
    }
    let compared = balance::compared(books, config, stored, &setting.holding)?;
    Ok(Replays { moved: balance::moved(books)?, setting, replayed, compared })
}

/// Reconciles what was read.
///
/// # Errors
/// As [`judge`].
pub fn reconcile(
    config: &Config,
    mut reads: Reads,
    previous: Option<&PreviousRun>,
) -> anyhow::Result<Reconciliation> {
    rows::must_compare(&reads)?;
    if let Some(parts) = reads.parts.take() {
        let mut stages = stages::Stages::begin();
        reads.before = Some(partitions::settle(config, &mut reads, &parts)?);
        stages.end("settling");
    }
    let Judged { audit, balances, calibration, accepted, warnings, .. } = judge(config, &reads, previous)?;
    if let Some(before) = &reads.before {
        let wanted = repair::new_row_ids(config, &reads.books, &audit.findings, &reads.targets);
        let known = &mut reads.books.settled.known_ids;
        before.rows.each(Side::Unified, |row| {
            known.extend(wanted.get(&row.id).cloned());
        })?;
    }
    // Balances are judged: nothing replays any more, and reports need the room.
    reads.usage_log = UsageLog::default();
    Ok(Reconciliation { reads, audit, balances, calibration, accepted, warnings })
}

/// Plans the SQL that mends what was found, and adds what its readers must know to the warnings; `None`
/// where users are renamed.
fn plan<'a>(
    config: &Config,
    reads: &'a Reads,
    findings: &'a [Finding],
    warnings: &mut Vec<String>,
) -> anyhow::Result<Option<Plan<'a>>> {
    if reads.redacted {
        warnings.push(REDACTED.to_owned());
        return Ok(None);
    }
    let context = repair::Context { source: reads.source_line() };
    let plan = repair::plan(config, &reads.books, findings, &reads.targets, &context)?;
    warnings.extend(plan.refusals.iter().map(|refusal| {
        format!("{} does nothing: {}. {}", refusal.file.file(), refusal.reason, refusal.remedy)
    }));
    warnings.extend(plan.unwritten());
    warnings.extend(repair_warnings(&plan.warnings));
    Ok(Some(plan))
}

/// Plans the SQL while the longest file is written, which needs no plan.
fn plan_beside_dispositions<'a>(
    config: &Config,
    done: &'a Reconciliation,
    staging: &Staging,
    warnings: &mut Vec<String>,
) -> anyhow::Result<(Option<Plan<'a>>, WrittenFile)> {
    let (reads, audit) = (&done.reads, &done.audit);
    let (dispositions, plan) = at_once(
        || report::dispositions(audit, &reads.books, done.settled(), staging),
        || plan(config, reads, &audit.findings, warnings),
    );
    Ok((plan?, dispositions?))
}

/// Grants per action type, on both sides.
///
/// # Errors
/// Whatever keeps a row from being read, and rows that do not tie out.
pub fn grants(
    config: &Config,
    options: &Options,
    by: GrantsBy,
    progress: &Progress,
) -> anyhow::Result<GrantTable> {
    let reads = read(config, options, progress)?;
    Ok(audit::grants(&reads.books, config, by)?)
}

/// The whole token history of one user, usage and all.
///
/// # Errors
/// Whatever keeps a row from being read or accounted for, and a user whom nobody knows.
pub fn history(
    config: &Config,
    options: &Options,
    user: &RowId,
    progress: &Progress,
) -> anyhow::Result<UserHistory> {
    let options = Options { keep_usage_of: Some(user.clone()), ..options.clone() };
    let reads = read(config, &options, progress)?;
    let shown = options.redaction.as_ref().map_or_else(|| user.clone(), |redaction| redaction.name(user));
    let user = audit::find_user(&reads.books, &shown)?;
    let judged = judge(config, &reads, None)?;
    Ok(audit::history(
        &reads.books,
        config,
        &judged.audit,
        &judged.balances,
        &judged.setting,
        &reads.usage_log,
        user,
    )?)
}

/// What the SQL files warn of; what several warn of is said once.
fn repair_warnings(warnings: &[repair::Warning]) -> Vec<String> {
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for warning in warnings {
        let file = format!("{}.sql", warning.file.file());
        match said.iter_mut().find(|(text, _)| *text == warning.text) {
            Some((_, files)) => files.push(file),
            None => said.push((&warning.text, vec![file])),
        }
    }
    said.into_iter().map(|(text, files)| format!("{}: {text}", files.join(", "))).collect()
}

/// The part of the manifest that says when and where.
fn written_by(options: &Options, reads: &Reads) -> report::Run {
    report::Run {
        started: options.started,
        host: options.host.clone(),
        snapshot_held: reads.snapshot_held,
        activity: reads.activity.clone(),
    }
}

/// The main job: reads, reconciles, writes one run directory.
///
/// # Errors
/// Whatever keeps the run from covering every row or from being written; nothing half-written stays.
pub fn run(
    config: &Config,
    options: &Options,
    progress: &Progress,
    print: impl Fn(&report::Model<'_>, report::terminal::Written<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<Outcome> {
    run_with(config, options, progress, |_, _| Ok(Vec::new()), print)
}

/// As [`run`], with files that a command adds to the directory.
fn run_with(
    config: &Config,
    options: &Options,
    progress: &Progress,
    beside: impl FnOnce(&report::Model<'_>, &Reconciliation) -> anyhow::Result<Vec<Beside>>,
    print: impl FnOnce(&report::Model<'_>, report::terminal::Written<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<Outcome> {
    let Begun { lock, staging, previous } = Begun::new(config, options, progress)?;
    progress.writes_into(staging.path());
    let mut stages = stages::Stages::begin();
    let reads = again::read_rows(config, options, progress)?;
    stages.end("reading");
    // The program ends soon after: taking millions of rows apart before would be work for nobody.
    let mut done = ManuallyDrop::new(reconcile(config, reads, previous.as_ref())?);
    stages.end("judging");
    done.reads.end_digests(config)?;
    let mut warnings = std::mem::take(&mut done.warnings);
    warnings.extend(done.reads.read_twice());
    let (plan, dispositions) = plan_beside_dispositions(config, &done, &staging, &mut warnings)?;
    let plan = ManuallyDrop::new(plan);
    let scripts = ManuallyDrop::new(plan.as_ref().map(Scripts::of));
    past::warn_of_as_of(config, options, previous.as_ref(), done.reads.books.as_of);
    let lifecycle = ManuallyDrop::new(past::lifecycle(options, previous.as_ref(), &done));
    let tables = done.reads.tables();
    let shrunk = previous.as_ref().map(|before| before.shrunk(&past::now(&done, &tables))).transpose()?;
    for (previous, shrunk) in previous.iter().zip(&shrunk) {
        warnings.extend(shrunk.warnings(&previous.name));
    }
    let model = report::build(Inputs {
        config,
        books: &done.reads.books,
        audit: &done.audit,
        balances: &done.balances,
        calibration: &done.calibration,
        legacy: &done.reads.legacy,
        unified: &done.reads.unified,
        stored: done.reads.stored.as_ref().map(|stored| &stored.provenance),
        pools: done.reads.pools.as_ref(),
        snapshot: done.reads.snapshot.as_ref(),
        sql: scripts.as_ref().map_or(&[], |scripts| &scripts.files),
        mended: plan.as_ref().map(Plan::mended),
        warnings,
        previous: previous.as_ref().map(|previous| Previous {
            name: previous.name.clone(),
            manifest_digest: previous.manifest_digest.clone(),
            shrunk: shrunk.clone().unwrap_or_default(),
        }),
        lifecycle: lifecycle.as_ref(),
        runs: previous.as_ref().map_or(&[], |previous| &previous.runs),
        accepted: &done.accepted,
        settled: done.settled(),
    });
    let beside = beside(&model, &done)?;
    stages.end("the model of the report");
    let by = written_by(options, &done.reads);
    let files = report::write(&model, &by, scripts.as_ref(), &beside, dispositions, &staging)?;
    stages.end("writing");
    if let Some(bound) = &options.memory {
        bound.end();
    }
    if progress.is_stopped() {
        return Err(source::SourceError::Interrupted.into());
    }
    let is_new = |finding: &Finding| past::is_new_error(finding, previous.as_ref(), lifecycle.as_ref());
    // Before the run is in its place: whatever ends the program after that, the next run tells of it.
    let owed = past::owe(config, options, &model, &is_new);
    let folder = staging.commit(model.as_of, &model.run_id)?;
    let written = report::terminal::Written { folder: &folder, files: &files, is_new_error: &is_new };
    let printed = print(&model, written)?;
    let facts = RunFacts::of(&model, &folder, &is_new, &owed);
    if options.out.is_none() {
        past::tidy(&config.history, &folder);
    }
    let shrunk = shrunk.is_some_and(|shrunk| shrunk.is_any());
    let (errors, new_errors) = (facts.errors, facts.new_errors);
    let owed_in = options.out.is_none().then(|| config.history.folder.clone());
    Ok(Outcome { folder, printed, errors, new_errors, shrunk, facts, owed_in, _lock: lock })
}
