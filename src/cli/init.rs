//! `reckon init`: looks at a database or at files and writes a commented `reckon.toml`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{Global, out};
use crate::config::infer::{Place, Proposal, Sample, Seen, balance_roles, propose, side_roles};
use crate::config::{self, TableName, parse_table};
use crate::source::sample::{file_labels, file_sample};

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

/// A table as the flags name it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// Files, relative to the working folder.
    Files(String),
    /// A table of the database.
    Table(TableName),
}

/// Runs the command.
///
/// # Errors
/// Input, database, or a file that is there already.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let to_stdout = args.output == Path::new("-");
    if !to_stdout && !args.force && args.output.exists() {
        bail!("{} is there already: --force overwrites it, -o names another file", args.output.display());
    }
    let folder = if to_stdout { Path::new("") } else { args.output.parent().unwrap_or(Path::new("")) };
    let proposal = look(args, global, folder)?;
    // What is written must be readable; anything else is a defect of this program.
    config::parse(&args.output, &proposal.text)
        .context("the proposal does not parse (a defect of reckon)")?;
    if to_stdout {
        out::print(&proposal.text)?;
        return Ok(0);
    }
    std::fs::write(&args.output, &proposal.text)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    out::print(&summary(&args.output, &proposal))?;
    Ok(0)
}

fn look(args: &Args, global: &Global, folder: &Path) -> anyhow::Result<Proposal> {
    let (Some(legacy), Some(unified)) = (&args.legacy, &args.unified) else {
        bail!("say where the two tables are: --legacy and --unified each take a file, a glob or schema.name");
    };
    let legacy = seen(&named(legacy)?, global, folder)?;
    let unified = seen(&named(unified)?, global, folder)?;
    let stored = match &args.stored {
        Some(stored) => {
            let sample = sample(&named(stored)?, global, folder)?;
            let roles = balance_roles(&sample)?;
            Some((sample, roles))
        }
        None => None,
    };
    Ok(propose(&legacy, &unified, stored.as_ref().map(|(sample, roles)| (sample, roles))))
}

/// A file, where it looks like one; else a table.
fn named(text: &str) -> anyhow::Result<Named> {
    let is_path = text.contains(['/', '*', '?', '[', '\\'])
        || [".csv", ".tsv", ".gz", ".zst", ".parquet"].iter().any(|end| text.to_lowercase().ends_with(end))
        || Path::new(text).exists();
    if is_path {
        return Ok(Named::Files(text.to_owned()));
    }
    parse_table(text).map(Named::Table).map_err(anyhow::Error::msg)
}

fn sample(named: &Named, global: &Global, folder: &Path) -> anyhow::Result<Sample> {
    match named {
        Named::Files(pattern) => {
            let mut sample = file_sample(pattern, Path::new(""), &global.progress)?;
            sample.place = Place::Path(seen_from(folder, pattern)?);
            Ok(sample)
        }
        Named::Table(table) => bail!("{table}: not from a database"),
    }
}

fn seen(named: &Named, global: &Global, folder: &Path) -> anyhow::Result<Seen> {
    let sample = sample(named, global, folder)?;
    let roles = side_roles(&sample)?;
    let labels = match named {
        Named::Files(pattern) => file_labels(pattern, Path::new(""), &roles, &global.progress)?,
        Named::Table(table) => bail!("{table}: not from a database"),
    };
    Ok(Seen { sample, roles, labels })
}

/// A path as it has to be written in a configuration that stands in `folder`.
fn seen_from(folder: &Path, path: &str) -> anyhow::Result<String> {
    if folder.as_os_str().is_empty() || folder == Path::new(".") || Path::new(path).is_absolute() {
        return Ok(path.to_owned());
    }
    let whole = std::path::absolute(path).with_context(|| format!("cannot tell where {path} is"))?;
    let home =
        std::path::absolute(folder).with_context(|| format!("cannot tell where {} is", folder.display()))?;
    Ok(whole.strip_prefix(&home).unwrap_or(&whole).to_string_lossy().into_owned())
}

/// What was written and what is left to do.
fn summary(output: &Path, proposal: &Proposal) -> String {
    let mut text = format!("wrote {}\n", output.display());
    for (label, rows) in &proposal.unclear {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  label {label:?} ({rows} rows) is unclear: give it a meaning in the file");
    }
    text.push_str("look it over, then: reckon reconcile");
    if output != Path::new("reckon.toml") {
        let _ = write!(text, " --config {}", output.display());
    }
    text.push('\n');
    text
}
