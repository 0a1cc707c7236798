//! `reckon doctor`: checks a database beforehand, changes nothing.

use super::Global;

/// Flags of `reckon doctor`: none of its own.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Configuration, or no connection at all.
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let _config = global.load_config()?;
    anyhow::bail!("`reckon doctor` is not part of this build")
}
