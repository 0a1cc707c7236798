//! Calls the stages of an audit pack in order, decides nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Judged, Options, Reads, judge, read};
use crate::audit::Audit;
use crate::audit::period::{self, Asked, Period};
use crate::balance::replay::Replay;
use crate::config::{Config, Origin};
use crate::domain::{Instant, PopulationClass, Side, UserNo};
use crate::history::packs;
use crate::normalise::Redaction;
use crate::report::place::PlaceError;
use crate::report::{self, Inputs, Place, Run, Staging, pack};
use crate::source::{Progress, SourceError};

/// What a pack is asked for, beside the configuration.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// The days.
    pub period: Period,
    /// Where to write; `None`: below the folder of the packs.
    pub out: Option<PathBuf>,
    /// The sealed pack before; `None`: the one found beside.
    pub previous: Option<PathBuf>,
    /// Seed of the sample.
    pub seed: u64,
    /// Rows of the sample, per method and table.
    pub sample: u32,
}

/// A pack that is there.
#[derive(Debug)]
pub struct PackOutcome {
    /// The summary for the terminal, in the asked form.
    pub printed: String,
    /// Unwaived findings of severity `error`.
    pub errors: u64,
}

/// Audits a period: reads, reconciles as of its end, rolls it forward, writes the pack.
///
/// # Errors
/// Whatever keeps the run from covering every row, from following the pack before, or from being
/// written; nothing half-written stays, and a sealed pack is never touched.
pub fn audit(
    config: &Config,
    asked: &PackOptions,
    options: &Options,
    progress: &Progress,
    print: impl Fn(&pack::Pack<'_>, &pack::Written<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<PackOutcome> {
    let days = asked.period;
    days.must_be_over(options.started)?;
    let folder = asked.out.clone().unwrap_or_else(|| config.audit.folder.join(days.name()));
    let already = packs::sealed_at(&folder, &days)?;
    let folders = folders_of_packs(config, &folder);
    already.iter().try_for_each(|sealed| sealed.must_follow(&folders))?;
    let key = options.redaction.as_ref().map(Redaction::fingerprint);
    let sealed = packs::before(&days, asked.previous.as_deref(), &folders, key.as_deref())?;

    let options = Options { as_of: Some(days.as_of()), ..options.clone() };
    let mut reads = read(config, &options, progress)?;
    // Balances in a file are of the configured as-of, where there is one.
    let in_file =
        config.balances.stored.as_ref().is_some_and(|stored| matches!(stored.origin, Origin::Files { .. }));
    let is_other = |as_of: &Instant| days.end() < *as_of || (in_file && *as_of < days.as_of());
    let stored_of = config.as_of.filter(|as_of| reads.stored.is_some() && is_other(as_of));
    reads.as_of_is_past |= stored_of.is_some();
    super::rows::must_compare(&reads)?;
    let judged = judge(config, &reads, None)?;
    let mut warnings = judged.warnings.clone();
    if sealed.is_none() {
        warnings.extend(gap_in_chain(&days, &folders)?);
        warnings.extend(overlap(&days, &folders)?);
    }
    warnings.extend(of_period(&days, &reads, stored_of));
    warnings.extend(pending(&judged.audit));
    let asked = Asked { period: days, sealed: sealed.as_ref(), seed: asked.seed, sample: asked.sample };
    let audited = roll(&reads, &judged, &asked)?;
    let model = report::build(Inputs {
        config,
        books: &reads.books,
        audit: &judged.audit,
        balances: &judged.balances,
        calibration: &judged.calibration,
        legacy: &reads.legacy,
        unified: &reads.unified,
        stored: reads.stored.as_ref().map(|stored| &stored.provenance),
        pools: reads.pools.as_ref(),
        snapshot: reads.snapshot.as_ref(),
        sql: &[],
        mended: None,
        warnings,
        previous: None,
        lifecycle: None,
        runs: &[],
        accepted: &judged.accepted,
        settled: None,
    });
    let pack = pack::build(model, config, &audited, key);
    let (started, host) = (options.started, options.host.clone());
    let run = Run { started, host, snapshot_held: reads.snapshot_held, activity: None };
    let (folder, was_sealed) = place(&pack, &run, folder, already, progress)?;
    let written = pack::Written { folder: &folder, was_sealed };
    Ok(PackOutcome { printed: print(&pack, &written)?, errors: pack.model.blocking })
}

/// Where earlier packs may be: beside the new one, then where packs go by default.
fn folders_of_packs(config: &Config, folder: &Path) -> Vec<PathBuf> {
    let beside = folder.parent().map(|parent| match parent.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => parent.to_owned(),
    });
    let mut folders: Vec<PathBuf> = beside.into_iter().collect();
    if !folders.contains(&config.audit.folder) {
        folders.push(config.audit.folder.clone());
    }
    folders
}

/// Sealed packs there are, but none that ends on the day before.
fn gap_in_chain(days: &Period, folders: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let last = packs::latest_before(days.day_before(), folders)?;
    Ok(last.map(|last| {
        format!(
            "the latest sealed pack before ends on {last}, not on {}: the chain has a gap, and the opening balances \
             are computed from the rows",
            days.day_before()
        )
    }))
}

/// Sealed packs have days of this one, and it follows none: what they closed with is not what it opens with.
fn overlap(days: &Period, folders: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let names = packs::overlapping(days, folders)?;
    let (packs, them) = match names.as_slice() {
        [] => return Ok(None),
        [one] => (format!("the sealed pack {one}"), "it"),
        several => (format!("the sealed packs {}", several.join(", ")), "any of them"),
    };
    Ok(Some(format!(
        "the period has days in common with {packs} and does not follow {them}: those days are told twice, and the \
         opening balances are computed from the rows, whatever was sealed; a period that begins on the day after a \
         sealed one follows it"
    )))
}

/// What a reader of the pack must know about its period.
fn of_period(days: &Period, reads: &Reads, stored_of: Option<Instant>) -> Vec<String> {
    let mut warnings = Vec::new();
    if reads.redacted {
        warnings.push("users are named by keyed hashes of their ids (--redact)".to_owned());
    }
    if let Some(as_of) = stored_of {
        let ends = if as_of < days.as_of() { "later" } else { "before" };
        warnings.push(format!(
            "the stored balances are of {} and the period ends {ends}: they are not compared",
            as_of.rfc3339()
        ));
    }
    warnings
}

/// Rows so close to the end of the period that a partner might still come, for each table that has any. The
/// rule is that of every run, but a reader of a pack takes the period for judged.
fn pending(audit: &Audit) -> impl Iterator<Item = String> {
    let sides = [(Side::Legacy, &audit.legacy_population), (Side::Unified, &audit.unified_population)];
    let counted = sides.map(|(side, rows)| (side.name(), rows.get(PopulationClass::Pending).rows));
    counted.into_iter().filter(|(_, rows)| *rows > 0).map(|(side, rows)| {
        let [noun, verb, they, them] = match rows {
            1 => ["row", "has", "it is", "it"],
            _ => ["rows", "have", "they are", "them"],
        };
        format!(
            "{rows} {side} {noun} of the last moments of the period ([matching] settle) {verb} no partner yet: \
             {they} pending and no finding of this pack; the next pack judges {them}"
        )
    })
}

/// Writes the pack; where the period is sealed already, only compares. Gives back where the pack is,
/// and whether it was there before.
fn place(
    pack: &pack::Pack<'_>,
    run: &Run,
    folder: PathBuf,
    already: Option<packs::Pack>,
    progress: &Progress,
) -> anyhow::Result<(PathBuf, bool)> {
    let days = &pack.period.period;
    let place = match &already {
        // Compared beside its place, and thrown away.
        Some(sealed) => sealed.folder.with_file_name(format!(".{}.compared", days.name())),
        None => folder.clone(),
    };
    let staging = Staging::begin(Place::Pack(place))?;
    progress.writes_into(staging.path());
    let files = pack::write(pack, run, &staging)?;
    if progress.is_stopped() {
        return Err(SourceError::Interrupted.into());
    }
    // Another run may have sealed the period meanwhile.
    let already = match already {
        Some(sealed) => Some(sealed),
        None => packs::sealed_at(&folder, days)?,
    };
    let sealed = match already {
        Some(sealed) => sealed,
        None => match staging.commit(days.as_of(), "") {
            Ok(folder) => return Ok((folder, false)),
            // Between that look and the move: the first stays, and this one has to be the same.
            Err(PlaceError::Sealed { path }) => {
                packs::sealed_at(&folder, days)?.ok_or(PlaceError::Sealed { path })?
            }
            Err(error) => return Err(error.into()),
        },
    };
    let written: Vec<(String, String)> =
        files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect();
    sealed.must_be(&written)?;
    Ok((folder, true))
}

fn roll(reads: &Reads, judged: &Judged, asked: &Asked<'_>) -> anyhow::Result<period::PeriodAudit> {
    let replay = Replay::of_users_with_rows(&reads.books, &reads.usage_log, &judged.setting);
    let name = asked.period.name();
    let stored = |user: UserNo| judged.balances.users[user.0 as usize].stored.is_some();
    period::account(&reads.books, &replay, &judged.setting.policies, &stored, asked)
        .with_context(|| format!("the period {name}"))
}
