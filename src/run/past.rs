//! What a run has to do with those before it: what has been accepted, what became of the findings, and
//! which runs go.

use std::collections::HashSet;
use std::path::Path;

use super::{Options, Reads, Reconciliation};
use crate::audit::Audit;
use crate::balance::{self, Balances};
use crate::config::{Config, History, Keep};
use crate::domain::{Finding, Instant};
use crate::history::lifecycle::Lifecycle;
use crate::history::waivers::Accepted;
use crate::history::{self, PreviousRun, Tables};
use crate::notify::Owed;
use crate::report::{Model, place};

/// What the reader of a redacted report must know, where something has been accepted.
const NOT_WAIVED: &str = "waivers are bound to what findings say, their users included, so none is in force in \
                          this report (--redact)";

/// Marks the findings that are accepted, and takes their repairs out of the balances.
pub(super) fn accept(
    reads: &Reads,
    audit: &mut Audit,
    balances: &mut Balances,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Accepted> {
    if reads.redacted {
        if !reads.waivers.entries.is_empty() {
            warnings.push(NOT_WAIVED.to_owned());
        }
        return Ok(Accepted { digest: reads.waivers.digest.clone(), standings: Vec::new() });
    }
    let accepted = reads.waivers.apply(reads.books.as_of, &mut audit.findings);
    balance::leave_out_waived(balances, &reads.books, &audit.findings)?;
    warnings.extend(accepted.standings.iter().filter_map(history::waivers::Standing::warning));
    Ok(accepted)
}

/// What became of all findings of the history; `None` where the run belongs to none.
pub(super) fn lifecycle(
    options: &Options,
    previous: Option<&PreviousRun>,
    done: &Reconciliation,
) -> Option<Lifecycle> {
    let before = previous.map(|previous| &previous.lifecycle);
    options.out.is_none().then(|| Lifecycle::after(before, &done.audit.findings, done.reads.books.as_of))
}

/// What is held against the run before: what it had and this one has not.
pub(super) fn now<'a>(done: &'a Reconciliation, tables: &'a Tables) -> history::Now<'a> {
    let reads = &done.reads;
    history::Now {
        books: &reads.books,
        settled: reads.before.as_ref().map(|before| &before.rows),
        findings: &done.audit.findings,
        pairs: &done.audit.pairs,
        tables,
        balances: &done.balances,
        stored_rows: reads.stored.as_ref().map_or(0, |stored| stored.provenance.control.rows),
        pool_rows: reads.pools.as_ref().map_or(0, |pools| pools.control.rows),
    }
}

/// The finding keeps the run from being clean, and did not keep the one before from it or said something
/// else there.
pub(super) fn is_new_error(
    finding: &Finding,
    previous: Option<&PreviousRun>,
    lifecycle: Option<&Lifecycle>,
) -> bool {
    let was = previous.is_some_and(|run| run.was_blocked_by(&finding.id));
    let life = lifecycle.and_then(|lives| lives.find(&finding.id.0));
    finding.is_blocking() && (!was || life.is_some_and(|life| life.is_changed))
}

/// Writes down what people have to be told, until they have been; gives back what earlier runs left
/// untold. A run of no history owes nothing, and where nobody is to be told, nothing is owed.
pub(super) fn owe(
    config: &Config,
    options: &Options,
    model: &Model<'_>,
    is_new_error: &dyn Fn(&Finding) -> bool,
) -> Owed {
    let tells = config.notify.as_ref().is_some_and(|to| !to.command.is_empty() || to.webhook.is_some());
    if options.out.is_some() || !tells {
        return Owed::default();
    }
    let folder = &config.history.folder;
    let before = Owed::read(folder);
    let to_tell =
        model.findings.iter().filter(|one| is_new_error(one) || (one.is_blocking() && before.has(one)));
    let shrunk = model.history.shrunk.sentences(model.history.previous.as_deref().unwrap_or_default());
    if let Err(cause) = before.clone().with(to_tell, &shrunk).write(folder) {
        let folder = folder.display();
        tracing::warn!("cannot write down in {folder} what people have to be told: {cause}");
    }
    before
}

/// Warns of a night of the history whose as-of lies before that of the newest one, or ahead of now: the
/// order of the runs, and what `[history] keep` keeps, go by it.
pub(super) fn warn_of_as_of(
    config: &Config,
    options: &Options,
    previous: Option<&PreviousRun>,
    as_of: Instant,
) {
    if options.out.is_some() {
        return;
    }
    let elsewhere = "a run that is no night of the history is written elsewhere with --out";
    let newest = previous.and_then(|previous| previous.runs.last());
    if let Some(newest) = newest.filter(|newest| as_of < newest.as_of) {
        let (now, before) = (as_of.rfc3339(), newest.as_of.rfc3339());
        tracing::warn!("as of {now}, before the newest run of the history, as of {before}: {elsewhere}");
    }
    // Without one that was asked for it is the server's time, whose clock may be a little ahead.
    if options.as_of.or(config.as_of).is_some_and(|asked| asked > options.started) {
        tracing::warn!("as of {}, which is still to come: {elsewhere}", as_of.rfc3339());
    }
}

/// Removes the runs that are not to be kept, now that `newest` stands. What cannot be removed is said
/// and stays: the result is there, whatever becomes of old ones.
pub(super) fn tidy(settings: &History, newest: &Path) {
    if settings.keep == Keep::All {
        return;
    }
    if let Err(error) = remove_old(settings, newest) {
        tracing::warn!("earlier runs were not removed ([history] keep): {error:#}");
    }
}

fn remove_old(settings: &History, newest: &Path) -> anyhow::Result<()> {
    let runs = history::runs(&settings.folder)?;
    let remembered = history::runs::lines(newest)?;
    let remembered: HashSet<&str> = remembered.iter().map(|run| run.manifest_digest.as_str()).collect();
    let name = newest.file_name().unwrap_or_default().to_string_lossy();
    for run in history::removable(&runs, &name, &remembered, settings.keep) {
        match place::remove(&settings.folder, &run.name)? {
            place::Removed::Gone => tracing::info!("removed the run {} ([history] keep)", run.name),
            place::Removed::Kept(why) => tracing::info!("the run {} stays: {why}", run.name),
        }
    }
    Ok(())
}
