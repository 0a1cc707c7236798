//! `reckon man`: the manual page of the program and of every command, as roff.

use clap::CommandFactory;

use super::{Cli, Global, out};

/// Flags of `reckon man`: none of its own.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(_args: &Args, _global: &Global) -> anyhow::Result<u8> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    out::with(|out| out.write_all(&page))?;
    Ok(0)
}
