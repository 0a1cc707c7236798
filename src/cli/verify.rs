//! `reckon verify DIR`: re-checks a run directory from its files alone.

use std::path::PathBuf;

use super::doctor::wrap;
use super::{Global, out};
use crate::verify::{self, State, Verification};

/// Flags of `reckon verify`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Needs no database, no network and no configuration. Checks every file \
against the manifest's SHA-256, the chain of manifests, control totals against the rows as listed, ids \
and counts of the findings, and every balance, added again from the CSV and Parquet files. Of an \
archive: the digest of the table, rebuilt from its rows.\n\n\
Exit code: 0 nothing is wrong, 1 something does not hold, 2 there is nothing to check. What could not be \
tested (a predecessor that is not here) is said, and is no failure.")]
pub struct Args {
    /// Run directory, such as reports/latest, audit pack, or archive of a table
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Columns of the terminal that a line may take.
const WIDTH: usize = 80;
/// Columns before the words of a check.
const INDENT: usize = 28;

/// Runs the command: 0 when nothing is wrong, 1 when something does not hold.
///
/// # Errors
/// A directory that holds no run, or a stdout that cannot be written.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let found = verify::verify(&args.dir)?;
    if global.json() {
        out::print(&format!("{}\n", serde_json::to_string_pretty(&json(&found))?))?;
    } else {
        out::print(&human(&found, global.quiet))?;
    }
    Ok(u8::from(!found.holds()))
}

fn json(found: &Verification) -> serde_json::Value {
    serde_json::json!({
        "schema": "reckon.verification/1",
        "verdict": if found.holds() { "ok" } else { "fail" },
        "exit_code": u8::from(!found.holds()),
        "folder": found.folder,
        "manifest_sha256": found.manifest_sha256,
        "checks": found.checks,
    })
}

/// A line a check; `-q` leaves out what is in order.
fn human(found: &Verification, quiet: bool) -> String {
    let mut text = String::new();
    if !quiet {
        text.push_str(&format!("{}\nmanifest.json {}\n", found.folder, found.manifest_sha256));
    }
    for check in found.checks.iter().filter(|check| !(quiet && check.state == State::Ok)) {
        let state = match check.state {
            State::Ok => "ok",
            State::Fail => "FAIL",
            State::NotTested => "untested",
        };
        for (at, line) in wrap(&check.detail, WIDTH - INDENT).iter().enumerate() {
            let (state, name) = if at == 0 { (state, check.check) } else { ("", "") };
            text.push_str(&format!("  {state:<10}{name:<16}{line}\n"));
        }
    }
    let untested = found.checks.iter().filter(|check| check.state == State::NotTested).count();
    let result = match (found.holds(), untested) {
        (false, _) => "this is not what reckon wrote",
        (true, 0) => "everything holds",
        (true, _) => "what could be tested holds",
    };
    if !(quiet && found.holds() && untested == 0) {
        text.push_str(&format!("{result}\n"));
    }
    text
}
