//! `reckon reconcile`: the main job.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;

use super::notify::Teller;
use super::redact::Redact;
use super::{Global, memory};
use crate::config::{Config, parse_duration, parse_instant, parse_size};
use crate::domain::{Instant, Span};
use crate::report;
use crate::run::{self, Look, Options, Outcome};

/// What is told of a panic; its own words are on stderr.
const DEFECT: &str = "a defect of reckon ended the run: its log has the place";

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
    /// Take no more memory than this, as in 2GiB: rows that do not fit wait in temporary files; exit 2 where even
    /// that is not enough [default: no bound]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<u64>,
    /// Wait so long for another run on the same folder, as in 10m [default: exit 2 at once]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Span>,
    /// Tell nobody, whatever `[notify]` says
    #[arg(long)]
    pub no_notify: bool,
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

/// Runs the command: reconciles, prints, then tells those who want to know.
///
/// # Errors
/// Usage, configuration, a signal. Whatever else keeps the run from covering every row is exit code 2,
/// and somebody is told.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let options = Options {
        out: args.out.clone(),
        as_of: args.as_of,
        threads: args.threads.map(usize::from),
        started: super::now(),
        host: super::host(),
        keep_usage_of: None,
        wait: args.wait.unwrap_or_default(),
        redaction: args.redact.redaction()?,
        look: Look::Activity,
        memory: memory::bound(args.memory)?,
    };
    if options.redaction.is_some() && options.out.is_none() {
        bail!("--redact needs --out DIR: in the history, findings about renamed users would all look new");
    }
    let settings = config.notify.as_ref().filter(|_| !args.no_notify);
    let teller = Teller { settings, host: &options.host, is_redacted: options.redaction.is_some(), global };
    let exceed = |error| {
        let error = anyhow::Error::new(error);
        super::fail(&error);
        teller.failed(&super::message(&error), None);
    };
    let done = memory::within(options.memory.as_deref(), &global.progress, exceed, || {
        std::panic::catch_unwind(AssertUnwindSafe(|| reconcile(&config, &options, global)))
    });
    let done = done.unwrap_or_else(|panic| {
        teller.failed(DEFECT, None);
        std::panic::resume_unwind(panic)
    });
    let outcome = match done {
        Ok(outcome) => outcome,
        Err(error) if global.progress.is_stopped() => return Err(error),
        Err(error) => {
            let code = super::fail(&error);
            teller.failed(&super::message(&error), None);
            return Ok(code);
        }
    };
    let silent = global.quiet && outcome.new_errors == 0 && !outcome.shrunk;
    let printed = if silent { Ok(()) } else { super::out::print(&outcome.printed) };
    if let Err(error) = printed {
        let code = super::fail(&error);
        teller.failed(&super::message(&error), Some(&outcome));
        return Ok(code);
    }
    let failing = match args.fail_on {
        FailOn::Any => outcome.errors,
        FailOn::New => outcome.new_errors,
    };
    let code = u8::from(failing > 0);
    teller.done(&outcome, code);
    Ok(code)
}

fn reconcile(config: &Config, options: &Options, global: &Global) -> anyhow::Result<Outcome> {
    run::run(config, options, &global.progress, |model, written| {
        if global.json() {
            let summary = report::json::summary(model)?;
            return Ok(String::from_utf8_lossy(&summary).into_owned());
        }
        // Without a run before, or outside of a history, everything is new.
        let render = match (&model.history.previous, global.quiet) {
            (Some(_), true) => report::terminal::render_news,
            _ => report::terminal::render,
        };
        Ok(render(model, written, super::width(), global.color))
    })
}
