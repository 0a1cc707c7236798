//! `reckon history USER`: one user's whole token history.

use super::Global;

/// Flags of `reckon history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// User id as the tables have it
    pub user: String,
    /// Print CSV
    #[arg(long)]
    pub csv: bool,
}

/// Runs the command.
///
/// # Errors
/// Configuration, input, database, no such user.
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let _config = global.load_config()?;
    anyhow::bail!("`reckon history` is not part of this build")
}
