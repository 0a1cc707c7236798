//! `reckon grants`: grants per action type.

use clap::ValueEnum;

use super::Global;

/// Flags of `reckon grants`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Split each action type further
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<By>,
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
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let _config = global.load_config()?;
    anyhow::bail!("`reckon grants` is not part of this build")
}
