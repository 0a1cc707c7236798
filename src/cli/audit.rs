//! `reckon audit`: the finance pack of a period.

use std::path::PathBuf;

use chrono::NaiveDate;

use super::redact::Redact;
use super::{Global, out};
use crate::audit::period::Period;
use crate::report::pack;
use crate::run::{self, Options, PackOptions};

/// Flags of `reckon audit`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Days are UTC, and both are included: --from 2026-01-01 --to 2026-03-31 is the \
whole first quarter. The pack is audit.xlsx, the same tables as CSV, audit.html and manifest.json. Once \
written a pack is sealed: the same command again compares, and changes nothing. The pack that ends on the day \
before --from gives the opening balances; what has changed in its rows since is booked as an adjustment. \
Exit code 0: clean as of the end of the period, 1: discrepancies, 2: no pack was written.")]
pub struct Args {
    /// First day of the period, YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: NaiveDate,
    /// Last day of the period, YYYY-MM-DD; it belongs to the period whole
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: NaiveDate,
    /// Directory to write [default: reports/audit/<from>_<to>/, or below `[audit] folder`]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The sealed pack of the period before [default: the one beside that ends on the day before]
    #[arg(long, value_name = "DIR")]
    pub previous: Option<PathBuf>,
    /// Seed of the sample: the same seed draws the same rows
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Rows to draw, per method (monetary-unit, random) and table
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub sample: u32,
    /// Users under other names
    #[command(flatten)]
    pub redact: Redact,
}

fn day(text: &str) -> Result<NaiveDate, String> {
    let is_iso = text.len() == 10;
    let day = text.parse::<NaiveDate>().ok().filter(|_| is_iso);
    day.ok_or_else(|| "write a day of the calendar as YYYY-MM-DD, such as 2026-03-31".to_owned())
}

/// Runs the command.
///
/// # Errors
/// Configuration, input, database, disk, a pack before that cannot be followed.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let period = Period::new(args.from, args.to)?;
    let config = global.load_config()?;
    let asked = PackOptions {
        period,
        out: args.out.clone(),
        previous: args.previous.clone(),
        seed: args.seed,
        sample: args.sample,
    };
    let options = Options {
        host: super::host(),
        redaction: args.redact.redaction()?,
        ..Options::to_read(Some(period.as_of()), super::now())
    };
    if options.redaction.is_some() && args.out.is_none() {
        anyhow::bail!("--redact needs --out DIR: the sealed packs name users by their own ids");
    }
    let outcome = run::audit(&config, &asked, &options, &global.progress, |pack, written| {
        if global.json() {
            return Ok(pack::json(pack, written)?);
        }
        Ok(pack::human(pack, written, super::width(), global.color))
    })?;
    out::print(&outcome.printed)?;
    Ok(u8::from(outcome.errors > 0))
}
