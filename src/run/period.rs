//! Calls the stages of an audit pack in order, decides nothing.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{Judged, Options, Reads, judge, read};
use crate::audit::period::{self, Asked, Period};
use crate::balance::replay::Replay;
use crate::config::Config;
use crate::history::packs;
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
    let folder = match &asked.out {
        Some(folder) => folder.clone(),
        None => config.audit.folder.join(days.name()),
    };
    let already = packs::sealed_at(&folder, &days)?;
    let beside = folder.parent().map(|parent| match parent.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => parent.to_owned(),
    });
    let mut folders: Vec<PathBuf> = beside.into_iter().collect();
    if !folders.contains(&config.audit.folder) {
        folders.push(config.audit.folder.clone());
    }
    let sealed = packs::before(&days, asked.previous.as_deref(), &folders, options.redaction.is_some())?;

    let options = Options { as_of: Some(days.as_of()), ..options.clone() };
    let mut reads = read(config, &options, progress)?;
    // Balances in a file are of the configured as-of, where there is one.
    let stored_later = config.as_of.filter(|as_of| days.end() < *as_of && reads.stored.is_some());
    reads.as_of_is_past |= stored_later.is_some();
    let judged = judge(config, &reads, None)?;
    let mut warnings = judged.warnings.clone();
    if sealed.is_none()
        && let Some(last) = packs::latest_before(days.day_before(), &folders)
    {
        warnings.push(format!(
            "the latest sealed pack before ends on {last}, not on {}: the chain has a gap, and the opening \
             balances are computed from the rows",
            days.day_before()
        ));
    }
    if reads.redacted {
        warnings.push("users are named by keyed hashes of their ids (--redact)".to_owned());
    }
    if let Some(later) = stored_later {
        warnings.push(format!(
            "the stored balances are of {} and the period ends before: they are not compared",
            later.rfc3339()
        ));
    }
    if days.end() > options.started {
        warnings.push(
            "the period has not ended: rows that still come are adjustments of the next period".to_owned(),
        );
    }
    let audited = roll(
        &reads,
        &judged,
        &Asked { period: days, sealed: sealed.as_ref(), seed: asked.seed, sample: asked.sample },
    )?;
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
        warnings,
        previous: None,
    });
    let pack = pack::build(model, config, &audited, reads.redacted);
    let run = Run { started: options.started, host: options.host.clone() };
    let place = match &already {
        // Compared beside its place, and thrown away.
        Some(sealed) => sealed.folder.with_file_name(format!(".{}.compared", days.name())),
        None => folder.clone(),
    };
    let staging = Staging::begin(Place::Exact(place))?;
    let files = pack::write(&pack, &run, &staging)?;
    if progress.is_stopped() {
        return Err(SourceError::Interrupted.into());
    }
    // Another run may have sealed the period meanwhile.
    let already = match already {
        Some(sealed) => Some(sealed),
        None => packs::sealed_at(&folder, &days)?,
    };
    let folder = match &already {
        Some(sealed) => {
            let written: Vec<(String, String)> = files
                .iter()
                .filter(|file| file.name != report::manifest::FILE_NAME)
                .map(|file| (file.name.clone(), file.sha256.clone()))
                .collect();
            sealed.must_be(&written)?;
            folder
        }
        None => staging.commit(days.as_of(), "")?,
    };
    let written = pack::Written { folder: &folder, was_sealed: already.is_some() };
    Ok(PackOutcome { printed: print(&pack, &written)?, errors: pack.model.blocking })
}

fn roll(reads: &Reads, judged: &Judged, asked: &Asked<'_>) -> anyhow::Result<period::PeriodAudit> {
    let replay = Replay::of_users_with_rows(&reads.books, &reads.usage_log, &judged.setting);
    let name = asked.period.name();
    period::account(&reads.books, &replay, &judged.setting.policies, asked)
        .with_context(|| format!("the period {name}"))
}
