//! `reckon history USER`: one user's whole token history.

use super::redact::Redact;
use super::{Global, out};
use crate::config::parse_instant;
use crate::domain::{Instant, RowId};
use crate::report;
use crate::run::{self, Options};

/// Flags of `reckon history`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Every row of both tables, usage too, newest first. The balance is that of the \
unified rows: grants less deductions less usage; amounts in brackets do not count in it, and the note says \
why. Where policies are configured (opening tokens, ends, resets, floor), what they add and take stands \
between the rows, and the balance is that under them. `= ID by RULE` names the row of the other table that a row belongs to; a class and its finding id \
stand where there is a finding. --csv and --format json have ids and times whole, and the running balance \
of the legacy table (grants less deductions) beside its rows.")]
pub struct Args {
    /// User id as the tables have it
    pub user: String,
    /// Print the rows as CSV
    #[arg(long)]
    pub csv: bool,
    /// Print the grants as CSV, each with what was used of it, ended, and is left
    #[arg(long)]
    pub lots: bool,
    /// Print a statement for the customer: one HTML page that needs no network
    #[arg(long)]
    pub html: bool,
    /// History up to this instant, RFC 3339 [default: `as_of` of the configuration, else now]
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// Users under other names
    #[command(flatten)]
    pub redact: Redact,
}

/// Runs the command.
///
/// # Errors
/// Configuration, input, database, no such user.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    if [args.csv, args.lots, args.html, global.json()].into_iter().filter(|form| *form).count() > 1 {
        anyhow::bail!("--csv, --lots, --html and --format json are forms of one answer: choose one");
    }
    let config = global.load_config()?;
    let mut options = Options::to_read(args.as_of, super::now());
    options.redaction = args.redact.redaction()?;
    let user = RowId::parse(args.user.trim());
    let history = run::history(&config, &options, &user, &global.progress)?;
    let text = if args.csv {
        String::from_utf8(report::history::csv(&history))?
    } else if args.lots {
        String::from_utf8(report::history::lots_csv(&history))?
    } else if args.html {
        report::history::html(&history)?
    } else if global.json() {
        String::from_utf8(report::history::json(&history)?)?
    } else {
        report::history::human(&history, super::width(), global.color)
    };
    out::print(&text)?;
    Ok(0)
}
