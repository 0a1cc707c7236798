//! `reckon cutover`: GO or NO-GO before the legacy table is dropped.

use std::path::PathBuf;

use super::{Global, memory};
use crate::config::{Origin, parse_duration, parse_size};
use crate::domain::Span;
use crate::report;
use crate::run::{self, GateOptions, Look, Options};

/// Flags of `reckon cutover`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Reconciles as `reckon reconcile` does, always as of now, then makes every check of \
the gate (docs/cutover.md says what each means) and writes cutover.json and certificate.html into the run \
directory. A check that could not be made is not_tested and keeps the verdict from being GO, unless it was \
accepted by name. Exit code 0: GO, 1: NO-GO, 2: the checks could not be made."
)]
pub struct Args {
    /// Run directory to write [default: reports/<as-of>-<id>/, with reports/latest pointing at it]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// There is a backup: where it is and who tried it; stands in the certificate
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub backup_acknowledged: Option<String>,
    /// Write the whole legacy table there, digested, for the day after the drop: step 3 of retire.sql needs it
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
    /// Take no more memory than this, as in 2GiB: exit 2 where that is not enough [default: no bound]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// Wait so long for another run on the same folder, as in 10m [default: exit 2 at once]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Span>,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Runs the command.
///
/// # Errors
/// Whatever keeps the run from covering every row, and the checks from being made.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    if let Some(as_of) = config.as_of {
        anyhow::bail!(
            "{}: as_of = {:?} fixes the instant of the reconciliation, but the gate is always about now: \
             remove the line",
            config.file.display(),
            as_of.rfc3339()
        );
    }
    if let (Some(_), Origin::Files { pattern, .. }) = (&args.archive, &config.legacy.columns.origin) {
        anyhow::bail!(
            "--archive copies a table of the database, but [legacy] path = {pattern:?} is a file already"
        );
    }
    let asked = GateOptions {
        run: Options {
            out: args.out.clone(),
            as_of: None,
            threads: args.threads.map(usize::from),
            started: super::now(),
            host: super::host(),
            keep_usage_of: None,
            wait: args.wait.unwrap_or_default(),
            redaction: None,
            look: Look::Gate { archive: args.archive.clone() },
            memory: memory::bound(args.memory)?,
        },
        backup: args.backup_acknowledged.clone(),
    };
    let exceed = |error| {
        super::fail(&anyhow::Error::new(error));
    };
    let outcome = memory::within(asked.run.memory.as_deref(), &global.progress, exceed, || {
        run::cutover(&config, &asked, &global.progress, |certificate, written| {
            if global.json() {
                let document = report::certificate::json(certificate)?;
                return Ok(String::from_utf8_lossy(&document).into_owned());
            }
            Ok(report::certificate::terminal(certificate, written.folder, super::width(), global.color))
        })
    })?;
    super::out::print(&outcome.printed)?;
    Ok(outcome.verdict.exit_code())
}
