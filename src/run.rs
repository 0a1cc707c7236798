//! Calls the stages in order, decides nothing.

mod gate;
mod period;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;

use crate::audit::{self, Audit, GrantTable, GrantsBy, UserHistory};
use crate::balance::replay::{Ends, Holding, Policies, Replay, Replayed, Setting};
use crate::balance::{self, Balances, Grounds};
use crate::config::{Columns, Config, Origin};
use crate::cutover::Live;
use crate::domain::{Books, Instant, RowId, Side, Status};
use crate::history::{self, PreviousRun};
use crate::matching::{self, Calibration, Matched};
use crate::normalise::{self, Folder, Member, Redaction, Rules, Sides, UsageLog};
use crate::repair::{self, SqlFile, Targets};
use crate::report::{self, Beside, Inputs, Place, Previous, Staging};
use crate::source::postgres::Database;
use crate::source::postgres::activity::Activity;
use crate::source::{self, Progress, Provenance, Reading, Snapshot, StoredReading};

pub use gate::{GateOptions, GateOutcome, Look, cutover};
pub use period::{PackOptions, PackOutcome, audit};

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
    /// Users are renamed before anything is judged, so that nothing that is written names one.
    pub redaction: Option<Redaction>,
    /// What else is asked of the database.
    pub look: Look,
}

impl Options {
    /// What a question needs that writes no run directory.
    pub fn to_read(as_of: Option<Instant>, started: Instant) -> Options {
        let (host, keep_usage_of, redaction) = (String::new(), None, None);
        let look = Look::Nothing;
        Options { out: None, as_of, threads: None, started, host, keep_usage_of, redaction, look }
    }
}

/// Both ledgers as read, and where they came from.
#[derive(Debug)]
pub struct Reads {
    /// The books.
    pub books: Books,
    /// Every row of usage, for replays.
    pub usage_log: UsageLog,
    /// Members of pools, where configured.
    pub members: Vec<Member>,
    /// Source of the members.
    pub pools: Option<Provenance>,
    /// Stored balances, where configured.
    pub stored: Option<StoredReading>,
    /// Source of the legacy rows.
    pub legacy: Provenance,
    /// Source of the unified rows.
    pub unified: Provenance,
    /// The moment that all reads of the database saw.
    pub snapshot: Option<Snapshot>,
    /// What the catalogue says of the tables.
    pub targets: Targets,
    /// The stored balances were read at a later moment than as-of, so they cannot be compared. A
    /// file of balances has no moment of its own: it is taken to be of as-of.
    pub as_of_is_past: bool,
    /// Users stand under other names.
    pub redacted: bool,
    /// What the statistics counted around the reading, where that was asked for.
    pub activity: Option<Activity>,
    /// What the gate was told, where it asked.
    pub live: Option<Live>,
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
    /// The SQL that mends.
    pub sql: Vec<SqlFile>,
    /// One sentence each, for people.
    pub warnings: Vec<String>,
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
    /// Those of them that the previous run did not have.
    pub new_errors: u64,
    /// Rows or users of the previous run are gone.
    pub shrunk: bool,
}

/// Reads both ledgers at one moment and brings them into the books.
///
/// # Errors
/// Whatever keeps a row from being read.
pub fn read(config: &Config, options: &Options, progress: &Progress) -> anyhow::Result<Reads> {
    let stored_origin = config.balances.stored.as_ref().map(|stored| &stored.origin);
    let mut database = match needs_database(config) {
        true => Some(Database::open(&config.postgres, progress)?),
        false => None,
    };
    let mut watch = gate::Watch::begin(config, options.look, database.as_mut())?;
    let snapshot = database.as_ref().map(|database| database.snapshot().clone());
    let asked = options.as_of.or(config.as_of);
    let as_of = asked.or(snapshot.as_ref().map(|snapshot| snapshot.at)).unwrap_or(options.started);
    let threads = options
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get));

    let keep_usage_of = options.keep_usage_of.as_ref();
    let mut scan = |columns: &Columns, side: Side| -> anyhow::Result<Reading<Folder>> {
        let rules = Arc::new(match side {
            Side::Legacy => Rules::legacy(config, as_of),
            Side::Unified => Rules::unified(config, as_of, keep_usage_of),
        });
        let new_sink = || Folder::new(rules.clone());
        let rule = Rules::detail_rule(config, side, keep_usage_of);
        let reading = match (&columns.origin, &mut database) {
            (Origin::Table(_), Some(database)) => database.scan(columns, &rule, &new_sink, progress)?,
            _ => source::files::scan(columns, &rule, threads, &new_sink, progress)?,
        };
        Ok(reading)
    };
    let legacy = scan(&config.legacy.columns, Side::Legacy).context("the legacy side")?;
    let unified = scan(&config.unified.columns, Side::Unified).context("the unified side")?;
    let (mut stored, mut members, pools) = beside(config, &mut database, progress)?;
    let mut facts = |origin: &Origin| match (origin, &mut database) {
        (Origin::Table(table), Some(database)) => database.facts(table).map(Some),
        _ => Ok(None),
    };
    let targets = Targets {
        legacy: facts(&config.legacy.columns.origin)?,
        unified: facts(&config.unified.columns.origin)?,
    };
    watch.end(config, database)?;

    let sides = Sides {
        legacy: legacy.sinks,
        legacy_control: legacy.provenance.control,
        unified: unified.sinks,
        unified_control: unified.provenance.control,
    };
    if let Some(redaction) = &options.redaction {
        rename(&mut stored, &mut members, redaction);
    }
    let with_balance = stored.iter().flat_map(|stored| &stored.balances).map(|row| &row.user);
    let owners = members.iter().filter_map(|member| member.owner.as_ref());
    let more_users: Vec<RowId> = with_balance.chain(owners).cloned().collect();
    let (books, usage_log) = normalise::books(config, sides, &more_users, as_of, options.redaction.as_ref())?;
    let stored_in_database = matches!(stored_origin, Some(Origin::Table(_)));
    let read_later = snapshot.as_ref().is_some_and(|snapshot| as_of < snapshot.at);
    Ok(Reads {
        books,
        usage_log,
        members,
        pools,
        stored,
        legacy: legacy.provenance,
        unified: unified.provenance,
        snapshot,
        targets,
        as_of_is_past: stored_in_database && read_later,
        redacted: options.redaction.is_some(),
        activity: watch.activity,
        live: watch.live,
    })
}

/// Something of what is read is a table.
fn needs_database(config: &Config) -> bool {
    let origins = [&config.legacy.columns.origin, &config.unified.columns.origin];
    let stored = config.balances.stored.as_ref().map(|stored| &stored.origin);
    let pools = config.balances.pools.as_ref().map(|pools| &pools.origin);
    let mut all = origins.into_iter().chain(stored).chain(pools);
    all.any(|origin| matches!(origin, Origin::Table(_)))
}

/// Stored balances and members of pools: what is read beside the ledgers.
fn beside(
    config: &Config,
    database: &mut Option<Database>,
    progress: &Progress,
) -> anyhow::Result<(Option<StoredReading>, Vec<Member>, Option<Provenance>)> {
    let stored = match &config.balances.stored {
        None => None,
        Some(stored) => Some(match (&stored.origin, &mut *database) {
            (Origin::Table(_), Some(database)) => database.stored(stored)?,
            _ => source::files::stored(stored, progress)?,
        }),
    };
    let Some(pools) = &config.balances.pools else { return Ok((stored, Vec::new(), None)) };
    let reading = match (&pools.origin, database) {
        (Origin::Table(_), Some(database)) => database.pools(pools)?,
        _ => source::files::pools(pools, progress)?,
    };
    let members = normalise::members(&reading, pools)?;
    Ok((stored, members, Some(reading.provenance)))
}

/// Puts other names in the place of users and pools read beside the ledgers.
fn rename(stored: &mut Option<StoredReading>, members: &mut [Member], redaction: &Redaction) {
    let mut users: Vec<&mut RowId> = Vec::new();
    users.extend(stored.iter_mut().flat_map(|stored| &mut stored.balances).map(|row| &mut row.user));
    for member in members {
        users.extend([&mut member.user, &mut member.pool]);
        users.extend(member.owner.as_mut());
    }
    users.into_iter().for_each(|user| *user = redaction.name(user));
}

/// Matches what was read, recomputes balances and accounts for every row. `previous` gives the
/// findings their status.
///
/// # Errors
/// When balances cannot be computed or rows do not tie out.
pub fn judge(config: &Config, reads: &Reads, previous: Option<&PreviousRun>) -> anyhow::Result<Judged> {
    let books = &reads.books;
    let mut matched: Matched = matching::run(books, config);
    let mut warnings = reads.warnings(&matched);

    let stored = match (&config.balances.stored, &reads.stored) {
        (Some(settings), Some(stored)) if !reads.as_of_is_past => {
            let table = settings.origin.name();
            Some(balance::stored_by_user(&stored.balances, books, settings.sum_rows, &table)?)
        }
        _ => None,
    };
    let setting = Setting {
        ends: Ends::of(books, &matched.pairs, &matched.groups),
        holding: match &config.balances.pools {
            Some(pools) => Holding::of(&reads.members, books, stored.as_ref(), &pools.origin.name())?,
            None => Holding::alone(),
        },
        policies: Policies::configured(config, books),
    };
    let replay = Replay::new(books, &reads.usage_log, &setting);
    let replayed = Replayed::of(&replay, config.balances.count_failed_usage)?;
    let mut balances = balance::recompute(books, config, &matched.findings, stored.as_ref())?;
    let (findings, log) = (&matched.findings, &reads.usage_log);
    let grounds = Grounds { books, config, findings, log, setting: &setting, replayed: &replayed };
    balance::explain_gaps(&mut balances, grounds)?;
    warnings.extend(balances.snapshots.iter().filter_map(balance::SnapshotColumn::warning));
    balance::name_plugs(books, &balances, &mut matched.findings);
    let gaps = balance::findings(books, &balances, &replayed);

    let calibration = std::mem::take(&mut matched.calibration);
    let mut audit = audit::account(books, config, matched, gaps)?;
    for finding in &mut audit.findings {
        let known = previous.is_some_and(|previous| previous.has(&finding.id));
        finding.status = if known { Status::Open } else { Status::New };
    }
    Ok(Judged { audit, balances, calibration, setting, replayed, warnings })
}

/// Reconciles what was read, and plans the SQL that mends it.
///
/// # Errors
/// As [`judge`]; also when no SQL can be written.
pub fn reconcile(
    config: &Config,
    mut reads: Reads,
    previous: Option<&PreviousRun>,
) -> anyhow::Result<Reconciliation> {
    let Judged { audit, balances, calibration, mut warnings, .. } = judge(config, &reads, previous)?;
    // Balances are judged: nothing replays any more, and reports need the room.
    reads.usage_log = UsageLog::default();
    if reads.redacted {
        warnings.push(REDACTED.to_owned());
        return Ok(Reconciliation { reads, audit, balances, calibration, sql: Vec::new(), warnings });
    }
    let context = repair::Context { source: reads.source_line() };
    let plan = repair::plan(config, &reads.books, &audit.findings, &reads.targets, &context)?;
    warnings.extend(plan.refusals.iter().map(|refusal| {
        format!("{} does nothing: {}. {}", refusal.file.file(), refusal.reason, refusal.remedy)
    }));
    warnings.extend(repair_warnings(&plan.warnings));
    let sql = repair::render(&plan)?;
    Ok(Reconciliation { reads, audit, balances, calibration, sql, warnings })
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
    let place = match &options.out {
        Some(folder) => Place::Exact(folder.clone()),
        None => Place::History(config.history.folder.clone()),
    };
    let staging = Staging::begin(place)?;
    let previous = match &options.out {
        Some(_) => None,
        None => history::previous(&config.history.folder)?,
    };
    let reads = read(config, options, progress)?;
    let mut done = reconcile(config, reads, previous.as_ref())?;

    let resolved = previous.as_ref().map_or(0, |previous| previous.resolved(&done.audit.findings));
    let shrunk = previous.as_ref().map(|previous| previous.shrunk(&done.reads.books, &done.audit.findings));
    for (previous, shrunk) in previous.iter().zip(&shrunk) {
        done.warnings.extend(shrunk.sentences(&previous.name));
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
        sql: &done.sql,
        warnings: done.warnings.clone(),
        previous: previous.as_ref().map(|previous| Previous {
            name: previous.name.clone(),
            manifest_digest: previous.manifest_digest.clone(),
            resolved,
            shrunk: shrunk.clone().unwrap_or_default(),
        }),
    });
    let activity = done.reads.activity.clone();
    let run = report::Run { started: options.started, host: options.host.clone(), activity };
    let beside = beside(&model, &done)?;
    let files = report::write(&model, &run, &beside, &staging)?;
    if progress.is_stopped() {
        return Err(source::SourceError::Interrupted.into());
    }
    let folder = staging.commit(model.as_of, &model.run_id)?;
    let printed = print(&model, report::terminal::Written { folder: &folder, files: &files })?;
    let blocking = || done.audit.findings.iter().filter(|finding| finding.is_blocking());
    let new_errors = blocking().filter(|finding| finding.status == Status::New).count() as u64;
    let shrunk = shrunk.is_some_and(|shrunk| shrunk.is_any());
    Ok(Outcome { folder, printed, errors: blocking().count() as u64, new_errors, shrunk })
}

impl Reads {
    /// Where the rows came from, in one line.
    fn source_line(&self) -> String {
        format!("{} and {}", self.legacy.name, self.unified.name)
    }

    /// What a reader of the report must know about the rows.
    fn warnings(&self, matched: &Matched) -> Vec<String> {
        let mut warnings = Vec::new();
        for side in [Side::Legacy, Side::Unified] {
            let ledger = self.books.side(side);
            let late = ledger.population.get(crate::domain::PopulationClass::AfterAsOf).rows;
            if late > 0 {
                let as_of = self.books.as_of.rfc3339();
                warnings.push(format!(
                    "{late} {} rows lie after as-of {as_of}; they are counted apart",
                    side.name()
                ));
            }
            if let Some(first) = ledger.unreadable_ends.first() {
                warnings.push(format!(
                    "{} {} grants say when they end in a way that is no time, as {first} does: they are \
                     taken not to end",
                    ledger.unreadable_ends.len(),
                    side.name()
                ));
            }
            for row in &ledger.rejected {
                tracing::info!("{}: rejected: {}", row.place, row.reason);
            }
        }
        warnings.extend(matched.bounded.iter().map(|component| {
            format!("too many candidates to tell all answers apart, so these rows are contested: {component}")
        }));
        warnings
    }
}
