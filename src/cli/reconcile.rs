//! `reckon reconcile`: the main job.

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;

use super::Global;
use super::redact::Redact;
use crate::config::parse_instant;
use crate::domain::Instant;
use crate::report;
use crate::run::{self, Options};

/// Flags of `reckon reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory to write [default: reports/<as-of>-<id>/, with reports/latest pointing at it]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Reconcile as of this instant, RFC 3339 [default: `as_of` of the configuration, else now]
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// Exit 1 on any unwaived error, or only on one that did not stand against the previous run
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub fail_on: FailOn,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Users under other names, and no SQL; needs --out
    #[command(flatten)]
    pub redact: Redact,
}

/// What makes exit 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Any unwaived finding of severity error.
    #[default]
    Any,
    /// Only one that did not stand against the previous run: new, back again, or no longer waived.
    New,
}

/// Runs the command.
///
/// # Errors
/// Whatever keeps the run from covering every row.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let options = Options {
        out: args.out.clone(),
        as_of: args.as_of,
        threads: args.threads.map(usize::from),
        started: super::now(),
        host: super::host(),
        keep_usage_of: None,
        redaction: args.redact.redaction()?,
    };
    if options.redaction.is_some() && options.out.is_none() {
        bail!("--redact needs --out DIR: in the history, findings about renamed users would all look new");
    }
    let outcome = run::run(&config, &options, &global.progress, |model, written| {
        if global.json() {
            let summary = report::json::summary(model)?;
            return Ok(String::from_utf8_lossy(&summary).into_owned());
        }
        Ok(report::terminal::render(model, written, super::width(), global.color))
    })?;
    let silent = global.quiet && outcome.new_errors == 0 && !outcome.shrunk;
    if !silent {
        super::out::print(&outcome.printed)?;
    }
    let failing = match args.fail_on {
        FailOn::Any => outcome.errors,
        FailOn::New => outcome.new_errors,
    };
    Ok(u8::from(failing > 0))
}
