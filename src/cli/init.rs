//! `reckon init`: looks at a database or at files and writes a commented `reckon.toml`.

use std::path::PathBuf;

use super::Global;

/// Flags of `reckon init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The legacy table: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub legacy: Option<String>,
    /// The unified table: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub unified: Option<String>,
    /// Where balances are stored: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub stored: Option<String>,
    /// File to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "reckon.toml")]
    pub output: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
///
/// # Errors
/// Input, database, or a file that is there already.
pub fn run(_args: &Args, _global: &Global) -> anyhow::Result<u8> {
    anyhow::bail!("`reckon init` is not part of this build")
}
