//! `reckon contract`: the action types for database, app and job alike.

use super::{Format, Global, out};
use crate::config::contract;

/// Flags of `reckon contract`: `--format sql|typescript|json` is a global one.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Configuration, or a stdout that cannot be written.
pub fn run(_args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let text = match global.format {
        Some(Format::Sql) => contract::sql(&config),
        Some(Format::Typescript) => contract::typescript(&config),
        Some(Format::Json | Format::Human | Format::Csv | Format::Parquet) | None => contract::json(&config),
    };
    out::print(&text)?;
    Ok(0)
}
