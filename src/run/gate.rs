//! The gate: a fresh reconciliation, the checks on top of it, the certificate beside its report.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::{ArchiveError, Options, Reconciliation, run_with};
use crate::config::{Config, Origin, TableName};
use crate::cutover::retire::{self, RetireFile, Sealed};
use crate::cutover::{self, Accepted, Archived, Certificate, Facts, Live, Night, SealedTable, Verdict};
use crate::domain::{Instant, Span};
use crate::history::waivers::Waivers;
use crate::history::{self, PastRun, Tables, Watched};
use crate::report::{self, Beside, Model};
use crate::source::postgres::Database;
use crate::source::postgres::activity::Activity;
use crate::source::{Progress, Snapshot, SourceError};

/// What is asked of a database beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Look {
    /// Nothing.
    #[default]
    Nothing,
    /// What its statistics count around the run, for those that come later.
    Activity,
    /// That, and everything that the gate asks.
    Gate {
        /// Where the legacy table is archived, in the same snapshot.
        archive: Option<PathBuf>,
    },
}

/// What the gate is asked for, beside the configuration.
#[derive(Debug, Clone)]
pub struct GateOptions {
    /// What the run is asked for.
    pub run: Options,
    /// Somebody says that there is a backup, and where.
    pub backup: Option<String>,
}

/// A gate that was passed, or not.
#[derive(Debug)]
pub struct GateOutcome {
    /// The run directory.
    pub folder: PathBuf,
    /// The result for the terminal, in the asked form.
    pub printed: String,
    /// GO or NO-GO.
    pub verdict: Verdict,
}

/// What is asked of the database around the reading of the rows.
#[derive(Debug, Default)]
pub(super) struct Watch {
    look: Look,
    /// The counters before and after.
    pub activity: Option<Activity>,
    /// What the gate was told.
    pub live: Option<Live>,
}

impl Watch {
    /// Before anything is read.
    pub fn begin(config: &Config, look: Look, database: Option<&mut Database>) -> Result<Watch, SourceError> {
        let mut watch = Watch { look, ..Watch::default() };
        if let Some(database) = database.filter(|_| watch.look != Look::Nothing) {
            let start = database.activity(&tables(config))?;
            watch.activity = Some(Activity { start, end: Vec::new() });
        }
        Ok(watch)
    }

    /// After everything was read: the last look in the snapshot, then the end of the sessions.
    /// How long the snapshot was held, where there was one.
    pub fn end(
        &mut self,
        config: &Config,
        database: Option<Database>,
        progress: &Progress,
    ) -> anyhow::Result<Option<Span>> {
        let Some(mut database) = database else { return Ok(None) };
        if let Look::Gate { archive } = &self.look {
            let mut live = cutover::look(&mut database, config)?;
            live.sealed = seal(&mut database, config, archive.as_deref(), progress)?;
            self.live = Some(live);
        }
        let held = database.held();
        if let Some(activity) = &mut self.activity {
            activity.end = database.activity_at_end(&tables(config))?;
        }
        Ok(Some(held))
    }
}

/// Digests the legacy table where its rows were read from, and archives it where that was asked for.
fn seal(
    database: &mut Database,
    config: &Config,
    archive: Option<&Path>,
    progress: &Progress,
) -> anyhow::Result<Option<SealedTable>> {
    let Origin::Table(table) = &config.legacy.columns.origin else { return Ok(None) };
    let Some(folder) = archive else {
        return Ok(Some(SealedTable { state: database.digest(table)?, archive: None }));
    };
    let done = super::archive(database, table, folder, progress).map_err(|error| match error {
        // As itself, so that what may pass is tried again.
        ArchiveError::Source(error) => anyhow::Error::new(error),
        error => anyhow::Error::new(error).context("the archive of the legacy table"),
    })?;
    progress.keeps(format!("the archive {} stands whole", done.folder.display()));
    let archived = Archived { folder: done.folder, seal: done.seal };
    Ok(Some(SealedTable { state: done.state, archive: Some(archived) }))
}

/// The SQL that retires the table, or says why it does not.
fn retirement(certificate: &Certificate, live: Option<&Live>) -> Vec<RetireFile> {
    let sealed = live.and_then(|live| live.sealed.as_ref());
    match (certificate.verdict, sealed) {
        (Verdict::Go, Some(table)) => retire::files(&Sealed {
            table: table.state.table.clone(),
            oid: table.state.oid,
            digest: table.state.digest,
            shape: table.state.shape.clone(),
            publications: certificate.publications(),
            archive: table.archive.as_ref().map(|archive| archive.seal.clone()),
            run_id: certificate.run_id.clone(),
            issued_at: certificate.issued_at,
            expires_at: certificate.expires_at,
            hold: certificate.hold,
        }),
        (Verdict::Go, None) => vec![retire::refused(&[
            "the legacy rows were read from files, so the table itself was neither counted nor digested: write \
             [legacy] table in place of path, and run reckon cutover again"
                .to_owned(),
        ])],
        (Verdict::NoGo, _) => {
            let reasons: Vec<String> =
                certificate.reasons().map(|check| format!("{}: {}", check.check, check.detail)).collect();
            vec![retire::refused(&reasons)]
        }
    }
}

/// The checks that are accepted by name, whose last day is not over at an instant.
fn accepted(waivers: &Waivers, at: Instant) -> BTreeMap<String, Vec<Accepted>> {
    let of = |name: &str| {
        let told = waivers.of_check(name, at).map(|waiver| Accepted {
            content: waiver.content.clone(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            until: waiver.until.to_string(),
        });
        (name.to_owned(), told.collect())
    };
    cutover::NAMES.into_iter().map(of).collect()
}

/// The earlier runs of the history, as the gate sees them.
struct Past {
    watched: Vec<Watched>,
    nights: Vec<Night>,
}

impl Past {
    /// Reads them. `tables`, `activity`: what this run reads, and the counters around it.
    fn read(folder: &Path, tables: &Tables, activity: Option<&Activity>) -> anyhow::Result<Past> {
        let runs = history::runs(folder)?;
        let watched = history::watched(folder, &runs)?;
        // What the newest run follows; runs written elsewhere and other branches are no nights.
        let chain: HashSet<String> = match history::newest(folder)? {
            Some(latest) => {
                let newest = PastRun::read(&latest)?;
                let before = history::runs::lines(&latest)?;
                newest.into_iter().chain(before).map(|run| run.manifest_digest).collect()
            }
            None => HashSet::new(),
        };
        let own = tables.identity();
        let read_the_same = |run: &PastRun| {
            let its = watched.iter().find(|watched| run.is_here && watched.name == run.name);
            // Of a run that was removed, those after it remember what it read.
            let remembered = || run.tables.is_none() || own.is_none() || run.tables == own;
            its.map_or_else(remembered, |its| may_be_same(its.activity.as_ref(), activity))
        };
        let night = |run: &PastRun| Night {
            as_of: run.as_of,
            started: run.started,
            is_clean: run.is_clean(),
            is_altered: run.altered.is_some(),
            in_chain: chain.contains(&run.manifest_digest),
            of_these_tables: read_the_same(run),
        };
        let nights = runs.iter().map(night).collect();
        Ok(Past { watched, nights })
    }
}

/// Nothing shows that two runs read different tables: one files and one a database, or tables of
/// different names, databases or oids.
fn may_be_same(one: Option<&Activity>, other: Option<&Activity>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none() && other.is_none() };
    let names = |activity: &Activity| -> BTreeSet<[String; 2]> {
        activity.start.iter().map(|counted| [counted.table.clone(), counted.identity.clone()]).collect()
    };
    let (one, other) = (names(one), names(other));
    one.is_empty() || other.is_empty() || one == other
}

/// Both tables, those of files by the names that SQL is written for.
fn tables(config: &Config) -> [&TableName; 2] {
    [&config.legacy.columns.origin, &config.unified.columns.origin].map(Origin::target)
}

/// Reconciles as [`super::run`] does, makes every check, and writes the certificate into the run
/// directory.
///
/// # Errors
/// Whatever keeps the run from covering every row or from being written; nothing half-written stays.
pub fn cutover(
    config: &Config,
    asked: &GateOptions,
    progress: &Progress,
    print: impl FnOnce(&Certificate, report::terminal::Written<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<GateOutcome> {
    let options = Options { as_of: None, ..asked.run.clone() };
    let issued = RefCell::new(None);
    let beside = |model: &Model<'_>, done: &Reconciliation| -> anyhow::Result<Vec<Beside>> {
        // With the folder locked, and before this run is one of them.
        let past = Past::read(&config.history.folder, &done.reads.tables(), done.reads.activity.as_ref())?;
        let here = || Instant(chrono::Utc::now().timestamp_micros());
        let now = done.reads.snapshot.as_ref().map_or_else(here, Snapshot::now);
        let accepted = accepted(&done.reads.waivers, now);
        let facts = Facts {
            config,
            books: &done.reads.books,
            audit: &done.audit,
            compared: done.balances.stored_known.then_some(done.balances.compared),
            live: done.reads.live.as_ref(),
            activity: done.reads.activity.as_ref(),
            unified: done.reads.targets.unified.as_ref(),
            past: &past.watched,
            nights: &past.nights,
            snapshot: done.reads.snapshot.as_ref(),
            now,
            backup: asked.backup.as_deref(),
            accepted: &accepted,
        };
        let sources = [&done.reads.legacy, &done.reads.unified];
        let certificate = cutover::certify(&facts, sources, &model.run_id);
        let mut files = report::certificate::files(&certificate)?;
        let sql = retirement(&certificate, done.reads.live.as_ref());
        files.extend(sql.into_iter().map(|file| Beside { name: file.name, bytes: file.text.into_bytes() }));
        issued.replace(Some(certificate));
        Ok(files)
    };
    let print = |_: &Model<'_>, written: report::terminal::Written<'_>| {
        let certificate = issued.borrow();
        let certificate = certificate.as_ref().ok_or_else(|| anyhow::anyhow!("no certificate was made"))?;
        print(certificate, written)
    };
    let outcome = run_with(config, &options, progress, beside, print)?;
    let verdict = issued.borrow().as_ref().map_or(Verdict::NoGo, |certificate| certificate.verdict);
    Ok(GateOutcome { folder: outcome.folder, printed: outcome.printed, verdict })
}
