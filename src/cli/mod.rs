//! The command line: clap, one file a command. Turns flags into settings of a run; the only place
//! that knows clap.
//!
//! The result goes to stdout, log and progress to stderr. Exit codes: 0 clean, 1 discrepancies,
//! 2 the job could not be done, 130 and 143 interrupted.

mod audit;
mod completions;
mod contract;
mod cutover;
mod doctor;
mod global;
mod grants;
mod history;
mod init;
mod man;
mod memory;
mod notify;
pub mod out;
mod reconcile;
mod redact;
mod runs;
mod signals;
mod simulate;
mod verify;
mod waive;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use global::{Format, Global};

/// The job could not be done: usage, configuration, input, database, disk.
const EXIT_FAILED: u8 = 2;

/// Proves, row by row, that every token grant of a legacy table arrived in the new one.
#[derive(Debug, Parser)]
#[command(name = "reckon", version, about, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: global::Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read both tables, match, recompute balances, write one run directory
    Reconcile(reconcile::Args),
    /// The finance pack of a period: roll-forward, exceptions, balances, sample
    Audit(audit::Args),
    /// GO or NO-GO before the legacy table is dropped: every check, and a certificate
    Cutover(cutover::Args),
    /// Grants per action type: count, tokens, first, last
    Grants(grants::Args),
    /// One user's whole token history, with signed change and running balance
    History(history::Args),
    /// Look at a database or at files and write a commented reckon.toml
    Init(init::Args),
    /// Check connection, privileges, row-level security and mapping; change nothing
    Doctor(doctor::Args),
    /// The action types as CHECK constraint, TypeScript union or JSON
    Contract(contract::Args),
    /// Past runs, their trend, and what is new, open, resolved, re-opened
    Runs(runs::Args),
    /// Accept a finding, or a check before the cut-over, with owner, reason and end
    Waive(waive::Args),
    /// Re-check a run directory offline: hashes, chain, conservation, sums
    Verify(verify::Args),
    /// A synthetic pair of ledgers with planted defects and known truth
    Simulate(simulate::Args),
    /// Completions for a shell, on stdout
    Completions(completions::Args),
    /// The manual page, on stdout
    Man(man::Args),
}

/// Runs the program; the exit code is the contract's.
pub fn main() -> ExitCode {
    // A panic has written its message already; it is exit 2, not Rust's 101.
    let code = std::panic::catch_unwind(guarded_main).unwrap_or(EXIT_FAILED);
    ExitCode::from(code)
}

fn guarded_main() -> u8 {
    let parsed = words::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return print_usage(&error),
    };
    if let Err(error) = check_format(&cli) {
        return print_usage(&error);
    }
    let signals = match signals::Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot watch for signals")),
    };
    let global = Global::new(&cli.global, signals.stop());
    global.start_log();
    signals.watch(&global.progress);
    match dispatch(&cli.command, &global) {
        Ok(code) => code,
        Err(error) => match signals.exit_code() {
            Some(code) => {
                eprintln!("reckon: {}", interrupted(&global.progress.kept()));
                code
            }
            None => fail(&error),
        },
    }
}

/// What a run that a signal ended has left.
fn interrupted(kept: &[String]) -> String {
    match kept {
        [] => "interrupted, nothing was finished".to_owned(),
        kept => format!("interrupted; {}; nothing else was finished", kept.join("; ")),
    }
}

/// `--format` is a flag of every command, but not every command has every format.
fn check_format(cli: &Cli) -> Result<(), clap::Error> {
    let message = match (&cli.command, cli.global.format) {
        (Command::Contract(_), None | Some(Format::Human | Format::Csv | Format::Parquet)) => {
            "`reckon contract` needs --format sql, typescript or json"
        }
        (Command::Contract(_), _) => return Ok(()),
        (Command::Simulate(_), Some(Format::Typescript)) => {
            "`reckon simulate` writes --format csv, parquet or sql"
        }
        (Command::Simulate(_), _) => return Ok(()),
        (_, Some(Format::Sql | Format::Typescript)) => {
            "--format sql and --format typescript belong to `reckon contract`: write human or json"
        }
        (_, Some(Format::Csv | Format::Parquet)) => {
            "--format csv and --format parquet belong to `reckon simulate`: write human or json"
        }
        _ => return Ok(()),
    };
    Err(Cli::command().error(clap::error::ErrorKind::InvalidValue, message))
}

fn dispatch(command: &Command, global: &Global) -> anyhow::Result<u8> {
    match command {
        Command::Reconcile(args) => reconcile::run(args, global),
        Command::Audit(args) => audit::run(args, global),
        Command::Cutover(args) => cutover::run(args, global),
        Command::Grants(args) => grants::run(args, global),
        Command::History(args) => history::run(args, global),
        Command::Init(args) => init::run(args, global),
        Command::Doctor(args) => doctor::run(args, global),
        Command::Contract(args) => contract::run(args, global),
        Command::Runs(args) => runs::run(args, global),
        Command::Waive(args) => waive::run(args, global),
        Command::Verify(args) => verify::run(args, global),
        Command::Simulate(args) => simulate::run(args, global),
        Command::Completions(args) => completions::run(args, global),
        Command::Man(args) => man::run(args, global),
    }
}

/// `--help` and `--version` are results (0), everything else is a usage error (2).
fn print_usage(error: &clap::Error) -> u8 {
    match error.print() {
        Ok(()) => u8::try_from(error.exit_code()).unwrap_or(EXIT_FAILED),
        Err(cause) => fail(&out::error(cause)),
    }
}

/// Says why, unless all there is to say is that nobody reads on.
fn fail(error: &anyhow::Error) -> u8 {
    if out::is_unread(error) {
        tracing::info!("{}", message(error));
        return EXIT_FAILED;
    }
    eprintln!("reckon: {}", message(error));
    EXIT_FAILED
}

/// Why, in a sentence; causes follow, where they add something.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !message.contains(&cause) {
            message.push_str(": ");
            message.push_str(&cause);
        }
    }
    message
}

/// Now, in UTC microseconds.
fn now() -> crate::domain::Instant {
    crate::domain::Instant(chrono::Utc::now().timestamp_micros())
}

/// Name of this machine, for the manifest.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Columns of the terminal, 80 where it does not tell.
fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80)
}
