//! `reckon completions SHELL`.

use super::{Global, out, words};

/// Flags of `reckon completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell
    shell: clap_complete::Shell,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &Args, _global: &Global) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut words::command(), "reckon", &mut script);
    out::with(|out| out.write_all(&script))?;
    Ok(0)
}
