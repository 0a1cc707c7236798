//! `reckon waive`: accepts a finding or a check, with owner, reason and end.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::{Global, out};
use crate::config::Config;
use crate::history::waivers::{self, Acceptance, Sources, Waiver, Waivers};
use crate::history::{self, Certified, ListedRun};
use crate::report;

/// Flags of `reckon waive`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Writes an entry to the end of the waivers (`[history] waivers`, by default \
waivers.toml beside the configuration) and changes nothing else; it counts from the next run on. A waiver \
is bound to what the finding or the check says: it lapses when that changes, after its last day, and when its cap is \
passed.\n\nExit code: 0 written or listed, 2 refused.")]
pub struct Args {
    /// Column finding_id of findings.csv; or check:NAME, a check of `reckon cutover`
    #[arg(value_name = "FINDING_ID", required_unless_present = "list")]
    pub subject: Option<String>,
    /// Why this may stay as it is
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    pub reason: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "NAME", required_unless_present = "list")]
    pub owner: Option<String>,
    /// Last day (UTC) on which it is in force, as in 2026-12-31; at most 366 days ahead
    #[arg(long, value_name = "DATE", required_unless_present = "list", value_parser = waivers::parse_day)]
    pub until: Option<NaiveDate>,
    /// Lapse when the effect of the finding is larger than this, whatever its sign
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub max_tokens: Option<i64>,
    /// Run directory in which the finding or the check is looked up [default: the latest run of the
    /// history; of a check the latest with a certificate]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Show all waivers, and whether each holds against that run
    #[arg(long, conflicts_with_all = ["subject", "reason", "owner", "until", "max_tokens"])]
    pub list: bool,
}

/// The newest run of a history, by its link where that points at it.
fn newest(history: &Path) -> anyhow::Result<PathBuf> {
    let latest = history.join(history::LATEST);
    let pointed = std::fs::canonicalize(&latest).ok();
    Ok(history::newest(history)?.filter(|newest| pointed.as_ref() != Some(newest)).unwrap_or(latest))
}

/// Runs the command.
///
/// # Errors
/// Configuration, waivers or run that cannot be read, and everything that is refused.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let folder = match &args.run {
        Some(named) => named.clone(),
        None => newest(&config.history.folder)?,
    };
    let run = match (ListedRun::read(&folder)?, &args.run) {
        (None, Some(named)) => anyhow::bail!(
            "{} has no manifest.json of a run, so it is no complete run of reckon: name a run directory with --run",
            named.display()
        ),
        (run, _) => run,
    };
    let (certified, certificates) = match &args.run {
        Some(named) => (Certified::read(named)?, named),
        None => (Certified::latest(&config.history.folder)?, &config.history.folder),
    };
    if args.list {
        return list(&config, run.as_ref(), certified.as_ref(), global);
    }
    let (Some(subject), Some(reason), Some(owner), Some(until)) =
        (&args.subject, &args.reason, &args.owner, args.until)
    else {
        anyhow::bail!("a finding, --reason, --owner and --until are needed");
    };
    let asked = Acceptance { subject, reason, owner, until, max_tokens: args.max_tokens, now: super::now() };
    let file = &config.history.waivers;
    let sources = Sources { run: run.as_ref(), folder: &folder, certified: certified.as_ref(), certificates };
    let waiver = waivers::accept(file, &sources, &asked)?;
    out::print(&said(&waiver, file, global)?)?;
    Ok(0)
}

fn said(waiver: &Waiver, file: &Path, global: &Global) -> anyhow::Result<String> {
    if global.json() {
        return report::waivers::written(waiver, file).context("the waiver");
    }
    if global.quiet {
        return Ok(String::new());
    }
    Ok(format!(
        "{} is accepted until {} by {}: {}:{}. It counts from the next run on.\n",
        waiver.subject,
        waiver.until,
        waiver.owner,
        file.display(),
        waiver.line
    ))
}

fn list(
    config: &Config,
    run: Option<&ListedRun>,
    certified: Option<&Certified>,
    global: &Global,
) -> anyhow::Result<u8> {
    let waivers = Waivers::load(config)?;
    // Without a run nothing is known of findings, and unknown is neither held nor lapsed.
    let as_of = run.map_or_else(super::now, |run| run.as_of);
    let standings = run.map(|run| waivers.against(run, certified, as_of));
    let listed = report::waivers::Listed {
        waivers: &waivers,
        standings: standings.as_deref(),
        run: run.map(|run| run.name.as_str()),
        as_of,
    };
    let text = match global.json() {
        true => listed.json()?,
        false => listed.terminal(super::width(), global.color),
    };
    out::print(&text)?;
    Ok(0)
}
