//! `reckon grants`: grants per action type.

use clap::ValueEnum;

use super::redact::Redact;
use super::{Global, out};
use crate::audit::GrantsBy;
use crate::config::parse_instant;
use crate::domain::Instant;
use crate::report;
use crate::run::{self, Options};

/// Flags of `reckon grants`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "What counts: rows of a `grants` action with more than 0 tokens, not \
`success = false`, up to as-of, whether or not they have a partner. Legacy rows count under the unified \
action that their label maps to. `differs` is unified less legacy; it says how much, `reckon reconcile` \
says which rows. Rows of 0 tokens, failed and later ones are counted apart, and so are those with a label \
without a meaning and those that cannot be read. The exit code is 0 whether the tables differ or not.")]
pub struct Args {
    /// Split each action type further
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<By>,
    /// Grants up to this instant, RFC 3339 [default: `as_of` of the configuration, else now]
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// Users under other names
    #[command(flatten)]
    pub redact: Redact,
}

/// By what grants are grouped beside the action type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// UTC month of `created_at`.
    Month,
    /// User id.
    User,
}

/// Runs the command.
///
/// # Errors
/// Configuration, input, database.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let by = match args.by {
        None => GrantsBy::Action,
        Some(By::Month) => GrantsBy::Month,
        Some(By::User) => GrantsBy::User,
    };
    let mut options = Options::to_read(args.as_of, super::now());
    options.redaction = args.redact.redaction()?;
    let table = run::grants(&config, &options, by, &global.progress)?;
    let text = match global.json() {
        true => String::from_utf8(report::grants::json(&table)?)?,
        false => report::grants::human(&table, super::width(), global.color),
    };
    out::print(&text)?;
    Ok(0)
}
