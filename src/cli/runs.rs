//! `reckon runs`: past runs, their trend, and what the newest one changed.

use std::path::PathBuf;

use anyhow::bail;

use super::{Global, out};
use crate::history;
use crate::report;

/// Flags of `reckon runs`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Reads the run directories alone: no database, and with --folder no \
configuration. Runs that `[history] keep` has removed are told by those after them.\n\n\
Exit code: 0, whatever the runs say; 2 when there is no history or a run of it cannot be read.")]
pub struct Args {
    /// Folder of the runs [default: `[history] folder` of the configuration, which is reports]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Only the last N runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub last: Option<u32>,
}

/// Runs the command.
///
/// # Errors
/// A configuration or a history that cannot be read, none at all, or a stdout that cannot be written.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => global.load_config()?.history.folder,
    };
    let Some(chronicle) = history::chronicle(&folder)? else {
        bail!(
            "{} holds no run: `reckon reconcile` without --out writes one there; --folder names another folder",
            folder.display()
        );
    };
    let last = args.last.and_then(|last| usize::try_from(last).ok());
    if global.json() {
        out::print(&String::from_utf8_lossy(&report::runs::json(&chronicle, last)?))?;
    } else if global.quiet {
        out::print(&report::runs::quiet(&chronicle, super::width(), global.color))?;
    } else {
        out::print(&report::runs::terminal(&chronicle, last, super::width(), global.color))?;
    }
    Ok(0)
}
