//! `reckon reconcile`: the main job.

use std::path::PathBuf;

use clap::ValueEnum;

use super::Global;
use crate::config::parse_instant;
use crate::domain::Instant;

/// Flags of `reckon reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directory to write [default: reports/<as-of>-<id>/, with reports/latest pointing at it]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Reconcile as of this instant, RFC 3339 [default: `as_of` of the configuration, else now]
    #[arg(long, value_name = "INSTANT", value_parser = parse_instant)]
    pub as_of: Option<Instant>,
    /// Exit 1 on any unwaived error, or only on one that the previous run did not have
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub fail_on: FailOn,
    /// Worker threads [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// What makes exit 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Any unwaived finding of severity error.
    #[default]
    Any,
    /// Only one that the previous run did not have.
    New,
}

/// Runs the command.
///
/// # Errors
/// Whatever keeps the run from covering every row.
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let _config = global.load_config()?;
    anyhow::bail!("`reckon reconcile` is not part of this build")
}
