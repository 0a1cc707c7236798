//! `reckon contract`: the action types for database, app and job alike.

use super::Global;

/// Flags of `reckon contract`: `--format sql|typescript|json` is a global one.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Configuration.
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let _config = global.load_config()?;
    anyhow::bail!("`reckon contract` is not part of this build")
}
